"""A frame with the machines of its records: what the finders of clocks, peers, ids and queues ask.

Never decides anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from orchestrator.formats.guess.evidence import Floats, Rows, numbers, share
from orchestrator.formats.guess.frame import Frame, Group, is_said
from orchestrator.formats.guess.templates import Slot
from orchestrator.formats.names import natural, resolve
from orchestrator.trace.store import Column, Mask

Choice: TypeAlias = dict[int, str]
"""By the number of a group: the slot that says something there."""

_RUN_SHIFT: Final = 1 << 32


@dataclass
class Study:
    """Some records, whose they are, and what has been found out so far."""

    frame: Frame
    nodes: list[str]
    """Each record's machine."""
    roles: dict[str, Choice] = field(default_factory=dict)
    clock: Literal["scalar", "fractional", "vector", "none"] = "none"
    order: list[str] = field(default_factory=list)
    """The machines in the order of a vector that is a list."""
    aliases: dict[str, str] = field(default_factory=dict)
    """What else machines are called by others."""
    ids: Literal["all", "sender", "link"] = "all"
    time: str = "auto"
    quality: float = 0.0
    facts: dict[str, float] = field(default_factory=dict)
    """How sure what was found is, from 0 to 1."""
    gains: Floats = field(default_factory=lambda: np.empty(0))
    """With vector clocks: 2 where a foreign entry rises, 1 where none does, NaN at a machine's first event."""
    _numbers: dict[tuple[int, str], Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settle()

    def settle(self) -> None:
        """Forget the machines that have no events."""
        if any(not group.is_event for group in self.groups):
            events = {at for at, group in enumerate(self.groups) if group.is_event}
            self.roles = {
                role: {at: key for at, key in choice.items() if at in events} for role, choice in self.roles.items()
            }
            is_event = self.rows_of([at for at, group in enumerate(self.groups) if group.is_event])
            self.nodes = [name if event else "" for name, event in zip(self.nodes, is_event.tolist(), strict=True)]
        self.names: list[str] = sorted(set(self.nodes) - {""}, key=natural) or [""]
        place = {"": -1} | {name: at for at, name in enumerate(self.names)}
        self.node: Column = np.array([place[name] for name in self.nodes], np.int64)
        self.rows = Rows(self.node + self.frame.runs * _RUN_SHIFT, self.frame.runs)
        self._resolved: dict[str, int] = {}

    @property
    def groups(self) -> list[Group]:
        """The groups of the frame."""
        return self.frame.groups

    def of_kind(self, *kinds: str) -> list[int]:
        """Return the groups of events of these kinds."""
        return [at for at, group in enumerate(self.groups) if group.is_event and group.kind in kinds]

    def rows_of(self, groups: Iterable[int]) -> Mask:
        """Return which records are in some groups."""
        mask = np.zeros(len(self.nodes), np.bool_)
        for at in groups:
            mask[self.groups[at].rows] = True
        return mask

    def is_rare(self, at: int) -> bool:
        """Return whether a group has no more than two lines of each machine, as a banner has."""
        return len(self.groups[at]) <= max(2, 2 * len(set(self.rows.node.tolist())))

    def call(self, aliases: dict[str, str]) -> None:
        """Remember what machines are called by others."""
        self.aliases = aliases
        self._resolved.clear()

    def slots(self, at: int, *, free: bool = True) -> dict[str, Slot]:
        """Return the slots of a group, only those that mean nothing yet if `free`."""
        used = {choice[at] for choice in self.roles.values() if at in choice} if free else set()
        return {key: slot for key, slot in self.groups[at].slots.items() if key not in used}

    def slot(self, at: int, key: str) -> Slot:
        """Return a slot."""
        return self.groups[at].slots[key]

    def numbers(self, at: int, key: str) -> Floats:
        """Return what a slot holds as numbers, in the order of its group."""
        if (at, key) not in self._numbers:
            slot = self.slot(at, key)
            self._numbers[at, key] = numbers(slot.values, slot.prefix)
        return self._numbers[at, key]

    def column(self, choice: Choice) -> Floats:
        """Return what slots hold as one column of numbers over all records."""
        column = np.full(len(self.nodes), np.nan)
        for at, key in choice.items():
            column[self.groups[at].rows] = self.numbers(at, key)
        return column

    def texts(self, choice: Choice) -> list[Any]:
        """Return what slots hold as one column over all records, None where they say nothing."""
        column: list[Any] = [None] * len(self.nodes)
        for at, key in choice.items():
            for row, value in zip(self.groups[at].rows.tolist(), self.slot(at, key).values, strict=True):
                column[row] = value if is_said(value) else None
        return column

    def is_whole(self, at: int, key: str, *, share_min: float = 0.95) -> bool:
        """Return whether a slot holds whole numbers that are not negative, nearly always."""
        values = self.numbers(at, key)
        is_there = ~np.isnan(values)
        some = values[is_there]
        return share(is_there) >= share_min and bool((some >= 0).all()) and share(some == np.floor(some)) > 0.99

    def machine_of(self, name: str) -> int:
        """Return which of the machines a name means, or -1."""
        if name not in self._resolved:
            found = resolve(self.aliases.get(name, name), self.names)
            self._resolved[name] = self.names.index(found) if found in self.names else -1
        return self._resolved[name]

    def total(self, groups: Sequence[int]) -> int:
        """Return how many records some groups have."""
        return sum(len(self.groups[at]) for at in groups)
