"""A node as a process of the live lab: it says and hears JSON lines, and ends in some way.

Never starts one, and never decides what its death means.
"""

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from node.errors import PortTakenError, ScaleModelError
from orchestrator.labs.observer import Observer

SEAL_S_MAX: Final = 5.0


class NodeDiedError(ScaleModelError):
    """A node ended before it was told to."""

    def __init__(self, node: int, code: int, words: str) -> None:
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        super().__init__(f"machine {node} ended {how}" + (f": {words}" if words else ""))
        self.code = code

    @property
    def is_accident(self) -> bool:
        """Whether it was killed, or did not get its old port back; all else a node says of itself, and means it."""
        return self.code < 0 or self.code == PortTakenError.exit_code


class Node:
    """One node as a process; it says and hears JSON lines."""

    def __init__(
        self, node: int, process: asyncio.subprocess.Process, *, stderr_path: Path, observer: Observer
    ) -> None:
        self.node = node
        self.port = 0
        self._process = process
        self._stderr_path = stderr_path
        self._observer = observer
        self._has_ended = False

    async def hear(self, key: str) -> Any:
        """Return what the node says next, under `key`.

        Raises NodeDiedError if it says nothing more.
        """
        return (await self.words())[key]

    async def words(self) -> dict[str, Any]:
        """Return what the node says next.

        Raises NodeDiedError if it says nothing more.
        """
        assert self._process.stdout is not None, "stdout is a pipe"
        line = await self._process.stdout.readline()
        if not line:
            raise NodeDiedError(self.node, await self._process.wait(), self._last_words())
        words: dict[str, Any] = orjson.loads(line)
        return words

    def tell(self, **words: object) -> None:
        """Send the node one line."""
        assert self._process.stdin is not None, "stdin is a pipe"
        self._process.stdin.write(orjson.dumps(words, option=orjson.OPT_NON_STR_KEYS) + b"\n")

    def dismiss(self) -> None:
        """End the node's stdin: it seals its log if need be, and exits."""
        assert self._process.stdin is not None, "stdin is a pipe"
        self._process.stdin.close()

    async def ended(self) -> None:
        """Return when the node has exited; one that takes too long is killed."""
        if self._has_ended:
            return
        try:
            async with asyncio.timeout(SEAL_S_MAX):
                code = await self._process.wait()
        except TimeoutError:
            self.kill()
            code = await self._process.wait()
        self._has_ended = True
        self._observer.note("exit", node=self.node, code=code, wall=time.time_ns())

    def kill(self) -> None:
        """Kill the node, which may be stopped and never hear that its stdin has ended."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def _last_words(self) -> str:
        _, error, words = self._stderr_path.read_text(errors="replace").rpartition("error: ")
        return words.strip() if error else ""
