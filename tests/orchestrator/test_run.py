"""One experiment from end to end: what `run` records, prints and ends with."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import orchestrator.run
from orchestrator.__main__ import main
from orchestrator.commands.run import announcement, in_words, make_setting
from orchestrator.config import parse_experiment
from orchestrator.labs.outcome import Outcome

EXPERIMENT = "nodes: 3\ntick_rate: {min: 20, max: 60}\nduration: 300ms\nruns: 2\nseed: 262\n"

PROJECT = Path(__file__).parents[2]

RUN_KEYS = [
    *("dir", "seed", "verdict", "events", "fidelity", "late_messages", "late_ticks", "held_back", "restarts"),
    *("measures", "timing"),
]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write an experiment into an empty working directory, from which processes find the code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    (tmp_path / "quick.yaml").write_text(EXPERIMENT)
    return "quick.yaml"


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Call `run --json` and return its exit code and its one object."""
    code = main(["run", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("lab", ["simulated", "in-process"])
def test_the_object_has_exactly_the_keys_of_the_contract(
    config: str, lab: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: scripts rely on these keys, and on directories being absolute."""
    code, data = run_json(capsys, config, "--lab", lab)

    assert (code, data["verdict"], data["lab"]) == (0, "valid", lab)
    assert list(data) == ["run_dir", "lab", "pace", "verdict", "runs"]
    assert [list(one) for one in data["runs"]] == [RUN_KEYS, RUN_KEYS]
    assert [list(one["timing"]) for one in data["runs"]] == [["setup_s", "ticking_s", "total_s", "cpu_s"]] * 2
    assert all(Path(one["dir"]).is_absolute() and Path(one["dir"]).is_dir() for one in data["runs"])
    assert Path(data["run_dir"]).is_absolute()


def test_what_a_simulation_cannot_have_is_null(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 5: pace, lateness and fidelity are null where the run is the simulation."""
    _, data = run_json(capsys, config, "--lab", "simulated")
    one = data["runs"][0]

    assert [data["pace"], one["fidelity"], one["late_messages"], one["late_ticks"], one["held_back"]] == [None] * 5


def test_an_in_process_run_is_exact_and_equals_its_simulation(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Model section 4: the labs give the same events; in-process knows the pace exact only."""
    _, data = run_json(capsys, config, "--lab", "in-process")
    one = data["runs"][0]

    assert (data["pace"], one["fidelity"], one["late_messages"]) == ("exact", 1.0, 0)
    assert one["held_back"] == {"ticks": 0, "total_ms": 0.0, "max_ms": 0.0}


def test_run_k_has_the_seed_plus_k_minus_1(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Model section 1, with --seed in place of the file's."""
    _, data = run_json(capsys, config, "--lab", "simulated", "--seed", "7", "--runs", "3")

    assert [one["seed"] for one in data["runs"]] == [7, 8, 9]


def test_the_directory_explains_itself_and_is_checked_as_valid(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 4: experiment, manifest and results are there, and no file differs from its hash."""
    _, data = run_json(capsys, config, "--lab", "simulated")
    directory = Path(data["run_dir"])

    assert {path.name for path in directory.iterdir()} == {"experiment.yaml", "manifest.json", "run-1", "run-2"}
    assert json.loads((directory / "run-1" / "results.json").read_bytes()) == data["runs"][0]
    assert main(["check", str(directory)]) == 0


def test_the_recorded_experiment_gives_the_same_logs_again(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 4: what is in experiment.yaml is resolved, so that it needs no flags."""
    _, first = run_json(capsys, config, "--lab", "simulated", "--set", "network.delay=10ms", "--seed", "9")
    recorded = Path(first["run_dir"]) / "experiment.yaml"
    _, again = run_json(capsys, str(recorded), "--lab", "simulated")

    for one, other in zip(first["runs"], again["runs"], strict=True):
        for path in Path(one["dir"]).glob("events-*.jsonl"):
            assert path.read_bytes() == (Path(other["dir"]) / path.name).read_bytes()


def test_the_command_in_the_manifest_is_what_was_typed(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 4: the manifest holds the command that reproduces the run."""
    _, data = run_json(capsys, config, "--lab", "simulated", "--set", "clock=lamport")
    manifest = json.loads((Path(data["run_dir"]) / "manifest.json").read_bytes())

    assert manifest["command"] == "python3 lab.py run quick.yaml --lab simulated --set clock=lamport --json"


def test_a_mistaken_clock_is_violated_and_exits_1(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 5: the verdict is the worst of the runs', and decides the exit code."""
    code, data = run_json(capsys, config, "--lab", "simulated", "--set", "clock=lamport-literal")

    assert (code, data["verdict"]) == (1, "violated")


def test_a_node_that_fails_ends_the_experiment_with_its_line_and_code(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: at 64 and above stdout is empty with --json; what is there is recorded all the same."""

    async def fail(*_: object, **__: object) -> Outcome:
        return Outcome(setup_s=0, ticking_s=0, cpu_s=0, failure="machine 2 ended: port taken", exit_code=75)

    monkeypatch.setattr(orchestrator.run, "run_live", fail)
    code = main(["run", config, "--json"])
    out, err = capsys.readouterr()

    assert (code, out) == (75, "")
    assert err.splitlines()[-1] == "error: machine 2 ended: port taken"
    assert [path.name for path in Path("runs/quick/latest").glob("run-*")] == ["run-1"]
    assert json.loads(Path("runs/quick/latest/run-1/results.json").read_bytes())["verdict"] == "unknown"


def wait_for_an_event(directory: Path) -> None:
    """Return once every machine has had an event."""
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        logs = list(directory.glob("*/latest/run-1/events-*.jsonl"))
        if len(logs) == 3 and all(b'"index":1,' in log.read_bytes() for log in logs):
            return
        time.sleep(0.02)
    raise TimeoutError("no event in 60 s")


@pytest.mark.live
@pytest.mark.parametrize("lab", ["live", "in-process"])
@pytest.mark.parametrize("as_json", [True, False])
def test_ctrl_c_seals_checks_shows_and_exits_130(config: str, lab: str, as_json: bool) -> None:
    """Design section 5: 130, children stopped, logs sealed, what is there checked and shown, one object with --json."""
    command = [sys.executable, "-m", "orchestrator", "run", config, "--lab", lab, "--duration", "100s"]
    with subprocess.Popen(
        [*command, "--json"] if as_json else command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_for_an_event(Path("runs"))
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()

    assert process.returncode == 130
    assert err.splitlines()[-1] == "error: interrupted in run 1; what there is was checked"
    assert "Traceback" not in err
    assert json.loads(out)["verdict"] == "unknown" if as_json else "CANNOT TELL" in out
    for log in Path("runs/quick/latest/run-1").glob("events-*.jsonl"):
        last = json.loads(log.read_bytes().split(b"\n")[-2])
        assert (last["event"], last["interrupted"]) == ("end", True)


@pytest.mark.live
def test_a_live_experiment_is_valid_and_equal_to_its_simulation(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Model section 4: all labs give the same events for the same configuration and seed."""
    code, data = run_json(capsys, config, "--runs", "1")

    assert (code, data["verdict"], data["pace"], data["runs"][0]["fidelity"]) == (0, "valid", "exact", 1.0)


def test_an_in_process_run_knows_the_pace_exact_only() -> None:
    """Design section 5."""
    assert make_setting("in-process", None).pace == "exact"
    assert make_setting("live", None).pace == "exact"
    assert make_setting("simulated", None).pace is None


def test_the_announcement_says_how_long_it_takes_and_what_is_faster() -> None:
    """Issue 2: `run` says at once how long it will take and that other ways give the same events now."""
    experiment = parse_experiment("runs: 5\nduration: 60s\n", name="exercise.yaml")

    in_process, live, free, simulated = (
        list(announcement(experiment, setting))
        for setting in (
            make_setting("in-process", None),
            make_setting("live", "exact"),
            make_setting("live", "free"),
            make_setting("simulated", None),
        )
    )

    assert in_process == [
        "exercise: 5 runs of 60 s, 3 machines, in-process at the pace exact",
        "This takes about 5 min; the same events now: --lab simulated",
    ]
    assert live[1].endswith("the same events now: --pace fast or --lab simulated")
    assert free[1].endswith("the same now, were no message late: --lab simulated")
    assert simulated == ["exercise: 5 runs of 60 s, 3 machines, simulated"]
    assert max(map(len, in_process + live + free + simulated)) <= 80


CRASH = "faults: [{from: 100ms, to: 200ms, crash: 2}]\n"


@pytest.mark.parametrize("lab", ["simulated", "in-process", pytest.param("live", marks=pytest.mark.live)])
def test_a_crash_is_run_by_every_lab(config: str, lab: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Valid, and where it is no simulation itself, equal to it."""
    Path(config).write_text(EXPERIMENT + CRASH)
    code, data = run_json(capsys, config, "--lab", lab, "--runs", "1")

    assert (code, data["verdict"]) == (0, "valid")
    assert data["runs"][0]["fidelity"] == (None if lab == "simulated" else 1.0)


def test_a_machine_to_which_nobody_sends_is_remarked() -> None:
    """It is allowed, and said before anything runs."""
    experiment = parse_experiment("topology: {1: [2], 2: [1], 3: [1]}\n", name="x.yaml")

    assert list(announcement(experiment, make_setting("simulated", None)))[1:] == [
        "machine 3 is unreachable: the topology lets nobody send to it"
    ]


@pytest.mark.parametrize(
    ("span_s", "words"), [(0.3, "0.3 s"), (60, "60 s"), (75, "75 s"), (300, "5 min"), (305, "5 min 5 s"), (7200, "2 h")]
)
def test_a_span_is_said_as_people_say_it(span_s: float, words: str) -> None:
    """Short spans in seconds, longer ones in minutes and hours."""
    assert in_words(span_s) == words
