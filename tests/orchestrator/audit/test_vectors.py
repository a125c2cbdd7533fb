"""The order that vector clocks tell, against executions of which the test knows the order."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.audit.store import ForeignTrace
from orchestrator.audit.vectors import vector_edges
from orchestrator.trace.order import Order
from tests.executions import Execution, executions
from tests.foreign_traces import foreign_trace


def trace_of(execution: Execution, kept: Sequence[int]) -> ForeignTrace:
    """Return the record of some events of an execution, a row each, in this order."""
    return foreign_trace(
        [execution.node[event] for event in kept],
        nodes=execution.machines,
        vectors=[execution.vectors[event] for event in kept],
    )


def edges_of(trace: ForeignTrace) -> set[tuple[int, int]]:
    edges = vector_edges(trace)
    return set(zip(edges.cause.tolist(), edges.effect.tolist(), strict=True))


@st.composite
def records(draw: st.DrawFn) -> tuple[Execution, list[int]]:
    """Draw an execution and some of its events, their lines in any order."""
    execution = draw(executions())
    kept = draw(st.permutations(range(len(execution.node))))
    return execution, kept[: draw(st.integers(0, len(kept)))]


@given(records())
def test_the_order_is_that_of_the_execution(drawn: tuple[Execution, list[int]]) -> None:
    """What is in the record is ordered as it happened, whatever is missing between, and wherever the lines stand."""
    execution, kept = drawn
    trace = trace_of(execution, kept)
    order = Order(trace.programs, vector_edges(trace), len(trace))

    pairs = list(permutations(range(len(kept)), 2))
    expected = {(a, b) for a, b in pairs if kept[a] in execution.past(kept[b])}

    assert expected == {(a, b) for a, b in pairs if order.happened_before(a, b)}
    assert order.circular == []


@given(records())
def test_the_edges_are_those_with_nothing_between(drawn: tuple[Execution, list[int]]) -> None:
    """An edge joins two events on different machines, one before the other, and no third in the record between."""
    execution, kept = drawn
    trace = trace_of(execution, kept)
    past = [{kept.index(event) for event in execution.past(end) if event in kept} for end in kept]
    expected = {
        (a, b)
        for a, b in permutations(range(len(kept)), 2)
        if execution.node[kept[a]] != execution.node[kept[b]] and a in past[b]
        if not any(a in past[between] for between in past[b])
    }

    assert expected == edges_of(trace)
    assert len(expected) == Order(trace.programs, vector_edges(trace), len(trace)).edges


def test_what_is_missing_brings_no_second_edge() -> None:
    """Event b:2 knows a:2, which is not there; a:1, the last before it, is known by b:1 already. For b:3 it is a:3."""
    vectors = [(1, 0), (3, 0), (1, 1), (2, 2), (4, 3)]

    assert edges_of(foreign_trace([0, 0, 1, 1, 1], vectors=vectors)) == {(0, 2), (1, 4)}


def test_an_entry_that_contradicts_itself_is_no_cause() -> None:
    """Event b:1 claims to know a:2, but not c:1, which a:2 knew; b:2 knows c:1, too."""
    vectors = [(1, 0, 0), (0, 0, 1), (2, 0, 1), (2, 1, 0), (2, 2, 1)]

    assert edges_of(foreign_trace([0, 2, 0, 1, 1], vectors=vectors)) == {(1, 2), (1, 4)}


def test_two_events_that_know_each_other_are_no_causes() -> None:
    """No circle comes out of vectors that are one and the same."""
    assert edges_of(foreign_trace([0, 1], vectors=[(1, 1), (1, 1)])) == set()


def test_an_event_without_a_number_knows_nothing() -> None:
    """An own entry of 0 cannot be placed; what it tells of others is not believed."""
    assert edges_of(foreign_trace([0, 1], vectors=[(1, 0), (1, 0)])) == set()


def test_a_log_without_vectors_has_no_edges() -> None:
    """Nor has a log without events."""
    assert edges_of(foreign_trace([0, 1])) == set()
    assert edges_of(foreign_trace([], nodes=2, vectors=[])) == set()
    assert vector_edges(foreign_trace([0, 1])).cause.dtype == np.int64
