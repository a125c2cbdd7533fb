"""What `run` shows: a row for each run, the verdict, what was held back or late, and where the record is."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.text import Text

from orchestrator.commandline import PROGRAM
from orchestrator.config import Experiment
from orchestrator.executions import shown
from orchestrator.run import Result, Setting
from orchestrator.screen.check import examples, sentence
from orchestrator.screen.effect import show_effect
from orchestrator.screen.parts import Screen, at_most, number, percent, plural, verdict_text
from orchestrator.trace.bands import bands_of

EQUAL: Final = "equal"
FAULTS_MAX: Final = 6


def show_run(screen: Screen, experiment: Experiment, setting: Setting, result: Result) -> None:
    """Show an experiment's result."""
    screen.say(f"{experiment.name}: {experiment.question}" if experiment.question else experiment.name, style="bold")
    screen.say(f"{plural(experiment.nodes, 'machine')}, {setting}")
    screen.bullets(at_most([band.words for band in bands_of(experiment.machines(1))], FAULTS_MAX))
    screen.space()
    _show_rows(screen, result, has_twin=setting.lab != "simulated")
    screen.space()
    _show_verdict(screen, result)
    if setting.has_twin:
        show_effect(screen, [one.data["twin"] for one in result.runs])
    directory = shown(result.runs[0].run.path.parent)
    screen.say(f"\nrecorded in {directory}")
    screen.say(f"each check: {PROGRAM} check {directory}", style="dim")
    screen.say(f"each machine: {PROGRAM} measure {directory}", style="dim")
    screen.say(f"a page of it: {PROGRAM} report {directory}", style="dim")


def restarted(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield, for one run, which machines were killed by accident and went on from their logs."""
    for node, count in (data["restarts"] or {}).items():
        yield f"machine {node} died unscheduled and was started again from its log, {plural(count, 'time')}"


def late_and_held_back(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield, for one run, what was late and what waited; nothing if nothing did."""
    if data["late_messages"]:
        yield f"{plural(data['late_messages'], 'message')} came too late for the tick that should have seen it"
    if data["late_ticks"]:
        yield f"{plural(data['late_ticks'], 'tick')} executed only after the next one was due"
    held_back = data["held_back"]
    if held_back and held_back["ticks"]:
        yield (
            f"{plural(held_back['ticks'], 'tick')} held back for a promise: {held_back['total_ms']:.1f} ms in all, "
            f"{held_back['max_ms']:.1f} ms at most"
        )


def _show_rows(screen: Screen, result: Result, *, has_twin: bool) -> None:
    columns = ["run", "seed", "verdict", "events", EQUAL, "drift", "queue", "jump"]
    rows = [_row(one.number, one.data) for one in result.runs]
    legend = "drift, queue, jump: mean/largest; equal: events that are as in the simulation"
    if not has_twin:
        place = columns.index(EQUAL)
        columns, rows = _without(columns, place), [_without(row, place) for row in rows]
        legend = legend.partition(";")[0]
    screen.table(columns, rows)
    screen.say(legend, style="dim")


def _show_verdict(screen: Screen, result: Result) -> None:
    worst = next(one for one in result.runs if one.report.verdict == result.data["verdict"])
    several = len(result.runs) > 1
    if several and worst.report.verdict == "valid":
        receives = sum(one.report.receives for one in result.runs)
        screen.headline(
            "valid",
            f"each of {receives} receives was traced to its send.",
            within=f" in each of {len(result.runs)} runs",
        )
    else:
        within = f" in run {worst.number}" if several else ""
        screen.headline(worst.report.verdict, sentence(worst.report), within=within)
    screen.bullets(examples(worst.report))
    screen.bullets(f"run {one.number}: {line}" for one in result.runs for line in restarted(one.data))
    screen.bullets(f"run {one.number}: {line}" for one in result.runs for line in late_and_held_back(one.data))


def _row(number_of_run: int, data: Mapping[str, Any]) -> list[str | Text]:
    measures = data["measures"]
    return [
        str(number_of_run),
        str(data["seed"]),
        verdict_text(data["verdict"]),
        str(data["events"]),
        percent(data["fidelity"]),
        *(_mean_and_max(measures, name) for name in ("drift", "queue", "jump")),
    ]


def _mean_and_max(measures: Mapping[str, Any], name: str) -> str:
    return f"{number(measures[f'{name}_mean'])}/{number(measures[f'{name}_max'])}"


def _without(cells: list[Any], place: int) -> list[Any]:
    return cells[:place] + cells[place + 1 :]
