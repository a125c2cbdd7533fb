"""Wait until every node of this run has stopped, or cannot any more; then check and measure what they recorded.

Usage: check.py DIRECTORY NODE… [--now]. Exits with the exit code of the check, or with 2, unknown, where no run began.
With --now it waits for nothing, and checks what is there, of whatever run.
Never writes a file, and never takes an earlier run's log for this one's: it was started before any node of this run.
"""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from healthcheck import last_record

SILENCE_S_MAX: Final = 15.0
"""The slowest machine writes once a second."""
SEAL_S_MAX: Final = 5
"""How long a node that was told to end has for its last line."""
POLL_S: Final = 0.25
UNKNOWN: Final = 2


class Watch:
    """The logs of one run, as they grow."""

    def __init__(self, directory: Path, nodes: Sequence[int], *, since_ns: int) -> None:
        self.logs = {node: directory / f"events-{node}.jsonl" for node in nodes}
        self._since_ns = since_ns

    def begun(self) -> list[int]:
        """Return the nodes whose log is of this run."""
        return [node for node, log in self.logs.items() if self._is_of_this_run(log)]

    def unsealed(self) -> list[int]:
        """Return the nodes that have neither a stop record, nor were told to end before it."""
        return [node for node, log in self.logs.items() if not (self._is_of_this_run(log) and is_sealed(log))]

    def size(self) -> int:
        """Return how much the nodes have written."""
        return sum(log.stat().st_size for log in self.logs.values() if log.exists())

    def _is_of_this_run(self, log: Path) -> bool:
        try:
            with log.open("rb") as file:
                first = file.readline()
        except FileNotFoundError:
            return False
        return first.endswith(b"\n") and begun_ns(first) >= self._since_ns


def begun_ns(start_line: bytes) -> int:
    """Return when a log was begun, Unix ns; 0 if it does not say."""
    try:
        return int(json.loads(start_line)["wall"])
    except (ValueError, LookupError, TypeError):
        return 0


def is_sealed(log: Path) -> bool:
    """Return whether a node has nothing more to say."""
    record = last_record(log)
    return record is not None and (record["event"] == "stop" or bool(record.get("interrupted")))


def wait(watch: Watch, is_told: threading.Event, *, start_deadline_s: float) -> str:
    """Return once every log is sealed, or waiting longer would be in vain; the sentence says which."""
    size, grown_s, told_s = 0, time.monotonic(), math.inf
    while unsealed := watch.unsealed():
        now_s = time.monotonic()
        if watch.size() != size:
            size, grown_s = watch.size(), now_s
        if is_told.is_set():
            told_s = min(told_s, now_s)
        # Nodes that wait for each other write nothing, either.
        silence_s = SILENCE_S_MAX + (0 if len(watch.begun()) == len(watch.logs) else start_deadline_s)
        if now_s - told_s > SEAL_S_MAX:
            return f"told to end; no sealed log of {nodes(unsealed)}"
        if now_s - grown_s > silence_s:
            return f"nothing was written for {silence_s:g} s; no sealed log of {nodes(unsealed)}"
        time.sleep(POLL_S)
    return f"{nodes(watch.logs)} sealed their logs"


def judge(paths: Sequence[Path]) -> int:
    """Print the verdict and the table of measures; return the exit code of the check."""
    code = ask("check", paths)
    ask("measure", paths)
    return code


def ask(command: str, paths: Sequence[Path]) -> int:
    """Run a command of the orchestrator to its end."""
    return subprocess.run([sys.executable, "-m", "orchestrator", command, *map(str, paths)], check=False).returncode


def started_ns() -> int:
    """Return when the first process of this container was started, Unix ns: before any that depends on it."""
    # The name, in brackets, may hold anything; the start is the 20th field behind it (proc(5)).
    ticks = int(Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19])
    age_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return time.time_ns() - age_ns


def nodes(numbers: Iterable[int]) -> str:
    """Return what to call these nodes."""
    *others, last = map(str, numbers)
    return f"nodes {', '.join(others)} and {last}" if others else f"node {last}"


def say(sentence: str) -> None:
    """Tell the user one thing."""
    sys.stdout.write(f"check: {sentence}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Wait, then judge; the polite kill asks only to wait no longer."""
    directory, *numbers = (argument for argument in arguments if argument != "--now")
    if "--now" in arguments:
        return judge([Path(directory)])
    is_told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: is_told.set())
    watch = Watch(Path(directory), list(map(int, numbers)), since_ns=started_ns())
    say(f"waiting for {nodes(watch.logs)}")
    say(wait(watch, is_told, start_deadline_s=float(os.environ["SCALE_MODEL_START_DEADLINE"])))
    if not (begun := watch.begun()):
        say("CANNOT TELL: no node began a run; what their logs hold, if anything, is an earlier one")
        return UNKNOWN
    return judge([watch.logs[node] for node in begun])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
