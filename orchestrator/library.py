"""The face for Python: an experiment from its file, a run of it as a trace, and what is to be said of that.

Never writes a file; whatever is wrong with one that it reads is a ScaleModelError, in one line.
"""

from pathlib import Path
from typing import Any

from orchestrator.config import Experiment, load_experiment
from orchestrator.trace import check as trace_check
from orchestrator.trace import measure as trace_measure
from orchestrator.trace.check import Report
from orchestrator.trace.store import Trace
from orchestrator.twin import simulated, twin_of


def load(
    path: str | Path,
    *overrides: str,
    seed: int | None = None,
    duration: str | None = None,
    runs: int | None = None,
) -> Experiment:
    """Return the experiment in a YAML file, with each override, such as `network.delay=10ms`, put in its place.

    `duration` has a unit, such as `60s`.
    Raises NoInputError if there is no such file, UsageError for an override without `=`, and ConfigurationError, with
    file, line and column, for what is no experiment.
    """
    return load_experiment(Path(path), overrides, seed=seed, duration=duration, runs=runs)


def simulate(experiment: Experiment, *, run: int = 1) -> Trace:
    """Return a run of an experiment, simulated: its events as columns, a row an event, ordered by (due, node).

    Run 1, 2, and so on has the seed `experiment.seed_of(run)`. Columns are int64 of shape (events,); times are in ns
    since the start, `clock` in clock steps, `queue` in messages.
    Raises ConfigurationError if the memory would not suffice.
    """
    return simulated(experiment.machines(run))


def check(trace: Trace) -> Report:
    """Judge a trace by the nine checks, also against the simulation of its configuration, whether it was one or not.

    `report.verdict` is `valid`, `consistent`, `violated` or `unknown`, and `report.checks` has one Check for each.
    """
    return trace_check(trace, twin_of(trace))


def measure(trace: Trace) -> dict[str, Any]:
    """Return every measure of a trace by its name, and under `machines` those of each by its number, as text.

    Formulas and units are in docs/measures.md; None where there is nothing to measure.
    """
    return trace_measure(trace)
