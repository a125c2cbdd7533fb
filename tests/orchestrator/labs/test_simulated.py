"""The readable reference gives the golden traces, whatever Python's hashes are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.labs.simulated import run_simulated, simulate
from orchestrator.rundir import Run
from orchestrator.trace import check, read_trace
from orchestrator.twin import twin_of
from tests.balance import unbalanced
from tests.delays import WITH_DRAWN_DELAYS, strays
from tests.fault_mixes import EACH, half_a_second
from tests.golden_runs import ALL, as_array, expected, machines
from tests.shipped import RUN_BY_TESTS

ROOT = Path(__file__).parents[3]


RUN_EVERY_CONFIG = """
import sys
from pathlib import Path
from orchestrator.config import load_experiment
from orchestrator.labs.simulated import run_simulated
from orchestrator.rundir import Run
for path in sys.argv[2:]:
    experiment = load_experiment(Path(path))
    for number in range(1, experiment.runs + 1):
        directory = Path(sys.argv[1], experiment.name, f"run-{number}")
        directory.mkdir(parents=True)
        run_simulated(Run(directory), experiment.machines(number), name=experiment.name)
"""


@pytest.mark.parametrize("name", ALL)
def test_a_golden_run_gives_its_golden_trace(name: str) -> None:
    """The model's text decides every event: two programs written from it agree to the byte."""
    assert expected(name) == [as_array(event) for event in simulate(machines(name))]


@pytest.mark.parametrize("name", EACH)
def test_with_each_fault_every_link_balances(name: str, tmp_path: Path) -> None:
    """Model section 7, exactly: what is left is what the recipients have in memory."""
    machines = half_a_second(name)
    run_simulated(Run(tmp_path), machines, name=name)

    assert {} == unbalanced(Run(tmp_path), machines)


@pytest.mark.parametrize("name", WITH_DRAWN_DELAYS)
def test_every_arrival_is_what_the_dice_say(name: str, tmp_path: Path) -> None:
    """Model section 3: to the nanosecond, where it was sent and where it was received."""
    machines = half_a_second(name)
    run_simulated(Run(tmp_path), machines, name=name)

    assert set() == strays(Run(tmp_path), machines)


def test_every_shipped_experiment_is_valid_and_its_bytes_do_not_depend_on_hashes(tmp_path: Path) -> None:
    """Chance is a function of place: two fresh processes with other hash seeds write the same bytes, and all hold."""
    for hash_seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", RUN_EVERY_CONFIG, str(tmp_path / hash_seed), *map(str, RUN_BY_TESTS)],
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            check=True,
            timeout=120,
        )
    logs = {path.relative_to(tmp_path / "1"): path for path in tmp_path.glob("1/*/*/events-*.jsonl")}
    runs = sorted({path.parent for path in logs.values()})

    assert 5 * len(RUN_BY_TESTS) == len(runs)
    assert {name: path.read_bytes() for name, path in logs.items()} == {
        name: (tmp_path / "2" / name).read_bytes() for name in logs
    }
    assert ["valid"] * len(runs) == [verdict(run) for run in runs]


def verdict(directory: Path) -> str:
    """Judge a run from its logs, beside its twin."""
    trace = read_trace(Run(directory).event_logs())
    return check(trace, twin_of(trace)).verdict
