"""The measures of a long trace, by one compiled pass over it.

Never measures a trace that is not sound in the ways that the pass counts on: the plain formulas do.
Imports numba: only whoever wants a compiled pass imports this.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np

from orchestrator.native.compiled import Bytes, Times, Words, compiled
from orchestrator.trace.compiled.figures import fill
from orchestrator.trace.compiled.totals import MACHINE_TOTALS, RUN_TOTALS, add_up
from orchestrator.trace.measured import empty
from orchestrator.trace.proof.columns import Columns
from orchestrator.trace.store import KINDS, NULL, RECEIVE, Column, Trace
from orchestrator.trace.unfolded import narrow_of

_LIFE, _INDEX, _LINE, _TICK, _CLOCK = range(5)
_KIND_COUNT: Final = len(KINDS)
_Columns: TypeAlias = tuple[Words, Words, Bytes, Words, Words, Words, Times]
"""Machine, incarnation, kind, clock and queue of each event; recipient and arrival of each message that arrives."""
_CLOCKS_MAX: Final = 8
"""Times as many clocks as events: what is larger is no clock that anybody counted to."""


def measure(
    trace: Trace, windows_ns: Mapping[int, tuple[int, int]], length_ns: int, *, is_proved: bool
) -> dict[str, Any] | None:
    """Return every measure of a trace, as `orchestrator.trace.measure` does; None if that must.

    `windows_ns` are the start and the end of each machine, `length_ns` is how long the run was. Of a run of which all
    laws were proved it is known that it is sound.
    """
    nodes = np.array(sorted(trace.machines), np.int64)
    narrow = narrow_of(trace) if is_proved else None
    columns = _of_wide(trace, nodes) if narrow is None else _of_narrow(narrow)
    if columns is None:
        return None
    windows = np.array([windows_ns[node] for node in nodes.tolist()], np.int64).reshape(-1, 2)
    totals, of_run = np.empty((1, len(nodes), MACHINE_TOTALS), np.int64), np.empty((1, RUN_TOTALS), np.int64)
    add_up(
        trace.due_ns,
        *columns,
        windows[:, 0].copy(),
        windows[:, 1].copy(),
        length_ns,
        np.zeros(int(columns[3].max(initial=0)) + 1, np.uint32),
        totals[0],
        of_run[0],
    )
    measured = empty(nodes.tolist(), np.zeros(1, np.int64))
    fill(measured, slice(0, 1), totals, of_run, windows_ns=windows, length_ns=length_ns)
    found = measured.run(1)
    return found | {"machines": {str(node): found["machines"][str(node)] for node in trace.machines}}


def _of_narrow(narrow: Columns) -> _Columns | None:
    """Return the columns of a pass; None if a clock is none that anybody counted to."""
    if int(narrow.clock.max(initial=0)) > _CLOCKS_MAX * len(narrow):
        return None
    to, arrival_ns, arriving = narrow.recipient, narrow.arrival_ns, narrow.number != 0
    if not arriving.all():
        to, arrival_ns = to[arriving], arrival_ns[arriving]
    return narrow.machine, narrow.incarnation, narrow.kind, narrow.clock, narrow.queue, to, arrival_ns


def _of_wide(trace: Trace, nodes: Column) -> _Columns | None:
    """Return the same of any trace; None if it is not sound."""
    messages = trace.messages
    machine, recipient = _places(nodes, trace.node), _places(nodes, messages.recipient)
    if not _is_sound(trace, machine, recipient, len(nodes)):
        return None
    arriving = (messages.number != NULL) & (recipient >= 0)
    return (
        machine.astype(np.uint32),
        trace.incarnation.astype(np.uint32),
        trace.kind.astype(np.uint8),
        trace.clock.astype(np.uint32),
        trace.queue.astype(np.uint32),
        recipient[arriving].astype(np.uint32),
        messages.arrival_ns[arriving],
    )


def _places(nodes: Column, numbers: Column) -> Column:
    """Return where each number stands among those of the machines; -1 if it is none of them."""
    places = np.minimum(np.searchsorted(nodes, numbers), len(nodes) - 1)
    return np.where(nodes[places] == numbers, places, -1)


def _is_sound(trace: Trace, machine: Column, recipient: Column, machines: int) -> bool:
    limit = min(_CLOCKS_MAX * len(trace), np.iinfo(np.uint32).max)
    is_narrow = all(int(column.max(initial=0)) <= limit for column in (trace.incarnation, trace.clock, trace.queue))
    is_taken_once = np.count_nonzero(trace.messages.receive_row >= 0) == np.count_nonzero(trace.is_receive)
    return (
        is_narrow
        and is_taken_once
        and is_sound(
            machine,
            trace.incarnation,
            trace.index,
            trace.line,
            trace.tick,
            trace.due_ns,
            trace.kind,
            trace.clock,
            trace.queue,
            trace.message,
            recipient,
            trace.messages.arrival_ns,
            trace.messages.receive_row,
            np.full((machines, 5), -1, np.int64),
        )
    )


@compiled
def is_sound(
    machine: Times,
    life: Times,
    index: Times,
    line: Times,
    tick: Times,
    due_ns: Times,
    kind: Times,
    clock: Times,
    queue: Times,
    message: Times,
    m_to: Times,
    m_arrival_ns: Times,
    m_receive_row: Times,
    last: Times,
) -> bool:
    """Return whether each event follows its machine's last in every way, and each receive took what had arrived.

    `last` is what was seen last of each machine: nothing.
    """
    for row in range(len(machine)):
        mine = machine[row]
        if mine < 0 or due_ns[row] < (due_ns[row - 1] if row > 0 else 0):
            return False
        before, position, last_life = last[mine, _CLOCK], last[mine, _INDEX], max(last[mine, _LIFE], 0)
        is_later = line[row] > last[mine, _LINE] and tick[row] > last[mine, _TICK] and life[row] >= last_life
        if life[row] > last_life:
            before, position = np.int64(0), np.int64(-1)
        if not is_later or index[row] <= position or clock[row] <= max(before, 0):
            return False
        if kind[row] != RECEIVE and (clock[row] != max(before, 0) + 1 or queue[row] != 0):
            return False
        if queue[row] < 0 or not 0 <= kind[row] < _KIND_COUNT:
            return False
        if kind[row] == RECEIVE:
            taken = message[row]
            if not 0 <= taken < len(m_to) or m_receive_row[taken] != row or m_to[taken] != mine:
                return False
            if not 0 <= m_arrival_ns[taken] < due_ns[row]:
                return False
        last[mine, _LIFE], last[mine, _INDEX], last[mine, _LINE] = life[row], index[row], line[row]
        last[mine, _TICK], last[mine, _CLOCK] = tick[row], clock[row]
    return True
