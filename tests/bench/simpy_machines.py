"""The same machines as SimPy processes: a lean one that keeps the whole trace, and our own process.

Peers of `bench simulated`; both give the events of the simulation.
"""

from collections import deque
from collections.abc import Generator, Mapping
from typing import Any

import simpy

from node.dice import CERTAIN, KIND, PEER, mix, threshold
from node.event import Event
from node.model import SECOND_NS, Model
from node.process import Process

Told = tuple[Any, ...]
"""Node, index, tick, due, kind, clock, queue; then of a receive its cause, number, stamp, arrival, of a send its to."""


def lean(machines: Mapping[int, Model]) -> list[Told]:
    """Return the trace of a run of lean machines."""
    environment, queues, trace = simpy.Environment(), {node: deque[Told]() for node in machines}, list[Told]()
    for model in machines.values():
        environment.process(_machine(environment, model, queues, trace))
    environment.run()
    return trace


def _machine(
    environment: simpy.Environment, model: Model, queues: Mapping[int, deque[Told]], trace: list[Told]
) -> Generator[simpy.Event, None, None]:
    node, peers, rate_hz, end_ns = model.node, model.peers, model.rate_hz, model.duration_ns
    following = min((peer for peer in peers if peer > node), default=min(peers, default=0))
    internal_below, start = threshold(model.internal_probability), mix(mix(model.seed) ^ node)
    others, count = CERTAIN - internal_below, len(peers)
    queue, delay_ns, numbers = queues[node], model.network.delay_ns, dict.fromkeys(peers, 0)
    assert isinstance(delay_ns, int)
    clock, tick, due_ns = 0, 0, model.phase_ns
    while due_ns < end_ns:
        yield environment.timeout(due_ns - environment.now)
        if queue and queue[0][0] < due_ns:
            arrival_ns, sender, index, number, stamp = queue.popleft()
            clock = max(clock, stamp) + 1
            waiting = len(queue)
            while waiting and queue[waiting - 1][0] >= due_ns:
                waiting -= 1
            cause = sender, index
            trace.append((node, tick + 1, tick, due_ns, 4, clock, waiting, cause, number, stamp, arrival_ns))
        else:
            clock += 1
            x = mix(mix(mix(start ^ tick) ^ KIND)) >> 11
            kind, to = 0, []
            if x >= internal_below and peers:
                kind = 1 + (x - internal_below) * 3 // others
                arrival_ns = due_ns + delay_ns
                if kind == 1:
                    chosen: tuple[int, ...] = (peers[mix(mix(mix(start ^ tick) ^ PEER)) * count >> 64],)
                else:
                    chosen = (following,) if kind == 2 else peers
                for peer in chosen:
                    numbers[peer] = number = numbers[peer] + 1
                    queues[peer].append((arrival_ns, node, tick + 1, number, clock))
                    to.append((peer, number, arrival_ns))
            trace.append((node, tick + 1, tick, due_ns, kind, clock, 0, to))
        tick += 1
        due_ns = model.phase_ns + tick * SECOND_NS // rate_hz


def ours(machines: Mapping[int, Model]) -> list[Event]:
    """Return the events of a run of our own processes, each in a process of SimPy."""
    environment, trace = simpy.Environment(), list[Event]()
    processes = {node: Process(model) for node, model in machines.items()}

    def machine(process: Process) -> Generator[simpy.Event, None, None]:
        while (due_ns := process.next_due_ns) is not None:
            yield environment.timeout(due_ns - environment.now)
            step = process.tick()
            trace.append(step.event)
            for recipient, message in step.sent:
                processes[recipient].deliver(message)

    for process in processes.values():
        environment.process(machine(process))
    environment.run()
    return trace
