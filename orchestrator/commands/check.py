"""`check`: did causality hold? A run, an experiment, or anybody's logs."""

from argparse import Namespace
from typing import TYPE_CHECKING

from node.errors import UsageError
from orchestrator.answer import INTERRUPTED, Answer, until_interrupted
from orchestrator.executions import find_all, judge
from orchestrator.trace.verdict import Verdict, exit_code, worst

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen


def answer(options: Namespace) -> Answer:
    """Judge every run that the paths mean.

    Raises NoInputError, NoLogError, UsageError, or ConfigurationError for a format file.
    """
    if options.guess and options.log_format is not None:
        raise UsageError("--guess makes a format and --log-format names one; give one of the two")
    if options.guess:
        return _guess(options)
    reports, is_interrupted = until_interrupted(map(judge, find_all(options.paths, options.log_format)))
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


def _guess(options: Namespace) -> Answer:
    """Look at logs in a format that nobody has described, and answer with a first format file."""
    from orchestrator.formats.guess import guess  # noqa: PLC0415
    from orchestrator.formats.read import readable  # noqa: PLC0415

    found = guess(readable(options.paths))
    data = {"format": found.yaml, "recognised": list(found.recognised), "unrecognised": list(found.unrecognised)}
    return Answer(data=data, show=lambda screen: screen.console.file.writelines([found.yaml]))
