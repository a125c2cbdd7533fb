"""How long a run took, by the world's clock; nothing in the model depends on it."""

import os
import time
from collections.abc import Mapping

from orchestrator.labs.outcome import Outcome


class Stopwatch:
    """Started when made; `tick` ends the set-up, `end` the ticking, `outcome` the run."""

    def __init__(self) -> None:
        self._started = self._ticking = time.perf_counter()
        self._ended: float | None = None
        self._cpu_s = _cpu_s()

    def tick(self) -> None:
        """Say that the first tick may come: the set-up is over."""
        self._ticking = time.perf_counter()

    def end(self) -> None:
        """Say that the last stop record is there; without it, `outcome` says so."""
        self._ended = time.perf_counter()

    def outcome(
        self,
        *,
        interrupted: bool,
        restarts: Mapping[int, int] | None = None,
        failure: str | None = None,
        exit_code: int = 0,
    ) -> Outcome:
        """Return what a lab has to tell; its processes must have ended."""
        ended = time.perf_counter() if self._ended is None else self._ended
        return Outcome(
            setup_s=self._ticking - self._started,
            ticking_s=max(0.0, ended - self._ticking),
            cpu_s=_cpu_s() - self._cpu_s,
            interrupted=interrupted,
            restarts=restarts or {},
            failure=failure,
            exit_code=exit_code,
        )


def _cpu_s() -> float:
    """Return the CPU seconds of this process and of its children that have ended; Windows counts no children."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system
