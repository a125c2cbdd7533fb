"""The records of lines of pairs such as `clock=5 from=b note="some words"`: what stands before them may be fields, too.

Never takes a line without a pair for a record.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from orchestrator.formats.format import LogFormat
from orchestrator.formats.records import BATCH, Batch, Lines, Value, by_field, lines_of, with_what_stands_before

PAIR: Final = re.compile(
    r"""(?<![\w.\-])([A-Za-z_][\w.\-]*)\s?=\s?"""
    r"""("(?:[^"\\]|\\.)*"|'[^']*'|\[[^\]]*\]|\{[^{}]*\}|\([^()]*\)|<[^<>]*>|(?:[^\s,;|)\]}]|,(?!\s|$|[A-Za-z_][\w.\-]*\s?=))*)"""
)
_QUOTES: Final = "\"'"


def pairs_in(line: str) -> dict[str, str]:
    """Return the pairs of a line, their values without quotes; of two with one key the first."""
    pairs: dict[str, str] = dict(PAIR.findall(line)[::-1])
    if '"' in line or "'" in line:
        for key, value in pairs.items():
            if value[:1] in _QUOTES and len(value) > 1:
                pairs[key] = value[1:-1]
    return pairs


def from_pairs(text: str, layout: LogFormat, lines: Lines, first_line: int) -> Iterator[Batch]:
    """Yield the records of lines of pairs."""
    rows = _rows(text, layout, lines, first_line)
    while some := list(islice(rows, BATCH)):
        lines.records += len(some)
        names = sorted(set[str]().union(*(pairs for _, _, pairs in some)))
        values = by_field(layout, {name: [pairs.get(name) for _, _, pairs in some] for name in names})
        if layout.is_told_by_line and not values.keys() & {"kind", "event"}:
            values["event"] = [line for _, line, _ in some]
        yield Batch(values, [number for number, _, _ in some])


def _rows(
    text: str, layout: LogFormat, lines: Lines, first_line: int
) -> Iterator[tuple[int, str, Mapping[str, Value]]]:
    for number, line in lines_of(text, layout, lines, first_line):
        if pairs := pairs_in(line):
            yield number, line, with_what_stands_before(pairs, line, layout)
        else:
            lines.add_unmatched(number, line)
