"""`check`: did causality hold? A run, an experiment, or a folder of logs of nodes that were started by hand."""

from argparse import Namespace
from typing import TYPE_CHECKING

from orchestrator.answer import Answer
from orchestrator.executions import find_executions, judge
from orchestrator.trace.verdict import exit_code, worst

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen


def answer(options: Namespace) -> Answer:
    """Judge every run that the paths mean.

    Raises NoInputError or NoLogError.
    """
    reports = [judge(execution) for execution in find_executions(options.paths)]
    verdict = worst(report.verdict for report in reports)

    def show(screen: "Screen") -> None:
        from orchestrator.screen.check import show_check  # noqa: PLC0415  # rich only where somebody reads

        show_check(screen, reports)

    return Answer(
        data={"verdict": verdict, "executions": [report.as_json() for report in reports]},
        show=show,
        exit_code=exit_code(verdict, require_proof=options.require_proof),
    )
