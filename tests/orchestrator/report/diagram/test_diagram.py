"""From a trace to a diagram: rows process by process, messages in their order, marks where something is proved."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from node.event import Delivery, Event
from node.model import Model
from orchestrator.audit import check as check_logs
from orchestrator.audit import known
from orchestrator.report.diagram import Diagram, as_json, diagram_of, embed
from orchestrator.report.diagram.beginning import beginning
from orchestrator.report.diagram.part import between, in_causal_order, part_of
from orchestrator.report.diagram.store import SECOND, STEP, Messages
from orchestrator.stories import parse_story, told
from orchestrator.trace import check, read_trace, trace_of
from orchestrator.trace.store import NULL
from orchestrator.twin import simulated
from tests.clusters import cluster
from tests.fault_mixes import EACH, MIX, half_a_second, machines_of
from tests.foreign_traces import foreign_trace
from tests.logs_on_disk import write_logs

EVENTS = "p send m -> q\nq local\nr send n -> q\nq receive n\nq receive m\n"


def story(text: str) -> Diagram:
    return diagram_of(told(parse_story(text, name="s"), name="s", file="s"))


@pytest.mark.parametrize("name", EACH)
def test_a_diagram_holds_what_the_trace_does(name: str) -> None:
    """Whatever was wrong with the network: every event once, every message from its send to its receive."""
    trace = simulated(half_a_second(name))
    diagram = diagram_of(trace)
    names = {diagram.event(row) for row in range(len(diagram))}
    messages = diagram.messages
    received = messages.receive >= 0

    assert names == {str(trace.name(row)) for row in range(len(trace))}
    assert len(messages) == len(trace.messages)
    assert int(np.count_nonzero(received)) == int(np.count_nonzero(trace.messages.receive_row >= 0))
    assert (np.diff(messages.send) >= 0).all()
    assert (diagram.lane_of[messages.receive[received]] == messages.lane[received]).all()
    assert (messages.arrival[received] < diagram.time[messages.receive[received]]).all()
    assert (messages.stamp[received] == diagram.clock[messages.send[received]]).all()
    assert int(messages.is_lost.sum()) == int(np.count_nonzero(trace.messages.number == NULL))


def test_two_lives_of_a_machine_share_a_lane() -> None:
    diagram = diagram_of(simulated(half_a_second("amnesia")))

    assert [(one.name, one.lane) for one in diagram.processes] == [("1", 0), ("2", 1), ("2.1", 1), ("3", 2)]
    assert [(stripe.kind, stripe.lane) for stripe in diagram.stripes] == [("crash", 1)]
    assert diagram.row_of("2.1:1") == diagram.processes[0].events + diagram.processes[1].events
    assert diagram.row_of("2.2:1") == diagram.row_of("9:1") == diagram.row_of("nothing") == -1


def test_every_receive_that_is_not_later_than_its_send_is_marked() -> None:
    trace = simulated(cluster(3, seconds=60, clock="lamport-literal"))
    report = check(trace)
    diagram = diagram_of(trace, report)

    assert len(diagram.marks) == report.checks[0].violations
    assert {mark.check for mark in diagram.marks} == {"clock-condition"}
    assert all(diagram.kinds[diagram.kind[mark.row]] == "receive" for mark in diagram.marks)
    assert not diagram_of(simulated(cluster(3, seconds=60))).marks


def test_what_else_a_report_proves_is_marked_at_the_event_that_it_names() -> None:
    """A vector that knows what its machine cannot know: the sentence has the event's name."""
    trace = foreign_trace([0, 1], vectors=[[1, 0], [2, 1]], is_complete=True)
    report = check_logs(trace)
    diagram = diagram_of(trace, report)

    assert report.verdict == "violated"
    assert [(mark.check, diagram.event(mark.row)) for mark in diagram.marks] == [("vector-valid", "b:1")]


def test_a_machine_without_a_log_has_a_lane_and_nothing_is_called_concurrent_for_sure(tmp_path: Path) -> None:
    """What it did may have been the way from one event to another."""
    logs = write_logs(tmp_path, cluster(3, seconds=5))
    diagram = diagram_of(read_trace({2: logs[2], 3: logs[3]}))

    assert (diagram.lanes, diagram.notes[0]) == (("1", "2", "3"), "no log")
    assert not diagram.is_whole
    assert diagram_of(read_trace(logs)).is_whole
    assert (diagram.file.tolist(), diagram.files[1]) == ([1] * 15 + [2] * 30, "events-2.jsonl")


def test_whoever_a_log_says_that_it_sent_to_has_a_lane() -> None:
    """A damaged log may name a machine that no model knows."""
    to = (Delivery(9, 1, 0),)
    send = Event(node=1, incarnation=0, index=1, tick=0, due_ns=0, kind="send-one", clock=1, queue=0, to=to)
    diagram = diagram_of(trace_of({1: cluster(2, seconds=5)[1]}, [send]))

    assert diagram.lanes == ("1", "2", "9")
    assert diagram.messages.lane.tolist() == [2]


@pytest.mark.parametrize("machines", [{}, cluster(2, seconds=5)])
def test_a_run_without_events_is_a_diagram_without_events(machines: dict[int, Model]) -> None:
    diagram = diagram_of(trace_of(machines, []))

    assert (len(diagram), len(diagram.lanes)) == (0, len(machines))
    assert "application/json" in embed(diagram)


def test_a_story_stands_as_it_is_told() -> None:
    """What stands beside what says who tells it; a step is later than what happened just before."""
    diagram = story(EVENTS)

    assert (diagram.unit, diagram.lanes) == (STEP, ("p", "q", "r"))
    assert [diagram.event(row) for row in in_causal_order(diagram)] == ["p:1", "q:1", "r:1", "q:2", "q:3"]
    assert diagram.time.tolist() == [1, 1, 2, 3, 1]
    assert story("p local\np local\nq local\n").time.tolist() == [1, 2, 2]
    assert diagram.messages.receive.tolist() == [diagram.row_of("q:3"), diagram.row_of("q:2")]


def test_logs_that_were_read_file_by_file_stand_as_early_as_they_can() -> None:
    """Reading first all of b, then a, is no order in which they can have happened."""
    trace = foreign_trace([0, 0, 1, 1], vectors=[[1, 2], [2, 2], [0, 1], [0, 2]])
    diagram = diagram_of(trace)

    assert [[0, 3]] == np.stack([known(trace).edges.effect, known(trace).edges.cause]).T.tolist()
    assert diagram.time.tolist() == [3, 4, 1, 2]


def test_times_of_others_begin_with_the_earliest() -> None:
    diagram = diagram_of(foreign_trace([0, 1], times_ns=[5_000, 3_000]))

    assert (diagram.unit, diagram.time.tolist()) == (SECOND, [2_000, 0])


def test_causes_come_first_where_clocks_of_the_world_differ() -> None:
    """The receiver's clock is behind: by time alone a message would be received before it is sent."""
    trace = foreign_trace([0, 1], vectors=[[1, 0], [1, 1]], times_ns=[9_000, 3_000])

    assert list(in_causal_order(diagram_of(trace))) == [0, 1]


def test_what_was_never_received_is_drawn_if_it_is_certain() -> None:
    messages = story("p send m -> q r\nq receive m\nr local\n").messages

    assert (messages.receive.tolist(), messages.lane.tolist()) == ([1, -1], [1, 2])


def test_a_part_is_some_rows_in_their_order_and_some_lanes() -> None:
    diagram = diagram_of(simulated(machines_of(MIX)))
    whole = part_of(diagram)
    two = part_of(diagram, [2, 0])

    assert sorted(whole.rows) == list(range(len(diagram)))
    assert between(whole, 3, 9).rows == whole.rows[3:9]
    assert two.lanes == (2, 0)
    assert set(diagram.lane_of[list(two.rows)].tolist()) == {0, 2}
    place = {row: at for at, row in enumerate(whole.rows)}
    received = diagram.messages.receive >= 0
    ends = zip(diagram.messages.send[received].tolist(), diagram.messages.receive[received].tolist(), strict=True)
    assert all(place[send] < place[receive] for send, receive in ends)


@pytest.mark.parametrize("name", EACH)
def test_the_beginning_of_a_diagram_is_whole_until_then(name: str) -> None:
    """Every event before some time, and what it sent and received; what comes later has not been received yet."""
    whole = diagram_of(simulated(half_a_second(name)))
    first = beginning(whole, len(whole) // 2)
    until = first.end_time
    early = [row for row in range(len(whole)) if whole.time[row] < until]
    events = [(whole.event(row), whole.time[row], whole.clock[row]) for row in early]
    sends = [(whole.event(send), lane) for send, lane in zip(whole.messages.send, whole.messages.lane, strict=True)]
    pairs = {(whole.event(a), whole.event(b)) for a, b in received(whole) if b in early}

    assert events == [(first.event(row), first.time[row], first.clock[row]) for row in range(len(first))]
    assert 0 < len(first) <= len(whole) // 2
    assert [one for one in sends if one[0] in {event for event, *_ in events}] == [
        (first.event(send), lane) for send, lane in zip(first.messages.send, first.messages.lane, strict=True)
    ]
    assert pairs == {(first.event(a), first.event(b)) for a, b in received(first)}
    assert first.is_whole == whole.is_whole
    assert beginning(whole, len(whole)) is whole
    as_json(first)


def received(diagram: Diagram) -> list[tuple[int, int]]:
    """Return the rows of each send and receive."""
    table = diagram.messages
    return [(a, b) for a, b in zip(table.send.tolist(), table.receive.tolist(), strict=True) if b >= 0]


def test_the_beginning_of_logs_whose_clocks_fall_is_of_each_machine() -> None:
    """A receive before its send, by the clocks: the diagram no longer tells all that happened before."""
    trace = foreign_trace([0, 1, 0, 1])
    whole = diagram_of(trace)
    fields = ("send", "lane", "receive", "arrival", "seen", "stamp", "copy", "is_lost")
    skewed = replace(
        whole,
        time=np.array([5, 1, 2, 3]),
        messages=Messages(**dict(zip(fields, map(np.array, ([0], [1], [2], *[[NULL]] * 3, [0], [0])), strict=True))),
        is_whole=True,
    )

    first = beginning(skewed, 3)

    assert [first.event(row) for row in range(len(first))] == [whole.event(row) for row in (2, 3)]
    assert len(first.messages) == 0
    assert not first.is_whole
