"""`jsonl`: an event log for each machine, line for line what a node writes.

Never invents what the record does not hold: without a start line in it there is none in the log, and the lines of
connections and crashes are left out, as nothing is computed from them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from node.event import Event, MessageId
from node.model import MODEL_JSON, Model
from node.record import event_line
from orchestrator.export.exported import Exported
from orchestrator.export.table import deliveries
from orchestrator.trace.store import KINDS, NULL, Trace


def lines(trace: Trace) -> Exported:
    """Return the log of each machine, in the order in which it wrote; its times are in the machine's own epoch."""
    return Exported({f"events-{node}.jsonl": _log(trace, node) for node in trace.machines})


def _log(trace: Trace, node: int) -> Iterator[str]:
    machine = trace.machines[node]
    yield from _written(line for line in (machine.start,) if line)
    events = (_event(trace, row, machine.shift_ns) for row in trace.logs[node].tolist())
    yield from _written(event_line(*event) for event in events)
    yield from _written(line for line in (machine.end, machine.stop) if line)


def _event(trace: Trace, row: int, shift_ns: int) -> tuple[Event, int | None]:
    """Return the event in a row, and its wall time."""
    of_receive: dict[str, Any] = {}
    if trace.is_receive[row]:
        named = (trace.cause_node, trace.cause_incarnation, trace.cause_index, trace.cause_copy)
        of_receive = {"cause": MessageId(*(int(column[row]) for column in named))}
        of_receive |= {"number": int(trace.number[row]), "stamp": int(trace.stamp[row])}
        of_receive |= {"arrival_ns": int(trace.arrival_ns[row]) - shift_ns}
        of_receive |= {"seen_ns": _or_none(trace.seen_ns[row], shift_ns)}
    event = Event(
        node=int(trace.node[row]),
        incarnation=int(trace.incarnation[row]),
        index=int(trace.index[row]),
        tick=int(trace.tick[row]),
        due_ns=int(trace.due_ns[row]) - shift_ns,
        kind=KINDS[trace.kind[row]],
        clock=int(trace.clock[row]),
        queue=int(trace.queue[row]),
        to=tuple(deliveries(trace, row, shift_ns)),
        **of_receive,
    )
    return event, _or_none(trace.wall[row])


def _or_none(value: Any, shift_ns: int = 0) -> int | None:
    return None if value == NULL else int(value) - shift_ns


def _written(some: Iterable[Any]) -> Iterator[str]:
    for line in some:
        yield orjson.dumps(line, default=_model, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode() + "\n"


def _model(value: object) -> orjson.Fragment:
    assert isinstance(value, Model), "nothing else in a line is ours"
    return orjson.Fragment(MODEL_JSON.dump_json(value))
