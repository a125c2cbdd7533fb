"""The cheapest assignment against all that there are."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.audit.assignment import Costs, assign


@st.composite
def tables(draw: st.DrawFn) -> Costs:
    """Draw costs, often equal ones, with as many columns as rows or more."""
    rows = draw(st.integers(0, 4))
    columns = draw(st.integers(max(1, rows), 6))
    most = draw(st.sampled_from([1, 3, 1000]))
    cells = draw(st.lists(st.integers(0, most), min_size=rows * columns, max_size=rows * columns))
    return np.array(cells, np.int64).reshape(rows, columns)


@given(tables())
def test_the_assignment_is_the_cheapest_of_all(costs: Costs) -> None:
    """Each row has a column of its own, and no other way costs less."""
    rows, columns = costs.shape
    chosen = assign(costs).tolist()

    assert len(set(chosen)) == rows
    assert sum(costs[row, column] for row, column in enumerate(chosen)) == min(
        sum(costs[row, column] for row, column in enumerate(other)) for other in permutations(range(columns), rows)
    )


def test_a_row_without_a_column_is_our_mistake() -> None:
    """The caller gives each row one that it can fall back on."""
    with pytest.raises(AssertionError, match="each row must find a column"):
        assign(np.zeros((2, 1), np.int64))
