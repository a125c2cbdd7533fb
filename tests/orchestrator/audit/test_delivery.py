"""The delivery audit: the true numbers where a log says enough, and none where it does not."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.event import Event
from orchestrator.audit.delivery import Delivery, Link
from orchestrator.audit.store import ALL, INTERNAL, MANY, ONE, OTHER, RECEIVE, SEND, ForeignTrace
from orchestrator.labs.simulated import simulate
from orchestrator.trace.order import Edges
from tests.clusters import cluster
from tests.foreign_runs import NOTHING, as_foreign, kept, less
from tests.foreign_traces import foreign_trace

A, B, C = 0, 1, 2
RING = {1: (2,), 2: (3,), 3: (1, 2)}


def sent_and_received(*events: tuple[int, int, int], nodes: int | None = None) -> ForeignTrace:
    """Return a trace of events: a machine, what it did, and to whom or from whom."""
    node, kind, peer = (np.array(column, np.int64) for column in zip(*events, strict=True))
    return replace(
        foreign_trace(node.tolist(), nodes=nodes),
        kind=kind,
        to=np.where(kind == SEND, peer, ONE),
        sender=np.where(kind == RECEIVE, peer, -1),
    )


def true_links(events: list[Event]) -> list[Link]:
    """Count what each machine sent and received, event by event."""
    sent = Counter((event.node - 1, delivery.recipient - 1) for event in events for delivery in event.to)
    received = Counter((event.cause.send.node - 1, event.node - 1) for event in events if event.cause)
    return [Link(*link, sent[link], received[link], sent[link] - received[link]) for link in sorted(sent)]


@given(
    st.integers(0, 2**40),
    st.integers(2, 4),
    st.sampled_from([None, RING]),
    st.sets(st.sampled_from(["to", "sender"])),
    st.floats(0, 1),
)
@settings(deadline=None, max_examples=80)
def test_no_number_is_wrong_however_little_the_log_says(
    seed: int, nodes: int, topology: dict[int, tuple[int, ...]] | None, unsaid: set[str], share_of_edges: float
) -> None:
    """With names of both ends all is known; with less, and some messages paired, a number is the true one or none."""
    nodes = 3 if topology else nodes
    machines = cluster(nodes, seed=seed, seconds=6, internal_probability=0.3, topology=topology)
    events = list(simulate(machines))
    trace, edges = as_foreign(events, nodes=nodes)
    some = slice(round(share_of_edges * len(edges.cause)))
    if "to" in unsaid:
        trace = replace(trace, to=np.minimum(trace.to, ONE))
    if "sender" in unsaid:
        trace = less(trace, "sender")

    delivery = Delivery(trace, Edges(edges.cause[some], edges.effect[some]))

    expected = {(link.sender, link.recipient): link for link in true_links(events)}
    for link in delivery.links:
        true = expected[link.sender, link.recipient]
        assert link.sent in ({true.sent} if "to" not in unsaid else {true.sent, None})
        assert link.received in ({true.received} if "sender" not in unsaid else {true.received, None})
        assert link.left_over in (true.left_over, None)
    if not unsaid and expected:
        assert list(delivery.links) == true_links(events)
        assert delivery.left_over == (sum(link.left_over or 0 for link in expected.values()))
        assert delivery.left_to == tuple(
            sum(link.left_over or 0 for link in expected.values() if link.recipient == node) for node in range(nodes)
        )


@given(st.integers(0, 2**40))
@settings(deadline=None, max_examples=20)
def test_the_first_message_left_over_is_named_where_each_receive_names_its_own(seed: int) -> None:
    """The place where to look."""
    events = list(simulate(cluster(3, seed=seed, seconds=6, internal_probability=0.3)))
    trace, edges = as_foreign(events, nodes=3)
    received = {(event.cause.send, event.node) for event in events if event.cause}
    left = [
        row
        for row, event in enumerate(events)
        if any((event.name, delivery.recipient) not in received for delivery in event.to)
    ]

    assert Delivery(trace, edges).first_left_over == (left[0] if left else -1)
    assert Delivery(trace, Edges(edges.cause[1:], edges.effect[1:])).first_left_over == -1


def test_a_send_to_all_is_a_message_on_each_link() -> None:
    """And a send to several is one to each of them."""
    trace = sent_and_received((A, SEND, ALL), (B, RECEIVE, A), (C, SEND, MANY), (A, RECEIVE, C))
    trace = replace(trace, recipients={2: (A, B)})

    delivery = Delivery(trace, NOTHING)

    assert delivery.links == (Link(A, B, 1, 1, 0), Link(A, C, 1, 0, 1), Link(C, A, 1, 1, 0), Link(C, B, 1, 0, 1))
    assert (delivery.sent_by, delivery.received_by, delivery.left_to) == ((2, 0, 2), (1, 1, 0), (0, 1, 1))


def test_a_send_that_does_not_name_its_recipient_hides_the_links_of_its_machine() -> None:
    """It is counted by itself; what others sent is known all the same."""
    trace = sent_and_received((A, SEND, B), (A, SEND, ONE), (B, SEND, A), (B, RECEIVE, A), (C, INTERNAL, ONE))

    delivery = Delivery(trace, NOTHING)

    assert delivery.ends.unaddressed == {A: 1}
    assert delivery.links == (Link(A, B, None, 1, None), Link(B, A, 1, 0, 1))
    assert (delivery.sent, delivery.left_over, delivery.left_to) == (3, 2, (1, None, None))


def test_a_receive_that_does_not_name_its_sender_hides_the_links_to_its_machine() -> None:
    """Unless but one machine can have sent to it, or nothing that was sent to it is left over."""
    anonymous = (A, RECEIVE, -1)

    several = Delivery(sent_and_received((B, SEND, A), (B, SEND, A), (C, SEND, A), anonymous), NOTHING)
    only = Delivery(sent_and_received((B, SEND, A), (B, SEND, A), (C, SEND, B), anonymous), NOTHING)
    nothing_left = Delivery(sent_and_received((B, SEND, A), (C, SEND, A), anonymous, anonymous), NOTHING)

    assert several.ends.anonymous == {A: 1}
    assert several.links == (Link(B, A, 2, None, None), Link(C, A, 1, None, None))
    assert several.left_to == (2, 0, 0)
    assert only.links == (Link(B, A, 2, 1, 1), Link(C, B, 1, 0, 1))
    assert nothing_left.links == (Link(B, A, 1, 1, 0), Link(C, A, 1, 1, 0))


def test_an_edge_names_both_ends() -> None:
    """A receive known to be of a send tells where that went, and where itself came from."""
    trace = sent_and_received((A, SEND, ONE), (B, RECEIVE, -1), (C, SEND, B))

    delivery = Delivery(trace, Edges(np.array([0]), np.array([1])))

    assert delivery.links == (Link(A, B, 1, 1, 0), Link(C, B, 1, 0, 1))
    assert delivery.ends.unaddressed == delivery.ends.anonymous == {}


def test_a_receive_after_sends_of_two_machines_is_of_neither_for_certain() -> None:
    """Vectors with a hole lead back to both; which of them sent the message, or who else, is lost."""
    trace = sent_and_received((A, SEND, B), (C, SEND, B), (B, RECEIVE, -1))

    delivery = Delivery(trace, Edges(np.array([0, 1]), np.array([2, 2])))

    assert delivery.ends.anonymous == {B: 1}
    assert delivery.links == (Link(A, B, 1, None, None), Link(C, B, 1, None, None))


def test_a_send_that_went_to_several_though_it_names_none_hides_what_the_others_did() -> None:
    """A log that writes a broadcast like any send does not say how many machines another send went to."""
    trace = sent_and_received((A, SEND, ONE), (B, RECEIVE, -1), (C, RECEIVE, -1), (A, SEND, ONE), (B, RECEIVE, -1))

    delivery = Delivery(trace, Edges(np.array([0, 0, 3]), np.array([1, 2, 4])))

    assert delivery.links == (Link(A, B, None, 2, None), Link(A, C, None, 1, None))
    assert (delivery.ends.unaddressed, delivery.sent, delivery.left_over) == ({A: 2}, None, None)


def test_of_two_machines_each_is_the_other_ones_peer() -> None:
    """A run of two need name nobody, if there was no third."""
    trace = sent_and_received((A, SEND, ONE), (B, RECEIVE, -1), (A, SEND, ONE))

    assert Delivery(trace, NOTHING).links == (Link(A, B, 2, 1, 1),)
    with_broadcast = replace(trace, to=np.array([ONE, ONE, ALL]))
    assert Delivery(with_broadcast, NOTHING).links == (Link(A, B, None, None, None),)


def test_a_message_received_twice_does_not_stand_for_another() -> None:
    """Two were sent and there are two receives, but one message is left over."""
    trace = sent_and_received((A, SEND, B), (A, SEND, B), (B, RECEIVE, A), (B, RECEIVE, A))

    delivery = Delivery(trace, Edges(np.array([0, 0]), np.array([2, 3])))

    assert delivery.links == (Link(A, B, 2, 2, 1),)
    assert (delivery.left_over, delivery.first_left_over) == (1, 1)


def test_more_received_than_sent_is_no_number_of_messages_left_over() -> None:
    """Sends are missing from the record then, and how many nobody knows."""
    trace = sent_and_received((A, SEND, B), (B, RECEIVE, A), (B, RECEIVE, A))

    assert Delivery(trace, NOTHING).links == (Link(A, B, 1, 2, None),)


def test_a_machine_without_a_log_leaves_totals_open() -> None:
    """What was sent to it is known; what it received and sent is not."""
    trace = sent_and_received((A, SEND, C), (A, SEND, B), (B, RECEIVE, A), nodes=3)

    delivery = Delivery(trace, NOTHING)

    assert delivery.links == (Link(A, B, 1, 1, 0), Link(A, C, 1, None, None))
    assert (delivery.sent_by, delivery.sent, delivery.left_over) == ((2, 0, None), None, None)
    assert delivery.most_sent_to == (None, None, None)


def test_without_kinds_a_link_is_where_something_was_heard() -> None:
    """Vectors tell which events heard of which, and nothing of sends."""
    trace = foreign_trace([A, B, B], vectors=[(1, 0), (1, 1), (1, 2)])

    assert Delivery(trace, Edges(np.array([0]), np.array([1]))).links == (Link(A, B, None, 1, None),)


def test_a_kind_that_never_occurs_is_one_that_is_not_logged() -> None:
    """A log without any receive does not say that nothing arrived."""
    delivery = Delivery(sent_and_received((A, SEND, B), (B, SEND, A)), NOTHING)

    assert delivery.links == (Link(A, B, 1, None, None), Link(B, A, 1, None, None))
    assert (delivery.sent, delivery.received, delivery.left_over) == (2, None, None)


@pytest.mark.parametrize("kind", [OTHER, SEND])
def test_at_most_so_many_were_sent_as_may_have_gone_there(kind: int) -> None:
    """Each send that names nobody may have gone anywhere but to itself; an event of unknown kind may be one, too."""
    trace = sent_and_received((A, SEND, B), (A, SEND, ONE), (B, SEND, ALL), (C, kind, ONE))

    assert Delivery(trace, NOTHING).most_sent_to == ((2, 3, 2) if kind == SEND else (None, None, None))


def test_events_left_out_of_the_record_make_no_machine_receive_more() -> None:
    """With lines missing a number may be less, never more."""
    trace, _ = as_foreign(simulate(cluster(3, seconds=20)), nodes=3)
    rows = np.flatnonzero(np.arange(len(trace)) % 7 != 0)

    whole, some = Delivery(trace, NOTHING), Delivery(kept(trace, rows), NOTHING)

    assert sum(link.received or 0 for link in some.links) < sum(link.received or 0 for link in whole.links)
    assert {(link.sender, link.recipient) for link in some.links} <= {
        (link.sender, link.recipient) for link in whole.links
    }
