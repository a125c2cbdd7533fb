"""A way in hops: every event in one of them, and where the time of a message went."""

from itertools import pairwise

import pytest

from orchestrator.explain.chain import explain
from orchestrator.explain.way import events_as_json, hops_as_json, hops_of
from orchestrator.screen.way import delays
from tests.clusters import cluster
from tests.fault_mixes import half_a_second
from tests.histories import as_foreign, simulated_history

HISTORY = simulated_history(cluster(3, seconds=20, internal_probability=0.3, delay_ms=40))


def test_a_hop_is_consecutive_events_of_one_machine_and_the_next_begins_with_a_receive() -> None:
    """Issue 4: consecutive events on one machine are one hop."""
    for row in range(len(HISTORY)):
        chain = explain(HISTORY, row).chain
        hops = hops_of(HISTORY, chain)
        ends = {(hop.first, hop.last) for hop in hops}

        assert [chain[0], chain[-1]] == [hops[0].first, hops[-1].last]
        assert all(HISTORY.machine(first) == HISTORY.machine(last) for first, last in ends)
        assert all(hop.events == HISTORY.number(hop.last) - HISTORY.number(hop.first) + 1 for hop in hops)
        assert all((earlier.last,) == HISTORY.causes(later.first) for earlier, later in pairwise(hops))
        assert [hop.message is None for hop in hops] == [False] * (len(hops) - 1) + [True]


def test_a_message_is_so_long_in_the_network_and_so_long_in_the_queue() -> None:
    """The delay of the model, and from then until the tick that received it."""
    (*hops, last) = hops_of(HISTORY, explain(HISTORY, len(HISTORY) - 1).chain)
    assert hops

    for hop, following in pairwise((*hops, last)):
        assert hop.message is not None
        assert hop.message.sent_ns == HISTORY.time_ns(hop.last)
        assert hop.message.network_ns == 40_000_000
        assert hop.message.queue_ns == (HISTORY.time_ns(following.first) or 0) - (
            HISTORY.arrival_ns(following.first) or 0
        )
        assert hop.message.total_ns == hop.message.network_ns + hop.message.queue_ns


def test_others_do_not_log_when_a_message_came() -> None:
    """Network and queue are known together only, and null apart."""
    history = as_foreign(HISTORY._trace)
    hop, following = explain(history, len(history) - 1).hops[:2]
    message = hop.message

    assert message is not None
    assert (message.network_ns, message.queue_ns) == (None, None)
    assert message.total_ns == (history.time_ns(following.first) or 0) - (history.time_ns(hop.last) or 0)


def test_json_has_every_event_with_its_hop() -> None:
    """The positions lead back to the hops."""
    chain = explain(HISTORY, len(HISTORY) - 1).chain
    hops = hops_of(HISTORY, chain)
    events, listed = events_as_json(HISTORY, chain, hops), hops_as_json(HISTORY, hops)

    assert ["event", "clock", "kind", "machine", "place", "time_ns", "hop"] == list(events[0])
    assert [HISTORY.event(row) for row in chain] == [event["event"] for event in events]
    for number, hop in enumerate(listed):
        within = [event for event in events if event["hop"] == number]
        assert (within[0]["event"], within[-1]["event"], len(within)) == (hop["first"], hop["last"], hop["events"])
        assert (within[0]["clock"], within[-1]["clock"]) == (hop["clock_first"], hop["clock_last"])
        assert {event["machine"] for event in within} == {hop["machine"]}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("crash", "crash of machine 2 from 0.15 s to 0.3 s"),
        ("pause", "pause of machine 2 from 0.15 s to 0.3 s"),
        ("slow-down", "slow-down of machine 2 by 3 from 0.15 s to 0.3 s"),
        ("one-way partition", "partition 1 -> 2, 3 from 0.15 s to 0.3 s, messages held"),
    ],
)
def test_a_message_is_delayed_by_the_faults_that_held_it_or_let_it_wait(name: str, words: str) -> None:
    """A message that came before a machine was down and was taken later, or one that was sent over a cut link."""
    history = simulated_history(half_a_second(name))
    delayed = 0
    for row in range(len(history)):
        if not history.causes(row):
            continue
        (send,) = history.causes(row)
        sent, arrival, received = (
            value or 0 for value in (history.time_ns(send), history.arrival_ns(row), history.time_ns(row))
        )
        is_held = history.machine(send) == "1" and 150 <= sent / 1e6 < 300
        has_waited = history.machine(row) == "2" and arrival / 1e6 < 300 and 150 < received / 1e6
        is_delayed = is_held if name == "one-way partition" else has_waited
        assert list(history.faults(row)) == [words] * is_delayed
        delayed += is_delayed

    assert delayed > 2


def test_the_faults_of_a_way_are_told_once_with_the_messages_that_they_delayed() -> None:
    history = simulated_history(half_a_second("crash"))
    hops = next(
        hops
        for hops in (explain(history, row).hops for row in history.events_of("2"))
        if any(hop.message and hop.message.faults for hop in hops)
    )
    delayed = [history.event(hop.last) for hop in hops if hop.message and hop.message.faults]

    assert delayed
    assert delays(history, hops) == (
        f"Delayed on this way: {', '.join(delayed)} by the crash of machine 2 from 0.15 s to 0.3 s."
    )
    assert [message["faults"] for hop in hops_as_json(history, hops) if (message := hop["message"])] == [
        list(hop.message.faults) for hop in hops if hop.message
    ]
    assert delays(HISTORY, explain(HISTORY, len(HISTORY) - 1).hops) == ""


def test_a_second_copy_is_called_so() -> None:
    """A receive of `copy` 1 names the same send."""
    history = simulated_history(half_a_second("duplicates"))
    copies = history._trace.cause_copy.tolist()
    receives = [row for row in range(len(history)) if history.causes(row)]

    assert {copies[row] for row in receives} == {0, 1}
    for row in receives:
        (send,) = history.causes(row)
        assert history.received(row) == "the second copy of " * copies[row] + history.event(send)
