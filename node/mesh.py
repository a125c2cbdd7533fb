"""The mesh: asyncio streams that dial, accept, greet, and carry frames; redialled for the length of the run.

Never decides: every frame goes to the machine, every frame out is taken from it. Source: model section 5.
"""

import asyncio
import errno
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import Final, NamedTuple

import structlog

from node.dice import below, roll
from node.errors import PortTakenError, ProtocolError, RefusedError, RemoteProtocolError, UnavailableError
from node.frame import FRAME_BYTES_MAX, GREETING_BYTES_MAX, Decoder, Frame, encode
from node.greeting import refusal
from node.machine import Machine

READ_BYTES: Final = 256 * 1024
UNSENT_BYTES_MAX: Final = 1024 * 1024
CONNECT_S_MAX: Final = 5.0
GREETING_S_MAX: Final = 2.0
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
    """One connection: frames in, frames out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = Decoder(GREETING_BYTES_MAX)
        self.is_draining = False

    async def receive(self) -> list[Frame]:
        """Return the next frames, none at the end of the stream.

        Raises RemoteProtocolError for what is no frame of ours, or is cut off.
        """
        while data := await self._reader.read(READ_BYTES):
            if frames := self._decoder.feed(data):
                return frames
        if self._decoder.has_rest:
            raise RemoteProtocolError("the connection ended inside a frame")
        return []

    async def receive_greeting(self) -> list[Frame]:
        """Return the first frames of a connection; from then on frames may have their full size.

        Raises RemoteProtocolError as `receive` does, or if nothing comes in time.
        """
        try:
            async with asyncio.timeout(GREETING_S_MAX):
                frames = await self.receive()
        except TimeoutError:
            raise RemoteProtocolError(f"no greeting within {GREETING_S_MAX} s") from None
        self._decoder.bytes_max = FRAME_BYTES_MAX
        return frames

    def send(self, frames: Iterable[Frame]) -> None:
        """Hand frames to the transport in one write; if it is closed already, they stay where they are."""
        if self._writer.transport.is_closing():
            return
        if data := b"".join(map(encode, frames)):
            self._writer.write(data)

    @property
    def is_congested(self) -> bool:
        """Whether the peer is so slow to read that more should stay in the window."""
        transport = self._writer.transport
        # uvloop raises where asyncio says 0.
        return not transport.is_closing() and transport.get_write_buffer_size() > UNSENT_BYTES_MAX

    async def drain(self) -> None:
        """Wait until the transport has room again."""
        await self._writer.drain()

    def close(self) -> None:
        """Close the connection after what was handed over."""
        self._writer.close()

    async def closed(self) -> None:
        """Close the connection and return when what was handed over is out."""
        self._writer.close()
        await self._writer.wait_closed()


class Mesh:
    """All connections of one machine; `wake` is called whenever the machine may have something new to do."""

    def __init__(self, machine: Machine, tasks: asyncio.TaskGroup, *, wake: Callable[[], None]) -> None:
        self._machine = machine
        self._tasks = tasks
        self._wake = wake
        self._to: dict[int, Wire] = {}
        self._from: dict[int, Wire] = {}
        self._greetings: list[tuple[Wire, Frame]] = []
        self._server: asyncio.Server | None = None
        self._wires: set[Wire] = set()
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
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def dial(self, recipient: int, address: Address) -> None:
        """Keep a connection to a recipient for the length of the run.

        Raises RefusedError if the recipient will never accept us.
        """
        attempt = 0
        while True:
            try:
                async with asyncio.timeout(CONNECT_S_MAX):
                    reader, writer = await asyncio.open_connection(*address)
            except (OSError, TimeoutError) as error:
                log.debug("cannot connect yet", peer=recipient, reason=str(error))
            else:
                attempt = 0 if await self._talk_to(recipient, self._wire(reader, writer)) else attempt
            await asyncio.sleep(self._backoff_s(recipient, attempt))
            attempt += 1

    def flush(self) -> None:
        """Send what the machine has for its peers; the log must have been written before."""
        greetings, self._greetings = self._greetings, []
        for wire, frame in greetings:
            wire.send([frame])
        for recipient, wire in self._to.items():
            if wire.is_congested:
                self._flush_once_drained(wire)
            else:
                wire.send(self._machine.take_frames(recipient))
        for sender, wire in self._from.items():
            wire.send(self._machine.take_answers(sender))

    def end(self) -> None:
        """Accept nothing more; what was handed to a connection still goes out."""
        self._has_ended = True
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """Close every connection, the peers having a moment to take what was sent."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S_MAX):
                await asyncio.gather(*(wire.closed() for wire in self._wires), return_exceptions=True)

    async def _talk_to(self, recipient: int, wire: Wire) -> bool:
        """Greet a recipient and read its answers until the connection ends; return whether it answered."""
        has_answered = False
        try:
            self._say(wire, self._machine.hello(recipient))
            answers = await wire.receive_greeting()
            if not answers:
                return False
            self._machine.welcome(recipient, answers[0], time.time_ns())
            has_answered = True
            self._to[recipient] = wire
            log.info("connected", peer=recipient)
            frames = answers[1:]
            while True:
                for frame in frames:
                    self._machine.acknowledge(recipient, frame)
                self._wake()
                if not (frames := await wire.receive()):
                    return True
        except (OSError, RemoteProtocolError) as error:
            log.warning("connection ended", peer=recipient, reason=str(error))
        finally:
            self._hang_up(wire)
            if has_answered:
                self._to.pop(recipient)
                self._machine.lose_recipient(recipient, time.time_ns())
                self._wake()
        return has_answered

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._has_ended:
            writer.close()
        else:
            self._tasks.create_task(self._serve(self._wire(reader, writer)))

    def _wire(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Wire:
        wire = Wire(reader, writer)
        self._wires.add(wire)
        return wire

    async def _serve(self, wire: Wire) -> None:
        """Read from one sender until its connection ends."""
        sender = None
        try:
            frames = await wire.receive_greeting()
            if not frames:
                return
            sender = self._greet(wire, frames[0])
            frames = frames[1:]
            # A sender that dials again is heard on its new connection alone.
            while self._from.get(sender) is wire:
                for frame in frames:
                    self._machine.receive(sender, frame)
                self._wake()
                if not (frames := await wire.receive()):
                    return
        except (OSError, ProtocolError) as error:
            log.warning("connection ended", peer=sender, reason=str(error))
        finally:
            self._hang_up(wire)
            if sender is not None and self._from.get(sender) is wire:
                self._from.pop(sender)
                self._machine.lose_sender(sender, time.time_ns())
                self._wake()

    def _greet(self, wire: Wire, frame: Frame) -> int:
        if frame["type"] != "hello":
            raise RemoteProtocolError(f"a frame {frame['type']!r} in place of a greeting")
        try:
            welcome = self._machine.greet(frame, time.time_ns())
        except RefusedError as error:
            wire.send([refusal(error)])
            raise
        sender = frame["sender"]
        if (old := self._from.get(sender)) is not None:
            old.close()
        self._from[sender] = wire
        self._say(wire, welcome)
        return sender

    def _hang_up(self, wire: Wire) -> None:
        wire.close()
        if not self._has_ended:
            self._wires.discard(wire)

    def _say(self, wire: Wire, frame: Frame) -> None:
        self._greetings.append((wire, frame))
        self._wake()

    def _flush_once_drained(self, wire: Wire) -> None:
        async def drain() -> None:
            with suppress(OSError):  # Its reader sees the end of the connection, too.
                await wire.drain()
            wire.is_draining = False
            self._wake()

        if not wire.is_draining:
            wire.is_draining = True
            self._tasks.create_task(drain())

    def _backoff_s(self, recipient: int, attempt: int) -> float:
        longest_s: float = min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2 ** min(attempt, 10))
        # Half of it is jitter, so that two nodes never keep meeting; its chance decides nothing in the model.
        jitter = roll(self._machine.model.seed, self._machine.model.node, attempt, 0, recipient)
        return longest_s / 2 + longest_s / 2 * below(jitter, 1000) / 1000
