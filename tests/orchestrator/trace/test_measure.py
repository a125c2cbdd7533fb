"""The measures: numbers worked out by hand, and the fast against a dumb walk through time."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.event import Delivery, Event, MessageId
from node.model import SECOND_NS, Model
from orchestrator.labs.simulated import simulate
from orchestrator.trace import measure, trace_of
from tests.clusters import cluster

TWO = {
    node: replace(model, rate_hz=2, phase_ns=0 if node == 1 else 250_000_000)
    for node, model in cluster(2, seconds=2).items()
}
SEND: dict[str, Any] = {"kind": "send-one", "to": (Delivery(2, 1, 500_000_000),)}
RECEIVE: dict[str, Any] = {
    "kind": "receive",
    "cause": MessageId(1, 0, 2),
    "number": 1,
    "stamp": 2,
    "arrival_ns": 500_000_000,
}


def event(node: int, tick: int, clock: int, **fields: Any) -> Event:
    place: dict[str, Any] = {
        "node": node,
        "incarnation": 0,
        "index": tick + 1,
        "tick": tick,
        "due_ns": TWO[node].due_ns(tick),
    }
    return Event(**(place | {"kind": "internal", "clock": clock, "queue": 0} | fields))


# By hand, in quarters of a second: machine 1 has the clock 1 1 2 2 3 3 4 4, machine 2 has 0 1 1 3 3 4 4 5.
BY_HAND = [
    *(event(1, 0, 1), event(1, 1, 2, **SEND), event(1, 2, 3), event(1, 3, 4)),
    *(event(2, 0, 1), event(2, 1, 3, **RECEIVE), event(2, 2, 4), event(2, 3, 5)),
]


def test_the_measures_are_those_worked_out_by_hand() -> None:
    """Each formula of docs/measures.md, on eight events."""
    found = measure(trace_of(TWO, BY_HAND))

    machines = found.pop("machines")
    assert found == {
        "drift_mean": pytest.approx((1 + 0 + 1 + 1 + 0 + 1 + 0 + 1) / 8),
        "drift_max": 1,
        "drift_pair_mean": pytest.approx((1 + 0 + 1 + 1 + 0 + 1 + 0 + 1) / 8),
        "queue_mean": pytest.approx((0 + 0.25 / 2) / 2),
        "queue_max": 0,
        "jump_mean": 2.0,
        "jump_max": 2,
        "gap_mean": 1.0,
        "gap_max": 1,
        "share_internal": 6 / 8,
        "share_send_one": 1 / 8,
        "share_send_next": 0.0,
        "share_send_all": 0.0,
        "share_receive": 1 / 8,
        "busy": 1 / 8,
        "final_clock": 4.5,
        "clock_rate": 2.25,
    }
    assert set(machines) == {"1", "2"}
    assert machines["2"]["queue_mean"] == pytest.approx(0.125)
    assert machines["2"]["busy"] == 0.25
    assert machines["1"]["jump_mean"] is None
    assert machines["1"]["clock_rate"] == 2.0
    assert not [name for name in machines["1"] if name.startswith("drift")]


def test_where_there_is_nothing_to_measure_there_is_no_number() -> None:
    """A mean of nothing is not 0."""
    machines = {node: replace(model, duration_ns=1, phase_ns=5) for node, model in cluster(2).items()}

    found = measure(trace_of(machines, []))

    assert found["jump_mean"] is None
    assert found["share_internal"] is None
    assert found["busy"] is None
    assert found["drift_max"] == 0
    assert measure(trace_of({}, []))["drift_mean"] is None


def test_what_lasts_no_time_is_no_drift() -> None:
    """Ticks at one instant change the clocks together: no state between them existed."""
    machines = {node: replace(model, rate_hz=3, phase_ns=0, internal_probability=1.0) for node, model in TWO.items()}

    found = measure(trace_of(machines, simulate(machines)))

    assert (found["drift_max"], found["drift_mean"]) == (0, 0.0)


@given(st.integers(0, 2**40), st.integers(2, 4), st.booleans(), st.sampled_from([0, 300]))
@settings(deadline=None, max_examples=60)
def test_the_measures_are_those_of_a_dumb_walk_through_time(
    seed: int, nodes: int, aligned: bool, delay_ms: int
) -> None:
    """Time by time, in exact fractions, straight from the definitions."""
    machines = cluster(nodes, seed=seed, seconds=3, internal_probability=0.2, delay_ms=delay_ms)
    if aligned:
        machines = {node: replace(model, phase_ns=0) for node, model in machines.items()}
    events = list(simulate(machines))

    found = measure(trace_of(machines, events))

    for name, value in dumb_drift(machines, events):
        assert found[name] == pytest.approx(float(value)), name
    for node in machines:
        assert found["machines"][str(node)]["queue_mean"] == pytest.approx(float(dumb_queue(machines, events, node)))
    jumps = [event.clock - before for before, event in with_clock_before(events) if event.kind == "receive"]
    assert found["jump_mean"] == (pytest.approx(sum(jumps) / len(jumps)) if jumps else None)
    assert found["jump_max"] == max(jumps, default=None)
    assert found["gap_max"] == (max(jumps) - 1 if jumps else None)


def dumb_drift(machines: dict[int, Model], events: list[Event]) -> Iterator[tuple[str, Fraction]]:
    end = 3 * SECOND_NS
    instants = sorted({0, end, *(event.due_ns for event in events)})
    whole, pairs, most = Fraction(), Fraction(), 0
    for now, then in pairwise(instants):
        clocks = [max((e.clock for e in events if e.node == node and e.due_ns <= now), default=0) for node in machines]
        apart = [abs(a - b) for a, b in combinations(clocks, 2)]
        whole += Fraction((max(clocks) - min(clocks)) * (then - now), end)
        pairs += Fraction(sum(apart) * (then - now), end * len(apart))
        most = max(most, max(clocks) - min(clocks))
    yield from (("drift_mean", whole), ("drift_pair_mean", pairs), ("drift_max", Fraction(most)))


def dumb_queue(machines: dict[int, Model], events: list[Event], node: int) -> Fraction:
    end, total = machines[node].duration_ns, Fraction()
    received = {event.cause: event.due_ns for event in events if event.node == node and event.cause}
    for send in events:
        for delivery in send.to:
            if delivery.recipient == node and delivery.arrival_ns is not None and delivery.arrival_ns < end:
                name = MessageId(send.node, send.incarnation, send.index, delivery.copy)
                total += Fraction(received.get(name, end) - delivery.arrival_ns, end)
    return total


def with_clock_before(events: list[Event]) -> Iterator[tuple[int, Event]]:
    last: dict[int, int] = {}
    for one in events:
        yield last.get(one.node, 0), one
        last[one.node] = one.clock
