"""The past of an event, walked from the event backwards: what led to another one, and the longest chain that ends here.

Never looks at a clock, and never builds more than the past of one event.
Source: Lamport (1978), "The Partial Ordering".
"""

from collections import deque
from collections.abc import Sequence

from orchestrator.explain.history import History


def before(history: History, row: int) -> Sequence[int]:
    """Return the events just before one: the previous of its machine, and what it received."""
    previous, causes = history.previous(row), history.causes(row)
    return causes if previous < 0 else (previous, *causes)


class Past:
    """What happened before the event in row `end`, or all of it that had to be seen to come upon `sought`."""

    def __init__(self, history: History, end: int, *, sought: int = -1) -> None:
        self._history = history
        self._end = end
        self._after = [-1] * len(history)
        """The next event on a way to the end that has the fewest messages; -1 for what is not in the past."""
        self.is_open = False
        """Whether more may have happened before than the record tells."""
        self._walk(sought)

    def __contains__(self, row: int) -> bool:
        return self._after[row] >= 0 and row != self._end

    def way_from(self, row: int) -> list[int]:
        """Return the events from one in the past to the end, each just before the next."""
        way = [row]
        while way[-1] != self._end:
            way.append(self._after[way[-1]])
        return way

    def latest_before(self, row: int) -> int:
        """Return the latest event in the past of those before one on its machine, or -1."""
        while row >= 0 and row not in self:
            row = self._history.previous(row)
        return row

    def _walk(self, sought: int) -> None:
        """Walk each machine back as far as it has not been seen, nearest in messages first."""
        history, after = self._history, self._after
        found: deque[tuple[int, int]] = deque([(self._end, self._end)])
        while found:
            row, successor = found.popleft()
            while row >= 0 and after[row] < 0:
                after[row] = successor
                if row == sought:
                    return
                self.is_open = self.is_open or history.is_open(row)
                found.extend((cause, row) for cause in history.causes(row) if after[cause] < 0)
                row, successor = history.previous(row), row


def longest_chain(history: History, end: int) -> tuple[list[int], bool]:
    """Return the longest chain of events that ends here, each just before the next; and whether it may be longer.

    Events that happened before themselves have no longest chain: what closes a circle is left out.
    """
    new, unfinished = 0, -1
    length = [new] * len(history)
    nearest = [-1] * len(history)
    is_open = False
    path = [end]
    while path:
        row = path[-1]
        earlier = before(history, row)
        missing = [each for each in earlier if length[each] == new]
        if length[row] > 0:
            path.pop()
        elif missing:
            length[row] = unfinished
            path += missing
        else:
            path.pop()
            is_open = is_open or history.is_open(row)
            nearest[row] = max((each for each in earlier if length[each] > 0), key=length.__getitem__, default=-1)
            length[row] = 1 + (length[nearest[row]] if nearest[row] >= 0 else 0)
    chain = [end]
    while nearest[chain[-1]] >= 0:
        chain.append(nearest[chain[-1]])
    return chain[::-1], is_open
