"""The records of a text: expressions are searched in all of it, as ShiViz does, so that a record may have lines.

Never forgets a line: those that no match touches are counted.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, repeat
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from orchestrator.formats.format import LogFormat, Search
from orchestrator.formats.records import BATCH, Batch, Lines, Value, by_field
from orchestrator.trace.store import Column, Mask

_BLOCK: Final = 1 << 22


_Found: TypeAlias = "tuple[int, re.Match[str]]"
"""Which of the expressions, and its match."""


def from_text(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[Batch]:
    """Yield the records of a text."""
    starts = _line_starts(text)
    is_touched, is_ignored = np.zeros(len(starts), np.bool_), _ignored_lines(text, layout, starts)
    matches = _matches(text, layout)
    while some := list(islice(matches, BATCH)):
        begins = np.array([match.start() for _, match in some], np.int64)
        ends = np.array([match.end() for _, match in some], np.int64)
        first, last = _lines_of(begins, starts), _lines_of(np.maximum(ends - 1, begins), starts)
        is_record = (ends > begins) & ~is_ignored[first]
        _touch(is_touched, first[is_record], last[is_record])
        if not is_record.all():
            kept = np.flatnonzero(is_record).tolist()
            some, first = [some[place] for place in kept], first[kept]
        lines.records += len(some)
        if some:
            yield _batch(some, layout, (first + first_line).tolist())
    for place in np.flatnonzero(~is_touched).tolist():
        end = starts[place + 1] - 1 if place + 1 < len(starts) else len(text)
        line = text[starts[place] : end]
        if line and not line.isspace():
            lines.leave(place + first_line, line, layout)


def _line_starts(text: str) -> Column:
    """Return where each line begins."""
    ends = []
    for start in range(0, len(text), _BLOCK):
        block = text[start : start + _BLOCK]
        codes: npt.NDArray[np.unsignedinteger] = (
            np.frombuffer(block.encode("ascii"), np.uint8)
            if block.isascii()
            else np.frombuffer(block.encode("utf-32-le", "surrogatepass"), np.uint32)
        )
        ends.append(np.flatnonzero(codes == ord("\n")) + start)
    return np.concatenate([[0], *(end + 1 for end in ends)]).astype(np.int64)


def _lines_of(positions: Column, starts: Column) -> Column:
    return np.searchsorted(starts, positions, side="right").astype(np.int64) - 1


def _touch(is_touched: Mask, first: Column, last: Column) -> None:
    is_touched[first] = True
    is_touched[last] = True
    for one in np.flatnonzero(last - first > 1).tolist():
        is_touched[first[one] : last[one]] = True


def _ignored_lines(text: str, layout: LogFormat, starts: Column) -> Mask:
    """Return which lines are known to be no events; a record that begins in one of them is none."""
    is_ignored = np.zeros(len(starts), np.bool_)
    for expression in layout.ignored:
        places = [match.start() for match in expression.finditer(text) if match.start() < len(text)]
        is_ignored[_lines_of(np.array(places, np.int64), starts)] = True
    return is_ignored


def _matches(text: str, layout: LogFormat) -> Iterator[_Found]:
    """Return the matches, one behind the other; where several begin at one place the first expression wins."""
    if len(layout.searches) == 1:
        return zip(repeat(0), layout.searches[0].expression.finditer(text))
    if layout.joined is not None:
        return ((int((match.lastgroup or "_0")[1:]), match) for match in layout.joined.finditer(text))
    return _one_by_one(text, [search.expression for search in layout.searches])


def _one_by_one(text: str, expressions: Sequence["re.Pattern[str]"]) -> Iterator[_Found]:
    waiting = [expression.search(text) for expression in expressions]
    position = 0
    while True:
        waiting = [
            expression.search(text, position) if match is not None and match.start() < position else match
            for expression, match in zip(expressions, waiting, strict=True)
        ]
        found = [(which, match) for which, match in enumerate(waiting) if match is not None and match[0]]
        if not found:
            return
        first = min(found, key=lambda one: one[1].start())
        yield first
        position = first[1].end()


def _batch(some: Sequence[_Found], layout: LogFormat, numbers: list[int]) -> Batch:
    names = list(dict.fromkeys(name for search in layout.searches for name in search.groups))
    by_name: dict[str, list[Value]] = {name: [None] * len(some) for name in names}
    kinds = [""] * len(some)
    is_joined = len(layout.searches) > 1 and layout.joined is not None
    for which, search in enumerate(layout.searches):
        places = [place for place, one in enumerate(some) if one[0] == which]
        matches = [some[place][1] for place in places]
        for name, column in _groups(matches, search, which if is_joined else None).items():
            if len(places) == len(some):
                by_name[name] = column
            else:
                for place, value in zip(places, column, strict=True):
                    by_name[name][place] = value
        for place in places if search.kind else ():
            kinds[place] = search.kind
    values = by_field(layout, by_name)
    if layout.is_told_by_line and not values.keys() & {"kind", "event"}:
        values["event"] = [match[0] for _, match in some]
    return Batch(values, numbers, kinds if layout.is_told_by_search else None)


def _groups(matches: Sequence["re.Match[str]"], search: Search, which: int | None) -> dict[str, list[Value]]:
    """Return what each group of an expression holds in its matches."""
    if not matches:
        return {name: [] for name in search.groups}
    groups = matches[0].re.groupindex
    places = {name: groups[name if which is None else f"_{which}_{name}"] - 1 for name in search.groups}
    columns = list(zip(*[match.groups() for match in matches], strict=True))
    return {name: list(columns[place]) for name, place in places.items()}
