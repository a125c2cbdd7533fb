"""The cheapest way to give each of some rows a column of its own.

Never knows what rows and columns are.
Source: Kuhn (1955), "The Hungarian Method for the Assignment Problem"; shortest augmenting paths after Jonker and
Volgenant (1987).
"""

import numpy as np
import numpy.typing as npt

Costs = npt.NDArray[np.int64]


def assign(costs: Costs) -> npt.NDArray[np.int64]:
    """Return the column of each row, at the least total cost; there are at least as many columns as rows."""
    rows, columns = costs.shape
    assert rows <= columns, "each row must find a column"
    row_price, column_price = np.zeros(rows + 1, np.int64), np.zeros(columns + 1, np.int64)
    row_of = np.zeros(columns + 1, np.int64)  # 0 is none: rows and columns count from 1 inside
    for row in range(1, rows + 1):
        _augment(costs, row, row_price, column_price, row_of)
    column_of = np.zeros(rows, np.int64)
    taken = np.flatnonzero(row_of[1:]) + 1
    column_of[row_of[taken] - 1] = taken - 1
    return column_of


def _augment(costs: Costs, row: int, row_price: Costs, column_price: Costs, row_of: Costs) -> None:
    """Give one more row a column, and let others change theirs along the cheapest path."""
    columns = costs.shape[1]
    far = np.iinfo(np.int64).max // 4
    distance = np.full(columns + 1, far, np.int64)
    came_from = np.zeros(columns + 1, np.int64)
    is_done = np.zeros(columns + 1, np.bool_)
    row_of[0], column = row, 0
    while row_of[column] != 0:
        is_done[column] = True
        current = row_of[column]
        reduced = costs[current - 1] - row_price[current] - column_price[1:]
        is_nearer = ~is_done[1:] & (reduced < distance[1:])
        distance[1:][is_nearer] = reduced[is_nearer]
        came_from[1:][is_nearer] = column
        column = int(np.argmin(np.where(is_done, far, distance)[1:])) + 1
        step = distance[column]
        row_price[row_of[is_done]] += step
        column_price[is_done] -= step
        distance[1:][~is_done[1:]] -= step
    while column:
        previous = came_from[column]
        row_of[column] = row_of[previous]
        column = int(previous)
