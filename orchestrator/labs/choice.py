"""Which of the two simulates a cluster: the readable reference, or the compiled one where that is done sooner.

Never changes a result: both give the same events. Numba is imported only where the compiled one is chosen.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from node.model import Model
from orchestrator.native.cache import holds

if TYPE_CHECKING:
    from orchestrator.labs.kernel.record import Record

EVENTS_MIN: Final = 25_000
"""From here on the compiled one is done sooner, the import of numba included."""
EVENTS_MIN_COLD: Final = 150_000
"""The same if it must be compiled first."""
EVENTS_MIN_COLD_MANY: Final = 800_000
"""The same for many runs, whose measures are compiled with them."""


def is_worth_compiling(machines: Mapping[int, Model], *, runs: int = 1) -> bool:
    """Return whether the compiled simulation of these machines is done sooner; without numba there is none."""
    events = runs * sum(model.tick_count for model in machines.values())
    cold = EVENTS_MIN_COLD if runs == 1 else EVENTS_MIN_COLD_MANY
    if events < EVENTS_MIN or (events < cold and not _was_compiled(machines, runs)):
        return False
    if find_spec("numba") is None:
        _say_that_numba_is_missing()
        return False
    return True


def compiled(
    machines: Mapping[int, Model], *, has_trace: bool, go_on: Callable[[], bool] = lambda: True
) -> "Record | None":
    """Return the record of a compiled run; None where the reference must run, or `go_on` said no.

    Raises ConfigurationError if the memory would not suffice.
    """
    if not is_worth_compiling(machines):
        return None
    from orchestrator.labs.kernel.plan import plan_of  # noqa: PLC0415  # numba costs more than a small run
    from orchestrator.labs.kernel.room import refuse_if_too_large  # noqa: PLC0415
    from orchestrator.labs.kernel.run import run_plan  # noqa: PLC0415

    refuse_if_too_large(machines, traces=int(has_trace))
    return run_plan(plan_of(machines), go_on=go_on)


def _was_compiled(machines: Mapping[int, Model], runs: int) -> bool:
    from orchestrator.labs.kernel.plan import is_plain  # noqa: PLC0415  # small runs ask for none of it

    if runs > 1:
        return holds("many.measure_plain" if is_plain(machines.values()) else "many.measure_general")
    return holds("plain.run_plain" if is_plain(machines.values()) else "general.run_general")


@cache
def _say_that_numba_is_missing() -> None:
    sys.stderr.write(
        "remark: numba is not installed, so the readable reference simulates, which takes longer; "
        "python3 lab.py run … --lab simulated installs it\n"
    )
