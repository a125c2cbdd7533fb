"""What kind of event a record is: by the word of its field `kind`, by what is found in its text, or by what found it.

Never knows what a kind means for a clock.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from orchestrator.audit.store import INTERNAL, OTHER, RECEIVE, SEND
from orchestrator.formats.format import LogFormat
from orchestrator.formats.records import Batch
from orchestrator.trace.store import Column

IGNORE: Final = OTHER + 1
SEND_ALL: Final = OTHER + 2
SEND_SOME: Final = OTHER + 3
CODES: Final = {
    "internal": INTERNAL,
    "send": SEND,
    "send-all": SEND_ALL,
    "send-some": SEND_SOME,
    "receive": RECEIVE,
    "ignore": IGNORE,
}


class Kinds:
    """Tells the kinds of records, and counts those of which the format does not say what they are."""

    def __init__(self, layout: LogFormat) -> None:
        self._layout = layout
        self._known: dict[str, int] = {}
        self._groups = {
            expression: {
                field: [name for name in names if name in expression.groupindex]
                for field, names in layout.sources(expression.groupindex).items()
            }
            for _, expression in layout.kind_expressions
        }
        self.unknown: dict[str, int] = {}

    def of(self, batch: Batch) -> Column:
        """Return each record's kind; fields that the expression of a kind names are filled in."""
        if batch.kinds is not None:
            return np.array([CODES[kind] for kind in batch.kinds], np.int64)
        words = batch.values.get("kind")
        if words is not None:
            return self._by_word(["" if word is None else str(word) for word in words])
        if self._layout.kinds:
            return self._by_text(batch)
        return np.full(len(batch.lines), OTHER, np.int64)

    def _by_word(self, words: Sequence[str]) -> Column:
        known = self._known
        for word in set(words).difference(known):
            found = (kind for kind, expression in self._layout.kind_expressions if expression.fullmatch(word.strip()))
            known[word] = CODES.get(next(found, ""), OTHER)
        kinds = np.array(list(map(known.__getitem__, words)), np.int64)
        for place in np.flatnonzero(kinds == OTHER).tolist():
            if words[place]:
                self._count(words[place])
        return kinds

    def _by_text(self, batch: Batch) -> Column:
        texts = batch.values.get("event") or [""] * len(batch.lines)
        for fields in self._groups.values():
            for field in fields:
                batch.values.setdefault(field, [None] * len(batch.lines))
        return np.array([self._in_text(str(text or ""), place, batch) for place, text in enumerate(texts)], np.int64)

    def _in_text(self, text: str, place: int, batch: Batch) -> int:
        for kind, expression in self._layout.kind_expressions:
            if match := expression.search(text):
                for field, names in self._groups[expression].items():
                    value = next((match[name] for name in names if match[name]), None)
                    if value is not None:
                        batch.values[field][place] = value
                return CODES[kind]
        self._count(text)
        return OTHER

    def _count(self, word: str) -> None:
        if word in self.unknown or len(self.unknown) < 1_000:
            self.unknown[word] = self.unknown.get(word, 0) + 1
        else:
            self.unknown[next(iter(self.unknown))] += 1
