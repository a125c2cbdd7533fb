"""From the rows of a trace to those of a diagram, which stand process by process.

Never looks at what an event was.
"""

from collections.abc import Sequence

import numpy as np

from orchestrator.trace.store import NULL, Column


class Rows:
    """The rows of a trace in the order of a diagram."""

    def __init__(self, programs: Sequence[Column], count: int) -> None:
        self.order = np.concatenate([np.empty(0, np.int64), *programs])
        self._place = np.full(count + 1, -1, np.int64)  # the last stands for "none", which is -1
        self._place[self.order] = np.arange(len(self.order))

    def of(self, rows: Column) -> Column:
        """Return where rows of the trace stand in the diagram; -1 stays -1."""
        found: Column = self._place[rows]
        return found

    def taken(self, column: Column) -> Column:
        """Return a column of the trace in the order of the diagram."""
        taken: Column = column[self.order]
        return taken


def since(start: int, column: Column) -> Column:
    """Return times since a start; NULL stays NULL."""
    return np.where(column == NULL, NULL, column - start)
