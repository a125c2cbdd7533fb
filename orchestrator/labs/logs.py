"""The event logs of a cluster whose machines all live in this process: the lines that nodes of their own would write.

Never decides anything: the simulated and the in-process lab say what happened, and when.
"""

from collections import Counter
from collections.abc import Mapping

from node.event import Event
from node.journal import Journal
from node.model import Pace
from node.process import Process
from node.record import EndLine, HeldBack, StopLine, event_line, start_line
from orchestrator.rundir import Run


class Logs:
    """One log a machine; nothing is on the disk before `flush`."""

    def __init__(
        self, run: Run, processes: Mapping[int, Process], *, name: str, pace: Pace | None, epoch_ns: int
    ) -> None:
        """Create the logs of a run called `name`; without a pace there is no wall clock either.

        Raises OutputError if a log exists or cannot be created.
        """
        self._processes = processes
        self._pace = pace
        self._journals: dict[int, Journal] = {}
        self._ended: set[int] = set()
        wall = None if pace is None else epoch_ns
        for node, process in processes.items():
            journal = self._journals[node] = Journal(run.events_path(node))
            start = start_line(
                process.model, run=name, incarnation=process.incarnation, pace=pace, epoch_ns=epoch_ns, wall=wall
            )
            journal.write(start)
            if process.next_tick is None:
                self._end(process, wall, interrupted=False)

    def record(self, event: Event, wall: int | None) -> None:
        """Add an event executed at `wall`, and after a machine's last the line that says so."""
        self._journals[event.node].write(event_line(event, wall))
        process = self._processes[event.node]
        if process.next_tick is None:
            self._end(process, wall, interrupted=False)

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
                self._journals[node].write(stop_line(process, _held_back(self._pace), wall))
        self.flush()
        for journal in self._journals.values():
            journal.close()

    def _end(self, process: Process, wall: int | None, *, interrupted: bool) -> None:
        node = process.model.node
        self._ended.add(node)
        line = EndLine(
            event="end",
            node=node,
            incarnation=process.incarnation,
            events=process.index,
            interrupted=interrupted,
            wall=wall,
        )
        self._journals[node].write(line)


def stop_line(process: Process, held_back: HeldBack | None, wall: int | None) -> StopLine:
    """Return the stop record of a machine that has executed its last tick and has all messages sent to it."""
    model, unreceived = process.model, process.unreceived()
    in_queue = Counter(message.sender for message, _ in unreceived if message.arrival_ns < model.duration_ns)
    everything = Counter(message.sender for message, _ in unreceived)
    return StopLine(
        event="stop",
        node=model.node,
        incarnation=process.incarnation,
        events=process.index,
        incoming=[(sender, in_queue[sender], everything[sender] - in_queue[sender]) for sender in model.senders],
        late=[
            (message.sender, message.incarnation, message.index, message.copy, seen_ns)
            for message, seen_ns in unreceived
            if seen_ns is not None
        ],
        held_back=held_back,
        wall=wall,
    )


def _held_back(pace: Pace | None) -> HeldBack | None:
    # One heap for all machines: a tick never waits for a promise, only for its due time.
    return HeldBack(ticks=0, total_ns=0, max_ns=0) if pace == "exact" else None
