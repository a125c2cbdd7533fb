"""What a bench finds: samples of interleaved rounds, made into rows with a median, an interval and a limit.

Never compares samples of different rounds: a ratio is taken within its round, where both saw the same machine.
"""

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import comb
from statistics import median
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np

MEMORY_BYTES: Final = 1 << 29


@dataclass(frozen=True, slots=True)
class Sample:
    """What `count` of something took; CPU is None where it cannot be told."""

    count: int
    wall_s: float
    cpu_s: float | None


class Stopwatch:
    """Started when made, with the garbage of whoever was here before already gone."""

    def __init__(self) -> None:
        gc.collect()
        self._wall_s, self._cpu_s = time.perf_counter(), time.process_time()

    def sample(self, count: int) -> Sample:
        """Return the time since the start."""
        return Sample(count, time.perf_counter() - self._wall_s, time.process_time() - self._cpu_s)


def find_memory() -> None:
    """Let free memory be at hand for whoever comes next, more than any contender takes.

    The host of a virtual machine may take back what is free for a while; a page that must be found anew then costs up
    to fifty times as much, and whoever comes first after a long peer pays for it.
    """
    np.ones(MEMORY_BYTES, np.uint8)


class Spread(NamedTuple):
    """The median, and an interval that holds the true one with 95 %: the whole range if there are under 9 rounds."""

    median: float
    low: float
    high: float


class Limit(Protocol):
    """What a figure must keep to; `met` takes its median."""

    def met(self, figure: float) -> bool: ...

    def as_json(self) -> dict[str, float]: ...


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A figure must not be lower."""

    least: float

    def met(self, figure: float) -> bool:
        return figure >= self.least

    def as_json(self) -> dict[str, float]:
        return {"at_least": self.least}

    def __str__(self) -> str:
        return f">= {self.least:g}"


@dataclass(frozen=True, slots=True)
class Below:
    """A figure must be lower."""

    bound: float

    def met(self, figure: float) -> bool:
        return figure < self.bound

    def as_json(self) -> dict[str, float]:
        return {"below": self.bound}

    def __str__(self) -> str:
        return f"< {self.bound:g}"


Judged: TypeAlias = Literal["wall", "cpu"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a figure by the wall clock, the same by CPU time, and what one of them must keep to."""

    name: str
    unit: str
    wall: Spread
    cpu: Spread | None
    limit: Limit | None = None
    judged: Judged = "wall"
    """Which of the two the limit is on."""

    @property
    def is_met(self) -> bool | None:
        """Whether the limit is kept; None if there is none, or if what it is on cannot be told."""
        found = self.wall if self.judged == "wall" else self.cpu
        return None if self.limit is None or found is None else self.limit.met(found.median)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "wall": self.wall._asdict(),
            "cpu": None if self.cpu is None else self.cpu._asdict(),
            "limit": None if self.limit is None else self.limit.as_json(),
            "judged": self.judged,
            "met": self.is_met,
        }

    def without_limit(self) -> "Row":
        """Return the same, to be judged by nobody."""
        return replace(self, limit=None)


class Finding(Protocol):
    """What a bench finds and may be judged: a row of figures, or something else that it knows how to show."""

    @property
    def is_met(self) -> bool | None: ...

    def as_json(self) -> dict[str, Any]: ...

    def without_limit(self) -> "Finding": ...


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench by name; `run` takes the number of rounds and whether a tiny size will do, which measures nothing.

    `table` yields the lines that show what `run` returns.
    """

    name: str
    subject: str
    rounds: int
    run: Callable[[int, bool], Sequence[Any]]
    table: Callable[[Sequence[Any]], Iterator[str]]


Figure: TypeAlias = Callable[[float, int], float]
"""Makes the seconds that a count took into what a row shows."""


def seconds(taken_s: float, _: int) -> float:
    return taken_s


def per_second(taken_s: float, count: int) -> float:
    return count / taken_s


def microseconds_each(taken_s: float, count: int) -> float:
    return taken_s * 1e6 / count


def row(
    name: str,
    unit: str,
    samples: Sequence[Sample],
    figure: Figure,
    limit: Limit | None = None,
    *,
    judged: Judged = "wall",
) -> Row:
    """Return the row of one contender."""
    wall = spread([figure(sample.wall_s, sample.count) for sample in samples])
    cpu = [figure(sample.cpu_s, sample.count) for sample in samples if sample.cpu_s]
    return Row(name, unit, wall, spread(cpu) if len(cpu) == len(samples) else None, limit, judged)


def ratio(name: str, ours: Sequence[Sample], theirs: Sequence[Sample], limit: Limit | None = None) -> Row:
    """Return how many times as fast as `theirs` ours is, round by round."""
    pairs = list(zip(ours, theirs, strict=True))
    assert all(a.count == b.count for a, b in pairs), "both do the same work"
    wall = spread([b.wall_s / a.wall_s for a, b in pairs])
    cpu = [b.cpu_s / a.cpu_s for a, b in pairs if a.cpu_s and b.cpu_s]
    return Row(name, "x", wall, spread(cpu) if len(cpu) == len(pairs) else None, limit)


def interleave(contenders: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, list[Sample]]:
    """Return the samples of each contender: one a round, there and back again, after a round that does not count."""
    for contender in contenders.values():
        contender()
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    order = list(contenders)
    for _ in range(rounds):
        for name in order:
            samples[name].append(contenders[name]())
        order.reverse()
    return samples


def spread(values: Sequence[float]) -> Spread:
    """Return the median and its interval, from the order of the values alone."""
    ordered = sorted(values)
    skipped = _skipped(len(ordered))
    return Spread(median(ordered), ordered[skipped], ordered[-1 - skipped])


def _skipped(count: int) -> int:
    """Return how many values at each end the interval of the median leaves out (the sign test, turned round)."""
    skipped = 0
    while sum(comb(count, below) for below in range(skipped + 2)) <= 0.025 * 2**count:
        skipped += 1
    return skipped
