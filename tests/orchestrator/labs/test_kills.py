"""Machines of a live cluster killed without warning: at exact and fast it leaves no mark, else the run says so."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from node.model import Pace
from node.record import Line, parse_line
from orchestrator.labs.live import run_live
from orchestrator.labs.outcome import Outcome
from orchestrator.rundir import Run
from tests.at_risk import messages_at_risk, percentile, resumed_s
from tests.clusters import cluster
from tests.live_runs import DEADLINE_S, judged, live, observed, stopped, until
from tests.promises import record

pytestmark = pytest.mark.live

Machines = dict[int, object]


def logs_of(directory: Path) -> dict[int, list[Line]]:
    """Return the lines of every log."""
    return {
        node: [parse_line(line) for line in log.read_bytes().split(b"\n")[:-1]]
        for node, log in Run(directory).event_logs().items()
    }


def pid_of(directory: Path, node: int) -> int:
    """Return the process of a machine that was started last."""
    started = [
        line["pid"] for kind in ("start", "restart") for line in observed(directory, kind) if line["node"] == node
    ]
    return started[-1]


def begun(directory: Path, node: int, *, lines: int) -> bool:
    """Whether the log of a machine has so many lines."""
    log = Run(directory).events_path(node)
    return log.exists() and log.read_bytes().count(b"\n") >= lines


def kill(directory: Path, node: int) -> tuple[int, int]:
    """Kill the process of a machine; return which, and when."""
    os.kill(pid_of(directory, node), signal.SIGKILL)
    return node, time.time_ns()


def live_beside(directory: Path, machines: Machines, pace: Pace, mischief: Callable[[], object], **how: int) -> Outcome:
    """Run a live cluster with some mischief beside it."""
    limit_s = DEADLINE_S + max(model.duration_ns for model in machines.values()) / 1e9  # type: ignore[attr-defined]

    async def run() -> Outcome:
        async with asyncio.timeout(limit_s), asyncio.TaskGroup() as tasks:
            trouble = tasks.create_task(mischief())  # type: ignore[arg-type]
            outcome = await run_live(Run(directory), machines, name="live", pace=pace, **how)  # type: ignore[arg-type]
            trouble.cancel()
        return outcome

    return asyncio.run(run())


def killed_again_and_again(
    directory: Path, *, seconds: int, kills: int, seed: int
) -> tuple[Outcome, list[tuple[int, int]]]:
    """Run five machines at exact, and kill them in turn, each at a moment that the seed draws."""
    machines = cluster(5, seconds=seconds, internal_probability=0.3)
    chance, done = Random(seed), list[tuple[int, int]]()

    async def mischief() -> None:
        await until(lambda: all(begun(directory, node, lines=2) for node in machines))
        began_s, slice_s = time.monotonic(), (seconds - 1) / kills
        for number in range(kills):
            at_s = began_s + (number + chance.random() / 2) * slice_s
            node = 1 + number % 5
            await until(lambda at_s=at_s: time.monotonic() >= at_s)  # type: ignore[misc]
            size = Run(directory).events_path(node).stat().st_size
            done.append(kill(directory, node))
            await until(lambda node=node, size=size: has_resumed(directory, node, size))  # type: ignore[misc]

    return live_beside(directory, machines, "exact", mischief), done


def has_resumed(directory: Path, node: int, size: int) -> bool:
    """Whether a machine has ticked again since its log had this size."""
    with Run(directory).events_path(node).open("rb") as log:
        log.seek(size)
        return b'"tick":' in log.read().partition(b'{"event":"boot"')[2]


def test_machines_killed_without_warning_leave_no_mark(tmp_path: Path) -> None:
    """Five SIGKILLs in 20 s: fidelity exactly 1, valid; each in observer.jsonl and in what the lab returns."""
    outcome, kills = killed_again_and_again(tmp_path, seconds=20, kills=5, seed=1)
    _, report, fidelity = judged(tmp_path, cluster(5, seconds=20, internal_probability=0.3))
    at_risk = messages_at_risk(logs_of(tmp_path), kills)

    assert (None, "valid", 1.0) == (outcome.failure, report.verdict, fidelity)
    assert dict.fromkeys(range(1, 6), 1) == outcome.restarts
    assert [node for node, _ in kills] == [line["node"] for line in observed(tmp_path, "restart")]
    assert [-signal.SIGKILL] * 5 == [line["code"] for line in observed(tmp_path, "exit") if line["code"]]
    assert at_risk > 0
    record("SIGKILL", "test", f"{len(kills)} kills, {at_risk:,} messages at risk")


@pytest.mark.soak
def test_a_hundred_kills_leave_no_mark(tmp_path: Path) -> None:
    """Takes 5 minutes: 100 SIGKILLs in 300 s, 1,000 messages at risk, back within 1 s of listening (p95)."""
    outcome, kills = killed_again_and_again(tmp_path, seconds=300, kills=100, seed=1)
    _, report, fidelity = judged(tmp_path, cluster(5, seconds=300, internal_probability=0.3))
    logs = logs_of(tmp_path)
    at_risk, spans = messages_at_risk(logs, kills), [span for lines in logs.values() for span in resumed_s(lines)]
    median_s, p95_s = percentile(spans, 0.5), percentile(spans, 0.95)
    figure = f"{len(kills)} kills, {at_risk:,} messages at risk; back in {median_s:.3f} s (median), {p95_s:.3f} s (p95)"
    print(figure)

    assert (None, "valid", 1.0) == (outcome.failure, report.verdict, fidelity)
    assert 100 == len(kills) == sum(outcome.restarts.values())
    assert at_risk >= 1000
    assert p95_s <= 1.0
    record("SIGKILL", "soak", figure)


@pytest.mark.parametrize("lines", [1, 40], ids=["at its first line", "in the middle"])
def test_at_fast_a_kill_at_any_place_leaves_no_mark(lines: int, tmp_path: Path) -> None:
    """Where there is no wall clock either."""
    machines = cluster(3, seconds=600)

    async def mischief() -> None:
        await until(lambda: begun(tmp_path, 2, lines=lines))
        kill(tmp_path, 2)

    outcome = live_beside(tmp_path, machines, "fast", mischief)
    _, report, fidelity = judged(tmp_path, machines)

    assert (None, "valid", 1.0) == (outcome.failure, report.verdict, fidelity)
    assert {2: 1} == outcome.restarts


DIE_IN_THE_FIRST_WRITE = """
import os, runpy, signal, sys
from pathlib import Path
from node.journal import DiskFile
write, marker, torn_bytes = DiskFile.write, Path(sys.argv.pop(1)), int(sys.argv.pop(1))
def write_or_die(file, data):
    if "events-2" in os.readlink(f"/proc/self/fd/{file.fileno()}") and not marker.exists():
        marker.touch()
        write(file, data[:torn_bytes])
        os.kill(os.getpid(), signal.SIGKILL)
    return write(file, data)
DiskFile.write = write_or_die
runpy.run_module("node", run_name="__main__")
"""


@pytest.mark.parametrize("torn_bytes", [0, 40])
def test_a_machine_that_is_killed_in_its_first_write_begins_anew(torn_bytes: int, tmp_path: Path) -> None:
    """Nobody has heard of anything it did, for nothing leaves before it is written."""
    machines = cluster(3, seconds=60)
    command = (sys.executable, "-c", DIE_IN_THE_FIRST_WRITE, str(tmp_path / "marker"), str(torn_bytes))
    outcome = live(tmp_path, machines, pace="fast", node_command=command)
    _, report, fidelity = judged(tmp_path, machines)

    assert (None, "valid", 1.0) == (outcome.failure, report.verdict, fidelity)
    assert {2: 1} == outcome.restarts


def test_a_machine_that_is_killed_after_its_stop_record_serves_on(tmp_path: Path) -> None:
    """Machine 3 was stopped behind its last tick, and has not heard of the end of machine 2 when that is killed."""
    machines = cluster(3, seconds=3, rates=(6, 6))
    machines[3] = replace(machines[3], rate_hz=1, phase_ns=0)

    async def mischief() -> None:
        logs = {node: Run(tmp_path).events_path(node) for node in machines}
        await until(lambda: logs[3].exists() and b'{"event":"end"' in logs[3].read_bytes())
        with stopped(pid_of(tmp_path, 3)):
            await until(lambda: b'{"event":"stop"' in logs[2].read_bytes())
            kill(tmp_path, 2)
            await until(lambda: len(observed(tmp_path, "restart")) == 1)

    outcome = live_beside(tmp_path, machines, "exact", mischief)
    _, report, fidelity = judged(tmp_path, machines)

    assert (None, "valid", 1.0) == (outcome.failure, report.verdict, fidelity)


def test_a_machine_that_dies_again_and_again_ends_the_run(tmp_path: Path) -> None:
    """There is a limit; it is said, and nothing is claimed of the run."""
    machines = cluster(3, seconds=30)

    async def mischief() -> None:
        for boots in range(2):
            await until(
                lambda boots=boots: (
                    begun(tmp_path, 2, lines=3)  # type: ignore[misc]
                    and Run(tmp_path).events_path(2).read_bytes().count(b'{"event":"boot"') == boots
                )
            )
            kill(tmp_path, 2)

    outcome = live_beside(tmp_path, machines, "exact", mischief, restarts_max=1)
    _, report, _ = judged(tmp_path, machines)

    assert "machine 2 ended by signal 9: restarted 1 times already; this is no accident" == outcome.failure
    assert "unknown" == report.verdict


def test_a_lost_log_ends_the_run_as_unknown(tmp_path: Path) -> None:
    """What the machine had sent stood nowhere else: nobody can go on, and nobody claims to."""
    machines = cluster(3, seconds=30)

    async def mischief() -> None:
        await until(lambda: begun(tmp_path, 2, lines=5))
        Run(tmp_path).events_path(2).unlink()
        kill(tmp_path, 2)

    outcome = live_beside(tmp_path, machines, "exact", mischief)
    _, report, _ = judged(tmp_path, machines)

    assert outcome.failure is not None
    assert outcome.failure.startswith("machine 2 ended by signal 9: its log is gone")
    assert "unknown" == report.verdict
