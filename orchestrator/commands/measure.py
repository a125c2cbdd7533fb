"""`measure`: drift, queues, jumps and gaps of every run, overall and of each machine."""

from argparse import Namespace
from typing import TYPE_CHECKING

from orchestrator.answer import INTERRUPTED, Answer, until_interrupted
from orchestrator.executions import find_all, measures

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen


def answer(options: Namespace) -> Answer:
    """Measure every run that the paths mean; a number that makes no sense of a damaged log is for `check` to say.

    Raises NoInputError, NoLogError, or ConfigurationError for a format file.
    """
    measured, is_interrupted = until_interrupted(
        {"name": execution.name, "measures": measures(execution)}
        for execution in find_all(options.paths, options.log_format)
    )

    def show(screen: "Screen") -> None:
        from orchestrator.screen.measure import show_measures  # noqa: PLC0415  # rich only where somebody reads

        if measured or not is_interrupted:
            show_measures(screen, measured)

    return Answer(
        data={"executions": measured},
        show=show,
        exit_code=INTERRUPTED if is_interrupted else 0,
        problem="interrupted" if is_interrupted else None,
    )
