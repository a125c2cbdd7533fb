"""The face for Python: five names, imported when they are asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

import orchestrator
from node.errors import ConfigurationError, NoInputError, UsageError
from orchestrator import check, load, measure, simulate
from orchestrator.labs.simulated import simulate as events_of
from orchestrator.trace import trace_of

EXERCISE = Path(__file__).parents[2] / "configs" / "exercise.yaml"


def test_the_package_alone_imports_nothing() -> None:
    """A command line that needs none of it must start fast."""
    ours = "('orchestrator', 'node', 'numpy')"
    script = f"import sys, orchestrator; print([name for name in sys.modules if name.split('.')[0] in {ours}])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "['orchestrator']\n"


def test_each_name_is_there_and_no_other() -> None:
    assert all(callable(getattr(orchestrator, name)) for name in orchestrator.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = orchestrator.nothing  # type: ignore[attr-defined]


def test_a_run_is_what_the_reference_gives() -> None:
    experiment = load(str(EXERCISE), "network.delay=10ms", seed=5, duration="3s", runs=2)
    trace, machines = simulate(experiment, run=2), experiment.machines(2)

    assert (experiment.seed, experiment.runs, experiment.duration_ns) == (5, 2, 3 * 10**9)
    assert measure(trace) == measure(trace_of(machines, events_of(machines)))


def test_a_trace_is_judged_beside_its_simulation() -> None:
    report = check(simulate(load(EXERCISE, duration="3s")))

    assert (report.verdict, report.checks[-1].name, report.checks[-1].verdict) == ("valid", "equals-simulated", "valid")


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    Path(tmp_path, "bad.yaml").write_text("nodes: 1\n")

    with pytest.raises(ConfigurationError, match=r"bad\.yaml:1:8: "):
        load(tmp_path / "bad.yaml")
    with pytest.raises(NoInputError, match=r"absent\.yaml: no such file"):
        load(tmp_path / "absent.yaml")
    with pytest.raises(UsageError):
        load(EXERCISE, "clock")
