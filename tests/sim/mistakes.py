"""Mistakes with logs, windows and promises, each planted in the shipped code where it would be made.

Each once cost somebody a message, a hang or a wrong trace; a simulator that does not find them finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import node.recovery
from node.channel import Channel, _Link
from node.connections import Accepted, Connections
from node.event import Event, Message
from node.frame import Ack, Data, Decoder, Frame, Hello, Left, Welcome
from node.journal import Journal
from node.link import Incoming, Outgoing
from node.liveness import Finding, Liveness
from node.lives import Inlet, Outlet
from node.machine import Machine
from node.model import Model
from node.pace import END_NS, Horizon, Promise
from node.process import Process
from node.recovery import Past
from node.turn import Turn

# What a log must give back.


def _recovered(patch: pytest.MonkeyPatch, forget: Callable[[Process, Model], None]) -> None:
    """Have a machine with a past forget something."""
    begin = Machine.__init__

    def planted(self: Machine, model: Model, *, past: Past | None = None, **rest: Any) -> None:
        begin(self, model, past=past, **rest)
        if past is not None:
            forget(self.process, model)

    patch.setattr(Machine, "__init__", planted)


def clock_restarts_at_0(patch: pytest.MonkeyPatch) -> None:
    """The clock is not in the log, so it begins again."""
    _recovered(patch, lambda process, _: setattr(process, "time", 0))


def index_restarts_at_1(patch: pytest.MonkeyPatch) -> None:
    """Events are counted from the restart."""
    _recovered(patch, lambda process, _: setattr(process, "index", 0))


def ticks_restart_at_0(patch: pytest.MonkeyPatch) -> None:
    """The run begins again with the first tick."""
    _recovered(patch, lambda process, model: setattr(process, "next_tick", model.next_tick(-1)))


def numbers_restart_at_1(patch: pytest.MonkeyPatch) -> None:
    """The links number their messages from 1 again."""

    def forget(process: Process, model: Model) -> None:
        process._channel = Channel(model)

    _recovered(patch, forget)


def fifo_maximum_not_recovered(patch: pytest.MonkeyPatch) -> None:
    """What the next message must not overtake is forgotten."""
    replay = _Link.replay

    def planted(self: _Link, number: int, arrival_ns: int) -> None:
        replay(self, number, 0)

    patch.setattr(_Link, "replay", planted)


def receives_not_recovered(patch: pytest.MonkeyPatch) -> None:
    """What was received is taken for lost, and received again."""
    patch.setattr(Inlet, "rewind", lambda self: self._links.clear())


def have_forgotten(patch: pytest.MonkeyPatch) -> None:
    """After a restart the receiver has nothing, though much is received."""

    def planted(self: Incoming) -> None:
        self._is_known = True

    patch.setattr(Incoming, "rewind", planted)


def queue_recovered_from_nowhere(patch: pytest.MonkeyPatch) -> None:
    """After a restart the receiver has everything up to the last that it received, the queue before it, too."""
    rewind = Incoming.rewind

    def planted(self: Incoming) -> None:
        rewind(self)
        self.have = max(self._received_above, default=self.done)

    patch.setattr(Incoming, "rewind", planted)


def numbers_above_done_received_again(patch: pytest.MonkeyPatch) -> None:
    """What was received out of order before a restart is not remembered."""
    rewind = Incoming.rewind

    def planted(self: Incoming) -> None:
        rewind(self)
        self._received_above.clear()

    patch.setattr(Incoming, "rewind", planted)


def torn_line_accepted(patch: pytest.MonkeyPatch) -> None:
    """What a kill left behind of the last line stays, and the next line is written behind it."""
    begin = Journal.__init__

    def planted(self: Journal, path: Path, *, whole_bytes: int | None = None, **rest: Any) -> None:
        begin(self, path, whole_bytes=None if whole_bytes is None else 1 << 40, **rest)

    patch.setattr(Journal, "__init__", planted)


def windows_not_recovered(patch: pytest.MonkeyPatch) -> None:
    """What was sent before a restart is taken for delivered."""
    replay = node.recovery._replay

    def planted(past: Past, event: Event) -> None:
        replay(past, event)
        for outlet in past.outgoing.values():
            outlet.newest._window.clear()
            outlet.newest._unsent.clear()
            outlet.newest.base = outlet.newest.last + 1

    patch.setattr(node.recovery, "_replay", planted)


# What leaves, and when.


def wire_before_log(patch: pytest.MonkeyPatch) -> None:
    """Send first, for it is faster, and write then."""
    flush = Turn.flush

    def planted(self: Turn) -> None:
        if not self._machine.is_down:
            self._connections.flush()
        flush(self)

    patch.setattr(Turn, "flush", planted)


def acknowledgements_before_log(patch: pytest.MonkeyPatch) -> None:
    """Acknowledge what was just received, and write then."""
    flush = Turn.flush

    def planted(self: Turn) -> None:
        for sender, accepted in self._connections._from.items():
            accepted.send(self._machine.take_answers(sender))
        flush(self)

    patch.setattr(Turn, "flush", planted)


def log_written_line_by_line_behind_the_wire(patch: pytest.MonkeyPatch) -> None:
    """Write all but the last line before sending, and the last behind."""
    take = Machine.take_lines

    def planted(self: Machine) -> list[Any]:
        lines = take(self)
        if len(lines) > 1 and not self.is_down and not self.has_stopped:
            self._lines.insert(0, lines.pop())
        return lines

    patch.setattr(Machine, "take_lines", planted)


def acknowledged_on_arrival(patch: pytest.MonkeyPatch) -> None:
    """Acknowledge what is in the queue."""
    take = Inlet.take_answers

    def planted(self: Inlet, **said: bool) -> Iterator[Ack | Left]:
        for answer in take(self, **said):
            if answer["type"] == "ack":
                answer["done"] = self._link(answer.get("incarnation", 0)).have
            yield answer

    patch.setattr(Inlet, "take_answers", planted)


def welcomed_with_all_that_is_here(patch: pytest.MonkeyPatch) -> None:
    """Say in the answer to a greeting that what is in the queue is received."""
    greet = Machine.greet

    def planted(self: Machine, hello: Hello, wall: int) -> Welcome:
        welcome = greet(self, hello, wall)
        return {**welcome, "done": welcome["have"]}

    patch.setattr(Machine, "greet", planted)


def window_trimmed_at_send(patch: pytest.MonkeyPatch) -> None:
    """What was handed to the connection needs no window."""
    take = Outgoing.take

    def planted(self: Outgoing) -> Iterator[Data]:
        yield from take(self)
        self._window.clear()
        self.base = self.last + 1

    patch.setattr(Outgoing, "take", planted)


def window_trimmed_to_have(patch: pytest.MonkeyPatch) -> None:
    """What the receiver has needs no window, says the answer to a greeting."""
    connect = Outgoing.connect

    def planted(self: Outgoing, welcome: Welcome) -> None:
        connect(self, {**welcome, "done": max(welcome["done"], min(welcome["have"], self.last))})

    patch.setattr(Outgoing, "connect", planted)


def window_not_sent_again(patch: pytest.MonkeyPatch) -> None:
    """A new connection goes on where the old one stopped."""

    def planted(self: Outgoing, from_row: int) -> None:
        self._promise_sent = None
        self.is_connected = True

    patch.setattr(Outgoing, "_send_again", planted)


def base_is_the_next_number(patch: pytest.MonkeyPatch) -> None:
    """The greeting names the next message, and not the first of the window."""
    hello = Machine.hello

    def planted(self: Machine, recipient: int) -> Hello:
        return {**hello(self, recipient), "base": self.outgoing[recipient].newest.last + 1}

    patch.setattr(Machine, "hello", planted)


def epoch_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A sender that dials again does not say from when its times count."""
    hello = Machine.hello

    def planted(self: Machine, recipient: int) -> Hello:
        return {**hello(self, recipient), "epoch_ns": None}

    patch.setattr(Machine, "hello", planted)


# What is taken in.


def no_deduplication(patch: pytest.MonkeyPatch) -> None:
    """What comes again is queued again."""
    accept = Incoming.accept

    def planted(self: Incoming, frame: Data) -> Iterator[Message]:
        self.have = min(self.have, frame["first"] - 1)
        yield from accept(self, frame)

    patch.setattr(Incoming, "accept", planted)


def gap_accepted(patch: pytest.MonkeyPatch) -> None:
    """Messages that are missing are not missed."""
    accept = Incoming.accept

    def planted(self: Incoming, frame: Data) -> Iterator[Message]:
        self.have = max(self.have, frame["first"] - 1)
        yield from accept(self, frame)

    patch.setattr(Incoming, "accept", planted)


def incarnation_missing_in_the_key(patch: pytest.MonkeyPatch) -> None:
    """One link for all incarnations of a sender."""
    link, greet = Inlet._link, Inlet.greet

    def planted(self: Inlet, hello: Hello) -> Incoming:
        return greet(self, {**hello, "incarnation": 0})

    patch.setattr(Inlet, "_link", lambda self, _: link(self, 0))
    patch.setattr(Inlet, "greet", planted)


def old_windows_dropped_after_amnesia(patch: pytest.MonkeyPatch) -> None:
    """A new incarnation forgets what the old one had sent."""
    begin = Outlet._begin

    def planted(self: Outlet, incarnation: int) -> None:
        begin(self, incarnation)
        self._older.clear()

    patch.setattr(Outlet, "_begin", planted)


def rest_of_a_piece_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A frame that comes in two pieces is taken for none."""
    feed = Decoder.feed

    def planted(self: Decoder, data: bytes) -> list[Frame]:
        frames = feed(self, data)
        self._rest = b""
        return frames

    patch.setattr(Decoder, "feed", planted)


def end_of_an_old_connection_ends_the_new(patch: pytest.MonkeyPatch) -> None:
    """Whichever connection of a sender ends, its sender is gone."""

    def planted(self: Connections, sender: int, _: Accepted) -> bool:
        return self._from.pop(sender, None) is not None

    patch.setattr(Connections, "forget_sender", planted)


# Whether anybody is there.


def dead_peer_never_given_up(patch: pytest.MonkeyPatch) -> None:
    """Who is silent may still come back."""
    look = Liveness.look

    def planted(self: Liveness) -> Finding | None:
        return "ping" if look(self) else None

    patch.setattr(Liveness, "look", planted)


def pings_never_sent(patch: pytest.MonkeyPatch) -> None:
    """Who has nothing to say says nothing, and is taken for dead."""
    look = Liveness.look

    def planted(self: Liveness) -> Finding | None:
        return "dead" if look(self) == "dead" else None

    patch.setattr(Liveness, "look", planted)


# Promises.


def promise_before_the_window(patch: pytest.MonkeyPatch) -> None:
    """The promise overtakes the messages that it covers, and says that there are none."""
    take = Outgoing.take

    def planted(self: Outgoing) -> Iterator[Data]:
        frames = list(take(self))
        promises = [frame["promise"] for frame in frames if frame["promise"] is not None]
        first = frames[0]["first"] if frames else 1
        for due_ns, _ in promises[-1:]:
            yield self._data(first, [], (due_ns, first - 1))
        for frame in frames:
            yield frame | {"promise": None}

    patch.setattr(Outgoing, "take", planted)


def promise_on_every_piece(patch: pytest.MonkeyPatch) -> None:
    """Each piece of a split window carries the promise, as if nothing followed it."""
    take = Outgoing.take

    def planted(self: Outgoing) -> Iterator[Data]:
        frames = list(take(self))
        promises = [frame["promise"] for frame in frames if frame["promise"] is not None]
        for frame in frames:
            if promises:
                frame["promise"] = promises[-1][0], frame["first"] + len(frame["messages"]) - 1
            yield frame

    patch.setattr(Outgoing, "take", planted)


def promise_not_repeated(patch: pytest.MonkeyPatch) -> None:
    """A new connection does not hear what the old one was promised."""
    again = Outgoing._send_again

    def planted(self: Outgoing, from_row: int) -> None:
        promise_sent = self._promise_sent
        again(self, from_row)
        self._promise_sent = promise_sent

    patch.setattr(Outgoing, "_send_again", planted)


def _promise_first(self: Outgoing, frames: list[Data]) -> Iterator[Data]:
    """Yield the promise alone, with the number that it covers, and then the messages."""
    for frame in frames:
        if frame["promise"] is not None:
            yield self._data(frames[0]["first"], [], frame["promise"])
    for frame in frames:
        yield frame | {"promise": None}


def promise_ahead_of_its_messages(patch: pytest.MonkeyPatch) -> None:
    """The promise is sent first, and a receiver that has not what it covers drops it."""
    take = Outgoing.take
    patch.setattr(Outgoing, "take", lambda self: _promise_first(self, list(take(self))))


def promise_applied_without_its_messages(patch: pytest.MonkeyPatch) -> None:
    """The promise is sent first, and believed, though what it covers is not here."""
    apply = Horizon.apply

    def planted(self: Horizon, sender: int, promise: Promise, *, have: int) -> None:
        apply(self, sender, promise, have=promise.seq)

    promise_ahead_of_its_messages(patch)
    patch.setattr(Horizon, "apply", planted)


def promise_of_the_tick_after_the_next(patch: pytest.MonkeyPatch) -> None:
    """Promise too much."""
    promise = Outgoing.promise

    def planted(self: Outgoing, due_ns: int) -> None:
        promise(self, due_ns if due_ns == END_NS else due_ns + 50_000_000)

    patch.setattr(Outgoing, "promise", planted)


def tick_before_every_sender_has_promised(patch: pytest.MonkeyPatch) -> None:
    """Nobody has promised anything yet, so nobody is waited for."""
    is_safe = Horizon.is_safe

    def planted(self: Horizon, due_ns: int) -> bool:
        return self._safe_until_ns is None or is_safe(self, due_ns)

    patch.setattr(Horizon, "is_safe", planted)


# The end.


def finished_peer_exits(patch: pytest.MonkeyPatch) -> None:
    """Who has its stop record leaves, whoever may still need its window."""
    patch.setattr(Machine, "is_released", property(lambda self: self.has_stopped))


def stops_before_every_link_has_ended(patch: pytest.MonkeyPatch) -> None:
    """The stop record is written behind the last tick, whatever is still on its way."""
    patch.setattr(Horizon, "has_ended", lambda self, sender: sender in self._due_ns)


MISTAKES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    plant.__name__.replace("_", " "): plant
    for plant in (
        clock_restarts_at_0,
        index_restarts_at_1,
        ticks_restart_at_0,
        numbers_restart_at_1,
        fifo_maximum_not_recovered,
        receives_not_recovered,
        have_forgotten,
        queue_recovered_from_nowhere,
        numbers_above_done_received_again,
        torn_line_accepted,
        windows_not_recovered,
        wire_before_log,
        acknowledgements_before_log,
        log_written_line_by_line_behind_the_wire,
        acknowledged_on_arrival,
        welcomed_with_all_that_is_here,
        window_trimmed_at_send,
        window_trimmed_to_have,
        window_not_sent_again,
        base_is_the_next_number,
        epoch_forgotten,
        no_deduplication,
        gap_accepted,
        incarnation_missing_in_the_key,
        old_windows_dropped_after_amnesia,
        rest_of_a_piece_forgotten,
        end_of_an_old_connection_ends_the_new,
        dead_peer_never_given_up,
        pings_never_sent,
        promise_before_the_window,
        promise_on_every_piece,
        promise_not_repeated,
        promise_ahead_of_its_messages,
        promise_applied_without_its_messages,
        promise_of_the_tick_after_the_next,
        tick_before_every_sender_has_promised,
        finished_peer_exits,
        stops_before_every_link_has_ended,
    )
}
