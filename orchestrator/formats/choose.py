"""Which format fits: the one that is named, that lies beside the logs, or that understands the most of them.

Never takes a format for fitting because some names in it happen to be the same.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from node.errors import NoInputError, NoLogError, one_line
from orchestrator.audit.store import OTHER
from orchestrator.formats import filling
from orchestrator.formats.build import Builder
from orchestrator.formats.collect import Part, chosen, parts_of
from orchestrator.formats.extract import extract
from orchestrator.formats.format import LogFormat
from orchestrator.formats.jsonlines import found, object_in
from orchestrator.formats.records import Lines
from orchestrator.formats.shipped import load_format, shipped_formats
from orchestrator.formats.sources import Source, formats_beside

SAMPLE_LENGTH: Final = 1 << 15
SAMPLE_FILES: Final = 6
FIT_MIN: Final = 0.5
"""A format fits if it understands at least this share of the lines."""
_NOT_IN_EVERY_LOG: Final = ("from", "to", "peer", "stamp")


def choose_format(sources: Sequence[Source], paths: Sequence[Path], log_format: str | None) -> LogFormat:
    """Return the format that is named, that lies beside the logs, or that fits best.

    Raises NoLogError if none fits, NoInputError or ConfigurationError for a format file.
    """
    if log_format is not None:
        return load_format(log_format)
    if beside := formats_beside(paths):
        if len(beside) > 1:
            raise NoInputError(f"{beside[0]} and {beside[1]}: two formats lie beside the logs; name one: --log-format")
        return load_format(str(beside[0]))
    fits = [fit(layout, sources) for layout in shipped_formats()]
    if max(fits) < FIT_MIN:
        raise _no_format_fits(sources, paths)
    return shipped_formats()[fits.index(max(fits))]


def fit(layout: LogFormat, sources: Sequence[Source]) -> float:
    """Return how well a format fits the best of some files: the share of lines of which it makes sense."""
    some = chosen(sources, layout)
    if len(some) > SAMPLE_FILES:
        some = [*some[: SAMPLE_FILES // 2], *some[-SAMPLE_FILES // 2 :]]
    return max((_fit_of(source, layout) for source in some), default=0.0)


def first_line(source: Source) -> str:
    """Return the first line of a file as it can stand in a message."""
    return repr(one_line(source.text.strip().partition("\n")[0], 80))


def _fit_of(source: Source, layout: LogFormat) -> float:
    text = source.text
    if len(text) > SAMPLE_LENGTH:
        text = text[: text.rfind("\n", 0, SAMPLE_LENGTH) + 1] or text[:SAMPLE_LENGTH]
    if not _has_its_fields(text, layout):
        return 0.0
    lines, builder = Lines(), Builder(layout)
    part: Part = next(parts_of(source, layout))
    for batch in extract(text, layout, lines):
        builder.add(batch, file=0, file_name="", node=part.node, thread=part.thread)
    trace = builder.finish("", [""])
    is_told = bool((trace.kind != OTHER).any())
    if trace.vector is not None and len(trace):
        is_told = bool((trace.vector[range(len(trace)), trace.node] > 0).mean() > FIT_MIN)
    unread = len(lines.unmatched) + builder.bad + sum(builder.unknown_kinds.values())
    understood = len(trace) + lines.ignored + builder.ignored
    return understood / (understood + unread) if len(trace) and is_told else 0.0


def _has_its_fields(text: str, layout: LogFormat) -> bool:
    """Return whether a table has every column that the format names, or JSON a place for each field."""
    if layout.layout == "table":
        header = text.lstrip().partition("\n")[0].split(layout.delimiter)
        cells = {cell.strip(" \r\"'") for cell in header}
        return {name for names in layout.fields.values() for name in names} <= cells
    if layout.layout == "json":
        objects = [one for line in text.split("\n") if (one := object_in(line))]
        return all(
            any(
                all(found(one, part) is not None for part in [name for name, _ in filling.parts_of(path)] or [path])
                for path in paths
                for one in objects
            )
            for field, paths in layout.fields.items()
            if field not in _NOT_IN_EVERY_LOG
        )
    return True


def _no_format_fits(sources: Sequence[Source], paths: Sequence[Path]) -> NoLogError:
    source = sources[0]
    names = ", ".join(layout.name for layout in shipped_formats())
    return NoLogError(
        f"{source.path}: none of the formats fits ({names}); its first line is {first_line(source)}; "
        f"check {' '.join(map(str, paths))} --guess prints a format to begin with"
    )
