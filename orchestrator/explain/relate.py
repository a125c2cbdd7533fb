"""What two events are to each other: one before the other, with a way that shows it, or neither.

Never looks at a clock. Source: Lamport (1978), "The Partial Ordering".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from orchestrator.explain.history import History
from orchestrator.explain.past import Past
from orchestrator.explain.way import Hop, event_as_json, events_as_json, hops_as_json, hops_of

Relation: TypeAlias = Literal["before", "after", "concurrent", "same", "unknown", "circular"]
"""What A is to B. Unknown: neither by what is recorded, but the record does not tell all that happened before them.
Circular: each before the other, which no run can do; the record is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """How two events are related.

    `way` leads from the earlier to the later with the fewest messages, and is empty where neither is.
    `known_to_a` is the latest event of B's machine that A knows of, `known_to_b` the other way round; -1 is none.
    """

    history: History
    a: int
    b: int
    relation: Relation
    way: tuple[int, ...] = ()
    hops: tuple[Hop, ...] = ()
    known_to_a: int = -1
    known_to_b: int = -1

    def as_json(self) -> Mapping[str, Any]:
        """Return what `order --json` prints."""
        history = self.history
        return {
            "run": history.name,
            "a": event_as_json(history, self.a),
            "b": event_as_json(history, self.b),
            "relation": self.relation,
            "known_to_a": history.event(self.known_to_a) if self.known_to_a >= 0 else None,
            "known_to_b": history.event(self.known_to_b) if self.known_to_b >= 0 else None,
            "evidence": history.evidence,
            "length": len(self.way),
            "hops": hops_as_json(history, self.hops),
            "path": events_as_json(history, self.way, self.hops),
        }


def relate(history: History, a: int, b: int) -> Related:
    """Return what A is to B, by walking through the pasts of both."""
    if a == b:
        return _related(history, a, b, "same", [a])
    past_of_a, past_of_b = Past(history, a, sought=b), Past(history, b, sought=a)
    if a in past_of_b:
        return _related(history, a, b, "circular" if b in past_of_a else "before", past_of_b.way_from(a))
    if b in past_of_a:
        return _related(history, a, b, "after", past_of_a.way_from(b))
    return Related(
        history=history,
        a=a,
        b=b,
        relation="unknown" if past_of_a.is_open or past_of_b.is_open else "concurrent",
        known_to_a=past_of_a.latest_before(b),
        known_to_b=past_of_b.latest_before(a),
    )


def _related(history: History, a: int, b: int, relation: Relation, way: list[int]) -> Related:
    return Related(history=history, a=a, b=b, relation=relation, way=tuple(way), hops=tuple(hops_of(history, way)))
