"""Recorded queue lengths: what breaks a law of queues is found, and what a queue may do is not."""

from dataclasses import replace

import numpy as np
import pytest

from node.model import SECOND_NS
from orchestrator.audit.delivery import Delivery
from orchestrator.audit.lengths import length_remarks
from orchestrator.audit.store import INTERNAL, ONE, OTHER, RECEIVE, SEND, ForeignTrace
from orchestrator.trace.store import NULL
from tests.foreign_runs import NOTHING
from tests.foreign_traces import foreign_trace

A, B = 0, 1
FALL, PASSED_OVER, BEYOND = "do not add up", "did something else while a message waited", "more messages than there can"
I, S, R, O = INTERNAL, SEND, RECEIVE, OTHER  # noqa: E741  # they stand in rows
N = NULL


def recorded(kinds: list[int], lengths: list[int], *, sends: int = 99, ticks: bool = False) -> ForeignTrace:
    """Return a trace in which machine b does this, and machine a sends it messages; with ticks, one a second."""
    count = len(kinds)
    plain = foreign_trace(
        [A] * sends + [B] * count,
        times_ns=[place * SECOND_NS for place in (*range(sends), *range(count))] if ticks else None,
    )
    return replace(
        plain,
        kind=np.array([SEND] * sends + kinds),
        to=np.array([B] * sends + [ONE] * count),
        queue=np.array([NULL] * sends + lengths),
    )


def odd(trace: ForeignTrace) -> list[str]:
    return list(length_remarks(trace, Delivery(trace, NOTHING)))


@pytest.mark.parametrize(
    ("kinds", "lengths", "fell"),
    [
        ([R, R, R], [5, 4, 0], True),  # by 4 at one receive
        ([R, R, R], [5, 4, 3], False),
        ([R, R, R], [0, 7, 6], False),  # any number may arrive
        ([R, R, I], [0, 4, 3], True),  # nothing was received
        ([R, I, R], [0, 4, 4], False),
        ([R, S, R], [0, N, 1], False),
        ([R, R, R, R], [3, N, N, 0], False),  # what is not recorded took them
        ([R, R, O, R], [3, N, N, 0], False),  # so may what nobody knows
        ([R, R, S, R], [3, N, N, 0], True),
        # Where no receive records 0, each may have counted the message that it took.
        ([R, I], [1, 0], False),
        ([R, I], [2, 0], True),
        ([I, R], [1, 1], False),
        ([I, R, R], [0, 0, 0], False),
    ],
)
def test_a_queue_shrinks_by_one_at_each_receive(kinds: list[int], lengths: list[int], fell: bool) -> None:
    """And by nothing else; a length that says otherwise is odd."""
    assert [FALL in remark for remark in odd(recorded(kinds, lengths))] == [True] * fell


def test_a_hole_explains_every_fall() -> None:
    """The receives may have stood there."""
    trace = recorded([R, R, R], [9, 4, 0])
    index = np.append(np.arange(99), [1, 7, 8])
    unread = {
        "unread_file": np.array([0]),
        "unread_line": np.array([101]),
        "line": np.append(np.arange(100), [102, 103]),
    }

    assert len(odd(trace)) == 1
    assert odd(trace)[0].startswith(
        "recorded queue lengths do not add up at 2 events: first at b:2 the queue is shorter"
    )
    assert "at 1 event: first at b:3" in odd(replace(trace, index=index))[0]
    assert "at 1 event: first at b:3" in odd(replace(trace, **unread))[0]


@pytest.mark.parametrize(
    ("kinds", "lengths", "passed_over"),
    [
        ([R, R, *[I] * 8], [0, 1, *[0] * 8], True),
        ([R, R, R, *[I] * 7], [0, 1, *[0] * 8], False),
        ([R, R, S, R, *[I] * 6], [0, 2, 2, 1, *[1] * 6], True),
        ([R, R, O, *[I] * 7], [0, 1, *[0] * 8], False),
        # Where no receive records 0, each may have counted the message that it took.
        ([R, *[I] * 9], [1, *[0] * 9], False),
        ([R, *[I] * 9], [2, 1, *[0] * 8], True),
    ],
)
def test_a_machine_that_ticks_takes_a_message_that_waits(
    kinds: list[int], lengths: list[int], passed_over: bool
) -> None:
    """The exercise says so; a machine that does not tick may do as it likes."""
    ticking, other = recorded(kinds, lengths, ticks=True), recorded(kinds, lengths)

    assert any(PASSED_OVER in remark for remark in odd(ticking)) == passed_over
    assert not any(PASSED_OVER in remark for remark in odd(other))


def test_a_tick_that_is_missing_may_have_taken_it() -> None:
    """Where there is room for one nothing is odd."""
    trace = recorded([R, R, *[I] * 18], [0, 1, *[0] * 18], ticks=True)
    later = np.where((trace.node == B) & (trace.position > 2), SECOND_NS, 0)

    assert len([remark for remark in odd(trace) if PASSED_OVER in remark]) == 1
    assert not [remark for remark in odd(replace(trace, time_ns=trace.time_ns + later)) if PASSED_OVER in remark]


@pytest.mark.parametrize(
    ("kinds", "lengths", "sends", "beyond"),
    [
        ([R, R, R], [0, 0, 1], 3, True),
        ([R, R, R], [0, 0, 1], 4, False),
        ([R, R, R], [3, 2, 1], 3, False),  # each may have counted its own
        ([R, R, R], [4, 3, 2], 3, True),
        ([R, R, O], [0, 0, 9], 3, False),  # what nobody knows may have been a send
    ],
)
def test_no_more_can_wait_or_be_received_than_was_sent(
    kinds: list[int], lengths: list[int], sends: int, beyond: bool
) -> None:
    """Whoever sent it, and whenever."""
    assert [BEYOND in remark for remark in odd(recorded(kinds, lengths, sends=sends))] == [True] * beyond


def test_sends_that_may_stand_in_a_hole_are_not_missed() -> None:
    """Where a machine's index leaps it may have sent as often as you like."""
    trace = recorded([R, R], [0, 1], sends=2)

    assert len(odd(replace(trace, index=np.array([1, 2, 1, 2])))) == 1
    assert odd(replace(trace, index=np.array([1, 3, 1, 2]))) == []


def test_a_log_that_says_no_lengths_has_none_that_are_odd() -> None:
    """Nor has one without events."""
    assert odd(recorded([R, R], [N, N], sends=1)) == []
    assert odd(foreign_trace([], nodes=2)) == []
