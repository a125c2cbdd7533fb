"""The pure process: ticks a second, without network, logs or waiting.

Peer: the dice alone, one roll a tick, which no machine of this model can do without.
"""

from collections.abc import Callable
from functools import partial

from node.dice import KIND, Dice
from node.process import Process
from orchestrator.labs.simulated import simulate
from tests.bench.figures import Bench, Row, Sample, Stopwatch, interleave, microseconds_each, per_second, row
from tests.bench.table import table
from tests.clusters import cluster

TICKS, TICKS_QUICK = 60_000, 300


def run(rounds: int, quick: bool) -> list[Row]:
    """Return ticks a second and microseconds a tick of each contender."""
    ticks = TICKS_QUICK if quick else TICKS
    contenders: dict[str, Callable[[], Sample]] = {
        "3 machines, simulated": partial(_simulated, 3, ticks),
        "30 machines, simulated": partial(_simulated, 30, ticks),
        "a lone process": partial(_lone, ticks),
        "peer: its dice alone": partial(_dice, ticks),
    }
    rows = []
    for name, samples in interleave(contenders, rounds).items():
        rows += [row(name, "/s", samples, per_second), row("  a tick", "us", samples, microseconds_each)]
    return rows


def _simulated(nodes: int, ticks: int) -> Sample:
    """Simulate runs of the exercise, 60 s each, with one seed after another until there are so many ticks."""
    count, seed, runs = 0, 262, []
    while count < ticks:
        runs.append(machines := cluster(nodes, seed=seed, seconds=60))
        count, seed = count + sum(model.tick_count for model in machines.values()), seed + 1
    stopwatch = Stopwatch()
    events = sum(1 for machines in runs for _ in simulate(machines))
    sample = stopwatch.sample(count)

    assert events == count
    return sample


def _lone(ticks: int) -> Sample:
    """Tick a machine that has nobody to send to."""
    process = Process(cluster(1, seconds=ticks / 1000, rates=(1000, 1000))[1])
    stopwatch = Stopwatch()
    while process.next_tick is not None:
        process.tick()
    sample = stopwatch.sample(ticks)

    assert process.time == process.index == ticks
    return sample


def _dice(ticks: int) -> Sample:
    dice, internal = Dice(262, 1), 0
    stopwatch = Stopwatch()
    for tick in range(ticks):
        internal += dice.roll(tick, KIND) >> 63
    sample = stopwatch.sample(ticks)

    assert 0 < internal < ticks
    return sample


BENCH = Bench("process", "ticks of the pure process", rounds=9, run=run, table=table)
