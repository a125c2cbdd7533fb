"""`python -m tests.sim.publish`: play the seeds, the crash points and the mistakes, and write docs/reliability.md.

What a table says was found by this command, which takes three minutes of one core; nothing else writes there.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.sim.crash_points import MOMENTS, NODES, crash_everywhere
from tests.sim.mistakes import MISTAKES
from tests.sim.plan import draw
from tests.sim.play import FAULTS, Outcome, play
from tests.sim.summary import Summary, add_up

SEEDS: Final = 1_000
SEEDS_MAX: Final = 200
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN: Final = "<!-- by tests.sim.publish: do not edit -->\n"
END: Final = "<!-- end -->\n"

ON_SEEDS: Final = "tests/sim/test_seeds.py::test_no_fault_leaves_a_mark_in_the_trace"
ON_CRASH_POINTS: Final = "tests/sim/test_crash_points.py::test_a_crash_at_any_effect_leaves_no_mark"
PROMISES: Final[Mapping[str, str]] = {
    "killed before a write": "What was not written has not happened, and nobody has seen it; the ticks come again.",
    "killed inside a write": "Whole lines count, a torn last one is cut; nobody has seen anything of that turn.",
    "killed behind a write": "What is written and was not sent is in a window again, and is sent.",
    "killed between sends": "Some have it and some do not: those that do not are sent it again, nobody twice.",
    "killed while greeting": "A node that nobody has answered yet begins anew, or goes on from its log.",
    "crashed by the model": "A pause; with amnesia a new incarnation, and what the old one had sent still comes.",
    "log lost": "The run says so: a node is refused, or a check is not valid; never a valid verdict on another trace.",
    "cut": "Whatever suffix was lost in either direction comes again from the window, with the promise behind it.",
    "left half-open": "A sender that dials anew is heard on its new connection alone; and who is silent is given up.",
    "one way held": "Bytes that come late, and dials that do not get through, change nothing.",
    "stopped": "A node in which nothing runs for a while holds the others back, and changes nothing.",
    "deaf": "A dial that is refused is repeated, for the length of the run.",
    "frames replayed": "Frames of an old connection on a new one are dropped, or end that connection.",
}
"""What is promised where each class of faults strikes."""


def main() -> None:
    """Write the tables."""
    found = add_up(play(draw(seed)) for seed in range(SEEDS))
    points = sum(crash_everywhere(node, moment) for node in NODES for moment in MOMENTS)
    tables = "".join(f"{line}\n" for line in (*_faults(found, points), *_mistakes()))
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, behind = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{tables}\n{END}{behind}")


def first_found(name: str) -> Outcome | None:
    """Return the first seed that shows a mistake, if one of the first 200 does."""
    with pytest.MonkeyPatch.context() as patch:
        MISTAKES[name](patch)
        return next((outcome for outcome in map(play, map(draw, range(SEEDS_MAX))) if outcome.wrong), None)


def _faults(found: Summary, points: int) -> Iterator[str]:
    yield f"*{found.seeds:,} seeds, {found.events:,} events: {len(found.wrong)} violations.*"
    yield f"{found.faults:,} faults, {found.faults / found.seeds:.1f} a seed; {found.at_risk:,} messages at risk."
    yield ""
    yield "| fault | what is promised | the test | how often, the last time | violations |"
    yield "|---|---|---|---:|---:|"
    for name in FAULTS:
        yield _row(name, PROMISES[name], ON_SEEDS, found.counts[name], len(found.wrong))
    promise = "A crash before each write and each send of a run of 300 events, and inside each write: no mark."
    yield _row("killed at every effect", promise, ON_CRASH_POINTS, points, 0)
    ways = ", ".join(f"{how}: {found.counts[f'lost log {how}']}" for how in ("refused", "found by check", "harmless"))
    yield ""
    yield f"Of the logs that were lost: {ways}; harmless is where nobody knew of anything that stood in it."
    yield f"Ends of half-open connections that were found by their silence: {found.counts['found half-open']:,}."


def _row(fault: str, promise: str, test: str, count: int, violations: int) -> str:
    return f"| {fault} | {promise} | `{test}` | {count:,} | {violations} |"


def _mistakes() -> Iterator[str]:
    yield ""
    yield "| planted mistake | what it is | first seed | what fired |"
    yield "|---|---|---:|---|"
    for name, plant in MISTAKES.items():
        if (outcome := first_found(name)) is None:
            sys.exit(f"{name}: not found within {SEEDS_MAX} seeds")
        yield f"| {name} | {(plant.__doc__ or '').rstrip('.')} | {outcome.seed} | {outcome.wrong} |"


if __name__ == "__main__":
    main()
