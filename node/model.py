"""The configuration that one machine is given.

Never drawn by the machine itself: rate and phase come in as numbers, so that a run can be repeated.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import lcm
from typing import Annotated, Final, Literal, TypeAlias, get_args

from pydantic import ConfigDict, Field, TypeAdapter

from node.dice import PHASE, RATE, below, between, roll
from node.limits import DURATION_NS_MAX, NODE_MAX, RATE_HZ_MAX, SECOND_NS, SEED_MAX, NodeNumber, Probability, SpanNs
from node.network import Inbound, Link, Network, delay_ns_min, is_absent
from node.window import Crash, Cut, Pause, Rest, SlowDown

__all__ = [
    "CLOCK_NAMES",
    "DURATION_NS_MAX",
    "MODEL_JSON",
    "MODEL_VERSION",
    "NODE_MAX",
    "PACES",
    "RATE_HZ_MAX",
    "SECOND_NS",
    "SEED_MAX",
    "ClockName",
    "Model",
    "Network",
    "NodeNumber",
    "Pace",
    "draw_phase_ns",
    "draw_rate_hz",
    "everyone_else",
]

MODEL_VERSION = 1
"""Rises whenever the trace of a seed changes."""

ClockName: TypeAlias = Literal["lamport", "lamport-literal", "lamport-no-increment"]
CLOCK_NAMES: Final[tuple[ClockName, ...]] = get_args(ClockName)
Pace: TypeAlias = Literal["exact", "free", "fast"]
PACES: Final[tuple[Pace, ...]] = get_args(Pace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One machine: who it is, how it ticks, whom it sends to (`peers`) and who sends to it (`senders`).

    `network` is that of its links, but for those in `links`; `inbound` is known of links to it that are not like that.
    `pauses`, `slow_downs` and `crashes` say which of its ticks do not exist, `cuts` which of its links are cut when.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    node: NodeNumber
    seed: Annotated[int, Field(ge=0, le=SEED_MAX)]
    rate_hz: Annotated[int, Field(ge=1, le=RATE_HZ_MAX)]
    phase_ns: Annotated[int, Field(ge=0, lt=SECOND_NS)]
    internal_probability: Probability
    clock: ClockName = "lamport"
    duration_ns: Annotated[SpanNs, Field(ge=1)]
    peers: tuple[NodeNumber, ...]
    senders: tuple[NodeNumber, ...]
    network: Network = field(default_factory=Network)
    links: Annotated[tuple[Link, ...], Field(exclude_if=is_absent)] = ()
    inbound: Annotated[tuple[Inbound, ...], Field(exclude_if=is_absent)] = ()
    pauses: Annotated[tuple[Pause, ...], Field(exclude_if=is_absent)] = ()
    slow_downs: Annotated[tuple[SlowDown, ...], Field(exclude_if=is_absent)] = ()
    crashes: Annotated[tuple[Crash, ...], Field(exclude_if=is_absent)] = ()
    cuts: Annotated[tuple[Cut, ...], Field(exclude_if=is_absent)] = ()

    def __post_init__(self) -> None:
        for others in (self.peers, self.senders):
            if list(others) != sorted(set(others) - {self.node}):
                raise ValueError("peers and senders are other machines, each once, ascending")
        own = [link.peer for link in self.links]
        if not set(own) <= set(self.peers) or len(own) != len(set(own)):
            raise ValueError("links are to peers, each once")
        if not {one.sender for one in self.inbound} <= set(self.senders):
            raise ValueError("inbound is of senders")

    def due_ns(self, tick: int) -> int:
        """Return when `tick` is due, in ns since the epoch; the pattern repeats every second."""
        return self.phase_ns + tick * SECOND_NS // self.rate_hz

    def exists(self, tick: int) -> bool:
        """Return whether the machine has this tick."""
        due_ns = self.due_ns(tick)
        return tick >= 0 and due_ns < self.duration_ns and _is_one(tick, self.every(due_ns))

    def next_tick(self, after: int) -> int | None:
        """Return the first tick later than `after` that exists, or None; -1 asks for the first of all."""
        tick = after + 1
        while (due_ns := self.due_ns(tick)) < self.duration_ns:
            every = self.every(due_ns)
            if _is_one(tick, every):
                return tick
            # Nothing changes before the first window that is open closes, or the next tick that it leaves.
            closes = self._first_tick(min(rest.to_ns for rest in self._rests() if rest.holds(due_ns)))
            tick = min(closes, -(-tick // every) * every) if every else closes
        return None

    @property
    def tick_count(self) -> int:
        """The number of ticks that exist."""
        if not (self.pauses or self.slow_downs or self.crashes):
            return self._first_tick(self.duration_ns)
        ends = {end for rest in self._rests() for end in (rest.from_ns, rest.to_ns) if end < self.duration_ns}
        count = 0
        for from_ns, to_ns in pairwise(sorted({0, self.duration_ns} | ends)):
            first, last = self._first_tick(from_ns), self._first_tick(to_ns)
            if every := self.every(from_ns):
                count += -(-last // every) - -(-first // every)
        return count

    def incarnation(self, due_ns: int) -> int:
        """Return which incarnation executes a tick due then: one more after each crash with amnesia."""
        return sum(crash.amnesia and crash.to_ns <= due_ns for crash in self.crashes)

    def link(self, peer: int) -> Network:
        """Return what the network does to messages for `peer`."""
        return next((link for link in self.links if link.peer == peer), self.network)

    def delays_ns_min(self) -> dict[int, int]:
        """Return, by sender, the smallest delay of its link to this machine."""
        like_ours = dict.fromkeys(self.senders, delay_ns_min(self.network.delay_ns))
        return like_ours | {one.sender: one.delay_ns_min for one in self.inbound}

    def digest(self) -> str:
        """Return the hash that tells this configuration from any other."""
        return hashlib.sha256(MODEL_JSON.dump_json(self)).hexdigest()

    def _rests(self) -> Iterator[Rest]:
        yield from self.pauses
        yield from self.slow_downs
        yield from self.crashes

    def every(self, due_ns: int) -> int:
        """Return which ticks exist at this time: the multiples of the answer; of 0, none."""
        if not (self.pauses or self.slow_downs or self.crashes):
            return 1
        return lcm(*(rest.every for rest in self._rests() if rest.holds(due_ns)))

    def _first_tick(self, from_ns: int) -> int:
        """Return the first tick, whether it exists or not, that is due at `from_ns` or later."""
        return max(0, -(-(from_ns - self.phase_ns) * self.rate_hz // SECOND_NS))


MODEL_JSON: TypeAdapter[Model] = TypeAdapter(Model)


def draw_rate_hz(seed: int, node: int, *, least: int, most: int) -> int:
    """Return the rate that the dice give a machine, uniform in [least, most] (model section 2)."""
    return between(roll(seed, node, 0, RATE), least, most)


def draw_phase_ns(seed: int, node: int, *, rate_hz: int) -> int:
    """Return the phase that the dice give a machine, uniform within its period."""
    return below(roll(seed, node, 0, PHASE), SECOND_NS // rate_hz)


def everyone_else(node: int, nodes: Iterable[int]) -> tuple[int, ...]:
    """Return the peers of a machine in a full topology, ascending."""
    return tuple(sorted(other for other in nodes if other != node))


def _is_one(tick: int, every: int) -> bool:
    return every == 1 or (every > 1 and tick % every == 0)
