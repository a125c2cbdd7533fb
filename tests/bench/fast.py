"""The pace fast: 60 s of 3, 10 and 30 machines, each a process of its own, as fast as promises allow.

Every run must equal its simulation, event for event.
Peer: the same cluster simulated in memory, with no process, socket or log.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from node.model import Model
from node.run import new_event_loop  # type: ignore[attr-defined]  # uvloop's, or asyncio's where there is none
from orchestrator import twin
from orchestrator.labs.live import run_live
from orchestrator.labs.outcome import Outcome
from orchestrator.labs.progress import Progress
from orchestrator.labs.simulated import simulate
from orchestrator.rundir import Run
from orchestrator.trace import compare, read_trace
from tests.bench.figures import Below, Bench, Row, Sample, Stopwatch, interleave, per_second, row, seconds
from tests.bench.table import table
from tests.clusters import cluster

SIZES, SIZES_QUICK = (3, 10, 30), (3,)
DURATION_S, DURATION_S_QUICK = 60, 2
EXERCISE = Path(__file__).parents[2] / "configs" / "exercise.yaml"
TICKING = Below(1)
COMMAND = Below(4)
COMMAND_S_MAX = 120


def run(rounds: int, quick: bool) -> list[Row]:
    """Return the time of each size, of its simulation, and of the whole command for three machines."""
    duration_s = DURATION_S_QUICK if quick else DURATION_S
    with TemporaryDirectory(prefix="scale-model-bench-") as directory:
        fresh = map(Path(directory).joinpath, map(str, count()))
        clusters = {nodes: cluster(nodes, seconds=duration_s) for nodes in (SIZES_QUICK if quick else SIZES)}
        lives = {nodes: Live(machines, lambda: next(fresh)) for nodes, machines in clusters.items()}
        contenders: dict[str, Callable[[], Sample]] = {}
        for nodes, machines in clusters.items():
            contenders[f"{nodes} live"] = lives[nodes]
            contenders[f"{nodes} simulated"] = partial(_simulated, machines)
        contenders["command"] = lambda: _command(next(fresh), duration_s)
        samples = interleave(contenders, rounds)
    rows = []
    for nodes, live in lives.items():
        rows += live.rows(rounds, whole=samples[f"{nodes} live"])
        rows.append(row("  peer: simulated in memory", "s", samples[f"{nodes} simulated"], seconds))
    return [*rows, row("run exercise.yaml, 3 processes", "s", samples["command"], seconds, COMMAND)]


class Live:
    """A cluster that can be run again and again, each time in a fresh directory; every run leaves its phases here."""

    def __init__(self, machines: Mapping[int, Model], fresh: Callable[[], Path]) -> None:
        self._machines = machines
        self._fresh = fresh
        self._setups: list[Sample] = []
        self._tickings: list[Sample] = []

    def __call__(self) -> Sample:
        """Run it once and return the whole run."""
        run = Run(self._fresh())
        run.path.mkdir()
        cpu = TickingCpu(run)
        started_s = time.perf_counter()
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            outcome = runner.run(run_live(run, self._machines, name="bench", pace="fast", progress=cpu))
        wall_s = time.perf_counter() - started_s
        events = self._check(run, outcome)
        self._setups.append(Sample(events, outcome.setup_s, None))
        self._tickings.append(Sample(events, outcome.ticking_s, cpu.cpu_s))
        return Sample(events, wall_s, outcome.cpu_s)

    def rows(self, rounds: int, *, whole: Sequence[Sample]) -> list[Row]:
        """Return the rows of the last rounds."""
        nodes, tickings = len(self._machines), self._tickings[-rounds:]
        return [
            row(f"{nodes} processes: ticking", "s", tickings, seconds, TICKING if nodes == 3 else None),
            row("  events while ticking", "/s", tickings, per_second),
            row("  set-up", "s", self._setups[-rounds:], seconds),
            row("  whole run", "s", whole, seconds),
        ]

    def _check(self, run: Run, outcome: Outcome) -> int:
        """Return the number of events, which are those of the simulation."""
        assert outcome.failure is None, outcome.failure
        agreement = compare(read_trace(run.event_logs()), twin.simulated(self._machines))
        assert agreement.places == agreement.equal == sum(model.tick_count for model in self._machines.values())
        return agreement.places


class TickingCpu:
    """Watches a run for the CPU seconds of its ticking phase; None where the system has no /proc/PID/schedstat."""

    def __init__(self, run: Run) -> None:
        self.cpu_s: float | None = None
        self._run = run
        self._before_s: float | None = None

    def __call__(self, progress: Progress) -> None:
        """Look at the clocks when ticking begins and when it is over; the nodes live still."""
        if progress.phase == "ticking":
            self._before_s = self._now_s()
        elif progress.phase == "ending" and self._before_s is not None:
            now_s = self._now_s()
            self.cpu_s = None if now_s is None else now_s - self._before_s

    def _now_s(self) -> float | None:
        starts = [json.loads(line) for line in self._run.observer_path.read_bytes().splitlines()]
        try:
            nodes_ns = [int(Path(f"/proc/{start['pid']}/schedstat").read_text().split()[0]) for start in starts]
        except OSError:
            return None
        return time.process_time() + sum(nodes_ns) / 1e9


def _simulated(machines: Mapping[int, Model]) -> Sample:
    stopwatch = Stopwatch()
    events = sum(1 for _ in simulate(machines))
    return stopwatch.sample(events)


def _command(out: Path, duration_s: int) -> Sample:
    """Run the exercise from the command line, from outside: set-up, run, check, record."""
    command = [sys.executable, "-P", "-m", "orchestrator", "run", str(EXERCISE), "--pace", "fast", "--runs", "1"]
    before_s, started_s = _children_cpu_s(), time.perf_counter()
    answer = subprocess.run(
        [*command, "--json", "--duration", f"{duration_s}s", "--out", str(out)],
        capture_output=True,
        timeout=COMMAND_S_MAX,
        check=True,
    )
    wall_s = time.perf_counter() - started_s
    (only,) = json.loads(answer.stdout)["runs"]

    assert (only["verdict"], only["fidelity"]) == ("valid", 1.0)
    return Sample(only["events"], wall_s, _children_cpu_s() - before_s)


def _children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


BENCH = Bench("fast", "60 s of a cluster at the pace fast, each machine a process", rounds=5, run=run, table=table)
