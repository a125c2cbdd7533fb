"""What values do: a clock rises by 1, a queue goes up and down, a stamp is the clock of a send elsewhere.

Never reads a word.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from orchestrator.trace.store import Column, Mask

Floats: TypeAlias = npt.NDArray[np.float64]

_NUMBER: Final = re.compile(r"[-+]?\d{1,20}(?:\.\d+)?\Z", re.ASCII)
_RUN_SHIFT: Final = 2.0**40


def numbers(values: Sequence[Any], prefix: str = "") -> Floats:
    """Return values as numbers, NaN for what is none; `prefix` stands before each."""
    return np.array([_number(value, prefix) for value in values], np.float64)


def _number(value: Any, prefix: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) < 1e20 else np.nan
    text = value.removeprefix(prefix) if isinstance(value, str) else ""
    return float(text) if _NUMBER.match(text) else np.nan


def share(mask: Mask) -> float:
    """Return the share of what is true; 0 of nothing."""
    return float(mask.mean()) if len(mask) else 0.0


@dataclass(frozen=True)
class Rows:
    """Some rows of a log: the machine and the run of each, in the order of reading."""

    node: Column
    """A number for each machine of each run."""
    run: Column

    @cached_property
    def order(self) -> Column:
        """The rows, machine by machine."""
        return np.argsort(self.node, kind="stable")

    def before(self, values: Floats) -> Floats:
        """Return what the machine's previous row with a value has, NaN at its first."""
        found = np.full(len(values), np.nan)
        order = self.order[~np.isnan(values[self.order])]
        same = self.node[order][1:] == self.node[order][:-1]
        found[order[1:][same]] = values[order[:-1][same]]
        return found

    def steps(self, values: Floats) -> Floats:
        """Return by how much each value is above the machine's previous one, NaN where there is none."""
        steps: Floats = values - self.before(values)
        return steps

    def keyed(self, values: Floats) -> Floats:
        """Return values that differ between runs."""
        return values + self.run * _RUN_SHIFT


def objective(steps: Floats) -> float:
    """Return how much steps are a clock's: they rise, mostly by 1."""
    some = steps[~np.isnan(steps)]
    rising = some > 0
    return float(rising.sum() + 0.4 * (some == 1).sum() - 1.2 * (some == 0).sum() - 3.0 * (some < 0).sum())


def rises(steps: Floats) -> tuple[float, float]:
    """Return the share of steps that rise, and of those that are 1."""
    some = steps[~np.isnan(steps)]
    return share(some > 0), share(some == 1)


def is_even(steps: Floats) -> bool:
    """Return whether nearly all steps are the same, as those of an index or of a time that ticks."""
    some = steps[~np.isnan(steps)]
    return len(some) > 3 and share(some == np.median(some)) > 0.97


def autocorrelation(rows: Rows, values: Floats) -> float:
    """Return how much neighbouring values of a machine are alike, from -1 to 1; 1 if they hardly vary."""
    before = rows.before(values)
    is_there = ~np.isnan(before) & ~np.isnan(values)
    if is_there.sum() < 4:
        return 0.0
    a, b = values[is_there], before[is_there]
    if a.std() < 1e-9 or b.std() < 1e-9:
        return 1.0
    return float(np.corrcoef(a, b)[0, 1])


def correlation(a: Floats, b: Floats) -> float:
    """Return how much two columns go together, from -1 to 1."""
    is_there = ~np.isnan(a) & ~np.isnan(b)
    if is_there.sum() < 4 or a[is_there].std() < 1e-9 or b[is_there].std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a[is_there], b[is_there])[0, 1])


def membership(values: Floats, known: Floats) -> float:
    """Return the share of values that are among the known."""
    some = values[~np.isnan(values)]
    return share(np.isin(some, known[~np.isnan(known)]))
