"""What two events are to each other: by walking back from one, against the order of all events."""

from dataclasses import replace
from itertools import pairwise, permutations, product

import pytest
from hypothesis import given

from node.event import EventId
from orchestrator.explain.relate import relate
from orchestrator.trace import Trace, trace_of
from orchestrator.trace.order import Order
from tests.clusters import cluster
from tests.histories import as_foreign, golden_trace, history_of, is_just_before, simulated_history
from tests.orchestrator.trace.test_order import internal, reached, traces


def expected(order: Order, a: int, b: int) -> str:
    if a == b:
        return "same"
    return "before" if order.happened_before(a, b) else "after" if order.happened_before(b, a) else "concurrent"


@given(traces())
def test_two_events_are_related_as_all_paths_say(trace: Trace) -> None:
    """Before iff a path leads from A to B, after iff from B to A, and circular iff both."""
    history, pairs = history_of(trace), reached(trace, [])
    words = {(True, False): "before", (False, True): "after", (True, True): "circular", (False, False): "concurrent"}

    for a, b in permutations(range(len(trace)), 2):
        assert words[(a, b) in pairs, (b, a) in pairs] == relate(history, a, b).relation


@pytest.mark.parametrize("name", [f"c{number}" for number in range(1, 10)])
def test_in_the_golden_runs_it_is_the_order_of_all_events(name: str) -> None:
    """With faults and without, from structure alone: also where the clock is one of the mistakes."""
    trace = golden_trace(name)
    history, order = history_of(trace), Order.of(trace)
    rows = range(0, len(trace), len(trace) // 13)

    for a, b in product(rows, rows):
        found = relate(history, a, b)

        assert expected(order, a, b) == found.relation
        assert all(is_just_before(history, earlier, later) for earlier, later in pairwise(found.way))
        assert {a, b} >= {*found.way[:1], *found.way[-1:]}


def test_each_knows_the_others_machine_up_to_the_latest_event_in_its_past() -> None:
    """For concurrent events: that one happened before it, and the machine's next did not."""
    history = simulated_history(cluster(3, seconds=20, delay_ms=300))
    order, concurrent = Order.of(history._trace), 0
    for a, b in product(range(0, len(history), 7), repeat=2):
        found = relate(history, a, b)
        if found.relation != "concurrent":
            continue
        concurrent += 1
        for one, other, known in ((a, b, found.known_to_a), (b, a, found.known_to_b)):
            rows = [row for row in history.events_of(history.machine(other)) if row < other]
            assert max((row for row in rows if order.happened_before(row, one)), default=-1) == known

    assert concurrent > 100


def test_an_incarnation_is_a_machine_of_its_own() -> None:
    """What a machine has forgotten did not happen before what it does then."""
    trace = trace_of(cluster(2), [internal(1, 1), replace(internal(1, 1), incarnation=1, tick=1, due_ns=5000)])
    history = history_of(trace)

    found = relate(history, trace.row(EventId(1, 0, 1)), trace.row(EventId(1, 1, 1)))

    assert ("concurrent", -1, -1) == (found.relation, found.known_to_a, found.known_to_b)
    assert ["1", "1.1", "2"] == sorted(history.machines)


def test_where_the_record_does_not_tell_all_nothing_is_called_concurrent() -> None:
    """A receive of which nobody knows the send may have been the way; what is proved stays proved."""
    machines = cluster(3, seconds=10)
    whole = simulated_history(machines)
    trace = whole._trace
    receives = [row for row in range(len(trace)) if trace.is_receive[row]]
    holed = as_foreign(trace, forgotten=receives[::2])
    changed = {"before": {"before", "unknown"}, "after": {"after", "unknown"}, "concurrent": {"concurrent", "unknown"}}
    seen = set()

    for a, b in permutations(range(0, len(trace), 5), 2):
        was, now = relate(whole, a, b).relation, relate(holed, a, b).relation
        seen.add((was, now))
        assert now in changed[was]

    assert {("before", "unknown"), ("concurrent", "unknown"), ("before", "before")} <= seen
