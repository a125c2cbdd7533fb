"""The world: one virtual clock, a heap of happenings, the processes of all nodes, and what befalls them.

Never looks into a machine but to count what was at risk; whether the run was right its witness says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from random import Random
from typing import Final
from unittest.mock import patch

import node.link
from node.errors import LogError, ScaleModelError
from node.liveness import DEAD_S
from tests.sim.disk import Content
from tests.sim.host import End, Host
from tests.sim.plan import MS, SECOND, Break, Deaf, Fault, Kill, OneWay, Plan, Stop
from tests.sim.wire import Line, Pipe
from tests.sim.witness import Expected, Violation, Witness, expected_of

START_NS: Final = 1_700_000_000 * SECOND
EPOCH_IN_NS: Final = 50 * MS
PATIENCE_NS: Final = 20 * SECOND
RESTART_LEAD_NS_MAX: Final = 1500 * MS
REPLAYED_WRITES_MAX: Final = 5
DEAD_NS: Final = round(DEAD_S * SECOND)


class World:
    """One run; `run` plays until every machine has stopped, something is wrong, or patience ends."""

    def __init__(self, plan: Plan, expected: Expected | None = None) -> None:
        """Take a plan, and what is known already of its simulation."""
        self.plan = plan
        self.now_ns = START_NS
        self.chance = Random(plan.seed)
        self.disk = {node: Content() for node in plan.machines}
        self.witness = Witness(expected or expected_of(plan.machines))
        self.counts: Counter[str] = Counter()
        self.at_risk = 0
        self.refusal: str | None = None
        self.hosts: dict[int, Host] = {}
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._happenings = 0
        self._lines: dict[tuple[int, int], Line] = {}
        self._held: dict[tuple[int, int], int] = {}
        self._stopped: dict[int, int] = {}
        self._deaf: dict[int, int] = {}
        self._ready: set[int] = set()
        self._epoch_ns: int | None = None

    # Time.

    def after(self, delay_ns: int, act: Callable[[], None]) -> None:
        """Let something happen so much later; what happens at one instant keeps its order."""
        self._happenings += 1
        heappush(self._heap, (self.now_ns + delay_ns, self._happenings, act))

    def wait_ns(self, until_ns: int) -> int:
        """Return how long it is until then."""
        return max(0, until_ns - self.now_ns)

    def run(self) -> None:
        """Play the plan.

        Raises Violation where the nodes did something wrong.
        """
        with patch.object(node.link, "ROWS_MAX", self.plan.rows_max):
            for number in self.plan.machines:
                self.hosts[number] = Host(self, number)
            for fault in self.plan.faults:
                self.after(fault.at_ns, partial(self._strike, fault))
            duration_ns = max(model.duration_ns for model in self.plan.machines.values())
            end_ns = START_NS + EPOCH_IN_NS + max(self.plan.heals_ns, duration_ns) + PATIENCE_NS
            while self._heap and not self._is_over():
                self.now_ns, _, act = heappop(self._heap)
                if self.now_ns > end_ns:
                    break
                act()
        if not self._is_over():
            waiting = sorted(self.hosts.keys() - self.witness.stopped)
            raise Violation("never finished", f"machines {waiting} have not stopped {PATIENCE_NS / SECOND:g} s later")

    def _is_over(self) -> bool:
        if len(self.witness.stopped) < len(self.hosts):
            return self.refusal is not None
        return all(host.is_alive or host.has_exited for host in self.hosts.values())

    @property
    def is_healed(self) -> bool:
        """Whether nothing befalls anybody any more."""
        return self.now_ns >= START_NS + self.plan.heals_ns

    # Who starts nodes, and starts them again.

    def ready(self, host: Host) -> None:
        """Tell the epoch once all are ready."""
        self._ready.add(host.node)
        if self._epoch_ns is None and len(self._ready) == len(self.hosts):
            self._epoch_ns = self.now_ns + EPOCH_IN_NS
            for each in self.hosts.values():
                self._tell_epoch(each)
        elif self._epoch_ns is not None:
            self._tell_epoch(host)

    def _tell_epoch(self, host: Host) -> None:
        assert self._epoch_ns is not None, "all were ready"
        epoch_ns = self._epoch_ns
        self.after(self.chance.randrange(3 * MS), partial(host.do, partial(host.start, epoch_ns)))

    def kill(self, host: Host, fuse: Kill, place: str) -> None:
        """Lose a process with its memory; what it has handed to the wire may still come."""
        self.counts[f"killed {place}"] += 1
        self.at_risk += _in_memory(host)
        if fuse.loses_log:
            self.counts["log lost"] += 1
            self.disk[host.node].lose()
            self.witness.lose(host.node)
        self._bury(host, fuse.back_ns)

    def go_down(self, host: Host) -> None:
        """Lose a process that the model has crash, to be back in time."""
        self.counts["crashed by the model"] += 1
        self.at_risk += _in_memory(host)
        model, now_ns = host.machine.model, self.now_ns - (self._epoch_ns or 0)
        ends = [min(crash.to_ns, model.duration_ns) for crash in model.crashes if crash.from_ns < model.duration_ns]
        lead_ns = self.chance.randrange(RESTART_LEAD_NS_MAX)
        back_ns = 0 if self.plan.pace == "fast" else max(0, max(ends) - lead_ns - now_ns)
        self._bury(host, back_ns + MS)

    def refuse(self, host: Host, error: ScaleModelError) -> None:
        """End the run: a node has ended with the exit code 74, and says why."""
        host.is_alive = False
        self.refusal = str(error)
        if not self.witness.has_lost:
            raise Violation("refused", str(error))

    def _bury(self, host: Host, back_ns: int) -> None:
        host.is_alive = False
        self._ready.discard(host.node)
        for pair, line in list(self._lines.items()):
            if host.node in pair and not line.is_broken:
                # The end of a connection may be lost, too: then nobody tells the other side.
                is_told = self.chance.choice((True, True, False))
                self.counts["left half-open"] += not is_told
                kept = self.chance.choice((0.0, 1.0, self.chance.random()))
                self._break(line, keeps=(kept, kept), is_told=(is_told, is_told))
        self.after(back_ns, partial(self._restart, host.node))

    def _restart(self, number: int) -> None:
        self.counts["restarted"] += 1
        content = self.disk[number]
        self.witness.read_again(number, bytes(content.data))
        try:
            self.hosts[number] = Host(self, number)
        except LogError as error:
            raise Violation("its own log refused", str(error)) from error

    # The wire.

    def dial(self, host: Host, recipient: int) -> None:
        """Open a connection; refused if nobody listens there, or nothing gets through."""
        other, pair = self.hosts[recipient], (host.node, recipient)
        is_deaf = self._deaf.get(recipient, 0) > self.now_ns
        if not other.is_alive or is_deaf or self.held_until(*pair) or self.held_until(recipient, host.node):
            self.counts["dial refused"] += 1
            host.dial_again(recipient, answered=False)
            return
        line = Line(self, *pair, (self._latency_ns(), self._latency_ns()))
        self._replay(self._lines.get(pair), line)
        self._lines[pair] = line
        here = End(host, line, incoming=line.back, outgoing=line.there)
        there = End(other, line, incoming=line.there, outgoing=line.back)
        other.do(lambda: there.attach(other.connections.accept(there)))
        here.attach(host.connections.dial(recipient, here))

    def _replay(self, old: Line | None, line: Line) -> None:
        if old is None or self.is_healed:
            return
        for before, now in ((old.there, line.there), (old.back, line.back)):
            if before.carried and self.chance.random() < self.plan.replays:
                # The last of them most of all: they say the most of what may be missing now.
                start = max(0, len(before.carried) - self.chance.choice((1, 2, 5, self.chance.randint(1, 50))))
                now.replay = b"".join(before.carried[start : start + self.chance.randint(1, REPLAYED_WRITES_MAX)])
                self.counts["frames replayed"] += 1

    def given_up(self, line: Line) -> None:
        """Judge an end that takes the other for dead: it is right, or for so long nothing could be heard of it.

        Raises Violation where somebody was there all the time.
        """
        one, other = line.sender, line.recipient
        ways = self._held.get((one, other), 0), self._held.get((other, one), 0)
        hindered_ns = max(*ways, self._stopped.get(one, 0), self._stopped.get(other, 0))
        if not line.is_broken and hindered_ns + DEAD_NS < self.now_ns:
            raise Violation("a living peer given up", f"the connection of {one} to {other} was whole")
        self.counts["found half-open"] += line.is_broken
        self._break(line, keeps=(self.chance.random(), self.chance.random()), is_told=(True, True))

    def held_until(self, sender: int, recipient: int) -> int | None:
        """Return until when no byte goes this way."""
        until_ns = self._held.get((sender, recipient), 0)
        return until_ns if until_ns > self.now_ns else None

    def send(self, node: int, peer: int | None, write: Callable[[bytes], None], data: bytes) -> None:
        """Let the witness see what leaves a process, and bring it on its way."""
        self.witness.sent(node, peer, data)
        write(data)

    def _latency_ns(self) -> int:
        return self.chance.choice((100_000, 1 * MS, 8 * MS, 40 * MS))

    # What befalls them.

    def _strike(self, fault: Fault) -> None:
        if self.is_healed:
            return
        match fault:
            case Kill(node=number):
                if self.hosts[number].is_alive:
                    self.hosts[number].light(fault)
            case Break():
                self._cut(fault)
            case OneWay(sender=sender, recipient=recipient):
                self.counts["one way held"] += 1
                self._held[sender, recipient] = self._until(fault.for_ns)
            case Stop(node=number):
                self._stop(self.hosts[number], self._until(fault.for_ns))
            case Deaf(node=number):
                self.counts["deaf"] += 1
                self._deaf[number] = self._until(fault.for_ns)

    def _until(self, for_ns: int) -> int:
        return min(self.now_ns + for_ns, START_NS + self.plan.heals_ns)

    def _stop(self, host: Host, until_ns: int) -> None:
        if not host.is_alive or host.stopped_until is not None:
            return
        self.counts["stopped"] += 1
        host.stopped_until = self._stopped[host.node] = until_ns
        self.after(self.wait_ns(until_ns), partial(_go_on, host))

    def _cut(self, fault: Break) -> None:
        line = self._lines.get((fault.sender, fault.recipient))
        if line is None or line.is_broken:
            return
        self.at_risk += self._under_way(line)
        self.counts["cut" if all(fault.is_told) else "left half-open"] += 1
        self._break(line, keeps=fault.keeps, is_told=fault.is_told)

    def _break(self, line: Line, *, keeps: tuple[float, float], is_told: tuple[bool, bool]) -> None:
        if line.is_broken:
            return
        line.is_broken = True
        pipes: tuple[Pipe, Pipe] = (line.there, line.back)
        for pipe, kept, told in zip(pipes, keeps, is_told, strict=True):
            if pipe.cut(kept, is_told=told, is_reset=self.chance.random() < 0.5):
                self.counts["bytes lost"] += 1

    def _under_way(self, line: Line) -> int:
        """Count the messages that have left a window and have not come."""
        sender, recipient = self.hosts[line.sender].machine, self.hosts[line.recipient].machine
        outlet, inlet = sender.outgoing[line.recipient].newest, recipient.incoming[line.sender]
        return max(0, outlet.last - inlet.have().get(outlet.incarnation, 0))


def _in_memory(host: Host) -> int:
    """Count the messages that a process has and its log has not."""
    return len(host.machine.process.unreceived())


def _go_on(host: Host) -> None:
    host.stopped_until = None
