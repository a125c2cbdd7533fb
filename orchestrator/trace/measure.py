"""The numbers of a run: drift, queues, jumps, gaps, shares, clocks. `docs/measures.md` has each formula and its unit.

Never judges a number. Source: design section 5, "measures".
"""

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

import numpy as np

from orchestrator.native.cache import holds
from orchestrator.trace.formulas import History, drift, jumps, mean, per_second, share, total
from orchestrator.trace.store import KINDS, Column, Machine, Trace

_Windows: TypeAlias = Mapping[int, tuple[int, int]]

EVENTS_MIN: Final = 50_000
"""From here on the compiled pass is done sooner, where numba is in use already."""
EVENTS_MIN_ALONE: Final = 150_000
"""The same if numba must be imported for it."""
EVENTS_MIN_COLD: Final = 700_000
"""The same if it must be compiled first."""
CELLS_MIN: Final = 1 << 27
"""From so many clocks at all instants together it is done sooner in any case: the plain drift sorts every one."""


def measure(trace: Trace, *, is_proved: bool = False) -> dict[str, Any]:
    """Return every measure, and under `machines` those of each; None where there is nothing to measure.

    A long trace is measured in machine code, to the same bits, if numba is installed; sooner if it is known that all
    laws were proved of it.
    """
    length_ns = _end_ns(trace) if trace.machines else 0
    windows = {node: _window(machine, length_ns) for node, machine in trace.machines.items()}
    if _is_worth_compiling(len(trace), len(trace.machines)):
        from orchestrator.trace.compiled import measure as compiled  # noqa: PLC0415  # numba costs more than few events

        if (found := compiled.measure(trace, windows, length_ns, is_proved=is_proved)) is not None:
            return found
    return _by_formulas(trace, windows, length_ns)


def _is_worth_compiling(events: int, machines: int) -> bool:
    is_wide = events * machines >= CELLS_MIN
    if (events < EVENTS_MIN and not is_wide) or find_spec("numba") is None:
        return False
    if is_wide:
        return True
    if not holds("measure.is_sound"):
        return events >= EVENTS_MIN_COLD
    return events >= EVENTS_MIN_ALONE or "numba" in sys.modules


def _by_formulas(trace: Trace, windows: _Windows, length_ns: int) -> dict[str, Any]:
    raised = _raised(trace)
    queues = {node: _queue_mean(trace, node, *window) for node, window in windows.items()}
    finals = {node: _final_clock(trace, rows) for node, rows in trace.logs.items()}
    rows_of = _rows_of(trace)
    histories = [History(trace.due_ns[rows], trace.clock[rows]) for rows in rows_of.values()]
    everything = np.arange(len(trace))
    machines = {}
    for node, (start_ns, end_ns) in windows.items():
        machines[str(node)] = {
            **_of_events(trace, rows_of[node], raised),
            "queue_mean": queues[node],
            "final_clock": finals[node],
            "clock_rate": per_second(finals[node], end_ns - start_ns),
        }
    final = mean(finals.values())
    return {
        **drift(histories, 0, length_ns),
        **_of_events(trace, everything, raised),
        "queue_mean": mean(queues.values()),
        "final_clock": final,
        "clock_rate": per_second(final, length_ns),
        "machines": machines,
    }


def _rows_of(trace: Trace) -> Mapping[int, Column]:
    """Return the rows of each machine, as they stand in the trace."""
    order = np.argsort(trace.node, kind="stable")
    nodes = np.fromiter(trace.machines, np.int64, len(trace.machines))
    begins, ends = (np.searchsorted(trace.node[order], nodes, side=side) for side in ("left", "right"))
    bounds = zip(nodes.tolist(), begins.tolist(), ends.tolist(), strict=True)
    return {node: order[begin:end] for node, begin, end in bounds}


def _of_events(trace: Trace, rows: Column, raised: Column) -> dict[str, Any]:
    kinds, receives = trace.kind[rows], rows[trace.is_receive[rows]]
    ticks = _ticks(trace, rows)
    shares = {f"share_{kind.replace('-', '_')}": share(kinds == code) for code, kind in enumerate(KINDS)}
    return {
        "queue_max": int(trace.queue[receives].max()) if len(receives) else None,
        **jumps(raised[receives]),
        **shares,
        "busy": _ticks(trace, receives) / ticks if ticks else None,
    }


def _queue_mean(trace: Trace, node: int, start_ns: int, end_ns: int) -> float | None:
    """Return the total time that messages waited, from arrival to receive or the end, by the length of the run."""
    if end_ns <= start_ns:
        return None
    messages = trace.sent_to.get(node, np.empty(0, np.int64))
    receives = trace.messages.receive_row[messages]
    until_ns = np.where(receives >= 0, trace.due_ns[receives] if len(trace) else 0, end_ns)
    from_ns = np.clip(trace.messages.arrival_ns[messages], start_ns, end_ns)
    return total(np.maximum(np.clip(until_ns, start_ns, end_ns) - from_ns, 0)) / (end_ns - start_ns)


def _window(machine: Machine, length_ns: int) -> tuple[int, int]:
    return machine.shift_ns, length_ns if machine.end_ns is None else min(length_ns, machine.end_ns)


def _end_ns(trace: Trace) -> int:
    """Return when the run was over; a run that was cut is measured until its last event."""
    ends = [machine.end_ns for machine in trace.machines.values()]
    if all(machine.is_finished for machine in trace.machines.values()) and None not in ends:
        return max(end for end in ends if end is not None)
    return int(trace.due_ns[-1]) if len(trace) else 0


def _raised(trace: Trace) -> Column:
    """Return by how much each event raised its machine's clock."""
    return trace.clock - np.where(trace.before >= 0, trace.clock[trace.before], 0)


def _final_clock(trace: Trace, rows: Column) -> int:
    return int(trace.clock[rows[-1]]) if len(rows) else 0


def _ticks(trace: Trace, rows: Column) -> int:
    """Return how many ticks of machines these events are of."""
    order = rows[np.lexsort((trace.tick[rows], trace.node[rows]))]
    node, tick = trace.node[order], trace.tick[order]
    return int(np.count_nonzero((node[1:] != node[:-1]) | (tick[1:] != tick[:-1]))) + bool(len(rows))
