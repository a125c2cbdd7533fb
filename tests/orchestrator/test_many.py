"""Many runs of one configuration: each row is what one run of that seed measures, whoever simulates it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.errors import ConfigurationError
from node.model import CLOCK_NAMES, SEED_MAX
from orchestrator import many
from orchestrator.config import Experiment, load_experiment
from orchestrator.labs.kernel import batch
from orchestrator.many import _parts, simulate_many
from orchestrator.trace.compiled import figures
from orchestrator.trace.measured import OF_MACHINE, OF_RUN, Measured
from tests.fault_mixes import mixes
from tests.measuring import compiled, nothing_is_too_small, plainly, reference
from tests.orchestrator.labs.kernel.test_kernel import TOPOLOGIES, drawn
from tests.shipped import RUN_BY_TESTS

ROOT = Path(__file__).parents[2]
EVENTS_MAX = 20_000
"""Of a shipped experiment that is run here."""


def quickly(experiment: Experiment, **arguments: Any) -> Measured:
    """Simulate in machine code."""
    with nothing_is_too_small():
        return simulate_many(experiment, **arguments)


def assert_rows(experiment: Experiment, runs: int) -> None:
    """Assert that each row is what the plain formulas say of the reference's trace, to the bit and the type."""
    found = quickly(experiment, runs=runs, threads=1)

    assert found.seed.tolist() == [experiment.seed + row for row in range(runs)]
    for row in range(runs):
        trace = reference(experiment.machines(row + 1))
        expected = plainly(trace)
        assert repr(expected) == repr(found.run(row + 1))
        assert repr(expected) == repr(compiled(trace))
        assert found.events[row] == len(trace)


@pytest.mark.parametrize("path", RUN_BY_TESTS, ids=lambda path: path.stem)
def test_every_shipped_experiment_is_measured_to_the_bit(path: Path) -> None:
    experiment = load_experiment(path)
    if sum(model.tick_count for model in experiment.machines(1).values()) > EVENTS_MAX:
        experiment = load_experiment(path, duration="1s")

    assert_rows(experiment, runs=2)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mixes(crashes=True, rate_hz_max=15), TOPOLOGIES, st.sampled_from(CLOCK_NAMES))
def test_drawn_clusters_are_measured_to_the_bit(fields: dict[str, Any], topology: Any, clock: str) -> None:
    """Faults and topologies, several at once; a seed that is found becomes an example."""
    assert_rows(Experiment.model_validate(drawn(fields, topology, clock)), runs=2)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"topology": {"random": 2}},
        {"topology": {"random": 3}, "network": {"delay": {"uniform": ("1ms", "90ms")}}},
        {"topology": {"random": 2}, "faults": ({"from": "1s", "to": "2s", "partition": ((1, 2), (3, 4))},)},
        {"topology": {"random": 2}, "duration": "2s", "network": {"links": {"1->2": {"delay": "3ms"}}}},
    ],
)
def test_threads_and_parts_change_nothing(threads: int, given: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the room for messages, who simulates, or who draws the peers."""
    fields = {"nodes": 4, "duration": "3s", "runs": 7, "internal_probability": 0.2} | given
    experiment = Experiment.model_validate(fields)
    monkeypatch.setattr(many, "EVENTS_AT_A_TIME", 30)
    monkeypatch.setattr(batch, "room_of", lambda plan: 5)
    found, expected = quickly(experiment, threads=threads), simulate_many(experiment)

    assert len(found) == len(expected) == 7
    for name in OF_RUN:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
    for name in OF_MACHINE:
        assert found.of_machines[name].shape == (7, 4)
        np.testing.assert_array_equal(found.of_machines[name], expected.of_machines[name], err_msg=name)


def test_runs_and_seed_are_the_experiments_own_unless_given() -> None:
    experiment = load_experiment(RUN_BY_TESTS[0], duration="1s", runs=3)

    assert len(simulate_many(experiment)) == 3
    assert simulate_many(experiment, runs=2, seed=70).seed.tolist() == [70, 71]


def test_a_run_in_which_nothing_happens_has_no_numbers() -> None:
    """A nanosecond, in which nobody ticks: a mean of nothing is not 0."""
    experiment = Experiment.model_validate({"duration": "1ns", "seed": 3})
    found = quickly(experiment, runs=2)

    assert found.events.tolist() == [0, 0]
    assert np.isnan(found["jump_mean"]).all()
    assert found.run(1) == plainly(reference(experiment.machines(1)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"runs": 0}, "runs: expected a whole number from 1 to 1,000,000, got 0"),
        ({"runs": 10**6 + 1}, "got 1000001"),
        ({"seed": -1}, "seed: the seeds of 5 runs must lie within 0 and 9223372036854775807, got -1"),
        ({"seed": SEED_MAX, "runs": 2}, "seed: the seeds of 2 runs"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments: dict[str, int], words: str) -> None:
    with pytest.raises(ConfigurationError) as one:
        simulate_many(Experiment(), **arguments)

    assert words in str(one.value)
    assert "\n" not in str(one.value)


def test_what_does_not_fit_into_memory_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures of all runs, or what one thread needs; with less for the others there are fewer of them."""
    monkeypatch.setattr(many, "free_bytes", lambda: 100_000_000)
    monkeypatch.setattr(many, "_share", lambda *_, **__: pytest.fail("it was started"))

    with pytest.raises(ConfigurationError, match=r"1,000,000 runs of 3 machines need about 0\.5 GB .* and 0\.1 GB are"):
        quickly(Experiment(), runs=10**6)
    with pytest.raises(ConfigurationError, match=r"2 runs of 3 machines need about .* a shorter duration"):
        quickly(Experiment.model_validate({"duration": "60h"}), runs=2)
    monkeypatch.setattr(many, "_share", lambda *_, threads: pytest.fail(f"{threads} threads"))
    monkeypatch.setattr(many, "free_bytes", lambda: 300_000)
    with pytest.raises(pytest.fail.Exception, match="3 threads"):
        quickly(Experiment(), runs=2, threads=9)


@pytest.mark.parametrize("topology", ["full", {"random": 1}])
def test_ctrl_c_stops_all_threads(topology: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is under way is left, and nothing more is begun."""
    stop, interrupts, fills = Event(), iter([signal.SIGINT]), []

    def fill(*_: Any, **__: Any) -> None:
        fills.append(1)
        for interrupt in interrupts:
            os.kill(os.getpid(), interrupt)
        assert stop.wait(timeout=60)

    monkeypatch.setattr(figures, "fill", fill)
    monkeypatch.setattr(many, "Event", lambda: stop)
    monkeypatch.setattr(many, "EVENTS_AT_A_TIME", 1)
    with pytest.raises(KeyboardInterrupt):
        quickly(Experiment.model_validate({"duration": "1s", "topology": topology}), runs=300, threads=2)

    assert 1 <= len(fills) <= 2


MANY = """
import sys
from orchestrator import load, simulate_many
from orchestrator.labs import choice
choice.EVENTS_MIN = choice.EVENTS_MIN_COLD_MANY = 0
experiment = load("configs/exercise.yaml", duration="1s")
print([simulate_many(experiment, runs=2)["drift_mean"].tolist() for _ in range(2)], "numba" in sys.modules)
"""
ONE_BY_ONE = """
import sys
from importlib import import_module
from orchestrator import load, measure, simulate
module = import_module("orchestrator.trace.measure")
module.EVENTS_MIN = module.EVENTS_MIN_ALONE = module.EVENTS_MIN_COLD = 0
experiment = load("configs/exercise.yaml", duration="1s")
print([measure(simulate(experiment, run=run))["drift_mean"] for run in (1, 2)], "numba" in sys.modules)
"""


def in_a_fresh_process(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script with what `folder` customizes."""
    environment = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def expected_figures() -> list[float]:
    experiment = load_experiment(ROOT / "configs" / "exercise.yaml", duration="1s")
    return [plainly(reference(experiment.machines(run)))["drift_mean"] for run in (1, 2)]


def test_without_numba_the_numbers_are_the_same(tmp_path: Path) -> None:
    """It is said once that this takes longer."""
    Path(tmp_path, "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'numba' else found(name, *rest)\n"
    )
    done = in_a_fresh_process(MANY, tmp_path)

    assert done.stdout == f"{[expected_figures()] * 2} False\n"
    assert done.stderr.count("numba is not installed") == done.stderr.count("\n") == 1


def test_without_a_writable_cache_the_numbers_are_the_same(tmp_path: Path) -> None:
    """It is compiled each time, and nothing is said of it."""
    Path(tmp_path, "numba").write_text("where the cache would be")
    Path(tmp_path, "sitecustomize.py").write_text(f"import sys\nsys.prefix = {str(tmp_path)!r}\n")
    done = in_a_fresh_process(ONE_BY_ONE, tmp_path)

    assert (done.stdout, done.stderr) == (f"{expected_figures()} True\n", "")


@pytest.mark.parametrize("runs", [1, 2, 7, 10_000])
@pytest.mark.parametrize("parts", [1, 2, 6, 7])
def test_each_run_is_in_one_part(runs: int, parts: int) -> None:
    """And of as many parts as runs each is one run."""
    assert [run for part in _parts(runs, parts) for run in range(runs)[part]] == list(range(runs))
    assert [part.stop - part.start for part in _parts(runs, runs)] == [1] * runs
