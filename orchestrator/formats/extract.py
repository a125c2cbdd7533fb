"""From the text of a log to its records, whatever its layout.

Never interprets a field, and never forgets a line.
"""

from collections.abc import Iterator

from orchestrator.formats.format import LogFormat
from orchestrator.formats.jsonlines import from_json
from orchestrator.formats.pairs import from_pairs
from orchestrator.formats.records import Batch, Lines
from orchestrator.formats.table import from_table
from orchestrator.formats.text import from_text


def extract(text: str, layout: LogFormat, lines: Lines, *, first_line: int = 1) -> Iterator[Batch]:
    """Yield the records of a text, and count its lines in `lines`."""
    match layout.layout:
        case "text":
            yield from from_text(text, layout, lines, first_line)
        case "pairs":
            yield from from_pairs(text, layout, lines, first_line)
        case "table":
            yield from from_table(text, layout, lines, first_line)
        case "json":
            yield from from_json(text, layout, lines, first_line)
