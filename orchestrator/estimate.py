"""How much an experiment will write, before it runs.

Never runs anything: at most one event comes of a tick, and the ticks are known.
"""

from typing import Final

from orchestrator.config import Experiment

EVENT_BYTES: Final = 230
"""More than the mean of any run that was measured (docs/run-directory.md, "How large it becomes")."""
MACHINE_BYTES: Final = 12_000
"""Its log, its model and its words are three files, and each takes whole blocks of the disk."""
PEER_BYTES: Final = 500
"""What it writes of each peer: its number in the start line and the model, its balance, its connections."""
MARGIN: Final = 1.25
SPARE_BYTES: Final = 64_000_000
"""What must be left: a computer whose disk is full to the last byte is no place to work."""
RUNS_LOOKED_AT_MAX: Final = 100


def bytes_of(experiment: Experiment) -> int:
    """Return how much room the runs of this experiment need, with a margin."""
    looked_at = min(experiment.runs, RUNS_LOOKED_AT_MAX)
    written = sum(_bytes_of_run(experiment, number) for number in range(1, looked_at + 1))
    return round(written * experiment.runs / looked_at * MARGIN) + SPARE_BYTES


def _bytes_of_run(experiment: Experiment, number: int) -> int:
    return sum(
        machine.tick_count * EVENT_BYTES + MACHINE_BYTES + len(machine.peers) * PEER_BYTES
        for machine in experiment.machines(number).values()
    )
