"""The live lab with faults of the model, disturbed beneath: connections cut, nodes stopped, cores busy."""

import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from node.model import Pace
from orchestrator.rundir import Run
from orchestrator.trace.twin import unexplained
from orchestrator.twin import simulated
from tests.balance import lines_of
from tests.delays import WITH_DRAWN_DELAYS, strays
from tests.fault_mixes import EACH, MIX, half_a_second, machines_of, mixes
from tests.live_runs import (
    AS_SIMULATED,
    BUSY,
    busy_loops,
    judged,
    live,
    live_beside,
    live_with_a_stopped_node,
    observed,
)
from tests.promises import record

pytestmark = pytest.mark.live


@pytest.mark.parametrize("pace", ["exact", "fast"])
def test_with_each_fault_a_live_cluster_gives_the_simulated_trace(pace: Pace, tmp_path: Path) -> None:
    """What the model does is the same over TCP, whatever happens beneath: valid, fidelity 1, every link balanced."""
    clusters = {name: half_a_second(name) for name in EACH}
    found, cuts, stops = live_beside(tmp_path, clusters, pace)

    assert dict.fromkeys(clusters, AS_SIMULATED) == found
    for name in WITH_DRAWN_DELAYS:
        assert set() == strays(Run(tmp_path / name), clusters[name])
    assert cuts >= 4 * len(clusters)
    assert stops >= 4
    if pace == "exact":
        record("cut anywhere, and stopped", "test", f"{len(clusters)} clusters, {cuts} cuts, {stops} stops")


@BUSY
@pytest.mark.parametrize("pace", ["exact", "fast"])
def test_with_any_mix_of_faults_a_live_cluster_gives_the_simulated_trace(
    pace: Pace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever hypothesis draws to go wrong at once, beside busy loops."""

    # The first that hypothesis draws is the simplest; here that would be all. And to shrink would take hours.
    with_a_crash = mixes(crashes=True).filter(lambda fields: any("crash" in fault for fault in fields["faults"]))

    @given(st.lists(with_a_crash, min_size=4, max_size=4))
    @settings(deadline=None, max_examples=1, database=None, phases=[Phase.generate])
    def law(drawn: list[dict[str, Any]]) -> None:
        clusters = {str(number): machines_of(fields) for number, fields in enumerate(drawn)}
        with busy_loops():
            found, *_ = live_beside(tmp_path_factory.mktemp("mixes"), clusters, pace)

        assert dict.fromkeys(clusters, AS_SIMULATED) == found

    law()


@BUSY
def test_faults_load_and_a_stopped_node_at_exact(tmp_path: Path) -> None:
    """Everything at once, beside busy loops, with one node stopped for 2 s: valid, fidelity 1."""
    faults = (
        {"from": "1s", "to": "3s", "partition": ((1,), (2, 3)), "messages": "hold"},
        {"from": "2s", "to": "4s", "partition": ((1, 2), (4,)), "messages": "lose", "one_way": True},
        {"from": "2s", "to": "3s", "pause": 4},
        {"from": "3s", "to": "6s", "slow": 1, "factor": 2},
    )
    machines = machines_of(MIX | {"duration": "8s", "faults": faults})
    with busy_loops():
        live_with_a_stopped_node(tmp_path, machines, "exact")
    _, report, fidelity = judged(tmp_path, machines)

    assert ("valid", 1.0) == (report.verdict, fidelity)


@BUSY
def test_faults_load_and_a_stopped_node_at_fast(tmp_path: Path) -> None:
    """The same over enough model time that the stop falls into the run, and faults before, in and behind it."""
    faults = [
        fault
        for minute in range(3)
        for fault in (
            {"from": f"{minute}m", "to": f"{60 * minute + 20}s", "partition": ((1,), (2, 3)), "messages": "hold"},
            {"from": f"{60 * minute + 10}s", "to": f"{60 * minute + 30}s", "pause": 4},
            {"from": f"{60 * minute + 30}s", "to": f"{60 * minute + 50}s", "slow": 1, "factor": 3},
        )
    ]
    machines = machines_of(MIX | {"duration": "3m", "faults": tuple(faults)})
    with busy_loops():
        live_with_a_stopped_node(tmp_path, machines, "fast")
    _, report, fidelity = judged(tmp_path, machines)

    assert ("valid", 1.0) == (report.verdict, fidelity)


def test_at_free_faults_are_those_of_the_model_too(tmp_path: Path) -> None:
    """What differs from the simulation has a late message in its past; everything can be proved."""
    machines = machines_of(MIX | {"duration": "3s", "faults": ({"from": "1s", "to": "2s", "pause": 4},)})
    live(tmp_path, machines, pace="free")
    trace, report, _ = judged(tmp_path, machines)

    assert report.verdict == "valid"
    assert [] == unexplained(trace, simulated(machines))


# Crashes of the model.


def test_a_machine_that_crashes_is_killed_and_started_again(tmp_path: Path) -> None:
    """The observer saw a SIGKILL and a second process; the log goes on behind `down` and `boot`, in one run."""
    outcome = live(tmp_path, half_a_second("crash"), pace="exact")
    kinds = [
        line["event"]
        for line in lines_of(Run(tmp_path), 2)
        if line["event"] in ("start", "down", "boot", "end", "stop")
    ]
    codes = {line["node"]: line["code"] for line in reversed(observed(tmp_path, "exit"))}

    assert outcome.failure is None
    assert ["start", "down", "boot", "end", "stop"] == kinds
    assert {1: 0, 2: -signal.SIGKILL, 3: 0} == codes
    assert [2] == [line["node"] for line in observed(tmp_path, "restart")]
    assert [("crash", 150_000_000, 300_000_000, False)] == [
        (line["kind"], line["from_ns"], line["to_ns"], line["amnesia"]) for line in observed(tmp_path, "fault")
    ]


def test_a_machine_that_is_down_at_the_end_is_started_once_more_for_its_stop_record(tmp_path: Path) -> None:
    """It has no tick left; what is in its queue comes back from its senders, and the balance is exact."""
    machines = half_a_second("crash to the end")
    live(tmp_path, machines, pace="exact")
    _, report, fidelity = judged(tmp_path, machines)
    kinds = [
        line["event"]
        for line in lines_of(Run(tmp_path), 2)
        if line["event"] not in ("link", "internal", "send", "receive")
    ]

    assert ["start", "end", "down", "boot", "stop"] == kinds
    assert ("valid", 1.0) == (report.verdict, fidelity)
    assert "valid" == next(one.verdict for one in report.checks if one.name == "every-message-accounted")


def test_with_amnesia_no_incarnation_receives_a_message_twice(tmp_path: Path) -> None:
    """A new incarnation counts from 1 and receives what the old one had not."""
    machines = half_a_second("amnesia twice")
    live(tmp_path, machines, pace="fast")
    received = [
        (line["incarnation"], *line["from"]) for line in lines_of(Run(tmp_path), 2) if line["event"] == "receive"
    ]
    incarnations = [line["incarnation"] for line in lines_of(Run(tmp_path), 2) if "index" in line]

    assert {0, 2} == set(incarnations)
    assert len(received) == len(set(received)) == len({name[1:] for name in received})


def test_at_free_a_crash_leaves_nothing_that_cannot_be_proved(tmp_path: Path) -> None:
    """What was in the queue before the crash is not late after it; what differs has a late message in its past."""
    machines = machines_of(
        MIX | {"duration": "5s", "faults": ({"from": "1s", "to": "4s", "crash": 4, "amnesia": True},)}
    )
    live(tmp_path, machines, pace="free")
    trace, report, _ = judged(tmp_path, machines)

    assert report.verdict == "valid"
    assert [] == unexplained(trace, simulated(machines))
