"""The commands, a module each: `answer` takes the flags and returns what there is to say.

Never prints an answer; what must be said while a command works goes to stderr.
"""

from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from typing import cast

from orchestrator.answer import Answer


def answer(options: Namespace) -> Answer:
    """Perform the command that was asked for; only what it needs is imported."""
    module = import_module(f"orchestrator.commands.{options.command}")
    return cast(Callable[[Namespace], Answer], module.answer)(options)
