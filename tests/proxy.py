"""A TCP proxy that makes the wire as bad as wires can be: slow, narrow, crumbling, cut, or silently dead.

It never changes a byte: TCP does not either. What it makes silent it keeps silent for the life of the connection, as a
router does that has forgotten it; a new connection finds the weather of the moment.
"""

import asyncio
from contextlib import suppress
from typing import Literal, Self

Direction = Literal["there", "back"]
LOOPBACK = "127.0.0.1"


class Proxy:
    """One address that leads to another; what it does to the bytes may be changed at any time.

    `delay_s` holds every piece, `bytes_s` is how many pass in a second, `piece_bytes` how many pass at a time.
    While `silent` holds a direction, nothing passes in it, and nobody is told.
    """

    def __init__(self, target: int) -> None:
        self.delay_s = 0.0
        self.bytes_s: float | None = None
        self.piece_bytes = 65536
        self.silent: frozenset[Direction] = frozenset()
        self.is_shut = False
        self.port = 0
        self.connections = 0
        self._target = target
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """End every connection that there is."""
        for task in self._tasks:
            task.cancel()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_shut:
            writer.transport.abort()
            return
        self.connections += 1
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry the bytes of one connection until either end is over."""
        ends = [writer]
        try:
            target_reader, target_writer = await asyncio.open_connection(LOOPBACK, self._target)
            ends.append(target_writer)
            pumps = (
                asyncio.create_task(self._pump(reader, target_writer, "there")),
                asyncio.create_task(self._pump(target_reader, writer, "back")),
            )
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass
        finally:
            for end in ends:
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                # One byte at a time, but not for ever: what is long comes in pieces of a hundredth.
                size = max(self.piece_bytes, len(data) // 100) if self.piece_bytes < len(data) else len(data)
                for start in range(0, len(data), size):
                    await self._hold(size, direction)
                    writer.write(data[start : start + size])
                    await writer.drain()

    async def _hold(self, size: int, direction: Direction) -> None:
        if direction in self.silent:
            await asyncio.Event().wait()  # for the rest of this connection's life
        await asyncio.sleep(self.delay_s + (size / self.bytes_s if self.bytes_s else 0))
