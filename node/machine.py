"""One machine of a cluster: its process, promises and links joined; it decides everything and performs nothing.

Never does I/O: what must be written and sent is taken from it, the lines always before the frames.
Source: model sections 4 to 6.
"""

from collections.abc import Iterator
from dataclasses import replace

from node.errors import RefusedError, RemoteProtocolError
from node.event import Message
from node.frame import WIRE_VERSION, Ack, Epoch, Frame, Hello, Welcome, WirePromise
from node.greeting import refuse_strangers
from node.link import Incoming, Outgoing
from node.model import Model, Pace
from node.pace import END_NS, Horizon, Promise, Waits, may_tick
from node.process import Process
from node.record import Direction, HeldBack, Line, LinkState, end_line, event_line, link_line, start_line, stop_line


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
        self._horizon = Horizon(model.delays_ns_min())
        self._lines: list[Line] = []
        self._welcomed_by: set[int] = set()
        self._released_by: set[int] = set()
        self._epoch_told: set[int] = set()
        self._stop_told: set[int] = set()
        self._sender_epoch_ns: dict[int, int] = {}
        self._early: list[tuple[Incoming, list[Message], WirePromise | None]] = []
        self._is_interrupted = False
        self._waits = Waits()

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

        Raises RefusedError if the two of us can never work together, RemoteProtocolError for a second epoch.
        """
        sender = hello["sender"]
        link = self.incoming.get(sender)
        refuse_strangers(hello, self.model, run=self.run, incarnation_min=link.incarnation if link else 0)
        if hello["epoch_ns"] is not None:
            self._learn_epoch(sender, hello["epoch_ns"])
        if link is None or link.incarnation < hello["incarnation"]:
            link = Incoming(sender, hello["incarnation"])
        link.greet(hello)
        self.incoming[sender] = link
        self._stop_told.discard(sender)
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
            self._learn_epoch(sender, frame["epoch_ns"])
        elif frame["type"] == "data":
            if sender not in self._sender_epoch_ns:
                raise RemoteProtocolError("data before the epoch in which its times are given")
            link = self.incoming[sender]
            new = list(link.accept(frame))
            if self.epoch_ns is None:
                self._early.append((link, new, frame["promise"]))
            else:
                self._deliver(link, new, frame["promise"])
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
        for link, messages, promise in early:
            self._deliver(link, messages, promise)
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
        if not answer and now_ns >= due_ns:
            self._waits.wait()
        return answer

    def holding_back(self) -> list[int]:
        """Return the senders without whose promise the next tick is not safe."""
        due_ns = self.next_due_ns
        return [] if due_ns is None or self.pace == "free" else self._horizon.holding_back(due_ns)

    def tick(self, now_ns: int, wall: int) -> None:
        """Execute the next tick, which `may_tick` has allowed."""
        assert self.next_due_ns is not None, "may_tick has allowed it"
        self._waits.go(now_ns - self.next_due_ns)
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
        waits = self._waits
        held_back = HeldBack(ticks=waits.ticks, total_ns=waits.total_ns, max_ns=waits.max_ns)
        self._lines.append(
            stop_line(
                self.model,
                incarnation=self.incarnation,
                events=self.process.index,
                unreceived=self.process.unreceived(),
                held_back=held_back if self.pace == "exact" else None,
                wall=wall,
            )
        )
        self.has_stopped = True

    def interrupt(self, wall: int) -> None:
        """Seal the log before its stop record; a machine that has not started has no log."""
        if self.epoch_ns is None or self.has_stopped or self._is_interrupted:
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

    def _learn_epoch(self, sender: int, epoch_ns: int) -> None:
        if self._sender_epoch_ns.setdefault(sender, epoch_ns) != epoch_ns:
            raise RemoteProtocolError(f"epoch {epoch_ns} after epoch {self._sender_epoch_ns[sender]}")

    def _deliver(self, link: Incoming, messages: list[Message], promise: WirePromise | None) -> None:
        assert self.epoch_ns is not None, "messages wait for the start"
        # A message's times are in its sender's epoch.
        shift_ns = self._sender_epoch_ns[link.sender] - self.epoch_ns
        for message in messages:
            self.process.deliver(replace(message, arrival_ns=message.arrival_ns + shift_ns) if shift_ns else message)
        if promise is not None:
            due_ns, seq = promise
            here = Promise(END_NS if due_ns is None else due_ns + shift_ns, seq)
            self._horizon.apply(link.sender, here, have=link.have)

    def _promise_next(self) -> None:
        due_ns = self.next_due_ns
        if due_ns is not None and self.pace == "free":
            return  # Nobody waits, so nobody needs to know; the end alone is promised.
        for link in self.outgoing.values():
            link.promise(END_NS if due_ns is None else due_ns)

    def _end(self, wall: int) -> None:
        self._lines.append(
            end_line(
                self.model,
                incarnation=self.incarnation,
                events=self.process.index,
                interrupted=self._is_interrupted,
                wall=wall,
            )
        )

    def _note_link(self, peer: int, direction: Direction, state: LinkState, wall: int) -> None:
        if self.has_stopped or self._is_interrupted:
            return  # The log is sealed.
        self._lines.append(
            link_line(self.model, incarnation=self.incarnation, peer=peer, direction=direction, state=state, wall=wall)
        )
