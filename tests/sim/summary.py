"""Many outcomes added up: how often each fault was there, what was at risk, and what was wrong.

Never plays.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.sim.play import FAULTS, Outcome


class Summary(NamedTuple):
    """What so many seeds came to."""

    seeds: int
    events: int
    at_risk: int
    counts: Counter[str]
    wrong: list[Outcome]

    @property
    def faults(self) -> int:
        """All faults of all classes."""
        return sum(self.counts[name] for name in FAULTS)


def add_up(outcomes: Iterable[Outcome]) -> Summary:
    """Return the sum."""
    counts: Counter[str] = Counter()
    seeds = events = at_risk = 0
    wrong = []
    for outcome in outcomes:
        counts.update(outcome.counts)
        seeds, events, at_risk = seeds + 1, events + outcome.events, at_risk + outcome.at_risk
        wrong += [outcome] if outcome.wrong else []
    return Summary(seeds, events, at_risk, counts, wrong)


def lines_of(summary: Summary) -> Iterator[str]:
    """Yield what to print beside the number of violations."""
    yield f"{summary.seeds:,} seeds, {summary.events:,} events: {len(summary.wrong)} violations"
    yield f"messages at risk: {summary.at_risk:,}"
    yield f"faults: {summary.faults:,}, {summary.faults / summary.seeds:.1f} a seed"
    yield from (f"  {name}: {summary.counts[name]:,}" for name in FAULTS)
