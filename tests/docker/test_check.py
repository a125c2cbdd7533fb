"""The fourth service: whose logs it waits for, how long, and which it never takes for this run's."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.docker.files import ROOT

NOW = 1_000
"""When the service was started, in these tests."""


class Clock:
    """Time that passes only while somebody sleeps, and what happens meanwhile."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.plan: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        """Return the time."""
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Let time pass, and do what was planned for it."""
        self.now_s += seconds
        for due in [one for one in self.plan if one[0] <= self.now_s]:
            self.plan.remove(due)
            due[1]()


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program, as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "docker"))
    return import_module("check")


@pytest.fixture
def clock(check: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which it waits."""
    clock = Clock()
    monkeypatch.setattr(check, "time", clock)
    return clock


def write_log(directory: Path, node: int, *events: str, begun: int = NOW, **last: Any) -> None:
    """Leave a log behind."""
    lines = [{"event": "start", "wall": begun}, *({"event": event, "wall": begun} for event in events)]
    lines[-1].update(last)
    (directory / f"events-{node}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def waited(check: ModuleType, directory: Path, *, is_told: bool = False) -> str:
    """Wait for nodes 1 and 2; return why it was enough."""
    told = threading.Event()
    if is_told:
        told.set()
    watch = check.Watch(directory, [1, 2], since_ns=NOW)
    return str(check.wait(watch, told, start_deadline_s=30.0))


def test_stop_records_are_waited_for(check: ModuleType, clock: Clock, tmp_path: Path) -> None:
    """And then nothing more."""
    write_log(tmp_path, 1, "end", "stop")
    clock.plan = [(3, lambda: write_log(tmp_path, 2, "end", "stop"))]

    assert ("nodes 1 and 2 sealed their logs", 3) == (waited(check, tmp_path), clock.now_s)


def test_an_interrupted_node_is_not_waited_for(check: ModuleType, clock: Clock, tmp_path: Path) -> None:
    """Its log is sealed, too."""
    write_log(tmp_path, 1, "end", interrupted=True)
    write_log(tmp_path, 2, "end", "stop")

    assert ("nodes 1 and 2 sealed their logs", 0) == (waited(check, tmp_path), clock.now_s)


def test_a_node_that_died_is_not_waited_for_for_ever(check: ModuleType, clock: Clock, tmp_path: Path) -> None:
    """A log that does not grow and was never sealed; an end without a stop record is no seal."""
    write_log(tmp_path, 1, "internal")
    write_log(tmp_path, 2, "end", interrupted=False)

    assert "nothing was written for 15 s; no sealed log of nodes 1 and 2" == waited(check, tmp_path)
    assert 15 < clock.now_s < 16


def test_a_log_that_grows_is_waited_for(check: ModuleType, clock: Clock, tmp_path: Path) -> None:
    """However long the run is."""
    for node in (1, 2):
        write_log(tmp_path, node, "internal")
    for count in range(2, 20):
        clock.plan.append(((count - 1) * 14, partial(write_log, tmp_path, 1, *["internal"] * count)))
    waited(check, tmp_path)

    assert 18 * 14 + 15 < clock.now_s < 18 * 14 + 16


def test_nodes_that_wait_for_each_other_have_their_start_deadline(
    check: ModuleType, clock: Clock, tmp_path: Path
) -> None:
    """Until every log has begun, silence is no sign of death."""
    write_log(tmp_path, 1, "internal")
    (tmp_path / "events-2.jsonl").touch()

    assert "nothing was written for 45 s; no sealed log of nodes 1 and 2" == waited(check, tmp_path)
    assert 45 < clock.now_s < 46


def test_whoever_is_told_to_end_waits_for_the_seals_alone(check: ModuleType, clock: Clock, tmp_path: Path) -> None:
    """A moment, and then judges what is there."""
    write_log(tmp_path, 1, "end", interrupted=True)
    write_log(tmp_path, 2, "internal")

    assert "told to end; no sealed log of node 2" == waited(check, tmp_path, is_told=True)
    assert 5 < clock.now_s < 6


def test_an_earlier_run_is_not_taken_for_this_one(check: ModuleType, clock: Clock, tmp_path: Path) -> None:
    """Sealed and complete, and still in its place because no node has come up yet."""
    for node in (1, 2):
        write_log(tmp_path, node, "end", "stop", begun=NOW - 1)

    assert "nothing was written for 45 s; no sealed log of nodes 1 and 2" == waited(check, tmp_path)
    assert [] == check.Watch(tmp_path, [1, 2], since_ns=NOW).begun()
    assert 45 < clock.now_s < 46


@pytest.mark.parametrize(
    "content", ["", '{"event":"start","wall":', "junk\n", '{"event":"start","wall":null}\n', "[]\n"]
)
def test_a_log_that_does_not_say_when_it_began_is_not_of_this_run(
    check: ModuleType, tmp_path: Path, content: str
) -> None:
    """An empty one is a node that waits for its peers."""
    (tmp_path / "events-1.jsonl").write_text(content)

    assert [] == check.Watch(tmp_path, [1], since_ns=NOW).begun()


def test_the_service_knows_when_its_container_was_started(check: ModuleType) -> None:
    """After the machine, and before now."""
    booted_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    assert booted_ns - 1_000_000_000 < check.started_ns() < time.time_ns()


def test_where_no_run_began_nothing_is_judged(tmp_path: Path) -> None:
    """Exit 2, unknown, though a complete log of an earlier run lies there."""
    write_log(tmp_path, 1, "end", "stop", begun=NOW)
    done = run_program([str(tmp_path), "1"], code="check.SILENCE_S_MAX = 0")

    assert 2 == done.returncode
    assert "check: CANNOT TELL: no node began a run" in done.stdout
    assert "HOLDS" not in done.stdout


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_exit_code_is_that_of_the_check(tmp_path: Path, code: int) -> None:
    """Whatever becomes of the table; only logs of this run are named."""
    write_log(tmp_path, 1, "end", "stop", begun=time.time_ns())
    write_log(tmp_path, 2, "end", "stop", begun=NOW)
    fake = f"check.ask = lambda command, paths: print(command, *paths) or {{'check': {code}, 'measure': 70}}[command]"
    done = run_program([str(tmp_path), "1"], code=fake)

    assert code == done.returncode
    assert f"check {tmp_path}/events-1.jsonl\nmeasure {tmp_path}/events-1.jsonl\n" in done.stdout


def test_now_means_whatever_is_there(tmp_path: Path) -> None:
    """The whole directory, of whatever run."""
    done = run_program([str(tmp_path), "1", "2", "--now"], code="check.ask = lambda *words: print(*words) or 0")

    assert (0, 2) == (done.returncode, done.stdout.count(str(tmp_path)))
    assert "waiting" not in done.stdout


def run_program(arguments: list[str], *, code: str) -> "subprocess.CompletedProcess[str]":
    """Run the program to its end, with a line of ours before it."""
    program = f"import sys, check\n{code}\nsys.exit(check.main(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docker"), "SCALE_MODEL_START_DEADLINE": "0.2"}
    command = [sys.executable, "-u", "-c", program, *arguments]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=30, check=False)
