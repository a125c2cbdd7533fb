"""What pairing has found so far: the pairs that are certain, the violations, the doubts.

Never pairs anything itself.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from orchestrator.audit.counting import Unit
from orchestrator.audit.rooms import Room
from orchestrator.audit.store import ALL, ForeignTrace
from orchestrator.trace.findings import Findings
from orchestrator.trace.order import Edges
from orchestrator.trace.store import Column


class Ledger:
    """Collects while the receives of one trace are paired, grade by grade."""

    def __init__(self, trace: ForeignTrace, rooms: Sequence[Room]) -> None:
        self.trace = trace
        self.rooms = rooms
        self.clock_condition = Findings("clock-condition")
        self.exactly_once = Findings("exactly-once")
        self.too_early_rows: set[int] = set()
        self._sends: list[Column] = []
        self._receives: list[Column] = []

    def add_pairs(self, sends: Column | Sequence[int], receives: Column | Sequence[int]) -> None:
        """Remember pairs that are certain."""
        self._sends.append(np.asarray(sends, np.int64))
        self._receives.append(np.asarray(receives, np.int64))

    def edges(self) -> Edges:
        """Return the pairs that are certain."""
        none = np.empty(0, np.int64)
        return Edges(np.concatenate([none, *self._sends]), np.concatenate([none, *self._receives]))

    def rooms_of(self, node: int) -> list[Room]:
        """Return the rooms of a machine, and of a machine that nobody names."""
        return [room for room in self.rooms if room.node in (node, len(self.trace.nodes))]

    def rooms_but(self, node: int) -> list[Room]:
        """Return the rooms of all machines but one, which sends nothing to itself."""
        return [room for room in self.rooms if room.node != node]

    def may_be_unseen(self, receive: int, *, stamp: int | None = None) -> bool:
        """Whether the send of a receive may be missing from the record: with this clock, or one below the receive's."""
        trace, sender = self.trace, int(self.trace.sender[receive])
        if not trace.has_clock:
            return not trace.is_declared_complete
        rooms = self.rooms_of(sender) if sender >= 0 else self.rooms_but(int(trace.node[receive]))
        if stamp is not None:
            return any(room.may_hold(stamp) for room in rooms)
        return any(room.low + 1 < trace.clock[receive] for room in rooms)

    def condition(self, sends: Column, receives: Column) -> None:
        """Compare the clocks of pairs that are certain (IR2: a receive is later than its send)."""
        if self.trace.has_clock:
            wrong = np.flatnonzero(self.trace.clock[receives] <= self.trace.clock[sends]).tolist()
            self.clock_condition.all_violated(
                wrong, lambda place: too_early(self.trace, int(sends[place]), int(receives[place]))
            )


def unseen_units(rooms: Iterable[Room], group: tuple[int, ...], *, at_most: int) -> Iterator[Unit]:
    """Yield what unseen events in these rooms may have sent, to be received by one of a group each time."""
    for room in rooms:
        for clock in range(room.low + 1, room.low + 1 + min(room.events, at_most)):
            yield Unit(clock, group)


def can_receive(trace: ForeignTrace, sends: Column, node: int) -> Column:
    """Return those of these sends that may have gone to a machine; to itself only if they say so."""
    to = trace.to[sends]
    is_named = to == node
    is_open = (to < 0) & (trace.node[sends] != node)
    kept = is_named | is_open
    for place in np.flatnonzero(to < ALL).tolist():
        kept[place] = node in trace.recipients[int(sends[place])]
    found: Column = sends[kept]
    return found


def too_early(trace: ForeignTrace, send: int, receive: int) -> str:
    """Say that a receive is not later than its send."""
    sent = int(trace.clock[send])
    return (
        f"machine {trace.nodes[trace.node[send]]} sent at {trace.name_of(send)} with clock {trace.shown_clock(sent)}; "
        f"machine {trace.nodes[trace.node[receive]]} received it at {trace.name_of(receive)} with clock "
        f"{trace.shown_clock(int(trace.clock[receive]))}. A receive must be later than its send: at least "
        f"{trace.shown_clock(sent + trace.clock_scale)} (Lamport's IR2). "
        f"({trace.place_of(send)}, {trace.place_of(receive)})"
    )


def receipt(trace: ForeignTrace, receive: int, what: str = "a message") -> str:
    """Return who received what where, as the beginning of a sentence."""
    return f"machine {trace.nodes[trace.node[receive]]} received {what} at {trace.name_of(receive)}"
