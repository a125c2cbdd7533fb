"""The faults of a run as bands: all that its configuration has, and what they explain."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from node.model import Model
from node.record import StartLine, start_line
from orchestrator.config import Experiment
from orchestrator.trace import Report, Trace, check, trace_of
from orchestrator.trace.bands import Band, bands, bands_of, parted
from orchestrator.trace.store import NULL
from tests.fault_mixes import HALF_A_SECOND, half_a_second, machines_of
from tests.logs_on_disk import simulated_run

MS = 1_000_000


def found(*faults: dict[str, Any], **fields: Any) -> list[str]:
    """Return the words of the bands of half a second with these faults."""
    return [band.words for band in bands_of(machines_of(HALF_A_SECOND | {"faults": faults} | fields))]


def test_each_fault_is_a_band_in_the_order_in_which_they_begin() -> None:
    """Whatever the order of the file; what would begin after the end is none."""
    assert found(
        {"from": "300ms", "to": "1s", "crash": 3, "amnesia": True},
        {"from": "100ms", "to": "150ms", "crash": 3},
        {"from": "0ms", "to": "1500us", "pause": 2},
        {"from": "2ms", "to": "400ms", "slow": 2, "factor": 7},
        {"from": "500ms", "to": "600ms", "pause": 1},
    ) == [
        "pause of machine 2 from 0 s to 0.0015 s",
        "slow-down of machine 2 by 7 from 0.002 s to 0.4 s",
        "crash of machine 3 from 0.1 s to 0.15 s",
        "crash of machine 3 from 0.3 s to 1 s, with amnesia",
    ]


@pytest.mark.parametrize(
    ("partition", "words"),
    [
        ({"partition": ((1, 2), (3, 4))}, "partition 1, 2 | 3, 4 from 0.1 s to 0.2 s, messages held"),
        ({"partition": ((4,), (1,), (2,))}, "partition 1 | 2 | 4 from 0.1 s to 0.2 s, messages held"),
        (
            {"partition": ((3, 1), (2, 4)), "messages": "lose", "one_way": True},
            "partition 1, 3 -> 2, 4 from 0.1 s to 0.2 s, messages lost",
        ),
        (
            {"partition": ((1,), (2,), (3,)), "one_way": True},
            "partition 1 -> 2, 3; 2 -> 3 from 0.1 s to 0.2 s, messages held",
        ),
    ],
    ids=str,
)
def test_a_partition_is_one_band_that_names_its_sides(partition: dict[str, Any], words: str) -> None:
    """The models know only whom each cannot reach; together they say who is parted from whom."""
    assert [words] == found({"from": "100ms", "to": "200ms", **partition}, nodes=4)


def test_a_partition_of_a_ring_names_the_links_that_there_are() -> None:
    """Who has no link to the other side is not parted from it."""
    (band,) = bands_of(
        machines_of(
            HALF_A_SECOND
            | {"nodes": 5, "topology": "ring"}
            | {"faults": ({"from": "100ms", "to": "200ms", "partition": ((1, 2), (3, 4, 5))},)}
        )
    )

    assert band.links == {(1, 5), (5, 1), (2, 3), (3, 2)}
    assert band.concerns(2)
    assert not band.concerns(4)


def test_a_group_of_hundreds_is_not_named_whole() -> None:
    experiment = {"nodes": 30, "faults": ({"from": "1s", "to": "2s", "partition": ((1,), tuple(range(2, 31)))},)}

    assert [band.words for band in bands_of(machines_of(experiment))] == [
        "partition 1 | 2, 3, 4, 5, 6, 7, 8, 9 and 21 more from 1 s to 2 s, messages held"
    ]


def test_a_band_holds_its_beginning_and_not_its_end() -> None:
    band = Band(kind="pause", machine=1, from_ns=10, to_ns=20)

    assert [time_ns for time_ns in (9, 10, 19, 20) if band.holds(time_ns)] == [10, 19]


def test_the_bands_of_a_machine_with_an_epoch_of_its_own_are_shifted() -> None:
    """Times of a trace are since the common epoch."""
    machines = half_a_second("pause")
    trace = trace_of(machines, [])
    shifted = {node: replace(one, shift_ns=7 * MS) for node, one in trace.machines.items()}

    assert [(band.from_ns, band.to_ns) for band in bands(replace(trace, machines=shifted))] == [(157 * MS, 307 * MS)]


def test_a_machine_without_a_start_line_says_of_no_fault() -> None:
    trace = trace_of(half_a_second("crash"), [])
    nameless = {node: replace(one, model=None) for node, one in trace.machines.items()}

    assert bands(replace(trace, machines=nameless)) == ()


def test_a_message_is_parted_by_the_time_of_its_send_and_its_link() -> None:
    """What a lossless network lost was in the partition, and what it held came from its end on."""
    losing, holding = (traced(half_a_second(f"partition that {does}")) for does in ("loses", "holds"))
    is_lost = losing.messages.number == NULL

    assert is_lost.any()
    assert (parted(losing, bands(losing), "lose") == is_lost).all()
    assert not parted(losing, bands(losing), "hold").any()
    is_held = parted(holding, bands(holding), "hold")
    is_slow = holding.messages.arrival_ns > holding.due_ns[holding.messages.send_row] + 5 * MS
    assert is_slow.any()
    assert (is_slow <= is_held).all()
    assert (holding.messages.arrival_ns[is_held] >= 300 * MS).all()


def traced(machines: dict[int, Model]) -> Trace:
    events, stops = simulated_run(machines)
    return trace_of(machines, events, stops)


def cut(machines: dict[int, Model], nodes: Iterable[int], at_ms: int) -> Report:
    """Judge a run in which the logs of these machines end early."""
    events, stops = simulated_run(machines)
    kept = [event for event in events if event.node not in nodes or event.due_ns < at_ms * MS]
    trace = trace_of(machines, kept, {node: stop for node, stop in stops.items() if node not in nodes})
    known = {
        node: replace(one, is_in_memory=False, start=started(machines[node])) for node, one in trace.machines.items()
    }
    return check(replace(trace, machines=known), trace_of(machines, events))


def started(model: Model) -> StartLine:
    return start_line(model, run="test", incarnation=0, pace=None, epoch_ns=0, wall=None)


def doubts(report: Report) -> dict[str, tuple[str, ...]]:
    return {one.name: one.examples for one in report.checks if one.verdict == "unknown"}


def test_an_unknown_names_the_crash_in_which_a_log_ends() -> None:
    """Each check that cannot tell because of that log says so; the crash is what comes next in it."""
    found = doubts(cut(half_a_second("crash"), {2}, at_ms=150))

    assert set(found) >= {"one-event-per-tick", "every-message-accounted", "equals-simulated", "queue-first"}
    for name, examples in found.items():
        assert all("(at its end: crash of machine 2 from 0.15 s to 0.3 s)" in one for one in examples), name


def test_an_unknown_names_the_partition_that_is_open_when_a_log_ends() -> None:
    for at_ms, is_open in ((100, False), (200, True), (400, False)):
        found = doubts(cut(half_a_second("partition that holds"), {1}, at_ms=at_ms))
        assert set(found) >= {"clock-condition", "exactly-once", "queue-length"} or not is_open
        for examples in found.values():
            assert {is_open} == {
                "(at its end: partition 1 | 2, 3 from 0.15 s to 0.3 s, messages held)" in one for one in examples
            }


def test_an_unknown_names_no_fault_of_others() -> None:
    """That machine 2 is down explains nothing of machine 3."""
    for examples in doubts(cut(half_a_second("crash"), {3}, at_ms=200)).values():
        assert not any("at its end" in one for one in examples)


def test_every_unknown_of_every_machine_may_be_explained() -> None:
    """Of several that are open each is named."""
    faults = (
        {"from": "100ms", "to": "300ms", "pause": 2},
        {"from": "50ms", "to": "250ms", "partition": ((1,), (2, 3)), "messages": "lose"},
    )
    found = doubts(cut(machines_of(HALF_A_SECOND | {"faults": faults}), {1, 2, 3}, at_ms=150))

    assert [
        "(at its end: partition 1 | 2, 3 from 0.05 s to 0.25 s, messages lost)" in found["one-event-per-tick"][0],
        "messages lost; pause of machine 2 from 0.1 s to 0.3 s)" in found["one-event-per-tick"][1],
    ] == [True, True]


def test_a_run_that_was_cut_remarks_only_what_had_begun() -> None:
    """Who stops a run at 20 s has seen nothing of what comes at 30 s."""
    machines = half_a_second("crash")

    assert not any("crash" in remark for remark in cut(machines, {1, 2, 3}, at_ms=100).remarks)
    assert "fault of the model: crash of machine 2 from 0.15 s to 0.3 s" in cut(machines, {1, 2, 3}, at_ms=200).remarks


def test_the_bands_are_those_of_the_experiment() -> None:
    """One for one, with the machines and times of the file."""
    faults = (
        {"from": "100ms", "to": "200ms", "partition": ((1,), (2, 3)), "messages": "lose"},
        {"from": "150ms", "to": "250ms", "crash": 2},
    )
    experiment = Experiment.model_validate(HALF_A_SECOND | {"faults": faults})

    assert [band.as_json() for band in bands_of(experiment.machines(1))] == [
        {
            "kind": "partition",
            "from_ns": 100 * MS,
            "to_ns": 200 * MS,
            "messages": "lose",
            "links": [[1, 2], [1, 3], [2, 1], [3, 1]],
        },
        {"kind": "crash", "from_ns": 150 * MS, "to_ns": 250 * MS, "node": 2, "amnesia": False},
    ]
