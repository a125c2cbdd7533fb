"""What is drawn of a diagram: some of its events in an order in which they can have happened, and some of its lanes.

Never draws.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Final

import numpy as np

from orchestrator.report.diagram.store import Diagram

EVENTS_SHOWN: Final = 50
"""So many events are drawn where nobody says how many."""


@dataclass(frozen=True)
class Part:
    """Rows of a diagram, each after its causes, and lanes; `first` is the place of the first row among all."""

    diagram: Diagram
    rows: tuple[int, ...]
    lanes: tuple[int, ...]
    first: int
    events: int
    """How many events there are in all."""

    @cached_property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return len(self.rows) == self.events and len(self.lanes) == len(self.diagram.lanes)


def part_of(diagram: Diagram, lanes: Sequence[int] = ()) -> Part:
    """Return all of a diagram, or all events of some lanes."""
    rows = tuple(in_causal_order(diagram))
    whole = Part(diagram, rows, tuple(range(len(diagram.lanes))), 0, len(rows))
    return of_lanes(whole, lanes) if lanes else whole


def of_lanes(part: Part, lanes: Sequence[int]) -> Part:
    """Return the rows of some lanes."""
    is_theirs = np.isin(part.diagram.lane_of, lanes).tolist()
    return replace(part, rows=tuple(row for row in part.rows if is_theirs[row]), lanes=tuple(lanes))


def between(part: Part, first: int, until: int) -> Part:
    """Return the rows from one place to before another."""
    return replace(part, rows=part.rows[first:until], first=first)


def in_causal_order(diagram: Diagram) -> Iterator[int]:
    """Yield every row after what it received, by time where that allows it; what is circular comes when it must."""
    time, lane, before = diagram.time.tolist(), diagram.lane_of.tolist(), diagram.before.tolist()
    receive, send = diagram.messages.receive.tolist(), diagram.messages.send.tolist()
    missing = [int(row >= 0) for row in before]
    effects: dict[int, list[int]] = {}
    for message, row in enumerate(receive):
        if row >= 0:
            missing[row] += 1
            effects.setdefault(send[message], []).append(row)
    after = {earlier: row for row, earlier in enumerate(before) if earlier >= 0}
    is_done = [False] * len(time)
    ready = [(time[row], lane[row], row) for row in range(len(time)) if not missing[row]]
    heapify(ready)
    waiting = iter(range(len(time)))
    while True:
        if not ready:
            stuck = next((row for row in waiting if not is_done[row]), None)
            if stuck is None:
                return
            ready.append((time[stuck], lane[stuck], stuck))
        row = heappop(ready)[2]
        if is_done[row]:
            continue
        is_done[row] = True
        yield row
        for later in (*effects.get(row, ()), *((after[row],) if row in after else ())):
            missing[later] -= 1
            if not missing[later]:
                heappush(ready, (time[later], lane[later], later))
