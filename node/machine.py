"""One machine of a cluster: its process, promises and links joined; it decides everything and performs nothing.

Never does I/O: what must be written and sent is taken from it, the lines always before the frames.
Source: model sections 4 to 6.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from node.errors import RefusedError, RemoteProtocolError
from node.frame import WIRE_VERSION, Ack, Data, Epoch, Frame, Hello, Refusal, Welcome
from node.link import Incoming, Outgoing
from node.model import Model, Pace
from node.pace import END_NS, Horizon, Promise, may_tick
from node.process import Process
from node.record import EndLine, HeldBack, Line, LinkLine, StopLine, event_line, start_line


class Machine:
    """What one node knows and decides; the daemon brings it bytes and time, and takes away lines and frames."""

    def __init__(self, model: Model, *, run: str, pace: Pace, incarnation: int = 0) -> None:
        self.model = model
        self.run = run
        self.pace: Pace = pace
        self.incarnation = incarnation
        self.epoch_ns: int | None = None
        self.has_stopped = False
        self.process = Process(model, incarnation)
        self.outgoing = {peer: Outgoing(peer) for peer in model.peers}
        self.incoming: dict[int, Incoming] = {}
        self._horizon = Horizon(dict.fromkeys(model.senders, model.network.delay_ns))
        self._lines: list[Line] = []
        self._welcomed_by: set[int] = set()
        self._released_by: set[int] = set()
        self._epoch_told: set[int] = set()
        self._stop_told: set[int] = set()
        self._sender_epoch_ns: dict[int, int] = {}
        self._early: list[tuple[Incoming, Data]] = []
        self._is_interrupted = False
        self._is_held = False
        self._held_back = HeldBack(ticks=0, total_ns=0, max_ns=0)

    # The mesh.

    @property
    def missing(self) -> list[int]:
        """The nodes that have not greeted, or not answered our greeting, ascending."""
        return sorted(set(self.model.peers) - self._welcomed_by | set(self.model.senders) - set(self.incoming))

    def hello(self, recipient: int) -> Hello:
        """Return our greeting for a recipient that we have just dialled."""
        if self.epoch_ns is not None:
            self._epoch_told.add(recipient)
        return Hello(
            type="hello",
            version=WIRE_VERSION,
            run=self.run,
            sender=self.model.node,
            recipient=recipient,
            incarnation=self.incarnation,
            epoch_ns=self.epoch_ns,
            base=self.outgoing[recipient].base,
        )

    def greet(self, hello: Hello, wall: int) -> Welcome:
        """Take in the greeting of a sender and return our answer.

        Raises RefusedError if the two of us can never work together.
        """
        sender = hello["sender"]
        self._refuse_strangers(hello)
        link = self.incoming.get(sender)
        if link is None or link.incarnation < hello["incarnation"]:
            link = Incoming(sender, hello["incarnation"])
        link.greet(hello)
        self.incoming[sender] = link
        self._stop_told.discard(sender)
        if hello["epoch_ns"] is not None:
            self._sender_epoch_ns[sender] = hello["epoch_ns"]
        self._note_link(sender, "from", "up", wall)
        return Welcome(type="welcome", incarnation=self.incarnation, have=link.have, done=link.done)

    def welcome(self, recipient: int, answer: Frame, wall: int) -> None:
        """Take in the answer to our greeting.

        Raises RefusedError if it is a refusal, RemoteProtocolError if it is no answer.
        """
        if answer["type"] == "refusal":
            raise RefusedError(f"node {recipient} refuses node {self.model.node}: {answer['reason']}")
        if answer["type"] != "welcome":
            raise RemoteProtocolError(f"a frame {answer['type']!r} in place of an answer to our greeting")
        self.outgoing[recipient].connect(answer)
        self._welcomed_by.add(recipient)
        self._note_link(recipient, "to", "up", wall)

    def lose_recipient(self, recipient: int, wall: int) -> None:
        """Note that the connection to a recipient is gone."""
        self.outgoing[recipient].disconnect()
        self._epoch_told.discard(recipient)
        self._note_link(recipient, "to", "down", wall)

    def lose_sender(self, sender: int, wall: int) -> None:
        """Note that the connection from a sender is gone."""
        self.incoming[sender].disconnect()
        self._note_link(sender, "from", "down", wall)

    # Frames in.

    def receive(self, sender: int, frame: Frame) -> None:
        """Take in a frame of a sender that has greeted.

        Raises RemoteProtocolError if it is out of place.
        """
        if frame["type"] == "epoch":
            self._sender_epoch_ns[sender] = frame["epoch_ns"]
        elif frame["type"] == "data":
            if sender not in self._sender_epoch_ns:
                raise RemoteProtocolError("data before the epoch in which its times are given")
            if self.epoch_ns is None:
                self._early.append((self.incoming[sender], frame))
            else:
                self._accept(self.incoming[sender], frame)
        else:
            raise RemoteProtocolError(f"a frame {frame['type']!r} from a sender")

    def acknowledge(self, recipient: int, frame: Frame) -> None:
        """Take in a frame of a recipient that has answered our greeting.

        Raises RemoteProtocolError if it is out of place.
        """
        if frame["type"] != "ack":
            raise RemoteProtocolError(f"a frame {frame['type']!r} from a recipient")
        self.outgoing[recipient].acknowledge(frame["done"])
        if frame["stopped"]:
            self._released_by.add(recipient)

    # Time.

    def start(self, epoch_ns: int, wall: int) -> None:
        """Begin the run; `epoch_ns` is Unix ns."""
        assert self.epoch_ns is None, "a machine starts once"
        self.epoch_ns = epoch_ns
        self._lines.insert(
            0,
            start_line(
                self.model,
                run=self.run,
                incarnation=self.incarnation,
                pace=self.pace,
                epoch_ns=epoch_ns,
                wall=wall,
            ),
        )
        early, self._early = self._early, []
        for link, frame in early:
            if self.incoming[link.sender] is link:
                self._accept(link, frame)
        self._promise_next()
        if self.next_due_ns is None:
            self._end(wall)

    @property
    def next_due_ns(self) -> int | None:
        """When the next tick is due, in ns since the epoch; None after the last, or once interrupted."""
        return None if self._is_interrupted else self.process.next_due_ns

    @property
    def is_finished(self) -> bool:
        """Whether no tick will follow."""
        return self.epoch_ns is not None and self.next_due_ns is None

    def may_tick(self, now_ns: int) -> bool:
        """Return whether the next tick may happen at `now_ns` since the epoch."""
        due_ns = self.next_due_ns
        if self.epoch_ns is None or due_ns is None:
            return False
        answer = may_tick(self.pace, due_ns, now_ns=now_ns, horizon=self._horizon)
        self._is_held = self._is_held or (not answer and self.pace == "exact" and now_ns >= due_ns)
        return answer

    def holding_back(self) -> list[int]:
        """Return the senders without whose promise the next tick is not safe."""
        due_ns = self.next_due_ns
        return [] if due_ns is None or self.pace == "free" else self._horizon.holding_back(due_ns)

    def tick(self, now_ns: int, wall: int) -> None:
        """Execute the next tick, which `may_tick` has allowed."""
        if self._is_held:
            self._note_held_back(now_ns)
        step = self.process.tick()
        self._lines.append(event_line(step.event, wall))
        for recipient, message in step.sent:
            self.outgoing[recipient].push(message)
        if step.event.cause is not None and step.event.number is not None:
            self.incoming[step.event.cause.node].receive(step.event.number)
        self._promise_next()
        if self.process.next_due_ns is None:
            self._end(wall)

    # The end.

    @property
    def may_stop(self) -> bool:
        """Whether every link has ended, so that the stop record can be written."""
        return (
            self.is_finished
            and not self._is_interrupted
            and not self.has_stopped
            and all(self._horizon.has_ended(sender) for sender in self.model.senders)
        )

    @property
    def absent_senders(self) -> list[int]:
        """The senders that are not connected although more must come from them."""
        return [
            sender
            for sender in self.model.senders
            if not self._horizon.has_ended(sender) and not self.incoming[sender].is_connected
        ]

    @property
    def is_released(self) -> bool:
        """Whether no peer needs anything more of this machine."""
        return self._released_by >= set(self.model.peers)

    def stop(self, wall: int) -> None:
        """Write the stop record: what is left of the messages, as memory has it."""
        unreceived = self.process.unreceived()
        incoming = [
            (
                sender,
                sum(m.sender == sender and m.arrival_ns < self.model.duration_ns for m, _ in unreceived),
                sum(m.sender == sender and m.arrival_ns >= self.model.duration_ns for m, _ in unreceived),
            )
            for sender in self.model.senders
        ]
        late = [(m.sender, m.incarnation, m.index, m.copy, seen_ns) for m, seen_ns in unreceived if seen_ns is not None]
        self._lines.append(
            StopLine(
                event="stop",
                node=self.model.node,
                incarnation=self.incarnation,
                events=self.process.index,
                incoming=incoming,
                late=late,
                held_back=self._held_back if self.pace == "exact" else None,
                wall=wall,
            )
        )
        self.has_stopped = True

    def interrupt(self, wall: int) -> None:
        """Seal the log before its time; a machine that has not started has no log."""
        if self.is_finished or self.epoch_ns is None:
            return
        self._is_interrupted = True
        self._promise_next()
        self._end(wall)

    # Out.

    def take_lines(self) -> list[Line]:
        """Return the lines that must be written before any frame is taken."""
        if self.epoch_ns is None:
            return []
        lines, self._lines = self._lines, []
        return lines

    def take_frames(self, recipient: int) -> Iterator[Frame]:
        """Yield what must go to a recipient now."""
        link = self.outgoing[recipient]
        if not link.is_connected or self.epoch_ns is None:
            return
        if recipient not in self._epoch_told:
            self._epoch_told.add(recipient)
            yield Epoch(type="epoch", epoch_ns=self.epoch_ns)
        yield from link.take()

    def take_answers(self, sender: int) -> Iterator[Ack]:
        """Yield what must go back to a sender now."""
        link = self.incoming[sender]
        if not link.is_connected:
            return
        done = link.take_done()
        needs_nothing = (self.has_stopped or self._is_interrupted) and sender not in self._stop_told
        if needs_nothing:
            self._stop_told.add(sender)
        if needs_nothing or done is not None:
            yield Ack(type="ack", done=link.done, stopped=self.has_stopped or self._is_interrupted)

    # Helpers.

    def _refuse_strangers(self, hello: Hello) -> None:
        sender, known = hello["sender"], self.incoming.get(hello["sender"])
        if hello["version"] != WIRE_VERSION:
            reason = f"it speaks version {hello['version']} of the wire, this node version {WIRE_VERSION}"
        elif hello["run"] != self.run:
            reason = f"it belongs to the run {hello['run']!r}, this node to {self.run!r}"
        elif hello["recipient"] != self.model.node:
            reason = f"it looks for node {hello['recipient']}, and this is node {self.model.node}"
        elif sender not in self.model.senders:
            reason = f"no machine {sender} sends to machine {self.model.node}"
        elif known is not None and hello["incarnation"] < known.incarnation:
            reason = f"it is incarnation {hello['incarnation']}, and incarnation {known.incarnation} was here already"
        else:
            return
        raise RefusedError(f"node {sender} is refused: {reason}")

    def _accept(self, link: Incoming, frame: Data) -> None:
        assert self.epoch_ns is not None, "data is taken in after the start"
        # A message's times are in its sender's epoch.
        shift_ns = self._sender_epoch_ns[link.sender] - self.epoch_ns
        for message in link.accept(frame):
            self.process.deliver(replace(message, arrival_ns=message.arrival_ns + shift_ns) if shift_ns else message)
        if frame["promise"] is not None:
            due_ns, seq = frame["promise"]
            promise = Promise(END_NS if due_ns is None else due_ns + shift_ns, seq)
            self._horizon.apply(link.sender, promise, have=link.have)

    def _promise_next(self) -> None:
        due_ns = self.next_due_ns
        if due_ns is not None and self.pace == "free":
            return  # Nobody waits, so nobody needs to know; the end alone is promised.
        for link in self.outgoing.values():
            link.promise(END_NS if due_ns is None else due_ns)

    def _end(self, wall: int) -> None:
        self._lines.append(
            EndLine(
                event="end",
                node=self.model.node,
                incarnation=self.incarnation,
                events=self.process.index,
                interrupted=self._is_interrupted,
                wall=wall,
            )
        )

    def _note_held_back(self, now_ns: int) -> None:
        assert self.next_due_ns is not None, "a tick is due"
        self._is_held = False
        held_ns = now_ns - self.next_due_ns
        self._held_back["ticks"] += 1
        self._held_back["total_ns"] += held_ns
        self._held_back["max_ns"] = max(self._held_back["max_ns"], held_ns)

    def _note_link(
        self, peer: int, direction: Literal["to", "from"], state: Literal["up", "down"], wall: int
    ) -> None:
        if self.has_stopped or self._is_interrupted:
            return  # The log is sealed.
        self._lines.append(
            LinkLine(
                event="link",
                node=self.model.node,
                incarnation=self.incarnation,
                peer=peer,
                direction=direction,
                state=state,
                wall=wall,
            )
        )


def refusal(error: RefusedError) -> Refusal:
    """Return the answer to a greeting that cannot be accepted."""
    return Refusal(type="refusal", reason=str(error)[:500])
