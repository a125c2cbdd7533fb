"""How many receives at least came before their sends, if nothing says which send a receive came from.

Each receive needs a send of its own, with a smaller clock, that could have gone to its machine. The least possible
number of receives without one, over all pairings, is a maximum matching in disguise: sends become available as the
clock rises and stay so, so that receives are served in the order of their clocks, and others step aside where that
helps. Never looks at times, and never at more than clocks and possible recipients.
Source: Hall (1935); augmenting paths after Kuhn (1955).
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from orchestrator.audit.assignment import assign
from orchestrator.trace.store import Column, Mask

Group: TypeAlias = tuple[int, ...]
"""The machines of which one may have received a message."""

NEVER: Final = 1 << 62
CELLS_MAX: Final = 1 << 20
"""The largest table of receives and sends that is solved by assignment."""


class Unit(NamedTuple):
    """One message that was sent, or may have been: its send's clock, and the machines of which one receives it."""

    clock: int
    group: Group


class Receive(NamedTuple):
    """A receive: its clock and its machine."""

    clock: int
    node: int


class Clocks(NamedTuple):
    """Receives, or messages that only one machine can have received, as columns."""

    node: Column
    clock: Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The least number, over all pairings, of receives that are not later than their send, and of those without any.

    First as few as can be are without any send, then as few as can be are too early. `is_exact` is False where only a
    lower bound of these is known. `tight` is the first place where sends run short: by machine the largest clock that
    counts.
    """

    violations: int
    unsent: int
    is_exact: bool
    tight: Mapping[int, int]


def least_violations(receives: Iterable[Receive], units: Iterable[Unit]) -> Count:
    """Return the least numbers over all pairings of these receives with these messages, each used once."""
    units = list(units)
    own = _columns((unit.group[0], unit.clock) for unit in units if len(unit.group) == 1)
    shared = [unit for unit in units if len(unit.group) > 1]
    return least(_columns((receive.node, receive.clock) for receive in receives), own, shared)


def least(receives: Clocks, own: Clocks, shared: Sequence[Unit]) -> Count:
    """Return the same of many; `own` are the messages that only the machine named can have received."""
    # Who takes a message that nobody else can have takes it from nobody.
    is_served = _served(receives, own)
    left = zip(receives.clock[~is_served].tolist(), receives.node[~is_served].tolist(), strict=True)
    market = _Market(shared)
    short = [receive for receive in map(Receive._make, sorted(left)) if not market.serve(receive)]
    if not short:
        return Count(violations=0, unsent=0, is_exact=True, tight={})
    tight = market.tight
    spare = Counter(own.node.tolist()) - Counter(receives.node[is_served].tolist())
    without = market.serve_late(Counter(receive.node for receive in short) - spare)
    unsent = 0
    if without:
        # Perhaps others could have stepped aside; whatever the clocks, so many find no message.
        unsent = _Market(shared).serve_late(Counter(receives.node.tolist()) - Counter(own.node.tolist()))
    is_small = len(receives.node) * (len(receives.node) + len(own.node) + len(shared)) <= CELLS_MAX
    if without > unsent and is_small:
        violations, unsent = _by_assignment(receives, own, shared)
        return Count(violations=violations, unsent=unsent, is_exact=True, tight=tight)
    return Count(violations=len(short) - unsent, unsent=unsent, is_exact=without == unsent, tight=tight)


def _columns(pairs: Iterable[tuple[int, int]]) -> Clocks:
    table = np.array(list(pairs), np.int64).reshape(-1, 2)
    return Clocks(table[:, 0], table[:, 1])


def _served(receives: Clocks, own: Clocks) -> Mask:
    """Return which receives have a message of their own, if each in turn takes any of its machine's that is earlier."""
    order = np.lexsort((receives.clock, receives.node))
    ranks = np.unique(np.append(receives.clock, own.clock), return_inverse=True)[1]
    many = len(ranks) + 1
    place = (receives.node * many + ranks[: len(order)])[order]
    offered = np.sort(own.node * many + ranks[len(order) :])
    node = receives.node[order]
    turn = np.arange(len(order)) - np.searchsorted(node, node)
    earlier = np.searchsorted(offered, place) - np.searchsorted(offered, node * many)
    # After a receive as many are served as before and one more, but no more than there are earlier messages. What each
    # machine starts with is less than whatever those before it had, so that the least so far is its own.
    start = np.searchsorted(node, node) * many
    served = turn + np.minimum(1, np.minimum.accumulate(earlier - turn - start) + start)
    is_served = np.empty(len(order), np.bool_)
    is_served[order] = served > np.where(turn > 0, np.append(0, served[:-1]), 0)
    return is_served


class _Market:
    """Messages on offer, and who took which; a receive may make another one change its message."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units = sorted(units)
        self._next = 0
        self._free: dict[Group, list[int]] = {}
        self._taken: dict[tuple[Group, int], list[_Pair]] = {}
        self._groups: dict[int, list[Group]] = {}
        for group in sorted({unit.group for unit in self._units}, key=lambda group: (len(group), group)):
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

    def serve_late(self, wanted: Counter[int]) -> int:
        """Give so many receives of each machine any message, whatever its clock; return how many found none."""
        self._offer(NEVER)
        return sum(not self.serve(Receive(NEVER, node)) for node in wanted.elements())

    def _offer(self, clock: int) -> None:
        while self._next < len(self._units) and self._units[self._next].clock < clock:
            unit = self._units[self._next]
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
            for held, other, pair in self._held(one):
                # Of a machine's receives the latest can take whatever the others can.
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

    def _held(self, one: Receive) -> Iterator[tuple[Group, int, "_Pair"]]:
        """Yield, by group and machine, the pair of the latest receive whose message this one could take."""
        for group in self._groups.get(one.node, ()):
            for other in group:
                pairs = reversed(self._taken[group, other])
                if (pair := next((pair for pair in pairs if pair[1] < one.clock), None)) is not None:
                    yield group, other, pair

    def _pass_on(self, last: Receive, group: Group, came: Mapping[Receive, tuple[Receive, Group, "_Pair"]]) -> None:
        """Let the last one take a free message, and each before it what the next one had."""
        free = self._free[group]
        clock = free.pop(bisect_left(free, last.clock) - 1)
        while last in came:
            before, group_before, pair = came[last]
            pairs = self._taken[group_before, last.node]
            pairs.pop(bisect_left(pairs, pair))
            insort(self._taken[group, last.node], (last.clock, clock))
            last, group, clock = before, group_before, pair[1]
        insort(self._taken[group, last.node], (last.clock, clock))


_Pair: TypeAlias = tuple[int, int]
"""The clock of a receive and that of the send whose message it took."""


def _by_assignment(receives: Clocks, own: Clocks, shared: Sequence[Unit]) -> tuple[int, int]:
    """Return violations, and receives without any send, of the pairing that has the fewest of these, then of those."""
    units = [*shared, *(Unit(clock, (node,)) for node, clock in zip(*map(np.ndarray.tolist, own), strict=True))]
    count = len(receives.node)
    dear = count + 1
    costs = np.full((count, len(units) + count), dear, np.int64)
    sent = np.array([unit.clock for unit in units], np.int64)
    for row, (node, clock) in enumerate(zip(*map(np.ndarray.tolist, receives), strict=True)):
        may_take = np.array([node in unit.group for unit in units], np.bool_)
        costs[row, : len(units)] = np.where(may_take, sent >= clock, dear * dear)
    chosen = costs[np.arange(count), assign(costs)]
    return int((chosen == 1).sum()), int((chosen >= dear).sum())
