"""The nine checks: clean runs pass, each law has a trace that breaks it, and what cannot be known is not claimed."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.event import Delivery, Event, MessageId
from node.model import Model
from orchestrator.trace import Report, Trace, check, read_trace, trace_of
from orchestrator.trace.check import CHECKS
from orchestrator.trace.verdict import Verdict, exit_code, worst
from tests.clusters import cluster
from tests.logs_on_disk import rewrite, simulated_run, write_logs

MACHINES = cluster(3, seconds=8, internal_probability=0.3)


@st.composite
def clusters(draw: st.DrawFn) -> dict[int, Model]:
    """Draw any cluster of the model that has no faults."""
    nodes = draw(st.integers(2, 6))
    others = {node: [other for other in range(1, nodes + 1) if other != node] for node in range(1, nodes + 1)}
    machines = cluster(
        nodes,
        seed=draw(st.integers(0, 2**63 - 1)),
        seconds=draw(st.sampled_from([0.1, 1, 4])),
        rates=draw(st.sampled_from([(1, 6), (1, 1), (4, 12)])),
        internal_probability=draw(st.sampled_from([0.0, 0.3, 0.7, 1.0])),
        delay_ms=draw(st.sampled_from([0, 1, 200, 3000])),
        topology={node: tuple(sorted(draw(st.sets(st.sampled_from(rest))))) for node, rest in others.items()},
    )
    is_aligned = draw(st.booleans())
    return {node: replace(model, phase_ns=0) if is_aligned else model for node, model in machines.items()}


@given(clusters())
@settings(deadline=None)
def test_a_clean_run_is_valid(machines: dict[int, Model]) -> None:
    """What the machine does by the model's rules violates nothing, and everything can be proved."""
    events, stops = simulated_run(machines)
    trace = trace_of(machines, events, stops)

    report = check(trace, trace_of(machines, events))

    assert dict.fromkeys(CHECKS, "valid") == verdicts(report)
    assert report.verdict == "valid"


@given(clusters())
@settings(deadline=None, max_examples=25)
def test_a_run_cut_anywhere_is_unknown_but_never_broken(machines: dict[int, Model]) -> None:
    """A log that stops early proves nothing against the machine that wrote it."""
    events, _ = simulated_run(machines)
    for cut in range(1, 12):
        kept = [event for event in events if event.index < cut + event.node]
        report = check(cut_off(machines, kept), trace_of(machines, events))
        assert report.verdict == "unknown"


def test_there_are_nine_checks_in_the_order_that_names_a_mistake() -> None:
    """Scripts rely on names and order."""
    report = check(trace_of(MACHINES, *simulated_run(MACHINES)))

    assert CHECKS == tuple(one.name for one in report.checks)
    assert report.checks[-1].verdict == "not-applicable"
    assert [one["name"] for one in report.as_json()["checks"]] == list(CHECKS)
    assert report.as_json()["format"] == "scale-model"


def first_receive(events: list[Event]) -> int:
    return next(number for number, event in enumerate(events) if event.kind == "receive" and event.number == 2)


def with_event(events: list[Event], position: int, **fields: object) -> list[Event]:
    return [*events[:position], replace(events[position], **fields), *events[position + 1 :]]  # type: ignore[arg-type]


def sender_of(events: list[Event], number: int) -> int:
    cause = events[number].cause
    assert cause is not None
    return next(position for position, event in enumerate(events) if event.name == cause.send)


def a_clock_stands_still(events: list[Event]) -> list[Event]:
    machine = [number for number, event in enumerate(events) if event.node == 1]
    a, b = next((a, b) for a, b in pairwise(machine) if events[b].kind == "internal")
    return with_event(events, b, clock=events[a].clock)


def a_receive_does_not_rise(events: list[Event]) -> list[Event]:
    """The clock before it is later than its send, and stays."""
    for number, event in enumerate(events):
        before = [other for other in events[:number] if other.node == event.node]
        if event.kind == "receive" and before and events[sender_of(events, number)].clock < before[-1].clock:
            return with_event(events, number, clock=before[-1].clock)
    raise AssertionError("no such receive")


def an_internal_event_adds_two(events: list[Event]) -> list[Event]:
    last = max(number for number, event in enumerate(events) if event.kind == "internal" and event.node == 1)
    return [
        replace(event, clock=event.clock + 1) if number >= last and event.node == 1 else event
        for number, event in enumerate(events)
    ]


def a_receive_names_no_event(events: list[Event]) -> list[Event]:
    return with_event(events, first_receive(events), cause=MessageId(2, 0, 4000))


def a_receive_names_an_internal_event(events: list[Event]) -> list[Event]:
    receive = first_receive(events)
    internal = next(event for event in events if event.kind == "internal" and event.node != events[receive].node)
    return with_event(events, receive, cause=MessageId(*internal_name(internal)), clock=events[receive].clock)


def internal_name(event: Event) -> tuple[int, int, int]:
    return event.node, event.incarnation, event.index


def a_send_goes_to_somebody_else(events: list[Event]) -> list[Event]:
    send = sender_of(events, receive := first_receive(events))
    to = tuple(delivery for delivery in events[send].to if delivery.recipient != events[receive].node)
    return with_event(events, send, to=to)


def a_message_was_lost_and_came(events: list[Event]) -> list[Event]:
    send = sender_of(events, receive := first_receive(events))
    node = events[receive].node
    to = tuple(Delivery(one.recipient, None, None) if one.recipient == node else one for one in events[send].to)
    return with_event(events, send, to=to)


def a_message_is_received_twice(events: list[Event]) -> list[Event]:
    receive = first_receive(events)
    same = (number for number, event in enumerate(events) if number > receive and event.node == events[receive].node)
    again = next(number for number in same if events[number].kind == "receive")
    fields = {field: getattr(events[receive], field) for field in ("cause", "number", "stamp", "arrival_ns")}
    return with_event(events, again, **fields)


def a_number_is_not_the_one_sent(events: list[Event]) -> list[Event]:
    return with_event(events, first_receive(events), number=3)


def an_arrival_is_not_the_one_sent(events: list[Event]) -> list[Event]:
    receive = first_receive(events)
    arrival_ns = events[receive].arrival_ns
    assert arrival_ns is not None
    return with_event(events, receive, arrival_ns=arrival_ns - 1)


def a_message_overtakes(events: list[Event]) -> list[Event]:
    link: dict[tuple[int, int], list[int]] = {}
    for number, event in enumerate(events):
        if event.cause is not None:
            link.setdefault((event.node, event.cause.node), []).append(number)
    a, b = max(link.values(), key=len)[-2:]
    fields = ("cause", "number", "stamp", "arrival_ns")
    first, second = ({field: getattr(events[number], field) for field in fields} for number in (a, b))
    # The clocks stay later than both sends: only the order is wrong.
    later = [event for event in events if event.node == events[a].node]
    high = max(event.clock for event in events) + 1
    swapped = with_event(with_event(events, a, **second), b, **first)
    start = later.index(events[a])
    raised = {event.name: high + step for step, event in enumerate(later[start:])}
    return [replace(event, clock=raised.get(event.name, event.clock)) for event in swapped]


def a_number_is_left_out_by_the_sender(events: list[Event]) -> list[Event]:
    last = max(number for number, event in enumerate(events) if event.to)
    to = tuple(Delivery(one.recipient, (one.number or 0) + 1, one.arrival_ns) for one in events[last].to)
    return with_event(events, last, to=to)


def an_index_is_left_out(events: list[Event]) -> list[Event]:
    last = {event.node: number for number, event in enumerate(events)}
    number = next(number for number in last.values() if not events[number].to)
    return with_event(events, number, index=events[number].index + 1)


def a_tick_is_skipped(events: list[Event]) -> list[Event]:
    mine = [number for number, event in enumerate(events) if event.node == 1]
    # Nothing that others received comes after it: its events are numbered anew.
    last = max(a for a, b in pairwise(mine) if events[a].kind == "internal" and not events[b].to)
    events = events[: mine[mine.index(last) + 1] + 1]
    return [
        replace(event, index=event.index - 1, clock=event.clock - 1) if event.node == 1 and number > last else event
        for number, event in enumerate(events)
        if number != last
    ]


def a_tick_is_not_when_it_is_due(events: list[Event]) -> list[Event]:
    last = max(number for number, event in enumerate(events) if event.kind == "internal" and event.node == 1)
    return with_event(events, last, due_ns=events[last].due_ns + 1)


def the_last_tick_is_missing(events: list[Event]) -> list[Event]:
    last = max(number for number, event in enumerate(events) if event.node == 1)
    return events[:last] + events[last + 1 :]


def a_message_waits_in_vain(events: list[Event]) -> list[Event]:
    """The last receive becomes an internal event."""
    last = max(number for number, event in enumerate(events) if event.kind == "receive")
    before = max((event for event in events[:last] if event.node == events[last].node), key=lambda event: event.index)
    step = events[last].clock - before.clock - 1
    fields: dict[str, object] = {"cause": None, "number": None, "stamp": None, "arrival_ns": None}
    planted = with_event(events, last, kind="internal", **fields)
    return [
        replace(event, clock=event.clock - step) if event.node == events[last].node and number >= last else event
        for number, event in enumerate(planted)
    ]


def a_queue_is_too_long(events: list[Event]) -> list[Event]:
    return with_event(events, len(events) - 1, queue=events[-1].queue + 1)


BROKEN: list[tuple[Callable[[list[Event]], list[Event]], str]] = [
    (a_clock_stands_still, "clock-rises"),
    (a_receive_does_not_rise, "clock-rises"),
    (an_internal_event_adds_two, "clock-rises"),
    (a_receive_names_no_event, "exactly-once"),
    (a_receive_names_an_internal_event, "exactly-once"),
    (a_send_goes_to_somebody_else, "exactly-once"),
    (a_message_was_lost_and_came, "exactly-once"),
    (a_message_is_received_twice, "exactly-once"),
    (a_number_is_not_the_one_sent, "exactly-once"),
    (an_arrival_is_not_the_one_sent, "exactly-once"),
    (a_message_overtakes, "in-order"),
    (a_number_is_left_out_by_the_sender, "in-order"),
    (an_index_is_left_out, "one-event-per-tick"),
    (a_tick_is_skipped, "one-event-per-tick"),
    (a_tick_is_not_when_it_is_due, "one-event-per-tick"),
    (the_last_tick_is_missing, "one-event-per-tick"),
    (a_message_waits_in_vain, "queue-first"),
    (a_queue_is_too_long, "queue-length"),
]


@pytest.mark.parametrize(("plant", "named"), BROKEN, ids=[plant.__name__ for plant, _ in BROKEN])
def test_each_law_has_a_trace_that_breaks_it(plant: Callable[[list[Event]], list[Event]], named: str) -> None:
    """The first check that is violated is the one whose law was broken, and it gives an example."""
    events, _ = simulated_run(MACHINES)

    report = check(trace_of(MACHINES, plant(events)))

    assert report.first_violated is not None
    assert named == report.first_violated.name
    assert report.first_violated.examples
    assert report.verdict == "violated"


def test_a_stop_record_that_remembers_other_messages_is_found() -> None:
    """Memory and logs are two witnesses: the balance holds only if they agree (model section 7)."""
    machines = cluster(2, seconds=8, rates=(1, 6), internal_probability=0.0)
    events, stops = simulated_run(machines)
    (sender, in_queue, in_flight), *rest = stops[2]["incoming"]
    stops[2]["incoming"] = [(sender, in_queue + 1, in_flight), *rest]

    report = check(trace_of(machines, events, stops))

    assert report.first_violated is not None
    assert report.first_violated.name == "every-message-accounted"


def test_a_sender_whose_log_is_cut_is_not_accused(tmp_path: Path) -> None:
    """A receive may name a send beyond the end of a cut log: unknown, not violated."""
    logs = write_logs(tmp_path, MACHINES)
    rewrite(logs[1], lambda lines: lines[: len(lines) // 2])

    report = check(read_trace(logs))

    assert report.verdict == "unknown"
    assert verdicts(report)["exactly-once"] == "unknown"
    assert verdicts(report)["clock-condition"] == "unknown"
    assert verdicts(report)["clock-rises"] == "valid"


def test_a_sender_without_a_log_is_not_accused(tmp_path: Path) -> None:
    """A machine that others name and that has no log makes everything about its messages unknown."""
    logs = write_logs(tmp_path, MACHINES)
    del logs[1]

    report = check(read_trace(logs))

    assert report.verdict == "unknown"
    assert "no log of machine 1, which others name" in report.remarks
    assert verdicts(report)["every-message-accounted"] == "unknown"


def test_a_run_that_was_interrupted_is_unknown_only_where_the_cut_matters(tmp_path: Path) -> None:
    """Everything that happened can still be proved: what is missing is the rest."""
    logs = write_logs(tmp_path, MACHINES)
    cut_ns = 4_000_000_000
    for log in logs.values():
        rewrite(log, lambda lines: [line for line in lines if due_ns(line) < cut_ns])

    found = verdicts(check(read_trace(logs), trace_of(MACHINES, *simulated_run(MACHINES))))

    cut = ("one-event-per-tick", "every-message-accounted", "equals-simulated")
    assert {name: "unknown" if name in cut else "valid" for name in CHECKS} == found


def due_ns(line: bytes) -> int:
    if b'"due_ns":' not in line:
        return 0 if b'"start"' in line else 10**18
    return int(line.partition(b'"due_ns":')[2].partition(b",")[0])


def test_at_pace_free_a_difference_from_the_simulation_is_no_violation(tmp_path: Path) -> None:
    """Nobody waits for a late message at free, so that the simulation proves nothing."""
    logs = write_logs(tmp_path, MACHINES, pace="free")
    other = cluster(3, seconds=8, internal_probability=0.9)

    report = check(read_trace(logs), trace_of(other, *simulated_run(other)))

    assert report.verdict == "valid"
    assert verdicts(report)["equals-simulated"] == "not-applicable"


def test_nothing_at_all_is_unknown() -> None:
    """An empty directory proves nothing."""
    report = check(read_trace({}))

    assert report.verdict == "unknown"
    assert (report.nodes, report.events, report.longest_chain) == (0, 0, 0)


def test_an_unknown_message_excuses_a_longer_queue_but_not_a_shorter_one(tmp_path: Path) -> None:
    """A bound is a proof: more may have waited than is known, never less."""
    machines = cluster(3, seconds=8, internal_probability=0.0)
    events, stops = simulated_run(machines)
    longest = max(range(len(events)), key=lambda number: events[number].queue)
    for added, verdict in ((1, "unknown"), (-1, "violated")):
        directory = tmp_path / verdict
        directory.mkdir()
        changed = with_event(events, longest, queue=events[longest].queue + added)
        logs = write_logs(directory, machines, events=changed, stops=stops)
        sender = next(node for node in machines if node != events[longest].node)
        rewrite(logs[sender], lambda lines: lines[:2])

        assert verdict == verdicts(check(read_trace(logs)))["queue-length"]


def test_a_circle_breaks_the_clock_condition_even_where_every_receive_is_later_than_its_send() -> None:
    """Somewhere a clock must fall along a circle; the order itself is what is wrong."""
    machines = cluster(2, rates=(4, 4))

    def event(node: int, index: int, clock: int, **fields: object) -> Event:
        due_ns = machines[node].due_ns(index - 1)
        place = {"node": node, "incarnation": 0, "index": index, "tick": index - 1, "due_ns": due_ns}
        return Event(**place, clock=clock, queue=0, **fields)  # type: ignore[arg-type]

    def receive(sender: int) -> dict[str, object]:
        return {"kind": "receive", "cause": MessageId(sender, 0, 2), "number": 1, "stamp": 1, "arrival_ns": 0}

    events = [
        *(event(1, 1, 4, **receive(2)), event(1, 2, 1, kind="send-one", to=(Delivery(2, 1, 0),))),
        *(event(2, 1, 2, **receive(1)), event(2, 2, 3, kind="send-one", to=(Delivery(1, 1, 0),))),
    ]

    first = check(trace_of(machines, events)).checks[0]

    assert (first.verdict, first.violations) == ("violated", 1)
    assert "happened before that send" in first.examples[0]


def test_a_tick_without_an_event_is_named() -> None:
    """Ticks match by number: one that is left out does not hide behind those after it."""
    machines = cluster(2, internal_probability=1.0, rates=(4, 4))
    events, _ = simulated_run(machines)
    left_out = next(event for event in events if event.node == 1 and event.tick == 3)
    later = [event for event in events if event.node == 1 and event.tick > 3]
    moved = [
        replace(event, index=event.index - 1, clock=event.clock - 1) if event in later else event for event in events
    ]
    moved.remove(left_out)

    ticks = check(trace_of(machines, moved)).checks[4]

    assert (ticks.verdict, ticks.violations) == ("violated", 1)
    assert ticks.examples == ("machine 1, 1:4: tick 4 comes where tick 3 is next, which has no event.",)


def test_a_message_that_was_lost_and_came_is_called_lost() -> None:
    """The example says what is wrong, not what follows from it."""
    events, _ = simulated_run(MACHINES)

    report = check(trace_of(MACHINES, a_message_was_lost_and_came(events)))

    assert "the network lost that message" in report.checks[2].examples[0]


@pytest.mark.parametrize("change", [(1, 0), (1, -1)])
def test_memory_must_say_what_the_logs_say(change: tuple[int, int]) -> None:
    """The sum and each part of it: in queue is not in flight."""
    events, stops = simulated_run(MACHINES)
    stops[2]["incoming"] = [(one, queue + change[0], flight + change[1]) for one, queue, flight in stops[2]["incoming"]]

    assert verdicts(check(trace_of(MACHINES, events, stops)))["every-message-accounted"] == "violated"


def test_a_received_message_that_is_missing_at_its_sender_unbalances_the_link() -> None:
    """More cannot be received than was sent."""
    events, _ = simulated_run(MACHINES)

    found = check(trace_of(MACHINES, a_send_goes_to_somebody_else(events)))

    assert verdicts(found)["every-message-accounted"] == "violated"


def test_a_stop_record_cannot_call_a_received_message_never_received() -> None:
    """The late messages of a stop record are those that were left over."""
    events, stops = simulated_run(MACHINES)
    receive = events[first_receive(events)]
    assert receive.cause is not None
    stops[receive.node]["late"] = [(receive.cause.node, 0, receive.cause.index, 0, MACHINES[1].duration_ns)]

    assert verdicts(check(trace_of(MACHINES, events, stops)))["every-message-accounted"] == "violated"


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["valid", "valid"], "valid"),
        (["valid", "not-applicable"], "valid"),
        (["valid", "consistent"], "consistent"),
        (["consistent", "unknown"], "unknown"),
        (["unknown", "violated"], "violated"),
        (["not-applicable"], "unknown"),
        ([], "unknown"),
    ],
)
def test_the_whole_is_its_worst_part(parts: list[Verdict], whole: Verdict) -> None:
    """A violation is a proof; what was not judged counts for nothing."""
    assert whole == worst(parts)


def test_the_exit_code_follows_the_verdict() -> None:
    """Scripts rely on it: 0 nothing found, 1 violated, 2 cannot tell; who demands a proof gets 2 for less."""
    assert [exit_code(verdict) for verdict in ("valid", "consistent", "violated", "unknown")] == [0, 0, 1, 2]
    assert exit_code("consistent", require_proof=True) == 2
    assert exit_code("valid", require_proof=True) == 0


def verdicts(report: Report) -> dict[str, str]:
    return {one.name: one.verdict for one in report.checks}


def cut_off(machines: dict[int, Model], events: list[Event]) -> Trace:
    """Return a trace of machines of which nobody knows whether they went on."""
    trace = trace_of(machines, events)
    return replace(trace, machines={node: replace(one, is_in_memory=False) for node, one in trace.machines.items()})
