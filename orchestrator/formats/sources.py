"""Where logs come from: files, folders of files, folders of run folders, gzip, stdin.

Never looks for records; it only says what is a text.
"""

import gzip
import io
import os
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from node.errors import NoInputError, NoLogError
from orchestrator.formats.records import LINE_LENGTH_MAX

STDIN: Final = Path("-")
FORMAT_SUFFIX: Final = ".format.yaml"
BYTES_MAX: Final = 1 << 30
_GZIP: Final = b"\x1f\x8b"
_MARKS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_COLOUR: Final = re.compile(r"\x1b\[[\d;]*[A-Za-z]")
"""What makes a terminal write in colours; logs that were copied from one have it."""
_NO_LOGS: Final = ("license", "licence", "readme", "copying", "notice")
_NO_LOG_SUFFIXES: Final = (
    ".md",
    ".py",
    ".yaml",
    ".yml",
    ".toml",
    ".png",
    ".svg",
    ".pdf",
    ".html",
    ".ipynb",
    ".c",
    ".java",
    ".go",
)


def short_names(sources: Sequence["Source"]) -> dict[Path, str]:
    """Return what files are called in what we say: the shortest end of each path that no other of them has."""
    paths = {source.path: source for source in sources}
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        by_name[path.name].append(path)
    found = {}
    for path, source in paths.items():
        parts = path.parts
        others = [other.parts for other in by_name[path.name] if other != path]
        length = next(
            (size for size in range(1, len(parts)) if all(other[-size:] != parts[-size:] for other in others)),
            len(parts),
        )
        found[path] = source.shown if length == 1 else "/".join(parts[-length:])
    return found


@dataclass(frozen=True)
class Source:
    """A file that may be a log: `path` as the user would type it, `name` below the folder that was given."""

    path: Path
    name: str

    @property
    def shown(self) -> str:
        """What the file is called in what we say."""
        return "stdin" if self.path == STDIN else self.path.name

    @cached_property
    def text(self) -> str:
        r"""The text, with lines that end at \n alone; what is no UTF-8 is replaced, and counted in `replaced`.

        Raises NoInputError or NoLogError.
        """
        data = _decompressed(self, _read(self))
        encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
        if encoding is None and b"\0" in data[: 1 << 16]:
            raise NoLogError(f"{self.path}: not a text: it holds bytes that are 0; name a log, or the folder of logs")
        data = _without_long_lines(data) if encoding != "utf-16" else data
        text = data.decode(encoding or "utf-8", "replace")
        text = _COLOUR.sub("", text) if "\x1b" in text else text
        return text.replace("\r\n", "\n") if "\r" in text else text

    @property
    def replaced(self) -> int:
        """How many characters could not be decoded."""
        return self.text.count("\ufffd")


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """Return the files of these paths, folders walked in the order of names.

    Raises NoInputError for a path that does not exist.
    """
    found: list[Source] = []
    for path in paths:
        if path == STDIN:
            found.append(Source(path, "stdin"))
        elif path.is_dir():
            found += [Source(file, file.relative_to(path).as_posix()) for file in _walk(path)]
        elif path.exists():
            found.append(Source(path, path.name))
        else:
            raise NoInputError(f"{path}: no such file or directory")
    return found


def formats_beside(paths: Sequence[Path]) -> list[Path]:
    """Return the format files that lie beside the logs, or in the folders given."""
    folders = [path if path.is_dir() else path.parent for path in paths if path != STDIN]
    files = [file for folder in dict.fromkeys(folders) for file in sorted(folder.glob(f"*{FORMAT_SUFFIX}"))]
    return list(dict.fromkeys(files))


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(names):
            if not _is_no_log(name) and (file := Path(parent) / name).is_file():
                yield file


def _refuse(error: OSError) -> None:
    raise NoInputError(f"{error.filename}: cannot be read: {error.strerror or error}") from error


def _is_no_log(name: str) -> bool:
    lower = name.lower()
    return name.startswith(".") or lower.endswith(_NO_LOG_SUFFIXES) or lower.split(".")[0] in _NO_LOGS


def _read(source: Source) -> bytes:
    try:
        if source.path == STDIN:
            return sys.stdin.buffer.read(BYTES_MAX + 1)
        with source.path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise NoInputError(f"{source.path}: cannot be read: {error.strerror or error}") from error
    if len(data) > BYTES_MAX:
        raise NoLogError(f"{source.path}: larger than 1 GiB; check a part of it at a time")
    return data


def _decompressed(source: Source, data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            text = file.read(BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NoLogError(f"{source.path}: a damaged gzip file: {error}") from error
    if len(text) > BYTES_MAX:
        raise NoLogError(f"{source.path}: larger than 1 GiB when unpacked; check a part of it at a time")
    return text


def _without_long_lines(data: bytes) -> bytes:
    """Return the data with what no expression is searched in cut down to a remainder that matches nothing."""
    if len(data) <= LINE_LENGTH_MAX:
        return data
    if all(len(block) and b"\n" in block for block in _blocks(data)):
        return data
    lines = data.split(b"\n")
    return b"\n".join(line if len(line) <= LINE_LENGTH_MAX else b"(a line of %d bytes)" % len(line) for line in lines)


def _blocks(data: bytes) -> Iterator[bytes]:
    half = LINE_LENGTH_MAX // 2
    return (data[start : start + half] for start in range(0, len(data), half))
