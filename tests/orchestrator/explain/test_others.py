"""The logs of others as a history: the same chains and relations as in a log of ours, as far as they say enough."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given

from orchestrator.audit.store import OTHER, ForeignTrace
from orchestrator.audit.vectors import vector_edges
from orchestrator.explain.chain import explain
from orchestrator.explain.others import ForeignHistory
from orchestrator.explain.relate import relate
from orchestrator.trace.order import Edges
from orchestrator.trace.store import NULL
from tests.clusters import cluster
from tests.executions import Execution, executions
from tests.foreign_traces import foreign_trace
from tests.histories import as_foreign, simulated_history

NO_EDGES = Edges(np.empty(0, np.int64), np.empty(0, np.int64))
MACHINES = cluster(3, seconds=10, internal_probability=0.3, delay_ms=100)


def vectors_of(execution: Execution) -> ForeignHistory:
    trace = foreign_trace(execution.node, nodes=execution.machines, vectors=execution.vectors)
    return ForeignHistory(trace, vector_edges(trace), None)


def clocks_of(trace: ForeignTrace, clocks: list[float | None], *, scale: int) -> ForeignHistory:
    column = np.array([NULL if clock is None else round(clock * scale) for clock in clocks], np.int64)
    kind = "scalar" if scale == 1 else "fractional"
    return ForeignHistory(replace(trace, clock=column, clock_kind=kind, clock_scale=scale), NO_EDGES, None)


def test_the_same_run_has_the_same_chains_whoever_logged_it() -> None:
    """Where a log of others names as much as ours, nothing differs but names, and when messages came."""
    ours = simulated_history(MACHINES)
    theirs = as_foreign(ours._trace)

    for row in range(len(ours)):
        one, other = explain(ours, row), explain(theirs, row)

        assert (one.chain, one.is_exact, one.longest) == (other.chain, other.is_exact, other.longest)
        assert ours.number(row) == theirs.number(row)
        assert f"{'abc'[int(ours.machine(row)) - 1]}:{ours.number(row)}" == theirs.event(row)
        assert ours.time_ns(row) == (theirs.time_ns(row) or 0) + (ours.time_ns(0) or 0)


@given(executions())
def test_vectors_relate_as_they_compare(execution: Execution) -> None:
    """One event happened before another iff its vector is smaller: no vector of a whole record leaves a doubt."""
    history = vectors_of(execution)
    vectors = execution.vectors

    for a, b in permutations(range(len(history)), 2):
        smaller = all(x <= y for x, y in zip(vectors[a], vectors[b], strict=True))
        larger = all(x >= y for x, y in zip(vectors[a], vectors[b], strict=True))
        assert {(True, False): "before", (False, True): "after"}.get((smaller, larger), "concurrent") == (
            relate(history, a, b).relation
        )


@given(executions())
def test_an_event_with_a_vector_has_no_scalar_clock(execution: Execution) -> None:
    """It is shown whole, and explained by the longest chain of its past."""
    history = vectors_of(execution)

    for row in range(len(history)):
        found = explain(history, row)

        assert (history.clock(row), found.is_exact, found.misfits) == (None, None, ())
        assert len(found.chain) == found.longest <= sum(execution.vectors[row])
        assert history.event(row).split(":")[0] in (history.clock_text(row) or "")


def test_an_event_that_a_vector_names_and_that_is_not_there_leaves_a_doubt() -> None:
    """It may have known of more than the record tells: its own number says so, or what it names."""
    trace = foreign_trace([0, 0, 1, 1], nodes=2, vectors=[[1, 0], [3, 0], [0, 1], [2, 2]])
    history = ForeignHistory(trace, vector_edges(trace), None)

    assert [False, True, False, True] == [history.is_open(row) for row in range(4)]
    assert [0, 1, 0, 0] == [history.lost_before(row) for row in range(4)]


def test_a_line_that_could_not_be_read_leaves_a_doubt_where_it_stands() -> None:
    """Between two events of a machine in one file it may have been one of that machine."""
    trace = foreign_trace([0, 1, 0, 1, 0], unread_lines=[30])
    history = ForeignHistory(replace(trace, line=np.array([10, 20, 40, 50, 60])), NO_EDGES, None)

    opened = [history.is_open(row) for row in range(5)]

    # Nobody says what kind of events these are, which is a doubt of its own.
    assert [True] * 5 == opened
    history = ForeignHistory(
        replace(trace, line=np.array([10, 20, 40, 50, 60]), kind=np.zeros(5, np.int64)), NO_EDGES, None
    )
    assert [False, False, True, True, False] == [history.is_open(row) for row in range(5)]


def test_an_event_of_no_known_kind_may_have_received_something() -> None:
    """Its chain ends there if its clock jumps, and goes on if it does not."""
    history = clocks_of(foreign_trace([0, 0, 0]), [1, 2, 7], scale=1)

    assert OTHER == history._trace.kind[2]
    assert ("first-event", True) == (explain(history, 1).begins, not explain(history, 1).misfits)
    assert ("unnamed-send", 6) == (explain(history, 2).begins, explain(history, 2).before_it)
    assert history.unnamed(2) == "the log does not say what kind of event this is"


@pytest.mark.parametrize(
    ("clocks", "scale", "step", "shown"),
    [
        ([1, 2, 3], 1, 1, ["1", "2", "3"]),
        ([1, 2, 3], 10, 10, ["1.0", "2.0", "3.0"]),
        ([1.5, 2.5, 3.7], 10, None, ["1.5", "2.5", "3.7"]),
        ([1, None, 3], 1, 1, ["1", None, "3"]),
    ],
)
def test_clocks_count_events_if_they_are_whole(
    clocks: list[float | None], scale: int, step: int | None, shown: list[str | None]
) -> None:
    """Decimals that are not whole say which is later, and not how many events there were."""
    trace = replace(foreign_trace([0, 0, 0]), kind=np.zeros(3, np.int64))
    history = clocks_of(trace, clocks, scale=scale)
    found = explain(history, 2)

    assert (step, shown) == (history.step, [history.clock_text(row) for row in range(3)])
    assert (None if step is None else True, 3, ()) == (found.is_exact, len(found.chain), found.misfits)
