"""The connections of one machine, without their sockets: greetings, refusals, and whose frames are heard.

Never touches a socket, and never decides what a frame means: bytes come in, frames go to the machine, and what it has
for its peers goes out. Source: model section 5.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from node.errors import RefusedError, RemoteProtocolError
from node.frame import FRAME_BYTES_MAX, GREETING_BYTES_MAX, Decoder, Frame, Ping, encode
from node.greeting import refusal
from node.liveness import Liveness
from node.machine import Machine


class Transport(Protocol):
    """What carries the bytes of one connection."""

    @property
    def is_closing(self) -> bool:
        """Whether what is handed over now would be lost."""

    @property
    def is_congested(self) -> bool:
        """Whether the peer is so slow to read that more should stay in the window."""

    def write(self, data: bytes) -> None:
        """Send bytes as soon as there is room."""

    def wait_for_room(self) -> None:
        """Have the machine looked after again once the connection is not congested any more."""

    def give_up(self, why: str) -> None:
        """End the connection at once, whatever is still to go out."""

    def close(self) -> None:
        """Close the connection behind what was handed over."""


class Connection:
    """One end of one connection; `peer` is None until a stranger has greeted."""

    def __init__(self, machine: Machine, transport: Transport, peer: int | None = None) -> None:
        self.peer = peer
        self.has_greeted = False
        self.transport = transport
        self._machine = machine
        self._decoder = Decoder(GREETING_BYTES_MAX)
        self._liveness = Liveness()

    def receive(self, data: bytes, wall: int) -> None:
        """Take in bytes, none at the end of the stream.

        Raises RemoteProtocolError if the connection is beyond repair; RefusedError or LocalProtocolError if the peer
        that we dialled will never accept us.
        """
        if not data and self._decoder.has_rest:
            raise RemoteProtocolError("the connection ended inside a frame")
        self._liveness.hear()
        frames = self._decoder.feed(data)
        if frames and not self.has_greeted:
            # From now on frames may have their full size.
            self._decoder.bytes_max = FRAME_BYTES_MAX
            self._greet(frames.pop(0), wall)
            self.has_greeted = True
        for frame in frames:
            if frame["type"] != "ping":
                self._take(frame)

    def send(self, frames: Iterable[Frame]) -> None:
        """Hand frames to the transport in one write; if it is closed already, they stay where they are."""
        if self.transport.is_closing:
            return
        if data := b"".join(map(encode, frames)):
            self._liveness.say()
            self.transport.write(data)

    def is_dead(self) -> bool:
        """Take a look at the peer, and let it see that we are there."""
        finding = self._liveness.look()
        if finding == "ping":
            self.send([Ping(type="ping")])
        return finding == "dead"

    def _greet(self, frame: Frame, wall: int) -> None:
        raise NotImplementedError

    def _take(self, frame: Frame) -> None:
        raise NotImplementedError


class Dialled(Connection):
    """The sender's end, which dialled and has greeted first."""

    def __init__(self, connections: "Connections", machine: Machine, transport: Transport, recipient: int) -> None:
        super().__init__(machine, transport, recipient)
        self.recipient = recipient
        self._connections = connections

    def end(self, wall: int) -> None:
        """Note that the connection is gone."""
        self.transport.close()
        if self.has_greeted:
            self._connections.forget_recipient(self.recipient)
            self._machine.lose_recipient(self.recipient, wall)

    def _greet(self, frame: Frame, wall: int) -> None:
        self._machine.welcome(self.recipient, frame, wall)
        self._connections.talk_to(self.recipient, self)

    def _take(self, frame: Frame) -> None:
        self._machine.acknowledge(self.recipient, frame)


class Accepted(Connection):
    """The receiver's end, which waits for a greeting."""

    def __init__(self, connections: "Connections", machine: Machine, transport: Transport) -> None:
        super().__init__(machine, transport)
        self._connections = connections

    def end(self, wall: int) -> None:
        """Note that the connection is gone; if its sender has dialled again, nobody misses it."""
        self.transport.close()
        if self.peer is not None and self._connections.forget_sender(self.peer, self):
            self._machine.lose_sender(self.peer, wall)

    def _greet(self, frame: Frame, wall: int) -> None:
        if frame["type"] != "hello":
            raise RemoteProtocolError(f"a frame {frame['type']!r} in place of a greeting")
        try:
            welcome = self._machine.greet(frame, wall)
        except RefusedError as error:
            self.send([refusal(error)])
            raise RemoteProtocolError(str(error)) from error
        self.peer = frame["sender"]
        self._connections.listen_to(self.peer, self)
        self._connections.say(self, welcome)

    def _take(self, frame: Frame) -> None:
        assert self.peer is not None, "it has greeted"
        # A sender that dials again is heard on its new connection alone.
        if self._connections.hears(self.peer, self):
            self._machine.receive(self.peer, frame)


class Connections:
    """All connections of one machine: which of them counts, and what goes out on it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._to: dict[int, Dialled] = {}
        self._from: dict[int, Accepted] = {}
        self._greetings: list[tuple[Connection, Frame]] = []

    def dial(self, recipient: int, transport: Transport) -> Dialled:
        """Begin a connection that we have dialled; our greeting goes out with the next flush."""
        connection = Dialled(self, self._machine, transport, recipient)
        self.say(connection, self._machine.hello(recipient))
        return connection

    def accept(self, transport: Transport) -> Accepted:
        """Begin a connection that somebody has dialled."""
        return Accepted(self, self._machine, transport)

    def flush(self) -> None:
        """Send what the machine has for its peers; the log must have been written before."""
        greetings, self._greetings = self._greetings, []
        for connection, frame in greetings:
            connection.send([frame])
        for recipient, dialled in self._to.items():
            if dialled.transport.is_congested:
                dialled.transport.wait_for_room()
            else:
                dialled.send(self._machine.take_frames(recipient))
        for sender, accepted in self._from.items():
            accepted.send(self._machine.take_answers(sender))

    def dead(self) -> Iterator[Connection]:
        """Yield the connections on which nobody is there any more; call it every `liveness.LOOK_S`, and no faster."""
        yield from [connection for connection in (*self._to.values(), *self._from.values()) if connection.is_dead()]

    # For the connections.

    def say(self, connection: Connection, greeting: Frame) -> None:
        """Send a greeting, or the answer to one, with the next flush."""
        self._greetings.append((connection, greeting))

    def talk_to(self, recipient: int, connection: Dialled) -> None:
        """Send to a recipient on this connection."""
        self._to[recipient] = connection

    def forget_recipient(self, recipient: int) -> None:
        """Send to a recipient no more."""
        self._to.pop(recipient)

    def listen_to(self, sender: int, connection: Accepted) -> None:
        """Hear a sender on this connection, and no longer on an older one."""
        if (old := self._from.get(sender)) is not None:
            old.transport.close()
        self._from[sender] = connection

    def hears(self, sender: int, connection: Accepted) -> bool:
        """Return whether a sender is heard on this connection."""
        return self._from.get(sender) is connection

    def forget_sender(self, sender: int, connection: Accepted) -> bool:
        """Hear a sender no more on this connection; return whether it was heard there."""
        was_heard = self.hears(sender, connection)
        if was_heard:
            self._from.pop(sender)
        return was_heard
