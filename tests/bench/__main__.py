"""`python -m tests.bench [NAME…]`: figures with their peers and limits, of one run on this machine."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from orchestrator.native.threads import cores
from orchestrator.rundir.provenance import git_commit, host, versions
from tests.bench import audit, check, diagram, evidence, fast, faults, many, process, report, simulated, store, wire
from tests.bench.figures import Bench, Finding

BENCHES: tuple[Bench, ...] = (
    process.BENCH,
    simulated.BENCH,
    store.BENCH,
    many.BENCH,
    check.BENCH,
    wire.BENCH,
    fast.BENCH,
    audit.BENCH,
    evidence.BENCH,
    faults.BENCH,
    diagram.BENCH,
    report.BENCH,
)

MET, MISSED, USAGE = 0, 1, 64


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        self.exit(USAGE, f"error: bench: {message}; --help lists the names\n")


def main(arguments: Sequence[str]) -> int:
    """Run the benches asked for and return 1 if a limit was missed."""
    given = _parser().parse_args(arguments)
    context = _context()
    if not given.json:
        _say_context(context)
    answers = []
    for bench in [bench for bench in BENCHES if bench.name in (given.names or [bench.name])]:
        rounds = given.rounds or (1 if given.quick else bench.rounds)
        print(f"{bench.name}: {bench.subject}; rounds: {rounds}", file=sys.stderr if given.json else sys.stdout)
        rows = bench.run(rounds, given.quick)
        if given.quick:  # Too small a size says nothing about a limit.
            rows = [row.without_limit() for row in rows]
        answers.append((bench, rounds, rows))
        if not given.json:
            print("\n".join(bench.table(rows)) + "\n", flush=True)
    is_met = all(row.is_met is not False for _, _, rows in answers for row in rows)
    if given.json:
        benches = [_as_json(bench, rounds, rows) for bench, rounds, rows in answers]
        rows = {"rows": benches[0]["rows"]} if len(benches) == 1 else {}
        print(json.dumps({"context": context, "benches": benches, **rows, "met": is_met}))
    elif not is_met:
        print("a limit was missed")
    return MET if is_met else MISSED


def _parser() -> argparse.ArgumentParser:
    names = [bench.name for bench in BENCHES]
    parser = _Parser(
        prog="lab.py bench",
        description="Measure: rounds are interleaved, a figure is the median, peers and limits are in the same run. "
        "Exit 1 if a limit was missed.",
        epilog="; ".join(f"{bench.name}: {bench.subject}" for bench in BENCHES),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help=f"{', '.join(names)} (default: all)")
    parser.add_argument(
        "--rounds", type=_positive, metavar="N", help="interleaved repetitions, or seeds (default: 3 to 9; 100)"
    )
    parser.add_argument("--quick", action="store_true", help="a tiny size, to see that it works; judges no limit")
    parser.add_argument("--json", action="store_true", help="exactly one JSON object on stdout, words on stderr")
    return parser


def _name(text: str) -> str:
    if text not in (names := [bench.name for bench in BENCHES]):
        raise argparse.ArgumentTypeError(f"there is no bench {text!r}, only {', '.join(names)}")
    return text


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rounds from 1")
    return int(text)


def _context() -> dict[str, Any]:
    """Return what the figures depend on, above all who else was busy when they were taken."""
    load = [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None
    return {"git_commit": git_commit(), "versions": versions(), **host(), "cores": cores(), "load": load}


def _say_context(context: dict[str, Any]) -> None:
    python = context["versions"]["python"]
    load = " ".join(map(str, context["load"] or ["unknown"]))
    print(f"Python {python}, {context['cores']} cores free to us, load {load} before; {context['platform']}")
    print("wall and CPU are medians, the interval is that of the wall median (95 %; under 9")
    print("rounds the range); the limit is on the wall median, or as it says\n")


def _as_json(bench: Bench, rounds: int, rows: Sequence[Finding]) -> dict[str, Any]:
    return {"bench": bench.name, "rounds": rounds, "rows": [row.as_json() for row in rows]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
