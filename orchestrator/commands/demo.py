"""`demo`: ten seconds of a live cluster, explained; then the mistake that the exercise's wording invites, found.

The one command that prints as it goes: a story is told while it happens.
"""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from orchestrator.answer import INTERRUPTED, Answer
from orchestrator.commands import report
from orchestrator.commands.run import record
from orchestrator.config import parse_experiment
from orchestrator.reading import read_run
from orchestrator.run import Performed, Result, Setting
from orchestrator.rundir import RunDirectory
from orchestrator.screen import demo as lesson
from orchestrator.screen.parts import Screen
from orchestrator.story import largest_jump
from orchestrator.trace import Trace
from orchestrator.trace.twin import unexplained
from orchestrator.twin import twin_of

SURPRISE: Final = 70

EXPERIMENT: Final = """\
name: demo
question: Do the clocks of three machines tell the truth?
nodes: 3
tick_rate: [6, 4, 2]
duration: 10s
runs: 1
network: {delay: 10ms}
"""
MISTAKEN: Final = EXPERIMENT + "clock: lamport-literal\n"


def answer(options: Namespace) -> Answer:
    """Run and explain both halves."""
    screen = Screen(sys.stdout)
    lesson.begin(screen)
    live = record(parse_experiment(EXPERIMENT, name="demo"), Setting(lab="live", pace="free"), command=options.words)
    if live.problem is not None or live.exit_code == INTERRUPTED:
        return _answer(live.exit_code, live.problem)
    good = live.runs[0]
    trace = read_run(good.run)
    lesson.explain_live(screen, trace, good)
    lesson.explain_jump(screen, largest_jump(trace))
    directory = good.run.path.parent
    made = _make_mistake(RunDirectory(directory).second_half(), screen, command=options.words)
    if made.exit_code == INTERRUPTED:
        return _answer(INTERRUPTED, made.problem)
    bad = made.runs[0]
    lesson.explain_mistake(screen, bad)
    page = report.write([directory]).path if report.is_possible() else None
    lesson.end(screen, directory, bad.run.path.parent, page)
    if not came_out_right(good, trace, bad):
        return _answer(SURPRISE, "the demo did not come out as it must; what it recorded shows why, please report it")
    return _answer(0, None)


def came_out_right(good: Performed, trace: Trace, bad: Performed) -> bool:
    """Return whether the one half was proved right, and the other wrong for the right reason."""
    twin, mistake = twin_of(trace), bad.report.first_violated
    is_as_simulated = twin is not None and not unexplained(trace, twin)
    is_found = mistake is not None and mistake.name == "clock-condition"
    return good.report.verdict == "valid" and is_as_simulated and is_found


def _make_mistake(out: Path, screen: Screen, *, command: Sequence[str]) -> Result:
    lesson.introduce_mistake(screen)
    experiment = parse_experiment(MISTAKEN, name="demo")
    return record(experiment, Setting(lab="simulated", pace=None), out=out, command=command)


def _answer(exit_code: int, problem: str | None) -> Answer:
    return Answer(data={}, show=lambda screen: None, exit_code=exit_code, problem=problem)
