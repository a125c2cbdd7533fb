"""The disk: one file of bytes for each node, which outlives every process that wrote it.

Never loses a byte that was written; who loses a log empties it.
"""

from collections.abc import Callable
from typing import TypeAlias

Effect: TypeAlias = Callable[[bytes, Callable[[bytes], None]], None]
"""Takes the bytes of a write, and what brings any part of them to the disk."""


class Content:
    """What stands in the log of one node; `written` is told of every byte that is there from now on, or gone."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.exists = False

    def lose(self) -> None:
        """Forget everything."""
        self.data.clear()
        self.exists = False


class SimulatedFile:
    """The file as one process has it open; `write` may kill the process before, inside or behind it."""

    def __init__(self, content: Content, effect: Effect, is_new: bool) -> None:
        if is_new and content.exists:
            raise FileExistsError(17, "File exists")
        self._content = content
        self._effect = effect
        content.exists = True

    def write(self, data: bytes) -> int:
        self._effect(data, self._content.data.extend)
        return len(data)

    def cut(self, size: int) -> None:
        del self._content.data[size:]

    def size(self) -> int:
        return len(self._content.data)

    def close(self) -> None:
        """Nothing is kept back."""
