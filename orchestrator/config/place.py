"""A place in a text that somebody wrote, and the error that points at it with a caret.

Never knows what the text means.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from node.errors import ConfigurationError

LINE_WIDTH: Final = 80
QUOTE_WIDTH: Final = 76
"""The quote of a line fits a terminal of 80 columns."""

# What YAML 1.1 takes for the end of a line.
_LINE_END: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Source:
    """A text and where it came from: a file by its path, or an argument as it was typed.

    An argument is its own best name: `--set nodes=1`; a place in a file also has a line and a column.
    """

    name: str
    text: str
    is_file: bool = True

    def at(self, index: int) -> "Place":
        """Return the place of the character `index`."""
        line, start = 0, 0
        for end in _LINE_END.finditer(self.text, 0, index):
            line, start = line + 1, end.end()
        return Place(self, line, index - start)


@dataclass(frozen=True, slots=True)
class Place:
    """A character of a source; line and column count from 0."""

    source: Source
    line: int = 0
    column: int = 0

    @property
    def name(self) -> str:
        """What an error starts with: `configs/x.yaml:7:3`, or the argument."""
        name = printable(self.source.name)
        if self.source.is_file:
            return f"{name}:{self.line + 1}:{self.column + 1}"
        return name if len(name) <= QUOTE_WIDTH else f"{name[:QUOTE_WIDTH]}…"

    @property
    def line_text(self) -> str:
        """The whole line of this place, which is empty behind the last."""
        lines = _LINE_END.split(self.source.text)
        return lines[self.line] if self.line < len(lines) else ""

    def error(self, what: str) -> ConfigurationError:
        """Return the error that says `what` is wrong here, shows the line, and points at the place."""
        return ConfigurationError(f"{self.name}: {what}\n{self._quote()}")

    def _quote(self) -> str:
        line = self.line_text
        start = max(0, self.column - QUOTE_WIDTH // 2) if len(line) > QUOTE_WIDTH else 0
        before, after = line[start : self.column], line[self.column : start + QUOTE_WIDTH]
        return f"  {printable(before + after)}\n  {''.join(map(_blank, before))}^"


def printable(text: str) -> str:
    """Return `text` without what a terminal would obey; tabs stay."""
    return "".join(character if character.isprintable() or character == "\t" else "?" for character in text)


def shorten(line: str) -> str:
    """Return a line that fits a terminal of 80 columns."""
    return line if len(line) <= LINE_WIDTH else f"{line[: LINE_WIDTH - 1].rstrip()}…"


def _blank(character: str) -> str:
    """Return what is as wide as `character` but cannot be seen, so that the caret stands below its place."""
    if character == "\t" or unicodedata.combining(character):
        return "\t" if character == "\t" else ""
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "
