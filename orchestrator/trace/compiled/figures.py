"""From what was added up to measures: every division, once, and as the plain formulas do it.

Never compiled: these are few numbers.
"""

from typing import Any, Final

import numpy as np

from node.model import SECOND_NS
from orchestrator.trace.compiled.totals import (
    APART_HIGH,
    APART_LOW,
    APART_MAX,
    CLOCK,
    FORGOTTEN,
    JUMP_MAX,
    PAIRS_HIGH,
    PAIRS_LOW,
    QUEUE_MAX,
    RECEIVE,
    WAITED_HIGH,
    WAITED_LOW,
    WORD_BITS,
)
from orchestrator.trace.measured import Figures, Measured
from orchestrator.trace.store import KINDS, Column

_EXACT: Final = 1 << 53
"""Whole numbers below it are floats, too."""
_KINDS: Final = slice(0, len(KINDS))


def fill(
    measured: Measured, rows: slice, totals: Column, of_run: Column, *, windows_ns: Column, length_ns: int
) -> None:
    """Fill in some runs from their totals: `totals` of shape (runs, machines, …), `of_run` of shape (runs, …).

    `windows_ns` are the (start, end) of each machine, `length_ns` is how long a run is.
    """
    machines = totals.shape[1]
    lasted_ns = windows_ns[:, 1] - windows_ns[:, 0]
    clocks = totals[:, :, CLOCK]
    waited = _divided(totals[:, :, WAITED_LOW], totals[:, :, WAITED_HIGH], lasted_ns)
    final = np.einsum("rm->r", clocks) / machines
    every = {
        **_of_events(totals),
        "queue_mean": waited,
        "final_clock": clocks,
        "clock_rate": _divided(clocks * SECOND_NS, 0, lasted_ns),
    }
    overall = {
        **_drift(of_run, machines, length_ns),
        **_of_events(_together(totals)),
        "queue_mean": _means(waited),
        "final_clock": final,
        "clock_rate": final * SECOND_NS / length_ns if length_ns > 0 else np.nan,
    }
    measured.events[rows] = np.einsum("rmk->r", totals[:, :, _KINDS])
    for name, column in every.items():
        measured.of_machines[name][rows] = column
    for name, column in overall.items():
        measured.of_run[name][rows] = column


def _drift(of_run: Column, machines: int, length_ns: int) -> dict[str, Any]:
    if length_ns <= 0:
        return dict.fromkeys(("drift_mean", "drift_max", "drift_pair_mean"), np.nan)
    pairs = machines * (machines - 1) // 2
    length = np.array(length_ns)
    return {
        "drift_mean": _divided(of_run[:, APART_LOW], of_run[:, APART_HIGH], length),
        "drift_max": of_run[:, APART_MAX],
        "drift_pair_mean": _divided(of_run[:, PAIRS_LOW], of_run[:, PAIRS_HIGH], length) / pairs if pairs else np.nan,
    }


def _together(totals: Column) -> Column:
    """Return what all machines of a run add up to, where that is a sum or a maximum."""
    together: Column = np.einsum("rmf->rf", totals)
    for field in (JUMP_MAX, QUEUE_MAX):
        together[:, field] = totals[:, :, field].max(axis=1)
    return together


def _of_events(totals: Column) -> dict[str, Any]:
    kinds = totals[..., _KINDS]
    receives, events = kinds[..., RECEIVE], np.einsum("...k->...", kinds)
    # Everything but a receive raises a clock by 1.
    raised = totals[..., CLOCK] + totals[..., FORGOTTEN]
    with np.errstate(invalid="ignore"):  # of nothing there is no share: 0 / 0 is NaN
        jump_mean = (raised - (events - receives)) / receives
        shares = {f"share_{kind.replace('-', '_')}": kinds[..., code] / events for code, kind in enumerate(KINDS)}
    jump_max = np.where(receives > 0, totals[..., JUMP_MAX], np.nan)
    return {
        "queue_max": np.where(receives > 0, totals[..., QUEUE_MAX], np.nan),
        "jump_mean": jump_mean,
        "jump_max": jump_max,
        "gap_mean": jump_mean - 1,
        "gap_max": jump_max - 1,
        **shares,
        "busy": shares["share_receive"],
    }


def _divided(low: Column, high: Column | int, by: Column) -> Figures:
    """Return sums in two words, each divided and rounded once; NaN where there is nothing to divide by."""
    found: Figures = low / np.where(by > 0, by, np.nan)
    is_large = (low >= _EXACT) | (np.not_equal(high, 0))
    if is_large.any():
        low, high, by = np.broadcast_arrays(low, high, by)
        for place in zip(*np.nonzero(is_large & (by > 0)), strict=True):
            found[place] = ((int(high[place]) << WORD_BITS) + int(low[place])) / int(by[place])
    return found


def _means(figures: Figures) -> Figures:
    """Return the mean of each row, of what is known, added one after the other as the plain mean is."""
    is_known = ~np.isnan(figures)
    total = np.zeros(len(figures))
    for column in np.where(is_known, figures, 0.0).T:
        total += column
    with np.errstate(invalid="ignore"):  # of nothing there is no mean
        found: Figures = total / np.count_nonzero(is_known, axis=1)
    return found
