"""`sql`: a question about one run, asked in SQL."""

import csv
import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from node.errors import NoInputError, UsageError
from orchestrator.answer import Answer
from orchestrator.executions import shown
from orchestrator.query import ask
from orchestrator.reading import read_run
from orchestrator.rundir import Run, find_runs

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen


def answer(options: Namespace) -> Answer:
    """Answer a question about a run; what is wrong with its record stands on stderr.

    Raises UsageError, NoInputError, NoLogError; LogError for damaged columns, UnavailableError without DuckDB.
    """
    if options.csv and options.json:
        raise UsageError("--csv and --json are two ways to print one answer; give one of the two")
    trace = read_run(_one_run(options))
    sys.stderr.writelines(f"remark: {damage}\n" for damage in trace.damage)
    found = ask(trace, options.query)

    def show(screen: "Screen") -> None:
        from orchestrator.screen.sql import show_found  # noqa: PLC0415  # rich only where somebody reads

        if options.csv:
            csv.writer(screen.console.file, lineterminator="\n").writerows([found.columns, *found.rows])
        else:
            show_found(screen, found)

    return Answer(data={"columns": list(found.columns), "rows": [list(row) for row in found.rows]}, show=show)


def _one_run(options: Namespace) -> Run:
    runs = find_runs([options.run])
    if len(runs) > 1:
        raise UsageError(
            f"{options.run}: this takes one run, and here are {len(runs)}; name one: {shown(runs[0].path)}"
        )
    if not runs[0].has_record:
        raise NoInputError(f"{options.run}: there is nothing recorded in it")
    return runs[0]
