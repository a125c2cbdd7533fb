"""One execution as a report sees it: its verdict, its diagram, its numbers, and what it cost.

Never reads an event log: whoever reports has read it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.audit.store import ForeignTrace
from orchestrator.executions import Execution, judge
from orchestrator.report.diagram import Diagram, diagram_of
from orchestrator.report.series import Line, thinned
from orchestrator.trace.balance import balance
from orchestrator.trace.bands import bands
from orchestrator.trace.check import Report
from orchestrator.trace.compare import compare
from orchestrator.trace.store import NULL, Trace
from orchestrator.trace.twin import late_messages, late_ticks
from orchestrator.twin import twin_of


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One execution.

    `recorded` is what `results.json` says of how it went, empty if there is none; `files` are its logs by their names.
    `fidelity` is None where there is nothing to agree with; `lags` are the delays of ticks in ms over seconds.
    """

    name: str
    report: Report
    diagram: Diagram
    trace: Trace | ForeignTrace
    links: tuple[Mapping[str, Any], ...]
    files: Mapping[str, Path]
    recorded: Mapping[str, Any] = field(default_factory=dict)
    fidelity: float | None = None
    lags: Line | None = None
    problems: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether it is a run of ours."""
        return isinstance(self.trace, Trace)

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines as the record calls them, in the order of the diagram's lanes."""
        return self.trace.nodes if isinstance(self.trace, ForeignTrace) else self.diagram.lanes


def subject_of(execution: Execution | ForeignTrace, files: Mapping[str, Path]) -> Subject:
    """Judge an execution and gather what there is to say of it; `files` are where the logs of others are."""
    report = judge(execution)
    if isinstance(execution, ForeignTrace):
        return Subject(
            name=execution.name,
            report=report,
            diagram=diagram_of(execution, report, name=execution.name),
            trace=execution,
            links=tuple(report.measures["links"]),
            files={name: files[name] for name in execution.files if name in files},
        )
    run, trace = execution.run, execution.trace
    recorded = run.results()
    return Subject(
        name=run.name,
        report=report,
        diagram=diagram_of(trace, report, name=run.name),
        trace=trace,
        links=tuple(balance(trace)),
        files={path.name: path for path in run.files()},
        recorded=recorded,
        fidelity=recorded["fidelity"] if "fidelity" in recorded else _fidelity(trace),
        lags=_lags(trace),
        problems=tuple(_problems(trace)),
        faults=tuple(band.words for band in bands(trace)),
    )


def late(trace: Trace | ForeignTrace) -> tuple[int | None, int | None]:
    """Return how many messages and how many ticks were late; None where nothing can be, or nobody can tell."""
    return (late_messages(trace), late_ticks(trace)) if isinstance(trace, Trace) else (None, None)


def _fidelity(trace: Trace) -> float | None:
    """Compare a run that was made by hand; None if it is a simulation itself, or cannot be simulated."""
    twin = twin_of(trace) if any(machine.pace for machine in trace.machines.values()) else None
    return None if twin is None else compare(trace, twin).fidelity


def _lags(trace: Trace) -> Line | None:
    known = np.flatnonzero(trace.wall != NULL)
    if not len(known) or not any(machine.pace in ("exact", "free") for machine in trace.machines.values()):
        return None
    lag_ms = (trace.wall[known] - trace.epoch_ns - trace.due_ns[known]) / 1e6
    return thinned(trace.due_ns[known] / 1e9, lag_ms)


def _problems(trace: Trace) -> Iterator[str]:
    """Yield what a reader must know before any number: what is missing from the record."""
    cut = [str(node) for node, machine in trace.machines.items() if not machine.is_finished]
    if cut:
        whose = f"Machine {cut[0]}" if len(cut) == 1 else f"Machines {', '.join(cut[:8])}{' …' * (len(cut) > 8)}"
        yield f"{whose} wrote no stop record: the run was cut short, and its numbers are those up to its last event."
    if not trace.is_timed:
        yield "Not every machine's epoch is known: their times cannot be compared."
