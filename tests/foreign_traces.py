"""Traces of others for tests, from a few columns; what is not given is as a log that says nothing of it."""

from collections.abc import Sequence

import numpy as np

from orchestrator.audit.store import ONE, OTHER, ForeignTrace
from orchestrator.trace.store import NULL

NAMES = ("a", "b", "c", "d", "e")


def foreign_trace(
    node: Sequence[int],
    *,
    nodes: int | None = None,
    vectors: Sequence[Sequence[int]] | None = None,
    times_ns: Sequence[int | None] | None = None,
    unit_ns: int = 1,
    is_complete: bool = False,
    unread_lines: Sequence[int] = (),
    doubts: tuple[str, ...] = (),
) -> ForeignTrace:
    """Return a trace of machines a, b, c, ..., all in one file, a line an event; those without events have no log."""
    count = len(node)
    machines = nodes if nodes is not None else len(vectors[0]) if vectors else max(node, default=-1) + 1
    order = sorted(range(machines), key=lambda machine: machine not in node)
    names = tuple(NAMES[machine] for machine in order)
    nothing, nobody = np.full(count, NULL, np.int64), np.full(count, -1, np.int64)
    times = nothing if times_ns is None else np.array([NULL if time is None else time for time in times_ns], np.int64)
    return ForeignTrace(
        name="test",
        format_name="test",
        nodes=names,
        absent=machines - len(set(node)),
        clock_kind="none" if vectors is None else "vector",
        clock_scale=1,
        is_fifo=True,
        is_declared_complete=is_complete,
        node=np.array([order.index(machine) for machine in node], np.int64),
        kind=np.full(count, OTHER, np.int64),
        clock=nothing,
        stamp=nothing,
        queue=nothing,
        time_ns=times,
        unit_ns=unit_ns,
        index=nothing,
        sender=nobody,
        to=np.full(count, ONE, np.int64),
        recipients={},
        message=nobody,
        vector=None if vectors is None else np.array(vectors, np.int64).reshape(count, machines)[:, order],
        file=np.zeros(count, np.int64),
        line=np.arange(1, count + 1),
        files=("t.log",),
        unread_file=np.zeros(len(unread_lines), np.int64),
        unread_line=np.array(unread_lines, np.int64),
        doubts=doubts,
    )
