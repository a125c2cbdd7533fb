"""The diagram of a run of ours.

Never judges: what is violated is marked where a report says it, or where two clocks show it.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from node.event import EventId
from orchestrator.report.diagram.marks import Place, marked
from orchestrator.report.diagram.rows import Rows
from orchestrator.report.diagram.steps import steps
from orchestrator.report.diagram.store import SECOND, STEP, Diagram, Messages, Process, Stripe
from orchestrator.trace.bands import bands
from orchestrator.trace.check import Report
from orchestrator.trace.order import Edges
from orchestrator.trace.store import KINDS, NULL, Trace


def of_run(trace: Trace, report: Report | None, *, name: str) -> Diagram:
    """Return the diagram of a trace; times are since the run's epoch."""
    programs = sorted(trace.programs.items())
    rows = Rows([found for _, found in programs], len(trace))
    lanes = sorted(trace.machines.keys() | trace.absent | set(trace.messages.recipient.tolist()))
    lane_of = {node: lane for lane, node in enumerate(lanes)}
    effect = np.flatnonzero(trace.cause_row >= 0)
    edges = Edges(rows.of(trace.cause_row[effect]), rows.of(effect))
    time = rows.taken(trace.due_ns)
    if not trace.is_timed:
        pairs = Edges(trace.cause_row[effect], effect)
        time = rows.taken(steps([found for _, found in programs], pairs, np.arange(len(trace))))
    clock = rows.taken(trace.clock)
    marks = marked(report, edges, clock, rows.of(rows.taken(trace.before)), _placed(trace, rows))
    ends = [machine.end_ns for machine in trace.machines.values() if machine.end_ns is not None]
    return Diagram(
        name=name,
        lanes=tuple(map(str, lanes)),
        notes=tuple(_note(trace, lane) for lane in lanes),
        processes=tuple(
            Process(name=_process(*program), lane=lane_of[program[0]], events=len(found)) for program, found in programs
        ),
        kinds=KINDS,
        unit=SECOND if trace.is_timed else STEP,
        time=time,
        number=rows.taken(trace.index),
        kind=rows.taken(trace.kind),
        clock=clock,
        clock_scale=1,
        queue=rows.taken(trace.queue),
        file=np.searchsorted(lanes, rows.taken(trace.node)),
        line=rows.taken(trace.line) if any(one.path for one in trace.machines.values()) else np.full(len(trace), NULL),
        files=tuple(_file(trace, lane) for lane in lanes),
        messages=_messages(trace, rows, lanes),
        stripes=tuple(_stripes(trace, lane_of)) if trace.is_timed else (),
        marks=marks,
        is_whole=trace.is_whole and not trace.damage and len(effect) == int(np.count_nonzero(trace.is_receive)),
        end_time=max(ends, default=NULL) if trace.is_timed else NULL,
    )


def _process(node: int, incarnation: int) -> str:
    return f"{node}.{incarnation}" if incarnation else str(node)


def _note(trace: Trace, node: int) -> str:
    machine = trace.machines.get(node)
    if machine is None:
        return "no log"
    return f"{machine.model.rate_hz} ticks/s" if machine.model else ""


def _file(trace: Trace, node: int) -> str:
    machine = trace.machines.get(node)
    return machine.path.name if machine and machine.path else ""


def _placed(trace: Trace, rows: Rows) -> Place:
    def row_of(name: str) -> int:
        process, _, digits = name.rpartition(":")
        node, _, incarnation = process.partition(".")
        parts = (node, incarnation or "0", digits)
        if not all(part.isdecimal() and part.isascii() and len(part) < 18 for part in parts):
            return -1
        return int(rows.of(np.array([trace.row(EventId(*map(int, parts)))]))[0])

    return row_of


def _messages(trace: Trace, rows: Rows, lanes: list[int]) -> Messages:
    table = trace.messages
    received = table.receive_row
    arrival, seen = table.arrival_ns.copy(), np.where(received >= 0, trace.seen_ns[received], NULL)
    for message, seen_ns in trace.late_unreceived.items():
        seen[message] = seen_ns
    if not trace.is_timed:
        arrival[:], seen[:] = NULL, NULL
    sends = rows.of(table.send_row)
    order = np.lexsort((table.copy, table.recipient, sends))
    return Messages(
        send=sends[order],
        lane=np.searchsorted(lanes, table.recipient[order]),
        receive=rows.of(received[order]),
        arrival=arrival[order],
        seen=seen[order],
        stamp=np.where(received >= 0, trace.stamp[received], NULL)[order],
        copy=table.copy[order],
        is_lost=np.equal(table.number, NULL).astype(np.int64)[order],
    )


def _stripes(trace: Trace, lane_of: Mapping[int, int]) -> Iterator[Stripe]:
    for band in bands(trace):
        lane = -1 if band.machine is None else lane_of.get(band.machine, -1)
        yield Stripe(kind=band.kind, words=band.words, from_time=band.from_ns, to_time=band.to_ns, lane=lane)
