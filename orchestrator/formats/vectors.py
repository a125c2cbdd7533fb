"""Vector clocks, collected: by the names of machines, or as lists in their order.

Never asks whether a vector is possible.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orchestrator.formats.clocks import Vector, read_vector
from orchestrator.trace.store import Column


class Vectors:
    """The vector clocks of an execution's events, in their order."""

    def __init__(self) -> None:
        self._vectors: list[Vector] = []
        self.names: dict[str, None] = {}
        """The machines that they name."""
        self._length = 0

    def add(self, values: Sequence[Any] | None, count: int) -> dict[int, str]:
        """Take the vectors that can be read, and return why the others cannot, by their position."""
        read = [read_vector(value) for value in values or [None] * count]
        bad = {place: "no vector clock" for place, vector in enumerate(read) if vector is None}
        good = [vector for vector in read if vector is not None]
        for vector in good:
            if isinstance(vector, dict):
                self.names.update(dict.fromkeys(vector))
            else:
                self._length = max(self._length, len(vector))
        self._vectors += good
        return bad

    @property
    def are_lists(self) -> bool:
        """Whether some of them are lists."""
        return self._length > 0

    def matrix(self, place: Mapping[str, int], count: int, listed: Sequence[str]) -> Column:
        """Return a row for each event and a column for each machine; `listed` is the order of a list, if known."""
        order = [place[name] for name in listed] or list(range(count))
        matrix = np.zeros((len(self._vectors), count), np.int64)
        for row, vector in enumerate(self._vectors):
            if isinstance(vector, dict):
                for name, entry in vector.items():
                    matrix[row, place[name]] = entry
            else:
                matrix[row, order[: len(vector)]] = vector[: len(order)]
        return matrix
