"""Sequences of events: the one made of whole pieces of programs against the one made event by event."""

import itertools

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.trace.sequence import Causes, by_event, by_program, sequence
from orchestrator.trace.store import Column

Drawn = tuple[list[Column], dict[int, list[int]], int]


@st.composite
def programs_with_causes(draw: st.DrawFn) -> Drawn:
    """Draw programs whose rows are spread as by chance, and causes among all of them: also later ones, in circles."""
    lengths = draw(st.lists(st.integers(0, 6), min_size=1, max_size=4))
    count = sum(lengths)
    rows = draw(st.permutations(range(count)))
    ends = np.cumsum(lengths)
    programs = [np.array(rows[end - length : end], np.int64) for length, end in zip(lengths, ends, strict=True)]
    some = st.lists(st.integers(0, count - 1), unique=True, min_size=1, max_size=3) if count else st.nothing()
    causes = draw(st.dictionaries(st.integers(0, count - 1), some, max_size=count)) if count else {}
    return programs, causes, count


def copied(causes: Causes) -> Causes:
    return {row: list(its) for row, its in causes.items()}


def is_in_order(found: list[int], programs: list[Column], causes: Causes) -> bool:
    place = {row: where for where, row in enumerate(found)}
    before = [(int(a), int(b)) for rows in programs for a, b in itertools.pairwise(rows)]
    return all(place[a] < place[b] for a, b in [*before, *((a, b) for b, its in causes.items() for a in its)])


@given(programs_with_causes())
@example(([np.array([1]), np.array([2, 3]), np.array([0])], {0: [1], 1: [3], 2: [1], 3: [0]}, 4))
def test_every_event_stands_after_what_it_depends_on(drawn: Drawn) -> None:
    """Once each; what closes a circle is left out, and out of the causes."""
    programs, causes, count = drawn
    found, circular = sequence(programs, causes, count)

    assert list(range(count)) == sorted(found)
    assert is_in_order(found, programs, causes)
    assert all(row in causes for row in circular)


@given(programs_with_causes())
def test_whole_pieces_are_found_exactly_where_there_is_no_circle(drawn: Drawn) -> None:
    """The plain way leaves nothing out just where the fast one succeeds."""
    programs, causes, count = drawn
    fast = by_program(programs, causes, count)
    plain, circular = by_event(programs, copied(causes), count)

    assert bool(circular) == (fast is None)
    if fast is not None:
        assert sorted(plain) == sorted(fast)
        assert is_in_order(fast, programs, causes)
