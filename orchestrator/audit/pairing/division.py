"""The messages of one sender, each link in its order: the least that must be wrong, however they were received.

Never looks at more than clocks. The sender's rise: the i-th receive of a link is of the i-th of its messages or, where
some were lost, of a later one, which is no better; only where receives outnumber messages may it be of an earlier one.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from orchestrator.audit.counting import Receive, Unit, least_violations
from orchestrator.trace.store import Column

CELLS_MAX: Final = 1 << 26
"""The largest table of messages and divisions that is worked through."""
_FAR: Final = 1 << 40


class Least(NamedTuple):
    """The least number of receives that are not later than their send, if as few as can be have no send."""

    violations: int
    unsent: int
    is_exact: bool

    @property
    def is_clean(self) -> bool:
        """Whether nothing need be wrong."""
        return not self.violations and not self.unsent


def of_link(clocks: Column, sent: Column) -> Least:
    """Return the least numbers of one link: the clocks of its receives in their order, and those of its messages."""
    surplus = max(0, len(clocks) - len(sent))
    if not surplus:
        return Least(int((clocks <= sent[: len(clocks)]).sum()), 0, is_exact=True)
    if len(clocks) * (surplus + 1) > CELLS_MAX:
        return whatever_order({0: clocks}, [Unit(clock, (0,)) for clock in sent.tolist()])
    # The state is how many of the receives so far have no send.
    cost = np.where(np.arange(surplus + 1) == 0, 0, _FAR)
    without = np.arange(surplus + 1)
    for turn, clock in enumerate(clocks.tolist()):
        taken = turn - without
        is_late = clock <= sent[np.clip(taken, 0, max(0, len(sent) - 1))] if len(sent) else taken < 0
        with_send = np.where((taken >= 0) & (taken < len(sent)), cost + is_late, _FAR)
        cost = np.minimum(with_send, np.append(_FAR, cost[:-1]))
    return Least(int(cost[-1]), surplus, is_exact=True)


def of_links(clocks: Mapping[int, Column], units: Sequence[Unit]) -> Least:
    """Return the least numbers over all ways to divide messages among recipients; else a lower bound of them.

    `clocks` are the receives of each recipient in its order, `units` the messages in the order in which they were sent.
    """
    together = whatever_order(clocks, units)
    shared = sum(len(unit.group) > 1 for unit in units)
    recipients = sorted({node for unit in units for node in unit.group} | set(clocks))
    if not together.unsent and len(recipients) <= 2 and (shared + 1) * len(units) <= CELLS_MAX:
        first, second = [*recipients, -1, -1][:2]
        none = np.empty(0, np.int64)
        violations = _of_two(clocks.get(first, none), clocks.get(second, none), units, first, shared)
        return Least(violations, 0, is_exact=True)
    # With every message that may be its own a link is at its best.
    alone = [
        of_link(column, np.array([unit.clock for unit in units if node in unit.group], np.int64))
        for node, column in clocks.items()
    ]
    is_bound = sum(least.unsent for least in alone) == together.unsent
    violations = max(together.violations, sum(least.violations for least in alone) if is_bound else 0)
    return Least(violations, together.unsent, is_exact=False)


def whatever_order(clocks: Mapping[int, Column], units: Sequence[Unit]) -> Least:
    """Return the least numbers if links do not keep their order: a lower bound where they do."""
    receives = (Receive(clock, node) for node, column in clocks.items() for clock in column.tolist())
    count = least_violations(receives, units)
    return Least(count.violations, count.unsent, is_exact=False)


def _of_two(first: Column, second: Column, units: Sequence[Unit], node: int, shared: int) -> int:
    """Work through the messages; the state is how many of the shared ones the first recipient was given.

    A message given to nobody would only make later ones come in its place, which helps no receive.
    """
    cost = np.full(shared + 1, _FAR, np.int64)
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
    is_enough = (own_first + given >= len(first)) & (own_second + both - given >= len(second))
    return int(cost[is_enough].min())


def _lateness(clocks: Column, sent: int, position: Column) -> Column:
    """Return, for each state, 1 if the receive at this position would not be later than a message sent then."""
    if not len(clocks):
        return np.zeros(len(position), np.int64)
    is_there = (position >= 0) & (position < len(clocks))
    late = clocks[np.clip(position, 0, len(clocks) - 1)] <= sent
    return (is_there & late).astype(np.int64)
