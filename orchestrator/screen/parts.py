"""The parts of every screen: verdicts, prose, lists, tables. Colours only on a terminal, and not with NO_COLOR."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from orchestrator.trace.verdict import WORDS, Verdict

COLUMNS_MAX: Final = 100

STYLES: Final[dict[Verdict, str]] = {
    "valid": "bold green",
    "consistent": "bold cyan",
    "violated": "bold red",
    "unknown": "bold yellow",
    "not-applicable": "dim",
}

SHORT: Final[dict[Verdict, str]] = {
    "valid": "holds",
    "consistent": "nothing against it",
    "violated": "BROKEN",
    "unknown": "cannot tell",
    "not-applicable": "not applicable",
}
"""What a single check is called; the whole has the words of `trace.verdict`."""

_HARD_SPACE: Final = "\xa0"
_NUMBER_AND_UNIT: Final = re.compile(r"(\d) (ms|s)\b")


class Screen:
    """Prints for people, no wider than one reads with ease."""

    def __init__(self, stream: TextIO) -> None:
        self.console = make_console(stream)

    def say(self, text: str, *, style: str = "", indent: int = 0) -> None:
        """Print a paragraph."""
        self._print(Text(self._wrapped(text, " " * indent), style))

    def headline(self, verdict: Verdict, sentence: str, *, within: str = "") -> None:
        """Print a verdict and how it is known; `within` says of what."""
        self.said_of(WORDS[verdict], STYLES[verdict], f"{within}: {sentence}")

    def said_of(self, word: str, style: str, rest: str) -> None:
        """Print a paragraph that begins with a word in its own style."""
        text = Text(self._wrapped(word + rest))
        text.stylize(style, 0, len(word))
        self._print(text)

    def bullets(self, items: Iterable[str]) -> None:
        """Print a list."""
        for item in items:
            self._print(Text(self._wrapped(item, "  - ", "    ")))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, left: int = 1) -> None:
        """Print a table whose first `left` columns are words and the others numbers."""
        drawn = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False, show_edge=False)
        for place, column in enumerate(columns):
            drawn.add_column(column, justify="left" if place < left else "right", overflow="fold")
        for row in rows:
            drawn.add_row(*row)
        self.console.print(drawn)

    def row(self, cells: Sequence[Text], widths: Sequence[int], *, right: int) -> None:
        """Print a line of cells as wide as these, the last `right` of them numbers."""
        first_right = len(cells) - right
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            cell.align("left" if place < first_right else "right", width)
        line = Text("  ").append_text(Text("  ").join(cells))
        line.rstrip()
        self.console.print(line)

    def space(self) -> None:
        """Print an empty line."""
        self.console.print()

    def _wrapped(self, text: str, first: str = "", further: str | None = None) -> str:
        wrapper = textwrap.TextWrapper(
            self.console.width,
            initial_indent=first,
            subsequent_indent=first if further is None else further,
            break_long_words=False,
            break_on_hyphens=False,
        )
        kept_together = _NUMBER_AND_UNIT.sub(f"\\1{_HARD_SPACE}\\2", text)
        return "\n".join(wrapper.fill(line) for line in kept_together.split("\n")).replace(_HARD_SPACE, " ")

    def _print(self, text: Text) -> None:
        # Wrapped already; what is too long for a line, such as a path, stays whole so that it can be copied.
        self.console.print(text, soft_wrap=True)


class _Console(Console):
    @override
    def on_broken_pipe(self) -> None:
        # rich would exit with 1, which means "violated" with us; __main__ knows better.
        raise BrokenPipeError


def make_console(stream: TextIO) -> Console:
    """Return a console on a stream."""
    console = _Console(file=stream, highlight=False, markup=False, emoji=False)
    console.width = min(console.width, COLUMNS_MAX)
    return console


def verdict_text(verdict: Verdict) -> Text:
    """Return the verdict on a run."""
    return Text(WORDS[verdict], STYLES[verdict])


def check_text(verdict: Verdict) -> Text:
    """Return the verdict of one check."""
    return Text(SHORT[verdict], STYLES[verdict].removeprefix("bold ") if verdict == "valid" else STYLES[verdict])


def number(value: float | None) -> str:
    """Return a number as short as it is useful."""
    if value is None:
        return "-"
    if isinstance(value, int) or (value.is_integer() and abs(value) >= 10):
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def percent(share: float | None) -> str:
    """Return a share in percent, cut and not rounded: only 1 is 100 %."""
    if share is None:
        return "-"
    return "100 %" if share == 1 else f"{int(share * 10_000) / 100:.2f} %"


def plural(count: int, noun: str, nouns: str = "") -> str:
    """Return a count with its noun; `nouns` if that takes more than an s."""
    return f"{count} {noun}" if count == 1 else f"{count} {nouns or noun + 's'}"


def at_most(lines: Sequence[str], count: int) -> Iterator[str]:
    """Yield the first lines, and how many more there are."""
    yield from lines[:count]
    if len(lines) > count:
        yield f"and {len(lines) - count} more"
