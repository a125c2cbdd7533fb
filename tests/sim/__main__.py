"""`python -m tests.sim SEED`: play a seed again, and say what happened; with COUNT, so many from there on."""

import argparse
import sys
from collections.abc import Sequence

import pytest

from tests.sim.mistakes import MISTAKES
from tests.sim.plan import Plan, draw
from tests.sim.play import Outcome, play
from tests.sim.summary import add_up, lines_of

RIGHT, WRONG = 0, 1


def main(arguments: Sequence[str]) -> int:
    """Return 1 if something was wrong."""
    given = _parser().parse_args(arguments)
    with pytest.MonkeyPatch.context() as patch:
        if given.mistake:
            MISTAKES[given.mistake](patch)
        if given.count == 1:
            plan = draw(given.seed)
            outcomes = [play(plan)]
            print("\n".join(_story(plan, outcomes[0])))
        else:
            outcomes = [play(draw(seed)) for seed in range(given.seed, given.seed + given.count)]
            print("\n".join(lines_of(add_up(outcomes))))
    wrong = [outcome for outcome in outcomes if outcome.wrong]
    for outcome in wrong:
        print(f"seed {outcome.seed}: {outcome.words}\n  {outcome.again}")
    return WRONG if wrong else RIGHT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--mistake", choices=MISTAKES, metavar="NAME", help="plant one: " + ", ".join(MISTAKES))
    return parser


def _story(plan: Plan, outcome: Outcome) -> list[str]:
    """Say what a seed stands for."""
    settings = f"pace {plan.pace}, {plan.rows_max} messages a frame, heals after {plan.heals_ns / 1e9:g} s"
    fields = [f"  {name}: {value}" for name, value in plan.fields.items()]
    faults = [f"  {fault}" for fault in plan.faults]
    counts = [f"  {name}: {count}" for name, count in sorted(outcome.counts.items())]
    verdict = "wrong" if outcome.wrong else "right: equal to its simulation, or said to be cut short"
    return [f"seed {plan.seed}: {settings}", *fields, "planned", *faults, "happened", *counts, verdict]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
