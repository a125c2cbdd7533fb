"""`check`: did causality hold? A run, an experiment, or a folder of logs of nodes that were started by hand."""

from argparse import Namespace
from typing import TYPE_CHECKING

from orchestrator.answer import INTERRUPTED, Answer, until_interrupted
from orchestrator.executions import find_executions, judge
from orchestrator.trace.verdict import Verdict, exit_code, worst

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen


def answer(options: Namespace) -> Answer:
    """Judge every run that the paths mean.

    Raises NoInputError or NoLogError.
    """
    reports, is_interrupted = until_interrupted(map(judge, find_executions(options.paths)))
    verdicts: list[Verdict] = [report.verdict for report in reports]
    verdict = worst([*verdicts, "unknown"] if is_interrupted else verdicts)

    def show(screen: "Screen") -> None:
        from orchestrator.screen.check import show_check  # noqa: PLC0415  # rich only where somebody reads

        if reports or not is_interrupted:
            show_check(screen, reports)

    return Answer(
        data={"verdict": verdict, "executions": [report.as_json() for report in reports]},
        show=show,
        exit_code=INTERRUPTED if is_interrupted else exit_code(verdict, require_proof=options.require_proof),
        problem="interrupted" if is_interrupted else None,
    )
