"""What is recorded below `runs/`: each directory of ours as it is, finished or not, and what is somebody else's.

Never changes anything, never follows a link below the root, and never fails because of what it finds.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from node.errors import NoInputError
from orchestrator.rundir.files import is_file, read_bytes, read_object
from orchestrator.rundir.layout import EXPERIMENT, LATEST, MANIFEST, RECORDED, RunDirectory, listed
from orchestrator.rundir.space import extent
from orchestrator.rundir.writing import is_written

State: TypeAlias = Literal["finished", "being-written", "unfinished", "damaged"]
"""Damaged: it has a manifest, but a part cannot be read; unfinished: it has none, and nobody writes it any more."""

SETTLED_S: Final = 3600
"""So long after its last change an unfinished run is over even if its writer has a lock that cannot be seen from here,
because it runs on another computer, or on a system without locks."""

Stamp: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One directory of ours; what could not be read is empty."""

    path: Path
    state: State
    experiment: str
    manifest: Mapping[str, Any]
    results: tuple[Mapping[str, Any], ...]
    size_bytes: int

    @property
    def stamp(self) -> Stamp:
        """When it began, and which of those of that second it is; a demo's second half has that of its first."""
        match = RECORDED.fullmatch(self.path.name)
        assert match is not None, "its name was looked at"
        return match[1], int(match[2] or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """Something that is no run of ours, and why we think so."""

    path: Path
    why: str


def recorded_below(root: Path) -> tuple[list[Recorded], list[Foreign]]:
    """Return the directories below `root`, newest first, and what else is there."""
    ours: list[Recorded] = []
    foreign: list[Foreign] = []
    for one in _everything_below(root):
        if isinstance(one, Foreign):
            foreign.append(one)
        else:
            ours.append(one)
    ours.sort(key=lambda one: (one.stamp, one.path.parent.name, one.path.name), reverse=True)
    return ours, foreign


def is_ours(path: Path) -> bool:
    """Return whether this is a directory that we made: a stamp alone does not make it ours, nor does a link to one."""
    is_named_so = RECORDED.fullmatch(path.name) is not None and not path.is_symlink()
    return is_named_so and (is_file(path / EXPERIMENT) or is_file(path / MANIFEST))


def is_settled(path: Path) -> bool:
    """Return whether nobody is writing this directory any more, as far as can be known."""
    if is_file(path / MANIFEST):
        return True
    return not is_written(path) and time.time() - extent(path)[1] > SETTLED_S


def _everything_below(root: Path) -> Iterator[Recorded | Foreign]:
    for folder in _visible(root):
        if not folder.is_symlink() and folder.is_dir():
            try:
                yield from map(_look_at, _visible(folder))
            except NoInputError as error:
                yield Foreign(path=folder, why=str(error).removeprefix(f"{folder}: "))
        else:
            yield Foreign(path=folder, why=_no_run(folder))


def _visible(folder: Path) -> Iterator[Path]:
    return (path for path in listed(folder) if path.name != LATEST and not path.name.startswith("."))


def _look_at(path: Path) -> Recorded | Foreign:
    if not is_ours(path):
        return Foreign(path=path, why=_no_run(path))
    try:
        results = tuple(read_object(run.results_path) for run in RunDirectory(path).runs())
    except NoInputError:
        results = ()
    manifest = read_object(path / MANIFEST)
    return Recorded(
        path=path,
        state=_state(path, manifest, results),
        experiment=read_bytes(path / EXPERIMENT).decode(errors="replace"),
        manifest=manifest,
        results=results,
        size_bytes=extent(path)[0],
    )


def _state(path: Path, manifest: Mapping[str, Any], results: tuple[Mapping[str, Any], ...]) -> State:
    if is_file(path / MANIFEST):
        is_whole = bool(manifest) and bool(results) and all(results) and is_file(path / EXPERIMENT)
        return "finished" if is_whole else "damaged"
    return "unfinished" if is_settled(path) else "being-written"


def _no_run(path: Path) -> str:
    return "a link, which is not followed" if path.is_symlink() else "no run of ours"
