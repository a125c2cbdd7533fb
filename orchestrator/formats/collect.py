"""Which files belong together: a run's files, the machine of each, and the executions that a delimiter divides.

Never looks for records.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.formats.format import LogFormat, compiled
from orchestrator.formats.names import natural, stem_of
from orchestrator.formats.sources import STDIN, Source


@dataclass(frozen=True, slots=True)
class Part:
    """A text of one execution: a file, or what stands between two delimiters of one."""

    source: Source
    name: str
    text: str
    first_line: int
    node: str
    thread: str


@dataclass(slots=True)
class Collection:
    """What belongs to one execution."""

    name: str
    parts: list[Part] = field(default_factory=list)


def collect(sources: Sequence[Source], layout: LogFormat, root: str) -> list[Collection]:
    """Return the executions in these files, in the order of their names, or of a file that is divided."""
    collections: dict[str, Collection] = {}
    for source in chosen(sources, layout):
        run = _run_of(source, layout)
        for part in parts_of(source, layout):
            key = "/".join(name for name in (run, part.name) if name)
            shown = "/".join(name for name in (root, key) if name)
            collections.setdefault(key, Collection(shown or source.shown)).parts.append(part)
    return [collections[key] for key in (collections if layout.split else sorted(collections, key=natural))]


def chosen(sources: Sequence[Source], layout: LogFormat) -> Sequence[Source]:
    """Return the files that the format's pattern names; all of them where it names none."""
    pattern = layout.file_expression
    return [source for source in sources if pattern and pattern.search(source.name)] or sources


def parts_of(source: Source, layout: LogFormat) -> Iterator[Part]:
    """Yield the executions in a file; what stands before the first delimiter is one, too, unless it is blank."""
    node, thread = _node_of(source, layout)
    text = source.text
    start, name, number = 0, "", 1
    for place, match in enumerate(compiled(layout.split).finditer(text) if layout.split else (), 1):
        if text[start : match.start()].strip():
            yield Part(source, name, text[start : match.start()], number, node, thread)
        number += text.count("\n", start, match.end())
        groups = match.groupdict()
        start, name = match.end(), groups.get("run") or groups.get("trace") or f"execution {place}"
    yield Part(source, name, text[start:], number, node, thread)


def common(paths: Sequence[Path]) -> str:
    """Return what executions are called after: the path, or the folder that all of several lie in."""
    if len(paths) == 1:
        return "stdin" if paths[0] == STDIN else str(paths[0])
    parents = {str(path.parent) for path in paths}
    return parents.pop() if len(parents) == 1 else ""


def _node_of(source: Source, layout: LogFormat) -> tuple[str, str]:
    """Return the machine, and its thread, that a file's path names; the file's own name where it names none."""
    match = layout.file_expression.search(source.name) if layout.file_expression else None
    groups = match.groupdict() if match else {}
    return groups.get("node") or groups.get("host") or stem_of(source.name), groups.get("thread") or ""


def _run_of(source: Source, layout: LogFormat) -> str:
    """Return what tells executions apart: the pattern's group `run`, else the folder in which its match begins."""
    match = layout.file_expression.search(source.name) if layout.file_expression else None
    if match and match.groupdict().get("run"):
        return str(match["run"])
    return (source.name[: match.start()] if match else source.name).rpartition("/")[0]
