"""Four ways to bring messages over a connection: ours, plain streams with our codec or json's, and raw bytes.

Never measures: a way sends, receives, and says what must have come.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, cast

from node.connections import Connection
from node.event import Message
from node.frame import FRAME, LENGTH_BYTES, ROWS_MAX, Ack, Data, Frame, Hello, Row, Welcome, encode
from node.link import Incoming, Outgoing
from node.machine import Machine
from node.mesh import READ_BYTES, Wire

SENDER, RECIPIENT = 1, 2
GREETING = Hello(
    type="hello", version=1, run="bench", sender=SENDER, recipient=RECIPIENT, incarnation=0, epoch_ns=0, base=1
)


@dataclass(frozen=True, slots=True)
class Way:
    """Both ends of a connection; what `receive` returns must be `expected`."""

    send: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    receive: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]
    expected: Any


class Codec(NamedTuple):
    """How a frame becomes bytes, its length in front, and how its body is read."""

    encode: Callable[[Data], bytes]
    decode: Callable[[bytes], Any]


def _json_bytes(frame: Data) -> bytes:
    body = json.dumps(frame).encode()
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


OURS = Codec(encode, FRAME.validate_json)
JSON = Codec(_json_bytes, json.loads)


def messages(count: int) -> list[Message]:
    """Return the first messages of a link, with numbers as long as those of a run of a minute or two."""
    return [
        Message(
            arrival_ns=100_000_000 + 3_333_333 * number,
            sender=SENDER,
            tick=number + number // 3,
            copy=0,
            incarnation=0,
            index=number + number // 3 + 1,
            stamp=number + number // 2,
            number=number,
        )
        for number in range(1, count + 1)
    ]


class _End(Connection):
    """One end as a node has it, but that its frames come to whoever awaits them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tasks: asyncio.TaskGroup) -> None:
        super().__init__(cast(Machine, None), Wire(reader, writer, tasks, wake=lambda: None))
        self._reader = reader
        self._came: list[Frame] = []

    async def frames(self) -> list[Frame]:
        """Return the next frames."""
        while not self._came:
            self.receive(await self._reader.read(READ_BYTES), 0)
        came, self._came = self._came, []
        return came

    def _greet(self, frame: Frame, wall: int) -> None:
        self._came.append(frame)

    def _take(self, frame: Frame) -> None:
        self._came.append(frame)


def ours(sent: Sequence[Message], *, rows_per_turn: int = ROWS_MAX) -> Way:
    """Use link, frame and wire as a node does: greeted, validated, windowed, and trimmed by acknowledgements."""

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link, source = Outgoing(RECIPIENT), iter(sent)
        async with asyncio.TaskGroup() as tasks:
            end = _End(reader, writer, tasks)
            end.send([GREETING])
            (welcome,) = await end.frames()
            link.connect(welcome)  # type: ignore[arg-type]  # the answer to a greeting is a welcome
            tasks.create_task(_trim(end, link, until=len(sent)))
            while batch := list(islice(source, rows_per_turn)):
                for message in batch:
                    link.push(message)
                if end.transport.is_congested:
                    await writer.drain()
                end.send(link.take())
                await asyncio.sleep(0)  # A node sends once a turn of its loop.
        assert link.base == link.last + 1 == len(sent) + 1, "the window is empty"

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[Message]:
        link, received = Incoming(SENDER, incarnation=0), list[Message]()
        async with asyncio.TaskGroup() as tasks:
            end = _End(reader, writer, tasks)
            (hello,) = await end.frames()
            link.greet(hello)  # type: ignore[arg-type]  # the first frame is a greeting
            end.send([Welcome(type="welcome", incarnation=0, have=link.have, done=link.done)])
            while link.have < len(sent):
                for frame in await end.frames():
                    for message in link.accept(frame):  # type: ignore[arg-type]  # nothing but data follows
                        received.append(message)
                        link.receive(message.number)
                if (done := link.take_done()) is not None:
                    end.send([Ack(type="ack", done=done, stopped=False)])
        return received

    return Way(send, receive, list(sent))


async def _trim(end: _End, link: Outgoing, *, until: int) -> None:
    while link.base <= until:
        for ack in await end.frames():
            link.acknowledge(ack["done"])  # type: ignore[typeddict-item]  # nothing but acknowledgements comes back


def plain(sent: Sequence[Message], codec: Codec, *, is_gathered: bool = False) -> Way:
    """Do what one writes first: a frame and a write a message, drained; `readexactly` for the length and the body.

    Gathered, the sender never lets go of the loop, and uvloop makes one write of all that it finds.
    """

    async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for message in sent:
            frame = Data(type="data", first=message.number, messages=[_as_row(message)], promise=None)
            writer.write(codec.encode(frame))
            await writer.drain()
            if not is_gathered:
                await asyncio.sleep(0)

    async def receive(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> list[Any]:
        received = []
        for _number in range(len(sent)):
            body_bytes = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
            received.append(codec.decode(await reader.readexactly(body_bytes)))
        return received

    frames = [Data(type="data", first=one.number, messages=[_as_row(one)], promise=None) for one in sent]
    return Way(send, receive, [codec.decode(codec.encode(frame)[LENGTH_BYTES:]) for frame in frames])


def raw(sent: Sequence[Message]) -> Way:
    """Send the bytes of full frames of ours as they are, and look at none."""
    rows = list(map(_as_row, sent))
    data = b"".join(
        encode(Data(type="data", first=start + 1, messages=rows[start : start + ROWS_MAX], promise=None))
        for start in range(0, len(rows), ROWS_MAX)
    )

    async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(data), READ_BYTES):
            writer.write(data[start : start + READ_BYTES])
            await writer.drain()

    async def receive(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> bytearray:
        received = bytearray()
        while len(received) < len(data):
            received += await reader.read(READ_BYTES)
        return received

    return Way(send, receive, data)


def _as_row(message: Message) -> Row:
    return message.tick, message.index, message.copy, message.stamp, message.arrival_ns
