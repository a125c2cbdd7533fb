"""The epoch that nodes by hand agree on through a file: the first whose mesh is complete writes it, the others read it.

Never knows the machine. No two nodes can disagree: a mesh is complete only after every node has greeted, so whoever
calls `clear` before it greets can remove only what an earlier run left behind. Source: model section 6.
"""

import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from node.errors import OutputError

EPOCH_BYTES_MAX: Final = 20


class EpochFile:
    """A file with one Unix time in ns; all nodes of a run must name the same, and each must name all others."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def clear(self) -> None:
        """Remove what an earlier run left behind; call it before anybody can be greeted.

        Raises OutputError if it cannot be removed, or holds something else than an epoch.
        """
        if self._read() is None:
            return
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot remove this old epoch: {error.strerror}") from error

    def agree(self, now_ns: int) -> int:
        """Return the epoch of all: `now_ns` for whoever is first; call it once the mesh is complete.

        Raises OutputError if the file cannot be written or read.
        """
        written = self.path.with_name(f".{self.path.name}-{secrets.token_hex(8)}")
        try:
            written.write_bytes(b"%d\n" % now_ns)
            try:
                # A link appears at once with all its content, and only where nobody was first.
                with suppress(FileExistsError):
                    self.path.hardlink_to(written)
            finally:
                written.unlink()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot write the epoch: {error.strerror}") from error
        epoch_ns = self._read()
        if epoch_ns is None:
            raise OutputError(f"{self.path}: somebody removed the epoch of this run; start every node again")
        return epoch_ns

    def _read(self) -> int | None:
        """Return the epoch in the file; None if there is no file."""
        try:
            with self.path.open("rb") as file:
                content = file.read(EPOCH_BYTES_MAX + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutputError(f"{self.path}: cannot read this epoch: {error.strerror}") from error
        digits = content.removesuffix(b"\n")
        if len(content) > EPOCH_BYTES_MAX or not digits.isdigit():
            raise OutputError(f"{self.path}: this is not the epoch of a run; name another --epoch-file")
        return int(digits)
