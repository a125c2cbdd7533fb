"""The tables that some lines may be: by what delimiter, with what header, in which columns.

Never takes sentences with commas for a table.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from orchestrator.formats.format import DELIMITERS
from orchestrator.formats.guess.evidence import numbers as as_numbers
from orchestrator.formats.guess.evidence import share
from orchestrator.formats.guess.frame import Frame, is_said, type_of
from orchestrator.formats.guess.lines import Sample
from orchestrator.formats.guess.words import is_field

CELLS_MIN: Final = 3
FEW: Final = 12
"""A column with so few texts holds no sentences."""
SHARE_MIN: Final = 0.75
RULE: Final = re.compile(r"[\s|+:=*#_-]*\Z")
QUOTED: Final = re.compile(r"\"[^\"]*\"")
COMMENT: Final = re.compile(r"\s*(#|//|--|;|%)")
_SPLIT_TIME: Final = re.compile(r"\d\d:\d\d,\d{3}\b")
_LABELLED: Final = re.compile(r"([A-Za-z][\w ]*)\s?[=:]\s?\S+\Z|([A-Za-z ]+) \d+\Z")
_NAMES_OF_DELIMITERS: Final = {sign: name for name, sign in DELIMITERS.items()}


def table_frames(sample: Sample) -> Iterator[Frame]:
    """Yield the tables that these lines may be."""
    for delimiter in ("\t", ";", "|", ",", " "):
        if frame := _table(sample, delimiter):
            yield frame


def _table(sample: Sample, delimiter: str) -> Frame | None:
    lines = [(file, number, line) for file, number, line in sample.lines if not RULE.match(line)]
    if (
        delimiter == ","
        and sum(bool(_SPLIT_TIME.search(QUOTED.sub("", line))) for _, _, line in lines) > len(lines) / 2
    ):
        return None
    within = re.compile(rf"[\[({{<][^\])}}>\"]*[\w]{re.escape(delimiter)}[^\])}}>\"]*[\])}}>]")
    if delimiter != " " and sum(bool(within.search(QUOTED.sub("", line))) for _, _, line in lines) > len(lines) / 2:
        return None  # a list, and no row
    cells = [_cells(line, delimiter) for _, _, line in lines]
    size = Counter(map(len, cells)).most_common(1)[0][0] if cells else 0
    if size < CELLS_MIN or sum(len(row) == size for row in cells) < SHARE_MIN * len(cells):
        return None
    header, is_comment = _header(lines, cells, size, delimiter)
    if delimiter == " " and not header:
        return None
    rows = [
        (file, number, line, row)
        for (file, number, line), row in zip(lines, cells, strict=True)
        if len(row) == size and row != header and not (COMMENT.match(line) and (is_comment or not row[0]))
    ]
    columns: dict[str, list[Any]] = {
        name: [row[at] for *_, row in rows] for at, name in enumerate(_unique(header or [""] * size))
    }
    if not rows or not _is_table(columns, has_header=bool(header)):
        return None
    keys: dict[str, Any] = {"delimiter": _NAMES_OF_DELIMITERS.get(delimiter, delimiter)} if delimiter != "," else {}
    if is_comment or not header:
        keys["columns"] = list(columns)
    files = np.array([file for file, *_ in rows], np.int64)
    numbers = np.array([number for _, number, *_ in rows], np.int64)
    frame = Frame("table", keys, files, sample.runs[files], numbers, [row[2] for row in rows], columns)
    used = set(frame.lines)
    frame.dropped = [line for _, _, line in sample.lines if line not in used and _cells(line, delimiter) != header]
    return frame


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    if '"' in line:
        try:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]
        except csv.Error:
            pass
    return [cell.strip() for cell in line.split(delimiter)]


def _header(
    lines: Sequence[tuple[int, int, str]], cells: Sequence[Sequence[str]], size: int, delimiter: str
) -> tuple[list[str], bool]:
    """Return the names of the columns, and whether they stand in a comment; none if there are none."""
    for (_, _, line), row in zip(lines[:20], cells, strict=False):
        names, is_comment = list(row), False
        if match := COMMENT.match(line):
            names, is_comment = _cells(line[match.end() :], delimiter), True
        if len(names) != size or len(row) - is_comment not in (size, size - 1, size + 1):
            continue
        are_words = all(not name or re.match(r"[^\W\d]", name) for name in names) and len({*names}) > size / 2
        if are_words and sum(bool(name) for name in names) >= size - 2 and _is_above(names, cells, size):
            return names, is_comment
        if not is_comment:
            break
    return [], False


def _is_above(names: Sequence[str], cells: Sequence[Sequence[str]], size: int) -> bool:
    """Return whether the cells below some names look otherwise: numbers, times, or the same few words."""
    rows = [row for row in cells if len(row) == size and list(row) != list(names) and not COMMENT.match(row[0])]
    if not rows:
        return False
    below = [[row[at] for row in rows] for at in range(size)]
    return any(type_of(column) in ("number", "time") for column in below) and not any(
        name in set(column) for name, column in zip(names, below, strict=True) if name and len(set(column)) < 30
    )


def _unique(names: Sequence[str]) -> list[str]:
    """Return names that differ; a column without a name is called after its place."""
    found: list[str] = []
    for at, given in enumerate(names, 1):
        name = given or f"column{at}"
        found.append(name if name not in found else f"{name}_{at}")
    return found


def _is_table(columns: dict[str, list[Any]], *, has_header: bool) -> bool:
    """Return whether cells are values, and no parts of sentences."""
    texts = labelled = valued = 0
    for column in columns.values():
        some = [value for value in column if is_said(value)][:200]
        if not some:
            continue
        type_ = type_of(some)
        valued += type_ in ("number", "time", "name", "vector")
        texts += type_ == "text" and len(set(some)) > FEW
        labelled += type_ != "time" and sum(map(_is_labelled, some)) > len(some) / 2
    has_number = any(
        share(~np.isnan(as_numbers(column[:200]))) > 0.2 or type_of(column[:200]) == "vector"
        for column in columns.values()
    )
    return has_number and valued >= 2 and texts <= (2 if has_header else 1) and labelled <= (1 if has_header else 0)


def _is_labelled(cell: str) -> bool:
    """Return whether a cell says itself what it holds: `clock: 5`; `localhost:5001` is a name."""
    match = _LABELLED.match(cell)
    return match is not None and (match[2] is not None or is_field(match[1].strip()))
