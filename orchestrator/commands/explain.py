"""`explain`: the chain of events that forced the clock of one, hop by hop, with its waits in queues."""

from argparse import Namespace
from typing import TYPE_CHECKING

from orchestrator.answer import INTERRUPTED, Answer
from orchestrator.explain.chain import explain
from orchestrator.explain.locate import locate
from orchestrator.histories import one_history

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen


def answer(options: Namespace) -> Answer:
    """Explain the clock of one event; interrupted, it has explained nothing.

    Raises UsageError, NoInputError or NoLogError.
    """
    try:
        return _explained(options)
    except KeyboardInterrupt:
        nothing = {"event": options.event, "clock": None, "is_exact": None, "length": 0, "hops": [], "chain": []}
        return Answer(data=nothing, show=lambda _: None, exit_code=INTERRUPTED, problem="interrupted")


def _explained(options: Namespace) -> Answer:
    history = one_history(options.trace, options.log_format)
    found = explain(history, locate(history, options.event))

    def show(screen: "Screen") -> None:
        from orchestrator.screen.explain import show_explained  # noqa: PLC0415  # rich only where somebody reads

        show_explained(screen, found)

    return Answer(data=found.as_json() if options.json else {}, show=show)
