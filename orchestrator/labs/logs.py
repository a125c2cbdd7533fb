"""The event logs of a cluster whose machines all live in this process: the lines that nodes of their own would write.

Never decides anything: the simulated and the in-process lab say what happened, and when.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from node.event import Event, Message
from node.journal import Journal
from node.model import Model, Pace
from node.record import HeldBack, StopLine, boot_line, down_line, end_line, event_line, start_line, stop_line
from node.window import Crash
from orchestrator.rundir import Run


class Machine(Protocol):
    """What a log tells of its machine beside the events: a process is one."""

    @property
    def model(self) -> Model:
        """Its configuration."""

    @property
    def incarnation(self) -> int:
        """That of its last event."""

    @property
    def index(self) -> int:
        """That of its last event; 0 before the first."""

    @property
    def next_tick(self) -> int | None:
        """None if there is no event to come."""

    @property
    def next_due_ns(self) -> int | None:
        """When the next event is due, in ns since the epoch; None if there is none to come."""

    def unreceived(self) -> Sequence[tuple[Message, int | None]]:
        """Return what it never received, and from when a tick could see it if it came late."""


class Logs:
    """One log a machine; nothing is on the disk before `flush`."""

    def __init__(
        self, run: Run, processes: Mapping[int, Machine], *, name: str, pace: Pace | None, epoch_ns: int
    ) -> None:
        """Create the logs of a run called `name`; without a pace there is no wall clock either.

        Raises OutputError if a log exists or cannot be created.
        """
        self._processes = processes
        self._pace = pace
        self._journals: dict[int, Journal] = {}
        self._ended: set[int] = set()
        self._crashes = {node: _crashes(process.model) for node, process in processes.items()}
        self._down: dict[int, int] = {}
        self._have = {
            node: {(sender, 0): 0 for sender in processes[node].model.senders}
            for node, crashes in self._crashes.items()
            if crashes
        }
        wall = None if pace is None else epoch_ns
        for node, process in processes.items():
            journal = self._journals[node] = Journal(run.events_path(node))
            start = start_line(
                process.model, run=name, incarnation=process.incarnation, pace=pace, epoch_ns=epoch_ns, wall=wall
            )
            journal.write(start)
            self._go_on(process, wall)

    def record(self, event: Event, wall: int | None) -> None:
        """Add an event executed at `wall`, and what it is the last before: a crash, or the end."""
        self._come_back(event.node, wall)
        self._journals[event.node].write(event_line(event, wall))
        for recipient, number, _, _ in event.to:
            if number is not None and recipient in self._have:
                self._have[recipient][event.node, event.incarnation] = number
        self._go_on(self._processes[event.node], wall)

    def flush(self) -> None:
        """Write every line added so far."""
        for journal in self._journals.values():
            journal.flush()

    def seal(self, wall: int | None, *, interrupted: bool) -> None:
        """Write what is left to say and close; an interrupted run has no stop records: it did not come to its end."""
        for node, process in self._processes.items():
            if interrupted and node not in self._ended:
                self._end(process, wall, interrupted=True)
            if not interrupted:
                self._come_back(node, wall)
                self._journals[node].write(stop_record(process, _held_back(self._pace), wall))
        self.flush()
        for journal in self._journals.values():
            journal.close()

    def _go_on(self, process: Machine, wall: int | None) -> None:
        """Say what comes before the next tick; a crash that no tick falls into is one all the same."""
        if process.next_tick is None:
            self._end(process, wall, interrupted=False)
        due_ns, crashes = process.next_due_ns, self._crashes[process.model.node]
        while crashes and (due_ns is None or due_ns >= crashes[0].from_ns):
            crashes.popleft()
            self._come_back(process.model.node, wall)
            self._go_down(process, wall)

    def _go_down(self, process: Machine, wall: int | None) -> None:
        self._down[process.model.node] = process.incarnation
        line = down_line(
            process.model,
            incarnation=process.incarnation,
            have=[(*link, number) for link, number in sorted(self._have[process.model.node].items())],
            unreceived=(),
            held_back=HeldBack(ticks=0, total_ns=0, max_ns=0),
            wall=wall,
        )
        self._journals[process.model.node].write(line)

    def _come_back(self, node: int, wall: int | None) -> None:
        """Say that a machine is back, if it was down; a new incarnation begins with its first event."""
        incarnation = self._down.pop(node, None)
        if incarnation is not None:
            model = self._processes[node].model
            self._journals[node].write(boot_line(model, incarnation=incarnation, torn_bytes=0, wall=wall))

    def _end(self, process: Machine, wall: int | None, *, interrupted: bool) -> None:
        self._ended.add(process.model.node)
        line = end_line(
            process.model,
            incarnation=process.incarnation,
            events=process.index,
            interrupted=interrupted,
            wall=wall,
        )
        self._journals[process.model.node].write(line)


def stop_record(process: Machine, held_back: HeldBack | None, wall: int | None) -> StopLine:
    """Return the stop record of a machine that has executed its last tick and has all messages sent to it."""
    return stop_line(
        process.model,
        incarnation=process.incarnation,
        events=process.index,
        unreceived=process.unreceived(),
        held_back=held_back,
        wall=wall,
    )


def _crashes(model: Model) -> deque[Crash]:
    """Return the crashes of a machine in their order; one that would come after the run never comes."""
    coming = (crash for crash in model.crashes if crash.from_ns < model.duration_ns)
    return deque(sorted(coming, key=lambda crash: crash.from_ns))


def _held_back(pace: Pace | None) -> HeldBack | None:
    # One heap for all machines: a tick never waits for a promise, only for its due time.
    return HeldBack(ticks=0, total_ns=0, max_ns=0) if pace == "exact" else None
