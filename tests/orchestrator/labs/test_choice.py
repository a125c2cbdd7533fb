"""The reference or the compiled simulation: the choice changes no byte, and whatever is missing is one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from node.errors import ConfigurationError
from node.model import Model
from orchestrator import twin
from orchestrator.labs import choice
from orchestrator.labs.kernel import room, run
from orchestrator.labs.simulated import run_simulated
from orchestrator.native.cache import holds
from orchestrator.rundir import Run
from tests.clusters import cluster
from tests.fault_mixes import half_a_second
from tests.measuring import reference
from tests.orchestrator.labs.kernel.test_kernel import columns

ROOT = Path(__file__).parents[3]

SIMULATE = """
import sys
from orchestrator.labs import choice
from orchestrator.twin import simulated
from tests.clusters import cluster
choice.EVENTS_MIN = choice.EVENTS_MIN_COLD = 0
for _ in range(2):
    print(len(simulated(cluster(3))), "numba" in sys.modules)
"""


def simulate(**variables: str) -> subprocess.CompletedProcess[str]:
    """Simulate a small cluster twice in a fresh process, with no run too small to be compiled."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    command = [sys.executable, "-c", SIMULATE]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def always_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "EVENTS_MIN", 0)
    monkeypatch.setattr(choice, "EVENTS_MIN_COLD", 0)


def logs(path: Path) -> dict[str, bytes]:
    """Return the bytes of every log of a run."""
    return {log.name: log.read_bytes() for log in path.glob("events-*.jsonl")}


@pytest.mark.parametrize("fault", ["reordering", "amnesia twice", "crash to the end"])
def test_the_logs_have_the_same_bytes(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell from a run which of the two simulated it."""
    machines = half_a_second(fault)
    for name in ("reference", "compiled"):
        Path(tmp_path, name).mkdir()
        run_simulated(Run(tmp_path / name), machines, name="one")
        monkeypatch.setattr(choice, "is_worth_compiling", lambda machines: True)

    assert logs(tmp_path / "reference") == logs(tmp_path / "compiled") != {}


@pytest.mark.usefixtures("always_compiled")
def test_a_twin_is_the_same_trace() -> None:
    """With the stop records."""
    machines = half_a_second("duplicates")

    assert columns(reference(machines)) == columns(twin.simulated(machines))


@pytest.mark.usefixtures("always_compiled")
def test_an_interrupted_run_seals_its_logs(tmp_path: Path) -> None:
    """Ctrl-C while it is compiled and run: no event was told yet, and the logs say that they were cut."""
    machines = cluster(3, seconds=1)
    outcome = run_simulated(Run(tmp_path), machines, name="one", is_interrupted=lambda: True)

    assert outcome.interrupted
    assert all(b'"interrupted":true' in log for log in logs(tmp_path).values())


@pytest.mark.parametrize("machines", [cluster(30, seconds=430), cluster(30, seconds=430) | half_a_second("loss")])
def test_what_must_be_compiled_first_is_worth_it_only_for_a_longer_run(
    machines: dict[int, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the two compiled runs is kept by itself."""
    worth = {}
    for kept in ((), ("plain.run_plain",), ("general.run_general",)):
        monkeypatch.setattr(choice, "holds", kept.__contains__)
        worth[kept] = choice.is_worth_compiling(machines)
    own = "plain.run_plain" if len({model.duration_ns for model in machines.values()}) == 1 else "general.run_general"

    assert choice.EVENTS_MIN < sum(model.tick_count for model in machines.values()) < choice.EVENTS_MIN_COLD
    assert [kept for kept, is_worth in worth.items() if is_worth] == [(own,)]
    monkeypatch.setattr(choice, "EVENTS_MIN_COLD", choice.EVENTS_MIN)
    assert choice.is_worth_compiling(machines)


def test_what_was_compiled_is_found_again() -> None:
    """By the name that numba gives it."""
    simulate()

    assert holds("plain.run_plain")
    assert not holds("plain.run")


def test_a_small_run_never_imports_numba() -> None:
    """It would cost more than the run."""
    script = SIMULATE.replace("choice.EVENTS_MIN = choice.EVENTS_MIN_COLD = 0", "")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert [line.split()[1] for line in done.stdout.splitlines()] == ["False", "False"]
    assert done.stderr == ""


def test_without_numba_the_reference_runs_and_says_so_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It only takes longer."""
    Path(tmp_path, "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'numba' else found(name, *rest)\n"
    )
    done = simulate(PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")

    assert (done.returncode, [line.split()[1] for line in done.stdout.splitlines()]) == (0, ["False", "False"])
    assert done.stderr.count("\n") == 1
    assert "numba is not installed" in done.stderr


def test_without_a_writable_cache_it_is_compiled_each_time(tmp_path: Path) -> None:
    """And nothing is said of it."""
    Path(tmp_path, "numba").write_text("where the cache would be")
    Path(tmp_path, "sitecustomize.py").write_text(f"import sys\nsys.prefix = {str(tmp_path)!r}\n")
    done = simulate(PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")

    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["True", "True"]
    assert [path.name for path in sorted(tmp_path.iterdir()) if path.suffix != ""] == ["sitecustomize.py"]


@pytest.mark.usefixtures("always_compiled")
def test_a_run_that_does_not_fit_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """With both figures, and with what to do."""
    monkeypatch.setattr(room, "free_bytes", lambda: 1_000)
    monkeypatch.setattr(run, "run_plan", lambda *_, **__: pytest.fail("it was started"))

    with pytest.raises(
        ConfigurationError, match=r"needs about 0\.0 GB of memory, and 0\.0 GB are free; ask for"
    ) as one:
        twin.simulated(cluster(3))
    assert one.value.exit_code == 78
    assert "\n" not in str(one.value)


def test_many_machines_of_a_short_run_need_memory_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their models and measures are kept, however few events they have."""
    machines = cluster(2, seconds=1)
    monkeypatch.setattr(room, "free_bytes", lambda: 2 * room.MACHINE_BYTES)

    with pytest.raises(ConfigurationError, match="ask for a shorter duration or for fewer machines"):
        room.refuse_if_too_large(machines, traces=0)
    monkeypatch.setattr(room, "free_bytes", lambda: 3 * room.MACHINE_BYTES)
    room.refuse_if_too_large(machines, traces=0)


@pytest.mark.usefixtures("always_compiled")
def test_where_nobody_says_how_much_is_free_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with the disk."""
    monkeypatch.setattr(room, "free_bytes", lambda: None)

    assert len(twin.simulated(cluster(3))) > 0


def test_what_is_free_is_less_than_what_a_limit_leaves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A container may have less than its host."""
    free = room.free_bytes()
    for name, value in (("memory.max", "5000"), ("memory.current", "1000")):
        Path(tmp_path, name).write_text(value)
    monkeypatch.setattr(room, "_CGROUP", tmp_path)

    assert free is None or free > 4000
    assert room.free_bytes() == 4000


@pytest.mark.usefixtures("always_compiled")
def test_a_table_that_outgrows_the_memory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many messages there will be is only estimated."""
    monkeypatch.setattr("orchestrator.labs.kernel.plan.messages_expected", lambda models: 0)
    monkeypatch.setattr(run, "ROWS_MAX", 10)

    with pytest.raises(ConfigurationError, match=r"no memory left for more than [\d,]+ messages"):
        twin.simulated(cluster(3, internal_probability=0.0))
