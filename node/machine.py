"""One machine of a cluster: its process, promises and links joined; it decides everything and performs nothing.

Never does I/O: what must be written and sent is taken from it, the lines always before the frames.
Source: model sections 4 to 6.
"""

from collections.abc import Iterator
from dataclasses import replace

from node.errors import RefusedError, RemoteProtocolError
from node.event import Message
from node.frame import WIRE_VERSION, Ack, Data, Epoch, Frame, Hello, Left, Welcome
from node.greeting import refuse_jumps, refuse_strangers
from node.lives import Inlet
from node.model import Model, Pace
from node.pace import END_NS, Horizon, Promise, may_tick
from node.record import (
    Direction,
    HeldBack,
    Line,
    LinkState,
    boot_line,
    down_line,
    end_line,
    event_line,
    link_line,
    start_line,
    stop_line,
)
from node.recovery import Past, no_past
from node.window import Crash


class Machine:
    """What one node knows and decides; the daemon brings it bytes and time, and takes away lines and frames.

    With a past, it is one that goes on: `boot` must be called before anything else.
    """

    def __init__(self, model: Model, *, run: str, pace: Pace, token: str = "", past: Past | None = None) -> None:
        past = past or no_past(model)
        self.model = model
        self.run = run
        self.token = token
        self.pace: Pace = pace
        self.epoch_ns = past.epoch_ns
        self.has_stopped = past.has_stopped
        self.is_down = False
        self.process = past.process
        self.outgoing = past.outgoing
        self.incoming = past.incoming
        self._had = past.had
        self._is_restarted = self._lacks = past.epoch_ns is not None
        self._has_ended = past.has_ended
        self._crashes = sorted(
            (crash for crash in model.crashes if crash.from_ns < model.duration_ns), key=lambda crash: crash.from_ns
        )[past.downs :]
        self._horizon = Horizon(model.delays_ns_min())
        self._lines: list[Line] = []
        self._welcomed_by: set[int] = set()
        self._released_by: set[int] = set()
        self._epoch_told: set[int] = set()
        self._stop_told: set[int] = set()
        self._sender_epoch_ns: dict[int, int] = {}
        self._early: list[tuple[int, Data, list[Message], int]] = []
        self._is_interrupted = False
        self._waits = past.waits

    @property
    def incarnation(self) -> int:
        """Which incarnation ticks; it rises with the first tick after a crash with amnesia."""
        return self.process.incarnation

    # The mesh.

    @property
    def missing(self) -> list[int]:
        """The nodes that have not greeted, or not answered our greeting, ascending."""
        unheard = {sender for sender, inlet in self.incoming.items() if not inlet.has_greeted}
        return sorted(set(self.model.peers) - self._welcomed_by | unheard)

    def hello(self, recipient: int) -> Hello:
        """Return our greeting for a recipient that we have just dialled."""
        if self.epoch_ns is not None:
            self._epoch_told.add(recipient)
        incarnation, base = self.outgoing[recipient].greet()
        hello = Hello(
            type="hello",
            version=WIRE_VERSION,
            run=self.run,
            sender=self.model.node,
            recipient=recipient,
            incarnation=incarnation,
            epoch_ns=self.epoch_ns,
            base=base,
        )
        if self.token:
            hello["token"] = self.token
        if older := self.outgoing[recipient].older():
            hello["older"] = older
        return hello

    def greet(self, hello: Hello, wall: int) -> Welcome:
        """Take in the greeting of a sender and return our answer.

        Raises RefusedError if the two of us can never work together, RemoteProtocolError for a second epoch.
        """
        sender = hello["sender"]
        inlet = self.incoming.get(sender) or Inlet(sender)
        refuse_strangers(hello, self.model, run=self.run, token=self.token, incarnation_min=inlet.incarnation)
        if hello["epoch_ns"] is not None:
            self._learn_epoch(sender, hello["epoch_ns"])
        link = inlet.greet(hello)
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
            refuse_jumps(frame, clock=self.process.time)
            new, have = self.incoming[sender].accept(frame)
            if self.epoch_ns is None:
                self._early.append((sender, frame, new, have))
            else:
                self._deliver(sender, frame, new, have=have)
        elif frame["type"] == "leave":
            self.incoming[sender].ask()
        else:
            raise RemoteProtocolError(f"a frame {frame['type']!r} from a sender")

    def acknowledge(self, recipient: int, frame: Frame) -> None:
        """Take in a frame of a recipient that has answered our greeting.

        Raises RemoteProtocolError if it is out of place.
        """
        if frame["type"] == "left":
            self.outgoing[recipient].leave(frame)
            return
        if frame["type"] != "ack":
            raise RemoteProtocolError(f"a frame {frame['type']!r} from a recipient")
        self.outgoing[recipient].acknowledge(frame)
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
        for sender, frame, messages, have in early:
            self._deliver(sender, frame, messages, have=have)
        self._go_on(wall)

    def boot(self, wall: int, *, torn_bytes: int = 0) -> None:
        """Go on where the log ends, of which so many bytes were cut off."""
        assert self.epoch_ns is not None, "a log has an epoch"
        self._lines.append(boot_line(self.model, incarnation=self.incarnation, torn_bytes=torn_bytes, wall=wall))
        self._go_on(wall)

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
        if self.epoch_ns is None or due_ns is None or self.crash is not None:
            return False
        answer = self._is_whole() and may_tick(self.pace, due_ns, now_ns=now_ns, horizon=self._horizon)
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
            self.incoming[step.event.cause.node].receive(step.event.cause, step.event.number)
        self._go_on(wall)

    # Crashes of the model.

    @property
    def crash(self) -> Crash | None:
        """The crash that comes before the next tick."""
        if not self._crashes or self.epoch_ns is None or self.has_stopped or self._is_interrupted:
            return None
        due_ns = self.next_due_ns
        return self._crashes[0] if due_ns is None or due_ns >= self._crashes[0].from_ns else None

    @property
    def may_go_down(self) -> bool:
        """Whether a crash comes now, and nobody who listens lacks anything of ours, not even our promise.

        An incarnation that will be forgotten waits until everybody listens: all that it sent is in queues.
        """
        crash = self.crash
        return (
            crash is not None
            and self._is_whole()
            and all(outlet.has_left for outlet in self.outgoing.values() if crash.amnesia or outlet.is_connected)
        )

    def go_down(self, wall: int) -> None:
        """Crash: whoever drives the machine must end it once its lines are written."""
        self._lines.append(
            down_line(
                self.model,
                incarnation=self.incarnation,
                have=[
                    (sender, incarnation, have)
                    for sender, inlet in sorted(self.incoming.items())
                    for incarnation, have in inlet.have().items()
                ],
                unreceived=self.process.unreceived(),
                held_back=self._held_back(),
                wall=wall,
            )
        )
        self.is_down = True

    # The end.

    @property
    def may_stop(self) -> bool:
        """Whether every link has ended, so that the stop record can be written."""
        return (
            self.is_finished
            and not self._is_interrupted
            and not self.has_stopped
            and self.crash is None
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
        self._lines.append(
            stop_line(
                self.model,
                incarnation=self.incarnation,
                events=self.process.index,
                unreceived=self.process.unreceived(),
                held_back=self._held_back() if self.pace == "exact" else None,
                wall=wall,
            )
        )
        self.has_stopped = True

    def interrupt(self, wall: int) -> None:
        """Seal the log before its stop record; a machine that has not started has no log."""
        if self.epoch_ns is None or self.has_stopped or self._is_interrupted:
            return
        self._is_interrupted = True
        self._has_ended = False  # The log is sealed by an end line that says so, even behind another.
        self._go_on(wall)

    # Out.

    def take_lines(self) -> list[Line]:
        """Return the lines that must be written before any frame is taken."""
        if self.epoch_ns is None:
            return []
        lines, self._lines = self._lines, []
        return lines

    def take_frames(self, recipient: int) -> Iterator[Frame]:
        """Yield what must go to a recipient now."""
        outlet = self.outgoing[recipient]
        if not outlet.is_connected or self.epoch_ns is None:
            return
        if recipient not in self._epoch_told:
            self._epoch_told.add(recipient)
            yield Epoch(type="epoch", epoch_ns=self.epoch_ns)
        yield from outlet.take(leaves=self.crash is not None)

    def take_answers(self, sender: int) -> Iterator[Ack | Left]:
        """Yield what must go back to a sender now."""
        inlet = self.incoming[sender]
        if not inlet.is_connected:
            return
        stopped = self.has_stopped or self._is_interrupted
        tells_stopped = stopped and sender not in self._stop_told
        if tells_stopped:
            self._stop_told.add(sender)
        yield from inlet.take_answers(stopped=stopped, tells_stopped=tells_stopped)

    # Helpers.

    def _learn_epoch(self, sender: int, epoch_ns: int) -> None:
        if self._sender_epoch_ns.setdefault(sender, epoch_ns) != epoch_ns:
            raise RemoteProtocolError(f"epoch {epoch_ns} after epoch {self._sender_epoch_ns[sender]}")

    def _deliver(self, sender: int, frame: Data, messages: list[Message], *, have: int) -> None:
        assert self.epoch_ns is not None, "messages wait for the start"
        # A message's times are in its sender's epoch.
        shift_ns = self._sender_epoch_ns[sender] - self.epoch_ns
        for message in messages:
            self.process.deliver(
                replace(message, arrival_ns=message.arrival_ns + shift_ns) if shift_ns else message,
                was_here=self._was_here(sender, message),
            )
        # Frames of an old connection may promise before the windows of older incarnations are here again.
        if frame["promise"] is not None and self.incoming[sender].has_older:
            due_ns, seq = frame["promise"]
            here = Promise(END_NS if due_ns is None else due_ns + shift_ns, seq)
            self._horizon.apply(sender, here, have=have)

    def _was_here(self, sender: int, message: Message) -> bool:
        """Whether a message may have been here before a restart, so that a tick that is over did not miss it."""
        if self.pace != "free":
            return self._is_restarted  # Nothing is ever late.
        return message.number <= self._had.get((sender, message.incarnation), 0)

    def _is_whole(self) -> bool:
        """Whether, after a restart, every sender has greeted again, and what was in the queue is there again."""
        self._lacks = self._lacks and (
            not all(inlet.has_greeted for inlet in self.incoming.values())
            or any(self.incoming[sender].have().get(life, 0) < had for (sender, life), had in self._had.items())
        )
        return not self._lacks

    def _go_on(self, wall: int) -> None:
        """Promise what comes next; if nothing does, say so."""
        self._promise_next()
        if self.is_finished and not self._has_ended:
            self._end(wall)

    def _promise_next(self) -> None:
        due_ns = self.next_due_ns
        if due_ns is not None and self.pace == "free":
            return  # Nobody waits, so nobody needs to know; the end alone is promised.
        for outlet in self.outgoing.values():
            outlet.newest.promise(END_NS if due_ns is None else due_ns)

    def _held_back(self) -> HeldBack:
        return HeldBack(ticks=self._waits.ticks, total_ns=self._waits.total_ns, max_ns=self._waits.max_ns)

    def _end(self, wall: int) -> None:
        self._has_ended = True
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
