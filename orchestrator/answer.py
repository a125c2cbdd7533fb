"""What a command has to say: to people, to programs, and to the shell.

Never printed here: a command returns its answer, and only `__main__` prints.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen

Item = TypeVar("Item")

INTERRUPTED: Final = 130
USAGE: Final = 64

EXIT_CODES: Final = {"valid": 0, "consistent": 0, "violated": 1, "unknown": 2}
"""The exit code of each verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`show` prints it for people, `data` is what --json prints, `problem` goes to stderr in one line."""

    data: Mapping[str, Any]
    show: Callable[["Screen"], None]
    exit_code: int = 0
    problem: str | None = None

    @property
    def is_data(self) -> bool:
        """Whether a program may rely on `data`: after an error of ours or the world's there is none."""
        return self.exit_code < USAGE or self.exit_code == INTERRUPTED


def until_interrupted(items: Iterable[Item]) -> tuple[list[Item], bool]:
    """Return all items, or those before a Ctrl-C, and whether there was one."""
    found: list[Item] = []
    try:
        found.extend(items)
    except KeyboardInterrupt:
        return found, True
    return found, False
