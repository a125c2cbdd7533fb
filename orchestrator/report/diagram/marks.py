"""What a diagram marks: violations, each at the event where it shows.

Never judges by itself, but for two clocks that contradict the order of their events.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import numpy as np

from orchestrator.report.diagram.store import Mark
from orchestrator.trace.check import Report
from orchestrator.trace.order import Edges
from orchestrator.trace.store import NULL, Column

Place: TypeAlias = Callable[[str], int]
"""From the name of an event to its row, or -1."""

_BY_CLOCK: Final = ("clock-condition", "clock-rises")
_NAME: Final = re.compile(r"[^\s(]*\w:\d+(?!\w)")


def marked(report: Report | None, edges: Edges, clock: Column, before: Column, place: Place) -> tuple[Mark, ...]:
    """Return every mark, by row."""
    found = [*_not_later(edges, clock), *_not_risen(clock, before), *_told(report, place)]
    return tuple(sorted(found, key=lambda mark: (mark.row, mark.check, mark.words)))


def _not_later(edges: Edges, clock: Column) -> Iterator[Mark]:
    earlier, later = clock[edges.cause], clock[edges.effect]
    wrong = (later <= earlier) & (later != NULL) & (earlier != NULL)
    for row in np.unique(edges.effect[wrong]).tolist():
        yield Mark(check="clock-condition", row=row, words="its clock is not later than that of its send")


def _not_risen(clock: Column, before: Column) -> Iterator[Mark]:
    earlier = clock[before]
    for row in np.flatnonzero((before >= 0) & (clock <= earlier) & (clock != NULL)).tolist():
        yield Mark(check="clock-rises", row=row, words="its clock is not later than that of the event before")


def _told(report: Report | None, place: Place) -> Iterator[Mark]:
    """Yield what else a report proves, at the last event that it names."""
    for check in report.checks if report else ():
        if check.verdict != "violated" or check.name in _BY_CLOCK:
            continue
        for words in check.examples:
            rows = [row for name in _NAME.findall(words) if (row := place(name)) >= 0]
            if rows:
                yield Mark(check=check.name, row=rows[-1], words=words)
