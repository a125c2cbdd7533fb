"""The simulated twin of a run, in memory: what the same configuration and seed must give.

Never reads a log: whoever has one hands over its models.
"""

from collections.abc import Mapping
from dataclasses import replace

from node.model import Model
from orchestrator.labs.choice import compiled
from orchestrator.labs.logs import stop_record
from orchestrator.labs.simulated import Simulation
from orchestrator.trace.build import trace_of
from orchestrator.trace.store import Trace

TICKS_MAX = 50_000_000
"""A start line may claim years; no run that anybody waited for has more ticks."""


def simulated(machines: Mapping[int, Model], *, until_ns: int | None = None) -> Trace:
    """Return the trace that these machines must give; with a time, what it is if the run is cut after that."""
    if until_ns is None and (record := compiled(machines, has_trace=True)) is not None:
        from orchestrator.labs.kernel import telling  # noqa: PLC0415  # what is not compiled is not asked for

        return telling.trace_of(record, machines)
    simulation = Simulation(machines)
    events = []
    while (due_ns := simulation.next_due_ns) is not None and (until_ns is None or due_ns <= until_ns):
        events.append(simulation.tick())
    if until_ns is not None:
        trace = trace_of(machines, events)
        return replace(trace, machines={node: replace(one, is_in_memory=False) for node, one in trace.machines.items()})
    stops = {node: stop_record(process, None, None) for node, process in simulation.processes.items()}
    return trace_of(machines, events, stops)


def twin_of(trace: Trace) -> Trace | None:
    """Return the twin of a trace, with one epoch for all; None if it lacks a model that it names."""
    machines = {node: machine.model for node, machine in trace.machines.items() if machine.model is not None}
    named = {other for model in machines.values() for other in (*model.peers, *model.senders)}
    is_whole = len(machines) == len(trace.machines) > 0 and named <= machines.keys()
    if not is_whole or sum(model.tick_count for model in machines.values()) > TICKS_MAX:
        return None
    return simulated(machines)
