"""The proof: nine checks of one trace, in an order in which the first that is violated names the mistake.

Never trusts a clock to judge a clock: what happened before what comes from structure.
Source: design section 5, "Verdicts".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from orchestrator.trace.balance import every_message_accounted
from orchestrator.trace.clocks import clock_condition, clock_rises
from orchestrator.trace.findings import Check, not_applicable, not_judged
from orchestrator.trace.links import exactly_once, in_order
from orchestrator.trace.measure import measure
from orchestrator.trace.order import Order
from orchestrator.trace.proof.choice import proof_of
from orchestrator.trace.queues import queue_laws
from orchestrator.trace.remarks import remarks, uncounted
from orchestrator.trace.store import INTERNAL, Trace
from orchestrator.trace.ticks import one_event_per_tick
from orchestrator.trace.twin import equals_simulated
from orchestrator.trace.verdict import Evidence, Verdict, worst

EVIDENCE: Final[Mapping[str, Evidence | None]] = {
    "clock-condition": "by-id",
    "clock-rises": None,
    "exactly-once": "by-id",
    "in-order": "by-id",
    "one-event-per-tick": None,
    "queue-first": "by-id",
    "queue-length": "by-id",
    "every-message-accounted": "by-id",
    "equals-simulated": None,
}
"""Each check, and by what evidence it knows."""
CHECKS: Final = tuple(EVIDENCE)
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
    edges: int | None
    ordered_pairs: int | None
    concurrent_pairs: int | None
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
    plain, proof = _Plain(trace, twin), proof_of(trace, twin)
    checks = tuple(_valid(law) if law in proof.valid else plain.check(law) for law in CHECKS)
    verdicts = [one.verdict for one in checks]
    order = proof.numbers or plain.order
    return Report(
        name=name,
        verdict=worst([*verdicts, "unknown"] if trace.damage else verdicts),
        nodes=len(trace.machines),
        events=len(trace),
        receives=int(np.count_nonzero(trace.is_receive)),
        sends=int(np.count_nonzero(~trace.is_receive & (trace.kind != INTERNAL))),
        checks=checks,
        remarks=(*trace.damage, *remarks(trace), *uncounted(order.ordered_pairs)),
        measures=measure(trace, is_proved=proof.valid.issuperset(CHECKS)),
        edges=order.edges,
        ordered_pairs=order.ordered_pairs,
        concurrent_pairs=order.concurrent_pairs,
        longest_chain=order.longest_chain,
    )


def _valid(law: str) -> Check:
    """Return what a check says of a law that was proved to hold."""
    return Check(name=law, verdict="valid", evidence=EVIDENCE[law], violations=0)


class _Plain:
    """The plain checks of a trace, each made when it is asked for: the reference of what is proved beforehand."""

    def __init__(self, trace: Trace, twin: Trace | None) -> None:
        self._trace, self._twin = trace, twin

    @cached_property
    def order(self) -> Order:
        """Happened-before."""
        return Order.of(self._trace)

    @cached_property
    def _queues(self) -> tuple[Check, Check]:
        return queue_laws(self._trace)

    def check(self, law: str) -> Check:
        """Judge one law."""
        if not self._trace.machines:
            say = not_applicable if law == CHECKS[-1] else not_judged
            return say(law, "there is no log.")
        return self._laws[law]()

    @cached_property
    def _laws(self) -> Mapping[str, Callable[[], Check]]:
        trace = self._trace
        return {
            "clock-condition": lambda: clock_condition(trace, self.order),
            "clock-rises": lambda: clock_rises(trace),
            "exactly-once": lambda: exactly_once(trace),
            "in-order": lambda: in_order(trace),
            "one-event-per-tick": lambda: one_event_per_tick(trace),
            "queue-first": lambda: self._queues[0],
            "queue-length": lambda: self._queues[1],
            "every-message-accounted": lambda: every_message_accounted(trace),
            "equals-simulated": lambda: equals_simulated(trace, self._twin),
        }
