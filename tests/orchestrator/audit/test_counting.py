"""Counting without names: the fast count against all pairings, and against its own lower bound."""

from itertools import product
from math import inf
from typing import TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.audit import counting
from orchestrator.audit.counting import Receive, Unit, least_violations

Numbers: TypeAlias = tuple[float, float]

machines = st.integers(0, 3)
clocks = st.integers(0, 7)
receives = st.lists(st.builds(Receive, clocks, machines), max_size=5)
groups = st.sets(machines, min_size=1).map(lambda group: tuple(sorted(group)))
units = st.lists(st.builds(Unit, clocks, groups), max_size=6)

A_LATER_ONE_STEPS_ASIDE = (
    [Receive(5, 1), Receive(6, 0), Receive(8, 1), Receive(9, 0)],
    [Unit(0, (1, 2, 3)), Unit(2, (0, 1, 4)), Unit(5, (0, 1, 3)), Unit(6, (1, 3, 4))],
)
"""The last receive needs what the first one holds; that takes what a later one of its own machine has."""


def tried(takes: list[Receive], sent: list[Unit]) -> Numbers:
    """Return the least numbers, by trying every pairing: receives without a send, then those not later than theirs."""
    best: Numbers = (inf, inf)
    for chosen in product(range(-1, len(sent)), repeat=len(takes)):
        used = [number for number in chosen if number >= 0]
        pairs = [(one, sent[number]) for one, number in zip(takes, chosen, strict=True) if number >= 0]
        if len(set(used)) == len(used) and all(one.node in unit.group for one, unit in pairs):
            best = min(best, (len(takes) - len(used), sum(one.clock <= unit.clock for one, unit in pairs)))
    return best


@given(st.lists(st.builds(Receive, clocks, machines), max_size=4), units)
def test_the_numbers_are_the_least_of_all_pairings(takes: list[Receive], sent: list[Unit]) -> None:
    """First as few receives as can be are without a send, then as few as can be are not later than theirs."""
    count = least_violations(takes, sent)

    assert tried(takes, sent) == (count.unsent, count.violations)
    assert count.is_exact


@given(receives, units)
@example(*A_LATER_ONE_STEPS_ASIDE)
def test_without_assignment_the_numbers_are_a_lower_bound(takes: list[Receive], sent: list[Unit]) -> None:
    """What is too large to be assigned is bounded: never more than there is, and it says so."""
    exact = least_violations(takes, sent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "CELLS_MAX", 0)
        bound = least_violations(takes, sent)

    assert exact.unsent == bound.unsent
    assert exact.violations == bound.violations or (not bound.is_exact and exact.violations > bound.violations)


@given(receives, units)
def test_where_sends_run_short_there_are_more_receives_than_sends(takes: list[Receive], sent: list[Unit]) -> None:
    """What is shown as the place of a violation is one (Hall's condition fails there)."""
    count = least_violations(takes, sent)
    wanted = sum(one.clock <= count.tight.get(one.node, -1) for one in takes)
    there = sum(any(unit.clock < count.tight.get(node, -1) for node in unit.group) for unit in sent)

    assert bool(count.tight) == bool(count.violations or count.unsent)
    assert not count.tight or wanted > there


def test_a_receive_that_must_be_late_does_not_take_what_another_needs() -> None:
    """Two early receives, two late sends, one of them for either machine: nobody is without, and both are too early."""
    count = least_violations([Receive(1, 0), Receive(1, 1)], [Unit(5, (0, 1)), Unit(6, (1,))])

    assert (2, 0, True) == (count.violations, count.unsent, count.is_exact)


def test_others_change_their_messages_in_a_long_row() -> None:
    """Each machine could take what the one before it holds; only the first message of all is free in the end."""
    length = 300
    sent = [Unit(node, (node, node + 1)) for node in range(length)]
    takes = [Receive(2 * length + node, node) for node in range(length, 0, -1)]

    assert 0 == least_violations(takes, sent).violations
    assert 1 == least_violations([*takes, Receive(4 * length, 0)], sent).unsent


def test_a_lower_bound_says_that_it_is_one() -> None:
    """What serves machine 1 at all takes from machine 0 its only early message: two are too early, one for certain."""
    takes, sent = [Receive(9, 0), Receive(1, 1)], [Unit(3, (0, 1)), Unit(20, (0,))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "CELLS_MAX", 0)
        bound = least_violations(takes, sent)
    exact = least_violations(takes, sent)

    assert (2, 0, True) == (exact.violations, exact.unsent, exact.is_exact)
    assert (1, 0, False) == (bound.violations, bound.unsent, bound.is_exact)
