"""Measuring in both ways: by the plain formulas, and in machine code, however little there is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import pytest

from node.model import Model
from orchestrator.labs import choice
from orchestrator.labs.logs import stop_record
from orchestrator.labs.simulated import Simulation
from orchestrator.trace import trace_of
from orchestrator.trace.store import Trace

MODULE: Final = import_module("orchestrator.trace.measure")  # the package has a function of that name


def reference(machines: Mapping[int, Model]) -> Trace:
    """Run a cluster by the readable reference."""
    simulation = Simulation(machines)
    events = []
    while simulation.next_due_ns is not None:
        events.append(simulation.tick())
    stops = {node: stop_record(process, None, None) for node, process in simulation.processes.items()}
    return trace_of(machines, events, stops)


def plainly(trace: Trace) -> dict[str, Any]:
    """Measure by the plain formulas."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "_is_worth_compiling", lambda events, machines: False)
        found: dict[str, Any] = MODULE.measure(trace)
    return found


def compiled(trace: Trace) -> dict[str, Any]:
    """Measure in machine code, if the trace is sound; else by the plain formulas, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "_is_worth_compiling", lambda events, machines: True)
        found: dict[str, Any] = MODULE.measure(trace)
    return found


@contextmanager
def nothing_is_too_small() -> Iterator[None]:
    """Let every run be simulated in machine code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "EVENTS_MIN", 0)
        patch.setattr(choice, "EVENTS_MIN_COLD", 0)
        patch.setattr(choice, "EVENTS_MIN_COLD_MANY", 0)
        yield
