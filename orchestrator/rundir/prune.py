"""Removing old runs: all but the newest of each experiment, and never one that is still being written.

Never follows a link, and never touches what is not ours.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from node.errors import OutputError
from orchestrator.rundir.files import link
from orchestrator.rundir.find import newest_of, stamped_in
from orchestrator.rundir.layout import LATEST, STAMP
from orchestrator.rundir.recorded import Recorded, Stamp, is_ours, is_settled


def beyond(recorded: Iterable[Recorded], *, keep: int) -> list[Recorded]:
    """Return what is not among the `keep` newest of its experiment, oldest first."""
    stamps: dict[Path, set[Stamp]] = defaultdict(set)
    recorded = sorted(recorded, key=lambda one: (one.stamp, one.path))
    for one in recorded:
        stamps[one.path.parent].add(one.stamp)
    kept = {folder: sorted(those, reverse=True)[:keep] for folder, those in stamps.items()}
    return [one for one in recorded if one.stamp not in kept[one.path.parent]]


def remove(path: Path) -> None:
    """Remove a directory of ours; `latest` names the newest of those that stay, and a folder left empty goes too.

    Raises OutputError if it is being written again, or cannot be removed.
    """
    if not is_settled(path):
        raise OutputError(f"{path}: is still being written; let it end, or stop it")
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be removed: {error.strerror}") from error
    finally:
        with suppress(OSError):  # as when it was made: whatever is in the place of `latest` stops nothing
            _mend_latest(path.parent)
    with suppress(OSError):
        path.parent.rmdir()


def _mend_latest(folder: Path) -> None:
    latest = folder / LATEST
    if not latest.is_symlink() or latest.exists() or not STAMP.fullmatch(str(latest.readlink())):
        return
    newest = newest_of(filter(is_ours, stamped_in(folder)))
    if newest is None:
        latest.unlink()
    else:
        link(latest, newest.name)
