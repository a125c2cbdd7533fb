"""Ctrl-C as a wish: the first asks everything to come to an orderly stop, the second kills.

Never raises anything into code that writes a log.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Final, Self

from orchestrator.answer import INTERRUPTED

SHOW_CURSOR: Final = "\x1b[?25h"
"""A progress bar hides it, and never hears of the end."""


class Interrupt:
    """Inside its `with` block Ctrl-C, and a polite kill, only set a flag."""

    def __init__(self) -> None:
        self._is_set = False
        self._watched: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._kill: Callable[[], None] = _nothing
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    def is_set(self) -> bool:
        """Return whether somebody has asked to stop."""
        return self._is_set

    def event(self) -> asyncio.Event:
        """Return an event of the running loop that is set when somebody asks."""
        event = asyncio.Event()
        self._watched = asyncio.get_running_loop(), event
        if self._is_set:
            event.set()
        return event

    def before_the_end(self, kill: Callable[[], None]) -> None:
        """Call this before a second Ctrl-C ends the program, in place of what was to be called till now."""
        self._kill = kill

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        self._watched = None
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _: int, __: FrameType | None) -> None:
        if self._is_set:
            # Whoever asks twice wants no tidying up; what the machines have flushed is on the disk.
            self._kill()
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), SHOW_CURSOR.encode())
            os._exit(INTERRUPTED)
        self._is_set = True
        if self._watched is not None and not self._watched[0].is_closed():
            loop, event = self._watched
            loop.call_soon_threadsafe(event.set)


def _nothing() -> None:
    """Nothing is to be killed."""
