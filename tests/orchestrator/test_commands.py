"""The commands as people and scripts meet them: words, objects, exit codes, and one line for each mistake."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.model import MODEL_VERSION
from node.record import FORMAT_VERSION
from orchestrator import commands, executions, version
from orchestrator.__main__ import main
from orchestrator.commandline import PARSERS, parse
from orchestrator.commands import check as check_command
from orchestrator.commands import demo as demo_command
from orchestrator.commands.run import record
from orchestrator.config import Experiment
from orchestrator.run import Result, Setting
from orchestrator.story import largest_jump
from orchestrator.trace import trace_of
from orchestrator.trace.check import CHECKS
from tests.clusters import cluster
from tests.logs_on_disk import simulated_run, write_logs

PROJECT = Path(__file__).parents[2]

CHECK_KEYS = [
    *("name", "verdict", "nodes", "events", "receives", "sends", "internal", "format", "checks"),
    *("remarks", "measures"),
    *("edges", "ordered_pairs", "concurrent_pairs", "longest_chain"),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory, on a screen of 80 columns without colours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture
def runs(here: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Record an experiment of two simulated runs."""
    (here / "quick.yaml").write_text("duration: 10s\nruns: 2\n")
    assert main(["run", "quick.yaml", "--lab", "simulated", "--out", "good"]) == 0
    assert main(["run", "quick.yaml", "--lab", "simulated", "--out", "bad", "--set", "clock=lamport-literal"]) == 1
    capsys.readouterr()
    return here


def object_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Call a command with --json; return its exit code and its one object."""
    code = main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def by_hand(directory: Path, *, seconds: float = 5, **which: Any) -> Path:
    """Leave logs as nodes started by hand do: no manifest, no experiment."""
    directory.mkdir()
    write_logs(directory, cluster(seconds=seconds, **which))
    return directory


def test_a_command_that_shows_no_table_never_imports_rich(here: Path) -> None:
    """Which structlog would do on its own, for each command that never shows anything by it."""
    program = "import sys; from orchestrator.__main__ import main; main(sys.argv[1:]); print(*sys.modules)"
    by_hand(here / "logs")
    command = [sys.executable, "-P", "-c", program, "check", "logs", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer, _, modules = done.stdout.strip().rpartition("\n")

    assert "valid" == json.loads(answer)["verdict"]
    assert {"structlog"} == {"structlog", "rich"} & set(modules.split())


BAD_YAML = {
    "unknown-key.yaml": b"nodes: 3\ntick_rat: 3\n",
    "impossible.yaml": b"nodes: 1\n",
    "twice.yaml": b"nodes: 3\nnodes: 4\n",
    "junk.yaml": bytes(range(256)),
    "empty.yaml": b"",
}


@pytest.mark.parametrize("name", BAD_YAML)
def test_a_bad_configuration_is_one_line_and_its_place(
    here: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: exit 78; an error is one line, here with the quoted line and a caret; stdout is empty."""
    (here / name).write_bytes(BAD_YAML[name])
    code = main(["run", name, "--lab", "simulated", "--json"])
    out, err = capsys.readouterr()
    first, *quote = err.splitlines()

    assert (code, out) == (78, "")
    assert first.startswith(f"error: {name}:")
    assert [line.strip() for line in quote[1:]] in ([], ["^"])
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    ("key", "place", "reason"),
    [
        (
            "faults: [{from: 1s, to: 5s, pause: 2}, {from: 4s, to: 6s, crash: 2}]",
            "3:47",
            "faults: machine 2 would have this crash during its pause from 1s to 5s",
        ),
        (
            "faults: [{from: 1s, to: 5s, partition: [[1], [7]]}]",
            "3:47",
            "faults: there is no machine 7; there are 3, numbered from 1",
        ),
        ("network: {loss: 1.2}", "3:17", "network.loss: expected at most 1, got the number 1.2"),
        (
            "faults: [{from: 1s, to: 11s, partition: [[1], [2]], messages: hold}]",
            "3:25",
            "faults: messages would be held beyond the end of the run, at 10s; end it there, or lose them",
        ),
    ],
    ids=["overlap", "unknown machine", "probability", "hold"],
)
def test_what_cannot_go_wrong_so_is_refused_with_line_and_reason(
    here: Path, key: str, place: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """78 before anything runs, whatever the lab."""
    (here / "x.yaml").write_text(f"nodes: 3\nduration: 10s\n{key}\n")
    code = main(["run", "x.yaml"])
    out, err = capsys.readouterr()

    assert (code, out) == (78, "")
    assert err.splitlines()[0] == f"error: x.yaml:{place}: {reason}"
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "quick.yaml", "--paec", "fast"], 64, "unknown flag --paec; did you mean --pace?"),
        (["run", "quick.yaml", "--see", "5"], 64, "unknown flag --see; did you mean --seed?"),
        (["run", "quick.yaml", "--lab", "liv"], 64, "liv is none of live, in-process, simulated; did you mean live?"),
        (["run", "quick.yaml", "--lab", "in-process", "--pace", "free"], 64, "knows the pace exact only"),
        (["run", "quick.yaml", "--lab", "simulated", "--pace", "fast"], 64, "has no clock"),
        (["run", "quick.yaml", "--set", "nodes"], 64, "expected KEY=VALUE"),
        (["run"], 64, "CONFIG"),
        (["runn"], 64, "unknown command runn; did you mean run?"),
        (
            ["xyzzy"],
            64,
            "unknown command xyzzy; there are run, check, measure, compare, explain, order, draw, demo, export",
        ),
        (["--versoin"], 64, "did you mean --version?"),
        (["compare", "good"], 64, "RUN_B"),
        (["run", "absent.yaml"], 66, "absent.yaml: no such file"),
        (["check", "absent"], 66, "absent: no such file"),
        (["measure", "absent"], 66, "absent: no such file"),
        (["compare", "good", "absent"], 66, "absent: no such file"),
        (["check", "quick.yaml"], 65, "none of the formats fits"),
        (["run", "quick.yaml", "--lab", "simulated", "--out", "good"], 73, "good: exists already"),
        (["run", "quick.yaml", "--set", "clock=lamprot"], 78, "clock"),
        (["run", "quick.yaml", "--runs", "0"], 78, "runs"),
        (["run", "quick.yaml", "--duration", "5"], 78, "did you mean 5s?"),
    ],
)
def test_a_mistake_is_answered_in_one_line_with_its_own_exit_code(
    runs: Path, arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: what, where, what to do; argparse's own 2 would mean "unknown"."""
    assert main(arguments) == code
    out, err = capsys.readouterr()
    lines = err.splitlines()

    assert out == ""
    assert says in lines[0]
    assert lines[0].startswith("error: ")
    assert len(lines) == (3 if code == 78 else 1) or "experiments in" in lines[1]


def test_no_arguments_show_five_examples_that_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    """Issue 3: the five that a newcomer needs, in this order, not a list of flags."""
    assert main([]) == 0
    out, err = capsys.readouterr()
    examples = [line.split()[2:] for line in out.splitlines() if line.startswith("  python3 lab.py ")]

    assert [words[0] for words in examples] == ["demo", "run", "run", "check", "measure"]
    assert [parse(words).command for words in examples] == [words[0] for words in examples]
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80


def test_every_command_is_named_where_nothing_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not named is not found; lab.py's own commands are known to lab.py alone."""
    main([])
    out = capsys.readouterr().out
    own = set(re.findall(r'if command == "(\w+)"', (PROJECT / "lab.py").read_text()))

    assert own == {"test", "lint", "bench", "clean", "python"}
    for command in (*PARSERS, *own):
        assert re.search(rf"\b{command}\b", out), command


def test_the_version_names_model_and_format(capsys: pytest.CaptureFixture[str]) -> None:
    """Issue 3: pyproject.toml alone says the version; those on which seeds and logs depend stand beside it."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == (
        f"Scale Model {project['version']}, model {MODEL_VERSION}, log format {FORMAT_VERSION}\n"
    )


def test_an_installed_package_has_the_version_of_its_metadata(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no checkout: it was built from the same line of pyproject.toml."""
    monkeypatch.setattr(version, "PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(version, "version", lambda name: f"{name} as installed")

    assert version.program_version() == "scale-model as installed"


def test_an_experiment_that_does_not_exist_is_answered_with_those_that_do(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue 3: one error line, then a line for each file in configs/, which fits the screen."""
    code = main(["run", "absent.yaml"])
    out, err = capsys.readouterr()
    error, heading, *listed = err.splitlines()
    files = sorted((PROJECT / "configs").glob("*.yaml"))

    assert (code, out) == (66, "")
    assert error.startswith("error: absent.yaml: no such file")
    assert heading == f"the experiments in {PROJECT / 'configs'}{os.sep}:"
    assert [line.split()[0] for line in listed] == [file.stem for file in files]
    assert "  What changes when five machines take part and not three?" in err
    assert max(map(len, listed)) <= 80


def test_the_experiments_in_ones_own_configs_are_those_that_are_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is broken is named like the others, and hides none; without a file there is no list."""
    (here / "configs").mkdir()
    main(["run", "absent.yaml"])

    assert len(capsys.readouterr().err.splitlines()) == 1

    (here / "configs" / "broken.yaml").write_text("nodes: 1\n")
    (here / "configs" / "mine.yaml").write_text("question: Mine?\n")
    main(["run", "configs/min.yaml"])

    assert capsys.readouterr().err.splitlines() == [
        "error: configs/min.yaml: no such file; did you mean configs/mine.yaml?",
        "the experiments in configs/:",
        "  broken  (no experiment: run says why)",
        "  mine    Mine?",
    ]


def test_a_bug_of_ours_is_70_and_leaves_its_traceback_in_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: Python's own 1 would mean "violated"; one line names a written traceback."""

    def fail(_: object) -> None:
        raise KeyError("lost\nand found")

    monkeypatch.setattr(commands, "answer", fail)
    code = main(["check", "--json"])
    out, err = capsys.readouterr()
    path = Path(err.split()[-1])

    assert (code, out, len(err.splitlines())) == (70, "", 1)
    assert "Traceback" in path.read_text()
    path.unlink()


def test_ctrl_c_before_anything_runs_is_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "answer", interrupt)

    assert main(["check"]) == 130
    assert capsys.readouterr() == ("", "error: interrupted\n")


@pytest.mark.parametrize("flags", [[], ["--json"]])
@pytest.mark.parametrize(("name", "code"), [("good", 0), ("bad", 1)])
def test_a_reader_that_leaves_early_changes_no_exit_code(runs: Path, name: str, code: int, flags: list[str]) -> None:
    """A pipe into `head` is quiet, and the verdict stays the verdict."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "check", name, *flags],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)

    assert (done.returncode, done.stderr) == (code, b"")


def test_check_has_one_execution_for_each_run(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 5: a directory of several runs is several executions, each with the nine checks in order."""
    code, data = object_of(capsys, "check", "good")

    assert (code, data["verdict"]) == (0, "valid")
    assert [one["name"] for one in data["executions"]] == [str(Path("good/run-1")), str(Path("good/run-2"))]
    assert [list(one) for one in data["executions"]] == [CHECK_KEYS] * 2
    assert [check["name"] for check in data["executions"][0]["checks"]] == list(CHECKS)


def test_check_takes_one_run_of_an_experiment(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 4: RUN is the stamp directory or one run-k."""
    _, data = object_of(capsys, "check", "good/run-2")

    assert [one["name"] for one in data["executions"]] == [str(Path("good/run-2"))]


def test_the_verdict_is_the_worst_of_all(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 5: and the exit code follows."""
    code, data = object_of(capsys, "check", "good", "bad/run-1")

    assert (code, data["verdict"]) == (1, "violated")


def test_logs_made_by_hand_are_compared_with_their_simulation(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 2: the log is the state; its start lines are enough to simulate it again."""
    _, data = object_of(capsys, "check", str(by_hand(here / "logs")))
    verdicts = {check["name"]: check["verdict"] for check in data["executions"][0]["checks"]}

    assert verdicts["equals-simulated"] == "valid"


def test_without_every_machines_model_there_is_no_simulation(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log that is absent leaves a machine of which nothing is known."""
    (by_hand(here / "logs") / "events-2.jsonl").unlink()
    code, data = object_of(capsys, "check", "logs")
    verdicts = {check["name"]: check["verdict"] for check in data["executions"][0]["checks"]}

    assert (code, verdicts["equals-simulated"]) == (2, "not-applicable")


def test_an_empty_directory_is_unknown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Issue 2: no log, no verdict; exit 2."""
    (here / "nothing").mkdir()
    code, data = object_of(capsys, "check", "nothing")

    assert (code, data["verdict"]) == (2, "unknown")
    assert main(["check", "nothing"]) == 2
    assert "CANNOT TELL: there is no event log." in capsys.readouterr().out


def test_a_truncated_log_is_unknown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Issue 2: a log that was cut proves nothing about what it lacks; exit 2."""
    log = by_hand(here / "logs") / "events-1.jsonl"
    log.write_bytes(log.read_bytes()[:-300])

    assert main(["check", "logs"]) == 2
    assert "CANNOT TELL" in capsys.readouterr().out


def test_a_file_that_differs_from_its_hash_is_never_valid(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 4: unknown, with a remark that names the file."""
    with Path("good/run-1/results.json").open("a") as file:
        file.write("\n")
    code, data = object_of(capsys, "check", "good")

    assert (code, [one["verdict"] for one in data["executions"]]) == (2, ["unknown", "valid"])
    assert any("run-1/results.json" in remark for remark in data["executions"][0]["remarks"])


def test_a_changed_file_does_not_hide_a_proof(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 4: unknown, unless a check proves a violation."""
    Path("bad/run-1/results.json").unlink()

    assert object_of(capsys, "check", "bad/run-1")[0] == 1


@pytest.mark.parametrize(("verdict", "code"), [("consistent", 2), ("valid", 0), ("violated", 1)])
def test_proof_can_be_required(verdict: str, code: int, monkeypatch: pytest.MonkeyPatch, runs: Path) -> None:
    """Design section 5: with --require-proof a verdict of consistent is exit 2."""
    plain = check_command.judge
    monkeypatch.setattr(check_command, "judge", lambda execution: replace(plain(execution), verdict=verdict))

    assert main(["check", "bad/run-1", "--require-proof"]) == code


def test_the_newest_run_is_meant_where_none_is_named(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 4: RUN may be left out."""
    main(["run", "quick.yaml", "--lab", "simulated", "--runs", "1"])
    capsys.readouterr()
    _, data = object_of(capsys, "check")

    assert [Path(one["name"]).parts[:2] for one in data["executions"]] == [("runs", "quick")]


def test_measure_prints_the_measures_of_each_run(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The object of `measure --json`, as docs/run-directory.md says."""
    code, data = object_of(capsys, "measure", "good")
    _, checked = object_of(capsys, "check", "good")

    assert code == 0
    assert [list(one) for one in data["executions"]] == [["name", "measures"]] * 2
    for one, same in zip(data["executions"], checked["executions"], strict=True):
        more = {"links", "faults"}
        assert {name: value for name, value in one["measures"].items() if name not in more} == same["measures"]


def test_equal_runs_compare_as_equal(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 5: runs pair by number; the keys are the contract's."""
    shutil.copytree("good", "copy")
    code, data = object_of(capsys, "compare", "good", "copy")

    assert (code, data["fidelity"], data["same_action"], data["first_divergence"]) == (0, 1.0, 1.0, None)
    assert list(data) == ["places", "equal", "fidelity", "same_action", "first_divergence"]


def test_runs_of_another_configuration_have_no_fidelity(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Model section 4: null where there is no common configuration; a clock rule alone changes no action."""
    code, data = object_of(capsys, "compare", "good", "bad")

    assert (code, data["fidelity"], data["same_action"]) == (0, None, 1.0)
    assert data["first_divergence"]["differs"] == ["clock"]


def test_runs_of_another_seed_have_nothing_to_agree_on(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Model section 4: null where there is no common seed."""
    code, data = object_of(capsys, "compare", "good/run-1", "good/run-2")

    assert (code, data["fidelity"], data["same_action"]) == (0, None, None)


def test_runs_that_should_be_equal_and_differ_are_exit_1(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 5: at exact, fast and simulated a difference is a mistake."""
    by_hand(here / "a")
    changed = by_hand(here / "b") / "events-1.jsonl"
    lines = changed.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b'"clock":1,', b'"clock":2,')
    changed.write_bytes(b"\n".join(lines))
    code, data = object_of(capsys, "compare", "a", "b")

    assert (code, data["places"] - data["equal"]) == (1, 1)
    assert data["first_divergence"]["a"]["event"] == data["first_divergence"]["b"]["event"] == "1:1"


def test_a_run_that_was_cut_may_differ_for_that_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2: what is missing may have been equal."""
    by_hand(here / "a")
    cut = by_hand(here / "b") / "events-1.jsonl"
    cut.write_bytes(b"\n".join(cut.read_bytes().split(b"\n")[:5]) + b"\n")

    assert object_of(capsys, "compare", "a", "b")[0] == 2


def test_runs_without_a_common_number_cannot_be_paired(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Design section 5: runs pair by number; two single runs are a pair whatever they are called."""
    shutil.copytree("good", "other")
    shutil.rmtree("other/run-1")
    shutil.move("other/run-2", "other/run-3")
    shutil.copytree("good/run-1", "other/run-4")

    assert main(["compare", "good", "other"]) == 66
    assert main(["compare", "good/run-2", "other/run-3"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize(
    "arguments",
    [["check", "good"], ["check", "bad"], ["check", "bad/run-1"], ["measure", "good"], ["compare", "good", "bad"]],
)
def test_what_people_see_fits_their_screen(
    runs: Path, arguments: list[str], columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue 2: a table that fits 80 columns; and without a terminal no colours."""
    monkeypatch.setenv("COLUMNS", str(columns))
    main(arguments)
    out = capsys.readouterr().out

    assert max(map(len, out.splitlines())) <= columns
    assert "\x1b" not in out


def test_check_says_the_verdict_first_and_then_how_it_is_known(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Issue 2: in people's words; the example names send, receive, both clocks and the rule."""
    main(["check", "bad/run-1"])
    name, verdict, *rest = capsys.readouterr().out.splitlines()

    assert name == str(Path("bad/run-1"))
    assert verdict.startswith("BROKEN: clock-condition is violated ")
    assert any("sent at" in line for line in rest)


def test_the_largest_jump_names_the_send_that_caused_it() -> None:
    """Issue 2: the jump is max(before, stamp) + 1, and nobody jumped further."""
    machines = cluster(seconds=30)
    events, _ = simulated_run(machines)
    trace = trace_of(machines, events)
    jump = largest_jump(trace)

    assert jump is not None
    assert jump.after == max(jump.before, jump.stamp) + 1
    row = trace.row(jump.receive)
    assert trace.name(int(trace.cause_row[row])) == jump.send
    assert trace.clock[trace.row(jump.send)] == jump.stamp
    steps = [event.clock - before for one in machines for before, event in pairs(events, one)]
    assert jump.size == max(steps)


@pytest.mark.parametrize("command", ["check", "measure"])
def test_an_interrupted_command_gives_what_it_has(
    command: str, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C in the second of two runs: exit 130, one JSON object with the first, and never a verdict on the whole."""
    read = executions.read_trace
    traces: list[object] = []

    def read_once(logs: Any) -> Any:
        if traces:
            raise KeyboardInterrupt
        traces.append(logs)
        return read(logs)

    monkeypatch.setattr(executions, "read_trace", read_once)

    assert main([command, "good", "--json"]) == 130
    said = json.loads(capsys.readouterr().out)
    assert len(said["executions"]) == 1
    assert said.get("verdict", "unknown") == "unknown"


def test_an_interrupted_comparison_has_compared_nothing(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C: exit 130, and one JSON object that claims nothing."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(executions, "read_trace", interrupt)

    assert main(["compare", "good", "good", "--json"]) == 130
    said = json.loads(capsys.readouterr().out)
    assert (said["places"], said["fidelity"]) == (0, None)


def test_without_a_receive_no_clock_jumps() -> None:
    """A run of internal events alone has nothing to explain."""
    machines = cluster(internal_probability=1)

    assert largest_jump(trace_of(machines, simulated_run(machines)[0])) is None


def pairs(events: list[Any], node: int) -> Iterator[tuple[int, Any]]:
    """Yield each event of a machine with the clock before it."""
    before = 0
    for event in events:
        if event.node == node:
            yield before, event
            before = event.clock


QUICK = "nodes: 3\ntick_rate: [60, 40, 20]\nduration: 500ms\nruns: 1\n"


@pytest.mark.parametrize(("mistake", "code"), [("clock: lamport-literal\n", 0), ("", 70)])
def test_a_demo_is_well_only_if_its_mistake_is_found(
    here: Path, mistake: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: exit 0 when both halves come out so, else 70."""

    def record_quickly(experiment: Experiment, setting: Setting, **rest: Any) -> Result:
        return record(experiment, Setting(lab="in-process", pace="exact") if setting.pace else setting, **rest)

    monkeypatch.setattr(demo_command, "EXPERIMENT", QUICK)
    monkeypatch.setattr(demo_command, "MISTAKEN", QUICK + mistake)
    monkeypatch.setattr(demo_command, "record", record_quickly)

    assert main(["demo"]) == code
    assert ("BROKEN" in capsys.readouterr().out) is bool(mistake)


@pytest.mark.live
def test_the_demo_tells_both_halves_and_ends_well(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Issue 2, deliverable 7: exit 0 when the live half is proved right and the mistake is found."""
    code = main(["demo"])
    out = capsys.readouterr().out

    assert code == 0
    assert out.index("CAUSALITY HOLDS") < out.index("The largest jump") < out.index("BROKEN: clock-condition")
    assert "simulation of the same seed" in out
    assert max(map(len, out.splitlines())) <= 80
    assert {path.name for path in Path("runs").iterdir()} == {"demo"}


@pytest.fixture
def lossy(here: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Record three runs in which one machine is down and one link loses."""
    (here / "lossy.yaml").write_text(
        "duration: 10s\nruns: 3\nnetwork: {links: {1->2: {loss: 0.5}}}\nfaults: [{from: 2s, to: 4s, crash: 3}]\n"
    )
    assert main(["run", "lossy.yaml", "--lab", "simulated", "--out", "lossy"]) == 0
    capsys.readouterr()
    return here


def test_check_shows_what_is_remarked_of_several_valid_runs_once(
    lossy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is true of all stands alone, the rest behind the runs that it is true of; no run is shown whole."""
    assert main(["check", "lossy"]) == 0
    shown = capsys.readouterr().out

    assert shown.count("crash of machine 3 from 2 s to 4 s") == 1
    assert "  - fault of the model: crash of machine 3 from 2 s to 4 s\n" in shown
    assert re.search(r"lost by the model's network: \d+ \(run-[123](, run-[123])*\)", " ".join(shown.split()))
    assert "  - in-order" not in shown
    assert "clock-condition" not in shown


def test_check_says_once_of_several_runs_which_check_does_not_apply(
    lossy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no link keeps order, nothing is out of it."""
    assert main(["run", "lossy.yaml", "--lab", "simulated", "--out", "free", "--set", "network={fifo: false}"]) == 0
    capsys.readouterr()
    assert main(["check", "free"]) == 0
    shown = " ".join(capsys.readouterr().out.split())

    assert shown.count("in-order: not applicable, no link keeps its messages in order") == 1


def test_measure_shows_the_account_of_every_link(lossy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was sent is lost, received, or left; to people and to scripts."""
    assert main(["measure", "lossy/run-1", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["executions"]
    links = found["measures"]["links"]
    assert main(["measure", "lossy/run-1"]) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]

    assert [(link["from"], link["to"]) for link in links if link["lost"]] == [(1, 2)]
    assert [fault["words"] for fault in found["measures"]["faults"]] == ["crash of machine 3 from 2 s to 4 s"]
    assert ["-", "crash", "of", "machine", "3", "from", "2", "s", "to", "4", "s"] == shown[1]
    assert ["from", "to", "sent", "doubled", "lost", "received", "in", "queue", "in", "flight"] in shown
    for link in links:
        assert [str(value) for value in link.values()] == next(row for row in shown if row[:2] == row_of(link))
    assert [
        "links:",
        "sent",
        "+",
        "doubled",
        "=",
        "lost",
        "+",
        "received",
        "+",
        "in",
        "queue",
        "+",
        "in",
        "flight",
    ] in shown


def row_of(link: dict[str, Any]) -> list[str]:
    return [str(link["from"]), str(link["to"])]
