"""Vector clocks: what happened before what, by their word, and which event named by an entry is in the record.

Never trusts the order of lines: an event's own entry is its number. Never judges; `validity` does.
Source: Fidge (1988) and Mattern (1988): entry h of an event's vector is how many events of h happened before it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from orchestrator.audit.store import ForeignTrace
from orchestrator.trace.order import Edges
from orchestrator.trace.store import Column, Mask


@dataclass(frozen=True, slots=True)
class Entries:
    """What events know of other machines and the event before them on their own machine did not.

    The event in row `effect` knows `count` events of `machine`; the last of those that is in the record is in row
    `cause`, or -1. `is_there`: that is the very event that the entry names, none is missing between. `is_contained`:
    whatever the cause knew, the effect knows. `is_circular`: the cause knew of the effect.
    """

    effect: Column
    machine: Column
    count: Column
    cause: Column
    is_there: Mask
    is_contained: Mask
    is_circular: Mask


class NumberedEvents:
    """The events of a trace with vectors, by machine and number; those numbered 0 have no place among them."""

    def __init__(self, trace: ForeignTrace) -> None:
        assert trace.vector is not None, "only a trace with vectors has numbered events"
        self.trace = trace
        self.vectors = trace.vector
        self.own: Column = self.vectors[np.arange(len(trace)), trace.node]
        self.programs = tuple(rows[self.own[rows] > 0] for rows in trace.programs)

    def numbers(self, machine: int) -> Column:
        """Return the numbers of a machine's events, ascending."""
        return self.own[self.programs[machine]]

    def last(self, machine: int, count: Column) -> Column:
        """Return the row of the last event among the first `count` of a machine, or -1."""
        place = np.searchsorted(self.numbers(machine), count, "right")
        return np.append(-1, self.programs[machine])[place]

    @cached_property
    def previous(self) -> Column:
        """The row of the machine's last event with a smaller number, or -1."""
        previous = np.full(len(self.trace), -1, np.int64)
        for machine, rows in enumerate(self.programs):
            previous[rows] = self.last(machine, self.own[rows] - 1)
        return previous

    @cached_property
    def entries(self) -> Entries:
        """Every foreign entry that is larger than in the machine's event before."""
        parts = [self._entries_of(machine) for machine in range(len(self.programs))]
        columns = zip(*parts, strict=True)
        return Entries(*(np.concatenate(column) for column in columns))

    def _entries_of(self, machine: int) -> tuple[Column | Mask, ...]:
        """Return the fields of the entries that tell of this machine."""
        known, node = self.vectors[:, machine], self.trace.node
        known_before = np.where(self.previous >= 0, known[self.previous], 0)
        effect = np.flatnonzero((known > known_before) & (node != machine) & (self.own > 0))
        count = known[effect]
        cause = self.last(machine, count)
        has_cause = cause >= 0
        is_there = has_cause & (self.own[cause] == count)
        is_contained = ~has_cause | (self.vectors[cause] <= self.vectors[effect]).all(axis=1)
        is_circular = has_cause & (self.vectors[cause, node[effect]] >= self.own[effect])
        return effect, np.full_like(effect, machine), count, cause, is_there, is_contained, is_circular


def vector_edges(trace: ForeignTrace) -> Edges:
    """Return the direct causes on other machines, as far as valid entries name them.

    Where the event that an entry names is not in the record, the last one before it that is there is a cause, too.
    What the machine's event before or another cause implies is left out. Entries that contradict themselves name none.
    """
    if trace.vector is None or not len(trace):
        return Edges(np.empty(0, np.int64), np.empty(0, np.int64))
    events = NumberedEvents(trace)
    entries, vectors = events.entries, events.vectors
    previous = events.previous[entries.effect]
    known_before = np.where(previous >= 0, vectors[previous, entries.machine], 0)
    is_new = (entries.cause >= 0) & (events.own[entries.cause] > known_before)
    chosen = np.flatnonzero(is_new & entries.is_contained & ~entries.is_circular)
    chosen = chosen[np.argsort(entries.effect[chosen], kind="stable")]
    cause, effect = entries.cause[chosen], entries.effect[chosen]
    is_direct = ~_is_implied(cause, effect, events)
    return Edges(cause[is_direct], effect[is_direct])


def _is_implied(cause: Column, effect: Column, events: NumberedEvents) -> Mask:
    """Return which causes another cause of the same effect knows; effects ascend, and each is once on a machine."""
    size = np.unique_counts(effect).counts
    several = np.flatnonzero(np.repeat(size, size) > 1)
    implied = np.zeros(len(cause), np.bool_)
    if len(several):
        machine = events.trace.node[cause[several]]
        known = events.vectors[cause[several]]
        known[np.arange(len(several)), machine] = 0  # that a cause knows of itself implies nothing
        groups = size[size > 1]
        most = np.maximum.reduceat(known, np.cumsum(groups) - groups, axis=0)
        known_by_others = np.repeat(most, groups, axis=0)[np.arange(len(several)), machine]
        implied[several] = known_by_others >= events.own[cause[several]]
    return implied
