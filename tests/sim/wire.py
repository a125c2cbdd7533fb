"""Connections as a network has them: bytes under way in both directions, in pieces of any size, some of them never.

Never looks into the bytes, but for the frames of an old connection, which may come again on a new one.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol

MS = 1_000_000


class Clock(Protocol):
    """What a connection needs of the world."""

    chance: Random

    def after(self, delay_ns: int, act: Callable[[], None]) -> None: ...

    def held_until(self, sender: int, recipient: int) -> int | None:
        """Return until when no byte goes this way; None if it may."""

    def wait_ns(self, until_ns: int) -> int: ...


class Reader(Protocol):
    """Who reads at the end of a direction."""

    def stopped_until(self) -> int | None: ...

    def bytes_came(self, data: bytes) -> None: ...

    def has_ended(self, *, is_reset: bool) -> None: ...

    def has_room(self) -> None: ...


class Pipe:
    """One direction of a connection: what is written here comes out there, unless the connection is cut."""

    def __init__(self, clock: Clock, sender: int, recipient: int, latency_ns: int) -> None:
        self.reader: Reader | None = None
        self.writer: Reader | None = None
        self.is_over = False
        self.carried: list[bytes] = []
        self.replay = b""
        self._clock = clock
        self._way = sender, recipient
        self._latency_ns = latency_ns
        self._under_way = bytearray()
        self._is_scheduled = False
        self._is_dead = False
        self._is_reset = False
        self._has_greeted = False
        self._ends = False

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def write(self, data: bytes) -> None:
        """Send bytes; behind the first, a greeting, comes again what an old connection had carried."""
        if self.is_over or self._ends or self._is_dead:
            return
        self._under_way += data
        if self._has_greeted:
            self.carried.append(data)
        else:
            self._has_greeted = True
            self._under_way += self.replay
        self._schedule(self._latency_ns)

    def end(self) -> None:
        """End it behind what was written, unless nothing gets through any more."""
        if not self._is_dead:
            self._end()

    def cut(self, kept: float, *, is_told: bool, is_reset: bool) -> int:
        """Lose a suffix of what is under way; return how many bytes; the reader is told of the end, or never is."""
        size = len(self._under_way)
        del self._under_way[int(size * kept) :]
        self._is_dead, self._is_reset = True, is_reset
        if is_told:
            self._clock.after(0, self._end)
        return size - len(self._under_way)

    def _end(self) -> None:
        self._ends = True
        self._schedule(self._latency_ns)

    def _schedule(self, delay_ns: int) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._clock.after(delay_ns, self._come)

    def _come(self) -> None:
        """Bring the reader some of the bytes, and the end behind the last of them."""
        self._is_scheduled = False
        if self.is_over or self.reader is None:
            return
        held_ns = self._clock.held_until(*self._way) or self.reader.stopped_until()
        if held_ns is not None:
            self._schedule(self._clock.wait_ns(held_ns))
            return
        chance, size = self._clock.chance, len(self._under_way)
        if size > 1 and chance.random() < 0.2:
            size = chance.randrange(1, size)
        piece = bytes(self._under_way[:size])
        del self._under_way[:size]
        if self._under_way or self._ends:
            self._schedule(chance.randrange(MS))
        if piece:
            self.reader.bytes_came(piece)
            if self.writer is not None:
                self.writer.has_room()
        elif self._ends:
            self.is_over = True
            self.reader.has_ended(is_reset=self._is_reset)


class Line:
    """One connection: `there` from whoever dialled, `back` the other way."""

    def __init__(self, clock: Clock, sender: int, recipient: int, latency_ns: tuple[int, int]) -> None:
        self.sender = sender
        self.recipient = recipient
        self.there = Pipe(clock, sender, recipient, latency_ns[0])
        self.back = Pipe(clock, recipient, sender, latency_ns[1])
        self.is_broken = False
