"""Ctrl-C at every command that takes long, twice where once is not enough, and two labs at once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.export.destination import write
from orchestrator.reading import read_run
from orchestrator.rundir import Run
from orchestrator.rundir.files import write_file
from tests.waiting import wait_for

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 60
ORCHESTRATOR = (sys.executable, "-P", "-m", "orchestrator")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory, from which processes find the code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    (tmp_path / "quick.yaml").write_text("nodes: 3\ntick_rate: [60, 40, 20]\nduration: 1s\nruns: 1\n")
    return tmp_path


@pytest.fixture
def start() -> Iterator[Start]:
    """Start commands; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*command: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def end_of(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Wait for the end of a command; return its exit code, stdout and stderr."""
    out, err = process.communicate(timeout=DEADLINE_S)
    return process.returncode, out, err


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_stopped(pid: int) -> bool:
    return "\nState:\tT" in Path(f"/proc/{pid}/status").read_text()


def ticking(name: str) -> bool:
    """Whether every machine of the newest run has had an event."""
    logs = list(Path("runs", name).glob("latest/run-1/events-*.jsonl"))
    return len(logs) == 3 and all(b'"index":1,' in log.read_bytes() for log in logs)


def pids(name: str) -> list[int]:
    lines = Path("runs", name, "latest", "run-1", "observer.jsonl").read_bytes().split(b"\n")[:-1]
    return [line["pid"] for line in map(json.loads, lines) if line["event"] == "start"]


# Two labs at once

AT_ONE_SECOND = """
import sys
from datetime import UTC, datetime
import orchestrator.commands.run as command
from orchestrator.__main__ import main

class SameSecond:
    def now(self, zone):
        return datetime(2026, 11, 22, 10, 22, 31, tzinfo=UTC)

command.datetime = SameSecond()
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.live
def test_two_labs_of_the_same_second_never_clash(here: Path, start: Start) -> None:
    """Issue 3: each has a directory and ports of its own, and its nodes talk to each other alone."""
    command = (sys.executable, "-P", "-c", AT_ONE_SECOND, "run", "quick.yaml", "--json")
    both = [end_of(each) for each in [start(*command) for _ in range(2)]]
    data: list[dict[str, Any]] = [json.loads(out) for _, out, _ in both]

    assert [
        (code, one["verdict"], one["runs"][0]["fidelity"]) for (code, _, _), one in zip(both, data, strict=True)
    ] == [(0, "valid", 1.0)] * 2
    assert sorted(Path(one["run_dir"]).name for one in data) == ["20261122T102231Z", "20261122T102231Z-2"]
    assert data[0]["runs"][0]["events"] == data[1]["runs"][0]["events"]


# Ctrl-C once


@pytest.mark.live
def test_ctrl_c_in_a_demo_ends_it_with_130(here: Path, start: Start) -> None:
    """Design section 5: the live half is sealed, the other is not begun, and no traceback is shown."""
    process = start(*ORCHESTRATOR, "demo")
    wait_for(lambda: ticking("demo"))
    process.send_signal(signal.SIGINT)
    code, _, err = end_of(process)

    assert (code, err.splitlines()[-1]) == (130, "error: interrupted in run 1; what there is was checked")
    assert "Traceback" not in err
    assert [path.name for path in Path("runs/demo").iterdir() if path.name.endswith("-literal")] == []
    assert [pid for pid in pids("demo") if is_alive(pid)] == []


@pytest.mark.live
def test_ctrl_c_in_a_simulation_seals_and_checks_what_there_is(here: Path, start: Start) -> None:
    """Design section 5: 130, one object with --json, and a record that says that it was cut."""
    process = start(*ORCHESTRATOR, "run", "quick.yaml", "--lab", "simulated", "--duration", "200s", "--json")
    wait_for(Path("runs/quick/latest/run-1").exists)
    process.send_signal(signal.SIGINT)
    code, out, err = end_of(process)

    assert (code, json.loads(out)["verdict"]) == (130, "unknown")
    assert err.splitlines()[-1] == "error: interrupted in run 1; what there is was checked"
    ends = [machine.end for machine in read_run(Run(Path("runs/quick/latest/run-1").resolve())).machines.values()]
    assert [True] * 3 == [end is not None and end["interrupted"] for end in ends]


SLOWLY = """
import sys, time
from orchestrator.__main__ import main
import {module} as module

def slow(*_, **__):
    print("begun", file=sys.stderr, flush=True)
    while True:
        pass

module.{name} = slow
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.live
@pytest.mark.parametrize(
    ("words", "slow"),
    [
        ("check good", "orchestrator.executions.check"),
        ("check good --json", "orchestrator.executions.check"),
        ("measure good", "orchestrator.executions.measure"),
        ("compare good good --json", "orchestrator.commands.compare.paired"),
        ("export good --format csv", "orchestrator.commands.export.write"),
        ("runs", "orchestrator.commands.runs.facts"),
    ],
)
def test_ctrl_c_in_whatever_reads_runs_is_130_and_one_line(here: Path, start: Start, words: str, slow: str) -> None:
    """Design section 5: nothing is changed by a reader, so that nothing has to be tidied up."""
    for out in (["--out", "good"], []):
        subprocess.run([*ORCHESTRATOR, "run", "quick.yaml", "--lab", "simulated", *out], check=True)
    before = sorted(here.rglob("*"))
    module, _, name = slow.rpartition(".")
    process = start(sys.executable, "-P", "-c", SLOWLY.format(module=module, name=name), *words.split())
    assert process.stderr is not None
    assert process.stderr.readline() == "begun\n"
    process.send_signal(signal.SIGINT)

    code, out, said = end_of(process)

    assert (code, said) == (130, "error: interrupted\n")
    assert ("--json" in words) == bool(out and json.loads(out))
    assert sorted(here.rglob("*")) == before


def test_an_export_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    """Half an export looks like a whole one."""

    def pieces() -> Iterator[str]:
        yield "a line\n"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "run-1-classic", {"machine-1.log": ["whole\n"], "machine-2.log": pieces()})

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither half a file nor the name under which it was made."""

    def interrupt(path: Path, _: Path) -> None:
        assert path.read_bytes() == b"all"
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "file", b"all")

    assert list(tmp_path.iterdir()) == []


# Ctrl-C twice


@pytest.mark.live
def test_a_second_ctrl_c_kills_even_a_node_that_is_stopped(here: Path, start: Start) -> None:
    """Design section 5: at once, without waiting for a seal; nothing of ours runs on."""
    process = start(*ORCHESTRATOR, "run", "quick.yaml", "--duration", "600s")
    wait_for(lambda: ticking("quick"))
    nodes = pids("quick")
    os.kill(nodes[1], signal.SIGSTOP)
    wait_for(lambda: is_stopped(nodes[1]))
    try:
        process.send_signal(signal.SIGINT)
        log = Path("runs/quick/latest/run-1/events-1.jsonl")
        # The first has been heard when the others have sealed their logs.
        wait_for(lambda: b'"interrupted":true' in log.read_bytes()[-300:])
        process.send_signal(signal.SIGINT)
        code = end_of(process)[0]
        wait_for(lambda: not any(map(is_alive, nodes)))
    finally:
        for node in filter(is_alive, nodes):
            os.kill(node, signal.SIGKILL)

    assert code == 130
