"""The executions in one file, where a delimiter divides it.

Never looks for records.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.formats.format import LogFormat, compiled
from orchestrator.formats.sources import Source


@dataclass(frozen=True, slots=True)
class Part:
    """A text of one execution: a file, or what stands between two delimiters of one."""

    source: Source
    name: str
    text: str
    first_line: int
    node: str
    thread: str


def parts_of(source: Source, layout: LogFormat, node: str, thread: str) -> Iterator[Part]:
    """Yield the executions in a file; what stands before the first delimiter is one, too, unless it is blank."""
    text = source.text
    start, name, number = 0, "", 1
    for place, match in enumerate(compiled(layout.split).finditer(text) if layout.split else (), 1):
        if text[start : match.start()].strip():
            yield Part(source, name, text[start : match.start()], number, node, thread)
        number += text.count("\n", start, match.end())
        groups = match.groupdict()
        start, name = match.end(), groups.get("run") or groups.get("trace") or f"execution {place}"
    yield Part(source, name, text[start:], number, node, thread)
