"""The compiled simulation equals the readable reference bit for bit; nothing is left that only the reference can do."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.model import CLOCK_NAMES, DURATION_NS_MAX, Model
from node.network import Delay, Exponential, Network, Uniform
from node.window import Pause, Rest, SlowDown
from orchestrator.labs.kernel import general
from orchestrator.labs.kernel.plain import PEERS_FEW, seconds_of_lap
from orchestrator.labs.kernel.plan import plan_of
from orchestrator.labs.kernel.record import Record
from orchestrator.labs.kernel.run import run_plan
from orchestrator.labs.kernel.telling import events_of, trace_of
from orchestrator.trace.store import Trace
from tests.clusters import cluster
from tests.fault_mixes import EACH, half_a_second, machines_of, mixes
from tests.golden_runs import ALL, as_array, expected
from tests.golden_runs import machines as golden_machines
from tests.measuring import reference

FALLS_BACK_TO_THE_REFERENCE: frozenset[str] = frozenset()
"""What a model may say and the compiled simulation does not know."""

TOPOLOGIES = st.one_of(
    st.sampled_from(["full", "ring", "star", {"random": 1}]),
    st.dictionaries(st.integers(1, 2), st.sets(st.integers(1, 2), max_size=1)).map(
        lambda lists: {node: tuple(peers - {node}) for node, peers in lists.items()}
    ),
)


def record_of(machines: Mapping[int, Model]) -> Record:
    """Run a cluster compiled."""
    record = run_plan(plan_of(machines))
    assert record is not None
    return record


def columns(trace: Trace) -> dict[str, Any]:
    """Return everything that a trace holds, to be compared."""
    found: dict[str, Any] = {}
    for field in (*fields(trace), *fields(trace.messages)):
        value = getattr(trace, field.name, None) if hasattr(trace, field.name) else None
        found[field.name] = value
    found |= {f"message {field.name}": getattr(trace.messages, field.name) for field in fields(trace.messages)}
    del found["messages"]
    return {
        name: (str(value.dtype), value.tolist()) if isinstance(value, np.ndarray) else value
        for name, value in found.items()
    }


def assert_equal(machines: Mapping[int, Model]) -> None:
    """Assert that both simulations give the same trace, column by column, and the same stop records."""
    expected_columns, found = columns(reference(machines)), columns(trace_of(record_of(machines), machines))

    assert expected_columns.keys() == found.keys()
    for name, column in expected_columns.items():
        assert column == found[name], name


@pytest.mark.parametrize("name", ALL)
def test_a_golden_run_comes_out_equal(name: str) -> None:
    """Two programs written from the model's text agree on these; the compiled run is a third."""
    machines = golden_machines(name)

    assert expected(name) == [as_array(event) for event in events_of(record_of(machines))]
    assert_equal(machines)


@pytest.mark.parametrize("name", EACH)
def test_each_fault_comes_out_equal(name: str) -> None:
    """Whatever a configuration may do to half a second."""
    assert_equal(half_a_second(name))


def test_nothing_falls_back_to_the_reference() -> None:
    """Every field of a model, every kind of delay and of rest, and every clock rule is in a run compared here."""
    clusters = [half_a_second(name) for name in EACH]
    models = [model for machines in clusters for model in machines.values()]
    default = cluster(2)[1]
    seen = {field.name for field in fields(Model) for model in models if getattr(model, field.name) != ()}
    seen |= {type(one).__name__ for model in models for one in (*model.pauses, *model.slow_downs, *model.crashes)}
    seen |= {type(network.delay_ns).__name__ for model in models for network in (model.network, *model.links)}
    seen |= set(CLOCK_NAMES)  # by the test below
    can_be_said = {field.name for field in fields(default)} | {kind.__name__ for kind in get_args(Rest)}
    can_be_said |= {Uniform.__name__, Exponential.__name__, "int"} | set(CLOCK_NAMES)

    assert can_be_said - seen == FALLS_BACK_TO_THE_REFERENCE == frozenset()
    assert len(get_args(Delay)) == 3


@pytest.mark.parametrize("clock", CLOCK_NAMES)
@pytest.mark.parametrize("delay_ms", [0, 40])
def test_every_clock_rule_comes_out_equal(clock: Any, delay_ms: int) -> None:
    """By the plain run, and by the general one where rules are mixed."""
    machines = cluster(4, seconds=20, clock=clock, delay_ms=delay_ms, rates=(2, 9), internal_probability=0.4)

    assert plan_of(machines).is_plain
    assert_equal(machines)
    assert_equal(
        machines | {2: replace(machines[2], clock="lamport"), 3: replace(machines[3], clock="lamport-literal")}
    )


def test_the_plain_run_gives_what_the_general_one_does() -> None:
    """A pause in which no tick falls changes nothing but who runs it."""
    machines = cluster(9, seconds=12.345, delay_ms=120, rates=(1, 9))
    rest = (Pause(from_ns=13_000_000_000, to_ns=14_000_000_000),)
    general_ones = {node: replace(model, pauses=rest) for node, model in machines.items()}

    assert plan_of(machines).is_plain
    assert not plan_of(general_ones).is_plain
    assert list(events_of(record_of(machines))) == list(events_of(record_of(general_ones)))


@pytest.mark.parametrize("seconds", [1e-9, 0.3, 1, 1.0000005, 2.999])
def test_a_second_need_not_be_whole(seconds: float) -> None:
    """The pattern of ticks repeats every second, and a run may end within it."""
    assert_equal(cluster(3, seconds=seconds, rates=(1, 40)))
    assert_equal(cluster(3, seconds=seconds, rates=(1, 40), topology={1: (2,)}))


@pytest.mark.parametrize("delay_ms", [0, 400, 2500])
@pytest.mark.parametrize("phase", ["random", "aligned"])
def test_a_lap_may_last_some_seconds(monkeypatch: pytest.MonkeyPatch, phase: str, delay_ms: int) -> None:
    """Where a second has few ticks; and a run may end within a lap, and be asked there whether it may go on."""
    monkeypatch.setattr("orchestrator.labs.kernel.run.EVENTS_BETWEEN", 1)
    fields = {"nodes": 4, "tick_rate": (1, 2, 2, 3), "internal_probability": 0.8, "network": {"delay": f"{delay_ms}ms"}}
    machines = machines_of(fields | {"phase": phase, "duration": "140250ms"})
    plan = plan_of(machines)

    assert plan.is_plain
    assert seconds_of_lap(len(plan.slots["slot_machine"]), plan.seconds) == 8
    assert_equal(machines)


@pytest.mark.parametrize("peers", [PEERS_FEW, PEERS_FEW + 1])
def test_a_machine_may_have_more_peers_than_stand_beside_what_it_does(peers: int) -> None:
    """The last of them is sent to by itself."""
    links = {1: tuple(range(2, peers + 2))}
    machines = cluster(peers + 1, seconds=20, rates=(40, 40), internal_probability=0, topology=links)
    sends = [event.to[0].recipient for event in events_of(record_of(machines)) if event.kind == "send-one"]

    assert plan_of(machines).is_plain
    assert max(sends) == peers + 1
    assert_equal(machines)


def test_ticks_at_one_instant_never_meet() -> None:
    """Aligned machines tick together, and a message is seen strictly after it arrived."""
    machines = machines_of({"nodes": 5, "phase": "aligned", "tick_rate": (2, 2, 4, 4, 3), "duration": "9s"})

    assert plan_of(machines).is_plain
    assert_equal(machines)


def test_a_phase_may_be_longer_than_a_period() -> None:
    """Only drawn ones are within it."""
    machines = {node: replace(model, phase_ns=999_999_999) for node, model in cluster(3, rates=(3, 5)).items()}

    assert_equal(machines)


def test_machines_need_not_have_the_same_numbers_durations_or_seeds() -> None:
    """A model speaks of one machine."""
    first, second = cluster(2, seconds=3, rates=(4, 8)).values()
    late = replace(first, node=7, peers=(90,), senders=(90,), duration_ns=2_200_000_000)
    early = replace(second, node=90, peers=(7,), senders=(7,), seed=2**63 - 1)

    assert_equal({90: early, 7: late})


def test_the_largest_numbers_do_not_overflow() -> None:
    """Times of 104 days, the longest delays, and slow-downs whose factors multiply beyond 64 bits."""
    slow = tuple(SlowDown(from_ns=0, to_ns=DURATION_NS_MAX, factor=10**6 - each) for each in (1, 3, 7, 11))
    networks = (
        Network(delay_ns=Exponential(mean_ns=DURATION_NS_MAX)),
        Network(delay_ns=Uniform(least_ns=0, most_ns=DURATION_NS_MAX), fifo=False),
        Network(delay_ns=DURATION_NS_MAX, duplicate=0.5),
    )
    for network in networks:
        machines = {
            node: replace(model, network=network, internal_probability=0.1)
            for node, model in cluster(3, rates=(20, 40)).items()
        }
        assert_equal(machines)
    assert_equal({node: replace(model, slow_downs=slow) for node, model in cluster(2).items()})
    assert_equal(
        {
            node: replace(
                model, duration_ns=DURATION_NS_MAX, pauses=(Pause(from_ns=10**9, to_ns=DURATION_NS_MAX - 10**9),)
            )
            for node, model in cluster(2, rates=(1, 3)).items()
        }
    )


def test_amnesia_forgets_the_largest_arrival_of_each_link() -> None:
    """A new incarnation begins its links anew, and may overtake what the old one sent."""
    crash = {"from": "3s", "to": "3100ms", "crash": 1, "amnesia": True}
    network = {"delay": {"uniform": ("0ms", "5s")}, "duplicate": 0.3}
    fields = {"tick_rate": (20, 3, 3), "internal_probability": 0.1, "duration": "6s", "faults": (crash,)}

    assert_equal(machines_of(fields | {"network": network, "topology": {1: (2, 3)}}))


def test_a_run_that_nobody_wants_any_more_ends() -> None:
    """It is asked between two parts of a run."""
    assert run_plan(plan_of(cluster(3)), go_on=lambda: False) is None


def test_a_run_of_nobody_is_empty() -> None:
    """There is nothing to be wrong with it."""
    assert len(record_of({})) == 0


def test_there_is_always_room_for_more_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table grows in the middle of a run, and nobody can tell."""
    monkeypatch.setattr("orchestrator.labs.kernel.plan.messages_expected", lambda models: 0)

    assert_equal(cluster(6, seconds=20, internal_probability=0.1))
    assert_equal(
        machines_of({"nodes": 6, "duration": "20s", "internal_probability": 0.1, "network": {"duplicate": 1.0}})
    )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mixes(crashes=True), TOPOLOGIES, st.sampled_from(CLOCK_NAMES))
def test_drawn_clusters_come_out_equal(fields: dict[str, Any], topology: Any, clock: str) -> None:
    """Faults and topologies, several at once; a seed that is found becomes an example."""
    assert_equal(machines_of(drawn(fields, topology, clock)))


@pytest.mark.soak
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mixes(crashes=True, duration_ms=4000, rate_hz_max=60), TOPOLOGIES, st.sampled_from(CLOCK_NAMES))
def test_ten_times_as_many_drawn_clusters_come_out_equal(fields: dict[str, Any], topology: Any, clock: str) -> None:
    """The same, longer and more often (about five minutes)."""
    assert_equal(machines_of(drawn(fields, topology, clock)))


def drawn(fields: dict[str, Any], topology: Any, clock: str) -> dict[str, Any]:
    """Return an experiment with a drawn topology; its links of their own must exist in it."""
    has_both = topology in ("full", "star", "ring")
    network = fields["network"] if has_both else {**fields["network"], "links": {}}
    return fields | {"topology": topology, "clock": clock, "network": network}


def test_the_general_run_knows_every_column_of_its_plan() -> None:
    """They are handed over by position."""
    names = general.run_general.__code__.co_varnames if hasattr(general.run_general, "__code__") else ()
    plan = plan_of(half_a_second("loss"))
    handed = [*plan.slots, *plan.links, *plan.faults]

    assert handed == [name for name in names if name in handed]
