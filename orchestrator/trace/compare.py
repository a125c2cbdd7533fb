"""Agreement of two runs: their events matched by (node, incarnation, tick), never by position.

Never judges: whether two runs should be equal is for whoever knows how they were made.
Source: model section 4, "Agreement".
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from node.event import Kind
from orchestrator.trace import words
from orchestrator.trace.alike import alike, without
from orchestrator.trace.store import KINDS, NULL, RECEIVE, Trace

Place: TypeAlias = tuple[int, int, int, int]
"""Node, incarnation, tick, and 0, or which one it is if a machine has several events at a tick."""

FIELDS: Final = ("kind", "clock", "queue", "cause", "to")


class Content(NamedTuple):
    """What two events must have in common to be equal.

    `to` is (recipient, copy, arrival) of each message, the arrival in the sender's own epoch, None if it is lost.
    """

    kind: Kind
    clock: int
    queue: int
    cause: tuple[int, int, int, int] | None
    to: tuple[tuple[int, int, int | None], ...]

    @property
    def action(self) -> tuple[Any, ...]:
        """What was done, whatever the clocks and the network made of it."""
        return self.kind, self.cause, tuple((recipient, copy) for recipient, copy, _ in self.to)


Contents: TypeAlias = dict[Place, tuple[int, Content]]
"""The row and the content of every event, by place."""


class Difference(NamedTuple):
    """A place at which two runs differ: the row in each, -1 where it has no such event; and the fields that differ."""

    place: Place
    due_ns: int
    a: int
    b: int
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far two runs are the same; `places` are those in either."""

    places: int
    equal: int
    same_actions: int
    first_divergence: Mapping[str, Any] | None

    @property
    def fidelity(self) -> float:
        """The share of equal places; 1.0 if there are none, for then nothing differs."""
        return self.equal / self.places if self.places else 1.0

    @property
    def same_action(self) -> float:
        """The share of places with equal kind, cause and recipients."""
        return self.same_actions / self.places if self.places else 1.0

    def as_json(self) -> dict[str, Any]:
        """Return what `compare --json` prints."""
        return {
            "places": self.places,
            "equal": self.equal,
            "fidelity": self.fidelity,
            "same_action": self.same_action,
            "first_divergence": self.first_divergence,
        }


def compare(a: Trace, b: Trace) -> Agreement:
    """Return how far two runs agree, and the earliest place where they do not."""
    equal, left, right = _left(a, b)
    found = list(_differences(a, b, left, right))
    first = min(found, key=lambda difference: (difference.due_ns, difference.place), default=None)
    both, either = left.keys() & right.keys(), left.keys() | right.keys()
    return Agreement(
        places=equal + len(either),
        equal=equal + len(either) - len(found),
        same_actions=equal + sum(left[place][1].action == right[place][1].action for place in both),
        first_divergence=first
        and {
            "a": readable(a, first.a),
            "b": readable(b, first.b),
            "differs": list(first.differs),
        },
    )


def together(agreements: Iterable[Agreement]) -> Agreement:
    """Return the agreement of several pairs of runs as one; the first that differ give the divergence."""
    every = list(agreements)
    return Agreement(
        places=sum(one.places for one in every),
        equal=sum(one.equal for one in every),
        same_actions=sum(one.same_actions for one in every),
        first_divergence=next((one.first_divergence for one in every if one.first_divergence), None),
    )


def differences(a: Trace, b: Trace) -> list[Difference]:
    """Return every place where two runs differ."""
    _, left, right = _left(a, b)
    return list(_differences(a, b, left, right))


def _left(a: Trace, b: Trace) -> tuple[int, Contents, Contents]:
    """Return at how many places two runs are found equal at once, and what is left of each."""
    equal = alike(a, b)
    return len(equal.a), _contents(a, without(equal.a, len(a))), _contents(b, without(equal.b, len(b)))


def _contents(trace: Trace, rows: Sequence[int]) -> Contents:
    """Return, by place, these rows and what each must have in common with another run's."""
    seen: Counter[tuple[int, int, int]] = Counter()
    found: Contents = {}
    for row in rows:
        name = int(trace.node[row]), int(trace.incarnation[row]), int(trace.tick[row])
        found[*name, seen[name]] = row, _content(trace, row)
        seen[name] += 1
    return found


def readable(trace: Trace, row: int) -> dict[str, Any] | None:
    """Return an event as a short object, times in ms; what is lost arrives at null."""
    if row < 0:
        return None
    short: dict[str, Any] = {
        "event": words.name(trace, row),
        "tick": int(trace.tick[row]),
        "due_ms": int(trace.due_ns[row]) / 1e6,
        "kind": KINDS[trace.kind[row]],
        "clock": int(trace.clock[row]),
        "queue": int(trace.queue[row]),
    }
    if trace.kind[row] == RECEIVE:
        short["cause"] = words.cause(trace, row)
    if row in trace.sent_by:
        short["to"] = [int(trace.messages.recipient[message]) for message in trace.sent_by[row]]
        short["arrival_ms"] = [_milliseconds(int(trace.messages.arrival_ns[message])) for message in trace.sent_by[row]]
    return short


def _milliseconds(time_ns: int) -> float | None:
    return None if time_ns == NULL else time_ns / 1e6


def _differences(a: Trace, b: Trace, left: Contents, right: Contents) -> Iterator[Difference]:
    for place in sorted(left.keys() | right.keys()):
        row_a, content_a = left.get(place, (-1, None))
        row_b, content_b = right.get(place, (-1, None))
        if content_a != content_b:
            due_ns = min(int(trace.due_ns[row]) for trace, row in ((a, row_a), (b, row_b)) if row >= 0)
            yield Difference(place, due_ns, row_a, row_b, _differing(content_a, content_b))


def _content(trace: Trace, row: int) -> Content:
    kind, clock, queue = KINDS[trace.kind[row]], int(trace.clock[row]), int(trace.queue[row])
    cause = (
        int(trace.cause_node[row]),
        int(trace.cause_incarnation[row]),
        int(trace.cause_index[row]),
        int(trace.cause_copy[row]),
    )
    return Content(kind, clock, queue, cause if trace.is_receive[row] else None, _recipients(trace, row))


def _recipients(trace: Trace, row: int) -> tuple[tuple[int, int, int | None], ...]:
    table, found = trace.messages, []
    for message in trace.sent_by.get(row, ()):
        arrival_ns = int(table.arrival_ns[message])
        own_ns = None if arrival_ns == NULL else arrival_ns - trace.machines[int(trace.node[row])].shift_ns
        found.append((int(table.recipient[message]), int(table.copy[message]), own_ns))
    return tuple(found)


def _differing(a: Content | None, b: Content | None) -> tuple[str, ...]:
    if a is None or b is None:
        return ("missing",)
    return tuple(field for field, mine, other in zip(FIELDS, a, b, strict=True) if mine != other)
