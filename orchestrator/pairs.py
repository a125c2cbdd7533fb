"""Two runs side by side: how far they agree, and whether they should.

Never reads a file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from node.errors import NoInputError
from node.model import Model
from orchestrator.executions import Execution
from orchestrator.trace.compare import Agreement, compare, together
from orchestrator.trace.store import Trace


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two runs side by side."""

    a: Execution
    b: Execution

    @cached_property
    def agreement(self) -> Agreement:
        """How far they agree."""
        return compare(self.a.trace, self.b.trace)

    @property
    def have_one_configuration(self) -> bool:
        """Whether both had the same configuration and seed."""
        models = _models(self.a.trace)
        return None not in models.values() and models == _models(self.b.trace)

    @property
    def have_one_behaviour(self) -> bool:
        """Whether both had the same configuration and seed but for the clock rule, which changes no action."""
        behaviour = _but_for_clock(self.a.trace)
        return behaviour is not None and behaviour == _but_for_clock(self.b.trace)

    @property
    def should_be_equal(self) -> bool:
        """Whether a difference is a mistake: one configuration, and a pace at which nothing is late."""
        machines = [*self.a.trace.machines.values(), *self.b.trace.machines.values()]
        return self.have_one_configuration and not any(machine.pace == "free" for machine in machines)

    @property
    def are_whole(self) -> bool:
        """Whether both records are complete."""
        machines = [*self.a.trace.machines.values(), *self.b.trace.machines.values()]
        return all(machine.is_finished and not machine.has_holes for machine in machines)

    @property
    def exit_code(self) -> int:
        """0, 1 if they differ and should not, 2 if they differ but one of them is cut."""
        if self.agreement.fidelity == 1 or not self.should_be_equal:
            return 0
        return 1 if self.are_whole else 2


def paired(a: Sequence[Execution], b: Sequence[Execution]) -> list[Pair]:
    """Return the runs of two experiments by their numbers; two single runs are a pair whatever they are called.

    Raises NoInputError if no number is in both.
    """
    if len(a) == len(b) == 1:
        return [Pair(a=a[0], b=b[0])]
    others = {other.run.name: other for other in b}
    pairs = [Pair(a=one, b=others[one.run.name]) for one in a if one.run.name in others]
    if not pairs:
        raise NoInputError(f"{a[0].name} and {b[0].name}: no two runs of the same number; name two single runs")
    return pairs


def as_json(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return what --json prints; a share is null where the runs had no reason to agree."""
    data = together(pair.agreement for pair in pairs).as_json()
    if not all(pair.have_one_configuration for pair in pairs):
        data["fidelity"] = None
    if not all(pair.have_one_behaviour for pair in pairs):
        data["same_action"] = None
    return data


def _models(trace: Trace) -> dict[int, Model | None]:
    return {node: machine.model for node, machine in trace.machines.items()}


def _but_for_clock(trace: Trace) -> dict[int, Model] | None:
    models = {node: replace(model, clock="lamport") for node, model in _models(trace).items() if model is not None}
    return models if len(models) == len(trace.machines) else None
