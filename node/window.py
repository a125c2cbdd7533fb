"""Windows of model time, and what happens to one machine within them.

Never says what a tick does: only that there is none, or that a link is cut. Source: model section 3, "Windows".
"""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field

from node.limits import DURATION_NS_MAX, FACTOR_MAX, NodeNumber, SpanNs

Fate: TypeAlias = Literal["lose", "hold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The due times of [from_ns, to_ns)."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    from_ns: SpanNs
    to_ns: Annotated[int, Field(ge=1, le=DURATION_NS_MAX)]

    def __post_init__(self) -> None:
        if self.from_ns >= self.to_ns:
            raise ValueError("a window ends after it begins: from_ns < to_ns")

    def holds(self, due_ns: int) -> bool:
        """Return whether a due time lies in the window."""
        return self.from_ns <= due_ns < self.to_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Window):
    """The machine has no tick; messages wait meanwhile."""

    @property
    def every(self) -> int:
        """Which ticks exist: 0, none."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDown(Window):
    """The machine has only the ticks whose number is a multiple of `factor`."""

    factor: Annotated[int, Field(ge=1, le=FACTOR_MAX)]

    @property
    def every(self) -> int:
        """Which ticks exist: one of so many."""
        return self.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash(Window):
    """The machine is dead; with amnesia it comes back as a new incarnation that remembers nothing."""

    amnesia: bool = False

    @property
    def every(self) -> int:
        """Which ticks exist: 0, none."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Window):
    """What the machine sends to `peers` is lost, or held until the window is over."""

    peers: tuple[NodeNumber, ...]
    messages: Fate


Rest: TypeAlias = Pause | SlowDown | Crash
"""What takes ticks away."""
