"""The diagram of anybody's logs, of which some say no time, and some no clock.

Never pairs a send with a receive: it is told which pairs are certain.
"""

from collections.abc import Iterator

import numpy as np

from orchestrator.audit.check import known
from orchestrator.audit.store import ALL, ONE, ForeignTrace
from orchestrator.config.place import printable
from orchestrator.explain.others import KIND_NAMES
from orchestrator.report.diagram.marks import Place, marked
from orchestrator.report.diagram.rows import Rows, since
from orchestrator.report.diagram.steps import steps
from orchestrator.report.diagram.store import SECOND, STEP, Diagram, Messages, Process
from orchestrator.trace.check import Report
from orchestrator.trace.order import Edges
from orchestrator.trace.store import NULL


def of_logs(trace: ForeignTrace, report: Report | None, *, name: str) -> Diagram:
    """Return the diagram of a trace; times are by each machine's own clock, since the earliest of the record."""
    pairs = known(trace).edges
    rows = Rows(trace.programs, len(trace))
    edges = Edges(rows.of(pairs.cause), rows.of(pairs.effect))
    names = tuple(map(printable, trace.nodes))
    is_whole = _is_whole(trace, pairs)
    if trace.has_times:
        time = rows.taken(since(int(trace.time_ns.min()), trace.time_ns))
    else:
        time = rows.taken(steps(trace.programs, pairs, np.arange(len(trace))))
    clock = rows.taken(trace.clock) if trace.has_clock else np.full(len(trace), NULL)
    marks = marked(report, edges, clock, rows.of(rows.taken(trace.before)), _placed(trace, rows))
    return Diagram(
        name=name,
        lanes=names,
        notes=("",) * (len(names) - trace.absent) + ("no log",) * trace.absent,
        processes=tuple(
            Process(name=names[lane], lane=lane, events=len(found)) for lane, found in enumerate(trace.programs)
        ),
        kinds=KIND_NAMES,
        unit=SECOND if trace.has_times else STEP,
        time=time,
        number=rows.taken(trace.position),
        kind=rows.taken(trace.kind),
        clock=clock,
        clock_scale=trace.clock_scale,
        queue=rows.taken(trace.queue),
        file=rows.taken(trace.file),
        line=rows.taken(trace.line),
        files=tuple(map(printable, trace.files)),
        messages=_messages(trace, rows, pairs, edges, is_whole=is_whole),
        marks=marks,
        cuts=trace.cuts,
        is_whole=is_whole,
    )


def _is_whole(trace: ForeignTrace, pairs: Edges) -> bool:
    receives = int(np.count_nonzero(trace.is_receive))
    is_told = trace.vector is not None or receives == len(np.unique(pairs.effect)) > 0
    return is_told and not trace.doubts and not len(trace.unread_line) and not trace.absent


def _messages(trace: ForeignTrace, rows: Rows, pairs: Edges, edges: Edges, *, is_whole: bool) -> Messages:
    """Return the pairs as messages, and sends to whoever did not receive them, if that is certain."""
    on_their_way = list(_on_their_way(trace, pairs)) if is_whole and trace.vector is None else []
    sends, nodes = np.array(on_their_way, np.int64).reshape(-1, 2).T
    count = len(edges.cause) + len(sends)
    nothing, nought = np.full(count, NULL), np.zeros(count, np.int64)
    received = np.full(len(sends), -1, np.int64)
    send = np.concatenate([edges.cause, rows.of(sends)])
    lane = np.concatenate([trace.node[pairs.effect], nodes])
    receive = np.concatenate([edges.effect, received])
    stamp = np.concatenate([trace.stamp[pairs.effect], np.full(len(sends), NULL)])
    order = np.lexsort((lane, send))
    return Messages(
        send=send[order],
        lane=lane[order],
        receive=receive[order],
        arrival=nothing,
        seen=nothing,
        stamp=stamp[order],
        copy=nought,
        is_lost=nought,
    )


def _on_their_way(trace: ForeignTrace, pairs: Edges) -> Iterator[tuple[int, int]]:
    """Yield each send with a recipient that did not receive it."""
    received = set(zip(pairs.cause.tolist(), trace.node[pairs.effect].tolist(), strict=True))
    for row in np.flatnonzero(trace.is_send & (trace.to != ONE)).tolist():
        if trace.to[row] == ALL and trace.may_be_some:
            continue
        for node in trace.possible_recipients(row):
            if (row, node) not in received:
                yield row, node


def _placed(trace: ForeignTrace, rows: Rows) -> Place:
    numbers = {name: lane for lane, name in enumerate(trace.nodes)}

    def row_of(name: str) -> int:
        node, _, digits = name.rpartition(":")
        if node not in numbers or not (digits.isdecimal() and digits.isascii() and len(digits) < 18):
            return -1
        program = trace.programs[numbers[node]]
        return int(rows.of(program[int(digits) - 1 :][:1])[0]) if 0 < int(digits) <= len(program) else -1

    return row_of
