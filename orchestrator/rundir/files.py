"""Files that appear in one step, never half, and the hashes by which a change is found.

Never knows what a file is called or what it means.
"""

import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from node.errors import OutputError

_SEAL: Final = re.compile(rb'"seal": "([0-9a-f]*)"\n}\n\Z')


def write_file(path: Path, data: bytes) -> None:
    """Write a whole file, in one step: nobody ever reads half of it."""
    made = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        made.write_bytes(data)
        made.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        # Ctrl-C, too, leaves nothing half; after replace there is nothing by that name.
        with suppress(OSError):
            made.unlink()


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file, in one step, with the keys in the order given."""
    write_file(path, orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")


def sealed(value: Mapping[str, Any]) -> bytes:
    """Return a JSON file whose last key, `seal`, is the hash of the file in which that is empty."""
    content = json.dumps({**value, "seal": ""}, indent=2, allow_nan=False).encode() + b"\n"
    return content.replace(b'"seal": ""\n}\n', b'"seal": "%s"\n}\n' % hashlib.sha256(content).hexdigest().encode())


def is_sealed(content: bytes) -> bool:
    """Return whether a JSON file is as `sealed` has made it, to the bit."""
    seal = _SEAL.search(content)
    if seal is None:
        return False
    return hashlib.sha256(content[: seal.start(1)] + content[seal.end(1) :]).hexdigest().encode() == seal[1]


def link(path: Path, target: str) -> None:
    """Let the link `path` name `target`, in one step: there is never a moment without it."""
    made = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    made.symlink_to(target, target_is_directory=True)
    try:
        made.replace(path)
    except OSError:
        made.unlink()
        raise


def names_below(directory: Path) -> list[str]:
    """Return every file below a directory, by its path from there, sorted; what a link names is not below it."""
    return sorted(path.relative_to(directory).as_posix() for path in _files_below(directory))


def sha256(path: Path) -> str | None:
    """Return the hash of a file; None for what cannot be read or is no file."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def read_object(path: Path) -> Mapping[str, Any]:
    """Return the object in a JSON file; an empty one if it holds none, or is no file."""
    try:
        value = json.loads(read_bytes(path))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def read_bytes(path: Path) -> bytes:
    """Return what is in a file; nothing if it is none: to read a pipe would wait for ever."""
    try:
        return path.read_bytes() if is_file(path) else b""
    except OSError:
        return b""


def is_file(path: Path) -> bool:
    """Return whether there is a file, and not a link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def read_hashes(manifest: Path) -> dict[str, str | None]:
    """Return the hashes that the sealed JSON file `manifest` holds under `sha256`.

    Raises ValueError if there is no reading it, or it is not as it was written.
    """
    try:
        content = manifest.read_bytes()
        hashes = json.loads(content)["sha256"]
    except FileNotFoundError:
        raise ValueError("missing") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from None
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ValueError("damaged") from None
    if not isinstance(hashes, dict):
        raise ValueError("damaged")
    if not is_sealed(content):
        raise ValueError("changed: its seal is that of other content")
    return hashes


def changes(directory: Path, names: Collection[str], hashes: Mapping[str, str | None]) -> Iterator[str]:
    """Yield each of the `names` that differs from its hash or has none, and each hash without its name, and say which.

    Opens nothing but `names`: what a damaged list of hashes names may lie anywhere.
    """
    for name in sorted({*names, *hashes}):
        shown = name if name.isprintable() else ascii(name)
        if name not in names:
            yield f"{shown}: missing"
        elif name not in hashes:
            yield f"{shown}: added"
        elif hashes[name] is None or hashes[name] != sha256(directory / name):
            yield f"{shown}: changed"


def _files_below(directory: Path) -> Iterator[Path]:
    """Yield every file below a directory; what a link names is not below it."""
    for folder, folders, files in os.walk(directory):
        for name in files:
            yield Path(folder, name)
        for name in folders:
            if (link := Path(folder, name)).is_symlink():
                yield link
