"""From the text of a log to records: what each says, field by field, still as text, and the line where it stands.

Never interprets a field, and never forgets a line: what matches nothing is counted, and the first few are kept.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeAlias

import orjson

from orchestrator.formats.format import LogFormat

Value: TypeAlias = Any
"""Text; of JSON lines also numbers, lists and mappings; None where the record does not say it."""

BATCH: Final = 100_000
LINE_LENGTH_MAX: Final = 1 << 16
"""A longer line is not searched for a record: an expression may need time with the square of its length."""
UNMATCHED_KEPT_MAX: Final = 3
_SHOWN_LENGTH_MAX: Final = 120
_PART: Final = re.compile(r"\{([^{}]+)\}")


@dataclass(slots=True)
class Batch:
    """Some records: by field what each says, the line where each begins."""

    values: dict[str, list[Value]]
    lines: list[int]


@dataclass(slots=True)
class Lines:
    """What became of the lines of a log; blank ones do not count."""

    records: int = 0
    ignored: int = 0
    unmatched: list[int] = field(default_factory=list)
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add_unmatched(self, number: int, line: str) -> None:
        """Remember a line that matches nothing."""
        self.unmatched.append(number)
        if len(self.examples) < UNMATCHED_KEPT_MAX:
            self.examples.append((number, line[:_SHOWN_LENGTH_MAX]))


def extract(text: str, layout: LogFormat, lines: Lines, *, first_line: int = 1) -> Iterator[Batch]:
    """Yield the records of a text, and count its lines in `lines`."""
    match layout.layout:
        case "text":
            yield from _from_text(text, layout, lines, first_line)
        case "table":
            yield from _from_table(text, layout, lines, first_line)
        case "json":
            yield from _from_json(text, layout, lines, first_line)


# Text: the expression is searched as ShiViz does, over all of it, so that a record may have several lines.


def _from_text(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[Batch]:
    leave = _Leftover(layout, lines, first_line)
    matches = _matches(text, layout.records)
    while some := list(islice(matches, BATCH)):
        yield _batch(some, layout, leave.numbers(text, some))
        lines.records += len(some)
    leave.rest(text)


def _matches(text: str, expressions: Sequence["re.Pattern[str]"]) -> Iterator["re.Match[str]"]:
    """Yield the matches, one behind the other; where several begin at one place the first expression wins."""
    if len(expressions) == 1:
        yield from (match for match in expressions[0].finditer(text) if match.end() > match.start())
        return
    waiting = [(expression, expression.search(text)) for expression in expressions]
    position = 0
    while True:
        for place, (expression, match) in enumerate(waiting):
            if match is not None and match.start() < position:
                waiting[place] = expression, expression.search(text, position)
        found = [match for _, match in waiting if match is not None and match.end() > match.start()]
        if not found:
            return
        first = min(found, key=lambda match: match.start())
        yield first
        position = first.end()


class _Leftover:
    """Walks through a text beside the matches, counts lines, and keeps those that no match touches."""

    def __init__(self, layout: LogFormat, lines: Lines, first_line: int) -> None:
        self._ignored = layout.ignored
        self._lines = lines
        self._position = 0
        self._number = first_line

    def numbers(self, text: str, matches: Iterable["re.Match[str]"]) -> list[int]:
        """Return the line of each match."""
        numbers = []
        for match in matches:
            start = match.start()
            if start > self._position:
                self._skip(text, text.rfind("\n", self._position, start) + 1)
            numbers.append(self._number)
            end = match.end()
            self._number += text.count("\n", self._position, end)
            self._position = end
            if text.startswith("\n", end):
                self._position, self._number = end + 1, self._number + 1
        return numbers

    def rest(self, text: str) -> None:
        """Count what lies behind the last match."""
        self._skip(text, len(text))

    def _skip(self, text: str, end: int) -> None:
        if end <= self._position:
            return
        begins_within_a_match = self._position > 0 and text[self._position - 1] != "\n"
        for place, line in enumerate(text[self._position : end].split("\n")):
            if line.strip() and not (begins_within_a_match and place == 0):
                _leave(line, self._number + place, self._ignored, self._lines)
        self._number += text.count("\n", self._position, end)
        self._position = end


def _leave(line: str, number: int, ignored: Sequence["re.Pattern[str]"], lines: Lines) -> None:
    if any(expression.search(line) for expression in ignored):
        lines.ignored += 1
    else:
        lines.add_unmatched(number, line)


def _batch(matches: Sequence["re.Match[str]"], layout: LogFormat, numbers: list[int]) -> Batch:
    names = list(dict.fromkeys(name for match in layout.records for name in match.groupindex))
    if len(layout.records) == 1:
        groups = [match.group(*names) for match in matches] if names else []
        columns = list(zip(*groups, strict=True)) if len(names) > 1 else [groups]
    else:
        found = [match.groupdict() for match in matches]
        columns = [[one.get(name) for one in found] for name in names]
    by_name = dict(zip(names, map(list, columns), strict=True))
    return Batch(_by_field(layout, by_name), numbers)


def _by_field(layout: LogFormat, by_name: Mapping[str, list[Value]]) -> dict[str, list[Value]]:
    values = {}
    for name, sources in layout.sources(by_name).items():
        values[name] = _column(by_name, sources[0])
        for other in sources[1:]:
            more = _column(by_name, other)
            values[name] = [b if a in (None, "") else a for a, b in zip(values[name], more, strict=True)]
    return values


def _column(by_name: Mapping[str, list[Value]], source: str) -> list[Value]:
    """Return what a column or a group says, or what a template such as `{node}:{index}` makes of several."""
    if source in by_name:
        return by_name[source]
    parts = [by_name.get(name, []) for name in _PART.findall(source)]
    return [_PART.sub("{}", source).format(*some) if all(some) else None for some in zip(*parts, strict=False)]


# Tables: a record a line.


def _from_table(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[Batch]:
    rows = _rows(text, layout, lines, first_line)
    names = list(layout.columns) or next(((cells) for _, cells in rows), [])
    while some := list(islice(rows, BATCH)):
        numbers, kept = [], []
        for number, cells in some:
            if len(cells) == len(names):
                numbers.append(number)
                kept.append(cells)
            elif cells:
                lines.add_unmatched(number, layout.delimiter.join(cells))
        lines.records += len(kept)
        columns = zip(*kept, strict=True) if kept else ([] for _ in names)
        yield Batch(_by_field(layout, dict(zip(names, map(list, columns), strict=True))), numbers)


def _rows(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each line's cells, stripped; a cell in quotes may hold the delimiter, but no line's end."""
    split = _splitter(text, layout.delimiter)
    for number, line in enumerate(text.split("\n"), first_line):
        if not line or line.isspace():
            continue
        if layout.ignored and any(expression.search(line) for expression in layout.ignored):
            lines.ignored += 1
            continue
        yield number, split(line)


def _splitter(text: str, delimiter: str) -> Callable[[str], list[str]]:
    if delimiter == " ":
        return str.split
    if '"' in text:
        return lambda line: [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    return lambda line: [cell.strip() for cell in line.split(delimiter)]


# JSON lines: a path leads to each field.


def _from_json(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[Batch]:
    objects = _objects(text, layout, lines, first_line)
    while some := list(islice(objects, BATCH)):
        lines.records += len(some)
        names = list(dict.fromkeys(key for _, one in some for key in one))
        paths = {source for sources in layout.fields.values() for source in sources}
        values = {
            name: [_first(one, sources) for _, one in some]
            for name, sources in layout.sources([*names, *(path for path in paths if path not in names)]).items()
        }
        yield Batch(values, [number for number, _ in some])


def _objects(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[tuple[int, Mapping[str, Value]]]:
    for number, line in enumerate(text.split("\n"), first_line):
        if not line or line.isspace():
            continue
        try:
            one = orjson.loads(line)
        except (orjson.JSONDecodeError, RecursionError):
            one = None
        if isinstance(one, dict):
            yield number, one
        else:
            _leave(line, number, layout.ignored, lines)


def _first(one: Mapping[str, Value], sources: Sequence[str]) -> Value:
    for source in sources:
        if "{" in source:
            parts = [_found(one, name) for name in _PART.findall(source)]
            value = None if None in parts else _PART.sub("{}", source).format(*parts)
        else:
            value = _found(one, source)
        if value is not None:
            return value
    return None


def _found(one: Mapping[str, Value], source: str) -> Value:
    value = one.get(source)
    return _at(one, source.split(".")) if value is None and "." in source else value


def _at(value: Value, path: Sequence[str]) -> Value:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
