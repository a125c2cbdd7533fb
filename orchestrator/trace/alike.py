"""Which events of two runs are equal at a place that both have once, found column by column.

Never says what differs: whatever is not found here is for `compare` to look at, event by event.
"""

from typing import NamedTuple

import numpy as np

from orchestrator.trace.store import NULL, RECEIVE, Column, Mask, Trace


class Alike(NamedTuple):
    """Rows of equal events, pair by pair."""

    a: Column
    b: Column


def alike(a: Trace, b: Trace) -> Alike:
    """Return the pairs of rows that have the same place and are equal in every field."""
    pairs = _paired(a, b)
    is_equal = np.ones(len(pairs.a), np.bool_)
    for mine, other in ((a.kind, b.kind), (a.clock, b.clock), (a.queue, b.queue)):
        is_equal &= mine[pairs.a] == other[pairs.b]
    is_caused = np.equal(a.kind[pairs.a], RECEIVE)
    for name in ("cause_node", "cause_incarnation", "cause_index", "cause_copy"):
        is_equal &= ~is_caused | (getattr(a, name)[pairs.a] == getattr(b, name)[pairs.b])
    pairs = Alike(pairs.a[is_equal], pairs.b[is_equal])
    is_sent = _have_equal_messages(a, b, pairs)
    return Alike(pairs.a[is_sent], pairs.b[is_sent])


def without(rows: Column, count: int) -> list[int]:
    """Return the rows that are left."""
    is_left = np.ones(count, np.bool_)
    is_left[rows] = False
    left: list[int] = np.flatnonzero(is_left).tolist()
    return left


def _paired(a: Trace, b: Trace) -> Alike:
    """Return the rows of each place at which either run has exactly one event."""
    node, incarnation, tick = (
        np.concatenate([mine, other])
        for mine, other in ((a.node, b.node), (a.incarnation, b.incarnation), (a.tick, b.tick))
    )
    order = np.lexsort((tick, incarnation, node))  # stable: of equal places those of the first run come first
    is_new = np.ones(len(order) + 1, np.bool_)
    is_new[1:-1] = False
    for column in (node, incarnation, tick):
        is_new[1:-1] |= column[order[1:]] != column[order[:-1]]
    begins = np.flatnonzero(is_new)
    of_two = begins[:-1][np.diff(begins) == 2]
    first, second = order[of_two], order[of_two + 1]
    is_in_both = (first < len(a)) & (second >= len(a))
    return Alike(first[is_in_both], second[is_in_both] - len(a))


def _have_equal_messages(a: Trace, b: Trace, pairs: Alike) -> Mask:
    """Return which pairs sent the same to the same machines, in the same order."""
    mine, other = _sent(a), _sent(b)
    count = mine.counts[pairs.a]
    is_equal: Mask = count == other.counts[pairs.b]
    pair = np.repeat(np.flatnonzero(is_equal), count[is_equal])
    lengths = count[is_equal]
    within = np.arange(len(pair)) - np.repeat(lengths.cumsum() - lengths, lengths)
    left, right = (sent.order[sent.begin[rows[pair]] + within] for sent, rows in ((mine, pairs.a), (other, pairs.b)))
    is_same = a.messages.recipient[left] == b.messages.recipient[right]
    is_same &= a.messages.copy[left] == b.messages.copy[right]
    is_same &= mine.arrival_ns[left] == other.arrival_ns[right]
    is_equal[pair[~is_same]] = False
    return is_equal


class _Sent(NamedTuple):
    """The messages in the order of their sends, of each event how many and from where on, and all arrivals."""

    order: Column
    begin: Column
    counts: Column
    arrival_ns: Column
    """In the sender's own epoch, NULL if it is lost."""


def _sent(trace: Trace) -> _Sent:
    table = trace.messages
    count = np.bincount(table.send_row, minlength=len(trace))
    shifts = {node: machine.shift_ns for node, machine in trace.machines.items() if machine.shift_ns}
    arrival_ns = table.arrival_ns
    if shifts:
        shift_ns = np.array([shifts.get(node, 0) for node in trace.node[table.send_row].tolist()], np.int64)
        arrival_ns = np.where(arrival_ns == NULL, NULL, arrival_ns - shift_ns)
    return _Sent(np.argsort(table.send_row, kind="stable"), count.cumsum() - count, count, arrival_ns)
