"""`classic`: a text log for each machine, as solutions of the exercise write it.

Never says who sent what to whom: this format has no place for it.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from node.event import Kind
from orchestrator.export.exported import Exported, machine
from orchestrator.trace.store import KINDS, NULL, Column, Trace

WORDS: Final[dict[Kind, str]] = {
    "internal": "INTERNAL",
    "send-one": "SEND(1)",
    "send-next": "SEND(2)",
    "send-all": "SEND(3)",
    "receive": "RECEIVE",
}


def classic(trace: Trace) -> Exported:
    """Return the log of each machine, in the order in which it wrote."""
    return Exported({f"{machine(node)}.log": _lines(trace, rows) for node, rows in trace.logs.items()})


def _lines(trace: Trace, rows: Column) -> Iterator[str]:
    for row in rows.tolist():
        kind = KINDS[trace.kind[row]]
        queue = f", queue={trace.queue[row]}" if kind == "receive" else ""
        yield f"{_unix_seconds(trace, row)}, {WORDS[kind]}, L={trace.clock[row]}{queue}\n"


def _unix_seconds(trace: Trace, row: int) -> str:
    # Simulated, nothing happens at any time: what counts is when it was due, and the epoch is 0.
    wall, due_ns = int(trace.wall[row]), trace.epoch_ns + int(trace.due_ns[row])
    return f"{Decimal(due_ns if wall == NULL else wall).scaleb(-9):.6f}"
