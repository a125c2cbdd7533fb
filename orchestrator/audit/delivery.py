"""The delivery audit: how many messages were sent and received on each link, and how many were left over.

Never guesses: a number that the log does not say is None.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from orchestrator.audit.ends import Ends, LinkName, counted
from orchestrator.audit.store import ALL, OTHER, ForeignTrace
from orchestrator.trace.order import Edges

ByMachine: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """What went from one machine to another; a message to several machines is one on each link."""

    sender: int
    recipient: int
    sent: int | None
    received: int | None
    left_over: int | None


class Delivery:
    """Counts the messages of a trace; `edges` are the pairs of a send and its receive that are certain.

    A kind of event that never occurs is taken for one that is not logged.
    """

    def __init__(self, trace: ForeignTrace, edges: Edges) -> None:
        self._trace = trace
        self.ends = Ends(trace, edges)
        self._machines = range(len(trace.nodes))
        self._tells_sends, self._tells_receives = bool(trace.is_send.any()), bool(trace.is_receive.any())
        self._has_log = [len(rows) > 0 for rows in trace.programs]

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Every link on which a message is known to have gone, by its machines."""
        names = sorted(self.ends.sent_on.keys() | self.ends.received_on.keys())
        return tuple(self._link(sender, recipient) for sender, recipient in names)

    @cached_property
    def sent_by(self) -> ByMachine:
        """How many messages each machine sent, one to each recipient."""
        trace, ends = self._trace, self.ends
        counts = np.bincount(trace.node, weights=ends.wanted, minlength=len(trace.nodes))
        is_open = set(ends.unaddressed) if trace.may_be_some or not ends.one_is_one else set[int]()
        if not ends.all_are_named:
            # "To all" is to the machine that nobody names, too, and perhaps to more.
            is_open |= counted(trace.node[trace.to == ALL]).keys()
        return tuple(
            int(counts[node]) if self._tells_sends and self._has_log[node] and node not in is_open else None
            for node in self._machines
        )

    @cached_property
    def received_by(self) -> ByMachine:
        """How many messages each machine received."""
        counts, is_told = counted(self._trace.node[self._trace.is_receive]), self._tells_receives
        return tuple(counts.get(node, 0) if is_told and self._has_log[node] else None for node in self._machines)

    @cached_property
    def sent_to(self) -> ByMachine:
        """How many messages were sent to each machine."""
        sent = _by_recipient(self.ends.sent_on)
        if not (self.ends.all_have_logs and self._tells_sends):
            return (None,) * len(self._machines)
        return tuple(None if self.ends.unaddressed.keys() - {node} else sent[node] for node in self._machines)

    @cached_property
    def most_sent_to(self) -> ByMachine:
        """How many messages at most were sent to each machine; None where sends may be missing from the record."""
        trace, ends = self._trace, self.ends
        is_whole = ends.all_have_logs and not len(trace.unread_line) and not (trace.kind == OTHER).any()
        if not (is_whole and self._tells_sends):
            return (None,) * len(self._machines)
        named, open_ = _by_recipient(ends.sent_on), sum(ends.unaddressed.values())
        return tuple(named[node] + open_ - ends.unaddressed.get(node, 0) for node in self._machines)

    @cached_property
    def left_to(self) -> ByMachine:
        """How many messages to each machine it never received."""
        matched, known = _by_recipient(self.ends.matched_on), _by_recipient(self.ends.known_on)
        counts = zip(self._machines, self.sent_to, self.received_by, strict=True)
        return tuple(_left(sent, received, matched[node], known[node]) for node, sent, received in counts)

    @cached_property
    def sent(self) -> int | None:
        """How many messages were sent."""
        return self._total(self.sent_by)

    @cached_property
    def received(self) -> int | None:
        """How many messages were received."""
        return self._total(self.received_by)

    @cached_property
    def left_over(self) -> int | None:
        """How many messages were never received."""
        return _left(self.sent, self.received, sum(self.ends.matched_on.values()), sum(self.ends.known_on.values()))

    @cached_property
    def first_left_over(self) -> int:
        """The row of the first send of a message that was never received, -1 if there is none or nobody can tell."""
        is_whole = sum(self.ends.known_on.values()) == np.count_nonzero(self._trace.is_receive)
        if not self.left_over or not is_whole:
            return -1
        sends, _ = self.ends.received_by_send
        return int(np.argmax(self.ends.wanted > np.bincount(sends, minlength=len(self._trace))))

    def _link(self, sender: int, recipient: int) -> Link:
        ends, name = self.ends, (sender, recipient)
        sent = received = None
        if self._tells_sends and self._has_log[sender] and sender not in ends.unaddressed:
            sent = ends.sent_on.get(name, 0)
        is_told = self._tells_receives and self._has_log[recipient] and recipient not in ends.anonymous
        if is_told or not ends.tells_kinds:
            received = ends.received_on.get(name, 0)
        elif self.left_to[recipient] == 0:
            received = sent
        left = _left(sent, received, ends.matched_on.get(name, 0), ends.known_on.get(name, 0))
        return Link(sender, recipient, sent, received, left)

    def _total(self, counts: ByMachine) -> int | None:
        known = [count for count in counts if count is not None]
        return sum(known) if self.ends.all_have_logs and len(known) == len(counts) else None


def _left(sent: int | None, received: int | None, matched: int, known: int) -> int | None:
    """Return how many were sent and never received: not known to be received, and not what another receive is of."""
    if sent is None or received is None:
        return None
    left = sent - matched - (received - known)
    return left if left >= 0 else None


def _by_recipient(counts: Mapping[LinkName, int]) -> Counter[int]:
    found: Counter[int] = Counter()
    for (_, recipient), count in counts.items():
        found[recipient] += count
    return found
