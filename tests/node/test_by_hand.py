"""Logs and disks that fail a node started by hand: it goes on, or says in one line why it cannot."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node.model import SECOND_NS
from orchestrator.rundir import Run
from orchestrator.trace import check, read_trace
from orchestrator.twin import simulated
from tests.node.test_main import Start, command, free_ports, start, words
from tests.waiting import wait_for

pytestmark = pytest.mark.live

__all__ = ["start"]  # the fixture


def lines_of(log: Path) -> int:
    """Return how many lines a log has."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def exact(directory: Path, node: int, ports: list[int], *flags: str) -> list[str]:
    """Return the command of a node at exact, whose epoch stands in a file."""
    where = ("--log-dir", str(directory), "--epoch-file", str(directory / "epoch"))
    return command(node, ports, "--pace", "exact", "--seed", "5", *where, *flags)


def test_a_node_that_is_killed_goes_on_when_it_is_started_again(start: Start, tmp_path: Path) -> None:
    """With the same command, while its run lasts: the others have waited, and the run is that of the model."""
    ports = free_ports(3)
    arguments = [exact(tmp_path, node, ports, "--duration", "6") for node in (1, 2, 3)]
    nodes = [start(one) for one in arguments]
    log = tmp_path / "events-2.jsonl"
    wait_for(lambda: lines_of(log) > 6)
    nodes[1].kill()
    nodes[1].wait()
    nodes[1] = start(arguments[1])
    said = [words(node) for node in nodes]
    trace = read_trace(Run(tmp_path).event_logs())
    models = {node: machine.model for node, machine in trace.machines.items() if machine.model}

    assert [0, 0, 0] == [node.returncode for node in nodes], said
    assert "goes on where its log ends" in said[1]
    assert "valid" == check(trace, simulated(models)).verdict
    assert b'{"event":"boot"' in log.read_bytes()
    assert (tmp_path / "epoch").exists(), "whoever comes back must not take the epoch from those that come yet"


@pytest.fixture
def abandoned(start: Start, tmp_path: Path) -> tuple[Path, list[str]]:
    """A log that a killed node left in the middle of its run, and the command that made it."""
    arguments = [sys.executable, "-m", "node", "--id", "1", "--tick-rate", "50", "--duration", "600"]
    arguments += ["--log-dir", str(tmp_path)]
    log, node = tmp_path / "events-1.jsonl", start(arguments)
    wait_for(lambda: lines_of(log) > 5)
    node.kill()
    node.wait()
    return log, arguments


def last_words(arguments: list[str]) -> tuple[int, str]:
    """Run a node that will not run; return its exit code and its last line, which must be the only error."""
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=30, check=False)
    assert 1 == done.stderr.count("error:"), done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.splitlines()[-1] if "its log is" not in done.stderr else done.stderr


def test_a_log_that_cannot_be_continued_is_refused_in_one_line_and_left_as_it_was(
    abandoned: tuple[Path, list[str]], start: Start
) -> None:
    """Another configuration, damage, a second process, a run that is over: what, where, and what to do."""
    log, arguments = abandoned
    whole = log.read_bytes()
    first, second, third, *rest = whole.split(b"\n")
    start_line = json.loads(first)

    assert (74, f"error: {log}:1: a log of another configuration; so it cannot be continued: move it away") == (
        last_words([*arguments, "--internal-probability", "0.5"])
    )
    assert whole == log.read_bytes()

    log.write_bytes(b"\n".join([first, second, third[:-4], *rest]))
    code, words = last_words(arguments)
    assert (74, True, True) == (code, words.startswith(f"error: {log}:3: "), words.endswith("move it away"))

    log.write_bytes(b"\n".join([first, third, second, *rest]))
    code, words = last_words(arguments)
    assert (74, True) == (code, words.startswith(f"error: {log}:2: tick "))

    log.write_bytes(json.dumps(start_line | {"epoch_ns": time.time_ns() - 601 * SECOND_NS}).encode() + b"\n")
    code, words = last_words(arguments)
    assert (73, True) == (code, words.startswith(f"error: {log}: this log was never sealed, and its run is over for "))

    log.write_bytes(whole)
    node = start(arguments)
    wait_for(lambda: lines_of(log) > whole.count(b"\n") + 3)
    assert (74, f"error: {log}: another process writes this log; end it first, or choose another --log-dir") == (
        last_words(arguments)
    )
    node.send_signal(signal.SIGINT)

    assert 130 == node.wait(timeout=30)


WRITE_LITTLE = (
    "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2);"
    "runpy.run_module('node', run_name='__main__')"
)
"""The disk takes so many bytes a file, and no more."""


def test_a_full_disk_is_said_in_one_line_and_the_log_can_be_continued(tmp_path: Path) -> None:
    """74; what was cut off in the last line is gone with the restart, and so is the trouble."""
    log, own = tmp_path / "events-1.jsonl", ["--id", "1", "--tick-rate", "200", "--duration", "3"]
    own += ["--log-dir", str(tmp_path)]
    code, words = last_words([sys.executable, "-c", WRITE_LITTLE, "8192", *own])

    assert (74, 8192) == (code, log.stat().st_size)
    assert f"error: {log}: " in words

    done = subprocess.run([sys.executable, "-m", "node", *own], capture_output=True, text=True, timeout=30, check=False)
    trace = read_trace(Run(tmp_path).event_logs())
    models = {node: machine.model for node, machine in trace.machines.items() if machine.model}

    assert 0 == done.returncode, done.stderr
    assert "the last line is torn" in done.stderr
    assert "valid" == check(trace, simulated(models)).verdict


def test_whoever_cannot_even_say_what_is_wrong_still_says_it_with_its_exit_code(tmp_path: Path) -> None:
    """A disk that is full takes no words either."""
    (tmp_path / "events-1.jsonl").write_text("no log of ours\n")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "node", "--id", "1", "--host", "0.0.0.0", "--log-dir", str(tmp_path)],
            stderr=full,
            timeout=30,
            check=False,
        )

    assert 74 == done.returncode
