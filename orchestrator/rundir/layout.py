"""What lies where in a run directory, and how it comes to be.

Never looks into a log. Source: design section 4; `docs/run-directory.md` describes every file.
"""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from node.errors import NoInputError, OutputError
from orchestrator.rundir.files import (
    changes,
    link,
    names_below,
    read_bytes,
    read_hashes,
    read_object,
    sealed,
    sha256,
    write_file,
    write_json,
)
from orchestrator.rundir.provenance import git_commit, host, versions
from orchestrator.rundir.space import refuse_if_full
from orchestrator.rundir.writing import writing

RUNS: Final = Path("runs")
EXPERIMENT, MANIFEST, LATEST = "experiment.yaml", "manifest.json", "latest"
REPORT, PLOTS = "report.html", "report-plots"
EVENTS, MESSAGES, MACHINES, SEAL = "trace.parquet", "messages.parquet", "machines.parquet", "trace.sha256"

_OF_REPORTS: Final = re.compile(rf"report(?:-run-[1-9][0-9]*)?\.html|{PLOTS}/[^/]+\.png")
"""What is made from the record as often as one likes, and no part of it."""

STAMP: Final = re.compile(r"([0-9]{8}T[0-9]{6}Z)(?:-([0-9]+))?")
SECOND_HALF: Final = "-literal"
"""Ends the name of the directory in which the demo records its second half, beside the first."""
RECORDED: Final = re.compile(f"{STAMP.pattern}(?:{SECOND_HALF})?")
_RUN: Final = re.compile(r"run-([1-9][0-9]*)")
_EVENTS: Final = re.compile(r"events-([1-9][0-9]*)\.jsonl")


@dataclass(frozen=True, slots=True)
class Run:
    """One run: a directory, or `logs` that were named one by one."""

    path: Path
    logs: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """What to call it: `run-1`, or the name of the directory."""
        return self.path.name

    @property
    def directory(self) -> "RunDirectory | None":
        """The run directory that it is part of; None if it was made by hand."""
        parent = self.path.parent
        if not _RUN.fullmatch(self.path.name) or any(log.parent != self.path for log in self.logs):
            return None
        return RunDirectory(parent) if (parent / MANIFEST).exists() or (parent / EXPERIMENT).exists() else None

    def events_path(self, node: int) -> Path:
        """Return where the event log of a node is."""
        return self.path / f"events-{node}.jsonl"

    def stderr_path(self, node: int) -> Path:
        """Return where the words of a node go."""
        return self.path / f"stderr-{node}.txt"

    def model_path(self, node: int) -> Path:
        """Return where the configuration is that a node is started with."""
        return self.path / f"model-{node}.json"

    @property
    def tables(self) -> tuple[Path, Path, Path, Path]:
        """Where its events, messages, machines, and the hashes of these files are if it is kept in columns."""
        return self.path / EVENTS, self.path / MESSAGES, self.path / MACHINES, self.path / SEAL

    @property
    def is_in_columns(self) -> bool:
        """Whether it is kept in columns, or a part of them is left."""
        return not self.logs and any(os.path.lexists(table) for table in self.tables)

    @property
    def has_record(self) -> bool:
        """Whether there is anything to read."""
        return self.is_in_columns or bool(self.event_logs())

    @property
    def observer_path(self) -> Path:
        """Where the lab writes starts, exits, restarts and faults."""
        return self.path / "observer.jsonl"

    @property
    def results_path(self) -> Path:
        """Where the verdict and the measures are."""
        return self.path / "results.json"

    @property
    def report_path(self) -> Path:
        """Where the page of this run alone is: beside that of all, if there is a run directory."""
        return self.directory.path / f"report-{self.name}.html" if self.directory else self.path / REPORT

    def event_logs(self) -> dict[int, Path]:
        """Return the event log of each node, by its number; sealed old ones are no part of the run."""
        found = {node_of(path): path for path in self.logs or listed(self.path)}
        return {node: path for node, path in sorted(found.items()) if node}

    def files(self) -> list[Path]:
        """Return every file of the run, event logs by their machines first."""
        logs = list(self.event_logs().values())
        beside = [path for path in listed(self.path) if path.is_file() and path.name != REPORT and path not in logs]
        return logs if self.logs else [*logs, *beside]

    def results(self) -> Mapping[str, Any]:
        """Return what `results.json` holds; nothing if there is none that can be read."""
        return read_object(self.results_path)

    def write_results(self, results: Mapping[str, Any]) -> None:
        """Write `results.json`."""
        write_json(self.results_path, results)

    def changed_files(self) -> list[str]:
        """Return what the manifest says against this run; nothing if there is none because it was made by hand."""
        return [] if self.directory is None else self.directory.changed_files(run=self.name)


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """All runs of one command: `runs/<name>/<UTC stamp>[-n]/`, or the directory that the user named."""

    path: Path

    @staticmethod
    def refuse_if_full(name: str, *, out: Path | None, needed_bytes: int, root: Path = RUNS) -> None:
        """Return if there is room for this much where `create` would make the directory.

        Raises OutputError.
        """
        refuse_if_full(root / name if out is None else out, needed_bytes)

    @classmethod
    def create(cls, name: str, *, out: Path | None, now: datetime, root: Path = RUNS) -> "RunDirectory":
        """Make a directory that did not exist, and let `latest` point to it if it is below `root`.

        Raises OutputError if it exists or cannot be created.
        """
        if out is not None:
            return cls(_make_named(out))
        path = _make_stamped(root / name, now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"))
        # A file system without links has no `latest`; find_runs can do without.
        with suppress(OSError):
            link(path.parent / LATEST, path.name)
        return cls(path)

    def being_written(self) -> AbstractContextManager[None]:
        """Return the block in which it is written: till its end nobody may remove it."""
        return writing(self.path)

    def second_half(self) -> Path:
        """Return where the demo records its second half."""
        return self.path.with_name(self.path.name + SECOND_HALF)

    def add_run(self, number: int) -> Run:
        """Make the directory of run 1, 2, and so on."""
        assert number >= 1, "runs are numbered from 1"
        path = self.path / f"run-{number}"
        try:
            path.mkdir()
        except OSError as error:
            raise OutputError(f"{path}: cannot create this directory: {error.strerror}") from error
        return Run(path)

    def runs(self) -> list[Run]:
        """Return the runs in the order of their numbers."""
        found = [(int(match[1]), path) for path in listed(self.path) if (match := _RUN.fullmatch(path.name))]
        return [Run(path) for _, path in sorted(found) if path.is_dir()]

    def experiment(self) -> str:
        """Return the resolved configuration; nothing if it cannot be read."""
        return read_bytes(self.path / EXPERIMENT).decode(errors="replace")

    def manifest(self) -> Mapping[str, Any]:
        """Return what the runs came from; nothing if that cannot be read."""
        return read_object(self.path / MANIFEST)

    def write_experiment(self, text: str) -> None:
        """Write the resolved configuration."""
        write_file(self.path / EXPERIMENT, text.encode())

    def write_manifest(
        self,
        *,
        seed: int,
        model_version: int,
        format_version: int,
        lab: str,
        pace: str | None,
        command: Sequence[str],
        created: datetime,
    ) -> None:
        """Write what the runs came from and the hash of every file; call it last."""
        manifest = {
            "created": created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "command": shlex.join(command),
            "seed": seed,
            "lab": lab,
            "pace": pace,
            "model_version": model_version,
            "format_version": format_version,
            "git_commit": git_commit(),
            "versions": versions(),
            "host": host(),
            "sha256": {name: sha256(self.path / name) for name in self._files()},
        }
        write_file(self.path / MANIFEST, sealed(manifest))

    def changed_files(self, *, run: str | None = None) -> list[str]:
        """Return each file that differs from its hash, is missing or was added, and how.

        With `run`, `run-1` say, only what concerns that run.
        """
        try:
            hashes = read_hashes(self.path / MANIFEST)
        except ValueError as error:
            return [f"{MANIFEST}: {error}"]
        if run is not None:
            hashes = {name: known for name, known in hashes.items() if _concerns(name, run)}
        names = {name for name in self._files() if run is None or _concerns(name, run)}
        return list(changes(self.path, names, hashes))

    def _files(self) -> list[str]:
        """Return every file that the manifest vouches for, by its path from here, sorted."""
        names = names_below(self.path)
        return [name for name in names if name != MANIFEST and not _OF_REPORTS.fullmatch(name)]


def listed(directory: Path) -> list[Path]:
    """Return what is in a directory, sorted; nothing if it is none."""
    try:
        return sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise NoInputError(f"{directory}: cannot be read: {error.strerror or error}") from error


def node_of(log: Path) -> int:
    """Return whose event log a file is by its name; 0 if it is none."""
    match = _EVENTS.fullmatch(log.name)
    return int(match[1]) if match else 0


def _make_named(out: Path) -> Path:
    try:
        out.mkdir(parents=True)
    except FileExistsError:
        raise OutputError(f"{out}: exists already; name a directory that does not") from None
    except OSError as error:
        raise OutputError(f"{out}: cannot create this directory: {error.strerror}") from error
    return out


def _make_stamped(parent: Path, stamp: str) -> Path:
    """Make `stamp`, or where somebody else has it, the first free `stamp-2`, `stamp-3` and so on."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = parent / (stamp if number == 1 else f"{stamp}-{number}")
            with suppress(FileExistsError):
                path.mkdir()
                return path
    except OSError as error:
        raise OutputError(f"{parent}: cannot create a directory here: {error.strerror}") from error
    raise AssertionError("numbers do not end")


def _concerns(name: str, run: str) -> bool:
    """Return whether a file is of this run or of all of them."""
    first, slash, _ = name.partition("/")
    return first == run or not (slash and _RUN.fullmatch(first))
