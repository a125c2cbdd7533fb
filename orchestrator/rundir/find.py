"""Which runs a command was given: by a run directory, by one run, by a name, by logs made by hand, or not at all.

Never looks into a log, and never takes an empty directory for an error: that is a check's to judge.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from node.errors import NoInputError, NoLogError
from orchestrator.rundir.layout import (
    EVENTS,
    EXPERIMENT,
    LATEST,
    MANIFEST,
    RUNS,
    STAMP,
    Run,
    RunDirectory,
    listed,
    node_of,
)


def find_runs(paths: Sequence[Path], *, root: Path = RUNS) -> list[Run]:
    """Return the runs that a command was given; without any path, those of the newest directory below `root`.

    A path is a run directory, one run of it, `runs/<name>` (its latest), or a directory of logs made by hand.
    Event logs that are named one by one are one run together. A directory without any log is a run without any.
    Raises NoInputError if there is none, and NoLogError for a file that is no event log of ours.
    """
    if not paths:
        return _runs_of_newest(root)
    found: list[Run] = []
    logs: list[Path] = []
    for path in paths:
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):  # a RuntimeError is a link that leads to itself
            raise NoInputError(f"{path}: no such file or directory") from None
        if real.is_dir():
            found += _runs_in(real)
        elif path.name == EVENTS:
            found.append(Run(path.parent.resolve()))
        elif not node_of(path):
            raise NoLogError(f"{path}: not an event log of ours, which is called events-<node>.jsonl")
        else:
            logs.append(path.parent.resolve() / path.name)
    return [*found, *_run_of(logs)]


def is_ours(path: Path) -> bool:
    """Return whether a path is one that `find_runs` knows: a run, logs of ours, a place of runs, or an empty folder."""
    if not path.is_dir():
        return bool(node_of(path)) or path.name == EVENTS or not path.exists()
    run = Run(path)
    is_run = run.has_record or (path / MANIFEST).exists() or (path / EXPERIMENT).exists()
    if is_run or RunDirectory(path).runs() or _latest(path) or any(stamped_in(path)) or any(_stamped_below(path)):
        return True
    return not any(file.is_file() for file in path.rglob("*"))


def stamped_in(directory: Path) -> Iterator[Path]:
    """Return the directories of experiments in a directory, as their names have it."""
    return (path for path in listed(directory) if STAMP.fullmatch(path.name) and path.is_dir())


def newest_of(directories: Iterable[Path]) -> Path | None:
    """Return the newest by its name, if there is any."""

    def age(path: Path) -> tuple[str, int, str]:
        match = STAMP.fullmatch(path.name)
        assert match is not None, "only stamped directories are compared"
        return match[1], int(match[2] or 1), path.parent.name

    return max(directories, key=age, default=None)


def _run_of(logs: Sequence[Path]) -> Iterator[Run]:
    nodes = [node_of(log) for log in logs]
    for position, log in enumerate(logs):
        if nodes[position] in nodes[:position]:
            other = logs[nodes.index(nodes[position])]
            raise NoLogError(
                f"{log}: a second log of machine {nodes[position]} beside {other}; check one run at a time"
            )
    if logs:
        yield Run(logs[0].parent, tuple(logs))


def _runs_in(path: Path) -> list[Run]:
    if runs := RunDirectory(path).runs():
        return runs
    if Run(path).has_record or (path / MANIFEST).exists() or (path / EXPERIMENT).exists():
        return [Run(path)]
    newest = _latest(path) or newest_of([*stamped_in(path), *_stamped_below(path)])
    return [Run(path)] if newest is None else _runs_in(newest)


def _latest(path: Path) -> Path | None:
    """Return the directory that the link `latest` names, if it names one beside itself."""
    try:
        target = (path / LATEST).readlink()
    except OSError:
        return None
    return path / target if STAMP.fullmatch(str(target)) and (path / target).is_dir() else None


def _runs_of_newest(root: Path) -> list[Run]:
    newest = newest_of(_stamped_below(root))
    if newest is None:
        raise NoInputError(f"{root}: no run yet; make one: python3 lab.py run configs/exercise.yaml")
    return _runs_in(newest.resolve())


def _stamped_below(root: Path) -> Iterator[Path]:
    for directory in listed(root):
        if directory.is_symlink():
            continue
        with suppress(NoInputError):  # somebody else's directory is no reason to give up
            yield from stamped_in(directory)
