"""How far a run is, as a lab tells whoever watches it.

Never printed here. The model time is all that a watcher needs: he knows the duration.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from node.model import SECOND_NS

TELL_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Progress:
    """The phase of a run, and how much of its model time is over."""

    phase: Literal["starting", "ticking", "ending"]
    over_ns: int = 0


Watcher: TypeAlias = Callable[[Progress], None]


def nobody(progress: Progress) -> None:
    """Watch nothing."""


@contextmanager
def by_the_clock(watcher: Watcher) -> Iterator[Watcher]:
    """Tell `watcher` of the time that goes by while the lab, which ticks by the clock, only says that it is ticking."""
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle | None = None

    def tell(started_s: float) -> None:
        nonlocal timer
        watcher(Progress("ticking", int((loop.time() - started_s) * SECOND_NS)))
        timer = loop.call_later(TELL_EVERY_S, tell, started_s)

    def listen(progress: Progress) -> None:
        if timer is not None:
            timer.cancel()
        if progress.phase == "ticking":
            tell(loop.time())
        else:
            watcher(progress)

    try:
        yield listen
    finally:
        if timer is not None:
            timer.cancel()
