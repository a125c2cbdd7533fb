"""The simulated lab, the readable reference: a heap of ticks, no sockets, no sleeping.

Never reads a clock of the world. Source: model section 4.
"""

from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heappush

from node.event import Event
from node.model import Model
from node.process import Process


class Simulation:
    """All machines of a cluster; each tick is executed in the order of (due, node)."""

    def __init__(self, machines: Mapping[int, Model]) -> None:
        self.processes = {node: Process(model) for node, model in sorted(machines.items())}
        self._ticks = [
            (process.next_due_ns, node)
            for node, process in self.processes.items()
            if process.next_due_ns is not None
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
