"""What the text of a log holds: records, field by field and still as text, and what became of every line.

Never interprets a field.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from orchestrator.formats.filling import filled, parts_of
from orchestrator.formats.format import LogFormat

Value: TypeAlias = Any
"""Text; of JSON lines also numbers, lists and mappings; None where the record does not say it."""

BATCH: Final = 4_096
"""So few that the garbage collector finds them young: read in batches of 50,000, a log takes half as long again."""
LINE_LENGTH_MAX: Final = 1 << 16
"""A longer line is not searched for a record: an expression may need time with the square of its length."""
UNMATCHED_KEPT_MAX: Final = 3
_SHOWN_LENGTH_MAX: Final = 120


@dataclass(slots=True)
class Batch:
    """Some records: by field what each says, and the line where each begins."""

    values: dict[str, list[Value]]
    lines: list[int]
    kinds: list[str] | None = None
    """What each is, where the expression that found it says so."""


@dataclass(slots=True)
class Lines:
    """What became of the lines of a log; blank ones do not count."""

    records: int = 0
    ignored: int = 0
    unmatched: list[int] = field(default_factory=list)
    examples: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add_unmatched(self, number: int, line: str) -> None:
        """Remember a line that matches nothing."""
        self.unmatched.append(number)
        if len(self.examples) < UNMATCHED_KEPT_MAX:
            self.examples.append((number, line[:_SHOWN_LENGTH_MAX]))

    def leave(self, number: int, line: str, layout: LogFormat) -> None:
        """Count a line that is no record: it is known to be none, or it matches nothing."""
        if is_ignored(line, layout):
            self.ignored += 1
        else:
            self.add_unmatched(number, line)


def lines_of(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[tuple[int, str]]:
    """Yield the lines that may be records, with their numbers; blank ones are none, nor those known to be no events."""
    has_ignored = bool(layout.ignored)
    for number, line in enumerate(text.split("\n"), first_line):
        if not line or line.isspace():
            continue
        if has_ignored and is_ignored(line, layout):
            lines.ignored += 1
        else:
            yield number, line


def with_what_stands_before(one: Mapping[str, Value], line: str, layout: LogFormat) -> Mapping[str, Value]:
    """Return the fields of an object or of pairs, and those of what stands before them in their line."""
    match = layout.searches[0].expression.search(line) if layout.record else None
    return {**one, **match.groupdict()} if match else one


def is_ignored(line: str, layout: LogFormat) -> bool:
    """Return whether a line is known to be no event."""
    return any(expression.search(line) for expression in layout.ignored)


def by_field(layout: LogFormat, by_name: Mapping[str, list[Value]]) -> dict[str, list[Value]]:
    """Return, by field, what the columns or groups of these names say."""
    values = {}
    for name, sources in layout.sources(by_name).items():
        values[name] = _column(by_name, sources[0])
        for other in sources[1:]:
            more = _column(by_name, other)
            values[name] = [b if a in (None, "") else a for a, b in zip(values[name], more, strict=True)]
    return values


def _column(by_name: Mapping[str, list[Value]], source: str) -> list[Value]:
    if source in by_name:
        return by_name[source]
    count = len(next(iter(by_name.values()), ()))
    columns = [by_name.get(name) or [None] * count for name, _ in parts_of(source)]
    return [filled(source, some) for some in zip(*columns, strict=True)]
