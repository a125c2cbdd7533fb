"""The epoch that nodes by hand agree on through a file."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from node.config import parse
from node.epoch import EpochFile
from node.errors import OutputError, UsageError
from tests.node.test_main import DEADLINE_S, command, free_ports


@pytest.fixture
def file(tmp_path: Path) -> EpochFile:
    """A file that nobody has written."""
    return EpochFile(tmp_path / "epoch")


def test_the_first_node_gives_its_time_and_the_others_take_it(file: EpochFile) -> None:
    """Whatever their own clocks say by then."""
    assert [5, 5, 5] == [file.agree(now_ns) for now_ns in (5, 4, 6)]


def test_nodes_that_come_at_the_same_moment_agree(file: EpochFile) -> None:
    """The epoch is that of one of them."""
    with ThreadPoolExecutor(8) as nodes:
        epochs = set(nodes.map(file.agree, range(1, 201)))

    assert len(epochs) == 1
    assert epochs <= set(range(1, 201))


def test_nothing_but_the_epoch_is_left_beside_the_logs(file: EpochFile) -> None:
    """No name of a file half written."""
    file.agree(5)
    file.agree(6)

    assert [file.path] == list(file.path.parent.iterdir())
    assert b"5\n" == file.path.read_bytes()


def test_what_an_earlier_run_left_is_cleared(file: EpochFile) -> None:
    """And clearing what is not there is no mistake: every node does it before it greets anybody."""
    file.clear()
    file.agree(5)
    file.clear()
    file.clear()

    assert 7 == file.agree(7)


@pytest.mark.parametrize("content", [b"", b"\n", b"a diary\n", b"-5\n", b"5\n5\n", b"5" * 21, b"1.5\n"], ids=repr)
def test_a_file_that_is_no_epoch_is_not_touched(file: EpochFile, content: bytes) -> None:
    """73: somebody mistyped a name, and would lose a file of theirs."""
    file.path.write_bytes(content)
    for act in (file.clear, lambda: file.agree(5)):
        with pytest.raises(OutputError, match="not the epoch of a run; name another --epoch-file"):
            act()

    assert content == file.path.read_bytes()
    assert [file.path] == list(file.path.parent.iterdir())


def test_a_directory_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """73, with the path."""
    file = EpochFile(tmp_path / "nowhere" / "epoch")
    file.clear()
    with pytest.raises(OutputError, match="nowhere/epoch: cannot write the epoch: No such file or directory"):
        file.agree(5)


def test_a_directory_in_the_place_of_the_file_is_one_line(tmp_path: Path) -> None:
    """73, before anybody is greeted."""
    with pytest.raises(OutputError, match="cannot read this epoch: Is a directory"):
        EpochFile(tmp_path).clear()


def test_a_file_that_somebody_removes_meanwhile_is_one_line(file: EpochFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """73: nobody may begin at a moment of its own."""
    monkeypatch.setattr(file, "_read", lambda: None)
    with pytest.raises(OutputError, match="somebody removed the epoch of this run; start every node again"):
        file.agree(5)


@pytest.mark.parametrize("pace", ["exact", "fast"])
def test_a_pace_that_needs_a_common_epoch_takes_it_from_the_file(pace: str) -> None:
    """In place of --epoch-ns."""
    config = parse(["--id", "1", "--pace", pace, "--epoch-file", "epoch"], {})

    assert (pace, None, Path("epoch")) == (config.pace, config.epoch_ns, config.epoch_file)


def test_only_one_of_the_two_says_when_the_run_begins() -> None:
    """64."""
    with pytest.raises(UsageError, match="--epoch-ns and --epoch-file both say when the run begins"):
        parse(["--id", "1", "--epoch-ns", "5", "--epoch-file", "epoch"], {})


@pytest.mark.live
def test_two_runs_in_the_same_place_each_begin_at_one_moment_of_their_own(tmp_path: Path) -> None:
    """The file of the first run is there when the second begins; its logs are sealed away, and so is its epoch."""
    first, second = (run_three_nodes(tmp_path) for _ in range(2))

    assert (1, 1) == (len(first), len(second))
    assert max(first) < min(second)


def run_three_nodes(directory: Path) -> set[int]:
    """Run a cluster by hand and return the epochs in its logs."""
    ports = free_ports(3)
    flags = ["--pace", "fast", "--duration", "2", "--epoch-file", str(directory / "epoch"), "--log-dir", str(directory)]
    nodes = [subprocess.Popen(command(node, ports, *flags), stderr=subprocess.DEVNULL) for node in (1, 2, 3)]
    try:
        assert [0, 0, 0] == [node.wait(DEADLINE_S) for node in nodes]
    finally:
        for node in nodes:
            node.kill()
            node.wait()
    logs = [directory / f"events-{node}.jsonl" for node in (1, 2, 3)]
    return {json.loads(log.read_bytes().partition(b"\n")[0])["epoch_ns"] for log in logs}
