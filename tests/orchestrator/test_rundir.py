"""Run directories: what lies where, which one is meant, and whether anything was changed since."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from node.errors import NoInputError, NoLogError, OutputError
from orchestrator.rundir import Run, RunDirectory, find_runs, provenance
from orchestrator.rundir.files import sealed

NOW = datetime(2026, 11, 22, 10, 22, 31, tzinfo=UTC)
STAMP = "20261122T102231Z"


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def make(tmp_path: Path, name: str = "exercise", *, seconds: int = 0) -> RunDirectory:
    return RunDirectory.create(name, out=None, root=tmp_path / "runs", now=NOW + timedelta(seconds=seconds))


def finish(directory: RunDirectory, *, pace: str | None = "exact") -> dict[str, Any]:
    """Write the manifest and return what it says."""
    directory.write_manifest(
        seed=262,
        model_version=1,
        format_version=2,
        lab="live",
        pace=pace,
        command=["python3", "lab.py", "run", "my file.yaml"],
        created=NOW,
    )
    return dict(json.loads((directory.path / "manifest.json").read_bytes()))


def fill(run: Run, *nodes: int) -> Run:
    run.path.mkdir(parents=True, exist_ok=True)
    for node in nodes:
        run.events_path(node).write_text(f"log {node}\n")
    return run


@pytest.fixture
def finished(tmp_path: Path) -> RunDirectory:
    """Two runs of two machines, with a manifest."""
    directory = make(tmp_path)
    directory.write_experiment("name: exercise\n")
    for number in (1, 2):
        fill(directory.add_run(number), 1, 2).write_results({"verdict": "valid"})
    finish(directory)
    return directory


# How a directory comes to be


def test_a_run_directory_is_named_by_its_experiment_and_the_utc_second(tmp_path: Path) -> None:
    """Design section 4: runs/<name>/<UTC stamp>, whatever the zone of the clock."""
    there = timezone(timedelta(hours=-3))
    directory = RunDirectory.create("exercise", out=None, root=tmp_path / "runs", now=NOW.astimezone(there))

    assert tmp_path / "runs" / "exercise" / STAMP == directory.path
    assert directory.path.is_dir()


def test_directories_of_the_same_second_never_clash(tmp_path: Path) -> None:
    """Two labs at once, same second: mkdir decides who has which number."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: make(tmp_path).path.name, range(24)))

    assert {STAMP} | {f"{STAMP}-{number}" for number in range(2, 25)} == set(made)


def test_latest_is_a_relative_link_to_the_newest(tmp_path: Path) -> None:
    """The runs can be moved as a whole, and the link leaves nothing behind when it changes."""
    make(tmp_path)
    newest = make(tmp_path, seconds=1)
    latest = tmp_path / "runs" / "exercise" / "latest"

    assert newest.path.name == str(latest.readlink())
    assert [STAMP, newest.path.name, "latest"] == names_in(latest.parent)


def test_whatever_is_in_the_place_of_latest_never_stops_a_run(tmp_path: Path) -> None:
    """A file system without links has no latest either."""
    (tmp_path / "runs" / "exercise" / "latest" / "mine").mkdir(parents=True)
    directory = make(tmp_path)

    assert directory.path.is_dir()
    assert [STAMP, "latest"] == names_in(directory.path.parent)


def test_a_directory_that_the_user_names_is_the_run_directory_itself(tmp_path: Path) -> None:
    """`--out DIR`, and nothing is made below runs/."""
    directory = RunDirectory.create("exercise", out=tmp_path / "a" / "b", root=tmp_path / "runs", now=NOW)

    assert (tmp_path / "a" / "b", ["a"]) == (directory.path, names_in(tmp_path))


@pytest.mark.parametrize("kind", ["directory", "file", "dangling link", "below a file"])
def test_a_directory_that_the_user_names_must_not_exist(tmp_path: Path, kind: str) -> None:
    """Exit 73, and what is there stays."""
    out = tmp_path / "out"
    match kind:
        case "directory":
            out.mkdir()
        case "file":
            out.write_text("mine")
        case "dangling link":
            out.symlink_to("nowhere")
        case _:
            out.write_text("mine")
            out /= "deeper"
    with pytest.raises(OutputError, match=r"out.*: (exists already|cannot create)") as caught:
        RunDirectory.create("exercise", out=out, now=NOW)

    assert caught.value.exit_code == 73


def test_a_root_where_nothing_can_be_made_is_an_output_error(tmp_path: Path) -> None:
    """Exit 73, with the place."""
    (tmp_path / "runs").write_text("mine")
    with pytest.raises(OutputError, match=r"runs.exercise: cannot create a directory here"):
        make(tmp_path)


def test_a_run_is_added_once(tmp_path: Path) -> None:
    """Nobody writes into a run that is there."""
    directory = make(tmp_path)
    directory.add_run(1)
    with pytest.raises(OutputError, match="run-1: cannot create this directory"):
        directory.add_run(1)


# What lies in it


def test_a_run_knows_the_names_of_its_files(tmp_path: Path) -> None:
    """Design section 4."""
    run = make(tmp_path).add_run(3)

    assert run.name == "run-3"
    assert [
        "events-2.jsonl", "stderr-2.txt", "model-2.json", "observer.jsonl", "results.json"
    ] == [
        path.relative_to(run.path).as_posix()
        for path in (
            run.events_path(2), run.stderr_path(2), run.model_path(2), run.observer_path, run.results_path
        )
    ]  # fmt: skip


def test_event_logs_are_found_by_their_names_and_sealed_ones_ignored(tmp_path: Path) -> None:
    """A renamed old log is no part of the run."""
    run = fill(Run(tmp_path), 10, 2)
    for other in (
        "events-2.0.sealed",
        "events-2.jsonl.sealed",
        "events-0.jsonl",
        "events-x.jsonl",
        "my-events-3.jsonl",
    ):
        (tmp_path / other).write_text("old")

    assert {2: run.events_path(2), 10: run.events_path(10)} == run.event_logs()
    assert [2, 10] == list(run.event_logs())


def test_what_is_written_is_whole_json_with_the_keys_in_order_and_a_newline(tmp_path: Path) -> None:
    """Nobody ever reads half a file, and nothing temporary is left."""
    run = make(tmp_path).add_run(1)
    run.write_results({"b": 1, "a": [1, 2]})
    run.write_results({"b": 2, "a": [1, 2]})

    text = run.results_path.read_text()
    assert text.endswith("}\n")
    assert [("b", 2), ("a", [1, 2])] == list(json.loads(text).items())
    assert ["results.json"] == names_in(run.path)


def test_what_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    """The place and the reason; no half file stays."""
    run = make(tmp_path).add_run(1)
    run.results_path.mkdir()
    with pytest.raises(OutputError, match=r"results\.json: cannot be written: "):
        run.write_results({})

    assert ["results.json"] == names_in(run.path)


def test_the_manifest_says_where_the_run_came_from(tmp_path: Path) -> None:
    """Design section 4: everything that is needed to repeat it, and no name of a user or a host."""
    directory = make(tmp_path)
    manifest = finish(directory, pace=None)

    assert manifest["created"] == "2026-11-22T10:22:31Z"
    assert manifest["command"] == "python3 lab.py run 'my file.yaml'"
    assert (manifest["seed"], manifest["model_version"], manifest["format_version"]) == (262, 1, 2)
    assert (manifest["lab"], manifest["pace"]) == ("live", None)
    assert {"python", "pydantic"} <= set(manifest["versions"])
    assert {"platform", "cpus"} == set(manifest["host"])


def test_the_manifest_has_the_hash_of_every_file_but_itself_and_the_report(finished: RunDirectory) -> None:
    """Design section 4; the hash is SHA-256, as sha256sum prints it."""
    (finished.path / "report.html").write_text("later")
    hashes = finish(finished)["sha256"]

    assert [
        "experiment.yaml",
        *(f"run-{number}/{file}" for number in (1, 2) for file in ("events-1.jsonl", "events-2.jsonl", "results.json")),
    ] == list(hashes)
    assert hashes["experiment.yaml"] == "1a41738484e0b558301d4f5fb336f474ca5e7b63b3e7560236758d49331c79df"


# Where a run came from


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_is_that_of_the_checkout_and_says_if_files_differ(tmp_path: Path) -> None:
    """A commit alone would vouch for code that did not run."""
    try:
        git(tmp_path, "init", "-q")
    except FileNotFoundError:
        pytest.skip("there is no git here")
    (tmp_path / "code").write_text("1")
    git(tmp_path, "add", "code")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    git(tmp_path, "tag", "-a", "-m", "One", "v1")
    commit = git(tmp_path, "rev-parse", "HEAD")

    assert commit == provenance.git_commit(tmp_path)

    (tmp_path / "code").write_text("2")

    assert f"{commit}-dirty" == provenance.git_commit(tmp_path)

    (tmp_path / "copy").mkdir()

    assert provenance.git_commit(tmp_path / "copy") is None  # a copy of the code in somebody else's checkout


def test_without_a_checkout_or_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never an error: a copy from an archive has no commit."""
    assert provenance.git_commit(tmp_path) is None

    (tmp_path / ".git").mkdir()

    assert provenance.git_commit(tmp_path) is None

    monkeypatch.setenv("PATH", str(tmp_path))

    assert provenance.git_commit(tmp_path) is None


def test_a_package_that_is_not_installed_has_no_version() -> None:
    """A node does without some of them."""
    assert {"python", "pydantic"} == set(provenance.versions(["pydantic", "no-such-package"]))


# What was changed


def test_nothing_is_changed_in_a_directory_as_it_was_written(finished: RunDirectory) -> None:
    """A report may come later."""
    (finished.path / "report.html").write_text("later")

    assert [] == finished.changed_files()


def test_a_changed_a_missing_and_an_added_file_are_found(finished: RunDirectory) -> None:
    """A file that differs from its hash is never valid (design section 4)."""
    (finished.path / "run-1" / "events-1.jsonl").write_text("log 1 \n")
    (finished.path / "run-1" / "events-2.jsonl").unlink()
    (finished.path / "run-2" / "events-3.jsonl").write_text("")
    (finished.path / "run-3").mkdir()
    (finished.path / "run-3" / "report.html").write_text("not the report")

    assert [
        "run-1/events-1.jsonl: changed",
        "run-1/events-2.jsonl: missing",
        "run-2/events-3.jsonl: added",
        "run-3/report.html: added",
    ] == finished.changed_files()


def test_a_file_is_not_the_same_behind_a_link(finished: RunDirectory, tmp_path: Path) -> None:
    """What a link names can change afterwards; and a whole linked directory is an addition."""
    log = finished.path / "run-1" / "events-1.jsonl"
    log.rename(tmp_path / "elsewhere")
    log.symlink_to(tmp_path / "elsewhere")
    (finished.path / "run-3").symlink_to("run-1")

    assert ["run-1/events-1.jsonl: changed", "run-3: added"] == finished.changed_files()


def test_a_run_answers_for_its_own_files_and_those_of_all_runs(finished: RunDirectory) -> None:
    """The verdict of one run does not depend on the logs of another."""
    (finished.path / "run-1" / "events-1.jsonl").write_text("")
    (finished.path / "experiment.yaml").write_text("")
    one, two = find_runs([finished.path])

    assert ["experiment.yaml: changed", "run-1/events-1.jsonl: changed"] == one.changed_files()
    assert ["experiment.yaml: changed"] == two.changed_files()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": []}', '{"sha256": {', "[" * 100_000, "\x00", '"sha256"'])
def test_a_damaged_manifest_is_one_entry(finished: RunDirectory, text: str) -> None:
    """Then nothing vouches for anything."""
    (finished.path / "manifest.json").write_text(text)

    assert ["manifest.json: damaged"] == finished.changed_files()


def test_a_missing_manifest_is_one_entry(finished: RunDirectory) -> None:
    """A run that was killed has none, and nothing vouches for it."""
    (finished.path / "manifest.json").unlink()

    assert ["manifest.json: missing"] == finished.changed_files()
    assert ["manifest.json: missing"] == find_runs([finished.path / "run-1"])[0].changed_files()


def test_a_manifest_cannot_lead_outside_its_directory(finished: RunDirectory) -> None:
    """A name that lies elsewhere is a missing file, and is not opened."""
    manifest = json.loads((finished.path / "manifest.json").read_bytes())
    manifest["sha256"] |= {"../../x": "0", "/dev/zero": "0", "run-1/events-1.jsonl": 3, "e\x1b[31m": None}
    del manifest["seal"]
    (finished.path / "manifest.json").write_bytes(sealed(manifest))

    assert [
        "../../x: missing", "/dev/zero: missing", "'e\\x1b[31m': missing", "run-1/events-1.jsonl: changed"
    ] == finished.changed_files()  # fmt: skip


def test_nothing_is_said_against_a_run_made_by_hand(tmp_path: Path) -> None:
    """It has no manifest, and nobody expects one."""
    fill(Run(tmp_path / "run-1"), 1)
    run = find_runs([tmp_path / "run-1"])[0]

    assert (None, []) == (run.directory, run.changed_files())


# Which runs are meant


def paths_of(runs: list[Run]) -> list[Path]:
    return [run.path for run in runs]


def test_a_run_directory_means_all_its_runs_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """10 comes after 2."""
    directory = make(tmp_path)
    for number in (10, 2, 1):
        fill(directory.add_run(number), 1)
    (directory.path / "run-x").mkdir()
    (directory.path / "run-7").write_text("no directory")

    assert ["run-1", "run-2", "run-10"] == [run.name for run in find_runs([directory.path])]


def test_one_run_means_itself(finished: RunDirectory) -> None:
    """By its own path, and it still knows its run directory."""
    (run,) = find_runs([finished.path / "run-2"])

    assert (finished.path / "run-2", finished) == (run.path, run.directory)


def test_a_name_means_its_latest(tmp_path: Path) -> None:
    """By the link, and without it by the stamps: -10 comes after -9, and a later second after both."""
    for _ in range(11):
        fill(make(tmp_path).add_run(1), 1)
    name = tmp_path / "runs" / "exercise"

    assert [name / f"{STAMP}-11" / "run-1"] == paths_of(find_runs([name]))

    (name / "latest").unlink()

    assert [name / f"{STAMP}-11" / "run-1"] == paths_of(find_runs([name]))

    newest = make(tmp_path, seconds=1)
    (name / "latest").unlink()

    assert [newest.path] == paths_of(find_runs([name]))

    (name / "latest").symlink_to(f"{STAMP}-3")

    assert [name / f"{STAMP}-3" / "run-1"] == paths_of(find_runs([name]))


@pytest.mark.parametrize("target", [".", "..", "latest", "nowhere", "/"])
def test_a_link_that_leads_astray_is_not_followed(tmp_path: Path, target: str) -> None:
    """latest names a directory beside itself, or nothing."""
    run = fill(make(tmp_path).add_run(1), 1)
    latest = tmp_path / "runs" / "exercise" / "latest"
    latest.unlink()
    latest.symlink_to(target)

    assert [run.path] == paths_of(find_runs([latest.parent]))


def test_nothing_given_means_the_newest_of_all(tmp_path: Path) -> None:
    """By the stamp, whatever its name; naming runs/ itself means the same."""
    fill(make(tmp_path, "zebra").add_run(1), 1)
    newest = fill(make(tmp_path, "ant", seconds=1).add_run(1), 1)
    fill(make(tmp_path, "middle").add_run(1), 1)

    assert [newest.path] == paths_of(find_runs([], root=tmp_path / "runs"))
    assert [newest.path] == paths_of(find_runs([tmp_path / "runs"]))


@pytest.mark.parametrize("made", [False, True])
def test_nothing_given_and_nothing_there_is_no_input(tmp_path: Path, made: bool) -> None:
    """Exit 66, and how to get a run."""
    if made:
        (tmp_path / "runs" / "empty").mkdir(parents=True)
    with pytest.raises(NoInputError, match=r"runs: no run yet; make one: python3 lab\.py run") as caught:
        find_runs([], root=tmp_path / "runs")

    assert caught.value.exit_code == 66


def test_a_directory_of_logs_made_by_hand_is_one_run(tmp_path: Path) -> None:
    """Design section 4: a directory with events-*.jsonl in it."""
    logs = fill(Run(tmp_path / "logs"), 1, 2)
    (run,) = find_runs([tmp_path / "logs"])

    assert (logs.path, "logs", logs.event_logs()) == (run.path, run.name, run.event_logs())


def test_a_directory_without_any_log_is_a_run_without_any(tmp_path: Path) -> None:
    """No error here: a check says that it cannot tell."""
    (run,) = find_runs([tmp_path])

    assert (tmp_path, {}) == (run.path, run.event_logs())


def test_logs_named_one_by_one_are_one_run(tmp_path: Path) -> None:
    """Also from several directories, as three people would have them."""
    mine, theirs = fill(Run(tmp_path / "mine"), 1, 2), fill(Run(tmp_path / "theirs"), 3)
    (run,) = find_runs([theirs.events_path(3), mine.events_path(1)])

    assert {1: mine.events_path(1), 3: theirs.events_path(3)} == run.event_logs()
    assert run.name == "theirs"


def test_naming_the_logs_of_a_run_does_not_get_round_its_manifest(finished: RunDirectory) -> None:
    """`check run-1/*.jsonl` is held to the same hashes as `check run-1`."""
    log = finished.path / "run-1" / "events-1.jsonl"
    log.write_text("changed")
    (run,) = find_runs([log, log.with_name("events-2.jsonl")])

    assert ["run-1/events-1.jsonl: changed"] == run.changed_files()


def test_several_paths_give_their_runs_in_the_order_given(tmp_path: Path, finished: RunDirectory) -> None:
    """Directories each, and the single logs together at the end."""
    hand = fill(Run(tmp_path / "hand"), 1)
    single = fill(Run(tmp_path / "single"), 1)
    runs = find_runs([hand.path, single.events_path(1), finished.path])

    assert ["hand", "run-1", "run-2", "single"] == [run.name for run in runs]


@pytest.mark.parametrize("name", ["nothing", "nothing/events-1.jsonl", "loop"])
def test_a_path_that_does_not_exist_is_no_input(tmp_path: Path, name: str) -> None:
    """Exit 66."""
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(NoInputError, match="no such file or directory"):
        find_runs([tmp_path / name])


def test_a_file_that_is_no_event_log_is_not_read(tmp_path: Path) -> None:
    """Exit 65, and what an event log is called."""
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(NoLogError, match=r"notes\.txt: not an event log of ours, which is called events-<node>\.jsonl"):
        find_runs([tmp_path / "notes.txt"])


def test_two_logs_of_one_machine_are_not_one_run(tmp_path: Path) -> None:
    """They would hide each other."""
    one, two = fill(Run(tmp_path / "one"), 1), fill(Run(tmp_path / "two"), 1)
    with pytest.raises(NoLogError, match="a second log of machine 1 beside"):
        find_runs([one.events_path(1), two.events_path(1)])
