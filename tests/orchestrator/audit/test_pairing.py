"""Pairing: which grade a receive allows, which pairs are certain, and what is said where a log does not say enough."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from orchestrator.audit.pairing import GRADES, Pairing, grades, pair
from orchestrator.audit.store import ALL, INTERNAL, MANY, ONE, OTHER, RECEIVE, SEND, ForeignTrace
from orchestrator.trace.store import NULL
from tests.foreign_traces import foreign_trace


class Line(NamedTuple):
    """What a log says of one event; machines are 0, 1, ..."""

    node: int
    kind: int
    clock: int
    to: int | tuple[int, ...] = ONE
    sender: int = -1
    stamp: int = NULL
    message: int = -1


def sends(node: int, clock: int, to: int | tuple[int, ...] = ALL, message: int = -1) -> Line:
    return Line(node, SEND, clock, to=to, message=message)


def receives(node: int, clock: int, *, sender: int = -1, stamp: int = NULL, message: int = -1) -> Line:
    return Line(node, RECEIVE, clock, sender=sender, stamp=stamp, message=message)


def log(
    *lines: Line, is_complete: bool = True, is_fifo: bool = True, has_clock: bool = True, index: Sequence[int] = ()
) -> ForeignTrace:
    """Return the trace of some lines, those of each machine in their order."""
    many = {row: line.to for row, line in enumerate(lines) if isinstance(line.to, tuple)}
    return replace(
        foreign_trace([line.node for line in lines], is_complete=is_complete),
        clock_kind="scalar" if has_clock else "none",
        is_fifo=is_fifo,
        kind=np.array([line.kind for line in lines]),
        clock=np.array([line.clock if has_clock else NULL for line in lines]),
        stamp=np.array([line.stamp for line in lines]),
        sender=np.array([line.sender for line in lines]),
        to=np.array([MANY if row in many else line.to for row, line in enumerate(lines)]),
        recipients=many,
        message=np.array([line.message for line in lines]),
        index=np.array(index or [NULL] * len(lines)),
    )


def edges(found: Pairing) -> set[tuple[int, int]]:
    return set(zip(found.edges.cause.tolist(), found.edges.effect.tolist(), strict=True))


def verdicts(found: Pairing) -> tuple[str, str]:
    return found.clock_condition.verdict, found.exactly_once.verdict


def violations(found: Pairing) -> tuple[int | None, int | None]:
    return found.clock_condition.violations, found.exactly_once.violations


# Grades.


def test_each_receive_is_paired_by_the_strongest_grade_that_it_allows() -> None:
    """An id is more than a sender, a sender more than a stamp, and a check carries the weakest that was needed."""
    trace = log(
        *(sends(0, 1, message=0), sends(0, 2, message=1), sends(0, 3, message=2), sends(0, 4, message=3)),
        *(receives(1, 5, sender=0, stamp=1, message=0), receives(1, 6, sender=0, stamp=2)),
        *(receives(1, 7, stamp=3), receives(1, 8)),
    )

    assert [-1, -1, -1, -1, 0, 1, 2, 3] == grades(trace).tolist()
    assert "by-counting" == pair(trace).evidence
    assert "by-id" == pair(log(sends(0, 1, message=0), receives(1, 5, message=0))).evidence


def test_a_sender_without_an_order_and_an_id_that_no_send_names_are_no_grade() -> None:
    """Messages of a link may overtake; and who alone names ids names nothing."""
    lines = (sends(0, 1), receives(1, 5, sender=0, message=7))

    assert GRADES.index("by-counting") == grades(log(*lines, is_fifo=False))[1]
    assert GRADES.index("by-order") == grades(log(*lines))[1]


def test_without_a_clock_only_names_say_anything() -> None:
    """A receive that names nothing is not judged, and then nothing is proved of the whole."""
    named, silent = (sends(0, 1, message=0), receives(1, 1, message=0)), receives(1, 2)

    assert ("valid", "valid") == verdicts(pair(log(*named, has_clock=False)))
    assert ("consistent", "consistent") == verdicts(pair(log(*named, silent, has_clock=False)))
    assert pair(log(sends(0, 1), silent, has_clock=False)).evidence is None


def test_only_by_id_is_a_clean_log_a_proof() -> None:
    """Each other grade leaves room for a pairing that is not clean."""
    by_id = log(sends(0, 1, message=0), receives(1, 2, message=0))

    assert ("valid", "valid") == verdicts(pair(by_id))
    for line in (receives(1, 2, sender=0), receives(1, 2, stamp=1), receives(1, 2)):
        assert ("consistent", "consistent") == verdicts(pair(log(sends(0, 1), line)))


# By id.


def test_by_id_every_receive_of_a_message_is_compared_with_its_send() -> None:
    """Received twice is one violation, too early both times are two of another law."""
    found = pair(log(sends(0, 5, message=0), receives(1, 4, message=0), receives(1, 5, message=0)))

    assert (2, 1) == violations(found)
    assert {(0, 1), (0, 2)} == edges(found)
    assert "a:1 with clock 5" in found.clock_condition.examples[0]
    assert "received before, at b:1; it was sent once, at a:1" in found.exactly_once.examples[0]


def test_by_id_what_was_sent_to_one_is_received_by_one() -> None:
    """The send does not say to whom; two who received it are one too many. To all it is one for each."""
    takes = (receives(1, 5, message=0), receives(2, 6, message=0))

    assert 1 == pair(log(sends(0, 1, ONE, 0), *takes)).exactly_once.violations
    assert "valid" == pair(log(sends(0, 1, ALL, 0), *takes)).exactly_once.verdict
    assert "valid" == pair(log(sends(0, 1, (1, 2), 0), *takes)).exactly_once.verdict


def test_by_id_what_was_sent_to_somebody_else_was_not_received() -> None:
    """As long as no id is sent twice: whatever lines may be missing, this one is that message."""
    lines = (sends(0, 1, 1, 0), receives(1, 9, message=0), receives(2, 9, message=0))
    found = pair(log(*lines, is_complete=False)).exactly_once
    repeating = pair(log(*lines, sends(1, 10, 0, 5), sends(1, 12, 0, 5), is_complete=False)).exactly_once

    assert "violated" == found.verdict
    assert "a:1 sent it to somebody else" in found.examples[0]
    assert "unknown" == repeating.verdict


def test_by_id_nobody_else_is_blamed_for_an_id_of_another_sender() -> None:
    """Each counts its own messages: that a sent its first to c says nothing of the first of c, whose log is missing."""
    trace = log(sends(0, 1, 2, 0), receives(1, 9, sender=2, message=0), is_complete=False)

    assert "unknown" == pair(replace(trace, nodes=("a", "b", "c"), absent=1)).exactly_once.verdict


def test_by_id_a_send_without_an_id_may_be_that_of_a_message_that_nobody_sent() -> None:
    """If it could have gone there; some sends of a log may not say their ids."""
    takes = (receives(2, 3, message=0), receives(1, 9, message=7))

    assert "violated" == pair(log(sends(0, 1, 2, 0), *takes)).exactly_once.verdict
    assert "violated" == pair(log(sends(0, 1, 2, 0), sends(0, 2, 2), *takes)).exactly_once.verdict
    assert "unknown" == pair(log(sends(0, 1, 2, 0), sends(0, 2), *takes)).exactly_once.verdict


def test_by_id_of_messages_with_one_id_none_is_preferred() -> None:
    """Two sends, two receives: whichever way round, no pair is certain, and the best one counts."""
    takes = (receives(2, 4, message=0), receives(2, 7, message=0))
    good = pair(log(sends(0, 3, message=0), sends(1, 6, message=0), *takes))
    bad = pair(log(sends(0, 3, message=0), sends(1, 8, message=0), *takes))

    assert ("consistent", "consistent") == verdicts(good)
    assert set() == edges(good)
    assert (1, 0) == violations(bad)


def test_by_id_where_ids_repeat_a_line_may_be_missing_everywhere() -> None:
    """Id 0 was sent twice; so the receives of id 1 may be of an earlier message with that id, whose line is lost."""
    repeated = (sends(0, 3, message=0), sends(1, 6, message=0), receives(2, 7, message=0))
    lines = (*repeated, sends(0, 9, message=1), receives(2, 8, message=1), receives(2, 10, message=1))

    assert ("unknown", "unknown") == verdicts(pair(log(*lines, is_complete=False)))
    assert ("violated", "violated") == verdicts(pair(log(*lines)))


def test_by_id_received_more_often_than_sent_is_once_too_often() -> None:
    """Whichever of three receives has none of the two messages, the others are late enough."""
    takes = [receives(2, clock, message=0) for clock in (2, 7, 8)]

    assert (0, 1) == violations(pair(log(sends(0, 3, message=0), sends(1, 6, message=0), *takes)))


# By order.


def test_by_order_the_nth_receive_of_a_link_is_of_its_nth_message() -> None:
    """Messages to others and receives from others do not count."""
    trace = log(
        *(sends(0, 1, 1), sends(0, 2, 2), sends(0, 3, ALL)),
        *(receives(1, 4, sender=0), receives(1, 5, sender=2), receives(1, 6, sender=0)),
        *(sends(2, 1, (0, 1)), receives(2, 5, sender=0), receives(2, 6, sender=0)),
    )

    assert {(0, 3), (2, 5), (6, 4), (1, 7), (2, 8)} == edges(pair(trace))


def test_by_order_no_pair_is_certain_behind_a_room() -> None:
    """Neither in the sender's log nor in the receiver's; an index that counts on closes it."""
    sender = (sends(0, 1), sends(0, 4), receives(1, 1, sender=0), receives(1, 2, sender=0))
    receiver = (sends(0, 1), sends(0, 2), receives(1, 4, sender=0), receives(1, 5, sender=0))

    assert {(0, 2)} == edges(pair(log(*sender, is_complete=False)))
    assert set() == edges(pair(log(*receiver, is_complete=False)))
    assert {(0, 2), (1, 3)} == edges(pair(log(*receiver, is_complete=False, index=[1, 2, 1, 2])))
    assert {(0, 2), (1, 3)} == edges(pair(log(*receiver)))


def test_by_order_a_stamp_that_fits_makes_a_pair_certain() -> None:
    """Whatever is missing: a sender's clock rises, and that clock was one event's."""
    lines = (sends(0, 3), sends(0, 7), receives(1, 9, sender=0, stamp=3), receives(1, 12, sender=0, stamp=6))

    assert {(0, 2)} == edges(pair(log(*lines, is_complete=False)))


@pytest.mark.parametrize(
    "further",
    [
        pytest.param(receives(1, 9, sender=0), id="more receives than sends"),
        pytest.param(receives(1, 9), id="a receive from anybody"),
    ],
)
def test_by_order_no_pair_is_certain_of_a_link_that_got_what_is_not_its_own(further: Line) -> None:
    """Any of its receives may be the one that is not of the next message."""
    assert set() == edges(pair(log(sends(0, 1), receives(1, 5, sender=0), further, sends(2, 1))))


def test_by_order_a_message_that_came_twice_does_not_shift_the_others() -> None:
    """Its stamp tells: the next receive is of the next message, which is not too late for it."""
    takes = [receives(1, clock, sender=0, stamp=stamp) for clock, stamp in ((4, 1), (5, 1), (7, 6))]
    found = pair(log(sends(0, 1), sends(0, 6), *takes))

    assert (0, 1) == violations(found)
    assert {(0, 2), (1, 4)} == edges(found)
    assert "from machine a with timestamp 1, as it had before" in found.exactly_once.examples[0]


def test_by_order_a_sender_whose_clock_stands_may_send_one_timestamp_twice() -> None:
    """What is said of its clock is not said of its messages."""
    takes = (receives(1, 4, sender=0, stamp=1), receives(1, 5, sender=0, stamp=1))

    assert ("consistent", "consistent") == verdicts(pair(log(sends(0, 1), sends(0, 1), *takes)))


def test_by_order_a_clock_that_falls_orders_nothing() -> None:
    """The first message, with clock 9, may have been lost: then the receive is of the second, with clock 2."""
    assert ("consistent", "consistent") == verdicts(pair(log(sends(0, 9), sends(0, 2), receives(1, 5, sender=0))))


def test_by_order_an_unseen_send_may_be_before_all_others() -> None:
    """The receive is not later than the send in the record; in an incomplete log another may stand before it."""
    lines = (sends(0, 6), receives(1, 5, sender=0))
    found = pair(log(*lines, is_complete=False)).clock_condition

    assert "violated" == pair(log(*lines)).clock_condition.verdict
    assert "unknown" == found.verdict
    assert "unless lines are missing" in found.examples[0]


def test_by_order_not_even_an_unseen_send_can_undo_what_is_earlier_than_all() -> None:
    """Nothing is missing before a's first clock, 7, and what may be missing behind it is no earlier."""
    takes = (receives(1, 6, sender=0), receives(1, 7, sender=0))
    late, early = (pair(log(sends(0, clock), *takes, is_complete=False, index=[1, 1, 2])) for clock in (5, 7))

    assert ("consistent", "unknown") == verdicts(late)
    assert 2 == early.clock_condition.violations
    assert "not later than any send that it may have come from, seen or unseen" in early.clock_condition.examples[1]


def test_by_order_without_a_clock_receives_are_counted() -> None:
    """Two are received, one was sent: unless lines are missing."""
    lines = (sends(0, 0), receives(1, 0, sender=0), receives(1, 0, sender=0))

    assert "violated" == pair(log(*lines, has_clock=False)).exactly_once.verdict
    assert "unknown" == pair(log(*lines, has_clock=False, is_complete=False)).exactly_once.verdict
    assert {(0, 1)} == edges(pair(log(*lines[:2], has_clock=False)))
    assert set() == edges(pair(log(*lines[:2], has_clock=False, is_complete=False)))


# By stamp.


def test_by_stamp_a_pair_is_certain_if_one_send_alone_has_that_clock() -> None:
    """Of two none is; and none if a line with that clock may be missing, such as behind a's last."""
    lines = (sends(0, 3), receives(1, 4, stamp=3), sends(2, 3, 0), sends(2, 5, 1), receives(1, 6, stamp=5))

    assert {(0, 1), (3, 4)} == edges(pair(log(*lines)))
    assert {(0, 1)} == edges(pair(log(*lines, sends(0, 5, 1))))
    assert {(0, 1)} == edges(pair(log(*lines, is_complete=False)))


def test_by_stamp_a_broadcast_is_paired_with_each_of_its_receives() -> None:
    """One message for each machine; one to somebody is not certain of either of two."""
    takes = (receives(1, 4, stamp=3), receives(2, 5, stamp=3))

    assert {(0, 1), (0, 2)} == edges(pair(log(sends(0, 3), *takes)))
    assert set() == edges(pair(log(sends(0, 3, ONE), *takes)))


def test_by_stamp_nothing_is_certain_once_a_stamp_is_no_clock_of_a_send() -> None:
    """Messages carry something else then, and what fits does so by chance."""
    found = pair(log(sends(0, 3), receives(1, 4, stamp=3), receives(1, 5, stamp=2)))

    assert set() == edges(found)
    assert 1 == found.exactly_once.violations
    assert "a message carries something else than the clock of its send" in found.exactly_once.examples[0]


def test_by_stamp_a_timestamp_is_received_as_often_as_it_was_sent() -> None:
    """Unless a line with that clock is missing, as before c's 9, but not before its 3 if an index says so."""
    takes = (receives(1, 4, stamp=3), receives(1, 5, stamp=3))
    found = pair(log(sends(0, 3), *takes)).exactly_once
    lines = (sends(0, 3), sends(2, 9, 0), *takes)

    assert ("violated", 1) == (found.verdict, found.violations)
    assert "timestamp 3 was received 2 times, last at b:2" in found.examples[0]
    assert "unknown" == pair(log(*lines, is_complete=False)).exactly_once.verdict
    assert "violated" == pair(log(*lines, is_complete=False, index=[1, 1, 1, 2])).exactly_once.verdict


def test_by_stamp_a_stamp_that_only_a_missing_line_can_have_is_unknown() -> None:
    """Machine a had no such clock, unless it is missing between 1 and 5."""
    lines = (sends(0, 1), sends(0, 5), receives(1, 6, stamp=3))

    assert "unknown" == pair(log(*lines, is_complete=False)).exactly_once.verdict
    assert "violated" == pair(log(*lines, is_complete=False, index=[1, 2, 1])).exactly_once.verdict


# By counting.


def test_by_counting_the_place_where_sends_run_short_is_shown() -> None:
    """Machine b received twice up to clock 3, and one message was sent by then."""
    takes = [receives(1, clock) for clock in (2, 3, 4, 9)]
    found = pair(log(sends(0, 1), sends(0, 3), sends(0, 7), sends(0, 8), *takes)).clock_condition

    assert ("violated", 1) == (found.verdict, found.violations)
    assert "machine b up to clock 3, 2 in all" in found.examples[0]


def test_by_counting_a_jump_of_the_sender_s_clock_may_hide_what_is_short() -> None:
    """Between 1 and 5 a send may be missing."""
    lines = (sends(0, 1), sends(0, 5), receives(1, 4), receives(1, 5))
    found = pair(log(*lines, is_complete=False)).clock_condition

    assert "unknown" == found.verdict
    assert "Unless lines are missing where a clock jumps" in found.examples[0]
    assert "violated" == pair(log(*lines, is_complete=False, index=[1, 2, 1, 2])).clock_condition.verdict


def test_by_counting_more_receives_than_sends_are_of_nobody() -> None:
    """Unless lines are missing."""
    lines = (sends(0, 1), receives(1, 4), receives(1, 5))

    assert ("consistent", "violated") == verdicts(pair(log(*lines)))
    assert ("consistent", "unknown") == verdicts(pair(log(*lines, is_complete=False)))


def test_a_log_that_does_not_record_sends_accuses_nobody() -> None:
    """However complete its lines are."""
    assert ("consistent", "unknown") == verdicts(pair(log(Line(0, INTERNAL, 1), receives(1, 2), receives(1, 3))))


def test_an_event_of_unknown_kind_may_be_the_send_that_is_short() -> None:
    """It may have sent to anybody, with its own clock; if that is too late, too, something is wrong either way."""
    takes = (receives(1, 3), receives(1, 4))

    assert ("consistent", "violated") == verdicts(pair(log(sends(0, 1), Line(0, INTERNAL, 2), *takes)))
    assert ("consistent", "unknown") == verdicts(pair(log(sends(0, 1), Line(0, OTHER, 2), *takes)))
    assert ("violated", "unknown") == verdicts(pair(log(sends(0, 1), Line(0, OTHER, 5), *takes)))
