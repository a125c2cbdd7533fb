"""Ten thousand runs of three machines for 60 s with all measures, beside the compiled simulation alone.

Peer: a loop of `simulate` and `measure`, as one would write it, over fewer runs.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from orchestrator import load, measure, simulate, simulate_many
from orchestrator.config import Experiment
from orchestrator.labs.kernel import plain
from orchestrator.labs.kernel.plan import plan_of
from orchestrator.labs.kernel.seeds import run_seeds
from orchestrator.native.threads import on_cores
from tests.bench.figures import (
    AtLeast,
    Below,
    Bench,
    Judged,
    Limit,
    Row,
    Sample,
    Stopwatch,
    interleave,
    per_second,
    row,
    seconds,
    spread,
)
from tests.bench.table import table

CONFIG: Final = Path(__file__).parents[2] / "configs" / "exercise.yaml"
RUNS, RUNS_QUICK = 10_000, 300
RUNS_OF_LOOP: Final = 40
FREE: Final = 1.9
"""So many times as fast is the simulation alone on two cores that nobody else uses."""


class _Kernel:
    """The simulation of a part of the seeds, one after another into the same columns, and nothing measured."""

    def __init__(self, experiment: Experiment, seeds: Any) -> None:
        plan, count = plan_of(experiment.machines(1)), experiment.nodes
        links, slots, ns = plan.links, 6 * count, plan.duration_ns
        state = np.zeros((count, plain.STATE_WORDS), np.uint32)
        for word, name in ((plain.FIRST, "first"), (plain.DEGREE, "degree"), (plain.FOLLOWING, "following")):
            state[:, word] = links[name]
        given: list[Any] = [seeds, np.empty((len(seeds), 2), np.int64), plan.number]
        given += [np.full((count, 2), (1, 6), np.uint32), False, links["chances"], links["peer"], 0, ns, count - 1]
        given += [plan.lift, np.empty(count, np.uint64)]
        lap = max(slots, plain.PATTERN)
        given += [np.empty(shape, np.uint32) for shape in ((slots, 4), slots + 1, (lap, 4), lap + 1)]
        given += [np.empty((lap, plain.AHEAD), np.uint8), state, np.zeros(len(links["peer"]), np.uint32)]
        rows = slots * plan.seconds
        given.append(np.empty((2 * rows, plain.PLACE_WORDS), np.uint32))
        given += [np.empty((rows, plain.EVENT_WORDS), np.uint32), np.empty((2 * rows, plain.COPY_WORDS), np.uint32)]
        given.append(False)
        self._given = given

    def run(self) -> None:
        assert run_seeds(*self._given) == len(self._given[0])


def run(rounds: int, quick: bool) -> list[Row]:
    """Return the rows; the limit of two cores holds where two are free, which the simulation alone shows."""
    experiment = load(CONFIG)
    runs = RUNS_QUICK if quick else RUNS
    contenders: dict[str, Callable[[], Sample]] = {
        "kernel": partial(_kernels, experiment, runs, 1),
        "measured": partial(_measured, experiment, runs, 1),
        "kernel on two": partial(_kernels, experiment, runs, 2),
        "measured on two": partial(_measured, experiment, runs, 2),
        "loop": partial(_loop, experiment),
    }
    found = interleave(contenders, rounds)
    one, two = found["measured"], found["measured on two"]
    free = _times("simulation, one core : two", found["kernel"], found["kernel on two"])
    are_free = free.wall.median >= FREE
    whether = "" if are_free else " (not free)"
    return [
        row(f"{runs:,} runs: simulated", "s", found["kernel"], seconds),
        row(f"{runs:,} runs: simulate_many", "s", one, seconds, Below(0.3), judged="cpu"),
        _times("  times the simulation alone", one, found["kernel"], Below(2), judged="cpu"),
        _times(f"  one core : two{whether}", one, two, AtLeast(1.8) if are_free else None),
        free,
        row("simulate_many, runs", "/s", one, per_second),
        row("simulate and measure in a loop", "/s", found["loop"], per_second),
    ]


def _kernels(experiment: Experiment, runs: int, threads: int) -> Sample:
    seeds = np.arange(runs, dtype=np.int64) + experiment.seed
    ends = [runs * part // threads for part in range(threads + 1)]
    parts = [_Kernel(experiment, seeds[first:end]) for first, end in pairwise(ends)]
    stopwatch = Stopwatch()
    with on_cores(threads) as pool:
        list(pool.map(_Kernel.run, parts))
    return stopwatch.sample(runs)


def _measured(experiment: Experiment, runs: int, threads: int) -> Sample:
    stopwatch = Stopwatch()
    found = simulate_many(experiment, runs=runs, threads=threads)
    sample = stopwatch.sample(runs)
    assert not np.isnan(found["drift_mean"]).any()
    return sample


def _loop(experiment: Experiment) -> Sample:
    stopwatch = Stopwatch()
    for number in range(1, RUNS_OF_LOOP + 1):
        measure(simulate(experiment, run=number))
    return stopwatch.sample(RUNS_OF_LOOP)


def _times(
    name: str, above: Sequence[Sample], below: Sequence[Sample], limit: Limit | None = None, *, judged: Judged = "wall"
) -> Row:
    """Return how many times as long the one takes as the other, round by round."""
    pairs = list(zip(above, below, strict=True))
    cpu = [a.cpu_s / b.cpu_s for a, b in pairs if a.cpu_s and b.cpu_s]
    return Row(name, "x", spread([a.wall_s / b.wall_s for a, b in pairs]), spread(cpu), limit, judged)


BENCH = Bench("many", "ten thousand runs with all measures", rounds=41, run=run, table=table)
