"""A bit that flips anywhere in a recorded run: never valid again."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from orchestrator.executions import find_executions, judge
from orchestrator.rundir import find_runs
from tests.promises import record

FLIPS = 10_000
JUDGED = 50
"""Of so many flips the whole verdict is asked for; of all the others, whether the change is seen."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small experiment, recorded."""
    directory = tmp_path_factory.mktemp("recorded")
    (directory / "small.yaml").write_text("nodes: 2\nduration: 2s\nruns: 1\n")
    out = directory / "out"
    command = ["run", str(directory / "small.yaml"), "--lab", "simulated", "--out", str(out)]
    subprocess.run([sys.executable, "-m", "orchestrator", *command], check=True, capture_output=True, timeout=60)
    return out


def flip(path: Path, bit: int) -> None:
    """Flip one bit of a file; done twice, nothing has happened."""
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ (1 << bit % 8)]))


def test_no_flipped_bit_leaves_a_run_valid(recorded: Path) -> None:
    """In logs, configuration, results and the manifest itself, which has a seal."""
    chance, (run,) = Random(1), find_runs([recorded])
    files = [recorded / "experiment.yaml", recorded / "manifest.json", *sorted(run.path.iterdir())]
    bits = [chance.randrange(8 * path.stat().st_size) for path in files for _ in range(FLIPS // len(files) + 1)]
    places = [(path, bit) for index, path in enumerate(files) for bit in bits[index :: len(files)]]
    unseen, believed = [], []

    assert [] == run.changed_files()
    assert "valid" == judge(next(find_executions([recorded]))).verdict

    for number, (path, wild) in enumerate(places):
        bit = wild % (8 * path.stat().st_size)
        flip(path, bit)
        if not run.changed_files():
            unseen.append((path.name, bit))
        if number % (len(places) // JUDGED) == 0 and judge(next(find_executions([recorded]))).verdict == "valid":
            believed.append((path.name, bit))
        flip(path, bit)

    assert len(places) >= FLIPS
    assert ([], []) == (unseen, believed)
    record("damaged run, judged", "test", f"{len(places):,} flipped bits seen")
    assert [] == run.changed_files()
