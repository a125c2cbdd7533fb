"""`csv`: one line an event, every field of it, nothing lost.

Never repeats what the table already says: a receive's send is found by its name.
Source: RFC 4180.
"""

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from node.event import Delivery, EventId
from orchestrator.export.exported import Exported
from orchestrator.trace.store import KINDS, NULL, Trace

COLUMNS: Final = (
    *("name", "node", "incarnation", "index", "tick", "due_ns", "wall", "kind", "clock", "queue", "to"),
    *("from", "from_copy", "number", "stamp", "arrival_ns", "seen_ns"),
)


class _Line:
    """What a csv.writer writes on, and hands back."""

    def write(self, line: str) -> str:
        return line


def table(trace: Trace) -> Exported:
    """Return the table, ordered by due time and then by node; its times are since the run's epoch."""
    return Exported({"": _lines(trace)})


def recipients(deliveries: Iterable[Delivery]) -> str:
    """Return a send's recipients in one cell: `2#14@1500000000 3#lost`, the number on the link and the arrival.

    A second copy of a message is marked: `2#15@1600000000~1`.
    """
    return " ".join(
        f"{one.recipient}#{'lost' if one.number is None else f'{one.number}@{one.arrival_ns}'}{'~1' * one.copy}"
        for one in deliveries
    )


def deliveries(trace: Trace, row: int, shift_ns: int = 0) -> Iterator[Delivery]:
    """Yield what a send sent; `shift_ns` is how much later than the run's epoch that of the times is."""
    messages = trace.messages
    for message in trace.sent_by.get(row, ()):
        number, arrival_ns = int(messages.number[message]), int(messages.arrival_ns[message])
        is_lost = number == NULL
        yield Delivery(
            int(messages.recipient[message]),
            None if is_lost else number,
            None if is_lost else arrival_ns - shift_ns,
            int(messages.copy[message]),
        )


def _lines(trace: Trace) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for row in range(len(trace)):
        yield writer.writerow(_cells(trace, row))


def _cells(trace: Trace, row: int) -> Iterator[str | int]:
    yield str(trace.name(row))
    for column in (trace.node, trace.incarnation, trace.index, trace.tick, trace.due_ns, trace.wall):
        yield _cell(int(column[row]))
    yield KINDS[trace.kind[row]]
    yield int(trace.clock[row])
    yield int(trace.queue[row])
    yield recipients(deliveries(trace, row))
    yield _cause(trace, row)
    for column in (trace.cause_copy, trace.number, trace.stamp, trace.arrival_ns, trace.seen_ns):
        yield _cell(int(column[row]))


def _cell(value: int) -> str | int:
    return "" if value == NULL else value


def _cause(trace: Trace, row: int) -> str:
    if not trace.is_receive[row]:
        return ""
    return str(EventId(int(trace.cause_node[row]), int(trace.cause_incarnation[row]), int(trace.cause_index[row])))
