"""Connections without sockets: who is heard, who is refused, and what goes out on which."""

import pytest

from node.connections import Accepted, Connections, Dialled
from node.errors import RefusedError, RemoteProtocolError
from node.frame import GREETING_BYTES_MAX, Decoder, Frame, Hello, Leave, encode
from node.machine import Machine
from tests.clusters import cluster


class FakeTransport:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.is_closing = False
        self.is_congested = False
        self.waits = False
        self._decoder = Decoder(1 << 20)
        self.sent: list[Frame] = []

    def write(self, data: bytes) -> None:
        self.sent += self._decoder.feed(data)

    def wait_for_room(self) -> None:
        self.waits = True

    def close(self) -> None:
        self.is_closing = True

    @property
    def types(self) -> list[str]:
        return [frame["type"] for frame in self.sent]


def node(number: int) -> Connections:
    """Return the connections of one of two machines."""
    return Connections(Machine(cluster(2)[number], run="test", pace="fast"))


def hello(**changes: object) -> Hello:
    """Return a greeting of machine 2 to machine 1."""
    greeting = node(2)._machine.hello(1)
    return {**greeting, **changes}  # type: ignore[typeddict-item]


def greeted(connections: Connections) -> tuple[Accepted, FakeTransport]:
    """Return a connection on which machine 2 has greeted machine 1."""
    transport = FakeTransport()
    connection = connections.accept(transport)
    connection.receive(encode(hello()), 0)
    return connection, transport


def welcomed(connections: Connections) -> tuple[Dialled, FakeTransport]:
    """Return a connection on which machine 2 has answered machine 1."""
    transport = FakeTransport()
    connection = connections.dial(2, transport)
    connection.receive(encode({"type": "welcome", "incarnation": 0, "have": 0, "done": 0}), 0)
    return connection, transport


def test_a_greeting_and_its_answer_wait_for_the_flush() -> None:
    """Nothing leaves before the log is written, greetings included."""
    connections = node(1)
    _, accepted = greeted(connections)
    dialled = FakeTransport()
    connections.dial(2, dialled)

    assert [] == accepted.sent == dialled.sent
    connections.flush()
    assert (["welcome"], ["hello"]) == (accepted.types, dialled.types)


def test_a_mesh_is_complete_once_both_ends_have_greeted() -> None:
    connections = node(1)
    assert [2] == connections._machine.missing
    greeted(connections)
    assert [2] == connections._machine.missing
    welcomed(connections)
    assert [] == connections._machine.missing


def test_who_is_refused_hears_why_at_once() -> None:
    transport = FakeTransport()
    with pytest.raises(RemoteProtocolError, match="it belongs to the run 'other', this node to 'test'"):
        node(1).accept(transport).receive(encode(hello(run="other")), 0)

    assert ["refusal"] == transport.types


def test_who_refuses_us_ends_us() -> None:
    """It is for good, and no matter of one connection."""
    with pytest.raises(RefusedError, match="node 2 refuses node 1: no"):
        node(1).dial(2, FakeTransport()).receive(encode({"type": "refusal", "reason": "no"}), 0)


@pytest.mark.parametrize("frame", [Leave(type="leave"), {"type": "ack", "done": 0, "stopped": False}], ids=str)
def test_a_stranger_must_greet_first(frame: Frame) -> None:
    with pytest.raises(RemoteProtocolError, match="in place of a greeting"):
        node(1).accept(FakeTransport()).receive(encode(frame), 0)


def test_a_stranger_may_send_little_and_a_sender_more() -> None:
    data = (GREETING_BYTES_MAX + 1).to_bytes(4, "big")
    greeted(node(1))[0].receive(data, 0)
    with pytest.raises(RemoteProtocolError, match="at most 4096"):
        node(1).accept(FakeTransport()).receive(data, 0)


def test_a_connection_that_ends_inside_a_frame_is_broken() -> None:
    connection, _ = greeted(node(1))
    connection.receive(b"", 0)
    connection.receive(b"\0\0", 0)
    with pytest.raises(RemoteProtocolError, match="ended inside a frame"):
        connection.receive(b"", 0)


def test_a_sender_that_dials_again_is_heard_on_its_new_connection_alone() -> None:
    """The old one is closed, and neither its frames nor its end count any more."""
    connections = node(1)
    old, transport = greeted(connections)
    greeted(connections)
    inlet = connections._machine.incoming[2]

    assert transport.is_closing
    old.receive(encode(Leave(type="leave")), 0)
    old.end(0)
    assert inlet.is_connected
    assert [] == [answer["type"] for answer in inlet.take_answers(stopped=False, tells_stopped=False)]


def test_the_end_of_a_connection_is_told_to_the_machine_once_it_was_greeted() -> None:
    connections = node(1)
    node(1).accept(FakeTransport()).end(0)
    node(1).dial(2, FakeTransport()).end(0)
    accepted, dialled = greeted(connections)[0], welcomed(connections)[0]
    accepted.end(0)
    dialled.end(0)

    assert not connections._machine.incoming[2].is_connected
    assert not connections._machine.outgoing[2].is_connected


def test_what_a_slow_peer_does_not_read_stays_in_the_window() -> None:
    connections = node(1)
    _, transport = welcomed(connections)
    connections._machine.start(0, 0)
    transport.is_congested = True
    connections.flush()
    assert (["hello"], True) == (transport.types, transport.waits)
    transport.is_congested = False
    connections.flush()
    assert ["hello", "epoch", "data"] == transport.types


def test_nothing_is_handed_to_a_connection_that_is_closed() -> None:
    connections = node(1)
    _, transport = welcomed(connections)
    transport.close()
    connections._machine.start(0, 0)
    connections.flush()

    assert [] == transport.sent
