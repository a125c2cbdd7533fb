"""Whether a run is still being written: its writer holds a lock on the directory, which a killed one gives back.

Never leaves a file behind, and never waits.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ModuleNotFoundError:  # there is none for Windows
    fcntl = None  # type: ignore[assignment]


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Say, while the block lasts, that this directory is being written; nothing where there are no such locks."""
    with _opened(directory) as file:
        _take(file)
        yield


def is_written(directory: Path) -> bool:
    """Return whether a process of this computer is writing this directory."""
    with _opened(directory) as file:
        return file is not None and not _take(file)


@contextmanager
def _opened(directory: Path) -> Iterator[int | None]:
    file = None
    if fcntl is not None:
        with suppress(OSError):
            file = os.open(directory, os.O_RDONLY)
    try:
        yield file
    finally:
        if file is not None:
            os.close(file)


def _take(file: int | None) -> bool:
    """Try to take the lock; False only if somebody else has it."""
    try:
        if file is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
