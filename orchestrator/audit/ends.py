"""Where each message went and where it came from, as far as a log says it.

Never guesses. A send that does not name its recipient still has one if a receive is known to be of it, or if there is
but one other machine; a receive that does not name its sender, if it is known to be of a send, or if but one machine
can have sent to it.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import TypeAlias

import numpy as np

from orchestrator.audit.rooms import machines_without_log
from orchestrator.audit.store import ALL, MANY, ONE, ForeignTrace
from orchestrator.trace.formulas import distinct
from orchestrator.trace.order import Edges
from orchestrator.trace.store import Column

LinkName: TypeAlias = tuple[int, int]
"""The machine that sends and the one that receives."""


class Ends:
    """The two ends of the messages of a trace; `edges` are the pairs of a send and its receive that are certain.

    `unaddressed` are the sends of each machine of which nobody knows the recipient, `anonymous` the receives of each of
    which nobody knows the sender. `one_is_one` is False if a send that names nobody was received by several machines,
    so that nobody knows how many any such send went to.
    """

    def __init__(self, trace: ForeignTrace, edges: Edges) -> None:
        self._trace = trace
        self.tells_kinds = tells_kinds(trace)
        without_log = machines_without_log(trace)
        self.all_have_logs = not without_log
        self.all_are_named = len(trace.nodes) not in without_log
        self.edges = _messages(trace, edges) if self.tells_kinds else edges
        nameless, _ = self.received_by_send
        nameless = nameless[trace.to[nameless] == ONE]
        self.one_is_one = len(nameless) == len(distinct(nameless))
        self._recipient = self._known_recipients()
        self._to_all = trace.is_send & (trace.to == ALL) & (not trace.may_be_some)
        is_open = (self._recipient == ONE) | ((trace.to == ALL) & trace.may_be_some)
        self.unaddressed = counted(trace.node[trace.is_send & is_open])
        self._sender = self._known_senders()
        self.anonymous = counted(trace.node[trace.is_receive & (self._sender < 0)])

    @cached_property
    def sent_on(self) -> dict[LinkName, int]:
        """How many messages at least were sent on each link."""
        trace, machines = self._trace, range(len(self._trace.nodes))
        single = trace.is_send & (self._recipient >= 0)
        sent: Counter[LinkName] = Counter(self._on_links(trace.node[single], self._recipient[single]))
        alike = Counter((int(trace.node[row]), trace.recipients[row]) for row in self.sends_to_many)
        for (sender, recipients), count in alike.items():
            sent.update({(sender, recipient): count for recipient in recipients})
        for sender, count in counted(trace.node[self._to_all]).items():
            sent.update({(sender, recipient): count for recipient in machines if recipient != sender})
        return sent

    @cached_property
    def received_on(self) -> dict[LinkName, int]:
        """How many messages at least were received on each link; without kinds, how many events heard of its sender."""
        if not self.tells_kinds:
            return self.known_on
        named = self._trace.is_receive & (self._sender >= 0)
        return self._on_links(self._sender[named], self._trace.node[named])

    @cached_property
    def matched_on(self) -> dict[LinkName, int]:
        """How many messages of each link are known to have been received, however often."""
        sends, recipients = self.received_by_send
        return self._on_links(self._trace.node[sends], recipients)

    @cached_property
    def known_on(self) -> dict[LinkName, int]:
        """How many receives of each link are known to be of one of its sends."""
        receives, senders = self._distinct(self.edges.effect, self.edges.cause)
        return self._on_links(senders, self._trace.node[receives])

    @cached_property
    def received_by_send(self) -> tuple[Column, Column]:
        """The row of a send and a machine that received its message, for every such pair."""
        return self._distinct(self.edges.cause, self.edges.effect)

    @cached_property
    def wanted(self) -> Column:
        """How many machines each send went to; 0 for what is no send."""
        trace = self._trace
        wanted = trace.is_send.astype(np.int64)
        wanted[self._to_all] = len(trace.nodes) - 1
        for row in self.sends_to_many:
            wanted[row] = len(trace.recipients[row])
        return wanted

    @property
    def sends_to_many(self) -> Iterator[int]:
        """The rows of the sends to several machines that they name."""
        yield from np.flatnonzero(self._trace.is_send & (self._trace.to == MANY)).tolist()

    def _known_recipients(self) -> Column:
        """Return the machine that each send to one went to, ONE where nobody knows it."""
        trace, known = self._trace, self._trace.to.copy()
        if len(trace.nodes) == 2 and self.all_have_logs:
            known = np.where(known == ONE, 1 - trace.node, known)
        if self.one_is_one:
            sends, receives = self.edges
            nameless = known[sends] == ONE
            known[sends[nameless]] = trace.node[receives[nameless]]
        return known

    def _known_senders(self) -> Column:
        """Return the machine that each receive is from, -1 where nobody knows it."""
        trace, known = self._trace, self._trace.sender.copy()
        sends, receives = self.edges
        nameless = known[receives] < 0
        known[receives[nameless]] = trace.node[sends[nameless]]
        if self.all_have_logs:
            known = np.where(known < 0, self._only_sender_to()[trace.node], known)
        return known

    def _only_sender_to(self) -> Column:
        """Return, for each machine, the only one that can have sent to it, or -1."""
        senders = [self.unaddressed.keys() - {node} for node in range(len(self._trace.nodes))]
        for sender, recipient in self.sent_on:
            senders[recipient].add(sender)
        return np.array([found.pop() if len(found) == 1 else -1 for found in senders], np.int64)

    def _distinct(self, rows: Column, others: Column) -> tuple[Column, Column]:
        """Return each row at one end of the edges with each machine at the other, once."""
        count = len(self._trace.nodes)
        found, machines = np.divmod(distinct(rows * count + self._trace.node[others]), count)
        return found, machines

    def _on_links(self, senders: Column, recipients: Column) -> dict[LinkName, int]:
        count = len(self._trace.nodes)
        return {divmod(link, count): times for link, times in counted(senders * count + recipients).items()}


def tells_kinds(trace: ForeignTrace) -> bool:
    """Whether the log says of any event that it is a send or a receive."""
    return bool(trace.is_send.any() or trace.is_receive.any())


def counted(values: Column) -> dict[int, int]:
    """Return how often each value occurs."""
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _messages(trace: ForeignTrace, edges: Edges) -> Edges:
    """Return the edges that are messages.

    A receive that is known to be after several events, none of them after another, has lost its own send.
    """
    is_alone = np.bincount(edges.effect, minlength=1)[edges.effect] == 1
    is_message = trace.is_send[edges.cause] & trace.is_receive[edges.effect] & is_alone
    return Edges(edges.cause[is_message], edges.effect[is_message])
