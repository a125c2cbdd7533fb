"""Promises: whether a tick may happen yet.

Never waits and never sends: it only answers. Conservative synchronisation of a distributed simulation.
Source: Bryant (1977); Chandy & Misra, Distributed Simulation (1979); model section 4.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from node.model import Pace

END_NS: Final = 2**63 - 1
"""The promise of a machine that will send nothing more."""


class Promise(NamedTuple):
    """Every message of a link numbered above `seq` will be sent at `due_ns` or later."""

    due_ns: int
    seq: int


class Horizon:
    """What all senders of a machine have promised; it starts with no promise of anyone."""

    def __init__(self, delay_ns_min: Mapping[int, int]) -> None:
        """Take, per sender, the smallest delay of its link."""
        self._delay_ns_min = dict(delay_ns_min)
        self._due_ns: dict[int, int] = {}
        self._safe_until_ns: int | None = None if self._delay_ns_min else END_NS

    def apply(self, sender: int, promise: Promise, *, have: int) -> None:
        """Take in a promise; one that speaks of messages not yet here is not applied, a smaller one changes nothing."""
        if have < promise.seq or promise.due_ns <= self._due_ns.get(sender, -END_NS):
            return
        self._due_ns[sender] = promise.due_ns
        if len(self._due_ns) == len(self._delay_ns_min):
            self._safe_until_ns = min(due + self._delay_ns_min[node] for node, due in self._due_ns.items())

    def is_safe(self, due_ns: int) -> bool:
        """Return whether nothing still unsent can arrive before `due_ns`."""
        return self._safe_until_ns is not None and due_ns <= self._safe_until_ns

    def has_ended(self, sender: int) -> bool:
        """Return whether the sender will send nothing more, and all that it sent is here."""
        return self._due_ns.get(sender) == END_NS

    def holding_back(self, due_ns: int) -> list[int]:
        """Return the senders without whose promise a tick at `due_ns` is not safe."""
        return [
            node
            for node, delay_ns in self._delay_ns_min.items()
            if node not in self._due_ns or self._due_ns[node] + delay_ns < due_ns
        ]


class Waits:
    """How often and how long ticks, due by the wall clock, waited for a promise."""

    def __init__(self, ticks: int = 0, *, total_ns: int = 0, max_ns: int = 0) -> None:
        self.ticks = ticks
        self.total_ns = total_ns
        self.max_ns = max_ns
        self._is_waiting = False

    def wait(self) -> None:
        """Note that the next tick is due and not safe."""
        self._is_waiting = True

    def go(self, waited_ns: int) -> None:
        """Note that a tick happens, so long after it was due; it counts only if it had to wait."""
        if self._is_waiting:
            self._is_waiting = False
            self.ticks += 1
            self.total_ns += waited_ns
            self.max_ns = max(self.max_ns, waited_ns)


def may_tick(pace: Pace, due_ns: int, *, now_ns: int, horizon: Horizon) -> bool:
    """Return whether a tick due at `due_ns` may happen at `now_ns`, both since the epoch."""
    match pace:
        case "free":
            return now_ns >= due_ns
        case "exact":
            return now_ns >= due_ns and horizon.is_safe(due_ns)
        case "fast":
            return horizon.is_safe(due_ns)
