"""The records of a table: one a line, its cells by the header or by the columns that the format names.

Never guesses what a cell means; a row with too few or too many is counted, as are lines that are none.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import Final, TypeAlias

from node.errors import one_line
from orchestrator.formats.format import LogFormat
from orchestrator.formats.records import BATCH, Batch, Lines, by_field, lines_of

_QUOTE: Final = '"'
_FIRST_ROWS: Final = 50
_Row: TypeAlias = tuple[int, str, Sequence[str]]
"""A line's number, its text and its cells."""


def from_table(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[Batch]:
    """Yield the records of a table."""
    rows = _rows(text, layout, lines, first_line)
    header: Sequence[str] = ()
    if not layout.columns:
        header, rows = _header(rows)
    names = layout.columns or header
    _remark_on(names, lines)
    while some := list(islice(rows, BATCH)):
        kept = [row for row in some if len(row[2]) == len(names) and row[2] != header]
        lines.records += len(kept)
        if len(kept) < len(some):
            _leave(some, names, header, lines)
        columns = zip(*(cells for _, _, cells in kept), strict=True) if kept else ([] for _ in names)
        # Of two columns with one name the first counts.
        values = by_field(layout, dict(reversed(list(zip(names, map(list, columns), strict=True)))))
        if layout.is_told_by_line and not values.keys() & {"kind", "event"}:
            values["event"] = [line for _, line, _ in kept]
        yield Batch(values, [number for number, _, _ in kept])


def _header(rows: Iterator[_Row]) -> tuple[Sequence[str], Iterator[_Row]]:
    """Return the first row that has as many cells as most of the first ones, and the others: titles stand above it."""
    first = list(islice(rows, _FIRST_ROWS))
    size = max(Counter(len(cells) for _, _, cells in first).items(), key=itemgetter(1), default=(0, 0))[0]
    at = next((at for at, (_, _, cells) in enumerate(first) if len(cells) == size), 0)
    header = first.pop(at)[2] if first else ()
    return header, chain(first, rows)


def _remark_on(names: Sequence[str], lines: Lines) -> None:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        lines.notes.append(f"several columns are called {one_line(twice[0], 40)!r}; the first counts")


def _leave(rows: Sequence[_Row], names: Sequence[str], header: Sequence[str], lines: Lines) -> None:
    for number, line, cells in rows:
        if cells == header:
            lines.ignored += 1
        elif len(cells) != len(names):
            lines.add_unmatched(number, line)


def _rows(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[_Row]:
    """Yield each line with its cells, stripped; a cell in quotes may hold the delimiter, but no line's end."""
    delimiter, strip = layout.delimiter, str.strip
    for number, line in lines_of(text, layout, lines, first_line):
        if delimiter == " ":
            yield number, line, tuple(line.split())
        elif _QUOTE in line:
            yield number, line, _quoted(line, delimiter)
        else:
            yield number, line, tuple(map(strip, line.split(delimiter)))


def _quoted(line: str, delimiter: str) -> Sequence[str]:
    """Return the cells of a line with quotes; the plain ones where csv cannot make sense of it."""
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), []))
    except csv.Error:
        return tuple(cell.strip() for cell in line.split(delimiter))
