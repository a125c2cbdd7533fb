"""The queue of a machine: messages in the order of their arrival, whether they have arrived yet or not.

Never drops a message. Source: model section 2, "Queue".
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TypeAlias

from node.event import Message

# A message and its place in the order; no two messages have the same.
_Entry: TypeAlias = tuple[tuple[int, int, int, int], Message]


class Queue:
    """Messages that wait, and messages on their way whose arrival is already known."""

    def __init__(self) -> None:
        self._waiting: list[_Entry] = []
        self._coming: list[_Entry] = []

    def put(self, message: Message) -> None:
        """Add a message; it waits once a tick is due after its arrival."""
        heappush(self._coming, (message.place, message))

    def advance(self, due_ns: int) -> None:
        """Let everything that arrived before `due_ns` wait; strictly, so that two ticks at one instant never meet."""
        while self._coming and self._coming[0][1].arrival_ns < due_ns:
            heappush(self._waiting, heappop(self._coming))

    def take(self) -> Message:
        """Remove and return the first message that waits."""
        return heappop(self._waiting)[1]

    def __len__(self) -> int:
        """Return how many messages wait."""
        return len(self._waiting)

    def __iter__(self) -> Iterator[Message]:
        """Yield every message not yet taken, waiting or on its way, in the order in which they would be taken."""
        for _, message in sorted(self._waiting + self._coming):
            yield message
