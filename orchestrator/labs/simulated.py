"""The simulated lab, the readable reference: a heap of ticks, no sockets, no sleeping.

Never asks a clock of the world when a tick is due. Source: model section 4.
"""

from collections.abc import Callable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from typing import Protocol

from node.event import Event
from node.model import Model
from node.process import Process
from orchestrator.labs.choice import compiled
from orchestrator.labs.logs import Logs, Machine
from orchestrator.labs.observer import FaultNotes, Observer
from orchestrator.labs.outcome import Outcome
from orchestrator.labs.progress import Progress, Watcher, nobody
from orchestrator.labs.stopwatch import Stopwatch
from orchestrator.rundir import Run
from orchestrator.trace.bands import bands_of

TICKS_BETWEEN_FLUSHES = 1000


class Simulation:
    """All machines of a cluster; each tick is executed in the order of (due, node)."""

    def __init__(self, machines: Mapping[int, Model]) -> None:
        self.processes = {node: Process(model) for node, model in sorted(machines.items())}
        self._ticks = [
            (process.next_due_ns, node) for node, process in self.processes.items() if process.next_due_ns is not None
        ]
        heapify(self._ticks)

    @property
    def next_due_ns(self) -> int | None:
        """When the next tick of the cluster is due; None after the last."""
        return self._ticks[0][0] if self._ticks else None

    def tick(self) -> Event:
        """Execute the next tick of the cluster, hand its messages over, and return its event."""
        _, node = heappop(self._ticks)
        process = self.processes[node]
        step = process.tick()
        if process.next_due_ns is not None:
            heappush(self._ticks, (process.next_due_ns, node))
        for recipient, message in step.sent:
            self.processes[recipient].deliver(message)
        return step.event


def simulate(machines: Mapping[int, Model]) -> Iterator[Event]:
    """Yield every event of a cluster's run, ordered by (due, node)."""
    simulation = Simulation(machines)
    while simulation.next_due_ns is not None:
        yield simulation.tick()


def run_simulated(
    run: Run,
    machines: Mapping[int, Model],
    *,
    name: str,
    progress: Watcher = nobody,
    is_interrupted: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Simulate a cluster and write its logs: no wall clock, no pace, epoch 0.

    Raises OutputError or LogError if the logs cannot be written.
    """
    stopwatch = Stopwatch()
    simulation = _simulation(machines, lambda: not is_interrupted())
    logs = Logs(run, simulation.processes, name=name, pace=None, epoch_ns=0)
    faults = FaultNotes(Observer(run.observer_path), bands_of(machines))
    stopwatch.tick()
    while (due_ns := simulation.next_due_ns) is not None and not is_interrupted():
        progress(Progress("ticking", due_ns))
        for _ in range(TICKS_BETWEEN_FLUSHES):
            if simulation.next_due_ns is None:
                break
            faults.note_until(simulation.next_due_ns, wall=None)
            logs.record(simulation.tick(), wall=None)
        logs.flush()
    interrupted = simulation.next_due_ns is not None
    if not interrupted:
        faults.note_all(wall=None)
    logs.seal(wall=None, interrupted=interrupted)
    return stopwatch.outcome(interrupted=interrupted)


class _Told(Protocol):
    """What tells a run event by event."""

    @property
    def processes(self) -> Mapping[int, Machine]: ...
    @property
    def next_due_ns(self) -> int | None: ...
    def tick(self) -> Event: ...


def _simulation(machines: Mapping[int, Model], go_on: Callable[[], bool]) -> _Told:
    """Return what tells a run: the reference, or a compiled run that is over already, where that is done sooner."""
    if (record := compiled(machines, has_trace=False, go_on=go_on)) is None:
        return Simulation(machines)
    from orchestrator.labs.kernel.replay import Replay  # noqa: PLC0415  # what is not compiled is not asked for

    return Replay(record, machines)
