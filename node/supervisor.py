"""Who starts a run and ends it: a person at a terminal, or an orchestrator at stdin and stdout.

Never touches the machine. Source: model section 6.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

import orjson
import structlog
from pydantic import Field, TypeAdapter, ValidationError

from node.daemon import Daemon
from node.epoch import EpochFile
from node.errors import UsageError
from node.mesh import Address

RELEASE_S_MAX: Final = 5.0
SENDER_ABSENCE_S_MAX: Final = 5.0

log = structlog.get_logger()


class ByHand:
    """A person: the addresses come from the command line, the epoch is the moment the mesh is complete.

    That moment is the node's own unless it is given, or agreed on with the others through a file.
    """

    sender_absence_s_max: float | None = SENDER_ABSENCE_S_MAX

    def __init__(
        self, addresses: dict[int, Address], *, host: str, epoch_ns: int | None, epoch_file: EpochFile | None = None
    ) -> None:
        self._addresses = addresses
        self._host = host
        self._epoch_ns = epoch_ns
        self._epoch_file = epoch_file

    async def attend(self, daemon: Daemon) -> None:
        """Do nothing: a person sends signals."""

    async def addresses(self, port: int) -> dict[int, Address]:
        """Say where the node listens and whom it waits for."""
        peers = ", ".join(f"node {node}" for node in self._addresses)
        log.info(f"listening on {self._host}:{port}; waiting for {peers or 'nobody'}")
        return self._addresses

    async def epoch_ns(self) -> int:
        """Begin now, with the first of all, or at the moment given."""
        log.info("the mesh is complete: the run begins")
        if self._epoch_file is not None:
            return self._epoch_file.agree(time.time_ns())
        return time.time_ns() if self._epoch_ns is None else self._epoch_ns

    def go_down(self) -> None:
        """Never called: a machine that is to crash is refused where nobody would restart it."""
        raise AssertionError("nobody would restart this node")

    async def release(self, daemon: Daemon) -> None:
        """Serve the peers until each has said that it needs nothing more."""
        try:
            await daemon.until(lambda: daemon.machine.is_released, RELEASE_S_MAX)
        except TimeoutError:
            log.warning("a peer never said that it has stopped")


_PEERS: TypeAdapter[dict[str, dict[int, tuple[str, int]]]] = TypeAdapter(dict[str, dict[int, tuple[str, int]]])
_EPOCH: TypeAdapter[dict[str, int]] = TypeAdapter(dict[str, Annotated[int, Field(strict=True)]])


class Control:
    """An orchestrator: JSON lines on stdin and stdout; the end of stdin ends the node."""

    sender_absence_s_max: float | None = None

    def __init__(self) -> None:
        self._lines: asyncio.Queue[bytes] = asyncio.Queue(maxsize=16)
        self._is_over = asyncio.Event()

    async def attend(self, daemon: Daemon) -> None:
        """Read what the orchestrator says until its end."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            await self._lines.put(line)
        self._is_over.set()
        if not daemon.machine.has_stopped:
            daemon.interrupt()

    async def addresses(self, port: int) -> dict[int, Address]:
        """Print `{"port", "pid"}`, read `{"peers": {node: [host, port]}}`."""
        _say({"port": port, "pid": os.getpid()})
        peers = (await self._hear(_PEERS))["peers"]
        return {node: Address(*address) for node, address in peers.items()}

    async def epoch_ns(self) -> int:
        """Print `{"ready": true}`, read `{"epoch_ns"}`."""
        _say({"ready": True})
        return int((await self._hear(_EPOCH))["epoch_ns"])

    def go_down(self) -> None:
        """Print `{"down": true}` and die, as a process does that is killed."""
        _say({"down": True})
        # Windows has no SIGKILL; there every signal ends a process at once.
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    async def release(self, daemon: Daemon) -> None:
        """Print `{"stopped": true}`; the end of stdin says that everybody has."""
        _say({"stopped": True})
        await self._is_over.wait()

    async def _hear(self, adapter: TypeAdapter[Any]) -> Any:
        line = await self._lines.get()
        try:
            return adapter.validate_json(line)
        except ValidationError:
            raise UsageError(f"--control: {line[:80]!r} is not what should come now") from None


def _say(words: Mapping[str, object]) -> None:
    sys.stdout.buffer.write(orjson.dumps(words) + b"\n")
    sys.stdout.buffer.flush()
