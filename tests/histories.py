"""Histories for tests: of simulated, golden and random runs, and of the same run as others would have logged it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from node.event import Delivery, Event, MessageId
from node.model import Model
from orchestrator.audit.store import INTERNAL, RECEIVE, SEND
from orchestrator.explain.history import History
from orchestrator.explain.others import ForeignHistory
from orchestrator.explain.ours import OwnHistory
from orchestrator.labs.simulated import simulate
from orchestrator.trace import Trace, trace_of
from orchestrator.trace.build import Recorded, build
from orchestrator.trace.order import Edges
from orchestrator.trace.store import KINDS, NULL, Machine
from orchestrator.trace.verdict import Evidence
from tests import golden_runs
from tests.foreign_traces import foreign_trace


def history_of(trace: Trace) -> OwnHistory:
    """Return the history of a trace of ours."""
    return OwnHistory(trace, name="test")


def simulated_history(machines: dict[int, Model]) -> OwnHistory:
    """Return the history of a simulated run."""
    return history_of(trace_of(machines, simulate(machines)))


def golden_trace(name: str) -> Trace:
    """Return the trace of a golden run, with faults or without; stamps and numbers of messages are not in it."""
    arrays = golden_runs.expected(name)
    events = [
        Event(
            **dict(
                zip(("node", "incarnation", "index", "tick", "due_ns", "kind", "clock", "queue"), array, strict=False)
            ),
            cause=MessageId(*array[8]) if array[8] else None,
            to=tuple(Delivery(*delivery) for delivery in array[9] or ()),
        )
        for array in arrays
    ]
    machines = {node: Machine(model=None, is_in_memory=True) for node in sorted({event.node for event in events})}
    return build(machines, [Recorded(event, None, line) for line, event in enumerate(events, 1)])


def as_foreign(
    trace: Trace,
    *,
    forgotten: Sequence[int] = (),
    evidence: Evidence | None = "by-id",
    has_clock: bool = True,
    nodes: tuple[str, ...] = (),
) -> ForeignHistory:
    """Return a trace of ours as if others had logged it, a line an event; `forgotten` receives are not paired."""
    kind = np.array([{"internal": INTERNAL, "receive": RECEIVE}.get(name, SEND) for name in KINDS])[trace.kind]
    columns = foreign_trace((trace.node - 1).tolist(), nodes=len(trace.machines), times_ns=trace.due_ns.tolist())
    foreign = replace(
        columns,
        nodes=nodes or columns.nodes,
        clock_kind="scalar" if has_clock else "none",
        kind=kind,
        clock=trace.clock if has_clock else columns.clock,
        sender=np.where(trace.cause_node == NULL, -1, trace.cause_node - 1),
    )
    paired = np.array(sorted(set(np.flatnonzero(trace.cause_row >= 0).tolist()) - set(forgotten)), np.int64)
    return ForeignHistory(foreign, Edges(trace.cause_row[paired], paired), evidence)


def is_just_before(history: History, earlier: int, later: int) -> bool:
    """Return whether one event is the previous of the other on its machine, or was received by it."""
    return earlier == history.previous(later) or earlier in history.causes(later)
