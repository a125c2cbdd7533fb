"""The commands, a module each: `answer` takes the flags and returns what there is to say.

Never prints an answer; what must be said while a command works goes to stderr.
"""

import gc
import sys
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import cast

from orchestrator.answer import Answer


def answer(options: Namespace) -> Answer:
    """Perform the command that was asked for; only what it needs is imported."""
    module = _imported(f"orchestrator.commands.{options.command}")
    return cast(Callable[[Namespace], Answer], module.answer)(options)


def _imported(name: str) -> ModuleType:
    """Import a module without looking for garbage, for there is none, and without rich, which structlog would import.

    Whoever shows a table imports rich when it is needed.
    """
    gc.disable()
    try:
        if not {"rich", "structlog"} & sys.modules.keys():
            sys.modules["rich"] = None  # type: ignore[assignment]  # exactly so Python says "there is none"
            import_module("structlog")
            del sys.modules["rich"]
        return import_module(name)
    finally:
        gc.enable()
