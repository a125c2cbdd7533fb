"""The lines that a guess looks at: so many of each file, blank ones left out.

Never looks for records.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from orchestrator.formats.guess.words import is_field
from orchestrator.trace.store import Column

_BRACES: Final = re.compile(r"\{[^{}]*\}")
LINES_MAX: Final = 40_000
"""So many lines are looked at, over all files."""


@dataclass(frozen=True)
class Sample:
    """The texts of some logs, and the run of each."""

    texts: Sequence[str]
    runs: Column

    @cached_property
    def lines(self) -> list[tuple[int, int, str]]:
        """Each line that is not blank, with its file and number."""
        return list(self._lines())

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    def _lines(self) -> Iterator[tuple[int, int, str]]:
        for file, text in enumerate(self.texts):
            for number, line in enumerate(text.split("\n"), 1):
                if line and not line.isspace():
                    yield file, number, line


WORDS_IN: Final = 100_000
"""In so many characters of each file words are looked for."""
_WORD: Final = re.compile(r"\w+")
_LONG_WORD: Final = re.compile(r"\w+(?:[.:-]\w+)+")
_KEYS: Final = re.compile(
    r"""["']([^"'\\{}]{1,40})\\?["']\s*:\s*\d+(?=\s*[,}])|([A-Za-z_][\w.\-]*)[:=]\d+(?=\s*[,}\]])"""
)


def names_in_vectors(sample: Sample) -> frozenset[str]:
    """Return the names that vector clocks in some lines use."""
    names: set[str] = set()
    for _, _, line in sample.lines[:5_000]:
        for text in _BRACES.findall(line):
            keys = [first or second for first, second in _KEYS.findall(text)]
            if keys and sum(map(is_field, keys)) <= len(keys) / 2 and len(keys) == len(set(keys)):
                names.update(keys)
    return frozenset(names) if len(names) < 200 else frozenset()


def words_in(text: str) -> frozenset[str]:
    """Return the words in a text, with and without the signs between their parts: `node-1`, `node` and `1`."""
    some = text[:WORDS_IN]
    return frozenset((*_WORD.findall(some), *_LONG_WORD.findall(some)))


def cut(text: str, lines_max: int) -> str:
    """Return the first lines of a text."""
    if text.count("\n") <= lines_max:
        return text
    place = -1
    for _ in range(lines_max):
        place = text.find("\n", place + 1)
    return text[: place + 1]
