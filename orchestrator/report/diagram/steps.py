"""The place of each event where no time is known: a step for each, shared where events have nothing to do.

Never looks at a clock.
"""

from collections.abc import Sequence

import numpy as np

from orchestrator.trace.order import Edges
from orchestrator.trace.sequence import sequence
from orchestrator.trace.store import Column


def steps(programs: Sequence[Column], edges: Edges, reading: Column) -> Column:
    """Return the step of each event, later than those of what happened just before it.

    If `reading`, the rows as they were told, is an order in which they can happen, steps never fall along it: whoever
    tells a story says what stands beside what. Else each event stands as early as it can.
    """
    count = len(reading)
    before = np.full(count, -1, np.int64)
    for rows in programs:
        before[rows[1:]] = rows[:-1]
    causes: dict[int, list[int]] = {}
    for cause, effect in zip(edges.cause.tolist(), edges.effect.tolist(), strict=True):
        causes.setdefault(effect, []).append(cause)
    place = np.empty(count, np.int64)
    place[reading] = np.arange(count)
    is_told_in_order = bool((place[edges.cause] < place[edges.effect]).all()) and _rises(programs, place)
    rows_in_order = reading.tolist() if is_told_in_order else sequence(programs, causes, count)[0]
    found, latest = [0] * count, 0
    previous = before.tolist()
    for row in rows_in_order:
        known = [found[one] for one in (previous[row], *causes.get(row, ())) if one >= 0]
        found[row] = max(known, default=0) + 1
        if is_told_in_order:
            found[row] = latest = max(found[row], latest)
    return np.array(found, np.int64)


def _rises(programs: Sequence[Column], place: Column) -> bool:
    return all(bool((np.diff(place[rows]) > 0).all()) for rows in programs)
