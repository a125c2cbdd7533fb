"""From paths to traces: which files belong together, which format fits, and what was understood.

Never skips anything in silence: what matches nothing is counted and shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from node.errors import NoInputError, NoLogError, one_line
from orchestrator.audit.store import OTHER, ForeignTrace
from orchestrator.formats.build import Builder, natural
from orchestrator.formats.extract import Lines, extract
from orchestrator.formats.format import LogFormat
from orchestrator.formats.shipped import load_format, shipped_formats
from orchestrator.formats.sources import STDIN, Source, find_sources, formats_beside
from orchestrator.formats.split import Part, parts_of

SAMPLE_LENGTH: Final = 1 << 15
SAMPLE_FILES: Final = 6
FIT_MIN: Final = 0.5
"""A format fits if it understands at least this share of the lines."""


@dataclass(slots=True)
class _Collection:
    """What belongs to one execution."""

    name: str
    parts: list[Part] = field(default_factory=list)


def read_logs(paths: Sequence[Path], log_format: str | None = None) -> list[ForeignTrace]:
    """Return every execution in these logs.

    `log_format` is a shipped format's name or a format file; without it the one beside the logs is used, or the one
    that fits. Raises NoInputError, NoLogError, or ConfigurationError for a format file.
    """
    sources = _sources(paths)
    layout = choose_format(sources, paths, log_format)
    collections = _collect(_chosen(sources, layout), layout, _common(paths))
    traces = [trace for collection in collections if len(trace := _read(collection, layout))]
    if not traces:
        raise _nothing_matches(sources, layout)
    return traces


def choose_format(sources: Sequence[Source], paths: Sequence[Path], log_format: str | None) -> LogFormat:
    """Return the format that is named, that lies beside the logs, or that fits best.

    Raises NoLogError if none fits.
    """
    if log_format is not None:
        return load_format(log_format)
    if beside := formats_beside(paths):
        if len(beside) > 1:
            raise NoInputError(f"{beside[0]} and {beside[1]}: two formats lie beside the logs; name one: --log-format")
        return load_format(str(beside[0]))
    fits = [fit(layout, sources) for layout in shipped_formats()]
    if max(fits) < FIT_MIN:
        raise _no_format_fits(sources)
    return shipped_formats()[fits.index(max(fits))]


def fit(layout: LogFormat, sources: Sequence[Source]) -> float:
    """Return how well a format fits the best of some files: the share of lines of which it makes sense."""
    chosen = _chosen(sources, layout)
    some = chosen if len(chosen) <= SAMPLE_FILES else [*chosen[: SAMPLE_FILES // 2], *chosen[-SAMPLE_FILES // 2 :]]
    return max((_fit_of(source, layout) for source in some), default=0.0)


def _sources(paths: Sequence[Path]) -> list[Source]:
    sources = find_sources(paths)
    texts: list[Source] = []
    problems: list[NoLogError] = []
    for source in sources:
        try:
            if source.text.strip():
                texts.append(source)
        except NoLogError as error:
            if source.path in paths:
                raise
            problems.append(error)
    if texts:
        return texts
    if problems:
        raise problems[0]
    what = "the file is empty" if sources else "no log in it"
    raise NoLogError(f"{', '.join(map(str, paths))}: {what}; name a log, or a folder of logs")


def _fit_of(source: Source, layout: LogFormat) -> float:
    text = source.text
    if len(text) > SAMPLE_LENGTH:
        text = text[: text.rfind("\n", 0, SAMPLE_LENGTH) + 1] or text[:SAMPLE_LENGTH]
    lines, builder = Lines(), Builder(layout)
    node, thread = _node_of(source, layout)
    trace = _built(builder, [Part(source, "", text, 1, node, thread)], layout, lines, "")
    is_told = bool((trace.kind != OTHER).any())
    if trace.vector is not None and len(trace):
        is_told = bool((trace.vector[range(len(trace)), trace.node] > 0).mean() > FIT_MIN)
    unread = len(lines.unmatched) + builder.bad + sum(builder.unknown_kinds.values())
    understood = len(trace) + lines.ignored + builder.ignored
    return understood / (understood + unread) if len(trace) and is_told else 0.0


def _chosen(sources: Sequence[Source], layout: LogFormat) -> Sequence[Source]:
    """Return the files that the format's pattern names; all of them where it names none."""
    pattern = layout.file_expression
    return [source for source in sources if pattern and pattern.search(source.name)] or sources


def _node_of(source: Source, layout: LogFormat) -> tuple[str, str]:
    """Return the machine, and its thread, that a file's path names; the file's own name where it names none."""
    match = layout.file_expression.search(source.name) if layout.file_expression else None
    groups = match.groupdict() if match else {}
    stem = source.name.rpartition("/")[2].partition(".")[0]
    return groups.get("node") or groups.get("host") or stem or source.name, groups.get("thread") or ""


def _run_of(source: Source, layout: LogFormat) -> str:
    """Return what tells executions apart: the pattern's group `run`, else the folder in which its match begins."""
    match = layout.file_expression.search(source.name) if layout.file_expression else None
    if match and match.groupdict().get("run"):
        return str(match["run"])
    return (source.name[: match.start()] if match else source.name).rpartition("/")[0]


def _collect(sources: Sequence[Source], layout: LogFormat, root: str) -> list[_Collection]:
    collections: dict[str, _Collection] = {}
    for source in sources:
        run = _run_of(source, layout)
        for part in parts_of(source, layout, *_node_of(source, layout)):
            key = "/".join(name for name in (run, part.name) if name)
            shown = "/".join(name for name in (root, key) if name)
            collections.setdefault(key, _Collection(shown or source.shown)).parts.append(part)
    return [collections[key] for key in (collections if layout.split else sorted(collections, key=natural))]


def _common(paths: Sequence[Path]) -> str:
    """Return what executions are called after: the path, or the folder that all of several lie in."""
    if len(paths) == 1:
        return "stdin" if paths[0] == STDIN else str(paths[0])
    parents = {str(path.parent) for path in paths}
    return parents.pop() if len(parents) == 1 else ""


def _read(collection: _Collection, layout: LogFormat) -> ForeignTrace:
    lines, builder = Lines(), Builder(layout)
    trace = _built(builder, collection.parts, layout, lines, collection.name)
    return replace(trace, understood=_understood(trace, lines, builder, collection.parts))


def _built(builder: Builder, parts: Sequence[Part], layout: LogFormat, lines: Lines, name: str) -> ForeignTrace:
    unmatched: list[str] = []
    for place, part in enumerate(parts):
        shown, before, known = part.source.shown, lines.records, len(lines.examples)
        unread = len(lines.unmatched)
        for batch in extract(part.text, layout, lines, first_line=part.first_line):
            builder.add(batch, file=place, file_name=shown, node=part.node, thread=part.thread)
        unmatched += [f"{shown}:{number} {one_line(line, 80)!r}" for number, line in lines.examples[known:]]
        builder.leave_unread(place, lines.unmatched[unread:])
        if lines.records == before and len(parts) > 1:
            builder.remarks.append(f"{shown}: not one line of it is a record")
        if part.source.replaced:
            builder.remarks.append(f"{shown}: {part.source.replaced} characters are no UTF-8; they are shown as \ufffd")
    if lines.unmatched:
        builder.remarks.insert(0, f"{_lines(len(lines.unmatched))} that match nothing, such as {'; '.join(unmatched)}")
    return builder.finish(name, [part.source.shown for part in parts])


def _understood(trace: ForeignTrace, lines: Lines, builder: Builder, parts: Sequence[Part]) -> str:
    machines = len(trace.nodes) - trace.absent
    files = len({part.source.path for part in parts})
    rest = [
        f"{count} {what}"
        for count, what in (
            (builder.bad, "cannot be read"),
            (lines.ignored + builder.ignored, "are known to be no events"),
            (len(lines.unmatched), "match nothing"),
        )
        if count
    ]
    return (
        f"understood as {trace.format_name}: {files} {'file' if files == 1 else 'files'}, "
        f"{machines} {'machine' if machines == 1 else 'machines'}, {len(trace)} events"
        f"{'; of the other lines ' + ', '.join(rest) if rest else ''}"
    )


def _lines(count: int) -> str:
    return f"{count} {'line' if count == 1 else 'lines'}"


def _no_format_fits(sources: Sequence[Source]) -> NoLogError:
    source = sources[0]
    names = ", ".join(layout.name for layout in shipped_formats())
    return NoLogError(
        f"{source.path}: none of the formats fits ({names}); its first line is {_first_line(source)}; "
        f"check {source.path} --guess prints a format to begin with"
    )


def _nothing_matches(sources: Sequence[Source], layout: LogFormat) -> NoLogError:
    expected = (
        repr(layout.record[0])
        if layout.record
        else f"a {layout.layout} with {', '.join(layout.columns) or 'its fields'}"
    )
    return NoLogError(
        f"{sources[0].path}: 0 lines match the format {layout.name}; the first line is {_first_line(sources[0])}, "
        f"expected {one_line(expected, 200)}"
    )


def _first_line(source: Source) -> str:
    return repr(one_line(source.text.strip().partition("\n")[0], 80))
