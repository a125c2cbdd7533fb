"""The messages of one sender, divided among recipients that it does not name, each link in its order.

Never looks at more than clocks: the i-th receive of a link is of the i-th message that its recipient was given.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np

from orchestrator.audit.counting import Receive, Unit, least_violations
from orchestrator.trace.store import Column

CELLS_MAX: Final = 1 << 28
"""The largest table of messages and divisions that is worked through."""
_FAR: Final = 1 << 40

Least: TypeAlias = tuple[int, int]
"""The least number of receives that are not later than their send, and of receives that have no send."""


def divide(clocks: Mapping[int, Column], units: Sequence[Unit]) -> tuple[Least, bool]:
    """Return the least numbers over all divisions, and whether they are exact; else they are a lower bound.

    `clocks` are the receives of each recipient in its order, `units` the messages in the order in which they were sent.
    """
    shared = sum(len(unit.group) > 1 for unit in units)
    recipients = sorted({node for unit in units for node in unit.group} | set(clocks))
    if len(recipients) <= 2 and (shared + 1) * len(units) <= CELLS_MAX:
        first, second = [*recipients, -1, -1][:2]
        none = np.empty(0, np.int64)
        return _of_two(clocks.get(first, none), clocks.get(second, none), units, first, shared), True
    alone = [_alone(clocks[node], [unit.clock for unit in units if node in unit.group]) for node in clocks]
    together = least_violations(
        (Receive(clock, node) for node, column in clocks.items() for clock in column.tolist()), units
    )
    violations = max(sum(least[0] for least in alone), together.violations)
    return (violations, max(sum(least[1] for least in alone), together.unsent)), False


def _alone(clocks: Column, sent: Sequence[int]) -> Least:
    """Return the least numbers of one link if it were given every message that may be its own."""
    count = min(len(clocks), len(sent))
    return int((clocks[:count] <= np.array(sent[:count], np.int64)).sum()), len(clocks) - count


def _of_two(first: Column, second: Column, units: Sequence[Unit], node: int, shared: int) -> Least:
    """Work through the messages; the state is how many of the shared ones the first recipient was given.

    A message given to nobody would only make later ones come in its place, which helps no receive.
    """
    cost = np.full(shared + 1, _FAR * _FAR, np.int64)
    cost[0] = 0
    given = np.arange(shared + 1)
    own_first = own_second = both = 0
    for unit in units:
        late_first = _lateness(first, unit.clock, own_first + given)
        late_second = _lateness(second, unit.clock, own_second + both - given)
        if len(unit.group) > 1:
            taken = cost + late_first
            cost = cost + late_second
            cost[1:] = np.minimum(cost[1:], taken[:-1])
            both += 1
        elif unit.group[0] == node:
            cost += late_first
            own_first += 1
        else:
            cost += late_second
            own_second += 1
    without = np.maximum(0, len(first) - own_first - given) + np.maximum(0, len(second) - own_second - (both - given))
    cost = np.where(given <= both, cost + without * _FAR, _FAR * _FAR)
    return int(cost.min() % _FAR), int(cost.min() // _FAR)


def _lateness(clocks: Column, sent: int, position: Column) -> Column:
    """Return, for each state, 1 if the receive at this position would not be later than a message sent then."""
    if not len(clocks):
        return np.zeros(len(position), np.int64)
    is_there = (position >= 0) & (position < len(clocks))
    late = clocks[np.clip(position, 0, len(clocks) - 1)] <= sent
    return (is_there & late).astype(np.int64)
