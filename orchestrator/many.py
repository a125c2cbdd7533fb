"""Many runs of one configuration with all their measures, on all cores, and without keeping a run.

Never changes a number: each row is what `measure` says of the run of that seed.
"""

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, wait
from contextlib import suppress
from itertools import pairwise
from threading import Event
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from node.errors import ConfigurationError
from node.model import SEED_MAX, Model
from orchestrator.config import Experiment
from orchestrator.config.experiment import RUNS_MAX
from orchestrator.config.faults import Partition
from orchestrator.config.settings import RateRange
from orchestrator.config.topology import RandomPeers
from orchestrator.labs.choice import is_worth_compiling
from orchestrator.labs.kernel.room import free_bytes
from orchestrator.native.threads import cores, on_cores
from orchestrator.trace.measure import measure
from orchestrator.trace.measured import OF_MACHINE, OF_RUN, Measured, empty, put
from orchestrator.trace.store import Column
from orchestrator.twin import simulated

if TYPE_CHECKING:
    from orchestrator.labs.kernel.batch import Batch, Draws, Totals
    from orchestrator.labs.kernel.plan import Plan

EVENTS_AT_A_TIME: Final = 2_000_000
"""About how many events a thread simulates before it looks whether somebody wants to stop."""
EVENTS_ALONE: Final = 2_000_000
"""Runs from this size on are simulated one by one, as a single run is."""
LISTEN_EVERY_S: Final = 0.1

_AddUp: TypeAlias = "Callable[[slice], Totals | None]"


def simulate_many(
    experiment: Experiment, *, runs: int | None = None, seed: int | None = None, threads: int | None = None
) -> Measured:
    """Return the measures of many runs of an experiment, a row a run; run *k* has the seed `seed` + *k* - 1.

    `runs` and `seed` are the experiment's own unless given, `threads` is one a core. The columns and their units are
    described by `Measured`. A KeyboardInterrupt stops all threads at once.
    Raises ConfigurationError for runs or seeds that cannot be, and if the memory would not suffice.
    """
    experiment = _asked(experiment, runs=runs, seed=seed)
    threads = cores() if threads is None else threads
    assert threads >= 1, "somebody must do it"
    nodes = range(1, experiment.nodes + 1)
    _refuse_if_too_many(experiment, 0)
    machines = experiment.machines(1)
    if not is_worth_compiling(machines, runs=experiment.runs):
        measured = empty(nodes, _seeds(experiment))
        for row in range(experiment.runs):
            trace = simulated(experiment.machines(row + 1))
            put(measured, row, measure(trace), len(trace))
        return measured
    return _compiled(experiment, machines, threads)


def _asked(experiment: Experiment, *, runs: int | None, seed: int | None) -> Experiment:
    runs, seed = experiment.runs if runs is None else runs, experiment.seed if seed is None else seed
    if not 1 <= runs <= RUNS_MAX:
        raise ConfigurationError(f"runs: expected a whole number from 1 to {RUNS_MAX:,}, got {runs}")
    if not 0 <= seed <= SEED_MAX - runs + 1:
        raise ConfigurationError(f"seed: the seeds of {runs:,} runs must lie within 0 and {SEED_MAX}, got {seed}")
    return experiment.model_copy(update={"runs": runs, "seed": seed})


def _compiled(experiment: Experiment, machines: Mapping[int, Model], threads: int) -> Measured:
    from orchestrator.labs.kernel.batch import Batch  # noqa: PLC0415  # numba costs more than few runs
    from orchestrator.labs.kernel.plan import plan_of  # noqa: PLC0415
    from orchestrator.trace.compiled.figures import fill  # noqa: PLC0415

    plan, draws = plan_of(machines), _draws(experiment)
    is_alone = plan.events > EVENTS_ALONE or (draws.fan_out > 0 and not _are_alike(experiment))
    threads = _refuse_if_too_many(experiment, _bytes_of_one(plan, draws), threads=threads)
    measured = empty(range(1, experiment.nodes + 1), _seeds(experiment))
    windows_ns = np.array([(0, plan.duration_ns)] * experiment.nodes, np.int64)
    stop = Event()

    def worker() -> Callable[[slice], None]:
        add_up = _one_by_one(experiment, stop) if is_alone else _in_batches(Batch(plan, draws), measured.seed)

        def work(rows: slice) -> None:
            if (totals := add_up(rows)) is not None:
                fill(measured, rows, *totals, windows_ns=windows_ns, length_ns=plan.duration_ns)

        return work

    events = experiment.runs * plan.events
    # As many parts for each thread: none of them is to be the last by itself.
    parts = experiment.runs if is_alone else threads * (1 + events // (threads * EVENTS_AT_A_TIME))
    _share(worker, _parts(experiment.runs, parts), stop, threads=threads)
    return measured


def _parts(runs: int, parts: int) -> list[slice]:
    """Return equal parts, the first and the last a half: threads that begin together make figures at other times."""
    ends = [0, *(runs * (2 * part + 1) // (2 * parts) for part in range(parts)), runs]
    return [slice(first, end) for first, end in pairwise(ends) if first < end]


def _in_batches(batch: "Batch", seeds: Column) -> "_AddUp":
    return lambda rows: batch.add_up(seeds[rows])


def _one_by_one(experiment: Experiment, stop: Event) -> "_AddUp":
    from orchestrator.labs.kernel.batch import one_run  # noqa: PLC0415

    return lambda rows: one_run(experiment.machines(rows.start + 1), go_on=lambda: not stop.is_set())


def _share(worker: Callable[[], Callable[[slice], None]], parts: list[slice], stop: Event, *, threads: int) -> None:
    """Let each thread take the next part until there is none; the first error, or an interrupt, stops them all."""
    left = deque(parts)

    def take() -> None:
        work = worker()
        while left and not stop.is_set():
            with suppress(IndexError):  # another took the last one
                work(left.popleft())

    with on_cores(threads) as pool:
        try:
            tasks = {pool.submit(take) for _ in range(min(threads, len(parts)))}
            while tasks:
                # Not for ever: there are systems on which nobody who waits hears of an interrupt.
                done, tasks = wait(tasks, LISTEN_EVERY_S, FIRST_EXCEPTION)
                for task in done:
                    task.result()
        finally:
            stop.set()


def _are_alike(experiment: Experiment) -> bool:
    """Return whether every link is like every other, whoever has it."""
    return not experiment.network.links and not any(isinstance(fault, Partition) for fault in experiment.faults)


def _draws(experiment: Experiment) -> "Draws":
    from orchestrator.labs.kernel.batch import Draws  # noqa: PLC0415

    rates_hz = [_rates_hz(experiment, node) for node in range(1, experiment.nodes + 1)]
    fan_out = experiment.topology.random if isinstance(experiment.topology, RandomPeers) else 0
    is_aligned = experiment.phase == "aligned"
    return Draws(rates_hz=np.array(rates_hz, np.int64), is_aligned=is_aligned, fan_out=fan_out)


def _rates_hz(experiment: Experiment, node: int) -> tuple[int, int]:
    """Return the least and the most that a machine may draw."""
    own = experiment.overrides.get(node)
    if own is not None and own.tick_rate is not None:
        return own.tick_rate, own.tick_rate
    if isinstance(experiment.tick_rate, RateRange):
        return experiment.tick_rate.min, experiment.tick_rate.max
    return (experiment.tick_rate[node - 1],) * 2


def _seeds(experiment: Experiment) -> Column:
    return np.arange(experiment.runs, dtype=np.int64) + experiment.seed


def _bytes_of_one(plan: "Plan", draws: "Draws") -> int:
    """Return how much memory a thread needs."""
    from orchestrator.labs.kernel.batch import EVENT_BYTES, MESSAGE_BYTES, room_of  # noqa: PLC0415

    return draws.events_max(plan) * EVENT_BYTES + room_of(plan) * MESSAGE_BYTES


def _refuse_if_too_many(experiment: Experiment, bytes_of_one: int, *, threads: int = 1) -> int:
    """Return for how many threads, at most as many as asked, there is memory.

    Raises ConfigurationError, with both figures, if there is not enough for one.
    """
    figures = experiment.runs * (2 + len(OF_RUN) + len(OF_MACHINE) * experiment.nodes) * np.dtype(np.float64).itemsize
    free = free_bytes()
    needed = figures + bytes_of_one
    if free is not None and needed > free:
        raise ConfigurationError(
            f"the measures of {experiment.runs:,} runs of {experiment.nodes:,} machines need about {needed / 1e9:.1f} "
            f"GB of memory, and {free / 1e9:.1f} GB are free; ask for fewer runs, fewer machines or a shorter duration"
        )
    return threads if free is None or not bytes_of_one else max(1, min(threads, (free - figures) // bytes_of_one))
