"""The measures of many runs as columns, a row a run; and of one run, as `measure` gives them.

Never measures: it divides what was added up, as the plain formulas do, to the same bits. `docs/measures.md` has each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from orchestrator.trace.store import KINDS, Column

Figures: TypeAlias = npt.NDArray[np.float64]

OF_EVENTS: Final = (
    *("queue_max", "jump_mean", "jump_max", "gap_mean", "gap_max"),
    *(f"share_{kind.replace('-', '_')}" for kind in KINDS),
    "busy",
)
OF_MACHINE: Final = (*OF_EVENTS, "queue_mean", "final_clock", "clock_rate")
OF_RUN: Final = ("drift_mean", "drift_max", "drift_pair_mean", *OF_MACHINE)
"""The names of all measures, in the order of `measure`."""

_WHOLE: Final = frozenset({"drift_max", "queue_max", "jump_max", "gap_max"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Runs of one configuration, measured: row *k* - 1 of every column is run *k*.

    `seed` and `events`, of shape (runs,), are whole numbers. `of_run` has a column of floats of shape (runs,) for each
    measure, `of_machines` one of shape (runs, machines) for each that a machine has, the machines in the order of
    `nodes`, their numbers. Where there is nothing to measure stands NaN.
    Units are those of docs/measures.md: clock steps, messages, shares from 0 to 1, clock steps a second.
    """

    nodes: tuple[int, ...]
    seed: Column
    events: Column
    of_run: Mapping[str, Figures]
    of_machines: Mapping[str, Figures]

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self.seed)

    def __getitem__(self, name: str) -> Figures:
        """Return the column of a measure over all machines.

        Raises KeyError for a name that is no measure.
        """
        return self.of_run[name]

    def run(self, number: int) -> dict[str, Any]:
        """Return the measures of run 1, 2, and so on, exactly as `measure` gives them."""
        assert 1 <= number <= len(self), "runs are numbered from 1"
        row = number - 1
        machines = {
            str(node): {
                name: _told(self.of_machines[name][row, place], is_whole=name in _WHOLE or name == "final_clock")
                for name in OF_MACHINE
            }
            for place, node in enumerate(self.nodes)
        }
        return {
            **{name: _told(self.of_run[name][row], is_whole=name in _WHOLE) for name in OF_RUN},
            "machines": machines,
        }


def empty(nodes: Sequence[int], seeds: Column) -> Measured:
    """Return the columns of runs that are still to be measured; they may hold anything."""
    runs = len(seeds)
    return Measured(
        nodes=tuple(nodes),
        seed=seeds,
        events=np.empty(runs, np.int64),
        of_run={name: np.empty(runs) for name in OF_RUN},
        of_machines={name: np.empty((runs, len(nodes))) for name in OF_MACHINE},
    )


def put(measured: Measured, row: int, measures: Mapping[str, Any], events: int) -> None:
    """Fill in a run of which `measure` was asked."""
    measured.events[row] = events
    for name in OF_RUN:
        measured.of_run[name][row] = _or_nan(measures[name])
    for name in OF_MACHINE:
        measured.of_machines[name][row] = [_or_nan(one[name]) for one in measures["machines"].values()]


def _told(figure: Any, *, is_whole: bool) -> float | int | None:
    return None if np.isnan(figure) else int(figure) if is_whole else float(figure)


def _or_nan(figure: float | None) -> float:
    return np.nan if figure is None else figure
