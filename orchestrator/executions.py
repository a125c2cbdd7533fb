"""Runs read back from disk, ours and others', each with its report: what check, measure and compare look at.

Never changes a file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from node.errors import LogError, NoInputError, NoLogError
from orchestrator import audit
from orchestrator.audit.store import ForeignTrace
from orchestrator.formats import STDIN, read_logs
from orchestrator.reading import read_run
from orchestrator.rundir import Run, find_runs, is_ours
from orchestrator.trace.balance import balance
from orchestrator.trace.bands import bands
from orchestrator.trace.check import Report, check
from orchestrator.trace.measure import measure
from orchestrator.trace.read import read_trace
from orchestrator.trace.store import Trace
from orchestrator.trace.verdict import worst
from orchestrator.twin import twin_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run as its record has it."""

    name: str
    run: Run
    trace: Trace


def find_executions(paths: Sequence[Path]) -> Iterator[Execution]:
    """Yield every run that these paths mean; the newest experiment's if there are none.

    Raises NoInputError or NoLogError.
    """
    for run in find_runs(paths):
        yield Execution(name=shown(run.path), run=run, trace=_trace_of(run))


def _trace_of(run: Run) -> Trace:
    """Return the trace of a run; columns that are damaged beyond reading hold no event, and prove nothing."""
    if not run.is_in_columns:
        return read_run(run)
    try:
        return read_run(run)
    except (LogError, NoInputError, NoLogError) as error:
        return replace(read_trace({}), damage=(str(error),))


def find_all(paths: Sequence[Path], log_format: str | None = None) -> Iterator[Execution | ForeignTrace]:
    """Yield every run that these paths mean, ours and others'; with a format all of them are others'.

    Raises NoInputError or NoLogError, and ConfigurationError for a format file.
    """
    foreign = [path for path in paths if log_format is not None or path == STDIN or not is_ours(path)]
    ours = [path for path in paths if path not in foreign]
    if ours or not foreign:
        yield from find_executions(ours)
    if foreign:
        yield from read_logs(foreign, log_format)


def judge(execution: Execution | ForeignTrace) -> Report:
    """Check an execution against the rules; ours also against its simulation, and the hashes of its manifest."""
    if isinstance(execution, ForeignTrace):
        return audit.check(execution)
    report = check(execution.trace, twin_of(execution.trace), name=execution.name)
    changed = execution.run.changed_files()
    if not changed:
        return report
    # Whoever changed a file may have changed it so that it looks right; a violation is a proof all the same.
    remarks = tuple(f"the manifest has other hashes: {change}" for change in changed)
    return replace(report, verdict=worst([report.verdict, "unknown"]), remarks=(*remarks, *report.remarks))


def measures(execution: Execution | ForeignTrace) -> dict[str, Any]:
    """Measure an execution; of ours also `links`, what became of the messages of each, and `faults`."""
    if isinstance(execution, ForeignTrace):
        return audit.measure(execution, audit.known(execution).edges)
    faults = [band.as_json() | {"words": band.words} for band in bands(execution.trace)]
    return {**measure(execution.trace), "links": balance(execution.trace), "faults": faults}


def shown(path: Path) -> str:
    """Return a path as short as it can be typed here."""
    path, here = path.resolve(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
