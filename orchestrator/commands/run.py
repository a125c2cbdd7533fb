"""`run`: one experiment, performed, judged, recorded and shown."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.errors import ConfigurationError, UnavailableError, UsageError
from node.model import MODEL_VERSION, SECOND_NS, Pace
from node.record import FORMAT_VERSION
from orchestrator.answer import Answer
from orchestrator.bar import progress_bar
from orchestrator.config import Experiment, load_experiment
from orchestrator.estimate import bytes_of
from orchestrator.interrupt import Interrupt
from orchestrator.labs.kernel.room import refuse_if_too_large as refuse_if_no_memory
from orchestrator.run import Lab, Result, Setting, perform
from orchestrator.rundir import RunDirectory
from orchestrator.trace import parquet

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen

NODES_LOGGED_MAX: Final = 1_000
"""So many logs are open at once; a simulated run in columns has none."""
UNREACHABLE_NAMED_MAX: Final = 3
NODE_START_CPU_S: Final = 0.6
"""What a process of the live lab takes to start, in seconds of one core."""

_HOW_TO_INSTALL: Final = "python3 lab.py run … --lab simulated installs it"
_HINTS: Final = {
    "live": "the same events now: --pace fast or --lab simulated",
    "in-process": "the same events now: --lab simulated",
    "free": "the same now, were no message late: --lab simulated",
}


def answer(options: Namespace) -> Answer:
    """Run an experiment.

    Raises UsageError, NoInputError, ConfigurationError or OutputError before anything runs.
    """
    setting = replace(make_setting(options.lab, options.pace), has_twin=options.twin)
    experiment = load_experiment(
        options.config, options.set, seed=options.seed, duration=options.duration, runs=options.runs
    )
    refuse_if_too_large(experiment, setting)
    result = record(
        experiment, setting, out=options.out, command=options.words, announcement=announcement(experiment, setting)
    )

    def show(screen: "Screen") -> None:
        from orchestrator.screen.run import show_run  # noqa: PLC0415  # rich only where somebody reads

        show_run(screen, experiment, setting, result)

    return Answer(data=result.data, show=show, exit_code=result.exit_code, problem=result.problem)


def make_setting(lab: Lab, pace: Pace | None) -> Setting:
    """Return where and how to run.

    Raises UsageError where a lab does not know a pace.
    """
    if lab == "simulated":
        if pace is not None:
            raise UsageError(f"--lab simulated has no clock to keep pace with; leave --pace {pace} out")
        return Setting(lab=lab, pace=None)
    if lab == "in-process" and pace not in (None, "exact"):
        raise UsageError(f"--lab in-process knows the pace exact only, not {pace}; --lab live knows all three")
    return Setting(lab=lab, pace=pace or "exact")


def refuse_if_too_large(experiment: Experiment, setting: Setting) -> None:
    """Return if the lab is large enough for the experiment, and for a simulated run the memory.

    Raises ConfigurationError, or UnavailableError where it would be with DuckDB.
    """
    if experiment.nodes <= NODES_LOGGED_MAX and setting.lab != "simulated":
        return
    if setting.lab != "simulated":
        what = "a process" if setting.lab == "live" else "a log"
        raise ConfigurationError(
            f"{experiment.name}: {experiment.nodes:,} machines are too many for --lab {setting.lab}, where each is "
            f"{what} of its own (at most {NODES_LOGGED_MAX:,}); simulate them: --lab simulated"
        )
    if experiment.nodes > NODES_LOGGED_MAX and not parquet.is_there():
        raise UnavailableError(
            f"{experiment.name}: without DuckDB each of {experiment.nodes:,} machines would have a log of its own, and "
            f"at most {NODES_LOGGED_MAX:,} may; {_HOW_TO_INSTALL}"
        )
    # Of the run and of the twin that it is compared with.
    refuse_if_no_memory(experiment.machines(1), traces=2)


def record(
    experiment: Experiment,
    setting: Setting,
    *,
    out: Path | None = None,
    command: Sequence[str],
    announcement: Iterable[str] = (),
) -> Result:
    """Perform an experiment in a new directory and leave it complete, with its manifest.

    `command` is what reproduces it; the announcement is made once the directory is there.
    """
    created = datetime.now(UTC)
    needed_bytes = bytes_of(experiment, in_columns=setting.lab == "simulated" and parquet.is_there())
    RunDirectory.refuse_if_full(experiment.name, out=out, needed_bytes=needed_bytes)
    directory = RunDirectory.create(experiment.name, out=out, now=created)
    with directory.being_written(), Interrupt() as interrupt:
        directory.write_experiment(experiment.to_yaml())
        sys.stderr.writelines(f"{line}\n" for line in announcement)
        with progress_bar(experiment.runs, experiment.duration_ns) as bar:
            result = perform(experiment, setting, directory, bar=bar, interrupt=interrupt)
        directory.write_manifest(
            seed=experiment.seed,
            model_version=MODEL_VERSION,
            format_version=FORMAT_VERSION,
            lab=setting.lab,
            pace=setting.pace,
            command=command,
            created=created,
        )
    return result


def announcement(experiment: Experiment, setting: Setting) -> Iterator[str]:
    """Yield, before anything runs, how long it will take and what would be faster."""
    runs = "1 run" if experiment.runs == 1 else f"{experiment.runs} runs"
    duration_s = experiment.duration_ns / SECOND_NS
    yield f"{experiment.name}: {runs} of {in_words(duration_s)}, {experiment.nodes} machines, {setting}"
    if setting.pace not in (None, "fast"):
        setup_s = experiment.nodes * NODE_START_CPU_S / (os.cpu_count() or 1) if setting.lab == "live" else 0
        span = in_words(round(experiment.runs * (duration_s + setup_s)))
        yield f"This takes about {span}; {_HINTS[setting.lab if setting.pace == 'exact' else 'free']}"
    if setting.lab == "simulated" and not parquet.is_there():
        yield f"DuckDB is not installed, so each machine has a log of its own; {_HOW_TO_INSTALL}"
    if isinstance(experiment.topology, str):
        return  # everybody is reached
    unreachable = [node for node, machine in experiment.machines(1).items() if not machine.senders]
    for node in unreachable[:UNREACHABLE_NAMED_MAX]:
        yield f"machine {node} is unreachable: the topology lets nobody send to it"
    if len(unreachable) > UNREACHABLE_NAMED_MAX:
        yield f"and so are {len(unreachable) - UNREACHABLE_NAMED_MAX:,} more"


def in_words(span_s: float) -> str:
    """Return a span of time as people say it."""
    if span_s < 120:
        return f"{span_s:.3g} s"
    minutes, rest_s = divmod(round(span_s), 60)
    if minutes < 120:
        return f"{minutes} min {rest_s} s" if rest_s else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
