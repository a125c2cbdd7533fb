"""The process of one node: the shipped machine, journal, connections and turn, with a simulated disk and wire.

Never decides anything: it stands where the daemon and the mesh stand, and may be killed at any effect.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from node.connections import Accepted, Connections, Dialled
from node.errors import LocalProtocolError, RefusedError, RemoteProtocolError
from node.frame import Ping, encode
from node.journal import Journal, read_whole_lines
from node.liveness import LOOK_S
from node.machine import Machine
from node.recovery import recover
from node.turn import Turn
from tests.sim.disk import SimulatedFile
from tests.sim.plan import MS, SECOND, Kill
from tests.sim.wire import Line, Pipe

if TYPE_CHECKING:
    from tests.sim.world import World

MOMENTS: Final = {"before": "before", "torn": "inside", "behind": "behind"}
RUN: Final = "simulated"
GREETING_NS_MAX: Final = 2 * SECOND
BACKOFF_NS_MIN, BACKOFF_NS_MAX = 50 * MS, 1 * SECOND
RELEASE_NS_MAX: Final = 5 * SECOND
LOOK_NS: Final = round(LOOK_S * SECOND)
PING: Final = encode(Ping(type="ping"))


class Killed(BaseException):
    """The process is dead; nothing in it runs any more."""


class End:
    """One end of a connection: what the node writes to, and where its bytes come to."""

    def __init__(self, host: Host, line: Line, *, incoming: Pipe, outgoing: Pipe) -> None:
        self.is_closing = False
        self.connection: Dialled | Accepted | None = None
        self._host = host
        self._incoming = incoming
        self._outgoing = outgoing
        self._line = line
        self._waits = False
        incoming.reader = outgoing.writer = self

    # For the node.

    @property
    def is_congested(self) -> bool:
        return not self.is_closing and self._outgoing.under_way > self._host.world.plan.congested_bytes

    def write(self, data: bytes) -> None:
        self._host.send(self, data, self._outgoing.write)

    def wait_for_room(self) -> None:
        self._waits = True

    def give_up(self, _: str) -> None:
        self._host.world.given_up(self._line)
        self.close()

    def close(self) -> None:
        if not self.is_closing:
            self.is_closing = True
            self._outgoing.end()
            self._host.world.after(0, partial(self._host.do, self._finish))

    # For the wire.

    def stopped_until(self) -> int | None:
        return self._host.stopped_until

    def bytes_came(self, data: bytes) -> None:
        self._host.do(partial(self._receive, data))

    def has_ended(self, *, is_reset: bool) -> None:
        self._host.do(self._finish if is_reset else partial(self._receive, b""))

    def has_room(self) -> None:
        if self._waits and not self.is_congested:
            self._waits = False
            self._host.do(self._host.wake)

    # What a task of the mesh does.

    def attach(self, connection: Dialled | Accepted) -> None:
        self.connection = connection
        self._host.ends.append(self)
        self._host.wake()
        self._host.world.after(GREETING_NS_MAX, partial(self._host.do, self._greet_or_finish))

    def _greet_or_finish(self) -> None:
        if self.connection is not None and not self.connection.has_greeted:
            self._finish()

    def _receive(self, data: bytes) -> None:
        if self.connection is None or self.is_closing:
            return
        try:
            self.connection.receive(data, self._host.world.now_ns)
        except RemoteProtocolError:
            data = b""
        if not data:
            self._finish()
        self._host.wake()

    def _finish(self) -> None:
        if self.connection is None:
            return
        connection, self.connection = self.connection, None
        self._host.ends.remove(self)
        connection.end(self._host.world.now_ns)
        self._host.wake()
        if isinstance(connection, Dialled):
            self._host.dial_again(connection.recipient, answered=connection.has_greeted)


class Host:
    """One process; when it is killed, the next one begins with nothing but the disk."""

    def __init__(self, world: World, node: int) -> None:
        self.world = world
        self.node = node
        self.is_alive = True
        self.has_exited = False
        self.stopped_until: int | None = None
        self.fuse: Kill | None = None
        self.ends: list[End] = []
        self.effects: list[str] = []
        self._is_woken = False
        self._timer_ns: int | None = None
        self._attempts = dict.fromkeys(world.plan.machines[node].peers, 0)
        self._turn_ns = 0
        self._is_ready = False
        self._releases = False
        self._boot()

    def _boot(self) -> None:
        plan, content = self.world.plan, self.world.disk[self.node]
        model, path = plan.machines[self.node], Path(f"events-{self.node}.jsonl")
        reading = read_whole_lines(bytes(content.data), name=str(path)) if content.exists else None
        # Nobody has seen anything of a log without a whole line: the node begins anew.
        past = None
        if reading is not None and reading.lines:
            past = recover(reading.lines, model, run=RUN, pace=plan.pace, name=str(path))
        self.machine = Machine(model, run=RUN, pace=plan.pace, past=past)
        journal = Journal(path, whole_bytes=reading and reading.whole_bytes, file=self._file)
        self.connections = Connections(self.machine)
        self._turn = Turn(
            self.machine,
            journal,
            self.connections,
            now_ns=self._now_ns,
            wall=lambda: self.world.now_ns,
            go_down=self._go_down,
        )
        if reading is not None and past is not None:
            self.machine.boot(self.world.now_ns, torn_bytes=reading.torn_bytes)
        for peer in model.peers:
            self.world.after(0, partial(self.do, partial(self.world.dial, self, peer)))
        self.world.after(LOOK_NS, partial(self.do, self._look_after_all))
        self.wake()

    def do(self, act: Callable[[], None]) -> None:
        """Do something in this process, unless it is dead; once it is no longer stopped."""
        if not self.is_alive:
            return
        if self.stopped_until is not None:
            self.world.after(self.world.wait_ns(self.stopped_until), partial(self.do, act))
            return
        try:
            act()
        except Killed:
            pass
        except (LocalProtocolError, RefusedError) as error:
            self.world.refuse(self, error)

    def wake(self) -> None:
        """Have the machine looked after in the next turn of the loop."""
        if not self._is_woken:
            self._is_woken = True
            self.world.after(self.world.chance.randrange(300_000), partial(self.do, self._take_turn))

    def start(self, epoch_ns: int) -> None:
        """Begin the run."""
        self.machine.start(epoch_ns, self.world.now_ns)
        self.wake()

    def dial_again(self, recipient: int, *, answered: bool) -> None:
        """Dial once more, after a pause that grows until somebody answers."""
        attempt = self._attempts[recipient] = 0 if answered else self._attempts[recipient] + 1
        longest_ns = min(BACKOFF_NS_MAX, BACKOFF_NS_MIN << min(attempt, 10))
        pause_ns = longest_ns // 2 + self.world.chance.randrange(longest_ns // 2)
        self.world.after(pause_ns, partial(self.do, partial(self.world.dial, self, recipient)))

    def send(self, end: End, data: bytes, write: Callable[[bytes], None]) -> None:
        """Let bytes leave the process, if it lives; a ping is no effect to be killed at, for it says nothing."""
        if data == PING:
            write(data)
            return
        connection = end.connection
        greets = connection is None or not connection.has_greeted or connection.peer is None
        peer = None if connection is None else connection.peer
        self._effect(data, partial(self.world.send, self.node, peer, write), is_greeting=greets, is_send=True)

    def _look_after_all(self) -> None:
        """What the mesh does every so often."""
        for connection in self.connections.dead():
            connection.transport.give_up("nothing was heard")
        self.world.after(LOOK_NS, partial(self.do, self._look_after_all))

    def _file(self, _: Path, is_new: bool) -> SimulatedFile:
        return SimulatedFile(self.world.disk[self.node], self._write, is_new)

    def _write(self, data: bytes, append: Callable[[bytes], None]) -> None:
        def reach_the_disk(data: bytes) -> None:
            append(data)
            self.world.witness.written(self.node, data)

        self._effect(data, reach_the_disk, is_greeting=False, is_send=False)

    def _effect(self, data: bytes, perform: Callable[[bytes], None], *, is_greeting: bool, is_send: bool) -> None:
        """Perform a write or a send; the process may be killed before it, inside it, or behind it."""
        fuse = self.fuse
        self.effects.append("send" if is_send else "write")
        if fuse is None or len(self.effects) <= fuse.effects:
            perform(data)
            return
        if fuse.moment == "torn" and len(data) > 1 and not is_send:
            perform(data[: 1 + int(fuse.tear * (len(data) - 1))])
        elif fuse.moment == "behind":
            perform(data)
        place = "while greeting" if is_greeting else "between sends" if is_send else f"{MOMENTS[fuse.moment]} a write"
        self.world.kill(self, fuse, place)
        raise Killed

    def light(self, fuse: Kill) -> None:
        """Be killed at an effect to come."""
        self.fuse = fuse
        self.effects.clear()

    def _go_down(self) -> None:
        self.world.go_down(self)
        raise Killed

    def _now_ns(self) -> int:
        # Time goes by within a turn, too.
        self._turn_ns += self.world.plan.turn_ns
        return self.world.now_ns + self._turn_ns - (self.machine.epoch_ns or 0)

    def _take_turn(self) -> None:
        """What the daemon does in a turn."""
        self._is_woken = False
        self._turn_ns = 0
        if self.machine.epoch_ns is None and not self.machine.missing and not self._is_ready:
            self._is_ready = True
            self.world.ready(self)
        now_ns = self._turn.act(may_go_down=True)
        if self.machine.may_tick(now_ns):
            self.wake()
        self._arm()
        self._turn.flush()
        if self.machine.has_stopped and self.world.plan.exits_alone:
            self._release()

    def _arm(self) -> None:
        due_ns = self.machine.next_due_ns
        if due_ns is None or self.machine.epoch_ns is None or self.machine.pace == "fast" or due_ns == self._timer_ns:
            return
        self._timer_ns = due_ns
        self.world.after(self.world.wait_ns(self.machine.epoch_ns + due_ns), partial(self.do, self.wake))

    def _release(self) -> None:
        """Exit, as by hand, once every peer has said that it needs nothing more, or after a while."""
        if self.machine.is_released:
            self.exit()
        elif not self._releases:
            self._releases = True
            self.world.after(RELEASE_NS_MAX, partial(self.do, self.exit))

    def exit(self) -> None:
        """End in peace: what was handed to a connection still goes out."""
        self.is_alive, self.has_exited = False, True
        for end in self.ends:
            end.close()
