"""What pairing has found so far: the pairs that are certain, the violations, the doubts.

Never pairs anything itself.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from orchestrator.audit import words
from orchestrator.audit.rooms import FOREVER, Rooms
from orchestrator.audit.store import ALL, MANY, ONE, ForeignTrace
from orchestrator.trace.findings import Findings
from orchestrator.trace.formulas import distinct
from orchestrator.trace.order import Edges
from orchestrator.trace.store import Column, Mask


class Ledger:
    """Collects while the receives of one trace are paired, grade by grade.

    `is_ambiguous` says that some receive had several sends to choose from, so that nothing can be proved of it.
    """

    def __init__(self, trace: ForeignTrace, rooms: Rooms) -> None:
        self.trace = trace
        self.rooms = rooms
        self.clock_condition = Findings("clock-condition")
        self.exactly_once = Findings("exactly-once")
        self.is_ambiguous = False
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

    def may_be_unseen(self, receives: Column, stamps: Column | None = None) -> Mask:
        """Return whose send may be missing from the record: one with this clock, or with a smaller one than theirs."""
        trace = self.trace
        found = np.zeros(len(receives), np.bool_)
        sender, node = trace.sender[receives], trace.node[receives]
        ends = sender * len(trace.nodes) + node
        for end in distinct(ends).tolist():
            known, receiver = divmod(end, len(trace.nodes))
            rooms = self.rooms.of(known) if known >= 0 else self.rooms.but(receiver)
            mine = ends == end
            if not trace.has_clock:
                found[mine] = len(rooms) > 0
            elif stamps is None:
                found[mine] = rooms.may_hold_below(trace.clock[receives[mine]])
            else:
                found[mine] = rooms.may_hold(stamps[mine])
        return found

    def is_whole_before(self, rows: Column) -> Mask:
        """Return before which of these events their machine's log cannot lack any."""
        return np.less_equal(self.trace.position[rows], self._whole[self.trace.node[rows]])

    @cached_property
    def _whole(self) -> Column:
        """By machine: how many of its first events stand without a room before or between them."""
        whole = np.full(len(self.trace.nodes) + 1, FOREVER, np.int64)
        np.minimum.at(whole, self.rooms.node, self.rooms.position)
        return whole


def fits(trace: ForeignTrace, sends: Column, receives: Column) -> Mask:
    """Return which of these sends, each with the receive beside it, may have been received there.

    A machine sends to itself only if it says so; a receive that names its sender is of no other.
    """
    to, source = trace.to[sends], trace.node[sends]
    node, sender = trace.node[receives], trace.sender[receives]
    may = (to == node) | (((to == ONE) | (to == ALL)) & (source != node))
    for place in np.flatnonzero(to == MANY).tolist():
        may[place] = node[place] in trace.recipients[int(sends[place])]
    return np.asarray(may & ((sender < 0) | (sender == source)))


def too_early(trace: ForeignTrace, send: int, receive: int) -> str:
    """Say that a receive is not later than its send."""
    sent, received = int(trace.clock[send]), int(trace.clock[receive])
    return (
        f"{words.called(trace, int(trace.node[send]))} sent at {words.event(trace, send)} with clock "
        f"{trace.shown_clock(sent)}; {words.called(trace, int(trace.node[receive]))} received it at "
        f"{words.event(trace, receive)} with clock {trace.shown_clock(received)}. {_later_than(trace, sent)} "
        f"({trace.place_of(send)}, {trace.place_of(receive)})"
    )


def not_later_than_stamp(trace: ForeignTrace, row: int) -> str:
    """Say that a receive is not later than the timestamp that it names."""
    stamp = int(trace.stamp[row])
    return (
        f"{receipt(trace, row)} with timestamp {trace.shown_clock(stamp)}, and its clock then was "
        f"{trace.shown_clock(int(trace.clock[row]))}. {_later_than(trace, stamp)} ({trace.place_of(row)})"
    )


def receipt(trace: ForeignTrace, receive: int, what: str = "a message") -> str:
    """Return who received what where, as the beginning of a sentence."""
    return f"{words.called(trace, int(trace.node[receive]))} received {what} at {words.event(trace, receive)}"


def _later_than(trace: ForeignTrace, sent: int) -> str:
    least = trace.shown_clock(sent + trace.clock_scale)
    return f"A receive must be later than its send: at least {least} (Lamport's IR2)."
