"""The mesh: asyncio streams that dial, accept, and carry the bytes of connections, for the length of the run.

Never looks into the bytes: `connections` does. Source: model section 5.
"""

import asyncio
import errno
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Final, NamedTuple

import structlog

from node.complaints import Complaints
from node.connections import Accepted, Connections, Dialled
from node.dice import below, roll
from node.errors import PortTakenError, RemoteProtocolError, UnavailableError
from node.frame import GREETING_BYTES_MAX
from node.liveness import DEAD_S, LOOK_S
from node.machine import Machine

READ_BYTES: Final = 32 * 1024  # what is full of the smallest frames must not hold up the loop for 10 ms
UNSENT_BYTES_MAX: Final = 1024 * 1024
CONNECT_S_MAX: Final = 5.0
GREETING_S_MAX: Final = 2.0
STRANGERS_MAX: Final = 64
CLOSE_S_MAX: Final = 1.0
BACKOFF_S_MIN: Final = 0.05
BACKOFF_S_MAX: Final = 1.0

log = structlog.get_logger()


class Address(NamedTuple):
    """Where a node listens."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this host can reach it; of a name nothing is known, but for localhost."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Wire:
    """The transport of one connection: a stream of asyncio; `wake` is called once a congested one has room again."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        tasks: asyncio.TaskGroup,
        *,
        wake: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tasks = tasks
        self._wake = wake
        self._is_draining = False
        self._why_given_up: str | None = None
        self.host = _host_of(writer)
        """Where the peer is, as far as its connection says; asked while there is one."""

    async def read(self, bytes_max: int) -> bytes:
        """Return the next bytes, none at the end of the stream.

        Raises RemoteProtocolError if the connection was given up.
        """
        data = await self._reader.read(bytes_max)
        if self._why_given_up is not None:
            raise RemoteProtocolError(self._why_given_up)
        return data

    @property
    def is_closing(self) -> bool:
        """Whether what is handed over now would be lost."""
        return self._writer.transport.is_closing()

    @property
    def is_congested(self) -> bool:
        """Whether the peer is so slow to read that more should stay in the window."""
        return self._unsent_bytes > UNSENT_BYTES_MAX

    @property
    def _unsent_bytes(self) -> int:
        # uvloop raises where asyncio says 0.
        return 0 if self.is_closing else self._writer.transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Hand bytes to the transport."""
        self._writer.write(data)

    def wait_for_room(self) -> None:
        """Wake once the transport has room again."""
        if not self._is_draining:
            self._is_draining = True
            self._tasks.create_task(self._drain())

    def give_up(self, why: str) -> None:
        """End the connection at once, whatever is still to go out; whoever reads from it hears why."""
        self._why_given_up = why
        self._writer.transport.abort()

    def close(self) -> None:
        """Close the connection after what was handed over; if nobody takes that, without it."""
        if self._unsent_bytes:
            asyncio.get_running_loop().call_later(CLOSE_S_MAX, self._writer.transport.abort)
        self._writer.close()

    async def closed(self) -> None:
        """Close the connection and return when what was handed over is out."""
        self._writer.close()
        await self._writer.wait_closed()

    async def _drain(self) -> None:
        with suppress(OSError):  # Its reader sees the end of the connection, too.
            await self._writer.drain()
        self._is_draining = False
        self._wake()


def _host_of(writer: asyncio.StreamWriter) -> str:
    # uvloop raises where asyncio says None, of a connection that is gone.
    peer = None if writer.transport.is_closing() else writer.get_extra_info("peername")
    return str(peer[0]) if peer else "somewhere"


class Mesh:
    """All connections of one machine; `wake` is called whenever the machine may have something new to do."""

    def __init__(
        self, machine: Machine, connections: Connections, tasks: asyncio.TaskGroup, *, wake: Callable[[], None]
    ) -> None:
        self._machine = machine
        self._connections = connections
        self._tasks = tasks
        self._wake = wake
        self._server: asyncio.Server | None = None
        self._wires: set[Wire] = set()
        self._strangers: dict[Wire, None] = {}  # in the order in which they came
        self._complaints = Complaints()
        self._look: asyncio.TimerHandle | None = None
        self._greeted_by: dict[int, asyncio.Event] = {}
        self._has_ended = False

    async def listen(self, address: Address) -> int:
        """Accept connections; return the port.

        Raises PortTakenError, or UnavailableError if the address is none of this host's.
        """
        try:
            self._server = await asyncio.start_server(self._accept, *address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(f"port {address.port} on {address.host} is taken; choose another --port") from None
            raise UnavailableError(f"cannot listen on {address.host}:{address.port}: {error.strerror}") from None
        self._look_after_all()
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def dial(self, recipient: int, address: Address) -> None:
        """Keep a connection to a recipient for the length of the run.

        Raises RefusedError if the recipient will never accept us.
        """
        attempt = 0
        while True:
            greeted = self._greeted_by[recipient] = asyncio.Event()
            try:
                async with asyncio.timeout(CONNECT_S_MAX):
                    reader, writer = await asyncio.open_connection(*address)
            except (OSError, TimeoutError) as error:
                log.debug("cannot connect yet", peer=recipient, reason=str(error))
            else:
                wire = self._wire(reader, writer)
                connection = self._connections.dial(recipient, wire)
                self._wake()
                await self._carry(wire, connection)
                attempt = 0 if connection.has_greeted else attempt
            # Whoever greets us meanwhile is there, and is dialled at once.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._backoff_s(recipient, attempt)):
                    await greeted.wait()
            attempt += 1

    def end(self) -> None:
        """Accept nothing more; what was handed to a connection still goes out."""
        self._has_ended = True
        if self._look is not None:
            self._look.cancel()
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """Close every connection, the peers having a moment to take what was sent."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S_MAX):
                await asyncio.gather(*(wire.closed() for wire in self._wires), return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._has_ended:
            writer.close()
            return
        self._make_room()
        wire = self._wire(reader, writer)
        self._strangers[wire] = None
        self._tasks.create_task(self._carry(wire, self._connections.accept(wire)))

    def _make_room(self) -> None:
        """Let the oldest stranger go where there are too many: a sender of ours greets at once, a crowd does not."""
        if len(self._strangers) >= STRANGERS_MAX:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.give_up(f"more than {STRANGERS_MAX} connections without a greeting")

    def _wire(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Wire:
        wire = Wire(reader, writer, self._tasks, wake=self._wake)
        self._wires.add(wire)
        return wire

    async def _carry(self, wire: Wire, connection: Dialled | Accepted) -> None:
        """Bring a connection its bytes until it ends."""
        try:
            await self._await_greeting(wire, connection)
            self._strangers.pop(wire, None)
            if isinstance(connection, Accepted) and connection.peer in self._greeted_by:
                self._greeted_by[connection.peer].set()
            while await self._read(wire, connection, READ_BYTES):
                pass
        except (OSError, RemoteProtocolError) as error:
            self._complain(connection.peer, wire.host, str(error))
        finally:
            self._strangers.pop(wire, None)
            self._hang_up(wire)
            connection.end(time.time_ns())
            self._wake()

    async def _await_greeting(self, wire: Wire, connection: Dialled | Accepted) -> None:
        try:
            async with asyncio.timeout(GREETING_S_MAX):
                while not connection.has_greeted and await self._read(wire, connection, GREETING_BYTES_MAX):
                    pass
        except TimeoutError:
            raise RemoteProtocolError(f"no greeting within {GREETING_S_MAX} s") from None

    async def _read(self, wire: Wire, connection: Dialled | Accepted, bytes_max: int) -> bool:
        """Bring a connection some bytes; return whether there may be more."""
        data = await wire.read(bytes_max)
        connection.receive(data, time.time_ns())
        self._wake()
        return bool(data)

    def _hang_up(self, wire: Wire) -> None:
        wire.close()
        if not self._has_ended:
            self._wires.discard(wire)

    def _look_after_all(self) -> None:
        """Look after all connections, and do so again: looks that were missed are not made up for."""
        for connection in self._connections.dead():
            connection.transport.give_up(f"nothing was heard for {DEAD_S} s")
        for source, count in self._complaints.overdue(time.monotonic_ns()):
            log.warning("more connections ended", source=source, count=count)
        self._look = asyncio.get_running_loop().call_later(LOOK_S, self._look_after_all)

    def _complain(self, peer: int | None, host: str, reason: str) -> None:
        source = host if peer is None else f"node {peer}"
        if self._complaints.admit(source, time.monotonic_ns()):
            log.warning("connection ended", peer=peer, reason=reason)

    def _backoff_s(self, recipient: int, attempt: int) -> float:
        longest_s: float = min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2 ** min(attempt, 10))
        # Half of it is jitter, so that two nodes never keep meeting; its chance decides nothing in the model.
        jitter = roll(self._machine.model.seed, self._machine.model.node, attempt, 0, recipient)
        return longest_s / 2 + longest_s / 2 * below(jitter, 1000) / 1000
