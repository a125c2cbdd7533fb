"""Live clusters for tests: run, read back, judged; beside busy loops, with a node stopped, with connections cut."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from node.model import Model, Pace
from orchestrator.labs.live import run_live
from orchestrator.labs.outcome import Outcome
from orchestrator.rundir import Run
from orchestrator.trace import Report, Trace, check, compare, read_trace
from orchestrator.twin import simulated
from tests.balance import Terms, unbalanced
from tests.relays import Relays

DEADLINE_S = 120

BUSY = pytest.mark.xdist_group("busy")
"""Tests beside busy loops come one after another, whatever runs beside them."""


def live(directory: Path, machines: Mapping[int, Model], *, pace: Pace, **how: object) -> Outcome:
    """Run a live cluster, with a deadline."""

    async def run() -> Outcome:
        async with asyncio.timeout(DEADLINE_S):
            return await run_live(Run(directory), machines, name="live", pace=pace, **how)  # type: ignore[arg-type]

    return asyncio.run(run())


def judged(directory: Path, machines: Mapping[int, Model]) -> tuple[Trace, Report, float]:
    """Read the logs back; return them, their verdict, and their fidelity."""
    trace, twin = read_trace(Run(directory).event_logs()), simulated(machines)
    return trace, check(trace, twin), compare(trace, twin).fidelity


def observed(directory: Path, event: str) -> list[dict[str, int]]:
    """Return the lines of one kind in `observer.jsonl`."""
    path = Run(directory).observer_path
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [line for line in map(json.loads, lines) if line["event"] == event]


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; looked at often, for what has no callback."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  # nothing tells of another process's file
            await asyncio.sleep(0.01)


@contextmanager
def busy_loops() -> Iterator[None]:
    """Keep every core busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """SIGSTOP a process for a while; if that fails it is killed, for a stopped one would stay behind for ever."""
    os.kill(pid, signal.SIGSTOP)
    end = signal.SIGKILL
    try:
        yield
        end = signal.SIGCONT
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, end)


def live_with_a_stopped_node(directory: Path, machines: Mapping[int, Model], pace: Pace) -> Outcome:
    """Run a live cluster while its machine 2 is stopped for two seconds in the middle."""

    async def stop() -> None:
        log = Run(directory).events_path(2)
        await until(lambda: log.exists() and log.read_bytes().count(b"\n") > 5)
        with stopped(observed(directory, "start")[1]["pid"]):
            resumed = time.monotonic() + 2
            await until(lambda: time.monotonic() >= resumed)

            assert b'{"event":"end"' not in log.read_bytes(), "it was stopped before its last tick"

    async def run() -> Outcome:
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(stop())
            return await run_live(Run(directory), machines, name="live", pace=pace)

    return asyncio.run(run())


BESIDE = 8
"""So many clusters run at a time: most of what one takes is the start of its processes."""


class Found(NamedTuple):
    """What came of a cluster."""

    failure: str | None
    verdict: str
    fidelity: float
    unbalanced: Mapping[tuple[int, int], Terms]


AS_SIMULATED = Found(None, "valid", 1.0, {})


def live_beside(
    directory: Path, clusters: Mapping[str, Mapping[int, Model]], pace: Pace
) -> tuple[dict[str, Found], int, int]:
    """Run clusters, some beside each other, behind relays; return what came of them, and how much they suffered."""
    suffered: dict[str, Relays] = {}
    failures: dict[str, str | None] = {}

    async def one(name: str, turn: asyncio.Semaphore) -> None:
        (directory / name).mkdir()
        async with turn, asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            relays = suffered[name] = Relays(tasks, seed=len(suffered))
            await relays.listen(clusters[name])
            try:
                outcome = await run_live(
                    Run(directory / name), clusters[name], name=name, pace=pace, begun=relays.lead_through
                )
            finally:
                relays.close()
            failures[name] = outcome.failure

    async def together() -> None:
        turn = asyncio.Semaphore(BESIDE)
        async with asyncio.timeout(DEADLINE_S * 3), asyncio.TaskGroup() as tasks:
            for name in clusters:
                tasks.create_task(one(name, turn))

    asyncio.run(together())
    found = {}
    for name, machines in clusters.items():
        _, report, fidelity = judged(directory / name, machines)
        balance = {} if failures[name] else unbalanced(Run(directory / name), machines)
        found[name] = Found(failures[name], report.verdict, fidelity, balance)
    return found, sum(relays.cuts for relays in suffered.values()), sum(relays.stops for relays in suffered.values())
