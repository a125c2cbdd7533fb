"""What a format reads in the logs that it was made for, beside what the guess found there.

Never trusts a guess: only what is read again as it was understood is said to be recognised.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator.formats.collect import collect
from orchestrator.formats.extract import extract
from orchestrator.formats.format import LogFormat
from orchestrator.formats.guess.expression import NUMERIC
from orchestrator.formats.guess.frame import is_said
from orchestrator.formats.guess.study import Choice, Study
from orchestrator.formats.kinds import CODES, IGNORE, Kinds
from orchestrator.formats.records import Lines
from orchestrator.formats.sources import Source

_FIELDS: Final = ("node", "clock", "stamp", "queue", "from", "to", "message", "time")

Place = tuple[int, int]
"""A file and a line."""


@dataclass(slots=True)
class Reading:
    """What was read, and how it differs from what was understood."""

    lines: Lines = field(default_factory=Lines)
    unmatched: list[str] = field(default_factory=list)
    """Lines that match nothing."""
    extra: list[str] = field(default_factory=list)
    """Lines that were read as events and are none."""
    missing: list[Place] = field(default_factory=list)
    """Events that were not read."""
    wrong: list[Place] = field(default_factory=list)
    """Events that were read as something else."""
    events: int = 0
    executions: list[str] = field(default_factory=list)
    """Those in which there are events."""
    is_divided: bool = False
    """Whether lines of one file divide them."""

    @property
    def faults(self) -> int:
        """How many lines are not what they were understood as."""
        return len(self.extra) + len(self.missing) + len(self.wrong)


def read_back(layout: LogFormat, study: Study, sources: Sequence[Source]) -> Reading:
    """Return what a format reads in these files, which are those of the study in its order."""
    reading = Reading(is_divided=bool(layout.split))
    expected = _expected(study)
    last = _last_lines(study)
    files = {source.path: at for at, source in enumerate(sources)}
    seen: set[Place] = set()
    for collection in collect(sources, layout, ""):
        events = reading.events
        for part in collection.parts:
            file, texts, known = files[part.source.path], part.text.split("\n"), len(reading.lines.unmatched)
            for line, record in _records(part.text, layout, reading.lines, part.first_line):
                place = file, line
                reading.events += 1
                seen.add(place)
                if place in expected:
                    if not _is_same(record, expected[place]):
                        reading.wrong.append(place)
                elif line <= last.get(file, 0):
                    reading.extra.append(texts[line - part.first_line])
            reading.unmatched += [texts[line - part.first_line] for line in reading.lines.unmatched[known:]]
        if reading.events > events:
            reading.executions.append(collection.name)
    reading.missing = sorted(expected.keys() - seen)
    return reading


def _records(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[tuple[int, dict[str, Any]]]:
    kinds = Kinds(layout)
    for batch in extract(text, layout, lines, first_line=first_line):
        codes = kinds.of(batch).tolist()
        fields = list(batch.values)
        for line, code, *values in zip(batch.lines, codes, *batch.values.values(), strict=True):
            if code == IGNORE:
                lines.ignored += 1
            else:
                yield line, {**dict(zip(fields, values, strict=True)), "kind": code}


def _expected(study: Study) -> dict[Place, dict[str, Any]]:
    """Return what each event is understood as."""
    texts = {role: _texts(study, role, choice) for role, choice in study.roles.items()}
    files, numbers = study.frame.files.tolist(), study.frame.numbers.tolist()
    return {
        (files[row], numbers[row]): {
            "kind": CODES[group.format_kind],
            **{role: column[row] for role, column in texts.items()},
        }
        for group in study.groups
        if group.is_event
        for row in group.rows.tolist()
    }


def _texts(study: Study, role: str, choice: Choice) -> list[Any]:
    """Return what a field holds in each record: of a number not what all begin with, such as `C` in C5."""
    texts = study.texts(choice)
    for at, key in choice.items() if role in NUMERIC else ():
        slot = study.slot(at, key)
        for row in study.groups[at].rows.tolist() if slot.prefix else ():
            texts[row] = None if texts[row] is None else str(texts[row]).removeprefix(slot.prefix)
    return texts


def _last_lines(study: Study) -> dict[int, int]:
    """Return the last line that was looked at in each file."""
    last: dict[int, int] = {}
    for file, number in zip(study.frame.files.tolist(), study.frame.numbers.tolist(), strict=True):
        last[file] = max(last.get(file, 0), number)
    return last


def _is_same(record: dict[str, Any], expected: dict[str, Any]) -> bool:
    if record["kind"] != expected["kind"]:
        return False
    for name in _FIELDS:
        value = record.get(name)
        if value is None and name in ("from", "to"):
            value = record.get("peer")
        if is_said(expected.get(name)) and str(value).strip() != str(expected[name]).strip():
            return False
    return True


__all__ = ["Reading", "read_back"]
