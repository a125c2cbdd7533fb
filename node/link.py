"""Links: each message once, in order, over connections that break; one end each for sender and receiver.

Never opens a connection, never drops a message. Source: model section 5.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from node.errors import LocalProtocolError, RefusedError, RemoteProtocolError
from node.event import Message
from node.frame import ROWS_MAX, Data, Hello, Row, Welcome, WirePromise
from node.pace import END_NS, Promise


class Outgoing:
    """The sender's end: a window of messages that are not yet known to be received."""

    def __init__(self, recipient: int, incarnation: int = 0) -> None:
        self.recipient = recipient
        self.incarnation = incarnation  # the one of ours that sends, or sent
        self.is_connected = False
        self.base = 1  # the number of the first message in the window, or of the next one if it is empty
        self.last = 0  # the number of the last message so far
        self._window: deque[Row] = deque()
        self._unsent: deque[Row] = deque()
        self._promise: Promise | None = None
        self._promise_sent: Promise | None = None

    def push(self, message: Message) -> None:
        """Add a message, the next of the link."""
        self.last += 1
        assert message.number == self.last, "messages are numbered in order"
        row = (message.tick, message.index, message.copy, message.stamp, message.arrival_ns)
        self._window.append(row)
        self._unsent.append(row)

    def promise(self, due_ns: int) -> None:
        """Promise that nothing more will be sent before `due_ns`."""
        self._promise = Promise(due_ns, self.last)

    def connect(self, welcome: Welcome) -> None:
        """Begin a connection: what the receiver has not is sent again, and the promise behind it.

        Raises LocalProtocolError if the receiver has what was never sent, or has not what is already trimmed.
        """
        if welcome["have"] > self.last:
            raise LocalProtocolError(
                f"node {self.recipient} has {welcome['have']} messages of ours, but only {self.last} were sent: "
                "is this log of another run?"
            )
        if welcome["done"] < self.base - 1:
            raise LocalProtocolError(
                f"node {self.recipient} has received {welcome['done']} messages of ours, and those up to "
                f"{self.base - 1} are no longer kept: is its log of another run?"
            )
        self.acknowledge(welcome["done"])
        self._send_again(max(0, welcome["have"] - self.base + 1))

    def connect_unasked(self) -> None:
        """Begin a connection that was greeted for another incarnation: the whole window is sent again."""
        self._send_again(0)

    def _send_again(self, from_row: int) -> None:
        self._unsent = deque(islice(self._window, from_row, None))
        self._promise_sent = None
        self.is_connected = True

    def retire(self) -> None:
        """Note that a new incarnation sends from now on, and promises; the window stays."""
        self._promise = self._promise_sent = None

    @property
    def is_done(self) -> bool:
        """Whether every message so far is known to be received."""
        return not self._window

    def disconnect(self) -> None:
        """End the connection; whatever was under way is in the window."""
        self.is_connected = False

    def acknowledge(self, done: int) -> None:
        """Trim the window: everything up to `done` is received.

        Raises RemoteProtocolError if it was never sent.
        """
        if done > self.last:
            raise RemoteProtocolError(f"an acknowledgement of message {done}; the last sent is {self.last}")
        while self.base <= done:
            self._window.popleft()
            self.base += 1

    def take(self) -> Iterator[Data]:
        """Yield the frames that the connection lacks; a promise goes behind the messages that it covers."""
        while self._unsent:
            first = self.last - len(self._unsent) + 1
            rows = [self._unsent.popleft() for _ in range(min(ROWS_MAX, len(self._unsent)))]
            yield self._data(first, rows, None if self._unsent else self._take_promise())
        if self._promise != self._promise_sent:
            yield self._data(self.last + 1, [], self._take_promise())

    def _data(self, first: int, rows: list[Row], promise: WirePromise | None) -> Data:
        frame = Data(type="data", first=first, messages=rows, promise=promise)
        if self.incarnation:
            frame["incarnation"] = self.incarnation
        return frame

    def _take_promise(self) -> WirePromise | None:
        self._promise_sent = self._promise
        if self._promise is None:
            return None
        return None if self._promise.due_ns == END_NS else self._promise.due_ns, self._promise.seq


class Incoming:
    """The receiver's end: what it has, and what its log says it has received."""

    def __init__(self, sender: int, incarnation: int) -> None:
        self.sender = sender
        self.incarnation = incarnation
        self.is_connected = False
        self.have = 0
        self.done = 0
        self._done_sent: int | None = 0
        self._received_above: set[int] = set()
        self._is_known = False

    def greet(self, hello: Hello) -> None:
        """Begin a connection.

        Raises RefusedError if messages that were never received are no longer in the sender's window.
        """
        if not self._is_known:
            self.have = self.done = hello["base"] - 1
            self._is_known = True
        if self.done < hello["base"] - 1:
            raise RefusedError(
                f"node {self.sender} is refused: its window begins at message {hello['base']}, "
                f"but only {self.done} are received here: "
                "is this log of another run?"
            )
        self._done_sent = self.done
        self.is_connected = True

    def connect_unasked(self) -> None:
        """Begin a connection that was greeted for another incarnation: the sender does not know what is done."""
        self._done_sent = None
        self.is_connected = True

    def disconnect(self) -> None:
        """End the connection."""
        self.is_connected = False

    def rewind(self) -> None:
        """Begin again after a restart: what was not received is no longer here, and its sender still has it."""
        self.have = self.done
        self._is_known = True

    def accept(self, frame: Data) -> Iterator[Message]:
        """Yield the messages of a frame that are new, numbered in order; arrivals as the sender gave them.

        Raises RemoteProtocolError at a gap.
        """
        if frame["first"] > self.have + 1:
            raise RemoteProtocolError(f"message {frame['first']} after message {self.have}: a gap")
        new = frame["messages"][self.have + 1 - frame["first"] :]  # what was sent again may be here already
        for tick, index, copy, stamp, arrival_ns in new:
            self.have += 1
            if self.have in self._received_above:
                continue  # Only after a restart: received out of order, and sent again with the ones before it.
            yield Message(
                arrival_ns=arrival_ns,
                sender=self.sender,
                tick=tick,
                copy=copy,
                incarnation=self.incarnation,
                index=index,
                stamp=stamp,
                number=self.have,
            )

    def receive(self, number: int) -> None:
        """Note that a message is received: its event is in the log or will be before anything is sent."""
        assert not self.is_received(number), "each message is received once"
        self._received_above.add(number)
        while self.done + 1 in self._received_above:
            self.done += 1
            self._received_above.remove(self.done)

    def is_received(self, number: int) -> bool:
        """Return whether a message is received."""
        return number <= self.done or number in self._received_above

    def take_done(self) -> int | None:
        """Return `done` if the sender does not know it yet."""
        if self.done == self._done_sent:
            return None
        self._done_sent = self.done
        return self.done
