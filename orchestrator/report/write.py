"""From paths to a written page: what to report, where the page goes, and the pictures beside it.

Never writes over a file that is not a report of ours, and never changes a record.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from node.errors import ConfigurationError, NoInputError, OutputError, UsageError
from orchestrator.audit.store import ForeignTrace
from orchestrator.config.place import Source as YamlSource
from orchestrator.config.yamlfile import read_yaml
from orchestrator.executions import Execution, find_all
from orchestrator.formats.sources import STDIN, find_sources, short_names
from orchestrator.report.comparison import comparison
from orchestrator.report.document import Document, check_rows, command_of, provenance, rows_of, together
from orchestrator.report.linked import address
from orchestrator.report.page import MARK, page_of
from orchestrator.report.sheet import SYMBOLS, Sheet, fact_line, sheet_of
from orchestrator.report.subject import Subject, subject_of
from orchestrator.rundir import RunDirectory
from orchestrator.rundir.files import write_file
from orchestrator.rundir.layout import EXPERIMENT, MANIFEST, PLOTS, REPORT
from orchestrator.screen.parts import plural
from orchestrator.trace.verdict import WORDS, Verdict

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
    directory = _directory(executions)
    _refuse_nothing(executions, directory)
    target = _target(executions, directory, paths, out)
    is_in_place = out is None and isinstance(executions[0], Execution)
    subjects = _subjects(executions, paths)
    sheets = _sheets(subjects, target)
    pictures = _pictures(sheets) if is_in_place else {}
    document = _document(subjects, sheets, directory, target, pictures)
    for name, png in pictures.items():
        _write_picture(target.parent / PLOTS / name, png)
    return _written(target, document, len(pictures))


def _subjects(executions: Sequence[Execution | ForeignTrace], paths: Sequence[Path]) -> list[Subject]:
    has_foreign = any(isinstance(one, ForeignTrace) for one in executions)
    files = {name: path for path, name in _named(paths).items()} if has_foreign else {}
    return [subject_of(execution, files) for execution in executions]


def _named(paths: Sequence[Path]) -> dict[Path, str]:
    """Return what the files of others are called, by where they are; stdin is nowhere."""
    return short_names(find_sources([path for path in paths if path != STDIN]))


def _sheets(subjects: Sequence[Subject], target: Path) -> tuple[Sheet, ...]:
    return tuple(
        sheet_of(subject, identity=identity, title=_title(subject), files=_addresses(subject, target))
        for subject, identity in zip(subjects[:SHEETS_MAX], _identities(subjects), strict=False)
    )


def _identities(subjects: Sequence[Subject]) -> list[str]:
    is_run = [re.fullmatch(r"run-\d+", subject.name) for subject in subjects[:SHEETS_MAX]]
    return [
        subject.name if ours else f"part-{place}"
        for place, (subject, ours) in enumerate(zip(subjects, is_run, strict=False), 1)
    ]


def _title(subject: Subject) -> str:
    return (
        subject.name.replace("run-", "Run ", 1) if subject.is_ours and subject.name.startswith("run-") else subject.name
    )


def _addresses(subject: Subject, target: Path) -> dict[str, str]:
    return {name: _address(path, target) for name, path in subject.files.items()}


def _address(path: Path, target: Path) -> str:
    return address(Path(os.path.relpath(path.resolve(), target.parent.resolve())).as_posix())


def _pictures(sheets: Iterable[Sheet]) -> dict[str, bytes]:
    return {f"{sheet.identity}-{plot.name}.png": plot.picture.png for sheet in sheets for plot in sheet.plots}


def _document(
    subjects: Sequence[Subject],
    sheets: tuple[Sheet, ...],
    directory: RunDirectory | None,
    target: Path,
    pictures: Mapping[str, bytes],
) -> Document:
    verdict, sentence = together(subjects)
    first = next(sheet for sheet in (*sheets, sheets[0]) if sheet.report.verdict == verdict or sheet is sheets[0])
    is_alone = len(subjects) == 1
    manifest = directory.manifest() if directory else {}
    asked = _asked(directory.experiment() if directory else "")
    checks, left_out = check_rows(sheets)
    titles, rows = rows_of(subjects, [sheet.identity for sheet in sheets])
    return Document(
        kicker="report",
        title=asked.get("name") or _name_of(subjects, target),
        question=asked.get("question", ""),
        facts=tuple(_facts(subjects, asked, manifest)),
        verdict=verdict,
        word=WORDS[verdict],
        symbol=SYMBOLS[verdict],
        sentence=first.sentence if is_alone else sentence,
        examples=first.examples if is_alone else (),
        problems=first.subject.problems if is_alone else (),
        runs_called="runs" if subjects[0].is_ours else "executions",
        checks=checks,
        left_out=left_out,
        row_titles=titles,
        rows=rows,
        rows_left_out=len(subjects) - len(rows),
        sheets=sheets,
        open=frozenset(
            [first.identity, *(sheet.identity for sheet in sheets if sheet.report.verdict == "violated")][:2]
        ),
        experiment=directory.experiment() if directory else "",
        command=command_of(manifest),
        provenance=tuple(provenance(manifest)),
        links=tuple(_links(directory, target)),
        pictures={
            (sheet.identity, plot.name): f"{PLOTS}/{sheet.identity}-{plot.name}.png"
            for sheet in sheets
            for plot in sheet.plots
            if pictures
        },
    )


def _facts(subjects: Sequence[Subject], asked: Mapping[str, str], manifest: Mapping[str, Any]) -> Iterable[str]:
    if len(subjects) == 1:
        yield fact_line(subjects[0])
    else:
        of = f" of {asked['duration']}" if "duration" in asked else ""
        machines = {subject.report.nodes for subject in subjects}
        yield f"{plural(len(subjects), 'run')}{of}"
        yield plural(max(machines), "machine") if len(machines) == 1 else f"{min(machines)} to {max(machines)} machines"
        yield f"{sum(subject.report.events for subject in subjects):,} events"
    if manifest.get("lab"):
        pace = f" at the pace {manifest['pace']}" if manifest.get("pace") else ""
        yield f"{manifest['lab']}{pace}"


def _asked(experiment: str) -> dict[str, str]:
    """Return what an experiment's file says in words; a key that only another version knows hides nothing."""
    try:
        found = read_yaml(YamlSource(EXPERIMENT, experiment)).data if experiment else {}
    except ConfigurationError:
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {str(key): value for key, value in pairs if isinstance(value, str)}


def _name_of(subjects: Sequence[Subject], target: Path) -> str:
    return subjects[0].name if len(subjects) == 1 else target.stem.removesuffix("-report")


def _links(directory: RunDirectory | None, target: Path) -> Iterable[tuple[str, str]]:
    for path in (directory.path / EXPERIMENT, directory.path / MANIFEST) if directory else ():
        if path.exists():
            yield path.name, _address(path, target)


def _directory(executions: Sequence[Execution | ForeignTrace]) -> RunDirectory | None:
    """Return the run directory that all of these are of, if there is one."""
    found = {one.run.directory if isinstance(one, Execution) else None for one in executions}
    if len(found) == 1 and (directory := found.pop()) is not None:
        return directory
    alone = executions[0] if len(executions) == 1 else None
    is_empty = isinstance(alone, Execution) and (alone.run.path / EXPERIMENT).exists()
    return RunDirectory(alone.run.path) if is_empty and isinstance(alone, Execution) else None


def _refuse_nothing(executions: Sequence[Execution | ForeignTrace], directory: RunDirectory | None) -> None:
    """Return unless all there is is a folder with nothing in it: a page there would be a record of nothing."""
    for one in executions if directory is None else ():
        if isinstance(one, Execution) and not one.run.event_logs():
            raise NoInputError(f"{one.name}: no run and no log in it; name a run, or a folder of logs")


def _target(
    executions: Sequence[Execution | ForeignTrace],
    directory: RunDirectory | None,
    paths: Sequence[Path],
    out: Path | None,
) -> Path:
    """Return where the page goes: into the record of one run or experiment of ours, else where the user stands."""
    first = executions[0]
    if out is not None:
        return _free(out)
    if directory is not None and (len(executions) > 1 or len(directory.runs()) < 2):
        return _free(directory.path / REPORT)
    if isinstance(first, Execution) and len(executions) == 1:
        return _free(first.run.report_path)
    named = [path for path in paths if path != STDIN] or [Path("stdin")]
    first_name = named[0].stem if named[0].is_file() else named[0].resolve().name
    return _free(Path.cwd() / f"{_plain(first_name)}-report.html")


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "logs"


def _free(target: Path) -> Path:
    """Return a path at which a report may be written.

    Raises OutputError if something else is there, or a manifest knows every file beside it.
    """
    try:
        if os.path.lexists(target) and not _is_report(target):
            raise OutputError(f"{target}: exists already and is no report of ours; name another file with --out")
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from error
    for parent in target.resolve().parents:
        if not target.name.startswith("report") and (parent / MANIFEST).exists() and (parent / EXPERIMENT).exists():
            raise OutputError(f"{target}: in the record {parent} a report is called {REPORT}; go outside it")
    return target


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return MARK.encode() in file.read(4096)


def _write_comparison(paths: Sequence[Path], out: Path | None) -> Written:
    if len(paths) != 2:
        raise UsageError(f"--compare puts two runs side by side, and these are {len(paths)}")
    sides = [list(find_all([path])) for path in paths]
    for path, side in zip(paths, sides, strict=True):
        if len(side) != 1 or not isinstance(side[0], Execution):
            raise UsageError(f"{path}: --compare takes one run of ours on each side, such as {path}/run-1")
    a, b = (side[0] for side in sides)
    assert isinstance(a, Execution) and isinstance(b, Execution), "looked at above"
    target = _free(
        out
        or Path.cwd()
        / f"{_plain('-'.join(a.run.path.parts[-2:]))}-beside-{_plain('-'.join(b.run.path.parts[-2:]))}.html"
    )
    subjects = [subject_of(one, {}) for one in (a, b)]
    document = comparison(a, b, subjects, lambda subject: _addresses(subject, target))
    return _written(target, document, 0)


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
