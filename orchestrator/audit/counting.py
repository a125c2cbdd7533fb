"""How many receives at least came before their sends, if nothing says which send a receive came from.

Each receive needs a send of its own, with a smaller clock, that could have gone to its machine. The least possible
number of receives without one, over all pairings, is a maximum matching in disguise: sends become available as the
clock rises and stay so, so that receives are served in the order of their clocks, and others step aside where that
helps. Never looks at times, and never at more than clocks and possible recipients.
Source: Hall (1935); augmenting paths after Kuhn (1955).
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from orchestrator.audit.assignment import assign

Group: TypeAlias = tuple[int, ...]
"""The machines of which one may have received a message."""

NEVER: Final = 1 << 62
CELLS_MAX: Final = 1 << 22
"""The largest table of receives and sends that is solved by assignment."""


class Unit(NamedTuple):
    """One message that was sent, or may have been: its send's clock, and the machines of which one receives it."""

    clock: int
    group: Group


class Receive(NamedTuple):
    """A receive: its clock and its machine."""

    clock: int
    node: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The least number, over all pairings, of receives that are not later than their send, and of those without any.

    `is_exact` is False where only a lower bound is known. `tight` is the first place where sends run short: by machine
    the largest clock that counts.
    """

    violations: int
    unsent: int
    is_exact: bool
    tight: Mapping[int, int]


def least_violations(receives: Iterable[Receive], units: Iterable[Unit]) -> Count:
    """Return the least numbers over all pairings of these receives with these messages, each used once."""
    ordered, sends = sorted(receives), sorted(units)
    market = _Market(sends)
    short = [receive for receive in ordered if not market.serve(receive)]
    tight = market.tight
    if not short:
        return Count(violations=0, unsent=0, is_exact=True, tight={})
    market.open_for_all()
    without = sum(not market.serve(Receive(NEVER, receive.node)) for receive in short)
    if not without:
        return Count(violations=len(short), unsent=0, is_exact=True, tight=tight)
    if len(ordered) * (len(sends) + len(ordered)) <= CELLS_MAX:
        violations, unsent = _by_assignment(ordered, sends)
        return Count(violations=violations, unsent=unsent, is_exact=True, tight=tight)
    return Count(violations=len(short) - without, unsent=without, is_exact=False, tight=tight)


class _Market:
    """Messages on offer, and who took which; a receive may make another one change its message."""

    def __init__(self, sends: Sequence[Unit]) -> None:
        self._sends = sends
        self._next = 0
        self._free: dict[Group, list[int]] = {}
        self._taken: dict[tuple[Group, int], list[_Pair]] = {}
        self._groups: dict[int, list[Group]] = {}
        for group in sorted({unit.group for unit in sends}, key=lambda group: (len(group), group)):
            for node in group:
                self._groups.setdefault(node, []).append(group)
                self._taken[group, node] = []
            self._free[group] = []
        self.tight: dict[int, int] = {}

    def serve(self, receive: Receive) -> bool:
        """Give a receive a message with a smaller clock; say whether there was one, maybe after others changed."""
        self._offer(receive.clock)
        for group in self._groups.get(receive.node, ()):
            # The latest will do; an early one may be what somebody else needs.
            if self._free[group]:
                insort(self._taken[group, receive.node], (receive.clock, self._free[group].pop()))
                return True
        return self._let_others_change(receive)

    def open_for_all(self) -> None:
        """Offer every message, whatever its clock."""
        self._offer(NEVER)

    def _offer(self, clock: int) -> None:
        while self._next < len(self._sends) and self._sends[self._next].clock < clock:
            unit = self._sends[self._next]
            self._free[unit.group].append(unit.clock)
            self._next += 1

    def _let_others_change(self, receive: Receive) -> bool:
        """Search a way along which messages change hands, so that the last on it takes a free one."""
        limit: dict[int, int] = {receive.node: receive.clock}
        came: dict[Receive, tuple[Receive, Group, _Pair]] = {}
        waiting = [receive]
        while waiting:
            one = waiting.pop()
            if (group := self._free_below(one)) is not None:
                self._pass_on(one, group, came)
                return True
            for held, other, pair in self._held_by_others(one):
                if pair[0] > limit.get(other, -NEVER):
                    limit[other] = pair[0]
                    came[Receive(pair[0], other)] = one, held, pair
                    waiting.append(Receive(pair[0], other))
        if not self.tight:
            self.tight = limit
        return False

    def _free_below(self, one: Receive) -> Group | None:
        for group in self._groups.get(one.node, ()):
            if self._free[group] and self._free[group][0] < one.clock:
                return group
        return None

    def _held_by_others(self, one: Receive) -> Iterator[tuple[Group, int, "_Pair"]]:
        """Yield, by group and machine, the pair of the latest receive whose message this one could take."""
        for group in self._groups.get(one.node, ()):
            for other in group:
                if other != one.node:
                    pairs = reversed(self._taken[group, other])
                    if (pair := next((pair for pair in pairs if pair[1] < one.clock), None)) is not None:
                        yield group, other, pair

    def _pass_on(self, last: Receive, group: Group, came: Mapping[Receive, tuple[Receive, Group, "_Pair"]]) -> None:
        """Let the last one take a free message, and each before it what the next one had."""
        free = self._free[group]
        clock = free.pop(bisect_left(free, last.clock) - 1)
        while last in came:
            before, group_before, pair = came[last]
            self._taken[group_before, last.node].remove(pair)
            insort(self._taken[group, last.node], (last.clock, clock))
            last, group, clock = before, group_before, pair[1]
        insort(self._taken[group, last.node], (last.clock, clock))


_Pair: TypeAlias = tuple[int, int]
"""The clock of a receive and that of the send whose message it took."""


def _by_assignment(receives: Sequence[Receive], sends: Sequence[Unit]) -> tuple[int, int]:
    """Return violations, and receives without any send, of the pairing that has the fewest of these, then of those."""
    dear = len(receives) + 1
    costs = np.full((len(receives), len(sends) + len(receives)), dear, np.int64)
    clocks = np.array([unit.clock for unit in sends], np.int64)
    may_take = {
        node: np.array([node in unit.group for unit in sends], np.bool_) for node in {one.node for one in receives}
    }
    for row, receive in enumerate(receives):
        cost = np.where(clocks < receive.clock, 0, 1)
        costs[row, : len(sends)] = np.where(may_take[receive.node], cost, dear * dear)
    chosen = costs[np.arange(len(receives)), assign(costs)]
    return int((chosen == 1).sum()), int((chosen >= dear).sum())
