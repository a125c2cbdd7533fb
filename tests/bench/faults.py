"""The fault simulator: seeds a second, each a small cluster that is killed, cut and stopped until everything heals.

Peer: none; the limit is on the CPU time of one core, for so many seeds are worth trying only if they are quick.
"""

from tests.bench.figures import AtLeast, Bench, Row, Sample, Stopwatch, per_second, row
from tests.bench.table import table
from tests.sim.plan import draw
from tests.sim.play import play

SEEDS, SEEDS_QUICK = 100, 3
SEEDS_A_SECOND_MIN = 14


def run(rounds: int, quick: bool) -> list[Row]:
    """Return seeds a second; other seeds each round."""
    seeds = SEEDS_QUICK if quick else SEEDS
    play(draw(0))  # The first has to read the code.
    samples = [_sample(number * seeds, seeds) for number in range(rounds)]
    return [row("seeds", "/s", samples, per_second, AtLeast(SEEDS_A_SECOND_MIN), judged="cpu")]


def _sample(first: int, seeds: int) -> Sample:
    stopwatch = Stopwatch()
    outcomes = [play(draw(seed)) for seed in range(first, first + seeds)]
    sample = stopwatch.sample(seeds)

    assert [] == [outcome.words for outcome in outcomes if outcome.wrong]
    return sample


BENCH = Bench("faults", "seeds of the fault simulator", rounds=5, run=run, table=table)
