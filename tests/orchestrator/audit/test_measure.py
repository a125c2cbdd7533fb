"""The measures of others' logs: those of our own runs where the log says as much, none where it does not."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model import SECOND_NS
from orchestrator.audit.measure import measure
from orchestrator.audit.store import ALL, INTERNAL, ONE, RECEIVE, SEND, ForeignTrace
from orchestrator.labs.simulated import simulate
from orchestrator.trace import measure as measure_ours
from orchestrator.trace import trace_of
from orchestrator.trace.store import NULL
from tests.clusters import cluster
from tests.foreign_runs import NOTHING, as_foreign, foreign_run, less
from tests.foreign_traces import foreign_trace

AS_OURS = (
    *("queue_max", "share_internal", "share_send_all", "share_receive", "final_clock"),
    *("jump_mean", "jump_max", "gap_mean", "gap_max", "busy"),
)
DRIFT = ("drift_mean", "drift_max", "drift_pair_mean")
JUMPS = ("jump_mean", "jump_max", "gap_mean", "gap_max")
SHARES = ("share_internal", "share_send", "share_send_one", "share_send_all", "share_receive")

# By hand, in quarters of a second. Machine a has the clock 1 2 3 4 at 0 2 4 6, machine b has 1 4 5 at 1 3 7.
A, B = 0, 1
BY_HAND = replace(
    foreign_trace([A, B, A, B, A, A, B], times_ns=[time * SECOND_NS // 4 for time in (0, 1, 2, 3, 4, 6, 7)]),
    clock_kind="scalar",
    clock=np.array([1, 1, 2, 4, 3, 4, 5]),
    kind=np.array([SEND, INTERNAL, SEND, RECEIVE, INTERNAL, INTERNAL, INTERNAL]),
    to=np.array([B, ONE, ALL, ONE, ONE, ONE, ONE]),
    queue=np.array([0, 2, NULL, 1, 0, 0, NULL]),
)


def test_the_measures_are_those_worked_out_by_hand() -> None:
    """Each formula of docs/measures.md, on seven events; clocks are compared from 0.25 s to 1.5 s."""
    found = measure(BY_HAND, NOTHING)

    machines = found.pop("machines")
    assert found == {
        "drift_mean": pytest.approx((0 + 1 + 2 + 1 + 1) / 5),
        "drift_max": 2,
        "drift_pair_mean": pytest.approx((0 + 1 + 2 + 1 + 1) / 5),
        "queue_mean": pytest.approx((0 + (2 * 2 + 1 * 4) / 6) / 2),
        "queue_max": 1,
        "jump_mean": 3.0,
        "jump_max": 3,
        "gap_mean": 2.0,
        "gap_max": 2,
        "share_internal": 4 / 7,
        "share_send": 2 / 7,
        "share_send_one": 1 / 7,
        "share_send_next": None,
        "share_send_all": 1 / 7,
        "share_receive": 1 / 7,
        "busy": None,
        "tick_rate": None,
        "final_clock": 4.5,
        "clock_rate": pytest.approx((3 / 1.5 + 4 / 1.5) / 2),
        "sent": 2,
        "received": 1,
        "left_over": 1,
        "links": [{"from": "a", "to": "b", "sent": 2, "received": 1, "left_over": 1}],
        "unaddressed": {},
        "anonymous": {},
    }
    assert list(machines) == ["a", "b"]
    assert machines["a"]["jump_mean"] is None
    assert (machines["a"]["sent"], machines["b"]["received"], machines["b"]["left_over"]) == (2, 1, 1)
    assert not [name for name in machines["a"] if name.startswith("drift")]


@given(st.integers(0, 2**40), st.integers(2, 4), st.sampled_from([0, 300]))
@settings(deadline=None, max_examples=40)
def test_the_best_log_of_others_has_the_measures_of_ours(seed: int, nodes: int, delay_ms: int) -> None:
    """What does not depend on when a run begins and ends is the same number, over all and for each machine."""
    machines = cluster(nodes, seed=seed, seconds=9, internal_probability=0.2, delay_ms=delay_ms)
    events = list(simulate(machines))
    ours = measure_ours(trace_of(machines, events))

    found = measure(*as_foreign(events, nodes=nodes))

    assert set(ours) <= set(found)
    # Whether a send to one went to the next, and what a machine's clock was before its log begins, only ours say.
    names = [name for name in AS_OURS if not (name in JUMPS and begins_with_a_receive(events))]
    names = [name for name in names if not (name == "share_send_all" and nodes == 2)]
    pairs = [(ours, found), *((ours["machines"][str(node)], found["machines"]["abcd"[node - 1]]) for node in machines)]
    for expected, actual in pairs:
        assert {name: expected[name] for name in names} == {
            name: actual[name] if name != "busy" or actual[name] is not None else expected[name] for name in names
        }


def begins_with_a_receive(events: list[Any]) -> bool:
    return any(event.kind == "receive" and event.index == 1 for event in events)


@given(st.integers(0, 2**40), st.integers(2, 4), st.booleans())
@settings(deadline=None, max_examples=40)
def test_the_measures_are_those_of_a_dumb_walk_through_time(seed: int, nodes: int, aligned: bool) -> None:
    """Time by time, in exact fractions, from the latest first event to the earliest last one."""
    machines = cluster(nodes, seed=seed, seconds=5, internal_probability=0.2)
    if aligned:
        machines = {node: replace(model, phase_ns=0) for node, model in machines.items()}
    trace, edges = foreign_run(machines)

    found = measure(trace, edges)

    for name, value in dumb_drift(trace):
        assert found[name] == pytest.approx(float(value)), name
    for node, name in enumerate(trace.nodes):
        assert found["machines"][name]["queue_mean"] == pytest.approx(float(dumb_queue(trace, node)))


def dumb_drift(trace: ForeignTrace) -> Iterator[tuple[str, Fraction]]:
    events = list(zip(trace.node.tolist(), trace.time_ns.tolist(), trace.clock.tolist(), strict=True))
    times = {node: [time for each, time, _ in events if each == node] for node in range(len(trace.nodes))}
    start, end = max(min(each) for each in times.values()), min(max(each) for each in times.values())
    whole, pairs, most = Fraction(), Fraction(), 0
    for now, then in pairwise(sorted({start, end, *(time for _, time, _ in events if start < time < end)})):
        clocks = [max(clock for each, time, clock in events if each == node and time <= now) for node in times]
        apart = [abs(a - b) for a, b in combinations(clocks, 2)]
        whole += Fraction((max(clocks) - min(clocks)) * (then - now), end - start)
        pairs += Fraction(sum(apart) * (then - now), (end - start) * len(apart))
        most = max(most, max(clocks) - min(clocks))
    yield from (("drift_mean", whole), ("drift_pair_mean", pairs), ("drift_max", Fraction(most)))


def dumb_queue(trace: ForeignTrace, node: int) -> Fraction:
    events = [(int(trace.time_ns[row]), int(trace.queue[row])) for row in trace.programs[node]]
    waited = sum(length * (then - now) for (now, length), (then, _) in pairwise(events))
    return Fraction(waited, events[-1][0] - events[0][0])


@pytest.mark.parametrize(
    ("fields", "unknown"),
    [
        (["time_ns"], [*DRIFT, "queue_mean", "clock_rate", "busy", "tick_rate"]),
        (["clock"], [*DRIFT, *JUMPS, "final_clock", "clock_rate"]),
        (["queue"], ["queue_mean", "queue_max"]),
        (["kind"], [*JUMPS, *SHARES, "queue_max", "busy", "sent", "received", "left_over"]),
        (["to"], ["share_send_one", "share_send_all", "sent", "left_over"]),
    ],
)
def test_what_a_log_does_not_say_is_no_number(fields: list[str], unknown: list[str]) -> None:
    """Nothing is made up, and nothing else is lost."""
    trace, edges = foreign_run(cluster(3, seconds=20))

    whole, found = measure(trace, edges), measure(less(trace, *fields), edges)

    gone = [name for name in whole if name != "machines" and whole[name] is not None and found[name] is None]
    assert sorted(unknown) == sorted(gone)
    alone, found_alone = whole["machines"]["b"], found["machines"]["b"]
    gone_alone = {name for name in alone if alone[name] is not None and found_alone[name] is None}
    assert gone_alone >= set(unknown) & set(alone)


def test_a_vector_is_no_clock_that_can_be_measured() -> None:
    """The sum of a vector, or its own entry, counts something else than a Lamport clock."""
    found = measure(foreign_trace([0, 1], vectors=[(1, 0), (1, 1)], times_ns=[0, 5]), NOTHING)

    assert {found[name] for name in (*DRIFT, *JUMPS, "final_clock", "clock_rate", *SHARES)} == {None}
    assert set(found["machines"]) == {"a", "b"}


def test_clocks_with_a_fraction_are_measured_in_whole_steps() -> None:
    """1.5 steps are 1.5, whatever unit the trace counts them in."""
    whole, found = (
        measure(BY_HAND, NOTHING),
        measure(replace(BY_HAND, clock_kind="fractional", clock_scale=10), NOTHING),
    )

    for name in (*DRIFT, "jump_mean", "jump_max", "final_clock", "clock_rate"):
        assert whole[name] / 10 == pytest.approx(found[name]), name
    assert found["gap_max"] == pytest.approx(0.3 - 1)
    assert found["machines"]["b"]["final_clock"] == 0.5


def test_clocks_of_hosts_that_were_never_on_at_once_do_not_drift() -> None:
    """Without a common time there is nothing to compare."""
    times = np.where(BY_HAND.node == A, BY_HAND.time_ns, BY_HAND.time_ns + 10 * SECOND_NS)

    found = measure(replace(BY_HAND, time_ns=times), NOTHING)

    assert {found[name] for name in DRIFT} == {None}
    assert found["machines"]["b"]["clock_rate"] == pytest.approx(4 / 1.5)


def test_a_time_that_runs_back_is_taken_to_stand_still() -> None:
    """A machine's clock on the wall may be set back; its events stay in their order."""
    back = BY_HAND.time_ns.copy()
    back[4] = 0  # a's third event, by its own account at the time of its first

    still = BY_HAND.time_ns.copy()
    still[4] = still[2]

    names = (*DRIFT, "queue_mean")
    expected, found = (measure(replace(BY_HAND, time_ns=times), NOTHING) for times in (still, back))
    assert {name: expected[name] for name in names} == {name: found[name] for name in names}


def test_the_first_event_of_a_log_is_no_jump() -> None:
    """What the clock was before it, the log does not say: it may begin in the middle of a run."""
    found = measure(replace(BY_HAND, kind=np.array([SEND, RECEIVE, SEND, RECEIVE, *[INTERNAL] * 3])), NOTHING)

    assert (found["jump_mean"], found["jump_max"]) == (3.0, 3)


def test_a_log_without_events_has_no_measures() -> None:
    """Nor machines: one that is only named has none."""
    found = measure(foreign_trace([], nodes=2), NOTHING)

    assert found.pop("machines") == {}
    assert {name for name, value in found.items() if value is not None} == {"links", "unaddressed", "anonymous"}
