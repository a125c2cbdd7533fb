"""How far apart clocks are is told by what changes as by a table of all, of clocks that fall and are equal, too."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.trace import spread as module
from orchestrator.trace.spread import Changes, Spread, _Crossings, _of_table, spread

CLOCKS = st.one_of(st.integers(-3, 12), st.sampled_from([-(2**63), 2**31, 2**62]))
INSTANTS = 9


def changes(*machines: list[tuple[int, int]]) -> list[Changes]:
    """Return what clocks were set to, each with the place of its instant."""
    columns = [np.array(sorted(one, key=lambda pair: pair[0]), np.int64).reshape(-1, 2).T for one in machines]
    return [Changes(seen, clocks) for seen, clocks in columns]


def assert_equal(expected: Spread, actual: Spread) -> None:
    assert expected.highest.tolist() == actual.highest.tolist()
    assert expected.apart.tolist() == actual.apart.tolist()
    assert expected.pairs.tolist() == actual.pairs.tolist()


@given(st.lists(st.lists(st.tuples(st.integers(0, INSTANTS), CLOCKS), max_size=6), min_size=1, max_size=5))
@example([[], []])
@example([[(2, 5), (2, 1)], [(INSTANTS, 7)]])
@settings(deadline=None)
def test_whatever_changes_the_crossings_tell_what_the_table_does(machines: list[list[tuple[int, int]]]) -> None:
    found = changes(*machines)

    assert_equal(_of_table(found, INSTANTS), _Crossings(found, INSTANTS).spread())


def test_crossings_are_added_up_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = changes([(0, 4), (3, 1), (5, 9)], [(1, 2), (4, 7)], [(2, 6), (8, 3)])
    monkeypatch.setattr(module, "_CROSSINGS_MAX", 2)

    assert_equal(_of_table(found, INSTANTS), _Crossings(found, INSTANTS).spread())


def test_many_clocks_need_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """100,000 machines have 700,000 instants in ten seconds: no table of that is ever sorted."""
    many = changes(*([(place, 1)] for place in range(100)))
    monkeypatch.setattr(module, "_of_table", lambda *_: pytest.fail("a table"))

    found = spread(many, 100)

    assert found.apart.tolist() == [1] * 99 + [0]
    assert found.pairs[9] == 10 * 90
