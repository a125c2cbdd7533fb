"""How much an experiment will write, before it runs.

Never runs anything: at most one event comes of a tick, and the ticks are known.
"""

from typing import Final

from node.limits import SECOND_NS
from orchestrator.config import Experiment
from orchestrator.config.settings import RateRange

EVENT_BYTES: Final = 230
"""More than the mean of any run that was measured (docs/run-directory.md, "How large it becomes")."""
MACHINE_BYTES: Final = 12_000
"""Its log, its model and its words are three files, and each takes whole blocks of the disk."""
PEER_BYTES: Final = 500
"""What it writes of each peer: its number in the start line and the model, its balance, its connections."""
COLUMNS_EVENT_BYTES: Final = 16
"""In columns, with drawn delays, too; at constant delay 5 are enough."""
COLUMNS_MACHINE_BYTES: Final = 2_000
COLUMNS_BYTES: Final = 16_000
"""What each machine says of itself, and what three tables take though nothing is in them."""
MARGIN: Final = 1.25
SPARE_BYTES: Final = 64_000_000
"""What must be left: a computer whose disk is full to the last byte is no place to work."""
RUNS_LOOKED_AT_MAX: Final = 100


def bytes_of(experiment: Experiment, *, in_columns: bool = False) -> int:
    """Return how much room the runs of this experiment need, with a margin."""
    if in_columns:
        return round(_bytes_in_columns(experiment) * experiment.runs * MARGIN) + SPARE_BYTES
    looked_at = min(experiment.runs, RUNS_LOOKED_AT_MAX)
    written = sum(_bytes_of_run(experiment, number) for number in range(1, looked_at + 1))
    return round(written * experiment.runs / looked_at * MARGIN) + SPARE_BYTES


def _bytes_in_columns(experiment: Experiment) -> float:
    """Return the same of one run in columns, were each machine the fastest that it may be."""
    rates = experiment.tick_rate.max if isinstance(experiment.tick_rate, RateRange) else max(experiment.tick_rate)
    fastest_hz = max([rates, *(one.tick_rate or 0 for one in experiment.overrides.values())])
    ticks = experiment.nodes * fastest_hz * experiment.duration_ns / SECOND_NS
    return ticks * COLUMNS_EVENT_BYTES + experiment.nodes * COLUMNS_MACHINE_BYTES + COLUMNS_BYTES


def _bytes_of_run(experiment: Experiment, number: int) -> int:
    return sum(
        machine.tick_count * EVENT_BYTES + MACHINE_BYTES + len(machine.peers) * PEER_BYTES
        for machine in experiment.machines(number).values()
    )
