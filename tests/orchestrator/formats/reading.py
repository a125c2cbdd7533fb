"""Logs and formats in a folder, for tests of reading."""

from collections.abc import Mapping
from pathlib import Path

from orchestrator.audit.store import ForeignTrace
from orchestrator.formats.extract import extract
from orchestrator.formats.format import LogFormat
from orchestrator.formats.read import read_logs
from orchestrator.formats.records import Batch, Lines
from orchestrator.formats.shipped import parse_format


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write some files into a folder, and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def traces_of(folder: Path, files: Mapping[str, str | bytes], layout: str) -> list[ForeignTrace]:
    """Read some files by a format, as a user would."""
    logs = written(folder / "logs", files)
    (folder / "test.format.yaml").write_text(layout)
    return read_logs([logs], str(folder / "test.format.yaml"))


def trace_of(folder: Path, text: str | bytes, layout: str, *, name: str = "a.log") -> ForeignTrace:
    """Read one file by a format."""
    (trace,) = traces_of(folder, {name: text}, layout)
    return trace


def form(text: str) -> LogFormat:
    """The format that a text describes."""
    return parse_format(text, name="test.format.yaml")


def records(text: str, layout: str) -> tuple[list[Batch], Lines]:
    """The records of a text, and what became of its lines."""
    lines = Lines()
    return list(extract(text, form(layout), lines)), lines


def values(text: str, layout: str, field: str) -> list[object]:
    """What the records of a text say in one field."""
    batches, _ = records(text, layout)
    return [value for batch in batches for value in batch.values.get(field, [None] * len(batch.lines))]


def names(trace: ForeignTrace, column: str) -> list[str]:
    """The names of the machines in a column, `-` where there is none."""
    return [trace.nodes[value] if value >= 0 else "-" for value in getattr(trace, column).tolist()]
