"""What the plots show, as short columns: clocks, their spread, queues and jumps along a run.

Never hides an extreme: where a column is made shorter, each of its parts keeps its least and its largest value.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from orchestrator.report.diagram.store import SECOND, Diagram
from orchestrator.trace.spread import Changes, spread
from orchestrator.trace.store import NULL, Column

POINTS_MAX: Final = 500
"""Of a line; a plot is no more than 400 points of a page wide."""
LANES_MAX: Final = 8
"""So many machines have a line each; of more, the quartiles are drawn."""

Values = npt.NDArray[np.float64]


class Line(NamedTuple):
    """Values over a place: seconds, or steps where no time is known."""

    x: Values
    y: Values


class Quantiles(NamedTuple):
    """The least, the quartiles and the largest value over all machines, a row each."""

    x: Values
    y: npt.NDArray[np.float64]


def places(diagram: Diagram, rows: Column) -> Values:
    """Return where events are on the axis of a plot."""
    return diagram.time[rows] / (1e9 if diagram.unit == SECOND else 1)


def axis_label(diagram: Diagram) -> str:
    """Return what the axis of a plot counts."""
    return "time, s" if diagram.unit == SECOND else "steps of the order: no time is known"


def programs(diagram: Diagram) -> Iterator[tuple[int, Column]]:
    """Yield the rows of each lane that has events, by time."""
    lane_of = diagram.lane_of
    order = np.lexsort((np.arange(len(diagram)), diagram.time, lane_of))
    bounds = np.searchsorted(lane_of[order], np.arange(len(diagram.lanes) + 1))
    for lane in range(len(diagram.lanes)):
        if len(rows := order[bounds[lane] : bounds[lane + 1]]):
            yield lane, rows


def window(diagram: Diagram, *, is_ours: bool) -> tuple[int, int]:
    """Return from when until before when clocks are compared; a log of others says nothing of before its first line."""
    if is_ours:
        last = int(diagram.time.max(initial=0))
        return 0, diagram.end_time if diagram.end_time != NULL and diagram.is_whole else last
    ends = [(int(diagram.time[rows[0]]), int(diagram.time[rows[-1]])) for _, rows in programs(diagram)]
    return max(first for first, _ in ends), min(last for _, last in ends)


def clocks(diagram: Diagram) -> list[tuple[int, Line]]:
    """Return the clock of each lane over time."""
    scale = diagram.clock_scale
    return [(lane, thinned(places(diagram, rows), diagram.clock[rows] / scale)) for lane, rows in programs(diagram)]


def queues(diagram: Diagram) -> list[tuple[int, Line]]:
    """Return the recorded queue length of each lane over time."""
    known = ((lane, rows[diagram.queue[rows] != NULL]) for lane, rows in programs(diagram))
    return [
        (lane, thinned(places(diagram, rows), diagram.queue[rows].astype(float))) for lane, rows in known if len(rows)
    ]


def clock_quantiles(diagram: Diagram) -> Quantiles:
    """Return how the clocks of many machines spread at instants."""
    return _quantiles(diagram, diagram.clock, diagram.clock_scale)


def queue_quantiles(diagram: Diagram) -> Quantiles:
    """Return how the queues of many machines spread at instants."""
    return _quantiles(diagram, np.where(diagram.queue == NULL, 0, diagram.queue), 1)


def behind(diagram: Diagram, start: int, end: int) -> tuple[Line, list[tuple[int, Line]]]:
    """Return the drift over [start, end), and how far each lane is behind the furthest clock, if there are few.

    A clock is 0 before its machine's first event.
    """
    if end <= start:
        return Line(np.empty(0), np.empty(0)), []
    each = [(lane, diagram.time[rows], diagram.clock[rows]) for lane, rows in programs(diagram)]
    instants = np.unique(np.append(diagram.time[(diagram.time >= start) & (diagram.time < end)], start))
    found = spread([Changes(np.searchsorted(instants, times), values) for _, times, values in each], len(instants))

    def line(apart: Column) -> Line:
        seconds = 1e9 if diagram.unit == SECOND else 1
        return thinned(np.append(instants, end) / seconds, np.append(apart, apart[-1:]) / diagram.clock_scale)

    some = each if len(each) <= LANES_MAX else []
    lines = [(lane, line(found.highest - _at(times, values, instants))) for lane, times, values in some]
    return line(found.apart), lines


def jumps(diagram: Diagram) -> tuple[Column, Column, Column]:
    """Return the lane, the row and the jump of each receive whose machine's clock before it is known."""
    rows = np.flatnonzero(is_receive(diagram))
    before = diagram.before[rows]
    is_first = before < 0
    earlier = np.where(is_first, 0, diagram.clock[before])
    known = (diagram.clock[rows] != NULL) & (earlier != NULL)
    return diagram.lane_of[rows][known], rows[known], (diagram.clock[rows] - earlier)[known]


def is_receive(diagram: Diagram) -> npt.NDArray[np.bool_]:
    """Return which events are receives."""
    code = diagram.kinds.index("receive") if "receive" in diagram.kinds else -1
    return np.equal(diagram.kind, code)


def thinned(x: Values, y: Values) -> Line:
    """Return a line of few points: of each of many equal parts the first, the least, the largest and the last."""
    if len(x) <= POINTS_MAX:
        return Line(x, y)
    parts = np.array_split(np.arange(len(x)), POINTS_MAX // 4)
    kept = [[rows[0], rows[np.argmin(y[rows])], rows[np.argmax(y[rows])], rows[-1]] for rows in parts]
    rows = np.unique(kept)
    return Line(x[rows], y[rows])


def _quantiles(diagram: Diagram, values: Column, scale: int) -> Quantiles:
    start, end = int(diagram.time.min(initial=0)), int(diagram.time.max(initial=0))
    instants = np.linspace(start, end, POINTS_MAX // 4).astype(np.int64)
    table = np.stack([_at(diagram.time[rows], values[rows], instants) for _, rows in programs(diagram)])
    seconds = 1e9 if diagram.unit == SECOND else 1
    return Quantiles(instants / seconds, np.quantile(table, (0, 0.25, 0.5, 0.75, 1), axis=0) / scale)


def _at(times: Column, values: Column, instants: Column) -> Column:
    """Return what a value was at instants; 0 before it was first known."""
    place = np.searchsorted(times, instants, side="right") - 1
    return np.where(place >= 0, values[place], 0)
