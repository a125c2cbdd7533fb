"""The numbers of a log of others, as far as it says them. `docs/measures.md` has each formula and what it needs.

Never judges a number, and never corrects a time: the clocks of hosts are taken as they are.
Source: design section 5, "measures".
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from node.model import SECOND_NS
from orchestrator.audit.delivery import Delivery
from orchestrator.audit.ends import tells_kinds
from orchestrator.audit.rhythm import Rhythm
from orchestrator.audit.store import INTERNAL, ONE, OTHER, RECEIVE, SEND, ForeignTrace
from orchestrator.trace import formulas
from orchestrator.trace.formulas import History, mean, per_second, share
from orchestrator.trace.order import Edges
from orchestrator.trace.store import NULL, Column

_SHARES: Final = (
    *("share_internal", "share_send", "share_send_one", "share_send_next", "share_send_all", "share_receive"),
)


def measure(trace: ForeignTrace, edges: Edges) -> dict[str, Any]:
    """Return every measure, under `machines` those of each, and the delivery audit; None where the log does not say it.

    `edges` are the pairs of a send and its receive, or of vectors that name one another, that are certain.
    """
    delivery = Delivery(trace, edges)
    events = _Events(trace)
    logged = [node for node, rows in enumerate(trace.programs) if len(rows)]
    machines = {trace.nodes[node]: _of_machine(trace, node, events, delivery) for node in logged}
    each = list(machines.values())
    return {
        **_drift(trace, [trace.programs[node] for node in logged]),
        **events.measure(np.arange(len(trace))),
        "queue_mean": mean(one["queue_mean"] for one in each),
        "final_clock": mean(one["final_clock"] for one in each),
        "clock_rate": mean(one["clock_rate"] for one in each),
        "busy": _busy(trace, logged, [one["tick_rate"] for one in each]),
        "tick_rate": mean(one["tick_rate"] for one in each),
        "sent": delivery.sent,
        "received": delivery.received,
        "left_over": delivery.left_over,
        "machines": machines,
        "links": [
            {
                "from": trace.nodes[link.sender],
                "to": trace.nodes[link.recipient],
                "sent": link.sent,
                "received": link.received,
                "left_over": link.left_over,
            }
            for link in delivery.links
        ],
        "unaddressed": {trace.nodes[node]: count for node, count in delivery.ends.unaddressed.items()},
        "anonymous": {trace.nodes[node]: count for node, count in delivery.ends.anonymous.items()},
    }


def _of_machine(trace: ForeignTrace, node: int, events: "_Events", delivery: Delivery) -> dict[str, Any]:
    rows = trace.programs[node]
    rhythm = Rhythm(trace, rows)
    final = int(trace.clock[rows[-1]]) if trace.has_clock else NULL
    return {
        **events.measure(rows),
        "queue_mean": _queue_mean(trace, rows),
        "final_clock": formulas.in_steps(final, trace.clock_scale) if final != NULL else None,
        "clock_rate": _clock_rate(trace, rows),
        "busy": share(trace.is_receive[rows]) if rhythm.is_regular and tells_kinds(trace) else None,
        "tick_rate": rhythm.burst * SECOND_NS / rhythm.period_ns if rhythm.is_regular else None,
        "sent": delivery.sent_by[node],
        "received": delivery.received_by[node],
        "left_over": delivery.left_to[node],
    }


class _Events:
    """What is told of any of the events of a trace by themselves."""

    def __init__(self, trace: ForeignTrace) -> None:
        self._trace = trace
        self._raised = _raised(trace)
        self._tells_kinds = tells_kinds(trace)
        to = trace.to[trace.is_send]
        # Some sends are to several, or each names its recipient; else "to one" may only mean that it names nobody.
        self._tells_one_from_all = not trace.may_be_some and bool((to < ONE).any() or (to >= 0).all())

    def measure(self, rows: Column) -> dict[str, Any]:
        """Return the longest queue, the jumps, and the share of each kind of event."""
        receives = rows[self._trace.is_receive[rows]]
        jump, lengths = self._raised[receives], self._trace.queue[receives]
        return {
            "queue_max": int(lengths.max()) if (lengths != NULL).any() else None,
            **formulas.jumps(jump[jump != NULL], scale=self._trace.clock_scale),
            **self._shares(rows),
        }

    def _shares(self, rows: Column) -> dict[str, float | None]:
        """Return the share of each kind; what is neither a send nor a receive counts as internal."""
        if not self._tells_kinds:
            return dict.fromkeys(_SHARES)
        kinds, to = self._trace.kind[rows], self._trace.to[rows]
        is_send = np.equal(kinds, SEND)
        return {
            "share_internal": share((kinds == INTERNAL) | (kinds == OTHER)),
            "share_send": share(is_send),
            "share_send_one": share(is_send & (to >= ONE)) if self._tells_one_from_all else None,
            "share_send_next": None,
            "share_send_all": share(is_send & (to < ONE)) if self._tells_one_from_all else None,
            "share_receive": share(kinds == RECEIVE),
        }


def _busy(trace: ForeignTrace, logged: Sequence[int], rates: Sequence[float | None]) -> float | None:
    """Return the share of ticks that receive, where every event of every machine is a tick."""
    if not logged or None in rates or not tells_kinds(trace):
        return None
    return share(trace.is_receive)


def _raised(trace: ForeignTrace) -> Column:
    """Return by how much each event raised its machine's clock; NULL where either clock is not in the record."""
    before = np.maximum(trace.before, 0)
    if not trace.has_clock or not len(trace):
        return np.full(len(trace), NULL, np.int64)
    is_known = (trace.before >= 0) & (trace.clock != NULL) & (trace.clock[before] != NULL)
    return np.where(is_known, trace.clock - trace.clock[before], NULL)


def _drift(trace: ForeignTrace, programs: Sequence[Column]) -> dict[str, float | int | None]:
    """Compare the clocks while all machines have one: from the latest first event to the earliest last event."""
    if not (trace.has_clock and trace.has_times) or (trace.clock == NULL).any():
        return formulas.drift([], 0, 0)
    histories = [History(_rising(trace, rows), trace.clock[rows]) for rows in programs]
    start_ns = max(int(times_ns[0]) for times_ns, _ in histories)
    end_ns = min(int(times_ns[-1]) for times_ns, _ in histories)
    return formulas.drift(histories, start_ns, end_ns, scale=trace.clock_scale)


def _rising(trace: ForeignTrace, rows: Column) -> Column:
    """Return the times of a machine's events; one that is before an earlier event's is taken to be equal to it."""
    times: Column = np.maximum.accumulate(trace.time_ns[rows])
    return times


def _queue_mean(trace: ForeignTrace, rows: Column) -> float | None:
    """Weigh each recorded length by the time to the next that is recorded, the last by that to the last event."""
    recorded = rows[trace.queue[rows] != NULL]
    if not len(recorded) or (trace.time_ns[rows] == NULL).any():
        return None
    times = _rising(trace, np.append(recorded, rows[-1]))
    length_ns = int(times[-1] - times[0])
    return float(trace.queue[recorded] @ np.diff(times).astype(np.float64)) / length_ns if length_ns > 0 else None


def _clock_rate(trace: ForeignTrace, rows: Column) -> float | None:
    """Return by how much the clock rose from the first event to the last, by the time between them."""
    first, last = int(rows[0]), int(rows[-1])
    columns = (trace.clock, trace.time_ns)
    if not trace.has_clock or any(column[row] == NULL for column in columns for row in (first, last)):
        return None
    rose = int(trace.clock[last] - trace.clock[first]) / trace.clock_scale
    return per_second(rose, int(trace.time_ns[last] - trace.time_ns[first]))
