"""Threads that run machine code: one for each core, and each begins on a core of its own.

Never keeps a thread where it began.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_cores(number: int) -> ThreadPoolExecutor:
    """Return so many threads for work that takes a few milliseconds or more."""
    return ThreadPoolExecutor(number, initializer=_begin_apart, initargs=(count(),))


def _begin_apart(started: Iterator[int]) -> None:
    """Begin on a core where no other of these does.

    The system may let all begin on one and part them 10 ms later, by when short work is half done.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    with suppress(OSError):  # it may be forbidden
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {allowed[next(started) % len(allowed)]})
        os.sched_setaffinity(0, allowed)
