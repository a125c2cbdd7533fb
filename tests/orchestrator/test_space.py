"""Room for a run: estimated from the experiment, looked for before anything is started."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

import orchestrator.commands.run
from orchestrator import estimate
from orchestrator.__main__ import main
from orchestrator.config import parse_experiment
from orchestrator.estimate import bytes_of
from orchestrator.rundir.space import extent, in_words, refuse_if_full


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quick.yaml").write_text("duration: 1s\nruns: 1\n")
    return "quick.yaml"


def leave_free(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> list[Path]:
    """Let every disk have this much room; return where somebody looked."""
    looked: list[Path] = []

    def usage(path: Path) -> SimpleNamespace:
        looked.append(Path(path))
        return SimpleNamespace(free=free_bytes)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    return looked


@pytest.mark.parametrize("flags", [[], ["--out", "a/b"], ["--lab", "simulated"], ["--json"]])
def test_a_disk_without_room_is_one_line_before_anything_is_started(
    config: str, flags: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """73: how much is free, how much it takes, what to do; nothing is made and no process begins."""
    leave_free(monkeypatch, 12_345_678)
    monkeypatch.setattr(orchestrator.commands.run, "perform", None)

    assert main(["run", config, *flags]) == 73
    out, err = capsys.readouterr()
    place = "a/b" if "--out" in flags else "runs/quick"
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith(f"error: {place}: 12 MB free, and this may need 64 MB: make room ")
    assert sorted(path.name for path in Path().iterdir()) == ["quick.yaml"]


def test_with_room_enough_it_runs(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk that is looked at is that of the nearest directory that exists."""
    looked = leave_free(monkeypatch, 10**12)

    assert main(["run", config, "--lab", "simulated", "--out", "a/b"]) == 0
    assert looked == [Path.cwd()]


def test_where_the_system_does_not_say_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess must not keep anybody from working."""

    def fail(_: Path) -> None:
        raise OSError("no such call")

    monkeypatch.setattr(shutil, "disk_usage", fail)
    refuse_if_full(tmp_path, 10**18)


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["nodes=12", "tick_rate={min: 1, max: 12}"],
        ["nodes=20", "internal_probability=0"],
        ["duration=10m"],
        ["runs=3", "duration=2s"],
    ],
)
def test_no_run_takes_more_than_its_estimate_and_none_a_tenth(
    tmp_path: Path, settings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An estimate that is too small fills the disk; one that is far too large refuses what would fit."""
    monkeypatch.chdir(tmp_path)
    Path("asked.yaml").write_text("runs: 1\n")
    flags = [word for each in settings for word in ("--set", each)]
    main(["run", "asked.yaml", "--lab", "simulated", "--out", "out", *flags])
    experiment = parse_experiment(Path("out/experiment.yaml").read_text(), name="x")
    estimated = bytes_of(experiment, in_columns=True) - estimate.SPARE_BYTES
    written = extent(Path("out"))[0]

    assert written <= estimated <= 10 * written


@pytest.mark.live
def test_a_live_run_takes_no_more_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines have a wall clock, its connections lines of their own, and its nodes words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    Path("asked.yaml").write_text("runs: 1\nnodes: 8\ninternal_probability: 0\n")
    main(["run", "asked.yaml", "--pace", "fast", "--out", "out"])
    estimated = bytes_of(parse_experiment(Path("out/experiment.yaml").read_text(), name="x")) - estimate.SPARE_BYTES

    assert extent(Path("out"))[0] <= estimated


def test_many_runs_are_estimated_from_the_first() -> None:
    """A million runs need a million times the room, and no minute of thought."""
    one = bytes_of(parse_experiment("tick_rate: [3, 3, 3]\nphase: aligned\nruns: 1\n", name="x")) - estimate.SPARE_BYTES
    all_ = bytes_of(parse_experiment("tick_rate: [3, 3, 3]\nphase: aligned\nruns: 1000000\n", name="x"))

    assert all_ - estimate.SPARE_BYTES == 1_000_000 * one


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_960, "10 kB"),
        (609_268, "609 kB"),
        (999_600, "1.0 MB"),
        (1_234_567, "1.2 MB"),
        (45 * 10**9, "45 GB"),
        (10**18, "1000 PB"),
    ],
)
def test_a_size_is_said_as_people_say_it(size_bytes: int, words: str) -> None:
    """Two digits tell enough."""
    assert in_words(size_bytes) == words
