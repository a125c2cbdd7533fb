"""`observer.jsonl`: what happened to the nodes, and which fault of the model begins when.

Never makes anything happen. `docs/run-directory.md` describes every field.
"""

from collections import deque
from collections.abc import Iterable
from pathlib import Path

import orjson

from orchestrator.trace.bands import Band


class Observer:
    """Writes each line at once; without lines there is no file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, event: str, *, wall: int | None, **fields: object) -> None:
        """Append a line; `wall` is Unix ns, None if simulated."""
        line = orjson.dumps({"event": event, **fields, "wall": wall}) + b"\n"
        with self._path.open("ab") as file:
            file.write(line)


class FaultNotes:
    """Notes each fault when the time of the model comes to it, and never before; `bands` by when they begin."""

    def __init__(self, observer: Observer, bands: Iterable[Band]) -> None:
        self._observer = observer
        self._coming = deque(bands)

    @property
    def next_ns(self) -> int | None:
        """When the next fault begins; None after the last."""
        return self._coming[0].from_ns if self._coming else None

    def note_until(self, time_ns: int, wall: int | None) -> None:
        """Note whatever has begun at `time_ns`."""
        while self._coming and self._coming[0].from_ns <= time_ns:
            self._note_next(wall)

    def note_all(self, wall: int | None) -> None:
        """Note whatever is left: the run is over, or has no time in which to begin."""
        while self._coming:
            self._note_next(wall)

    def _note_next(self, wall: int | None) -> None:
        self._observer.note("fault", **self._coming.popleft().as_json(), wall=wall)
