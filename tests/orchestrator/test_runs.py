"""`runs`: what is recorded, and what pruning removes, keeps, and never touches."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.__main__ import main
from orchestrator.commands import run as run_command
from orchestrator.commands import runs as runs_command
from orchestrator.interrupt import Interrupt
from orchestrator.rundir import RunDirectory
from orchestrator.rundir.recorded import recorded_below
from orchestrator.rundir.writing import is_written, writing

EXPERIMENT = "name: quick\nquestion: How quick is a test?\nduration: 1s\n"
STAMPS = [f"2026112{day}T102231Z" for day in range(5)]
HOURS_AGO_S = time.time() - 7200


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory, on a screen of 80 columns without colours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def make(stamp: str, *, name: str = "quick", verdict: str = "valid", events: int = 10, finished: bool = True) -> Path:
    """Leave what a run leaves; an unfinished one was last touched two hours ago."""
    directory = Path("runs", name, stamp)
    (directory / "run-1").mkdir(parents=True)
    (directory / "experiment.yaml").write_text(EXPERIMENT)
    if finished:
        (directory / "run-1" / "results.json").write_text(json.dumps({"verdict": verdict, "events": events}))
        (directory / "manifest.json").write_text(json.dumps({"lab": "live", "pace": "exact", "sha256": {}}))
    os.utime(directory / "experiment.yaml", (HOURS_AGO_S, HOURS_AGO_S))
    latest = directory.parent / "latest"
    latest.unlink(missing_ok=True)
    latest.symlink_to(stamp)
    return directory


def make_all(name: str = "quick") -> list[Path]:
    return [make(stamp, name=name) for stamp in STAMPS]


def object_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return the one object of a command that ends well."""
    assert main([*arguments, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def words_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def everything_below(directory: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in directory.rglob("*")}


# The list


def test_no_run_yet_is_a_helpful_line_and_no_error(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list is an answer; the line says how to make a run."""
    line = "no run yet below runs; make one: python3 lab.py run configs/exercise.yaml\n"

    assert words_of(capsys, "runs") == line
    assert object_of(capsys, "runs") == {"root": str(here / "runs"), "runs": [], "foreign": []}


def test_a_recorded_run_is_listed_with_all_that_it_says(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The object that docs/run-directory.md describes, of a run that really was made."""
    (here / "quick.yaml").write_text(EXPERIMENT)
    main(["run", "quick.yaml", "--lab", "simulated", "--runs", "2", "--json"])
    made = json.loads(capsys.readouterr().out)
    directory = Path(made["run_dir"])
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())

    assert object_of(capsys, "runs")["runs"] == [
        {
            "dir": str(directory),
            "name": "quick",
            "stamp": directory.name,
            "question": "How quick is a test?",
            "lab": "simulated",
            "pace": None,
            "state": "finished",
            "verdict": "valid",
            "runs": 2,
            "events": sum(run["events"] for run in made["runs"]),
            "bytes": size,
        }
    ]


def test_the_newest_comes_first_whatever_its_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the second, then by the number behind it: 10 comes after 9."""
    order = [("quick", f"{STAMPS[1]}-10"), ("quick", f"{STAMPS[1]}-9"), ("other", STAMPS[1]), ("quick", STAMPS[0])]
    for name, stamp in reversed(order):
        make(stamp, name=name)
    listed = object_of(capsys, "runs")["runs"]

    assert [(one["name"], one["stamp"]) for one in listed] == order


def test_a_directory_has_the_worst_verdict_of_its_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 5: the overall verdict is the worst of its parts."""
    directory = make(STAMPS[0])
    (directory / "run-2").mkdir()
    (directory / "run-2" / "results.json").write_text('{"verdict": "violated", "events": 5}')
    (one,) = object_of(capsys, "runs")["runs"]

    assert (one["verdict"], one["runs"], one["events"]) == ("violated", 2, 15)


def test_the_list_fits_80_columns(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The longest question, the longest verdict, a million events."""
    directory = make(f"{STAMPS[0]}-12", name="n" * 64, verdict="consistent", events=1_000_000)
    (directory / "experiment.yaml").write_text(f"question: {'How far is it? ' * 30}\n")
    make(STAMPS[1])
    out = words_of(capsys, "runs")

    assert max(map(len, out.splitlines())) <= 80
    assert "  20261120T102231Z-12  live exact  NOTHING AGAINST IT  1000000 events  " in out


def break_manifest(directory: Path) -> None:
    (directory / "manifest.json").write_text("[" * 100_000)


def break_results(directory: Path) -> None:
    (directory / "run-1" / "results.json").write_text('{"verdict": ["valid"], "events": "ten"}')


def lose_results(directory: Path) -> None:
    shutil.rmtree(directory / "run-1")


def lose_experiment(directory: Path) -> None:
    (directory / "experiment.yaml").unlink()


def put_a_pipe(directory: Path) -> None:
    (directory / "run-1" / "results.json").unlink()
    os.mkfifo(directory / "run-1" / "results.json")


@pytest.mark.parametrize("damage", [break_manifest, break_results, lose_results, lose_experiment, put_a_pipe])
def test_a_damaged_directory_is_said_to_be(
    here: Path, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is listed, has no verdict, and hides no other."""
    damage(make(STAMPS[0]))
    make(STAMPS[1])
    listed = object_of(capsys, "runs")["runs"]

    assert [(one["state"], one["verdict"]) for one in listed] == [("finished", "valid"), ("damaged", None)]
    assert damage is break_results or recorded_below(Path("runs"))[0][1].state == "damaged"
    assert "damaged" in words_of(capsys, "runs")


@pytest.mark.parametrize("text", ["question: [1]\n", "- a\n", "question: \x1b[31m\n", "{", "new_key: 1\nquestion: 5\n"])
def test_an_experiment_that_cannot_be_read_has_no_question(
    here: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands in a file never reaches the terminal as an order."""
    (make(STAMPS[0]) / "experiment.yaml").write_text(text)

    assert object_of(capsys, "runs")["runs"][0]["question"] is None
    assert "\x1b" not in words_of(capsys, "runs")


def test_a_key_of_another_version_does_not_hide_the_question(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run can be listed years later."""
    (make(STAMPS[0]) / "experiment.yaml").write_text("question: Why?\nnew_key: 1\n")

    assert object_of(capsys, "runs")["runs"][0]["question"] == "Why?"


def make_foreign() -> dict[str, bytes | None]:
    """Put what is not ours in the way; return all that must stay."""
    Path("runs/photos/20260101T000000Z").mkdir(parents=True)
    Path("runs/photos/20260101T000000Z/beach.jpg").write_text("sand")
    Path("runs/quick/mine").mkdir(parents=True)
    Path("runs/quick/20260102T000000Z").mkdir()
    Path("runs/quick/20260103T000000Z").write_text("no directory")
    Path("runs/notes.txt").write_text("mine")
    outside = Path("outside/quick/20260104T000000Z")
    outside.mkdir(parents=True)
    (outside / "experiment.yaml").write_text(EXPERIMENT)
    (outside / "manifest.json").write_text("{}")
    Path("runs/linked").symlink_to(Path("outside/quick").absolute())
    Path("runs/quick/20260104T000000Z").symlink_to(outside.absolute())
    return everything_below(Path.cwd())


def test_what_is_not_ours_is_said_and_not_listed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a link, nor a directory whose name alone is a stamp."""
    make_foreign()
    data = object_of(capsys, "runs")
    link, no_run = "a link, which is not followed", "no run of ours"

    assert data["runs"] == []
    assert [(str(Path(one["path"]).relative_to(here / "runs")), one["why"]) for one in data["foreign"]] == [
        ("linked", link),
        ("notes.txt", no_run),
        ("photos/20260101T000000Z", no_run),
        ("quick/20260102T000000Z", no_run),
        ("quick/20260103T000000Z", no_run),
        ("quick/20260104T000000Z", link),
        ("quick/mine", no_run),
    ]
    assert "and 2 more" in words_of(capsys, "runs")


# Pruning


def left(name: str = "quick") -> list[str]:
    return sorted(path.name for path in Path("runs", name).iterdir() if not path.is_symlink())


@pytest.mark.parametrize("keep", [0, 1, 3, 5, 9])
def test_pruning_keeps_the_newest_of_each_experiment(here: Path, keep: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody loses the only record of one question because another was asked more often."""
    make_all("quick")
    make_all("other")
    data = object_of(capsys, "runs", "prune", "--keep", str(keep))
    stay = STAMPS[max(0, 5 - keep) :]

    assert sorted(one["dir"] for one in data["kept"]) == sorted(
        str(here / "runs" / name / stamp) for name in ("quick", "other") for stamp in stay
    )
    assert len(data["removed"]) == 2 * (5 - len(stay))
    assert Path("runs/quick").exists() is bool(stay)
    assert not stay or [left("quick"), left("other")] == [stay, stay]


def test_pruning_says_what_it_removed_and_how_much(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Oldest first, each with its size, and the sum."""
    size = sum(path.stat().st_size for path in make_all()[0].rglob("*") if path.is_file())

    assert words_of(capsys, "runs", "prune", "--keep", "3").splitlines() == [
        f"removed runs/quick/{STAMPS[0]}, {size} B",
        f"removed runs/quick/{STAMPS[1]}, {size} B",
        "",
        f"removed 2 directories, {2 * size} B freed; 3 kept",
    ]


def test_a_dry_run_says_the_same_and_removes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who is careful learns exactly what would be gone."""
    make_all()
    before = everything_below(here)
    rehearsed = object_of(capsys, "runs", "prune", "--keep", "2", "--dry-run")

    assert everything_below(here) == before
    assert "would remove 3 directories" in words_of(capsys, "runs", "prune", "--keep", "2", "--dry-run")
    assert object_of(capsys, "runs", "prune", "--keep", "2") == rehearsed | {"dry_run": False}


def test_pruning_never_touches_what_is_not_ours(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No link is followed, and a stamp for a name makes nothing ours."""
    foreign = make_foreign()
    make_all()
    words_of(capsys, "runs", "prune", "--keep", "0")

    assert everything_below(here) == foreign


def test_a_link_inside_a_run_goes_and_what_it_names_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Removing never leaves the directory."""
    (here / "outside").mkdir()
    (here / "outside" / "precious").write_text("mine")
    (make(STAMPS[0]) / "run-2").symlink_to(here / "outside")
    words_of(capsys, "runs", "prune", "--keep", "0")

    assert (here / "outside" / "precious").read_text() == "mine"
    assert not Path("runs/quick").exists()


def test_a_run_that_is_being_written_stays_however_old(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its writer holds a lock; the run may have been silent for hours, stopped or checking itself."""
    paths = [make(stamp, finished=False) for stamp in STAMPS[:2]]
    with writing(paths[0]):
        data = object_of(capsys, "runs", "prune", "--keep", "0")

    assert [(one["dir"], one["state"]) for one in data["kept"]] == [(str(paths[0].resolve()), "being-written")]
    assert left() == [STAMPS[0]]
    assert not is_written(paths[0])


def test_a_run_holds_its_lock_from_before_its_first_event_to_its_manifest(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it does in between, writing, waiting or checking."""
    held: list[bool] = []
    plain = run_command.perform

    def perform_and_look(experiment: Any, setting: Any, directory: RunDirectory, **how: Any) -> Any:
        held.append(is_written(directory.path))
        return plain(experiment, setting, directory, **how)

    monkeypatch.setattr(run_command, "perform", perform_and_look)
    (here / "quick.yaml").write_text(EXPERIMENT)
    main(["run", "quick.yaml", "--lab", "simulated", "--out", "out"])

    assert [*held, is_written(Path("out"))] == [True, False]


def test_a_run_written_out_of_our_sight_stays_for_an_hour(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another computer's lock may not be seen here; what changed just now is let be."""
    fresh = make(STAMPS[0], finished=False)
    (fresh / "run-1" / "events-1.jsonl").write_text("now\n")

    assert "let be runs/quick/20261120T102231Z: it may still be being written" in words_of(
        capsys, "runs", "prune", "--keep", "0"
    )
    assert left() == [STAMPS[0]]


def test_a_run_that_begins_to_be_written_after_the_look_stays(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is asked again right before the removal; 73, and what is gone is said."""
    old, busy = make(STAMPS[0]), make(STAMPS[1], finished=False)
    plain = runs_command.beyond

    def beyond_and_touch(*given: Any, **how: Any) -> Any:
        (busy / "events").write_text("")
        return plain(*given, **how)

    monkeypatch.setattr(runs_command, "beyond", beyond_and_touch)

    assert main(["runs", "prune", "--keep", "0"]) == 73
    out, err = capsys.readouterr()
    assert err == f"error: {busy}: is still being written; let it end, or stop it\n"
    assert f"removed {old}" in out
    assert left() == [STAMPS[1]]


def test_latest_names_the_newest_that_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link that led to a removed run is mended; one that is well is not touched."""
    make_all()
    latest = Path("runs/quick/latest")
    latest.unlink()
    latest.symlink_to(STAMPS[1])
    words_of(capsys, "runs", "prune", "--keep", "4")

    assert str(latest.readlink()) == STAMPS[1]

    words_of(capsys, "runs", "prune", "--keep", "2")

    assert str(latest.readlink()) == STAMPS[4]


@pytest.mark.parametrize("target", ["elsewhere", "../quick", "/"])
def test_a_latest_of_somebody_elses_is_let_be(here: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Only a link that names a stamp is ours."""
    make_all()
    Path("runs/quick/latest").unlink()
    Path("runs/quick/latest").symlink_to(target)
    words_of(capsys, "runs", "prune", "--keep", "0")

    assert str(Path("runs/quick/latest").readlink()) == target


def test_the_second_half_of_a_demo_goes_with_the_first(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both have one stamp, and count as one."""
    for stamp in STAMPS[:2]:
        make(stamp, name="demo")
        make(f"{stamp}-literal", name="demo", verdict="violated")
    words_of(capsys, "runs", "prune", "--keep", "1")

    assert left("demo") == [STAMPS[1], f"{STAMPS[1]}-literal"]


def test_what_cannot_be_removed_is_one_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """73: the place and the reason."""
    make_all()

    def fail(path: Path) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(shutil, "rmtree", fail)

    assert main(["runs", "prune", "--keep", "0", "--json"]) == 73
    assert capsys.readouterr() == ("", f"error: runs/quick/{STAMPS[0]}: cannot be removed: Permission denied\n")


def test_ctrl_c_ends_pruning_between_two_directories(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """130, one object that says what is gone, and no directory that is half gone."""
    make_all()
    plain, asked = runs_command.remove, []

    def remove_and_ask(path: Path) -> None:
        plain(path)
        asked.append(path)

    monkeypatch.setattr(runs_command, "remove", remove_and_ask)
    monkeypatch.setattr(Interrupt, "is_set", lambda _: len(asked) == 2)

    assert main(["runs", "prune", "--keep", "0", "--json"]) == 130
    out, err = capsys.readouterr()
    assert [Path(one["dir"]).name for one in json.loads(out)["removed"]] == STAMPS[:2]
    assert err == "error: interrupted; 3 more would have been removed\n"
    assert left() == STAMPS[2:]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["prune"], "prune needs --keep N"),
        (["--keep", "3"], "belong to prune"),
        (["--dry-run"], "belong to prune"),
        (["prune", "--keep", "-1"], "-1 is no number of runs"),
        (["prune", "--keep", "all"], "all is no number of runs"),
        (["purge"], "purge is none of prune; did you mean prune?"),
    ],
)
def test_a_mistyped_pruning_removes_nothing(
    here: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """64, one line."""
    make_all()

    assert main(["runs", *words]) == 64
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert says in err
    assert left() == STAMPS
