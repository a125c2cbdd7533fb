"""One experiment from end to end, in any lab: run, read back from disk, check, measure, record.

Never judges by what a lab says of itself: the verdict comes from the files that it left.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal, TypeAlias

from node.model import Model, Pace
from orchestrator.answer import INTERRUPTED
from orchestrator.bar import Bar
from orchestrator.config import Experiment
from orchestrator.effect import effect
from orchestrator.interrupt import Interrupt
from orchestrator.labs.columns import run_in_columns
from orchestrator.labs.inprocess import run_in_process
from orchestrator.labs.live import run_live
from orchestrator.labs.outcome import Outcome
from orchestrator.labs.progress import Watcher, by_the_clock
from orchestrator.labs.simulated import run_simulated
from orchestrator.reading import read_run
from orchestrator.rundir import Run, RunDirectory
from orchestrator.trace import parquet
from orchestrator.trace.check import Report, check
from orchestrator.trace.compare import compare
from orchestrator.trace.store import Trace
from orchestrator.trace.twin import late_messages, late_ticks
from orchestrator.trace.verdict import exit_code, worst
from orchestrator.twin import simulated

Lab: TypeAlias = Literal["live", "in-process", "simulated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where an experiment runs; the pace is None in the simulated lab.

    `has_twin` asks for what the faults changed: each run is told beside its seed without them.
    """

    lab: Lab
    pace: Pace | None
    has_twin: bool = False

    def __str__(self) -> str:
        """Return it in words."""
        return self.lab if self.pace is None else f"{self.lab} at the pace {self.pace}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """One run: how it went, and what its record says."""

    number: int
    run: Run
    outcome: Outcome
    report: Report
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An experiment's runs; `data` is what `run --json` prints."""

    runs: tuple[Performed, ...]
    data: Mapping[str, Any]
    exit_code: int
    problem: str | None


def perform(
    experiment: Experiment, setting: Setting, directory: RunDirectory, *, bar: Bar, interrupt: Interrupt
) -> Result:
    """Perform every run of an experiment in its fresh directory; stop at the first that fails or is interrupted.

    What there is of that one is checked and recorded like the others. The manifest is not written here.
    """
    performed: list[Performed] = []
    for number in range(1, experiment.runs + 1):
        watcher = bar(number)
        one = _perform_one(
            experiment, setting, directory=directory, number=number, watcher=watcher, interrupt=interrupt
        )
        performed.append(one)
        if interrupt.is_set() or one.outcome.failure is not None:
            break
    return _result(setting, directory, performed, is_interrupted=interrupt.is_set())


def _perform_one(
    experiment: Experiment,
    setting: Setting,
    *,
    directory: RunDirectory,
    number: int,
    watcher: Watcher,
    interrupt: Interrupt,
) -> Performed:
    run, machines = directory.add_run(number), experiment.machines(number)
    started_s = perf_counter()
    outcome = _in_lab(
        setting, run, machines, name=_name(experiment, setting, directory, number), watcher=watcher, interrupt=interrupt
    )
    total_s = perf_counter() - started_s
    trace, twin = read_run(run), simulated(machines)
    report = check(trace, twin)
    is_live = setting.lab == "live"
    data: dict[str, Any] = {
        "dir": str(run.path.resolve()),
        "seed": experiment.seed_of(number),
        "verdict": report.verdict,
        "events": len(trace),
        "fidelity": None if setting.lab == "simulated" else compare(trace, twin).fidelity,
        "late_messages": late_messages(trace),
        "late_ticks": late_ticks(trace),
        "held_back": _held_back(trace) if setting.pace == "exact" else None,
        "restarts": {str(node): count for node, count in sorted(outcome.restarts.items())} if is_live else None,
        "measures": report.measures,
        "timing": _timing(outcome, total_s),
    }
    if setting.has_twin:
        # What an interrupted run did not come to is no effect of its faults.
        until_ns = None if trace.is_whole else int(trace.due_ns.max(initial=0))
        data["twin"] = effect(trace, simulated(experiment.undisturbed().machines(number), until_ns=until_ns))
    run.write_results(data)
    return Performed(number=number, run=run, outcome=outcome, report=report, data=data)


def _timing(outcome: Outcome, total_s: float) -> dict[str, float]:
    return {
        "setup_s": outcome.setup_s,
        "ticking_s": outcome.ticking_s,
        "total_s": total_s,
        "cpu_s": outcome.cpu_s,
    }


def _name(experiment: Experiment, setting: Setting, directory: RunDirectory, number: int) -> str:
    """Return the name of a run, by which nodes know each other: that of a real one is its alone.

    A simulated run has the same one every time, so that its logs have the same bytes.
    """
    own = "" if setting.lab == "simulated" else f"{directory.path.name}/"
    return f"{experiment.name}/{own}run-{number}"


def _held_back(trace: Trace) -> Mapping[str, float]:
    """Return how often and how long ticks that were due waited for a promise, over all machines."""
    stops = [machine.stop["held_back"] for machine in trace.machines.values() if machine.stop]
    held = [one for one in stops if one is not None]
    return {
        "ticks": sum(one["ticks"] for one in held),
        "total_ms": sum(one["total_ns"] for one in held) / 1e6,
        "max_ms": max((one["max_ns"] for one in held), default=0) / 1e6,
    }


def _in_lab(
    setting: Setting, run: Run, machines: Mapping[int, Model], *, name: str, watcher: Watcher, interrupt: Interrupt
) -> Outcome:
    async def in_process() -> Outcome:
        return await run_in_process(run, machines, name=name, progress=watcher, interrupted=interrupt.event())

    async def live(pace: Pace) -> Outcome:
        with by_the_clock(watcher) if pace != "fast" else nullcontext(watcher) as progress:
            return await run_live(
                run,
                machines,
                pace=pace,
                name=name,
                progress=progress,
                interrupted=interrupt.event(),
                begun=lambda live: interrupt.before_the_end(live.kill),
            )

    if setting.lab == "simulated":
        simulate = run_in_columns if parquet.is_there() else run_simulated
        return simulate(run, machines, name=name, progress=watcher, is_interrupted=interrupt.is_set)
    if setting.lab == "in-process":
        return _on_loop(in_process())
    assert setting.pace is not None, "only the simulated lab has no pace"
    return _on_loop(live(setting.pace))


def _on_loop(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - there is none for Windows
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


def _result(setting: Setting, directory: RunDirectory, performed: list[Performed], *, is_interrupted: bool) -> Result:
    verdict = worst(one.report.verdict for one in performed)
    failure = next((one.outcome for one in performed if one.outcome.failure is not None), None)
    problem, code = None, exit_code(verdict)
    if failure is not None:
        # A killed node has no exit code of its own: then the verdict has the word.
        problem, code = failure.failure, failure.exit_code or code
    if is_interrupted:
        problem, code = f"interrupted in run {len(performed)}; what there is was checked", INTERRUPTED
    data = {
        "run_dir": str(directory.path.resolve()),
        "lab": setting.lab,
        "pace": setting.pace,
        "verdict": verdict,
        "runs": [one.data for one in performed],
    }
    return Result(runs=tuple(performed), data=data, exit_code=code, problem=problem)
