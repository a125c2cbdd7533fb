"""From a trace to narrow columns, if they say all that it says: what they leave out must follow from what they keep.

Never judges a law. Where a trace says anything that does not follow, the plain checks have the word.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from orchestrator.trace.proof.cluster import Cluster, due_ns
from orchestrator.trace.proof.columns import WORD_MAX, Columns, not_kept
from orchestrator.trace.store import KINDS, NULL, Column, Mask, Trace
from orchestrator.trace.unfolded import narrow_of

ARRIVAL_NS_MAX = 1 << 62


def columns_of(trace: Trace, cluster: Cluster) -> Columns | None:
    """Return a trace of this cluster as narrow columns; None if it would lose something."""
    if (narrow := narrow_of(trace)) is not None:
        return narrow
    if not all(bool(np.all(claim)) for claim in _claims(trace, cluster)):
        return None
    messages = trace.messages
    is_first = not trace.incarnation.any() and np.array_equal(trace.index, trace.tick + 1)
    return Columns(
        machine=_word(np.searchsorted(cluster.node, trace.node)),
        tick=_word(trace.tick),
        kind=trace.kind.astype(np.uint8),
        clock=_word(trace.clock),
        queue=_word(trace.queue),
        message=_word(np.maximum(trace.message, 0)),
        send_row=_word(messages.send_row),
        recipient=_word(np.searchsorted(cluster.node, messages.recipient)),
        number=_word(np.where(messages.number == NULL, 0, messages.number)),
        arrival_ns=np.where(messages.number == NULL, 0, messages.arrival_ns),
        copy=messages.copy.astype(np.uint8),
        incarnation=not_kept() if is_first else _word(trace.incarnation),
        index=not_kept() if is_first else _word(trace.index),
    )


def _claims(trace: Trace, cluster: Cluster) -> Iterator[Mask]:
    """Yield what must hold everywhere; each may rely on those before it."""
    for column in (trace.tick, trace.clock, trace.queue, trace.incarnation, trace.index):
        yield _is_within(column, 0, WORD_MAX)
    yield _is_within(trace.kind, 0, len(KINDS) - 1)
    yield np.isin(trace.node, cluster.node)
    machine = np.searchsorted(cluster.node, trace.node)
    yield trace.due_ns == due_ns(cluster, machine, trace.tick)
    order = np.argsort(machine, kind="stable")
    line, machine = trace.line[order], machine[order]
    yield (line[1:] >= line[:-1]) | (machine[1:] != machine[:-1])  # a difference may be too large for its word
    yield from _of_messages(trace, cluster)
    yield from _of_receives(trace)


def _of_messages(trace: Trace, cluster: Cluster) -> Iterator[Mask]:
    table = trace.messages
    is_lost = table.number == NULL
    yield _is_within(table.send_row, 0, len(trace) - 1)
    yield np.diff(table.send_row) >= 0
    yield np.isin(table.recipient, cluster.node)
    yield _is_within(table.number, 1, WORD_MAX) | is_lost
    yield np.where(is_lost, table.arrival_ns == NULL, _is_within(table.arrival_ns, 0, ARRIVAL_NS_MAX))
    yield _is_within(table.copy, 0, 1)


def _of_receives(trace: Trace) -> Iterator[Mask]:
    """Yield that a receive names its send and its message, and that nothing else does."""
    table, rows = trace.messages, np.flatnonzero(trace.is_receive)
    yield (trace.message < 0) == (trace.cause_row < 0)
    yield (trace.message >= 0) == trace.is_receive
    message = trace.message[rows]
    yield message < len(table)
    send = table.send_row[message]
    for column, follows in (
        (trace.cause_row, send),
        (trace.cause_node, trace.node[send]),
        (trace.cause_incarnation, trace.incarnation[send]),
        (trace.cause_index, trace.index[send]),
        (trace.cause_copy, table.copy[message]),
        (trace.node, table.recipient[message]),
        (trace.number, table.number[message]),
        (trace.arrival_ns, table.arrival_ns[message]),
    ):
        yield column[rows] == follows
    yield trace.seen_ns == NULL
    yield table.receive_row[message] == rows
    yield np.count_nonzero(table.receive_row >= 0) == len(rows)


def _is_within(column: Column, least: int, most: int) -> Mask:
    return (column >= least) & (column <= most)


def _word(column: Column) -> Any:
    return column.astype(np.uint32)
