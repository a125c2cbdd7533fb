"""How much a directory takes, and whether there is room for another.

Never writes, and never follows a link.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from node.errors import OutputError

_UNITS: Final = ("kB", "MB", "GB", "TB", "PB")


def refuse_if_full(place: Path, needed_bytes: int) -> None:
    """Return if a directory that is to be made at `place` has room for this much.

    Raises OutputError, with both figures. Where the system does not say, there is room.
    """
    folder = next(parent for parent in (place.absolute(), *place.absolute().parents) if os.path.lexists(parent))
    try:
        free_bytes = shutil.disk_usage(folder).free
    except OSError:
        return
    if free_bytes < needed_bytes:
        raise OutputError(
            f"{place}: {in_words(free_bytes)} free, and this may need {in_words(needed_bytes)}: make room "
            "(python3 lab.py runs prune --keep N), name another disk with --out, or ask for fewer --runs"
        )


def extent(directory: Path) -> tuple[int, float]:
    """Return how many bytes the files below a directory have, and when one of them was last changed (Unix time)."""
    size_bytes, changed_s = 0, 0.0
    for status in _statuses(directory):
        size_bytes += status.st_size
        changed_s = max(changed_s, status.st_mtime)
    return size_bytes, changed_s


def in_words(size_bytes: int) -> str:
    """Return a number of bytes as people say it: 609 kB, 1.2 MB."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size, unit = size_bytes / 1000, 0
    while size >= 999.5 and unit + 1 < len(_UNITS):
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if size < 9.95 else f"{size:.0f} {_UNITS[unit]}"


def _statuses(directory: Path) -> Iterator[os.stat_result]:
    # What is being written may lose a file while we look.
    for folder, _, files in os.walk(directory):
        for name in files:
            with suppress(OSError):
                yield Path(folder, name).lstat()
