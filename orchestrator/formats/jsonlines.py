"""The records of JSON: an object a line, or a list of objects; a path leads to each field.

Never takes a list, a number or a text for a record.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeAlias

import orjson

from orchestrator.formats.filling import filled, parts_of
from orchestrator.formats.format import LogFormat
from orchestrator.formats.records import BATCH, Batch, Lines, Value, lines_of, with_what_stands_before

Object: TypeAlias = Mapping[str, Value]

_BETWEEN_OBJECTS: Final = re.compile(r"[\s,\[\]]*")
_BEHIND: Final = ", \t\r"
_BRACKETS: Final = frozenset(("[", "]", "[]", "],"))


def from_json(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[Batch]:
    """Yield the records of JSON lines, or of one list of objects that may be laid out over many lines."""
    objects = objects_in(text, layout, lines, first_line)
    while some := list(islice(objects, BATCH)):
        lines.records += len(some)
        ours = [one for _, _, one in some]
        names = set().union(*ours)
        paths = {source for sources in layout.fields.values() for source in sources}
        by_path = layout.sources(sorted(names | paths))
        values = {name: _column(ours, sources) for name, sources in by_path.items()}
        for name in values.keys() - layout.fields.keys() - {"clock"}:
            # An object that is called as a field is one that nobody meant to be the field.
            values[name] = [None if type(value) is dict else value for value in values[name]]
        if layout.is_told_by_line and not values.keys() & {"kind", "event"}:
            values["event"] = [line for _, line, _ in some]
        yield Batch(values, [number for number, _, _ in some])


def objects_in(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[tuple[int, str, Object]]:
    """Yield each object with its line, and what a record before it says."""
    if is_laid_out(text):
        yield from _laid_out(text, lines, first_line)
        return
    for number, line in lines_of(text, layout, lines, first_line):
        if one := object_in(line):
            yield number, line, with_what_stands_before(one, line, layout)
        elif line.strip() in _BRACKETS:
            lines.ignored += 1
        else:
            lines.add_unmatched(number, line)


def object_in(line: str) -> Object | None:
    """Return the object that a line is, or that ends it."""
    start = line.find("{")
    try:
        one = orjson.loads(line if start == 0 and line[-1] == "}" else line[start:].rstrip(_BEHIND))
    except (orjson.JSONDecodeError, RecursionError):
        return None
    return one if start >= 0 and isinstance(one, dict) else None


def is_laid_out(text: str) -> bool:
    """Return whether the objects of a text are not one a line."""
    start = text.lstrip()
    if start[:1] not in ("[", "{"):
        return False
    first, _, rest = start.partition("\n")
    if object_in(first) is not None:
        return False
    return first.strip() == "{" or (first.startswith("[") and object_in(rest.lstrip().partition("\n")[0]) is None)


def _laid_out(text: str, lines: Lines, first_line: int) -> Iterator[tuple[int, str, Object]]:
    decode, position, number, counted = json.JSONDecoder().raw_decode, 0, first_line, 0
    while True:
        position = _BETWEEN_OBJECTS.match(text, position).end()  # type: ignore[union-attr]
        if position >= len(text):
            return
        number, counted = number + text.count("\n", counted, position), position
        try:
            one, position = decode(text, position)
        except (json.JSONDecodeError, RecursionError):
            one, end = None, text.find("\n", position)
            position = len(text) if end < 0 else end
        if isinstance(one, dict):
            yield number, text[counted:position], one
        else:
            lines.add_unmatched(number, text[counted:position])


def _column(objects: Sequence[Object], sources: Sequence[str]) -> list[Value]:
    if len(sources) == 1 and not set(sources[0]) & set(".{"):
        name = sources[0]
        return [one.get(name) for one in objects]
    return [_first(one, sources) for one in objects]


def _first(one: Object, sources: Sequence[str]) -> Value:
    for source in sources:
        value = (
            filled(source, (found(one, name) for name, _ in parts_of(source))) if "{" in source else found(one, source)
        )
        if value is not None:
            return value
    return None


def found(one: Object, source: str) -> Value:
    """Return what stands at a path such as `message.from.0`, or None."""
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
