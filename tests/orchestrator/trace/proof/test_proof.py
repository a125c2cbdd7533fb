"""The compiled checks against the plain ones: the same report, whatever the run and whatever is wrong with it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.event import Event
from node.model import CLOCK_NAMES, Model
from orchestrator.config import load_experiment
from orchestrator.trace import Trace, check, trace_of
from orchestrator.trace import order as order_module
from orchestrator.trace.check import CHECKS
from orchestrator.trace.proof import choice, judge
from orchestrator.trace.proof.choice import proof_of
from orchestrator.trace.store import NULL
from tests.clusters import cluster
from tests.fault_mixes import EACH, MIX, half_a_second, machines_of, mixes
from tests.golden_runs import ALL
from tests.golden_runs import machines as golden_machines
from tests.logs_on_disk import simulated_run
from tests.measuring import reference
from tests.mistakes import MISTAKES
from tests.orchestrator.labs.kernel.test_kernel import TOPOLOGIES, drawn
from tests.shipped import RUN_BY_TESTS

NEVER = 10**9


@pytest.fixture(autouse=True, scope="module")
def _always_compiled() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "EVENTS_MIN", 0)
        patch.setattr(choice, "EVENTS_MIN_COLD", 0)
        yield


def outcome(trace: Trace, twin: Trace | None) -> Any:
    """Return the report, or what was raised instead."""
    try:
        return check(trace, twin).as_json()
    except (IndexError, ValueError, KeyError, OverflowError, AssertionError) as error:
        return repr(error)


def assert_same(trace: Trace, twin: Trace | None) -> Any:
    """Assert that both ways give the same report, to the word, and return it."""
    found = outcome(trace, twin)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "EVENTS_MIN", NEVER)
        assert proof_of(trace, twin).valid == frozenset()
        plain = outcome(trace, twin)

    assert plain == found
    return found


def assert_proved(machines: Mapping[int, Model], *, but_for: frozenset[str] = frozenset()) -> None:
    """Assert that a run is judged equally, and that nothing is left to the plain checks but this."""
    trace = reference(machines)

    assert proof_of(trace, trace).valid == set(CHECKS) - but_for
    assert_same(trace, reference(machines))


@pytest.mark.parametrize("name", ALL)
def test_a_golden_run_is_proved(name: str) -> None:
    """Nobody needs the plain checks where everything holds."""
    machines = golden_machines(name)
    doubted = {"in-order"} if not any(model.network.fifo for model in machines.values()) else set()
    doubted |= {"clock-condition"} if name in ("c8", "c9") else set()  # their clock rules are mistakes

    assert_proved(machines, but_for=frozenset(doubted))


@pytest.mark.parametrize("name", [name for name in EACH if name != "reordering"])
def test_each_fault_is_proved(name: str) -> None:
    """Whatever a configuration may do to half a second is no violation."""
    assert_proved(half_a_second(name))


@pytest.mark.parametrize("path", RUN_BY_TESTS, ids=lambda path: path.stem)
def test_every_shipped_experiment_is_judged_equally(path: Path) -> None:
    """And the plain checks have the word only where no link keeps an order."""
    machines = load_experiment(path).machines(1)
    trace = reference(machines)

    assert set(CHECKS) - proof_of(trace, trace).valid <= {"in-order"}
    assert_same(trace, trace)


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_told_in_the_same_words(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check that is broken is never proved; what a student reads does not depend on the length of the run."""
    machines = cluster(3, seconds=12, internal_probability=0.3, delay_ms=200)
    twin = reference(machines)
    MISTAKES[name].plant(monkeypatch)
    trace = reference(machines)

    assert assert_same(trace, twin)["verdict"] == "violated"
    assert MISTAKES[name].named_by not in proof_of(trace, twin).valid


@pytest.mark.parametrize("clock", [name for name in CLOCK_NAMES if name != "lamport"])
def test_a_mistaken_clock_leaves_the_other_laws_proved(clock: Any) -> None:
    """Only the clock condition has to be looked for by the plain check, and the numbers are there all the same."""
    machines = cluster(3, seconds=20, internal_probability=0.3, clock=clock)
    trace = reference(machines)

    assert set(CHECKS) - proof_of(trace, trace).valid <= {"clock-condition", "clock-rises"}
    assert proof_of(trace, trace).numbers is not None
    assert_same(trace, trace)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mixes(crashes=True, duration_ms=1000, rate_hz_max=20), TOPOLOGIES, st.sampled_from(CLOCK_NAMES))
def test_drawn_clusters_are_judged_equally(fields: dict[str, Any], topology: Any, clock: str) -> None:
    """Faults, topologies and clock rules, several at once; nothing but a clock is ever in doubt."""
    trace = reference(machines_of(drawn(fields, topology, clock)))

    in_doubt = set(CHECKS) - proof_of(trace, trace).valid - {"in-order"}
    assert in_doubt <= ({"clock-condition", "clock-rises"} if clock != "lamport" else set())
    assert_same(trace, trace)


WHOLE = tuple(
    reference(machines)
    for machines in (
        cluster(3, seconds=6, internal_probability=0.3),
        machines_of({"nodes": 3, "duration": "5s", "internal_probability": 0.2, "network": MIX["network"]}),
        half_a_second("amnesia twice"),
    )
)
COLUMNS = (
    *("node", "incarnation", "index", "tick", "due_ns", "wall", "kind", "clock", "queue"),
    *("cause_node", "cause_incarnation", "cause_index", "cause_copy", "number", "stamp", "arrival_ns", "seen_ns"),
    *("line", "cause_row", "message"),
)
TABLE = ("send_row", "recipient", "number", "arrival_ns", "copy", "receive_row")


@pytest.mark.parametrize("where", [*COLUMNS, *(f"messages.{name}" for name in TABLE)])
def test_every_column_is_looked_at(where: str) -> None:
    """One more than it was, at the beginning, in the middle and at the end; and there what no number can be."""
    table, _, name = where.rpartition(".")
    for whole in WHOLE[:2]:
        column = getattr(whole.messages if table else whole, name)
        last = len(column) - 1
        for row, value in (
            (3, column[3] + 1),
            (last // 2, column[last // 2] + 1),
            (last, column[last] + 1),
            (last, NULL),
        ):
            other = np.where(np.arange(len(column)) == row, value, column)
            change = {"messages": replace(whole.messages, **{name: other})} if table else {name: other}
            assert_same(replace(whole, **change), whole)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from(WHOLE), st.sampled_from([*COLUMNS, *(f"messages.{name}" for name in TABLE)]))
def test_a_value_changed_anywhere_is_told_in_the_same_words(data: st.DataObject, whole: Trace, where: str) -> None:
    """Any column, any row: nothing is proved of it that the plain checks would not find."""
    assert_same(damaged(data.draw, whole, where), whole)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from(WHOLE))
def test_an_event_recorded_otherwise_is_told_in_the_same_words(data: st.DataObject, whole: Trace) -> None:
    """What a machine might have written instead: the columns agree with each other, and a law is broken."""
    machines = {node: machine.model for node, machine in whole.machines.items() if machine.model}
    stops = {node: machine.stop for node, machine in whole.machines.items() if machine.stop}
    events = simulated_run(machines)[0]
    row = data.draw(st.integers(0, len(events) - 1))
    events[row] = otherwise(data.draw, events[row], data.draw(st.sampled_from(events)))

    assert_same(trace_of(machines, events, stops), whole)


def otherwise(draw: st.DrawFn, event: Event, other: Event) -> Event:
    """Return an event with one thing in it that is another's, or one more."""
    more = {name: getattr(event, name) + 1 for name in ("tick", "index", "clock", "queue", "incarnation")}
    to = tuple(one._replace(number=one.number and one.number + 1) for one in event.to)
    later = tuple(one._replace(arrival_ns=one.arrival_ns and one.arrival_ns + 10**8) for one in event.to)
    received = {name: getattr(other, name) for name in ("cause", "number", "stamp", "arrival_ns")}
    changes: list[dict[str, Any]] = [{name: value} for name, value in more.items()]
    changes += [{"clock": other.clock}, {"queue": other.queue}, {"kind": "internal"}, {"to": ()}, {"to": event.to[:1]}]
    changes += [{"to": to}, {"to": later}, {"number": event.number and event.number + 1}]
    changes += [{"kind": "receive", **received}] if other.cause else []
    return replace(event, **draw(st.sampled_from(changes)))


def damaged(draw: st.DrawFn, whole: Trace, where: str) -> Trace:
    """Return a trace with one value changed: to its neighbour, to another's, or to one that nothing can be."""
    table, _, name = where.rpartition(".")
    column = getattr(whole.messages if table else whole, name).copy()
    row, other = draw(st.integers(0, len(column) - 1)), draw(st.integers(0, len(column) - 1))
    one = int(column[row])
    column[row] = draw(st.sampled_from([one + 1, max(one - 1, -1), int(column[other]), 0, 1, -1, NULL, 2**40]))
    if table:
        return replace(whole, messages=replace(whole.messages, **{name: column}))
    return replace(whole, **{name: column})


@pytest.mark.parametrize("counts", [(1, 0), (0, 1), (-1, 1)])
def test_a_stop_record_that_counts_otherwise_is_found(counts: tuple[int, int]) -> None:
    """What is left is compared link by link."""
    whole = WHOLE[0]
    stop = whole.machines[2].stop
    assert stop is not None
    (sender, in_queue, in_flight), *rest = stop["incoming"]
    wrong: Any = {**stop, "incoming": [(sender, in_queue + counts[0], in_flight + counts[1]), *rest]}
    trace = replace(whole, machines={**whole.machines, 2: replace(whole.machines[2], stop=wrong)})

    assert "every-message-accounted" not in proof_of(trace, whole).valid
    assert_same(trace, whole)


def test_what_is_not_all_known_is_left_to_the_plain_checks() -> None:
    """A log that is cut or has holes, a late message, an epoch of its own, a machine unheard of."""
    whole = WHOLE[0]
    for fields in ({"is_in_memory": False, "stop": None}, {"has_holes": True}, {"shift_ns": 1}, {"model": None}):
        machines = {**whole.machines, 2: replace(whole.machines[2], **fields)}  # type: ignore[arg-type]
        assert proof_of(replace(whole, machines=machines), whole).valid == frozenset()
        assert_same(replace(whole, machines=machines), whole)
    absent = {node: machine for node, machine in whole.machines.items() if node != 2}

    assert proof_of(replace(whole, machines=absent), whole).valid == frozenset()
    assert proof_of(replace(whole, is_timed=False), whole).valid == frozenset()
    assert_same(replace(whole, is_timed=False), whole)


def test_where_an_index_is_left_out_the_plain_order_counts() -> None:
    """An index is the place in the order only if all before it are there."""
    whole = WHOLE[0]
    lasts = (int(np.flatnonzero(whole.node == node)[-1]) for node in whole.machines)
    last = next(row for row in lasts if row not in whole.sent_by)
    index = whole.index.copy()
    index[last] += 1
    trace = replace(whole, index=index)

    assert "clock-condition" in proof_of(trace, whole).valid
    assert proof_of(trace, whole).numbers is None
    assert_same(trace, whole)


def test_a_run_without_a_twin_is_not_compared() -> None:
    """It is not applicable then, in the words of the plain check."""
    assert "equals-simulated" not in proof_of(WHOLE[0], None).valid
    assert_same(WHOLE[0], None)


def test_the_order_of_many_processes_is_counted_some_at_a_time() -> None:
    """More of them than are taken at once, and incarnations among them."""
    machines = cluster(70, seconds=1, rates=(2, 4), internal_probability=0.1)

    assert_proved(machines)


def test_pairs_that_would_take_too_long_or_no_memory_would_hold_are_not_counted() -> None:
    """Both ways say null and why, and the longest chain all the same."""
    whole = WHOLE[0]
    counted = check(whole, whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "PROCESSES_MAX", len(whole.machines) - 1)
        patch.setattr(judge, "STEPS_MAX", len(whole))
        patch.setattr(order_module, "CELLS_MAX", len(whole))
        found = assert_same(whole, whole)

    assert [found[name] for name in ("edges", "ordered_pairs", "concurrent_pairs")] == [None] * 3
    assert counted.longest_chain == found["longest_chain"]
    assert len(counted.remarks) + 1 == len(found["remarks"])
    assert counted.verdict == found["verdict"]
