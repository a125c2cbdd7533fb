"""What is said where a chain does not come out: which event, by how much, and which rule asks for what."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from node.event import Delivery, Event, MessageId
from orchestrator.explain.chain import explain
from orchestrator.trace import trace_of
from tests.clusters import cluster
from tests.histories import as_foreign, history_of
from tests.orchestrator.trace.test_order import internal


def with_clock(event: Event, clock: int) -> Event:
    return replace(event, clock=clock)


def sent(event: Event, recipient: int) -> Event:
    return replace(event, kind="send-one", to=(Delivery(recipient, 1, 0, 0),))


def received(event: Event, send: Event, *, stamp: int | None = None) -> Event:
    cause = MessageId(send.node, send.incarnation, send.index)
    stamp = send.clock if stamp is None else stamp
    return replace(event, kind="receive", cause=cause, number=1, stamp=stamp, arrival_ns=0)


def misfits(events: Sequence[Event]) -> list[tuple[str, int, str]]:
    """Return the misfits on the chain of the last event."""
    trace = trace_of(cluster(2), events)
    history = history_of(trace)
    found = explain(history, trace.row(events[-1].name))
    return [(history.event(misfit.event), misfit.by, misfit.why) for misfit in found.misfits]


TOO_EARLY = "1:1 with clock 1: it must be at least 2"
SEND = sent(with_clock(internal(1, 1), 1), 2)

STORIES = {
    "all is right": ([SEND, received(with_clock(internal(2, 1), 2), SEND)], []),
    "a receive as early as its send": (
        [SEND, received(with_clock(internal(2, 1), 1), SEND, stamp=0)],
        [("2:1", -1, f"2:1 with clock 1 received {TOO_EARLY} (Lamport's IR2). The message carried 0.")],
    ),
    "a receive that jumps too far": (
        [SEND, received(with_clock(internal(2, 1), 9), SEND)],
        [("2:1", 7, "2:1 with clock 9 received 1:1 with clock 1: nothing here forces more than 2 (Lamport's IR2).")],
    ),
    "an internal event that stands still": (
        [internal(1, 1), with_clock(internal(1, 2), 1)],
        [("1:2", -1, "1:2 with clock 1 follows 1:1 with clock 1: it must be at least 2 (Lamport's IR1).")],
    ),
    "an internal event that jumps": (
        [internal(1, 1), with_clock(internal(1, 2), 5)],
        [("1:2", 3, "1:2 with clock 5 follows 1:1 with clock 1: nothing here forces more than 2 (Lamport's IR1).")],
    ),
    "a clock that begins elsewhere": (
        [with_clock(internal(1, 1), 5), with_clock(internal(1, 2), 6)],
        [("1:1", 4, "machine 1 begins with 1:1 with clock 5; a count begins with 1.")],
    ),
    "a clock that begins with 0": ([with_clock(internal(1, 1), 0), with_clock(internal(1, 2), 1)], []),
    "an event that is missing": (
        [internal(1, 1), internal(1, 3)],
        [("1:3", 1, "the record lacks 1 event of machine 1 before 1:3 with clock 3.")],
    ),
    "a beginning that is missing": (
        [internal(1, 4)],
        [("1:4", 3, "the record lacks 3 events of machine 1 before 1:4 with clock 4.")],
    ),
    "a receive of its own that is not enough": (
        [SEND, internal(2, 1), internal(2, 2), received(with_clock(internal(2, 3), 2), SEND)],
        [("2:3", -1, "2:3 with clock 2 follows 2:2 with clock 2: it must be at least 3 (Lamport's IR2).")],
    ),
    "a message from nowhere": (
        [received(with_clock(internal(2, 1), 9), with_clock(internal(1, 7), 7))],
        [("2:1", 1, "2:1 with clock 9: nothing here forces more than 8 (Lamport's IR2).")],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_each_kind_of_misfit_is_told_in_a_sentence(name: str) -> None:
    """Issue 4: a jump that nothing forces, a mistake, a hole: at which event, and by how much."""
    events, expected = STORIES[name]

    assert expected == misfits(events)


def test_what_clocks_do_between_two_that_are_recorded_is_added_up() -> None:
    """Where others log a clock at some events only, the next one that they log is judged."""
    trace = trace_of(cluster(2), [internal(1, 1), internal(1, 2), with_clock(internal(1, 3), 9), internal(1, 4)])
    history = as_foreign(trace)
    history._clock[1] = history._clock[3] = None

    found = explain(history, 2)
    (misfit,) = found.misfits

    assert (2, 6) == (misfit.event, misfit.by)
    assert misfit.why == "1 event without a clock between a:1 with clock 1 and a:3 with clock 9. (t.log:1, t.log:3)"
