"""Which send each receive came from, as far as a log says it, and what is wrong in every pairing that it leaves open.

Four grades, the strongest that a receive allows: by id it names its send; by order it names the sender, and a link
keeps its order; by stamp it names the timestamp; by counting it names nothing. Never reports a violation that some
pairing, or some unseen event where a log has room for one, would undo. Source: Lamport (1978), implementation rule IR2.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from orchestrator.audit.pairing import by_counting, by_id, by_order, by_stamp
from orchestrator.audit.pairing.ledger import Ledger
from orchestrator.audit.rooms import find_rooms
from orchestrator.audit.store import ForeignTrace
from orchestrator.trace.findings import Check
from orchestrator.trace.order import Edges
from orchestrator.trace.store import NULL, Column
from orchestrator.trace.verdict import Evidence

_WAYS: Final[dict[Evidence, Callable[[Ledger, Column], None]]] = {
    "by-id": by_id.pair,
    "by-order": by_order.pair,
    "by-stamp": by_stamp.pair,
    "by-counting": by_counting.pair,
}
GRADES: Final[tuple[Evidence, ...]] = tuple(_WAYS)
"""The strongest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What is known of sends and receives.

    `edges` are the pairs that are certain, `evidence` is the weakest grade that was needed, None without receives.
    """

    edges: Edges
    evidence: Evidence | None
    clock_condition: Check
    exactly_once: Check


def pair(trace: ForeignTrace) -> Pairing:
    """Pair the receives of a trace with its sends, each by the strongest grade that it allows."""
    ledger = Ledger(trace, find_rooms(trace))
    grade = grades(trace)
    evidence: Evidence | None = None
    for place, (name, way) in enumerate(_WAYS.items()):
        rows = np.flatnonzero(grade == place)
        if len(rows):
            evidence = name
            way(ledger, rows)
    is_proof = evidence in (None, "by-id") and not ledger.is_ambiguous and not (trace.is_receive & (grade < 0)).any()
    return Pairing(
        edges=ledger.edges(),
        evidence=evidence,
        clock_condition=_graded(ledger.clock_condition.check(), evidence, is_proof=is_proof),
        exactly_once=_graded(ledger.exactly_once.check(), evidence, is_proof=is_proof),
    )


def grades(trace: ForeignTrace) -> Column:
    """Return the grade of each row, as a position in GRADES, and -1 where it is no receive or nothing can be said."""
    grade = np.full(len(trace), -1, np.int64)
    receives = trace.is_receive
    if trace.has_clock:
        grade[receives] = GRADES.index("by-counting")
        grade[receives & (trace.stamp != NULL)] = GRADES.index("by-stamp")
    if trace.is_fifo:
        grade[receives & (trace.sender >= 0)] = GRADES.index("by-order")
    if (trace.message[trace.is_send] >= 0).any():
        grade[receives & (trace.message >= 0)] = GRADES.index("by-id")
    return grade


def _graded(check: Check, evidence: Evidence | None, *, is_proof: bool) -> Check:
    """Return a check with its grade; only where each receive names its one send does it prove that all is well."""
    return replace(
        check, verdict="consistent" if check.verdict == "valid" and not is_proof else check.verdict, evidence=evidence
    )
