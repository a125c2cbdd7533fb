"""YAML as plain data that still knows the place of every key and value, and plain data as YAML.

Never builds anything but text, numbers, truth values, lists and mappings, and refuses what would silently become
something else: `yes`, `010` and `1:30` are not what they look like in YAML 1.1, aliases and tags not what one sees.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml

from node.errors import ConfigurationError
from orchestrator.config.place import Place, Source
from orchestrator.config.scalar import FLOAT, Key, Plain, read_scalar

Trail: TypeAlias = tuple[Key, ...]
"""Where a value is: the keys and list positions that lead to it."""

LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEPTH_MAX: Final = 16

_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Document:
    """What a text says, and where: the place of each key and of each value, by its trail."""

    data: Plain = None
    keys: dict[Trail, Place] = field(default_factory=dict)
    values: dict[Trail, Place] = field(default_factory=dict)


def read_yaml(source: Source, start: int = 0) -> Document:
    """Return the one document in `source` from its character `start` on, which is in the first line.

    Raises ConfigurationError, with the place.
    """
    if unreadable := _UNREADABLE.search(source.text, start):
        raise source.at(unreadable.start()).error(f"not a text: it holds the character {unreadable[0]!a}")
    reader = _Reader(source, start)
    try:
        return reader.read()
    except yaml.MarkedYAMLError as error:
        raise reader.explain(error) from None


def write_yaml(data: Mapping[str, object]) -> str:
    """Return `data` as YAML that `read_yaml` reads back: one key a line, in the given order."""
    text = yaml.dump(data, Dumper=_Writer, default_flow_style=None, sort_keys=False, allow_unicode=True, width=2**31)
    return str(text)


class _Writer(yaml.SafeDumper):
    """Quotes also the text that only YAML 1.2 takes for a number, and never writes an alias."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_Writer.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+.0123456789"))


class _Reader:
    """One pass over the events of PyYAML's parser."""

    def __init__(self, source: Source, start: int) -> None:
        self._source = source
        self._start = start
        self._events: Iterator[yaml.Event] = yaml.parse(source.text[start:], Loader=LOADER)
        self._open: list[tuple[Place, str]] = []
        self._document = Document()

    def read(self) -> Document:
        """Return the document, which may be empty."""
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.DocumentStartEvent):
            self._document.data = self._value(next(self._events), ())
            next(self._events)  # the end of the document
            following = next(self._events)
            if isinstance(following, yaml.DocumentStartEvent):
                raise self._place(following.start_mark).error("a second document starts here; write one")
        else:
            self._document.values[()] = Place(self._source, 0, self._start)
        return self._document

    def explain(self, error: yaml.MarkedYAMLError) -> ConfigurationError:
        """Turn an error of the parser into ours."""
        # What the parser stumbles over may be many lines below the bracket that somebody forgot to close.
        if self._open:
            place, bracket = self._open[-1]
            mark = error.problem_mark
            where = "" if mark is None or mark.line == place.line else f" before line {mark.line + 1}"
            return place.error(f"this {bracket} is not closed, or a comma is missing{where}")
        place = Place(self._source) if error.problem_mark is None else self._place(error.problem_mark)
        if error.context == "while scanning a quoted scalar" and error.context_mark is not None:
            return self._place(error.context_mark).error("this quotation mark is not closed")
        if place.line_text[place.column : place.column + 1] == "\t":
            return place.error("not YAML: a tab; indent with spaces")
        problem = error.problem or "unexpected text"
        if "mapping values" in problem:
            problem = "a second colon; is the indentation right, or does a text need quotes?"
        return place.error(f"not YAML: {problem}")

    def _value(self, event: yaml.Event, trail: Trail) -> Plain:
        place = self._document.values[trail] = self._place(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise place.error("anchors (&) and aliases (*) are not understood here; write the value out")
        if getattr(event, "tag", None) is not None:
            raise place.error("tags (!) are not understood here; write the value alone")
        if len(trail) >= DEPTH_MAX:
            raise place.error(f"nested more than {DEPTH_MAX} deep")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, trail)
        assert isinstance(event, yaml.CollectionStartEvent), "nothing else starts a value"
        return self._collection(event, trail, place)

    def _scalar(self, event: yaml.ScalarEvent, trail: Trail) -> Plain:
        if _UNREADABLE.search(event.value):
            raise self._document.values[trail].error("this text holds a character that cannot be shown")
        if not event.implicit[0]:
            return str(event.value)
        if event.value == "" and trail in self._document.keys:
            # Nothing has no place of its own; its key has.
            self._document.values[trail] = self._document.keys[trail]
        try:
            return read_scalar(event.value)
        except ValueError as error:
            raise self._document.values[trail].error(str(error)) from None

    def _collection(self, event: yaml.CollectionStartEvent, trail: Trail, place: Place) -> Plain:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if not event.flow_style:
            return self._mapping(trail) if is_mapping else self._sequence(trail)
        self._open.append((place, "{" if is_mapping else "["))
        plain = self._mapping(trail) if is_mapping else self._sequence(trail)
        self._open.pop()
        return plain

    def _sequence(self, trail: Trail) -> tuple[Plain, ...]:
        items: list[Plain] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*trail, len(items))))
        return tuple(items)

    def _mapping(self, trail: Trail) -> dict[Key, Plain]:
        pairs: dict[Key, Plain] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, trail)
            pairs[key] = self._value(next(self._events), (*trail, key))
        return pairs

    def _key(self, event: yaml.Event, trail: Trail) -> Key:
        place = self._place(event.start_mark)
        hidden = (*trail, "")  # no key is empty text: nothing else is remembered there
        key = self._value(event, hidden)
        self._document.values.pop(hidden)
        if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
            raise place.error("a key must be a word or a whole number")
        if (first := self._document.keys.get((*trail, key))) is not None:
            raise place.error(f'duplicate key "{key}"; it stands in line {first.line + 1} already')
        self._document.keys[*trail, key] = place
        return key

    def _place(self, mark: Any) -> Place:
        return Place(self._source, mark.line, mark.column + (self._start if mark.line == 0 else 0))
