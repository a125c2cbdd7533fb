"""The event log of one node: structlog lines, buffered, and written with one call a turn of the loop.

Never sends anything; whoever does must have called `flush` before (model section 5).
"""

import os
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

try:
    import fcntl
except ModuleNotFoundError:  # there is none for Windows
    fcntl = None  # type: ignore[assignment]

import orjson
import structlog

from node.errors import LogError, OutputError
from node.model import MODEL_JSON, Model
from node.record import Line, parse_line


def _render(_: Any, __: str, fields: MutableMapping[str, Any]) -> bytes:
    line = {"event": fields.pop("event"), **fields}
    return orjson.dumps(line, default=_render_model, option=orjson.OPT_PASSTHROUGH_DATACLASS) + b"\n"


def _render_model(value: object) -> orjson.Fragment:
    # Exactly what its hash is computed from; settings that say nothing are left out.
    assert isinstance(value, Model), "nothing else in a line is ours"
    return orjson.Fragment(MODEL_JSON.dump_json(value))


class _Lines:
    """The end of structlog's chain: it only keeps the rendered line."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []

    def info(self, line: bytes) -> None:
        self.waiting.append(line)


def seal_away(path: Path) -> Path | None:
    """Rename a sealed log that stands in the way; return its new name, None if there is no log, or nobody sealed it.

    Raises OutputError if it cannot be read or renamed.
    """
    try:
        if not path.exists() or not _is_sealed(path.read_bytes()):
            return None
        number = 1
        while (sealed := path.with_name(f"{path.stem}.{number}.sealed")).exists():
            number += 1
        return path.rename(sealed)
    except OSError as error:
        raise OutputError(f"{path}: an older log is in the way: {error.strerror}; move it away first") from error


def _is_sealed(log: bytes) -> bool:
    """Whether the last line is a stop record, or says that somebody interrupted the node."""
    *_, last, after = [b"", b"", *log.split(b"\n")]
    try:
        line = parse_line(last)
    except LogError:
        return False
    return not after and (line["event"] == "stop" or (line["event"] == "end" and line["interrupted"]))


class Reading(NamedTuple):
    """What an unsealed log says: its whole lines, so many bytes of them, and what stands torn behind them.

    `file` is the log itself, where it is held open so that nobody else writes to it.
    """

    lines: list[Line]
    whole_bytes: int
    torn_bytes: int
    file: "File | None" = None

    def open(self, path: Path, is_new: bool) -> "File":
        """Return the log to be continued."""
        return DiskFile(path, is_new) if self.file is None else self.file


def read_unsealed(path: Path) -> Reading:
    """Read the log that is to be continued; from now on nobody else may write to it.

    Raises LogError if it cannot be read, another process has it, or a line is none of a log: the first is named.
    """
    try:
        file = DiskFile(path, is_new=False)
        content = path.read_bytes()
    except FileNotFoundError:
        raise LogError(f"{path}: the log to be continued is gone, and with it what this node has sent") from None
    except OSError as error:
        raise LogError(f"{path}: cannot read the log to continue it: {error.strerror}") from error
    return read_whole_lines(content, name=str(path))._replace(file=file)


def read_whole_lines(content: bytes, *, name: str) -> Reading:
    """Read the bytes of a log.

    Raises LogError, which names the first line that is no line of a log.
    """
    *whole, torn = content.split(b"\n")
    lines = []
    for number, line in enumerate(whole, 1):
        try:
            lines.append(parse_line(line))
        except LogError as error:
            raise LogError(f"{name}:{number}: {error}; a damaged log cannot be continued: move it away") from None
    return Reading(lines, len(content) - len(torn), len(torn))


class File(Protocol):
    """A file that is only ever appended to; everything raises OSError."""

    def write(self, data: bytes) -> int:
        """Append bytes with one call; return how many were taken."""

    def cut(self, size: int) -> None:
        """Cut off what stands behind so many bytes."""

    def size(self) -> int:
        """Return how many bytes are there."""

    def close(self) -> None:
        """Close the file."""


class DiskFile:
    """A file of the operating system, locked: while it is open, no other process can open it in this way."""

    def __init__(self, path: Path, is_new: bool) -> None:
        """Open the file.

        Raises OSError, or LogError if another process has it.
        """
        create = os.O_CREAT | os.O_EXCL if is_new else 0
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | create, 0o644)
        if not _lock(self._file):
            os.close(self._file)
            raise LogError(f"{path}: another process writes this log; end it first, or choose another --log-dir")

    def write(self, data: bytes) -> int:
        """Append bytes with one call; return how many were taken."""
        return os.write(self._file, data)

    def cut(self, size: int) -> None:
        """Cut off what stands behind so many bytes."""
        os.ftruncate(self._file, size)

    def size(self) -> int:
        """Return how many bytes are there."""
        return os.fstat(self._file).st_size

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _lock(file: int) -> bool:
    """Try to take the lock, which ends with the process; False only if somebody else has it."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


class Journal:
    """An event log that did not exist before, or one that is continued."""

    def __init__(
        self, path: Path, *, whole_bytes: int | None = None, file: Callable[[Path, bool], File] = DiskFile
    ) -> None:
        """Create the log, or cut off what stands behind its whole lines and continue it.

        `file` opens it, and is told whether it must be new.

        Raises OutputError if the file exists or cannot be created.
        """
        self.path = path
        self._lines = _Lines()
        self._logger = structlog.wrap_logger(
            self._lines,
            processors=[_render],
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=True,
        ).bind()
        try:
            self._file = file(path, whole_bytes is None)
            if whole_bytes is not None:
                self._file.cut(whole_bytes)
        except OSError as error:
            raise OutputError(f"{path}: cannot create this log: {error.strerror}") from error

    def write(self, line: Line) -> None:
        """Add a line; it is on its way to the disk after the next flush."""
        fields = dict(cast(Mapping[str, Any], line))
        self._logger.info(fields.pop("event"), **fields)

    def flush(self) -> None:
        """Write every line added so far.

        Raises LogError if the disk took less than all of it: what follows must not leave the node.
        """
        if not self._lines.waiting:
            return
        data = b"".join(self._lines.waiting)
        self._lines.waiting.clear()
        try:
            written = self._file.write(data)
        except OSError as error:
            raise LogError(f"{self.path}: cannot write: {error.strerror}; free some space and run again") from error
        if written != len(data):
            raise LogError(f"{self.path}: only {written} of {len(data)} bytes were written; is the disk full?")

    def close(self) -> None:
        """Close the file; a log that nothing was written to goes away."""
        if self._file.size() == 0:
            self.path.unlink(missing_ok=True)
        self._file.close()


def open_journal(path: Path, reading: Reading | None) -> Journal:
    """Return a new log, or, with what was read of it, one that is continued."""
    if reading is None:
        return Journal(path)
    return Journal(path, whole_bytes=reading.whole_bytes, file=reading.open)
