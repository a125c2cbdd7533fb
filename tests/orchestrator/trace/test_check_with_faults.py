"""The checks on runs with faults: what the model lost, held, doubled or let overtake is no violation, the rest is."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings

from node.event import Delivery, Event
from node.model import Model
from orchestrator.trace import Report, Trace, check, trace_of
from orchestrator.trace.balance import accounts, balance
from orchestrator.trace.check import CHECKS
from orchestrator.trace.store import KINDS, NULL
from tests.fault_mixes import EACH, HALF_A_SECOND, half_a_second, machines_of, mixes
from tests.logs_on_disk import simulated_run

IS_FIFO_NOWHERE = {"reordering"}


def judged(machines: dict[int, Model]) -> tuple[Trace, Report]:
    events, stops = simulated_run(machines)
    trace = trace_of(machines, events, stops)
    return trace, check(trace, trace_of(machines, events))


def verdicts(report: Report) -> dict[str, str]:
    return {one.name: one.verdict for one in report.checks}


def planted(name: str, plant: Callable[[list[Event]], list[Event]]) -> dict[str, str]:
    """Return the verdicts on half a second with a fault of the model, and a mistake besides."""
    machines = half_a_second(name)
    events, stops = simulated_run(machines)
    return verdicts(check(trace_of(machines, plant(events), stops)))


def changed(events: list[Event], position: int, **fields: Any) -> list[Event]:
    return [*events[:position], replace(events[position], **fields), *events[position + 1 :]]


@pytest.mark.parametrize("name", EACH)
def test_a_run_with_a_fault_is_valid(name: str) -> None:
    """Every check that applies is proved; order, on links that keep none, does not apply."""
    expected = dict.fromkeys(CHECKS, "valid")
    if name in IS_FIFO_NOWHERE:
        expected["in-order"] = "not-applicable"
    _, report = judged(half_a_second(name))

    assert expected == verdicts(report)
    assert report.verdict == "valid"


@given(mixes(crashes=True))
@settings(deadline=None, max_examples=60)
def test_a_run_with_any_mix_of_faults_is_valid_and_its_balance_exact(fields: dict[str, Any]) -> None:
    """sent + duplicated = received + in queue + in flight + lost, on every link."""
    trace, report = judged(machines_of(fields))
    found = verdicts(report)

    assert found.pop("in-order") in ("valid", "not-applicable")
    assert set(found.values()) == {"valid"}
    for account in accounts(trace).values():
        left = account.in_queue + account.in_flight
        assert account.sent + account.duplicated == account.received + left + account.lost


@given(mixes(crashes=True, duration_ms=1000))
@settings(deadline=None, max_examples=15)
def test_a_run_with_faults_that_is_cut_anywhere_is_never_broken(fields: dict[str, Any]) -> None:
    """A log that stops early proves nothing, whatever the model did."""
    machines = machines_of(fields)
    events, _ = simulated_run(machines)
    for cut_ms in range(50, 1000, 190):
        kept = [event for event in events if event.due_ns < (cut_ms + 60 * event.node) * 1_000_000]
        trace = trace_of(machines, kept)
        open_ended = {node: replace(one, is_in_memory=False) for node, one in trace.machines.items()}
        report = check(replace(trace, machines=open_ended), trace_of(machines, events))
        assert "violated" not in verdicts(report).values(), report.first_violated


def test_each_fault_does_something() -> None:
    """A test of faults that never happen would prove nothing."""
    runs = {name: judged(half_a_second(name))[0] for name in EACH}

    def without(name: str) -> Trace:
        return judged(machines_of(HALF_A_SECOND | EACH[name] | {"faults": ()}))[0]

    def lost(name: str) -> int:
        return int(np.count_nonzero(runs[name].messages.number == NULL))

    for name in ("loss", "a far machine", "partition that loses", "overlapping partitions"):
        assert lost(name) > 0, name
    for name in ("duplicates", "reordering", "one link out of order"):
        assert runs[name].messages.copy.any(), name
    for name in ("reordering", "one link out of order"):
        assert overtaken(runs[name]) > 0, name
    for name in ("amnesia", "amnesia twice"):
        last = name.count("twice") + 1
        assert runs[name].incarnation.max() == last
        for life in (0, last):
            own = runs[name].kind[(runs[name].node == 2) & (runs[name].incarnation == life)]
            assert set(own.tolist()) == set(range(len(KINDS))), name
    for name in ("partition that holds", "one-way partition"):
        late = runs[name].messages.arrival_ns - runs[name].due_ns[runs[name].messages.send_row]
        assert late.max() > 100_000_000, name
    for name in ("pause", "pause to the end", "slow-down", "crash", "crash to the end"):
        assert len(runs[name]) < len(without(name)), name


def overtaken(trace: Trace) -> int:
    """Return how many receives took a number below one that was taken before, on the same link."""
    count, largest = 0, dict[tuple[int, int], int]()
    for row in np.flatnonzero(trace.is_receive).tolist():
        link, number = (int(trace.cause_node[row]), int(trace.node[row])), int(trace.number[row])
        count += number < largest.get(link, 0)
        largest[link] = max(number, largest.get(link, 0))
    return count


def test_on_a_link_that_keeps_order_overtaking_is_a_violation_though_another_does_not() -> None:
    """Only the links that the configuration lets overtake are left out."""
    fields = HALF_A_SECOND | EACH["one link out of order"]
    out_of_order = machines_of(fields)
    events, stops = simulated_run(out_of_order)
    in_order = machines_of(fields | {"network": {"delay": {"uniform": ("1ms", "90ms")}}})

    assert verdicts(check(trace_of(out_of_order, events, stops)))["in-order"] == "valid"
    assert verdicts(check(trace_of(in_order, events, stops)))["in-order"] == "violated"


@pytest.mark.parametrize("unknown", [{2}, {1, 2, 3}], ids=str)
def test_a_machine_whose_configuration_is_not_known_is_not_accused_of_overtaking(unknown: set[int]) -> None:
    """Whether its links keep order is what its start line would say."""
    machines = half_a_second("one link out of order")
    events, stops = simulated_run(machines)
    trace = trace_of(machines, events, stops)
    nameless = {node: replace(one, model=None) if node in unknown else one for node, one in trace.machines.items()}

    assert verdicts(check(replace(trace, machines=nameless)))["in-order"] == "unknown"


def test_each_copy_may_be_received_once() -> None:
    """Two copies are two messages; the same one twice is a violation."""

    def the_second_copy_is_called_the_first(events: list[Event]) -> list[Event]:
        position, event = next(
            (position, event) for position, event in enumerate(events) if event.cause is not None and event.cause.copy
        )
        assert event.cause is not None
        return changed(events, position, cause=replace(event.cause, copy=0))

    assert planted("duplicates", the_second_copy_is_called_the_first)["exactly-once"] == "violated"


def test_a_tick_that_the_model_took_away_cannot_have_an_event() -> None:
    """One event per tick that exists: an event within a pause is a violation."""
    machines = half_a_second("pause")
    events, stops = simulated_run(machines_of(HALF_A_SECOND))

    assert verdicts(check(trace_of(machines, events, stops)))["one-event-per-tick"] == "violated"


def test_a_machine_that_remembers_what_it_should_have_forgotten_is_found() -> None:
    """After a crash with amnesia its events are of the next incarnation."""
    machines = half_a_second("amnesia")
    events, stops = simulated_run(half_a_second("crash"))

    assert verdicts(check(trace_of(machines, events, stops)))["one-event-per-tick"] == "violated"


def test_a_machine_that_forgets_without_a_reason_is_found() -> None:
    """A new incarnation without a crash with amnesia before it."""
    machines = half_a_second("crash")
    events, stops = simulated_run(half_a_second("amnesia"))
    report = check(trace_of(machines, events, stops))

    assert verdicts(report)["one-event-per-tick"] == "violated"
    assert "it is of incarnation 1; by the crashes with amnesia before it, it is 0" in report.checks[4].examples[0]


@pytest.mark.parametrize("change", ["a copy", "a lost copy"])
def test_a_copy_that_its_sender_does_not_know_unbalances_the_link(change: str) -> None:
    """The second copies are their own term, and so are the lost ones."""

    def leave_out(events: list[Event]) -> list[Event]:
        for position, event in enumerate(events):
            for place, delivery in enumerate(event.to):
                if delivery.copy and delivery.number is not None:
                    lost = (Delivery(delivery.recipient, None, None, 1),) if change == "a lost copy" else ()
                    return changed(events, position, to=(*event.to[:place], *lost, *event.to[place + 1 :]))
        raise AssertionError("no copy")

    assert planted("duplicates", leave_out)["every-message-accounted"] == "violated"


def test_what_the_network_did_is_remarked_and_changes_no_verdict() -> None:
    """A lost message is no violation; whoever reads the verdict is told of it all the same."""
    fields = HALF_A_SECOND | {"network": {"loss": 0.2, "duplicate": 0.2}, "topology": {1: (2,), 2: (1,), 3: (1, 2)}}
    trace, report = judged(machines_of(fields))
    lost = int(np.count_nonzero(trace.messages.number == NULL))

    assert report.verdict == "valid"
    assert f"messages lost by the model's network: {lost}" in report.remarks
    assert "nobody sends to machine 3: the topology has no link to it" in report.remarks
    assert any("sent twice by the model's network" in remark for remark in report.remarks)


def test_what_a_partition_did_is_remarked() -> None:
    """Each fault, and how many messages it took or held; what loss took is not the partition's."""
    _, losing = judged(half_a_second("partition that loses"))
    _, both = judged(machines_of(HALF_A_SECOND | EACH["partition that loses"] | EACH["loss"]))
    holding, report = judged(half_a_second("partition that holds"))
    held = np.count_nonzero(holding.messages.arrival_ns > holding.due_ns[holding.messages.send_row] + 5_000_000)

    assert "fault of the model: partition 1 | 2, 3 from 0.15 s to 0.3 s, messages lost" in losing.remarks
    assert any(remark.endswith(", all in a partition") for remark in losing.remarks)
    assert any(re.search(r"lost .*: \d+, [1-9]\d* in a partition$", remark) for remark in both.remarks)
    assert f"messages held until the end of a partition: {held}" in report.remarks


def test_the_links_that_keep_no_order_are_remarked_if_others_do() -> None:
    """The check itself says so if none does."""
    _, some = judged(half_a_second("one link out of order"))
    _, none = judged(half_a_second("reordering"))
    words = "the model lets messages overtake each other on 2->1: in-order is judged on the other links"

    assert words in some.remarks
    assert not any("overtake" in remark for remark in none.remarks)


@given(mixes(crashes=True))
@settings(deadline=None, max_examples=20)
def test_the_account_of_every_link_is_exact(fields: dict[str, Any]) -> None:
    """Each term by itself, counted from the events and the stop records, and together nothing is left."""
    machines = machines_of(fields)
    events, stops = simulated_run(machines)
    sent = [(event.node, *delivery) for event in events for delivery in event.to]
    links = {(sender, recipient) for sender, recipient, *_ in sent}
    expected = [
        {
            "from": sender,
            "to": recipient,
            "sent": sum(one[:2] == (sender, recipient) and one[4] == 0 for one in sent),
            "duplicated": sum(one[:2] == (sender, recipient) and one[4] == 1 for one in sent),
            "lost": sum(one[:2] == (sender, recipient) and one[2] is None for one in sent),
            "received": sum(
                event.node == recipient and event.cause is not None and event.cause.node == sender for event in events
            ),
            "in_queue": sum(row[1] for row in stops[recipient]["incoming"] if row[0] == sender),
            "in_flight": sum(row[2] for row in stops[recipient]["incoming"] if row[0] == sender),
        }
        for sender, recipient in sorted(links)
    ]
    found = balance(trace_of(machines, events, stops))

    assert expected == found
    assert json.loads(orjson.dumps(found)) == found


def test_of_a_machine_that_did_not_finish_nobody_knows_what_is_left() -> None:
    trace, _ = judged(half_a_second("loss"))
    open_ended = {node: replace(one, is_in_memory=node != 2, stop=None) for node, one in trace.machines.items()}
    found = balance(replace(trace, machines=open_ended))

    assert {(one["from"], one["to"]) for one in found if one["in_queue"] is None} == {(1, 2), (2, 1), (2, 3), (3, 2)}
