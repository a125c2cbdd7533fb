"""What is odd in the ticks of machines that tick: ticks that fall behind their rate, and gaps between them.

Never compares the clocks of hosts, and never takes a period for wrong that is no whole rate's: nobody knows that one.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from node.model import SECOND_NS
from orchestrator.audit import words
from orchestrator.audit.rhythm import Rhythm
from orchestrator.audit.store import ForeignTrace
from orchestrator.trace.store import Column

LAG_MIN: Final = 0.001
"""A millisecond a second: ten times what clocks of hosts differ by, a fifth of what a sleep after the work costs."""
DEVIATIONS_MIN: Final = 4
"""By so many times what the ticks scatter they must have fallen behind in the end."""
NEAR: Final = 0.05
"""A period that differs more from a whole rate's is another's."""


class _Lag(NamedTuple):
    """By how many seconds in each second a machine's ticks come later than so many ticks a second would."""

    node: int
    period_ns: int
    by: float


class _Gap(NamedTuple):
    """The event behind a gap, and how long the gap and the machine's usual interval are."""

    row: int
    length_ns: int
    period_ns: int


def tick_remarks(trace: ForeignTrace) -> Iterator[str]:
    """Yield a sentence on ticks that come ever later than a whole rate has them, or ever earlier, and one on gaps."""
    ticking = {}
    for node, rows in enumerate(trace.programs):
        rhythm = Rhythm(trace, rows) if len(rows) else None
        if rhythm is not None and rhythm.is_regular and rhythm.burst == 1:
            ticking[node] = rhythm
    lags = [lag for node, rhythm in ticking.items() if (lag := _lag(trace, node, rhythm.period_ns))]
    late, early = [lag for lag in lags if lag.by > 0], [lag for lag in lags if lag.by < 0]
    if late:
        hint = ", as with a sleep after the work in place of one until the next tick"
        yield f"the ticks of {_said_of_lags(trace, late, 'later')}{hint}"
    if early:
        yield f"the ticks of {_said_of_lags(trace, early, 'earlier')}"
    gaps = [gap for node, rhythm in ticking.items() for gap in _gaps(trace, trace.programs[node], rhythm)]
    if gaps:
        yield _said_of_gaps(trace, gaps)


def _lag(trace: ForeignTrace, node: int, period_ns: int) -> _Lag | None:
    """Fit a line through what the ticks are late; None if it is as good as level."""
    whole_ns = _whole_period_ns(period_ns)
    if whole_ns is None:
        return None
    times = trace.time_ns[trace.programs[node]]
    tick = np.append(0, np.cumsum(np.rint(np.diff(times) / period_ns)))
    late_ns = (times - times[0]) - tick * whole_ns
    tick, late_ns = tick - tick.mean(), late_ns - late_ns.mean()
    slope = float(tick @ late_ns / (tick @ tick))
    scatter_ns = float((late_ns - slope * tick).std())
    in_the_end_ns = abs(slope) * (tick[-1] - tick[0])
    is_clear = in_the_end_ns > max(DEVIATIONS_MIN * scatter_ns, 2 * trace.unit_ns)
    return _Lag(node, whole_ns, slope / whole_ns) if is_clear and abs(slope) > LAG_MIN * whole_ns else None


def _whole_period_ns(period_ns: int) -> int | None:
    """Return the period of so many ticks a second, or of a tick in so many seconds, that is near; None if none is."""
    count = max(1, round(SECOND_NS / period_ns))
    seconds = max(1, round(period_ns / SECOND_NS))
    whole_ns = SECOND_NS // count if count > 1 else seconds * SECOND_NS
    # Among many ticks a second every period is near some rate; half way to the next one is nowhere.
    near = min(NEAR, 1 / (4 * count))
    return whole_ns if abs(period_ns - whole_ns) < near * whole_ns else None


def _said_of_lags(trace: ForeignTrace, lags: Sequence[_Lag], than: str) -> str:
    each = [
        f"by {abs(lag.by) * 1000:.1f} ms at {words.machine(trace, lag.node)} ({_rate(lag.period_ns)})" for lag in lags
    ]
    some = words.machines(trace, [lag.node for lag in lags])
    return f"{some} come ever {than}, with each second {words.listed(each)}"


def _rate(period_ns: int) -> str:
    if period_ns > SECOND_NS:
        return f"a tick in {period_ns // SECOND_NS} s"
    return f"{words.counted(round(SECOND_NS / period_ns), 'tick')} a second"


def _gaps(trace: ForeignTrace, rows: Column, rhythm: Rhythm) -> Iterator[_Gap]:
    intervals = np.diff(trace.time_ns[rows])
    for place in np.flatnonzero(rhythm.may_hide).tolist():
        yield _Gap(int(rows[place + 1]), int(intervals[place]), rhythm.period_ns)


def _said_of_gaps(trace: ForeignTrace, gaps: Sequence[_Gap]) -> str:
    nodes = sorted({int(trace.node[gap.row]) for gap in gaps})
    longest = max(gaps, key=lambda gap: gap.length_ns)
    return (
        f"the ticks of {words.machines(trace, nodes)} have {words.counted(len(gaps), 'gap')}: the longest, of "
        f"{longest.length_ns / SECOND_NS:.3f} s in place of {longest.period_ns / SECOND_NS:.3f} s, is before "
        f"{words.event(trace, longest.row)} {words.place(trace, longest.row)}"
    )
