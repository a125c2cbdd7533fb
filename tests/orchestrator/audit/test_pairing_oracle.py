"""Every grade against an oracle that tries all pairings of tiny traces, and whatever may stand in their rooms."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import inf
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audit.pairing import division, pair
from orchestrator.audit.store import ALL, INTERNAL, MANY, ONE, RECEIVE, SEND, ForeignTrace
from orchestrator.trace.store import NULL
from orchestrator.trace.verdict import Evidence
from tests.foreign_traces import foreign_trace

Numbers = tuple[float, float]
"""Receives without any send, and receives that are not later than theirs; as few of the first as can be come first."""


@dataclass(frozen=True)
class Message:
    """What was sent, or may have been: where in its sender's program, to one of whom, and under which id."""

    sender: int
    place: float
    clock: int
    recipients: frozenset[int]
    name: int | None


class Oracle:
    """Tries every way to give each receive a message or none; a message that nobody receives was lost."""

    def __init__(self, trace: ForeignTrace, grade: Evidence) -> None:
        self.trace, self.grade = trace, grade
        self.messages = list(seen(trace)) + ([] if trace.is_declared_complete else list(unseen(trace)))
        self.receives = [row for row in in_order(trace) if trace.kind[row] == RECEIVE]
        self.best: Numbers = (inf, inf)

    def least(self) -> Numbers:
        self._try(0, frozenset(), {}, (0, 0))
        return self.best

    def _try(self, turn: int, used: frozenset[int], last: dict[tuple[int, int], float], found: Numbers) -> None:
        if found >= self.best:
            return
        if turn == len(self.receives):
            self.best = found
            return
        row = self.receives[turn]
        node, clock = int(self.trace.node[row]), int(self.trace.clock[row])
        for number in set(range(len(self.messages))) - used:
            message = self.messages[number]
            link = message.sender, node
            overtakes = self.grade == "by-order" and message.place <= last.get(link, -inf)
            if self.may_be(row, message) and not overtakes:
                without, early = found
                self._try(
                    turn + 1, used | {number}, last | {link: message.place}, (without, early + (clock <= message.clock))
                )
        self._try(turn + 1, used, last, (found[0] + 1, found[1] + self.names_what_is_not_earlier(row)))

    def may_be(self, row: int, message: Message) -> bool:
        """Whether a message may be what was received."""
        trace = self.trace
        if trace.node[row] not in message.recipients or trace.sender[row] not in (-1, message.sender):
            return False
        if self.grade == "by-stamp":
            return bool(trace.stamp[row] == message.clock)
        if self.grade == "by-id" and message.name is None:
            is_free = self.ids_repeat or not (self.known(row) or self.is_sent_to_others(row))
            return is_free and bool(message.clock < trace.clock[row])
        return self.grade != "by-id" or bool(message.name == trace.message[row])

    def known(self, row: int) -> set[tuple[int, float]]:
        """Return the sends in the record that a receive may be of, by sender and place."""
        return {(one.sender, one.place) for one in self.messages if one.name is not None and self.may_be(row, one)}

    def is_sent_to_others(self, row: int) -> bool:
        """Whether no id was sent twice, and that of a receive by somebody who may be its sender."""
        trace = self.trace
        sends = [send for send in range(len(trace)) if trace.kind[send] == SEND]
        ids = [int(trace.message[send]) for send in sends]
        senders = {int(trace.node[send]) for send in sends if trace.message[send] == trace.message[row]}
        may_be = senders - {int(trace.node[row])}
        return len(set(ids)) == len(ids) and bool(may_be & ({trace.sender[row]} if trace.sender[row] >= 0 else may_be))

    @cached_property
    def ids_repeat(self) -> bool:
        """Whether some receive may be of several sends in the record; only then may a missing one have a known id."""
        return any(len(self.known(row)) > 1 for row in self.receives)

    def names_what_is_not_earlier(self, row: int) -> bool:
        """Whether a receive is not later than the stamp that it names, or than the only send of its id."""
        trace = self.trace
        if self.grade == "by-id":
            namesakes = [other for other in self.receives if trace.message[other] == trace.message[row]]
            has_choice = any(len(self.known(other)) > 1 for other in namesakes)
            sends = [one for one in self.messages if one.name is not None and self.may_be(row, one)]
            return not has_choice and any(trace.clock[row] <= one.clock for one in sends)
        return self.grade == "by-stamp" and bool(trace.clock[row] <= trace.stamp[row])


def in_order(trace: ForeignTrace) -> list[int]:
    """Return all rows, machine by machine."""
    return [row for node in range(len(trace.nodes)) for row in range(len(trace)) if trace.node[row] == node]


def seen(trace: ForeignTrace) -> Iterator[Message]:
    """Yield every message in the record: one for one of several machines, or one for each."""
    for place, row in enumerate(in_order(trace)):
        if trace.kind[row] == SEND:
            node, to = int(trace.node[row]), int(trace.to[row])
            others = set(range(len(trace.nodes))) - {node}
            each = {ONE: [others], ALL: [{one} for one in others]}.get(to, [{to}])
            for recipients in [{one} for one in trace.recipients[row]] if to == MANY else each:
                yield Message(node, place, int(trace.clock[row]), frozenset(recipients), int(trace.message[row]))


def unseen(trace: ForeignTrace) -> Iterator[Message]:
    """Yield what events may have sent that are not in the record: one for every clock that no event there has."""
    first, count = min(0, int(trace.clock.min()) - 1), int((trace.kind == RECEIVE).sum())
    rows = in_order(trace)
    for node in range(len(trace.nodes)):
        mine = [(place, int(trace.clock[row])) for place, row in enumerate(rows) if trace.node[row] == node]
        (before, _), (behind, last) = mine[0], mine[-1]
        ends = [(before - 1, first), *mine, (behind + 1, max(int(trace.clock.max()), last) + count + 1)]
        for (place, low), (_, high) in pairwise(ends):
            for clock in range(low + 1, high):
                for other in set(range(len(trace.nodes))) - {node}:
                    yield Message(node, place + (clock - low) / (high - low), clock, frozenset({other}), None)


@st.composite
def traces(
    draw: st.DrawFn,
    grade: Evidence,
    *,
    events: int = 8,
    clocks: Literal["any", "rise", "stay"] = "any",
    machines: tuple[int, int] = (2, 4),
    names_recipients: bool = False,
    is_complete: bool = True,
) -> ForeignTrace:
    """Draw a trace that need make no sense; clocks may be any, or rise, or not fall."""
    count = draw(st.integers(*machines))
    more = draw(st.lists(st.integers(0, count - 1), max_size=events - count))
    node = draw(st.permutations([*range(count), *more]))
    others = [[other for other in range(count) if other != one] for one in range(count)]
    kind = [SEND, *(draw(st.sampled_from([SEND, RECEIVE, RECEIVE, INTERNAL])) for _ in node[1:])]
    step = {"any": st.integers(0, 6), "rise": st.integers(1, 3), "stay": st.integers(0, 2)}[clocks]
    clock: list[int] = []
    for row, one in enumerate(node):
        before = max((clock[earlier] for earlier in range(row) if node[earlier] == one), default=0)
        clock.append(draw(step) + (0 if clocks == "any" else before))
    to = [draw(st.sampled_from([ALL, MANY, *others[one], *([] if names_recipients else [ONE])])) for one in node]
    many = [row for row in range(len(node)) if kind[row] == SEND and to[row] == MANY]
    recipients = {row: tuple(draw(st.sets(st.sampled_from(others[node[row]])))) for row in many}
    sent = [clock[row] for row in range(len(node)) if kind[row] == SEND]
    ids = draw(st.sampled_from([0, 1, 4]))
    says_sender = grade == "by-order" or (grade != "by-counting" and draw(st.booleans()))
    return replace(
        foreign_trace(node, is_complete=is_complete),
        clock_kind="scalar",
        is_fifo=grade == "by-order",
        node=np.array(node),
        kind=np.array(kind),
        clock=np.array(clock),
        stamp=np.array([draw(st.sampled_from([0, *sent, *sent])) if grade == "by-stamp" else NULL for _ in node]),
        sender=np.array([draw(st.sampled_from(others[one])) if says_sender else -1 for one in node]),
        to=np.array(to),
        recipients=recipients,
        message=np.array([draw(st.integers(0, ids)) if grade == "by-id" else -1 for _ in node]),
    )


def proved(trace: ForeignTrace) -> Numbers:
    """Return what the pairing proves: violations of exactly-once, and of the clock condition."""
    found = pair(trace)
    assert found.exactly_once.violations is not None
    assert found.clock_condition.violations is not None
    return found.exactly_once.violations, found.clock_condition.violations


def is_no_more(numbers: Numbers, than: Numbers) -> bool:
    return numbers[0] <= than[0] and numbers[1] <= than[1]


@given(traces("by-id"))
@settings(max_examples=300)
def test_by_id_the_numbers_are_the_least_of_all_pairings(trace: ForeignTrace) -> None:
    """Also where several sends have one id, or none is to the machine that received it."""
    assert Oracle(trace, "by-id").least() == proved(trace)


@given(traces("by-order", clocks="stay", names_recipients=True))
def test_by_order_the_numbers_are_the_least_of_all_pairings(trace: ForeignTrace) -> None:
    """Each link in its order; whatever was lost, and whichever receives nobody sent."""
    assert Oracle(trace, "by-order").least() == proved(trace)


@given(traces("by-order", clocks="stay", machines=(3, 3)))
def test_by_order_messages_to_somebody_are_divided_in_all_ways(trace: ForeignTrace) -> None:
    """Of two possible recipients; where receives outnumber messages it is a lower bound."""
    least, found = Oracle(trace, "by-order").least(), proved(trace)

    assert least == found or (least[0] and least[0] == found[0] and is_no_more(found, least))


@given(traces("by-order", clocks="stay", machines=(4, 4), events=9))
def test_by_order_messages_to_one_of_many_give_a_lower_bound(trace: ForeignTrace) -> None:
    """Nobody is accused of more than the best division needs, and of no fewer receives without a send."""
    least, found = Oracle(trace, "by-order").least(), proved(trace)

    assert least[0] == found[0]
    assert is_no_more(found, least)


@given(traces("by-order"))
def test_by_order_a_clock_that_falls_accuses_nobody_of_more_than_there_is(trace: ForeignTrace) -> None:
    """The first message of a link may be its latest: the order proves nothing there, and only counting does."""
    assert is_no_more(proved(trace), Oracle(trace, "by-order").least())


@given(traces("by-stamp"))
@settings(max_examples=300)
def test_by_stamp_the_numbers_are_the_least_of_all_pairings(trace: ForeignTrace) -> None:
    """A receive is of a send with that clock, if there is one, and later than the stamp whoever sent it."""
    assert Oracle(trace, "by-stamp").least() == proved(trace)


@given(traces("by-counting"))
def test_by_counting_the_numbers_are_the_least_of_all_pairings(trace: ForeignTrace) -> None:
    """Any receive may be of any message that could have gone to its machine."""
    assert Oracle(trace, "by-counting").least() == proved(trace)


@given(traces("by-counting", clocks="rise", events=6, machines=(2, 3), names_recipients=True, is_complete=False))
@settings(deadline=None)
def test_by_counting_whatever_fits_into_the_rooms_is_tried(trace: ForeignTrace) -> None:
    """Every clock that no event of a machine has may be that of one that is missing."""
    assert Oracle(trace, "by-counting").least() == proved(trace)


@given(traces("by-counting", clocks="rise", events=6, machines=(3, 3), is_complete=False))
@settings(deadline=None)
def test_by_counting_whatever_fits_is_tried_also_where_sends_are_to_somebody(trace: ForeignTrace) -> None:
    """The same with messages of which nobody knows the recipient."""
    assert Oracle(trace, "by-counting").least() == proved(trace)


@given(traces("by-order", clocks="stay", events=6, machines=(2, 3), names_recipients=True, is_complete=False))
@settings(deadline=None)
def test_by_order_whatever_fits_into_the_rooms_is_tried(trace: ForeignTrace) -> None:
    """An unseen send takes its place in the order of its link."""
    assert Oracle(trace, "by-order").least() == proved(trace)


@given(traces("by-order", clocks="stay", events=6, machines=(3, 3), is_complete=False))
@settings(deadline=None)
def test_by_order_whatever_fits_is_tried_also_where_sends_are_to_somebody(trace: ForeignTrace) -> None:
    """The same where messages are divided."""
    assert Oracle(trace, "by-order").least() == proved(trace)


@pytest.mark.parametrize("grade", ["by-id", "by-stamp"])
@given(st.data())
@settings(deadline=None)
def test_by_name_whatever_fits_into_the_rooms_is_allowed_for(grade: Evidence, data: st.DataObject) -> None:
    """Where a send of the same name may be missing, nobody is accused of more than is left with it."""
    drawn = traces(grade, clocks="rise", events=6, machines=(2, 3), names_recipients=True, is_complete=False)
    trace = data.draw(drawn)

    assert is_no_more(proved(trace), Oracle(trace, grade).least())


@given(traces("by-order", clocks="stay"))
def test_by_order_too_large_a_table_gives_a_lower_bound(trace: ForeignTrace) -> None:
    """What is too much to work through is bounded, not guessed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(division, "CELLS_MAX", 0)
        found = proved(trace)
    least = Oracle(trace, "by-order").least()

    assert least[0] == found[0]
    assert is_no_more(found, least)
