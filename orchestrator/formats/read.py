"""From paths to traces: which files are logs, what is in them, and what was understood.

Never skips anything in silence: what matches nothing is counted and shown.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from node.errors import NoLogError, one_line
from orchestrator.audit.store import ForeignTrace
from orchestrator.formats.build import Builder
from orchestrator.formats.choose import choose_format, first_line
from orchestrator.formats.collect import Collection, Part, collect, common
from orchestrator.formats.extract import extract
from orchestrator.formats.format import LogFormat
from orchestrator.formats.records import Lines, is_ignored
from orchestrator.formats.shipped import shipped_formats
from orchestrator.formats.sources import STDIN, Source, find_sources, short_names
from orchestrator.stories import STORY, is_story, parse_story, told


def read_logs(paths: Sequence[Path], log_format: str | None = None) -> list[ForeignTrace]:
    """Return every execution in these logs.

    `log_format` is a shipped format's name or a format file; without it the one beside the logs is used, or the one
    that fits. A file whose name ends in `.story` is a story.
    Raises NoInputError, NoLogError, or ConfigurationError for a format file.
    """
    sources = readable(paths)
    stories = [one for one in sources if log_format == STORY or (log_format is None and is_story(one.path))]
    logs = [one for one in sources if one not in stories]
    traces = [_tell(one) for one in stories]
    if logs:
        traces += read_sources(logs, choose_format(logs, paths, log_format), common(paths))
    return traces


def read_sources(sources: Sequence[Source], layout: LogFormat, root: str = "") -> list[ForeignTrace]:
    """Return every execution in these files, read by one format; `root` is what their names begin with.

    Raises NoLogError if there is not one event.
    """
    remarks = _unnamed(sources, layout)
    traces = [trace for one in collect(sources, layout, root) if len(trace := _read(one, layout, remarks))]
    if not traces:
        raise _nothing_matches(sources, layout)
    return traces


def _tell(source: Source) -> ForeignTrace:
    name = str(source.path) if source.path != STDIN else source.shown
    return told(parse_story(source.text, name=name), name=name, file=source.shown)


def readable(paths: Sequence[Path]) -> list[Source]:
    """Return the files of these paths that are texts.

    Raises NoInputError or NoLogError if one that was named is none, or if there is no text at all.
    """
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


def _unnamed(sources: Sequence[Source], layout: LogFormat) -> list[str]:
    """Return that `files` names none of the files, if so; ours are meant for other names, too."""
    pattern = layout.file_expression
    if pattern is None or layout in shipped_formats() or any(pattern.search(source.name) for source in sources):
        return []
    shown = f"{one_line(layout.files, 60)!r} is in the name of no file, such as {one_line(sources[0].name, 60)!r}"
    return [f"the expression of `files` {shown}; every file was read"]


def _read(collection: Collection, layout: LogFormat, remarks: Sequence[str]) -> ForeignTrace:
    lines, builder, unmatched = Lines(), Builder(layout), list[str]()
    parts = collection.parts
    called = short_names([part.source for part in parts])
    for place, part in enumerate(parts):
        shown = called[part.source.path]
        unmatched += _add(part, place, builder, layout, lines, shown=shown, is_alone=len(parts) == 1)
    if lines.unmatched:
        such = "; ".join(unmatched)
        builder.remarks.insert(0, f"{_lines(len(lines.unmatched))} that match nothing, such as {such}")
    builder.remarks[:0] = remarks
    trace = builder.finish(collection.name, [called[part.source.path] for part in parts])
    return replace(trace, understood=_understood(trace, lines, builder, parts))


def _add(
    part: Part, place: int, builder: Builder, layout: LogFormat, lines: Lines, *, shown: str, is_alone: bool
) -> list[str]:
    """Read a part, and return the first of its lines that match nothing."""
    records, known, unread = lines.records, len(lines.examples), len(lines.unmatched)
    for batch in extract(part.text, layout, lines, first_line=part.first_line):
        builder.add(batch, file=place, file_name=shown, node=part.node, thread=part.thread)
    builder.leave_unread(place, lines.unmatched[unread:])
    if lines.records == records and not is_alone:
        builder.remarks.append(f"{shown}: not one line of it is a record")
    if part.source.replaced:
        builder.remarks.append(f"{shown}: {part.source.replaced} characters are no UTF-8; they are shown as \ufffd")
    builder.remarks += [f"{shown}: {note}" for note in lines.notes]
    lines.notes.clear()
    return [f"{shown}:{number} {one_line(line, 80)!r}" for number, line in lines.examples[known:]]


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
        f"understood as {trace.format_name}: {files} file{'s' * (files != 1)}, {machines} "
        f"machine{'s' * (machines != 1)}, {len(trace)} events{_kinds(trace)}"
        + (f"; of the other lines {', '.join(rest)}" if rest else "")
    )


def _kinds(trace: ForeignTrace) -> str:
    """Return how many events are of which kind, so that a wrong format is seen at once; nothing if it tells none."""
    receives, sends = int(np.count_nonzero(trace.is_receive)), int(np.count_nonzero(trace.is_send))
    internal = len(trace) - receives - sends
    return f" ({receives} receives, {sends} sends, {internal} internal)" if receives or sends else ""


def _lines(count: int) -> str:
    return f"{count} line{'s' * (count != 1)}"


def _nothing_matches(sources: Sequence[Source], layout: LogFormat) -> NoLogError:
    lines = [line for line in sources[0].text.split("\n") if line and not line.isspace()]
    if layout.ignore and all(is_ignored(line, layout) for line in lines):
        return NoLogError(
            f"{sources[0].path}: the key `ignore` of the format {layout.name} takes every line, also "
            f"{first_line(sources[0])}; it is for lines that are no events"
        )
    if layout.layout == "text":
        expected = repr(layout.searches[0].text)
    else:
        expected = f"a {layout.layout} with {', '.join(layout.columns) or 'its fields'}"
    return NoLogError(
        f"{sources[0].path}: 0 lines match the format {layout.name}; the first line is {first_line(sources[0])}, "
        f"expected {one_line(expected, 200)}"
    )
