"""What only an outside observer of the scale model can know: experiments, clusters, the merged trace.

`from orchestrator import load, simulate, simulate_many, check, measure` is its face for Python (`docs/python.md`).
Never imports any of it before it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from orchestrator.library import check, load, measure, simulate
    from orchestrator.many import simulate_many

__all__ = ["check", "load", "measure", "simulate", "simulate_many"]

_HOMES: Final = dict.fromkeys(("check", "load", "measure", "simulate"), "orchestrator.library") | {
    "simulate_many": "orchestrator.many"
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
