"""Happened-before: the fast order against a dumb search over all paths."""

from dataclasses import replace
from itertools import permutations, product

from hypothesis import given
from hypothesis import strategies as st

from node.event import Delivery, Event, EventId, MessageId
from orchestrator.trace import Trace, check, trace_of
from orchestrator.trace.order import Order
from tests.clusters import cluster


def internal(node: int, index: int) -> Event:
    return Event(
        node=node,
        incarnation=0,
        index=index,
        tick=index - 1,
        due_ns=index * 1000 + node,
        kind="internal",
        clock=index,
        queue=0,
    )


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Draw some machines whose events name one another at random: also later ones, in circles."""
    nodes = draw(st.integers(2, 4))
    lengths = [draw(st.integers(0, 5)) for _ in range(nodes)]
    names = [(node, index) for node, length in enumerate(lengths, 1) for index in range(1, length + 1)]
    events = {name: internal(*name) for name in names}
    for name in names:
        send = draw(st.sampled_from([None, *names]))
        if send is None or send[0] == name[0] or events[name].kind != "internal" or events[send].kind == "receive":
            continue
        number = len(events[send].to) + 1
        to = (*events[send].to, Delivery(name[0], number, 0, 0))
        events[send] = replace(events[send], kind="send-one", to=to)
        cause = MessageId(send[0], 0, send[1], 0)
        events[name] = replace(events[name], kind="receive", cause=cause, number=number, stamp=1, arrival_ns=0)
    return trace_of(cluster(nodes), events.values())


def reached(trace: Trace, without: list[int]) -> set[tuple[int, int]]:
    """Return every pair of rows with a path from the first to the second, by trying until nothing is added."""
    pairs = set()
    for row in range(len(trace)):
        if trace.before[row] >= 0:
            pairs.add((int(trace.before[row]), row))
        if trace.cause_row[row] >= 0 and row not in without:
            pairs.add((int(trace.cause_row[row]), row))
    while more := {(a, d) for (a, b), (c, d) in product(pairs, pairs) if b == c} - pairs:
        pairs |= more
    return pairs


@given(traces())
def test_the_order_is_that_of_all_paths(trace: Trace) -> None:
    """An event happened before another iff a path of program order and causes leads from one to the other."""
    order = Order.of(trace)
    pairs = reached(trace, order.circular)

    found = {(a, b) for a, b in permutations(range(len(trace)), 2) if order.happened_before(a, b)}

    assert pairs == found


@given(traces())
def test_the_numbers_are_those_of_all_paths(trace: Trace) -> None:
    """Pairs, edges and the longest chain are counted as they are defined."""
    order = Order.of(trace)
    pairs = reached(trace, order.circular)
    rows = range(len(trace))
    edges = [
        (a, b)
        for a, b in pairs
        if trace.node[a] != trace.node[b] and not any((a, c) in pairs and (c, b) in pairs for c in rows)
    ]

    def length(row: int) -> int:
        return 1 + max((length(earlier) for earlier in rows if (earlier, row) in pairs), default=0)

    assert len(pairs) == order.ordered_pairs
    assert len(trace) * (len(trace) - 1) // 2 - len(pairs) == order.concurrent_pairs
    assert len(edges) == order.edges
    assert max(map(length, rows), default=0) == order.longest_chain


@given(traces())
def test_a_circle_is_a_violation_of_the_clock_condition(trace: Trace) -> None:
    """No clock can rise along a circle, whatever was recorded; and where there is none, none is found."""
    has_circle = any(a == b for a, b in reached(trace, []))
    order = Order.of(trace)

    assert has_circle == bool(order.circular)
    assert not any(a == b for a, b in reached(trace, order.circular))
    if has_circle:
        assert check(trace).checks[0].verdict == "violated"


def test_an_incarnation_is_a_process_of_its_own() -> None:
    """What a machine has forgotten did not happen before what it does then."""
    events = [internal(1, 1), replace(internal(1, 1), incarnation=1, tick=1, due_ns=5000)]

    trace = trace_of(cluster(2), events)
    order = Order.of(trace)

    assert not order.happened_before(trace.row(EventId(1, 0, 1)), trace.row(EventId(1, 1, 1)))
    assert order.concurrent_pairs == 1
