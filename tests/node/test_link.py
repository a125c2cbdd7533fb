"""Links: each message once, in order, over connections that break anywhere."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from node.errors import LocalProtocolError, RefusedError, RemoteProtocolError
from node.event import Message
from node.frame import FRAME_BYTES_MAX, ROWS_MAX, Data, Decoder, Frame, Hello, Welcome, encode
from node.link import Incoming, Outgoing
from node.pace import END_NS, Horizon, Promise

SENDER, RECIPIENT, INCARNATION = 1, 2, 3
EVERYTHING = 10**9
# How many messages a tick sends, as if it were many ticks: none, a few, or more than a frame.
MESSAGES = st.one_of(st.integers(0, 3), st.just(0), st.sampled_from([ROWS_MAX - 1, ROWS_MAX, ROWS_MAX + 1, 300]))
# How many bytes arrive: a few, some frames, or all.
BYTES = st.one_of(st.integers(0, 60), st.integers(0, 6_000), st.just(EVERYTHING), st.just(EVERYTHING))


def message(number: int) -> Message:
    """Return the message of a number; no two of its fields are alike, none is like another message's."""
    return Message(
        arrival_ns=number * 1_000 + 1,
        sender=SENDER,
        tick=number * 2,
        copy=number % 2,
        incarnation=INCARNATION,
        index=number * 2 + 1,
        stamp=number * 3,
        number=number,
    )


def row(number: int) -> tuple[int, int, int, int, int]:
    """Return what the wire carries of a message: its number is its position."""
    each = message(number)
    return each.tick, each.index, each.copy, each.stamp, each.arrival_ns


def hello(base: int) -> Hello:
    """Return the greeting of the sender whose window begins at `base`."""
    return Hello(
        type="hello",
        version=1,
        run="demo",
        sender=SENDER,
        recipient=RECIPIENT,
        incarnation=INCARNATION,
        epoch_ns=0,
        base=base,
    )


def welcome(have: int, done: int) -> Welcome:
    """Return the answer of a receiver."""
    return Welcome(type="welcome", incarnation=0, have=have, done=done)


def data(first: int, count: int, promise: tuple[int | None, int] | None = None) -> Data:
    """Return a frame of `count` messages."""
    return Data(type="data", first=first, messages=[row(first + each) for each in range(count)], promise=promise)


def sender(count: int = 0, *, have: int = 0, done: int = 0) -> Outgoing:
    """Return a sender's end that has sent `count` messages and is connected to a receiver that has some."""
    link = Outgoing(RECIPIENT)
    for number in range(1, count + 1):
        link.push(message(number))
    link.connect(welcome(have, done))
    return link


def receiver(have: int = 0, *, received: Iterable[int] = (), base: int = 1) -> Incoming:
    """Return a receiver's end that was greeted, has messages, and has received some."""
    link = Incoming(SENDER, INCARNATION)
    link.greet(hello(base))
    list(link.accept(data(base, have)))
    for number in received:
        link.receive(number)
    return link


# The sender's end.


def test_messages_go_out_in_order_and_once() -> None:
    """A frame carries an array of messages and the number of the first."""
    link = sender(3)

    assert list(link.take()) == [data(1, 3)]
    assert list(link.take()) == []


def test_a_message_goes_out_behind_those_before_it() -> None:
    """The next frame begins where the last one ended."""
    link = sender(3)
    list(link.take())
    link.push(message(4))

    assert list(link.take()) == [data(4, 1)]


def test_a_message_out_of_its_order_is_a_mistake_of_ours() -> None:
    """The channel numbers messages, the link counts them."""
    with pytest.raises(AssertionError, match="numbered in order"):
        sender(3).push(message(5))


@pytest.mark.parametrize("count", [ROWS_MAX - 1, ROWS_MAX, ROWS_MAX + 1, 2 * ROWS_MAX, 3 * ROWS_MAX - 1])
def test_a_window_that_is_too_long_for_a_frame_is_split_and_its_promise_rides_last(count: int) -> None:
    """A promise goes behind the messages that it covers: on the last piece, and on no other."""
    link = sender(count)
    link.promise(500)
    frames = list(link.take())
    firsts = list(range(1, count + 1, ROWS_MAX))

    assert [frame["first"] for frame in frames] == firsts
    assert [each for frame in frames for each in frame["messages"]] == [row(number) for number in range(1, count + 1)]
    assert [frame["promise"] for frame in frames] == [None] * (len(firsts) - 1) + [(500, count)]


def test_a_promise_without_messages_has_a_frame_of_its_own() -> None:
    """After a tick that sent nothing, too; it names the last message sent."""
    link = sender(2)
    list(link.take())
    link.promise(500)

    assert list(link.take()) == [data(3, 0, promise=(500, 2))]


def test_a_promise_goes_out_once_a_connection() -> None:
    """What the peer knows is not said again."""
    link = sender(1)
    link.promise(500)
    list(link.take())
    link.promise(500)

    assert list(link.take()) == []


def test_only_the_newest_promise_goes_out() -> None:
    """Several ticks in one turn of the loop need one promise."""
    link = sender()
    for due_ns in (100, 200, 300):
        link.promise(due_ns)

    assert list(link.take()) == [data(1, 0, promise=(300, 0))]


def test_the_promise_of_an_end_is_null_on_the_wire() -> None:
    """For good: nothing more will be sent."""
    link = sender(1)
    link.promise(END_NS)

    assert list(link.take()) == [data(1, 1, promise=(None, 1))]


@pytest.mark.parametrize("done", [0, 2])
def test_on_a_new_connection_the_promise_comes_again_even_if_nothing_changed(done: int) -> None:
    """It may have been lost with the old one, and the receiver would wait for ever."""
    link = sender(2)
    link.promise(500)
    list(link.take())
    link.acknowledge(done)
    link.disconnect()
    link.connect(welcome(have=2, done=done))

    assert list(link.take()) == [data(3, 0, promise=(500, 2))]


def test_on_a_new_connection_the_promise_comes_behind_what_is_sent_again() -> None:
    """Only once the window has been resent is it true for the receiver."""
    link = sender(3)
    link.promise(500)
    list(link.take())
    link.disconnect()
    link.connect(welcome(have=1, done=0))

    assert list(link.take()) == [data(2, 2, promise=(500, 3))]


@pytest.mark.parametrize("have", range(6))
def test_what_the_receiver_has_not_is_sent_again_and_nothing_else(have: int) -> None:
    """Also what was pushed while nobody was connected."""
    link = sender(4)
    list(link.take())
    link.disconnect()
    link.push(message(5))
    link.connect(welcome(have=have, done=0))

    assert list(link.take()) == ([data(have + 1, 5 - have)] if have < 5 else [])


def test_what_was_half_taken_when_the_connection_broke_is_sent_again_from_the_receivers_place() -> None:
    """Nothing is left over from the old connection."""
    link = sender(2 * ROWS_MAX)
    next(link.take())
    link.disconnect()
    link.connect(welcome(have=ROWS_MAX // 2, done=0))
    again = [each for frame in link.take() for each in frame["messages"]]

    assert again == [row(number) for number in range(ROWS_MAX // 2 + 1, 2 * ROWS_MAX + 1)]


def test_the_window_is_trimmed_to_what_was_received_and_no_further() -> None:
    """Not to what the receiver has: its queue is volatile."""
    link = sender(5)
    list(link.take())
    link.disconnect()
    link.connect(welcome(have=4, done=2))
    before = link.base
    link.acknowledge(3)

    assert (before, link.base, link.last) == (3, 4, 5)


def test_an_acknowledgement_may_come_again() -> None:
    """An old one changes nothing."""
    link = sender(5)
    link.acknowledge(4)
    link.acknowledge(2)

    assert (link.base, link.last) == (5, 5)


def test_the_base_of_an_empty_window_is_the_number_of_the_next_message() -> None:
    """At the beginning, and when everything is received."""
    fresh, used = sender(), sender(5, have=5, done=5)

    assert [(link.base, link.last) for link in (fresh, used)] == [(1, 0), (6, 5)]


def test_numbers_go_on_behind_a_trimmed_window() -> None:
    """The position on a link never begins again."""
    link = sender(3, have=3, done=3)
    link.push(message(4))

    assert list(link.take()) == [data(4, 1)]


def test_an_acknowledgement_of_what_was_never_sent_ends_the_connection() -> None:
    """The peer is wrong, not we."""
    link = sender(3)

    with pytest.raises(RemoteProtocolError, match=r"^an acknowledgement of message 4; the last sent is 3$"):
        link.acknowledge(4)


def test_a_receiver_that_has_what_was_never_sent_belongs_to_another_run() -> None:
    """Our log does not fit: that is for good."""
    with pytest.raises(LocalProtocolError, match=r"^node 2 has 4 messages of ours, but only 3 were sent"):
        sender(3, have=4)


def test_a_link_knows_whether_it_is_connected() -> None:
    """Both ends: from the greeting to the end of the connection."""
    out, into = Outgoing(RECIPIENT), Incoming(SENDER, INCARNATION)
    before = out.is_connected, into.is_connected
    out.connect(welcome(0, 0))
    into.greet(hello(1))
    during = out.is_connected, into.is_connected
    out.disconnect()
    into.disconnect()

    assert (before, during, (out.is_connected, into.is_connected)) == ((False, False), (True, True), (False, False))


# The receiver's end.


def test_a_message_comes_out_as_it_went_in() -> None:
    """Arrival, stamp, place and name; the number by its position, sender and incarnation by the link."""
    assert list(receiver().accept(data(1, 3))) == [message(1), message(2), message(3)]


def test_a_message_that_comes_again_is_dropped() -> None:
    """n <= have: nothing, wherever the frame is cut."""
    link = receiver(have=3)

    assert list(link.accept(data(2, 2))) == []
    assert list(link.accept(data(2, 4))) == [message(4), message(5)]
    assert link.have == 5


@pytest.mark.parametrize("count", [0, 1])
def test_a_gap_ends_the_connection(count: int) -> None:
    """Even before a frame without messages: its promise would be about something else."""
    link = receiver(have=3)

    with pytest.raises(RemoteProtocolError, match=r"^message 5 after message 3: a gap$"):
        list(link.accept(data(5, count)))

    assert link.have == 3


def test_a_receiver_that_knows_nothing_of_a_sender_starts_before_its_window() -> None:
    """What is no longer in the window was received by somebody once."""
    link = receiver(base=8)

    assert (link.have, link.done) == (7, 7)
    assert list(link.accept(data(8, 1))) == [message(8)]


def test_a_receiver_greeted_again_keeps_what_it_has() -> None:
    """The window begins behind what it has acknowledged, not behind what it has."""
    link = receiver(have=5, received=[1, 2])
    link.disconnect()
    link.greet(hello(2))

    assert (link.have, link.done) == (5, 2)


@pytest.mark.parametrize("base", [1, 2, 3])
def test_a_window_may_begin_anywhere_up_to_the_first_message_not_received(base: int) -> None:
    """done >= base - 1."""
    link = receiver(have=5, received=[1, 2])
    link.greet(hello(base))

    assert link.is_connected


def test_a_window_without_a_message_that_was_never_received_is_refused() -> None:
    """That message is gone, in one line that says which."""
    link = receiver(have=5, received=[1, 2])

    with pytest.raises(RefusedError) as refusal:
        link.greet(hello(4))

    assert str(refusal.value) == (
        "node 1 is refused: its window begins at message 4, but only 2 are received here: is this log of another run?"
    )


def test_having_is_not_receiving() -> None:
    """Acknowledged means received, in the log; the queue is volatile."""
    link = receiver(have=3)

    assert (link.done, link.take_done()) == (0, None)


@pytest.mark.parametrize(("received", "done"), [([1], 1), ([2], 0), ([2, 1], 2), ([3, 1], 1), ([3, 2, 1], 3)])
def test_everything_up_to_done_is_received(received: list[int], done: int) -> None:
    """Numbers received above a hole wait for it."""
    assert receiver(have=3, received=received).done == done


def test_done_is_said_once() -> None:
    """An acknowledgement only if the sender does not know it yet."""
    link = receiver(have=3, received=[1, 2])

    assert (link.take_done(), link.take_done()) == (2, None)


def test_a_greeting_says_done_by_itself() -> None:
    """The answer to it has carried `done`; only what follows needs an acknowledgement."""
    link = receiver(have=3, received=[1, 2])
    link.disconnect()
    link.greet(hello(1))
    before = link.take_done()
    link.receive(3)

    assert (before, link.take_done()) == (None, 3)


# Both ends, and everything between them.


@dataclass
class Connection:
    """A connection: bytes under way in either direction, and what either end has made of them."""

    to_receiver: bytearray = field(default_factory=bytearray)
    to_sender: bytearray = field(default_factory=bytearray)
    of_receiver: Decoder = field(default_factory=Decoder)
    of_sender: Decoder = field(default_factory=Decoder)

    def __post_init__(self) -> None:
        self.of_receiver.bytes_max = self.of_sender.bytes_max = FRAME_BYTES_MAX

    def arrive_at_receiver(self, count: int) -> list[Frame]:
        """Let so many bytes arrive."""
        return self._arrive(self.to_receiver, self.of_receiver, count)

    def arrive_at_sender(self, count: int) -> list[Frame]:
        """Let so many bytes arrive."""
        return self._arrive(self.to_sender, self.of_sender, count)

    @staticmethod
    def _arrive(stream: bytearray, decoder: Decoder, count: int) -> list[Frame]:
        piece = bytes(stream[:count])
        del stream[:count]
        return decoder.feed(piece)


class HostileChannel(RuleBasedStateMachine):
    """A link whose bytes come in any pieces, whose connections end anywhere, and whose receives are in any order.

    Law: every message is delivered once, in order and intact; no promise is believed before all that it covers is
    here; the window holds whatever is not received; and once the channel is kind again, everything is there.
    """

    @initialize(numbers_before=st.sampled_from([0, 0, 5]))
    def begin(self, numbers_before: int) -> None:
        """Start; perhaps at a sender whose first messages somebody else has received."""
        self.out = Outgoing(RECIPIENT)
        for number in range(1, numbers_before + 1):
            self.out.push(message(number))
        self.out.acknowledge(numbers_before)
        self.into = Incoming(SENDER, INCARNATION)
        self.horizon = Horizon({SENDER: 0})
        self.connection: Connection | None = None
        self.old: Connection | None = None
        self.before = numbers_before
        self.due_ns = 0
        self.last_at: dict[int, int] = {}
        self.delivered: list[Message] = []
        self.waiting: list[Message] = []
        self.received: set[int] = set(range(1, numbers_before + 1))

    # The sender.

    @rule(count=MESSAGES)
    def tick_at_sender(self, count: int) -> None:
        """Send some messages, and promise when the next may follow."""
        for _ in range(count):
            self.out.push(message(self.out.last + 1))
        self.due_ns += 10
        self.out.promise(self.due_ns)
        self.last_at[self.due_ns] = self.out.last

    # The receiver.

    @precondition(lambda self: self.waiting)
    @rule(where=st.integers(0, EVERYTHING))
    def receive(self, where: int) -> None:
        """Receive any message that waits, not only the first."""
        number = self.waiting.pop(where % len(self.waiting)).number
        self.received.add(number)
        self.into.receive(number)

    # The channel.

    @rule(frames=st.sampled_from([0, 1, EVERYTHING]), count=BYTES)
    def carry_to_receiver(self, frames: int, count: int) -> None:
        """Hand over some frames, dialling first if nobody is connected, and let some of the bytes arrive."""
        if self.connection is None:
            self.connection = Connection()
            self.connection.to_receiver += encode(hello(self.out.base))
        if self.out.is_connected:
            for frame in islice(self.out.take(), frames):
                self.connection.to_receiver += encode(frame)
        for frame in self.connection.arrive_at_receiver(count):
            if frame["type"] == "hello":
                self.into.greet(frame)
                self.connection.to_sender += encode(welcome(self.into.have, self.into.done))
            else:
                self.deliver(frame)

    @rule()
    def exchange(self) -> None:
        """Let everything arrive, here and there."""
        self.carry_to_receiver(EVERYTHING, EVERYTHING)
        self.carry_to_sender(EVERYTHING)
        self.carry_to_receiver(EVERYTHING, EVERYTHING)

    @precondition(lambda self: self.connection and self.into.is_connected)
    @rule(count=BYTES)
    def carry_to_sender(self, count: int) -> None:
        """Acknowledge, and let some bytes of the way back arrive."""
        done = self.into.take_done()
        if done is not None:
            self.connection.to_sender += encode({"type": "ack", "done": done, "stopped": False})
        for frame in self.connection.arrive_at_sender(count):
            if frame["type"] == "welcome":
                self.out.connect(frame)
            else:
                self.out.acknowledge(frame["done"])

    @precondition(lambda self: self.old)
    @rule(count=BYTES)
    def carry_what_was_read_from_the_old_connection(self, count: int) -> None:
        """Let bytes of the connection before arrive, which a receiver may still have in its hands."""
        for frame in self.old.arrive_at_receiver(count):
            if frame["type"] == "data":
                self.deliver(frame)

    @precondition(lambda self: self.connection)
    @rule(messages=MESSAGES, count=BYTES, is_read=st.booleans())
    def cut(self, messages: int, count: int, is_read: bool) -> None:
        """End the connection in the middle of what was just sent; the rest is lost, or already in somebody's hands."""
        self.tick_at_sender(messages)
        self.carry_to_receiver(EVERYTHING, count)
        self.old = self.connection if is_read and self.into.is_connected else None
        self.connection = None
        self.out.disconnect()
        self.into.disconnect()

    def deliver(self, frame: Data) -> None:
        """Take in a frame as a machine does: first its messages, then its promise."""
        messages = list(self.into.accept(frame))
        self.delivered += messages
        self.waiting += messages
        if frame["promise"] is not None:
            due_ns, seq = frame["promise"]
            assert due_ns is not None
            self.horizon.apply(SENDER, Promise(due_ns, seq), have=self.into.have)

    # The law.

    @invariant()
    def every_message_is_delivered_once_in_order_and_intact(self) -> None:
        """Whatever was delivered is a beginning of what was sent."""
        count = len(self.delivered)

        assert self.delivered == [message(number) for number in range(self.before + 1, self.before + count + 1)]

    @invariant()
    def the_window_holds_whatever_is_not_received(self) -> None:
        """The sender trims to `done` only, and `done` is everything up to the first message not received."""
        done = self.before
        while done + 1 in self.received:
            done += 1

        assert self.into.done in (done, 0)
        assert self.out.base - 1 <= done

    @invariant()
    def no_promise_is_believed_before_all_that_it_covers_is_here(self) -> None:
        """have >= seq: a tick is safe only if nothing that could still come arrives before it."""
        for due_ns, last in self.last_at.items():
            if self.horizon.is_safe(due_ns):
                assert last <= self.into.have

    def teardown(self) -> None:
        """Once the channel is kind, everything is delivered, received and acknowledged, the newest promise too."""
        if not hasattr(self, "out"):
            return
        self.exchange()
        while self.waiting:
            self.receive(0)
        self.exchange()
        self.every_message_is_delivered_once_in_order_and_intact()

        assert (self.out.base, self.into.have, self.into.done) == (self.out.last + 1, self.out.last, self.out.last)
        assert self.due_ns == 0 or self.horizon.is_safe(self.due_ns)
        assert not self.connection.of_receiver.has_rest


HostileChannel.TestCase.settings = settings(
    max_examples=400,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
test_every_message_is_delivered_once_and_in_order_over_a_hostile_channel = HostileChannel.TestCase


def test_a_receiver_that_lacks_what_is_trimmed_is_a_local_error() -> None:
    """What was trimmed cannot be sent again: that peer has lost its log, or is another run's."""
    link = Outgoing(2)
    link.base, link.last = 6, 5  # five messages sent, received and trimmed
    with pytest.raises(LocalProtocolError):
        link.connect(Welcome(type="welcome", incarnation=0, have=0, done=0))
