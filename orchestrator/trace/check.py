"""The proof: nine checks of one trace, in an order in which the first that is violated names the mistake.

Never trusts a clock to judge a clock: what happened before what comes from structure.
Source: design section 5, "Verdicts".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from orchestrator.trace.balance import every_message_accounted
from orchestrator.trace.clocks import clock_condition, clock_rises
from orchestrator.trace.findings import Check, not_applicable, not_judged
from orchestrator.trace.links import exactly_once, in_order
from orchestrator.trace.measure import measure
from orchestrator.trace.order import Order
from orchestrator.trace.queues import queue_first, queue_length
from orchestrator.trace.remarks import remarks
from orchestrator.trace.store import INTERNAL, Trace
from orchestrator.trace.ticks import one_event_per_tick
from orchestrator.trace.twin import equals_simulated
from orchestrator.trace.verdict import Verdict, worst

CHECKS: Final = (
    *("clock-condition", "clock-rises", "exactly-once", "in-order", "one-event-per-tick"),
    *("queue-first", "queue-length", "every-message-accounted", "equals-simulated"),
)
FORMAT: Final = "scale-model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What can be said of one execution; `remarks` never change the verdict, except that damage forbids `valid`."""

    name: str
    verdict: Verdict
    nodes: int
    events: int
    receives: int
    sends: int
    checks: tuple[Check, ...]
    remarks: tuple[str, ...]
    measures: dict[str, Any]
    edges: int
    ordered_pairs: int
    concurrent_pairs: int
    longest_chain: int
    format: str = FORMAT
    understood: str = ""
    """What was made of the logs of others, in a sentence; nothing is to be said of our own."""

    @property
    def internal(self) -> int:
        """How many events are neither sends nor receives."""
        return self.events - self.receives - self.sends

    @property
    def first_violated(self) -> Check | None:
        """The check that names the mistake, if there is one."""
        return next((check for check in self.checks if check.verdict == "violated"), None)

    def as_json(self) -> dict[str, Any]:
        """Return the report as an element of `executions`."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "nodes": self.nodes,
            "events": self.events,
            "receives": self.receives,
            "sends": self.sends,
            "internal": self.internal,
            "format": self.format,
            "checks": [check.as_json() for check in self.checks],
            "remarks": list(self.remarks),
            "measures": self.measures,
            "edges": self.edges,
            "ordered_pairs": self.ordered_pairs,
            "concurrent_pairs": self.concurrent_pairs,
            "longest_chain": self.longest_chain,
        }


def check(trace: Trace, twin: Trace | None = None, *, name: str = "") -> Report:
    """Judge a trace; `twin` is the simulation of the same configuration and seed, if there is one."""
    order = Order.of(trace)
    checks = tuple(_checks(trace, twin, order))
    verdicts = [one.verdict for one in checks]
    return Report(
        name=name,
        verdict=worst([*verdicts, "unknown"] if trace.damage else verdicts),
        nodes=len(trace.machines),
        events=len(trace),
        receives=int(np.count_nonzero(trace.is_receive)),
        sends=int(np.count_nonzero(~trace.is_receive & (trace.kind != INTERNAL))),
        checks=checks,
        remarks=(*trace.damage, *remarks(trace)),
        measures=measure(trace),
        edges=order.edges,
        ordered_pairs=order.ordered_pairs,
        concurrent_pairs=order.concurrent_pairs,
        longest_chain=order.longest_chain,
    )


def _checks(trace: Trace, twin: Trace | None, order: Order) -> Iterator[Check]:
    if not trace.machines:
        yield from (not_judged(name, "there is no log.") for name in CHECKS[:-1])
        yield not_applicable(CHECKS[-1], "there is no log.")
        return
    yield clock_condition(trace, order)
    yield clock_rises(trace)
    yield exactly_once(trace)
    yield in_order(trace)
    yield one_event_per_tick(trace)
    yield queue_first(trace)
    yield queue_length(trace)
    yield every_message_accounted(trace)
    yield equals_simulated(trace, twin)
