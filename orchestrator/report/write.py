"""From paths to a written page, and the pictures beside it.

Never changes a record.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from node.errors import NoInputError, OutputError, UsageError
from orchestrator.audit.store import ForeignTrace
from orchestrator.executions import Execution, find_all
from orchestrator.formats.sources import STDIN, find_sources, short_names
from orchestrator.report.comparison import comparison
from orchestrator.report.document import Document, document_of
from orchestrator.report.linked import address
from orchestrator.report.origin import origin_of
from orchestrator.report.page import page_of
from orchestrator.report.sheet import Sheet, sheet_of
from orchestrator.report.subject import Subject, subject_of
from orchestrator.report.target import refuse_if_taken, target_of, target_of_two
from orchestrator.rundir import RunDirectory
from orchestrator.rundir.files import write_file
from orchestrator.rundir.layout import EXPERIMENT, PLOTS
from orchestrator.trace.verdict import Verdict

SHEETS_MAX: Final = 12
EXECUTIONS_MAX: Final = 2000


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the page, the pictures beside it, and the verdict that it begins with, also in words."""

    path: Path
    size_bytes: int
    pictures: int
    verdict: Verdict
    word: str


def write_report(
    paths: Sequence[Path], *, log_format: str | None = None, out: Path | None = None, beside: Sequence[Path] = ()
) -> Written:
    """Write the report of every run that the paths mean; with `beside`, of two runs side by side.

    Raises NoInputError, NoLogError, UsageError or OutputError, and ConfigurationError for a format file.
    """
    if beside:
        return _write_comparison([*paths, *beside], out)
    executions = list(islice(find_all(paths, log_format), EXECUTIONS_MAX))
    runs = [one.run for one in executions if isinstance(one, Execution)]
    directory = _directory(executions)
    if directory is None and any(not run.has_record for run in runs):
        raise NoInputError(f"{runs[0].path.name}: no run and no log in it; name a run, or a folder of logs")
    target = out or target_of(runs, directory, paths)
    refuse_if_taken(target)
    subjects = _subjects(executions, paths)
    sheets = _sheets(subjects, target)
    pictures = {_name(sheet, plot.name): plot.picture.png for sheet in sheets for plot in sheet.plots}
    is_in_place = out is None and bool(runs)
    document = document_of(
        subjects,
        sheets,
        origin=origin_of(directory, lambda path: _address(path, target)),
        title=target.stem.removesuffix("-report"),
        pictures=f"{PLOTS}/" if is_in_place else "",
    )
    for name, png in pictures.items() if is_in_place else ():
        _write_picture(target.parent / PLOTS / name, png)
    return _written(target, document, len(pictures) if is_in_place else 0)


def _directory(executions: Sequence[Execution | ForeignTrace]) -> RunDirectory | None:
    """Return the run directory that all of these are of, or that one without a run is, if there is one."""
    found = {one.run.directory if isinstance(one, Execution) else None for one in executions}
    directory = found.pop() if len(found) == 1 else None
    only = executions[0] if len(executions) == 1 else None
    if directory is None and isinstance(only, Execution) and (only.run.path / EXPERIMENT).exists():
        return RunDirectory(only.run.path)
    return directory


def _subjects(executions: Sequence[Execution | ForeignTrace], paths: Sequence[Path]) -> list[Subject]:
    has_foreign = any(isinstance(one, ForeignTrace) for one in executions)
    sources = find_sources([path for path in paths if path != STDIN]) if has_foreign else []
    files = {name: path for path, name in short_names(sources).items()}
    return [subject_of(_called_shortly(one, executions), files) for one in executions]


def _called_shortly(
    execution: Execution | ForeignTrace, executions: Sequence[Execution | ForeignTrace]
) -> Execution | ForeignTrace:
    """Return an execution whose name, if it is a path from the root, begins below what is above all of them."""
    paths = [Path(one.name) for one in executions if Path(one.name).is_absolute()]
    if isinstance(execution, Execution) or Path(execution.name) not in paths:
        return execution
    above = os.path.commonpath([path.parent for path in paths])
    return replace(execution, name=str(Path(execution.name).relative_to(above)))


def _sheets(subjects: Sequence[Subject], target: Path) -> tuple[Sheet, ...]:
    found = []
    for place, subject in enumerate(subjects[:SHEETS_MAX], 1):
        number = subject.name.removeprefix("run-")
        is_run = subject.is_ours and subject.name == f"run-{number}"
        identity, title = (subject.name, f"Run {number}") if is_run else (f"part-{place}", subject.name)
        found.append(sheet_of(subject, identity=identity, title=title, files=_addresses(subject, target)))
    return tuple(found)


def _name(sheet: Sheet, plot: str) -> str:
    return f"{sheet.identity}-{plot}.png"


def _addresses(subject: Subject, target: Path) -> dict[str, str]:
    return {name: _address(path, target) for name, path in subject.files.items()}


def _address(path: Path, target: Path) -> str:
    return address(Path(os.path.relpath(path.resolve(), target.parent.resolve())).as_posix())


def _write_comparison(paths: Sequence[Path], out: Path | None) -> Written:
    if len(paths) != 2:
        raise UsageError(f"--compare puts two runs side by side, and these are {len(paths)}")
    a, b = (_one_run(path) for path in paths)
    target = out or target_of_two(a, b)
    refuse_if_taken(target)
    subjects = [subject_of(one, {}) for one in (a, b)]
    return _written(target, comparison(a, b, subjects, lambda subject: _addresses(subject, target)), 0)


def _one_run(path: Path) -> Execution:
    found = list(find_all([path]))
    if len(found) != 1 or not isinstance(found[0], Execution):
        raise UsageError(f"{path}: --compare takes one run of ours on each side, such as {path}/run-1")
    return found[0]


def _written(target: Path, document: Document, pictures: int) -> Written:
    page = page_of(document)
    write_file(target, page)
    return Written(target, len(page), pictures, document.verdict, document.word)


def _write_picture(path: Path, png: bytes) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot create this directory: {error.strerror}") from error
    write_file(path, png)
