"""A million lines of prose, as another program would log them, audited by the command.

The lines are of a simulated cluster, so that the verdict is known; to write them is not measured.
Peer: the same lines taken apart by Python's own `re`, which nobody who reads such logs can do without, and no more.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

from node.event import Event
from node.model import SECOND_NS
from orchestrator.labs.simulated import simulate
from tests.bench.figures import (
    Below,
    Bench,
    Row,
    Sample,
    Stopwatch,
    interleave,
    per_second,
    ratio,
    row,
    seconds,
    spread,
)
from tests.bench.table import table
from tests.clusters import cluster

NODES, RATES = 5, (8, 10)
LINES, LINES_QUICK = 1_000_000, 2_000
SECONDS_MAX = 10**6
CPU_S, MEMORY_MIB = Below(20), Below(2048)
COMMAND_S_MAX = 600
EPOCH_S = 1_793_360_000
RECORD = r"^(?<time>\S+ \S+) machine-(?<node>\d+): (?<event>.*) \(clock (?<clock>\d+), (?<queue>\d+) waiting\)$"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of log: how it names a message, how a format tells what is in it, and what can be said of it."""

    message: Callable[[int, int], str]
    kinds: str
    verdict: str
    evidence: str


KINDS = {
    "by id": Kind(
        message=lambda node, index: f" message {node}.{index}",
        kinds=r"""
  receive: '^received message (?<message>\S+) from machine (?<from>\d+)'
  send: '^sent message (?<message>\S+) to machines? (?<to>.*)'
  internal: '^worked'
""",
        verdict="valid",
        evidence="by-id",
    ),
    "by order": Kind(
        message=lambda node, index: "",
        kinds=r"""
  receive: '^received from machine (?<from>\d+)'
  send: '^sent to machines? (?<to>.*)'
  internal: '^worked'
""",
        verdict="consistent",
        evidence="by-order",
    ),
}


def run(rounds: int, quick: bool) -> list[Row]:
    """Return the time and the memory of the command for each kind of log, and the time of its peer."""
    count = LINES_QUICK if quick else LINES
    with TemporaryDirectory(prefix="scale-model-bench-") as directory:
        audits = {name: Audit(kind, count, Path(directory) / kind.evidence) for name, kind in KINDS.items()}
        _write(audits.values(), count)
        contenders: dict[str, Callable[[], Sample]] = {}
        for name, audit in audits.items():
            contenders[name] = audit
            contenders[f"{name}, peer"] = partial(_taken_apart, audit)
        samples = interleave(contenders, rounds)
    rows = []
    for name, audit in audits.items():
        ours, peer = samples[name], samples[f"{name}, peer"]
        rows += [
            row(f"{name}: check {count:,} lines", "s", ours, seconds, CPU_S, judged="cpu"),
            row("  lines", "/s", ours, per_second),
            Row("  peak memory", "MiB", spread(audit.peaks_mib[-rounds:]), None, MEMORY_MIB),
            row("  peer: re alone, same lines", "s", peer, seconds),
            ratio("  re alone : check", peer, ours),
        ]
    return rows


@dataclass
class Audit:
    """The logs of one kind in a folder, a file a machine; every audit of them leaves its peak memory here."""

    kind: Kind
    count: int
    folder: Path
    peaks_mib: list[float] = field(default_factory=list)

    def __call__(self) -> Sample:
        """Audit them once, as a command and from outside."""
        command = [sys.executable, "-P", "-m", "orchestrator", "check", str(self.folder), "--json"]
        started_s = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        timer = Timer(COMMAND_S_MAX, process.kill)
        timer.start()
        answer = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started_s
        timer.cancel()
        process.stdout.close()
        process.returncode = os.waitstatus_to_exitcode(status)

        assert process.returncode == 0
        self._look_at(json.loads(answer))
        # Linux says it in KiB, macOS in bytes.
        self.peaks_mib.append(usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10))
        return Sample(self.count, wall_s, usage.ru_utime + usage.ru_stime)

    def texts(self) -> Iterable[str]:
        """Yield the text of each log."""
        return (path.read_text() for path in sorted(self.folder.glob("*.log")))

    def _look_at(self, answer: dict[str, Any]) -> None:
        (execution,) = answer["executions"]
        (condition,) = [check for check in execution["checks"] if check["name"] == "clock-condition"]

        assert (execution["nodes"], execution["events"]) == (NODES, self.count)
        assert (execution["verdict"], condition["evidence"]) == (self.kind.verdict, self.kind.evidence)


def _write(audits: Iterable[Audit], count: int) -> None:
    """Simulate a cluster and write its logs in each kind, with a format beside them."""
    with ExitStack() as stack:
        files = {}
        for audit in audits:
            audit.folder.mkdir()
            text = f"files: machine-(?<node>\\d+)\\.log$\nrecord: '{RECORD}'\nkinds:{audit.kind.kinds}"
            (audit.folder / "prose.format.yaml").write_text(text)
            for node in range(1, NODES + 1):
                path = audit.folder / f"machine-{node}.log"
                files[audit.kind.evidence, node] = stack.enter_context(path.open("w")), audit.kind
        for event in islice(simulate(cluster(NODES, seconds=SECONDS_MAX, rates=RATES)), count):
            for (_, node), (file, kind) in files.items():
                if node == event.node:
                    file.write(_line(event, kind))


def _line(event: Event, kind: Kind) -> str:
    if event.cause is not None:
        what = f"received{kind.message(event.cause.node, event.cause.index)} from machine {event.cause.node}"
    elif event.to:
        to = ", ".join(str(delivery.recipient) for delivery in event.to)
        what = f"sent{kind.message(event.node, event.index)} to machine{'s' if len(event.to) > 1 else ''} {to}"
    else:
        what = "worked"
    second, rest_ns = divmod(event.due_ns, SECOND_NS)
    time = f"{_shown(second)}.{rest_ns // 1000:06d}"
    return f"{time} machine-{event.node}: {what} (clock {event.clock}, {event.queue} waiting)\n"


@lru_cache(1)
def _shown(second: int) -> str:
    return datetime.fromtimestamp(EPOCH_S + second, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _taken_apart(audit: Audit) -> Sample:
    expression = re.compile(RECORD.replace("(?<", "(?P<"), re.MULTILINE)
    stopwatch = Stopwatch()
    records = sum(len(list(map(re.Match.groups, expression.finditer(text)))) for text in audit.texts())
    sample = stopwatch.sample(audit.count)

    assert records == audit.count
    return sample


BENCH = Bench("audit", "a million lines of somebody else's logs, by the command check", rounds=3, run=run, table=table)
