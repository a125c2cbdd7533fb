"""Who waited for whom, and what was received before it was sent, by the clocks of the hosts.

Never compares times of two hosts further than the offset of their clocks is known.
"""

from dataclasses import dataclass

import numpy as np

from orchestrator.audit.offsets import Offset, Passages, passages
from orchestrator.audit.store import ForeignTrace
from orchestrator.trace.order import Edges
from orchestrator.trace.store import NULL, Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """Of `messages` from one host to another `count` were received before they were sent, as their clocks go.

    The one in row `worst` was by `worst_ns`.
    """

    sender: int
    recipient: int
    messages: int
    count: int
    worst: int
    worst_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A machine did nothing for `idle_ns` before the event in row `effect`, which received what that in `cause` sent.

    For `for_sender_ns` of these nothing had been sent yet, give or take `unsure_ns`; in the rest the message was on its
    way, or in a queue. None where the clocks cannot be compared.
    """

    effect: int
    cause: int
    idle_ns: int
    for_sender_ns: int | None
    unsure_ns: int | None

    @property
    def most_ns(self) -> int:
        """How long the machine waited for the sender, at most where that is all that is known."""
        return self.idle_ns if self.for_sender_ns is None else self.for_sender_ns


def early_receives(trace: ForeignTrace, edges: Edges) -> list[Early]:
    """Return, for each pair of hosts that has any, the receives before their sends, the worst pair first."""
    messages = passages(trace, edges)
    link = messages.sender * len(trace.nodes) + messages.recipient
    order = np.lexsort((messages.taken_ns, link))
    _, first, size = np.unique(link[order], return_index=True, return_counts=True)
    is_early = messages.taken_ns[order] < 0
    found = [
        Early(
            sender=int(messages.sender[order[start]]),
            recipient=int(messages.recipient[order[start]]),
            messages=length,
            count=int(np.count_nonzero(is_early[start : start + length])),
            worst=int(messages.effect[order[start]]),
            worst_ns=-int(messages.taken_ns[order[start]]),
        )
        for start, length in zip(first.tolist(), size.tolist(), strict=True)
        if is_early[start]
    ]
    return sorted(found, key=lambda early: -early.worst_ns)


def longest_waits(trace: ForeignTrace, edges: Edges, known: list[Offset], *, count: int = 10) -> list[Wait]:
    """Return the longest waits of a machine for a sender, the longest first; `known` are the offsets.

    An event with several causes waited for the last of them.
    """
    messages = passages(trace, edges)
    before = trace.before[messages.effect]
    has_before = (before >= 0) & (trace.time_ns[before] != NULL)
    messages = Passages(*(column[has_before] for column in messages))
    before_ns = trace.time_ns[before[has_before]]
    idle_ns = trace.time_ns[messages.effect] - before_ns
    shift_ns, unsure_ns = _shifts(messages, known)
    is_known = shift_ns != NULL
    sent_ns = trace.time_ns[messages.cause] + np.where(is_known, shift_ns, 0)
    waited_ns = np.where(is_known, np.minimum(sent_ns - before_ns, idle_ns), idle_ns)
    order = np.lexsort((messages.effect, -waited_ns))
    _, last = np.unique(messages.effect[order], return_index=True)
    return [
        Wait(
            effect=int(messages.effect[place]),
            cause=int(messages.cause[place]),
            idle_ns=int(idle_ns[place]),
            for_sender_ns=int(waited_ns[place]) if is_known[place] else None,
            unsure_ns=int(unsure_ns[place]) if is_known[place] else None,
        )
        for place in order[np.sort(last)][:count].tolist()
        if waited_ns[place] > 0
    ]


def _shifts(messages: Passages, known: list[Offset]) -> tuple[Column, Column]:
    """Return what to add to each sender's time to have the recipient's, and how unsure that is; NULL if not known."""
    shift_of: dict[tuple[int, int], tuple[int, int]] = {}
    for offset in known:
        if offset.middle_ns is not None and offset.unsure_ns is not None:
            shift_of[offset.a, offset.b] = (offset.middle_ns, offset.unsure_ns)
            shift_of[offset.b, offset.a] = (-offset.middle_ns, offset.unsure_ns)
    ends = np.stack([messages.sender, messages.recipient], axis=1)
    links, place = np.unique(ends, axis=0, return_inverse=True)
    shifts = [shift_of.get((sender, recipient), (NULL, NULL)) for sender, recipient in links.tolist()]
    columns = np.array(shifts, np.int64).reshape(-1, 2)[place]
    return columns[:, 0], columns[:, 1]
