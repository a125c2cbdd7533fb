"""Runs read back from disk, each with its simulated twin and its report: what check, measure and compare look at.

Never changes a file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.rundir import Run, find_runs
from orchestrator.trace.check import Report, check
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
        yield Execution(name=shown(run.path), run=run, trace=read_trace(run.event_logs()))


def judge(execution: Execution) -> Report:
    """Check an execution against the rules, its simulation, and the hashes of its manifest."""
    report = check(execution.trace, twin_of(execution.trace), name=execution.name)
    changed = execution.run.changed_files()
    if not changed:
        return report
    # Whoever changed a file may have changed it so that it looks right; a violation is a proof all the same.
    remarks = tuple(f"the manifest has other hashes: {change}" for change in changed)
    return replace(report, verdict=worst([report.verdict, "unknown"]), remarks=(*remarks, *report.remarks))


def shown(path: Path) -> str:
    """Return a path as short as it can be typed here."""
    path, here = path.resolve(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
