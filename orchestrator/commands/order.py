"""`order`: did one event happen before another, after it, or neither? With the way that shows it."""

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.answer import INTERRUPTED, Answer
from orchestrator.explain.locate import locate
from orchestrator.explain.relate import relate
from orchestrator.histories import one_history

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen


def answer(options: Namespace) -> Answer:
    """Relate two events; interrupted, it knows of no relation.

    Raises UsageError, NoInputError or NoLogError.
    """
    try:
        return _related(options)
    except KeyboardInterrupt:
        nothing: Mapping[str, Any] = {"a": None, "b": None, "relation": None, "length": 0, "hops": [], "path": []}
        return Answer(data=nothing, show=lambda _: None, exit_code=INTERRUPTED, problem="interrupted")


def _related(options: Namespace) -> Answer:
    history = one_history(options.trace, options.log_format)
    found = relate(history, locate(history, options.a), locate(history, options.b))

    def show(screen: "Screen") -> None:
        from orchestrator.screen.order import show_related  # noqa: PLC0415  # rich only where somebody reads

        show_related(screen, found)

    return Answer(data=found.as_json() if options.json else {}, show=show)
