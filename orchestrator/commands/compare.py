"""`compare`: are two runs equal, event for event? Those of two experiments pair by number."""

from argparse import Namespace
from typing import TYPE_CHECKING

from orchestrator.answer import INTERRUPTED, Answer
from orchestrator.executions import find_executions
from orchestrator.pairs import as_json, paired

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen


def answer(options: Namespace) -> Answer:
    """Compare two runs, or those of two experiments; interrupted, it has compared nothing.

    Raises NoInputError or NoLogError.
    """
    try:
        return _compared(options)
    except KeyboardInterrupt:
        nothing = {"places": 0, "equal": 0, "fidelity": None, "same_action": None, "first_divergence": None}
        return Answer(data=nothing, show=lambda _: None, exit_code=INTERRUPTED, problem="interrupted")


def _compared(options: Namespace) -> Answer:
    pairs = paired(list(find_executions([options.a])), list(find_executions([options.b])))

    def show(screen: "Screen") -> None:
        from orchestrator.screen.compare import show_pairs  # noqa: PLC0415  # rich only where somebody reads

        show_pairs(screen, pairs)

    codes = {pair.exit_code for pair in pairs}
    return Answer(data=as_json(pairs), show=show, exit_code=1 if 1 in codes else max(codes))
