"""The numbers of a run: drift, queues, jumps, gaps, shares, clocks. `docs/measures.md` has each formula and its unit.

Never judges a number. Source: design section 5, "measures".
"""

from typing import Any, Final

import numpy as np

from node.model import SECOND_NS
from orchestrator.trace.store import KINDS, Column, Mask, Trace

_CELLS_MAX: Final = 1 << 22  # of the table of clocks that drift is computed from, at a time


def measure(trace: Trace) -> dict[str, Any]:
    """Return every measure, and under `machines` those of each; None where there is nothing to measure."""
    jumps = _jumps(trace)
    windows = {node: _window(trace, node) for node in trace.machines}
    queues = {node: _queue_mean(trace, node, *window) for node, window in windows.items()}
    finals = {node: _final_clock(trace, rows) for node, rows in trace.logs.items()}
    length_ns = _end_ns(trace) if trace.machines else 0
    everything = np.ones(len(trace), np.bool_)
    machines = {}
    for node, (start_ns, end_ns) in windows.items():
        mine = trace.node == node
        machines[str(node)] = {
            **_of_events(trace, mine, jumps),
            "queue_mean": queues[node],
            "final_clock": finals[node],
            "clock_rate": _per_second(finals[node], end_ns - start_ns),
        }
    final = _mean(list(finals.values()))
    return {
        **_drift(trace, length_ns),
        **_of_events(trace, everything, jumps),
        "queue_mean": _mean([queue for queue in queues.values() if queue is not None]),
        "final_clock": final,
        "clock_rate": _per_second(final, length_ns),
        "machines": machines,
    }


def _of_events(trace: Trace, mine: Mask, jumps: Column) -> dict[str, Any]:
    kinds, receives = trace.kind[mine], mine & trace.is_receive
    jump = jumps[receives]
    ticks = _ticks(trace, mine)
    shares = {f"share_{kind.replace('-', '_')}": _share(kinds == code) for code, kind in enumerate(KINDS)}
    return {
        "queue_max": int(trace.queue[receives].max()) if receives.any() else None,
        "jump_mean": float(jump.mean()) if len(jump) else None,
        "jump_max": int(jump.max()) if len(jump) else None,
        "gap_mean": float(jump.mean()) - 1 if len(jump) else None,
        "gap_max": int(jump.max()) - 1 if len(jump) else None,
        **shares,
        "busy": _ticks(trace, receives) / ticks if ticks else None,
    }


def _drift(trace: Trace, end_ns: int) -> dict[str, float | int | None]:
    """Weigh each state of the clocks by how long it lasted; what lasted no time did not happen."""
    if end_ns <= 0:
        return {"drift_mean": None, "drift_max": None, "drift_pair_mean": None}
    due_ns = trace.due_ns[(trace.due_ns >= 0) & (trace.due_ns < end_ns)]
    instants = np.unique(np.concatenate([np.zeros(1, np.int64), due_ns]))
    lasted = np.diff(np.append(instants, end_ns)).astype(np.float64)
    count = len(trace.machines)
    weights = 2 * np.arange(count) - count + 1  # of the sorted clocks in the sum of all |Li - Lj|
    drift, pairs = np.zeros(len(instants), np.int64), np.zeros(len(instants), np.int64)
    step = max(1, _CELLS_MAX // count)
    for first in range(0, len(instants), step):
        some = slice(first, first + step)
        clocks = np.sort(_clocks_at(trace, instants[some]), axis=1)
        drift[some] = clocks[:, -1] - clocks[:, 0]
        pairs[some] = clocks @ weights
    pair_count = count * (count - 1) // 2
    return {
        "drift_mean": float(drift @ lasted) / end_ns,
        "drift_max": int(drift.max()),
        "drift_pair_mean": float(pairs @ lasted) / end_ns / pair_count if pair_count else None,
    }


def _clocks_at(trace: Trace, instants: Column) -> Column:
    """Return the clocks, a machine a column, after everything due at each instant; 0 before a first event."""
    table = np.zeros((len(instants), len(trace.machines)), np.int64)
    for column, node in enumerate(trace.machines):
        rows = np.flatnonzero(trace.node == node)
        latest = np.searchsorted(trace.due_ns[rows], instants, side="right") - 1
        if len(rows):
            table[:, column] = np.where(latest >= 0, trace.clock[rows][latest], 0)
    return table


def _queue_mean(trace: Trace, node: int, start_ns: int, end_ns: int) -> float | None:
    """Return the total time that messages waited, from arrival to receive or the end, by the length of the run."""
    if end_ns <= start_ns:
        return None
    messages = trace.sent_to.get(node, np.empty(0, np.int64))
    receives = trace.messages.receive_row[messages]
    until_ns = np.where(receives >= 0, trace.due_ns[receives] if len(trace) else 0, end_ns)
    from_ns = np.clip(trace.messages.arrival_ns[messages], start_ns, end_ns)
    return float(np.maximum(np.clip(until_ns, start_ns, end_ns) - from_ns, 0).sum()) / (end_ns - start_ns)


def _window(trace: Trace, node: int) -> tuple[int, int]:
    machine = trace.machines[node]
    return machine.shift_ns, min(_end_ns(trace), machine.end_ns if machine.end_ns is not None else _end_ns(trace))


def _end_ns(trace: Trace) -> int:
    """Return when the run was over; a run that was cut is measured until its last event."""
    ends = [machine.end_ns for machine in trace.machines.values()]
    if all(machine.is_finished for machine in trace.machines.values()) and None not in ends:
        return max(end for end in ends if end is not None)
    return int(trace.due_ns[-1]) if len(trace) else 0


def _jumps(trace: Trace) -> Column:
    """Return by how much each event raised its machine's clock."""
    return trace.clock - np.where(trace.before >= 0, trace.clock[trace.before], 0)


def _final_clock(trace: Trace, rows: Column) -> int:
    return int(trace.clock[rows[-1]]) if len(rows) else 0


def _ticks(trace: Trace, some: Mask) -> int:
    return len(np.unique(np.stack([trace.node[some], trace.tick[some]]), axis=1).T)


def _per_second(clock: float | None, length_ns: int) -> float | None:
    return None if clock is None or length_ns <= 0 else clock * SECOND_NS / length_ns


def _share(which: Mask) -> float | None:
    return float(which.mean()) if len(which) else None


def _mean(values: list[int] | list[float]) -> float | None:
    return sum(values) / len(values) if values else None
