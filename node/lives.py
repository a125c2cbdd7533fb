"""The two ends of the connection between two machines: its links, one for each incarnation of the sender.

Never opens a connection. What an incarnation had sent when it was forgotten stands in its machine's log, and so in a
window, until it is received. Source: model section 5.
"""

from collections.abc import Iterator

from node.errors import RemoteProtocolError
from node.event import Message, MessageId
from node.frame import Ack, Data, Hello, Leave, Left, Welcome
from node.link import Incoming, Outgoing


class Outlet:
    """The sender's end: the window of the newest incarnation, and those of older ones that are not empty yet."""

    def __init__(self, recipient: int) -> None:
        self.recipient = recipient
        self.newest = Outgoing(recipient)
        self.has_left = False
        self._older: list[Outgoing] = []
        self._greeted_as = 0
        self._has_asked_to_leave = False

    @property
    def is_connected(self) -> bool:
        """Whether the recipient has answered our greeting, and is still there."""
        return self.newest.is_connected

    def push(self, message: Message) -> None:
        """Add a message, the next of its incarnation."""
        if message.incarnation > self.newest.incarnation:
            self._begin(message.incarnation)
        self.newest.push(message)

    def greet(self) -> tuple[int, int]:
        """Return the incarnation and the base that our greeting names."""
        self._greeted_as = self.newest.incarnation
        return self.newest.incarnation, self.newest.base

    def older(self) -> list[tuple[int, int]]:
        """Return the older incarnations that have a window, each with the number of its last message."""
        return [(link.incarnation, link.last) for link in self._older]

    def connect(self, welcome: Welcome) -> None:
        """Begin a connection; every window is sent again.

        Raises LocalProtocolError as a link does.
        """
        for link in (*self._older, self.newest):
            if link.incarnation == self._greeted_as:
                link.connect(welcome)
            else:
                link.connect_unasked()

    def disconnect(self) -> None:
        """End the connection."""
        self.newest.disconnect()
        self.has_left = self._has_asked_to_leave = False

    def acknowledge(self, frame: Ack) -> None:
        """Trim a window; an older one that is empty is no longer needed.

        Raises RemoteProtocolError if what is acknowledged was never sent.
        """
        incarnation = frame.get("incarnation", 0)
        for link in (*self._older, self.newest):
            if link.incarnation == incarnation:
                link.acknowledge(frame["done"])
        if incarnation > self.newest.incarnation:
            raise RemoteProtocolError(f"an acknowledgement to incarnation {incarnation}, which is still to come")
        self._older = [link for link in self._older if not link.is_done]

    def take(self, *, leaves: bool) -> Iterator[Data | Leave]:
        """Yield what the connection lacks, the older first, and at the end, if we leave, the question that says so."""
        for link in (*self._older, self.newest):
            yield from link.take()
        if leaves and not self._has_asked_to_leave:
            self._has_asked_to_leave = True
            yield Leave(type="leave")

    def leave(self, answer: Left) -> None:
        """Take in the answer to our question.

        Raises RemoteProtocolError if it is none, or something did not come.
        """
        if not self._has_asked_to_leave or answer["have"] != self.newest.last:
            raise RemoteProtocolError(f"an answer for {answer['have']} messages; {self.newest.last} were sent")
        self.has_left = True

    def _begin(self, incarnation: int) -> None:
        older = self.newest
        older.retire()
        self._older += [] if older.is_done else [older]
        self.newest = Outgoing(self.recipient, incarnation)
        self.newest.is_connected = older.is_connected


class Inlet:
    """The receiver's end: what it has, and has received, of each incarnation of a sender."""

    def __init__(self, sender: int) -> None:
        self.sender = sender
        self.is_connected = False
        self.has_greeted = False
        self._links: dict[int, Incoming] = {}
        self._older: dict[int, int] = {}
        self._is_asked = False

    @property
    def has_older(self) -> bool:
        """Whether everything is here that older incarnations had in their windows when the sender greeted."""
        have = self.have()
        return all(have.get(incarnation, 0) >= last for incarnation, last in self._older.items())

    @property
    def incarnation(self) -> int:
        """The newest incarnation that is known."""
        return max(self._links, default=0)

    def have(self) -> dict[int, int]:
        """Return, by incarnation, the number of the last message that is here."""
        return {incarnation: link.have for incarnation, link in sorted(self._links.items())}

    def greet(self, hello: Hello) -> Incoming:
        """Begin a connection, and return the link that the greeting is about.

        Raises RefusedError as a link does.
        """
        greeted = self._links.get(hello["incarnation"]) or Incoming(self.sender, hello["incarnation"])
        greeted.greet(hello)
        self._links[greeted.incarnation] = greeted
        for link in self._links.values():
            if link is not greeted:
                link.connect_unasked()
        self._older = dict(hello.get("older", ()))
        self.is_connected = self.has_greeted = True
        self._is_asked = False
        return greeted

    def disconnect(self) -> None:
        """End the connection."""
        self.is_connected = self._is_asked = False

    def accept(self, frame: Data) -> tuple[list[Message], int]:
        """Return the new messages of a frame, and how many of their incarnation are here by now.

        Raises RemoteProtocolError at a gap.
        """
        link = self._link(frame.get("incarnation", 0))
        return list(link.accept(frame)), link.have

    def receive(self, message: MessageId, number: int) -> None:
        """Note that a message is received."""
        self._link(message.incarnation).receive(number)

    def is_received(self, message: MessageId, number: int) -> bool:
        """Return whether a message is received."""
        return self._link(message.incarnation).is_received(number)

    def rewind(self) -> None:
        """Begin again after a restart."""
        for link in self._links.values():
            link.rewind()

    def ask(self) -> None:
        """Note that the sender leaves, and asks what is here."""
        self._is_asked = True

    def take_answers(self, *, stopped: bool, tells_stopped: bool) -> Iterator[Ack | Left]:
        """Yield the acknowledgements that the sender does not have yet, and the answer to its question."""
        for incarnation, link in sorted(self._links.items()):
            done = link.take_done()
            if done is not None or (tells_stopped and incarnation == self.incarnation):
                ack = Ack(type="ack", done=link.done, stopped=stopped)
                if incarnation:
                    ack["incarnation"] = incarnation
                yield ack
        if self._is_asked:
            self._is_asked = False
            yield Left(type="left", have=self._link(self.incarnation).have)

    def _link(self, incarnation: int) -> Incoming:
        if incarnation not in self._links:
            self._links[incarnation] = Incoming(self.sender, incarnation)
            self._links[incarnation].rewind()  # Nobody has greeted for it: its numbers begin at 1.
        return self._links[incarnation]
