"""The configuration that one machine is given.

Never drawn by the machine itself: rate and phase come in as numbers, so that a run can be repeated.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeAlias, get_args

from pydantic import ConfigDict, Field, TypeAdapter

from node.dice import PHASE, RATE, below, between, roll

MODEL_VERSION = 1
"""Rises whenever the trace of a seed changes."""

SECOND_NS = 1_000_000_000
RATE_HZ_MAX = 1_000_000
SEED_MAX = 2**63 - 1
DURATION_NS_MAX = 2**53 - 1

ClockName: TypeAlias = Literal["lamport", "lamport-literal", "lamport-no-increment"]
CLOCK_NAMES: Final[tuple[ClockName, ...]] = get_args(ClockName)
Pace: TypeAlias = Literal["exact", "free", "fast"]
PACES: Final[tuple[Pace, ...]] = get_args(Pace)
NODE_MAX: Final = 2**31 - 1
NodeNumber: TypeAlias = Annotated[int, Field(ge=1, le=NODE_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What a machine may know of the model's network: every message takes `delay_ns`."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    delay_ns: Annotated[int, Field(ge=0, le=DURATION_NS_MAX)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One machine: who it is, how it ticks, whom it sends to (`peers`) and who sends to it (`senders`)."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    node: NodeNumber
    seed: Annotated[int, Field(ge=0, le=SEED_MAX)]
    rate_hz: Annotated[int, Field(ge=1, le=RATE_HZ_MAX)]
    phase_ns: Annotated[int, Field(ge=0, lt=SECOND_NS)]
    internal_probability: Annotated[float, Field(ge=0, le=1)]
    clock: ClockName = "lamport"
    duration_ns: Annotated[int, Field(ge=1, le=DURATION_NS_MAX)]
    peers: tuple[NodeNumber, ...]
    senders: tuple[NodeNumber, ...]
    network: Network = field(default_factory=Network)

    def __post_init__(self) -> None:
        for others in (self.peers, self.senders):
            if list(others) != sorted(set(others) - {self.node}):
                raise ValueError("peers and senders are other machines, each once, ascending")

    def due_ns(self, tick: int) -> int:
        """Return when `tick` is due, in ns since the epoch; the pattern repeats every second."""
        return self.phase_ns + tick * SECOND_NS // self.rate_hz

    def exists(self, tick: int) -> bool:
        """Return whether the machine has this tick."""
        return tick >= 0 and self.due_ns(tick) < self.duration_ns

    def next_tick(self, after: int) -> int | None:
        """Return the first tick later than `after` that exists, or None; -1 asks for the first of all."""
        return after + 1 if self.exists(after + 1) else None

    @property
    def tick_count(self) -> int:
        """The number of ticks that exist."""
        remaining = self.duration_ns - self.phase_ns
        return max(0, -(-remaining * self.rate_hz // SECOND_NS))

    def digest(self) -> str:
        """Return the hash that tells this configuration from any other."""
        return hashlib.sha256(MODEL_JSON.dump_json(self)).hexdigest()


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
