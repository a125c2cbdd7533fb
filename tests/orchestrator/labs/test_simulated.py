"""The readable reference gives the golden traces, whatever Python's hashes are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.labs.simulated import simulate
from tests.golden_runs import WITHOUT_FAULTS, as_array, expected, machines

ROOT = Path(__file__).parents[3]

PRINT_A_TRACE = """
import orjson
from node.record import event_line
from orchestrator.labs.simulated import simulate
from tests.golden_runs import machines
for name in ("c2", "c6"):
    for event in simulate(machines(name)):
        print(orjson.dumps(event_line(event, None)).decode())
"""


@pytest.mark.parametrize("name", WITHOUT_FAULTS)
def test_a_golden_run_gives_its_golden_trace(name: str) -> None:
    """The model's text decides every event: two programs written from it agree to the byte."""
    assert expected(name) == [as_array(event) for event in simulate(machines(name))]


def test_the_bytes_of_a_trace_do_not_depend_on_the_hashes_of_the_process() -> None:
    """Chance is a function of place: no hash() and no order of a set takes part."""

    def trace(hash_seed: str) -> bytes:
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-c", PRINT_A_TRACE],
            env=environment,
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=60,
        ).stdout

    first = trace("1")

    assert first.count(b"\n") == 5820 + 1320
    assert first == trace("2")
