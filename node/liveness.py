"""Whether the peer on a connection is still there: when something must be said to it, and when to give it up.

Never reads a clock: it counts the looks that its node takes, one every LOOK_S, so that a node that was stopped itself
does not take its peers for dead. Source: model section 5.
"""

from typing import Final, Literal, TypeAlias

LOOK_S: Final = 0.05
PING_S: Final = 0.25
DEAD_S: Final = 1.5

Finding: TypeAlias = Literal["ping", "dead"]

_PING_LOOKS: Final = round(PING_S / LOOK_S)
_DEAD_LOOKS: Final = round(DEAD_S / LOOK_S)


class Liveness:
    """One end of a connection: how many looks ago something was said, and something heard."""

    def __init__(self) -> None:
        self._silent_looks = 0
        self._deaf_looks = 0

    def say(self) -> None:
        """Note that something was sent."""
        self._silent_looks = 0

    def hear(self) -> None:
        """Note that something came, be it one byte."""
        self._deaf_looks = 0

    def look(self) -> Finding | None:
        """Take a look: the peer is dead, or must be sent a ping lest it takes us for dead, or neither."""
        self._silent_looks += 1
        self._deaf_looks += 1
        if self._deaf_looks >= _DEAD_LOOKS:
            return "dead"
        return "ping" if self._silent_looks >= _PING_LOOKS else None
