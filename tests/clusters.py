"""Small clusters for tests: their machines, and how each event of a run must look."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from node.event import Event
from node.model import SECOND_NS, ClockName, Model, Network, draw_phase_ns, draw_rate_hz, everyone_else
from orchestrator.labs.simulated import simulate


def cluster(
    nodes: int = 3,
    *,
    seed: int = 262,
    seconds: float = 5,
    rates: tuple[int, int] = (1, 6),
    internal_probability: float = 0.7,
    delay_ms: int = 0,
    clock: ClockName = "lamport",
    topology: Mapping[int, tuple[int, ...]] | None = None,
) -> dict[int, Model]:
    """Return the machines of a cluster, fully connected unless a topology says otherwise."""
    numbers = range(1, nodes + 1)
    peers = {node: everyone_else(node, numbers) if topology is None else topology.get(node, ()) for node in numbers}
    machines = {}
    for node in numbers:
        rate_hz = draw_rate_hz(seed, node, least=rates[0], most=rates[1])
        machines[node] = Model(
            node=node,
            seed=seed,
            rate_hz=rate_hz,
            phase_ns=draw_phase_ns(seed, node, rate_hz=rate_hz),
            internal_probability=internal_probability,
            clock=clock,
            duration_ns=round(seconds * SECOND_NS),
            peers=peers[node],
            senders=tuple(other for other in numbers if node in peers[other]),
            network=Network(delay_ns=delay_ms * 1_000_000),
        )
    return machines


def by_machine(events: Iterable[Event]) -> dict[int, list[Event]]:
    """Return the events of each machine, in its order."""
    events_of: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        events_of[event.node].append(event)
    return dict(events_of)


def simulated(machines: Mapping[int, Model]) -> dict[int, list[Event]]:
    """Return what each machine must do."""
    return {node: [] for node in machines} | by_machine(simulate(machines))
