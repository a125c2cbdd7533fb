"""`export`: a run in a format that other programs read: text logs, a table, ShiViz, Perfetto."""

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.errors import NoInputError, UsageError
from orchestrator.answer import Answer
from orchestrator.executions import shown
from orchestrator.export import FORMATS, Exported, Format
from orchestrator.export.destination import destinations, write
from orchestrator.reading import read_run
from orchestrator.rundir import Run, find_runs
from orchestrator.trace import Trace

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen

STDOUT: Final = Path("-")


def answer(options: Namespace) -> Answer:
    """Export every run that RUN means; what is damaged is exported as far as it goes, and said on stderr.

    Raises UsageError, NoInputError, NoLogError or OutputError.
    """
    runs = _with_logs([options.run] if options.run else [])
    if options.out == STDOUT:
        return _as_answer(runs, FORMATS[options.format])
    outputs = []
    for run, target in zip(runs, destinations(runs, options.out, format_name=options.format), strict=True):
        trace, exported = _export(run, FORMATS[options.format])
        write(target, exported.files)
        outputs.append({"run": shown(run.path), "output": shown(target), "events": len(trace)})

    def show(screen: "Screen") -> None:
        for one in outputs:
            screen.say(f"{one['output']}: {one['events']} events of {one['run']}")
        screen.say(f"{FORMATS[options.format].how_to_open}; more in docs/export.md", style="dim")

    return Answer(data={"format": options.format, "outputs": outputs}, show=show)


def _as_answer(runs: Sequence[Run], format_: Format) -> Answer:
    """Return the export as what the command has to say."""
    if len(runs) > 1:
        raise UsageError(f"--out - takes one run, and these are {len(runs)}; name one, such as {shown(runs[0].path)}")
    if format_.is_directory:
        raise UsageError("--out - takes one file, and this format has one for each machine; name a directory")
    _, exported = _export(runs[0], format_)
    (pieces,) = exported.files.values()
    return Answer(data={}, show=lambda screen: screen.console.file.writelines(pieces))


def _with_logs(paths: Sequence[Path]) -> list[Run]:
    """Return the runs that there is something to export of."""
    found = find_runs(paths)
    runs = [run for run in found if run.has_record]
    if not runs:
        raise NoInputError(f"{shown(found[0].path)}: no event log (events-<node>.jsonl) to export")
    sys.stderr.writelines(f"remark: {shown(run.path)}: no event log; left out\n" for run in found if run not in runs)
    return runs


def _export(run: Run, format_: Format) -> tuple[Trace, Exported]:
    trace = read_run(run)
    exported = format_.export(trace)
    remarks = (*_damage(run, trace), *exported.remarks)
    sys.stderr.writelines(f"remark: {shown(run.path)}: {remark}\n" for remark in remarks)
    return trace, exported


def _damage(run: Run, trace: Trace) -> Iterator[str]:
    """Yield what is wrong with the record."""
    yield from (f"the manifest has other hashes: {change}" for change in run.changed_files())
    yield from trace.damage
    for node, machine in trace.machines.items():
        if machine.end is None and machine.stop is None:
            yield f"the log of machine {node} has no end line: what it did after its last line is not known"
