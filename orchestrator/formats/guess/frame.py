"""What a guess works on: the records of some logs, in groups that say the same, with slots whose meaning is sought.

Never says what a slot means.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from orchestrator.formats.clocks import NOTHING
from orchestrator.formats.guess.evidence import numbers, share
from orchestrator.formats.guess.templates import Slot, Template
from orchestrator.formats.guess.words import Kind, label_of_name
from orchestrator.formats.times import can_read
from orchestrator.trace.store import Column

SAMPLE: Final = 40


@dataclass(slots=True)
class Group:
    """Records that say the same; `slots` by what they are called."""

    rows: Column
    slots: dict[str, Slot]
    words: str
    template: Template | None = None
    value: str | None = None
    """What the field of the kind holds in all of them."""
    kind: Kind = ""
    is_all: bool = False
    is_some: bool = False
    """Sends to one or several: nothing says to whom."""
    is_event: bool = True

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.rows)

    @property
    def format_kind(self) -> str:
        """What a format file calls these events."""
        if self.kind != "send":
            return self.kind or "internal"
        return "send-all" if self.is_all else "send-some" if self.is_some else "send"


@dataclass(slots=True)
class Frame:
    """The records of some logs in one layout."""

    layout: str
    keys: dict[str, Any]
    """What the format file must say besides, such as the delimiter."""
    files: Column
    """Each record's file."""
    runs: Column
    """Each record's run."""
    numbers: Column
    """Each record's first line."""
    lines: list[str]
    """Each record as it is written."""
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """What there is of fields before anything is guessed."""
    groups: list[Group] = field(default_factory=list)
    prefix: Template | None = None
    """What stands before pairs and objects; its slots are the columns `^0`, `^1` and so on."""
    kind_source: str = ""
    """The column that tells the kinds, or a template of two."""
    text_source: str = ""
    """The column whose words tell the kinds."""
    dropped: list[str] = field(default_factory=list)
    """Lines that look like records and are none, such as a rule below a header."""

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.lines)

    def groups_of(self, keys: Sequence[str | None]) -> Iterator[tuple[str | None, Column]]:
        """Yield the records of each key."""
        rows: dict[str | None, list[int]] = {}
        for row, key in enumerate(keys):
            rows.setdefault(key, []).append(row)
        for key, some in rows.items():
            yield key, np.array(some, np.int64)

    def slots_of(self, rows: Column) -> dict[str, Slot]:
        """Return the columns that say something in these records, as slots."""
        found = {}
        for name, column in self.columns.items():
            values = [column[row] for row in rows.tolist()]
            if any(is_said(value) for value in values):
                found[name] = column_slot(name, values, self.prefix)
        return found


def is_said(value: Any) -> bool:
    """Return whether a cell holds anything."""
    return value not in NOTHING if isinstance(value, str | None) else value not in ([], {})


def column_slot(name: str, values: list[Any], prefix: Template | None = None) -> Slot:
    """Return a column of some records as a slot."""
    if name.startswith("^") and prefix is not None:
        known = prefix.slots[int(name[1:])]
        return Slot(known.type, known.label, values, known.prefix)
    return Slot(type_of(values), label_of_name(name), values)


def type_of(values: Sequence[Any]) -> str:  # noqa: PLR0911  # one return for each type
    """Return what values look like, by a sample of them."""
    some = [value for value in values if is_said(value)]
    sample = some[:: max(1, len(some) // SAMPLE)]
    if not sample:
        return "word"
    if all(isinstance(value, dict) for value in sample):
        return "vector"
    if all(isinstance(value, list) for value in sample):
        return "list"
    if share(~np.isnan(numbers(sample))) > 0.9:
        return "number"
    texts = [str(value) for value in sample]
    if can_read(texts):
        return "time"
    if all(text[:1] in "{[(<" and any(map(str.isdigit, text)) for text in texts):
        return "vector"
    return "name" if all(" " not in text for text in texts) else "text"
