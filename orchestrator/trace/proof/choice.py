"""Which checks machine code may prove beforehand, and whether it is worth asking.

Never changes a report: what is proved here the plain checks would find valid, and whatever is not proved they judge.
Numba is imported only where a run is long enough.
"""

import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Final

from orchestrator.native.cache import holds
from orchestrator.trace.proof.proof import Proof
from orchestrator.trace.store import Machine, Trace

EVENTS_MIN: Final = 50_000
"""From here on it is done sooner, the import of numba included."""
EVENTS_MIN_COLD: Final = 500_000
"""The same if it must be compiled first."""


def proof_of(trace: Trace, twin: Trace | None) -> Proof:
    """Return what can be proved of a trace beside its twin; of a short one nothing, nor without numba."""
    if not is_worth_compiling(len(trace)) or not (trace.is_timed and _are_regular(trace.machines)):
        return Proof()
    from orchestrator.trace.proof.cluster import cluster_of  # noqa: PLC0415  # numba costs more than a short run
    from orchestrator.trace.proof.judge import prove  # noqa: PLC0415
    from orchestrator.trace.proof.narrow import columns_of  # noqa: PLC0415

    cluster = cluster_of({node: machine.model for node, machine in trace.machines.items() if machine.model})
    if cluster is None or (columns := columns_of(trace, cluster)) is None:
        return Proof()
    other = columns_of(twin, cluster) if twin is not None and _must_be_equal(trace, twin) else None
    return prove(columns, cluster, other, stops={node: machine.stop for node, machine in trace.machines.items()})


def is_worth_compiling(events: int) -> bool:
    """Return whether proving is done sooner than checking so many events; without numba nothing is proved."""
    if events < EVENTS_MIN or (events < EVENTS_MIN_COLD and not holds("piece.judge_piece")):
        return False
    if find_spec("numba") is None:
        _say_that_numba_is_missing()
        return False
    return True


def _are_regular(machines: Mapping[int, Machine]) -> bool:
    """Return whether all is known of every machine, in one epoch, and nothing came late."""
    return bool(machines) and all(
        machine.model is not None
        and machine.model.node == node
        and machine.is_finished
        and not machine.has_holes
        and machine.shift_ns == 0
        and not (machine.start and machine.start["incarnation"])
        and not (machine.stop and machine.stop["late"])
        for node, machine in machines.items()
    )


def _must_be_equal(trace: Trace, twin: Trace) -> bool:
    """Return whether a difference between a run and its twin would be a violation."""
    machines = trace.machines.values()
    return (
        not any(machine.pace == "free" for machine in machines)
        and all(machine.start is not None or machine.is_in_memory for machine in machines)
        and not any(machine.shift_ns for machine in twin.machines.values())
    )


@cache
def _say_that_numba_is_missing() -> None:
    sys.stderr.write(
        "remark: numba is not installed, so that the plain checks judge long runs, which takes longer; "
        "python3 lab.py run … --lab simulated installs it\n"
    )
