"""What `runs` and `runs prune` show: under each question its runs, newest first; what was removed, what was let be."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from rich.text import Text

from orchestrator.commandline import PROGRAM
from orchestrator.config.place import printable
from orchestrator.executions import shown
from orchestrator.rundir.layout import RUNS
from orchestrator.rundir.recorded import Foreign
from orchestrator.rundir.space import in_words
from orchestrator.screen.parts import Screen, at_most, plural, verdict_text

FOREIGN_MAX: Final = 5
STATES: Final = {
    "being-written": ("being written", "cyan"),
    "unfinished": ("unfinished", "yellow"),
    "damaged": ("damaged", "yellow"),
}


def show_runs(screen: Screen, runs: Sequence[Mapping[str, Any]], foreign: Sequence[Foreign]) -> None:
    """Show every run; those of one question that follow each other stand together."""
    rows = [_row(one) for one in runs]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for (name, question), together in groupby(zip(runs, rows, strict=True), lambda pair: _asked(pair[0])):
        screen.say(f"{name}: {question}" if question else name, style="bold")
        for _, row in together:
            screen.row(row, widths, right=2)
    _show_foreign(screen, foreign)
    if not runs:
        screen.say(f"no run yet below {RUNS}; make one: {PROGRAM} run configs/exercise.yaml")
        return
    screen.say(f"\n{plural(len(runs), 'directory', 'directories')}, {in_words(sum(one['bytes'] for one in runs))}")
    screen.say(f"look again: {PROGRAM} check {RUNS / runs[0]['name'] / runs[0]['stamp']}", style="dim")
    screen.say(f"keep the newest 3 of each: {PROGRAM} runs prune --keep 3", style="dim")


def show_pruned(screen: Screen, data: Mapping[str, Any], foreign: Sequence[Foreign]) -> None:
    """Show what is gone, or would be, and what stays."""
    verb = "would remove" if data["dry_run"] else "removed"
    for one in data["removed"]:
        screen.say(f"{verb} {shown(Path(one['dir']))}, {in_words(one['bytes'])}")
    for one in data["kept"]:
        if one["state"] == "being-written":
            screen.say(f"let be {shown(Path(one['dir']))}: it may still be being written")
    _show_foreign(screen, foreign)
    count = plural(len(data["removed"]), "directory", "directories")
    freed = "would be free" if data["dry_run"] else "freed"
    screen.say(f"\n{verb} {count}, {in_words(data['bytes'])} {freed}; {len(data['kept'])} kept")


def _asked(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["name"], printable(one["question"] or "")


def _row(one: Mapping[str, Any]) -> tuple[Text, ...]:
    lab, pace = (printable(one[key] or "") for key in ("lab", "pace"))
    verdict = verdict_text(one["verdict"]) if one["verdict"] else Text(*STATES[one["state"]])
    # In-process knows but one pace.
    setting = f"{lab} {pace}" if lab == "live" else lab
    events, size = plural(one["events"], "event"), in_words(one["bytes"])
    return Text(one["stamp"]), Text(setting), verdict, Text(events), Text(size)


def _show_foreign(screen: Screen, foreign: Sequence[Foreign]) -> None:
    if lines := [printable(f"{one.path}: {one.why}") for one in foreign]:
        screen.say("\nLet be:")
        screen.bullets(at_most(lines, FOREIGN_MAX))
