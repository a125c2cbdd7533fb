"""A run as narrow columns, as they are kept on disk: the events in the order of (due, node), then the messages.

Never rolls dice and never judges. What is stored is small because it repeats, not because the rules would give it.
Source: `docs/run-directory.md`, "A trace in columns".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from node.errors import LogError
from node.limits import SECOND_NS
from node.model import Model
from orchestrator.trace.parquet import Narrow
from orchestrator.trace.store import KINDS, NULL, RECEIVE, Column, Machine, Messages, Trace

OF_EVENTS: Final = (
    *("node", "incarnation", "second", "slot", "skipped", "kind", "clock", "queue", "lag", "stamp_behind"),
)
OF_MESSAGES: Final = ("gap", "recipient", "number", "delay_ns", "copy")


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """The events, then the copies of messages in the order of their sends (`send` is a row of the events).

    `message` is what a receive took, a position among the messages; of other events it is the number of messages sent
    before. `stamp_behind` is by how much the stamp that a receive took is less than the clock of its send.
    A lost message has the number 0, and no delay.
    """

    node: Narrow
    incarnation: Narrow
    index: Narrow
    tick: Narrow
    kind: Narrow
    clock: Narrow
    queue: Narrow
    message: Narrow
    stamp_behind: Narrow
    send: Narrow
    recipient: Narrow
    number: Narrow
    delay_ns: Narrow
    copy: Narrow

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.kind)


@dataclass(frozen=True, slots=True, eq=False)
class Rhythm:
    """When machines tick, by their numbers."""

    rate_hz: Column
    phase_ns: Column

    def due_ns(self, node: Narrow, tick: Narrow) -> Column:
        """Return when ticks are due."""
        rate_hz = self.rate_hz[node]
        # Split, so that no product leaves 64 bits.
        second, rest = np.divmod(tick.astype(np.int64), rate_hz)
        due_ns: Column = self.phase_ns[node] + second * SECOND_NS + rest * SECOND_NS // rate_hz
        return due_ns


def rhythm_of(models: Mapping[int, Model]) -> Rhythm:
    """Return when these machines tick; a machine without a model has the rate 1."""
    rate_hz, phase_ns = np.ones(max(models, default=0) + 1, np.int64), np.zeros(max(models, default=0) + 1, np.int64)
    nodes = np.fromiter(models, np.int64, len(models))
    rate_hz[nodes] = [model.rate_hz for model in models.values()]
    phase_ns[nodes] = [model.phase_ns for model in models.values()]
    return Rhythm(rate_hz, phase_ns)


def columns_of(trace: Trace) -> Columns:
    """Return the columns of a run that a lab handed over: every receive has its message, and nothing came late."""
    receives = np.flatnonzero(trace.is_receive)
    assert (trace.message[receives] >= 0).all(), "what a lab hands over has its messages"
    messages, is_lost = trace.messages, trace.messages.number == NULL
    message = _sent_before(messages.send_row, len(trace))
    message[receives] = trace.message[receives]
    stamp_behind = np.zeros(len(trace), np.int64)
    stamp_behind[receives] = trace.clock[trace.cause_row[receives]] - trace.stamp[receives]
    return Columns(
        node=trace.node,
        incarnation=trace.incarnation,
        index=trace.index,
        tick=trace.tick,
        kind=trace.kind,
        clock=trace.clock,
        queue=trace.queue,
        message=message,
        stamp_behind=stamp_behind,
        send=messages.send_row,
        recipient=messages.recipient,
        number=np.where(is_lost, 0, messages.number),
        delay_ns=np.where(is_lost, 0, messages.arrival_ns - trace.due_ns[messages.send_row]),
        copy=messages.copy,
    )


def stored(columns: Columns, rhythm: Rhythm) -> tuple[dict[str, Narrow], dict[str, Narrow]]:
    """Return the two tables that are written: of the events and of the messages."""
    second = rhythm.due_ns(columns.node, columns.tick) // SECOND_NS
    events = {
        "node": columns.node,
        "incarnation": columns.incarnation,
        "second": second,
        # The same every second, as the pattern of ticks is.
        "slot": columns.tick - second * rhythm.rate_hz[columns.node],
        "skipped": columns.tick - columns.index + np.int64(1),
        "kind": columns.kind,
        "clock": columns.clock,
        "queue": columns.queue,
        "lag": _sent_before(columns.send, len(columns)) - columns.message,
        "stamp_behind": columns.stamp_behind,
    }
    messages = {
        "gap": np.diff(columns.send.astype(np.int64), prepend=0),
        "recipient": columns.recipient,
        "number": columns.number,
        "delay_ns": columns.delay_ns,
        "copy": columns.copy,
    }
    return tuple({name: _narrowed(column) for name, column in table.items()} for table in (events, messages))  # type: ignore[return-value]


def restored(events: Mapping[str, Narrow], messages: Mapping[str, Narrow], rhythm: Rhythm) -> Columns:
    """Return what `stored` was given.

    Raises LogError, without the place, for tables that cannot have been written so.
    """
    _demand(all(column.dtype.kind in "iu" for column in (*events.values(), *messages.values())), "no whole numbers")
    node, lag, slot = events["node"], _wide(events["lag"]), _wide(events["slot"])
    for column in (node, messages["recipient"]):
        _demand(_within(column, 1, len(rhythm.rate_hz) - 1), "a machine that is not there")
    _demand(_within(events["kind"], 0, len(KINDS) - 1), "no kind of an event")
    tick, send = _wide(events["second"]) * rhythm.rate_hz[node] + slot, np.cumsum(_wide(messages["gap"]))
    _demand(_within(tick, 0, None) and _within(messages["gap"], 0, None), "a number below its least")
    message = _sent_before(send, len(node)) - lag
    taken = message[events["kind"] == RECEIVE]
    _demand(_within(taken, 0, len(send) - 1), "a receive of a message that is not there")
    _demand(bool((messages["number"][taken] != 0).all()), "a receive of a message that was lost")
    due_ns = rhythm.due_ns(node, tick)
    _demand(np.array_equal(due_ns // SECOND_NS, events["second"]), "a tick that is not in its second")
    _demand(bool((np.diff(due_ns) >= 0).all()), "an event before one that was due earlier")
    return Columns(
        **{name: events[name] for name in ("node", "incarnation", "kind", "clock", "queue", "stamp_behind")},
        **{name: messages[name] for name in ("recipient", "number", "delay_ns", "copy")},
        index=_narrowed(tick - _wide(events["skipped"]) + 1),
        tick=_narrowed(tick),
        message=_narrowed(message),
        send=_narrowed(send),
    )


def trace_of_columns(columns: Columns, machines: Mapping[int, Machine], *, damage: tuple[str, ...] = ()) -> Trace:
    """Return the trace, with what follows from the columns: due times, causes, and what a message says to both."""
    due_ns = rhythm_of({node: one.model for node, one in machines.items() if one.model}).due_ns(
        columns.node, columns.tick
    )
    rows = np.flatnonzero(columns.kind == RECEIVE)
    taken = _wide(columns.message)[rows]
    # A message that was sent to somebody else is not the one that a receive names.
    found = np.where(columns.recipient[taken] == columns.node[rows], taken, -1)
    messages = _messages(columns, due_ns, found, rows)
    cause = messages.send_row[taken]

    def of_receives(values: Any, empty: int = NULL) -> Column:
        column = np.full(len(columns), empty, np.int64)
        column[rows] = values
        return column

    return Trace(
        node=_wide(columns.node),
        incarnation=_wide(columns.incarnation),
        index=_wide(columns.index),
        tick=_wide(columns.tick),
        due_ns=due_ns,
        wall=of_receives(NULL),
        kind=_wide(columns.kind),
        clock=_wide(columns.clock),
        queue=_wide(columns.queue),
        cause_node=of_receives(columns.node[cause]),
        cause_incarnation=of_receives(columns.incarnation[cause]),
        cause_index=of_receives(columns.index[cause]),
        cause_copy=of_receives(columns.copy[taken]),
        number=of_receives(messages.number[taken]),
        stamp=of_receives(_wide(columns.clock[cause]) - columns.stamp_behind[rows]),
        arrival_ns=of_receives(messages.arrival_ns[taken]),
        seen_ns=of_receives(NULL),
        line=positions(columns.node),
        cause_row=of_receives(cause, -1),
        message=of_receives(found, -1),
        messages=messages,
        machines=machines,
        damage=damage,
    )


def _messages(columns: Columns, due_ns: Column, found: Column, rows: Column) -> Messages:
    """Return the table of messages; `found` is what the receives in `rows` took."""
    send, is_lost = _wide(columns.send), columns.number == 0
    receive_row = np.full(len(send), -1, np.int64)
    receive_row[found[found >= 0][::-1]] = rows[found >= 0][::-1]  # the first, if there are several
    return Messages(
        send_row=send,
        recipient=_wide(columns.recipient),
        number=np.where(is_lost, NULL, _wide(columns.number)),
        arrival_ns=np.where(is_lost, NULL, due_ns[send] + _wide(columns.delay_ns)),
        copy=_wide(columns.copy),
        receive_row=receive_row,
    )


def _sent_before(send: Narrow, events: int) -> Column:
    """Return how many messages were sent before each of so many events."""
    counts = np.bincount(_wide(send[: np.searchsorted(send, events)]), minlength=events)
    before: Column = np.cumsum(counts) - counts
    return before


def positions(node: Narrow) -> Column:
    """Return the position of each event among those of its machine, from 1."""
    order = np.argsort(node, kind="stable")
    counts = np.bincount(node)
    positions = np.empty(len(node), np.int64)
    positions[order] = np.arange(len(node)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    return positions


def _narrowed(column: Narrow) -> Narrow:
    """Return a column in as few bytes as its values need."""
    if not len(column):
        return column.astype(np.uint8)
    return column.astype(np.promote_types(np.min_scalar_type(column.min()), np.min_scalar_type(column.max())))


def _within(column: Narrow, least: int, most: int | None) -> bool:
    return not len(column) or (int(column.min()) >= least and (most is None or int(column.max()) <= most))


def _demand(is_so: bool, else_what: str) -> None:
    if not is_so:
        raise LogError(else_what)


def _wide(column: Narrow) -> Column:
    return column.astype(np.int64)
