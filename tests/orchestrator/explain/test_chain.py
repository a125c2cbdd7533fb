"""The chain that forced a clock: exactly as long as the clock says where all is right, and where not, it says where."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.event import EventId
from node.model import ClockName
from orchestrator.explain.chain import Explained, explain, forcing
from orchestrator.explain.history import History
from orchestrator.trace import Trace, trace_of
from tests.clusters import cluster
from tests.histories import as_foreign, golden_trace, history_of, is_just_before, simulated_history
from tests.logs_on_disk import simulated_run
from tests.mistakes import MISTAKES
from tests.orchestrator.trace.test_order import traces


def assert_adds_up(found: Explained) -> None:
    """Assert what holds of every chain: each event before the next, and the clock is what was added up on the way."""
    history, clock = found.history, found.history.clock(found.event)
    by = sum(misfit.by for misfit in found.misfits)

    assert found.chain[-1] == found.event
    assert len(set(found.chain)) == len(found.chain)
    assert all(is_just_before(history, earlier, later) for earlier, later in pairwise(found.chain))
    assert len(found.chain) == sum(hop.events for hop in found.hops)
    assert found.longest >= len(found.chain) or found.begins == "circle"
    assert set(found.misfits) == set() or found.is_exact is False
    if found.before_it is not None:
        assert clock == found.before_it + len(found.chain) + by


def assert_exact(history: History, *, every: int = 1) -> None:
    """Assert that clocks are explained by as many events."""
    for row in range(0, len(history), every):
        found = explain(history, row)

        assert_adds_up(found)
        assert (True, history.clock(row), "first-event") == (found.is_exact, len(found.chain), found.begins)
        assert found.longest == len(found.chain)


@given(st.integers(0, 10**6), st.integers(2, 5), st.sampled_from([0, 10, 700]), st.sampled_from([0.1, 0.7]))
@settings(deadline=None, max_examples=30)
def test_in_a_correct_run_a_chain_has_as_many_events_as_the_clock_says(
    seed: int, nodes: int, delay_ms: int, internal_probability: float
) -> None:
    """Issue 4: exactly, for every event, and each event of the chain happened just before the next."""
    assert_exact(
        simulated_history(
            cluster(nodes, seed=seed, seconds=4, delay_ms=delay_ms, internal_probability=internal_probability)
        )
    )


@pytest.mark.parametrize("name", ["c1", "c3", "c4", "c5", "c6", "c7"])
def test_in_the_golden_runs_a_chain_has_as_many_events_as_the_clock_says(name: str) -> None:
    """With loss, duplicates, overtaking, partitions and crashes, as long as the rule was obeyed."""
    assert_exact(history_of(golden_trace(name)), every=5)


@pytest.mark.parametrize("clock", ["lamport-literal", "lamport-no-increment"])
def test_under_a_mistaken_clock_it_says_where_it_does_not_come_out(clock: ClockName) -> None:
    """Each misfit is a receive that is not later than its send; a chain without one is no longer than the clock."""
    history = simulated_history(cluster(3, clock=clock, seconds=30, internal_probability=0.3, delay_ms=100))
    found = [explain(history, row) for row in range(len(history))]

    for one in found:
        assert_adds_up(one)
        for misfit in one.misfits:
            (send,) = history.causes(misfit.event)
            assert (history.clock(send) or 0) >= (history.clock(misfit.event) or 0)
            assert misfit.by < 0
            assert history.event(send) in misfit.why

    assert sum(not one.is_exact for one in found) > len(found) / 2


@pytest.mark.parametrize("name", MISTAKES)
def test_whatever_the_mistake_the_chain_adds_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is the number of events and what does not come out, for every event of every mistaken run."""
    MISTAKES[name].plant(monkeypatch)
    machines = cluster(3, seconds=20, internal_probability=0.3, delay_ms=200)
    history = history_of(trace_of(machines, *simulated_run(machines)))

    found = [explain(history, row) for row in range(len(history))]

    for one in found:
        assert_adds_up(one)
    if MISTAKES[name].named_by in ("clock-condition", "clock-rises"):
        assert any(one.misfits for one in found)


@given(traces())
def test_no_record_is_too_wrong_to_be_explained(trace: Trace) -> None:
    """With clocks that mean nothing, and events that happened before themselves."""
    history = history_of(trace)

    for row in range(len(trace)):
        found = explain(history, row)

        assert_adds_up(found)
        if found.begins == "circle":
            assert forcing(history, found.chain[0]) in found.chain


def test_of_equal_clocks_the_send_is_followed() -> None:
    """Issue 4: the message forced the clock if its stamp + 1 is the clock, also where the machine had got as far."""
    history = simulated_history(cluster(3, seconds=60, internal_probability=0.3))
    ties = 0
    for row in range(len(history)):
        own, causes = history.clock(history.previous(row)) if history.previous(row) >= 0 else 0, history.causes(row)
        if causes and history.clock(causes[0]) == own:
            ties += 1
            assert forcing(history, row) == causes[0]

    assert ties > 5


@given(st.data())
@settings(deadline=None, max_examples=30)
def test_where_a_send_is_not_known_the_chain_ends_or_goes_on_without_it(data: st.DataObject) -> None:
    """Without the send, only what the machine had counted itself forces a clock; what is missing is said."""
    trace = simulated_history(cluster(3, seconds=8, internal_probability=0.3))._trace
    receives = [row for row in range(len(trace)) if trace.is_receive[row]]
    history = as_foreign(trace, forgotten=data.draw(st.lists(st.sampled_from(receives), unique=True)))

    for row in range(len(trace)):
        found = explain(history, row)

        assert_adds_up(found)
        assert found.misfits == ()
        if found.begins == "unnamed-send":
            first = found.chain[0]
            sender = "abc"[trace.cause_node[first] - 1]
            assert f"the log names its sender, {sender}, but not which send it was" == history.unnamed(first)
            assert found.before_it == int(trace.clock[first]) - 1 >= int(trace.stamp[first])
            assert (found.is_exact, found.is_open) == (False, True)
            previous = history.previous(first)
            assert (history.clock(previous) or 0 if previous >= 0 else 0) < found.before_it


def test_a_send_that_is_not_in_the_record_is_named() -> None:
    """Ours name it all the same, and recorded what it carried."""
    machines = cluster(3, seconds=10)
    events = [event for event in simulated_run(machines)[0] if event.node != 3]
    history = history_of(trace_of(machines, events))
    ended = [
        found for found in (explain(history, row) for row in range(len(history))) if found.begins == "unnamed-send"
    ]

    assert ended
    for found in ended:
        first = found.chain[0]
        assert found.before_it == history.stamp(first)
        assert "the record does not hold its send, 3:" in history.unnamed(first)


def test_events_that_are_missing_are_where_it_does_not_come_out() -> None:
    """A hole in a log is a misfit of as many steps as were lost, and the longest chain may be longer."""
    machines = cluster(2, seconds=10, internal_probability=1)
    events = [event for event in simulated_run(machines)[0] if event.node != 1 or event.index not in (3, 4)]
    trace = trace_of(machines, events)
    history = history_of(trace)

    found = explain(history, trace.row(EventId(1, 0, 7)))
    (misfit,) = found.misfits

    assert ("1:5", 2) == (history.event(misfit.event), misfit.by)
    assert misfit.why == "the record lacks 2 events of machine 1 before 1:5 with clock 5."
    assert (5, True) == (found.longest, found.is_open)


def test_without_a_scalar_clock_it_is_the_longest_chain() -> None:
    """What a correct Lamport clock would have said: the same chain length as in the log that has one."""
    trace = simulated_history(cluster(3, seconds=8))._trace
    history = as_foreign(trace, has_clock=False)

    for row in range(len(trace)):
        found = explain(history, row)

        assert (None, None, int(trace.clock[row])) == (found.is_exact, history.clock(row), len(found.chain))
