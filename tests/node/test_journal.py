"""The event log on the disk."""

import os
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from node.errors import LogError, OutputError
from node.event import Event
from node.journal import DiskFile, Journal, read_unsealed, seal_away
from node.model import SECOND_NS, Model, Network
from node.record import Line, end_line, event_line, parse_line, start_line, stop_line
from node.window import Pause

MODEL = Model(
    node=1,
    seed=262,
    rate_hz=6,
    phase_ns=5,
    internal_probability=0.7,
    duration_ns=SECOND_NS,
    peers=(),
    senders=(),
)
START = start_line(MODEL, run="Zürich\u2028\n", incarnation=0, pace="free", epoch_ns=0, wall=None)
STOP = stop_line(MODEL, incarnation=0, events=0, unreceived=[], held_back=None, wall=None)
END = end_line(MODEL, incarnation=0, events=0, interrupted=False, wall=None)
INTERRUPTED = end_line(MODEL, incarnation=0, events=0, interrupted=True, wall=None)


def event(index: int) -> Line:
    """Return the line of an internal event."""
    return event_line(
        Event(node=1, incarnation=0, index=index, tick=index - 1, due_ns=index, kind="internal", clock=index, queue=0),
        None,
    )


def descriptor(journal: Journal) -> int:
    """Return what the operating system knows the file by."""
    assert isinstance(journal._file, DiskFile)
    return journal._file.fileno()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log of node 1 goes."""
    return tmp_path / "events-1.jsonl"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """A new log."""
    journal = Journal(path)
    yield journal
    journal.close()


def write_log(path: Path, *lines: Line, torn: bytes = b"") -> None:
    """Leave a log behind."""
    journal = Journal(path)
    for line in lines:
        journal.write(line)
    journal.flush()
    journal.close()
    with path.open("ab") as file:
        file.write(torn)


@pytest.mark.parametrize(
    "model",
    [MODEL, replace(MODEL, pauses=(Pause(from_ns=1, to_ns=2),), network=Network(loss=0.5))],
    ids=["plain", "faulty"],
)
def test_the_hash_in_a_start_line_is_that_of_the_model_beside_it_to_the_byte(path: Path, model: Model) -> None:
    """docs/run-directory.md: so whoever reads a log can compute it; what says nothing is left out."""
    start = start_line(model, run="r", incarnation=0, pace=None, epoch_ns=0, wall=None)
    write_log(path, start)
    written = path.read_bytes().partition(b'"model":')[2].removesuffix(b"}\n")

    assert sha256(written).hexdigest() == start["configuration"]
    assert parse_line(path.read_bytes().removesuffix(b"\n")) == start
    assert (b"pauses" in written) == bool(model.pauses)


# Writing.


def test_what_was_flushed_is_in_the_file_when_flush_returns(journal: Journal, path: Path) -> None:
    """Nothing leaves before it is written; a reader needs no help of ours to see it."""
    journal.write(START)
    journal.write(event(1))
    before = path.read_bytes()
    journal.flush()

    assert before == b""
    assert [parse_line(line) for line in path.read_bytes().splitlines()] == [START, event(1)]


def test_the_lines_of_a_turn_are_written_with_one_call(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill inside it leaves complete lines and perhaps a torn one; a turn without lines writes nothing."""
    calls, write = list[bytes](), os.write
    monkeypatch.setattr("node.journal.os.write", lambda file, data: calls.append(data) or write(file, data))
    for index in (1, 2, 3):
        journal.write(event(index))
    journal.flush()
    journal.flush()

    assert [call.count(b"\n") for call in calls] == [3]


def test_lines_stay_in_the_order_in_which_they_were_added(journal: Journal, path: Path) -> None:
    """Over several turns; none is written twice."""
    for index in (1, 2, 3, 4):
        journal.write(event(index))
        if index % 2:
            journal.flush()
    journal.flush()

    assert [parse_line(line) for line in path.read_bytes().splitlines()] == [event(index) for index in (1, 2, 3, 4)]


def test_a_line_is_one_line_whatever_is_in_it(journal: Journal, path: Path) -> None:
    """Split on b"\\n" alone: a run may have any name (design trap 7)."""
    journal.write(START)
    journal.flush()
    line, after = path.read_bytes().split(b"\n")

    assert (parse_line(line), after) == (START, b"")


def test_writing_changes_no_line(journal: Journal) -> None:
    """Whoever made a line may still read it."""
    line = event(1)
    journal.write(line)
    journal.flush()

    assert line == event(1)


def test_a_log_goes_behind_what_others_append(journal: Journal, path: Path) -> None:
    """O_APPEND: not even a second writer could make us overwrite a line."""
    journal.write(event(1))
    journal.flush()
    with path.open("ab") as file:
        file.write(b"somebody else\n")
    journal.write(event(2))
    journal.flush()

    assert path.read_bytes().splitlines()[1] == b"somebody else"
    assert parse_line(path.read_bytes().splitlines()[2]) == event(2)


# Files that cannot be.


@pytest.mark.parametrize("content", [b"", b"a log of another run\n"])
def test_a_log_that_exists_is_never_touched(path: Path, content: bytes) -> None:
    """O_EXCL: 73, and the old one is as it was."""
    path.write_bytes(content)

    with pytest.raises(OutputError) as refusal:
        Journal(path)

    assert str(refusal.value) == f"{path}: cannot create this log: File exists"
    assert (refusal.value.exit_code, path.read_bytes()) == (73, content)


def test_a_link_to_nowhere_is_not_followed(path: Path) -> None:
    """O_EXCL means that nobody else has put anything there."""
    path.symlink_to(path.with_name("elsewhere"))

    with pytest.raises(OutputError):
        Journal(path)

    assert not path.exists()


def test_a_log_in_a_directory_that_is_none_cannot_be_created(tmp_path: Path) -> None:
    """73, naming the path."""
    with pytest.raises(OutputError) as refusal:
        Journal(tmp_path / "nowhere" / "events-1.jsonl")

    assert str(refusal.value) == f"{tmp_path}/nowhere/events-1.jsonl: cannot create this log: No such file or directory"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to try")
def test_a_full_disk_is_fatal(journal: Journal, path: Path) -> None:
    """74: what is not written must not leave the node."""
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, descriptor(journal))
    os.close(full)
    journal.write(event(1))

    with pytest.raises(LogError) as failure:
        journal.flush()

    assert str(failure.value) == f"{path}: cannot write: No space left on device; free some space and run again"
    assert failure.value.exit_code == 74


def test_a_short_write_is_fatal(journal: Journal, path: Path) -> None:
    """On a nearly full disk a write can be short without an exception (design trap 6); so it is in a full pipe."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.dup2(writing, descriptor(journal))
    os.close(writing)
    journal.write({**START, "run": "x" * 10_000_000})

    with pytest.raises(LogError, match=rf"^{path}: only \d+ of 1\d{{7}} bytes were written; is the disk full\?$"):
        journal.flush()

    os.close(reading)


def test_what_could_not_be_written_is_not_tried_again(journal: Journal, path: Path) -> None:
    """Half of it may be there: behind a failed write a log ends."""
    working = os.dup(descriptor(journal))
    os.dup2(os.open("/dev/full", os.O_WRONLY) if Path("/dev/full").exists() else os.pipe()[0], descriptor(journal))
    journal.write(event(1))
    with pytest.raises(LogError):
        journal.flush()
    os.dup2(working, descriptor(journal))
    os.close(working)
    journal.write(event(2))
    journal.flush()

    assert [parse_line(line) for line in path.read_bytes().splitlines()] == [event(2)]


# The end of a log.


def test_a_log_that_nothing_was_written_to_goes_away(path: Path) -> None:
    """A node that never started leaves no file in the way of the next one."""
    journal = Journal(path)
    journal.close()

    assert not path.exists()


def test_a_log_that_something_was_written_to_stays(path: Path) -> None:
    """Whatever became of the run."""
    write_log(path, START)

    assert parse_line(path.read_bytes()) == START


def test_lines_that_were_never_flushed_are_not_written_at_the_end(path: Path) -> None:
    """A node whose log failed must not go on writing while it closes."""
    journal = Journal(path)
    journal.write(event(1))
    journal.flush()
    journal.write(event(2))
    journal.close()

    assert parse_line(path.read_bytes()) == event(1)


def test_a_log_that_somebody_moved_away_is_closed_all_the_same(path: Path) -> None:
    """Nobody's file is missed."""
    journal = Journal(path)
    path.unlink()
    journal.close()

    assert not path.exists()


# An older log in the way.


def test_where_no_log_is_none_is_renamed(path: Path) -> None:
    """The usual case."""
    assert seal_away(path) is None


@pytest.mark.parametrize("lines", [(START, END, STOP), (START, INTERRUPTED), (START, event(1), INTERRUPTED)])
def test_a_sealed_log_is_renamed_and_never_continued(path: Path, lines: tuple[Line, ...]) -> None:
    """Sealed by its stop record, or by whoever interrupted it: events-1.1.sealed, as it was."""
    write_log(path, *lines)
    content = path.read_bytes()
    sealed = path.with_name("events-1.1.sealed")

    assert seal_away(path) == sealed
    assert (path.exists(), sealed.read_bytes()) == (False, content)


def test_no_sealed_log_is_overwritten(path: Path) -> None:
    """Every next one has the next number, also where one in between was deleted by nobody."""
    names = []
    for _ in range(3):
        write_log(path, STOP)
        sealed = seal_away(path)
        assert sealed is not None
        names.append(sealed.name)

    assert names == ["events-1.1.sealed", "events-1.2.sealed", "events-1.3.sealed"]


@pytest.mark.parametrize(
    ("lines", "torn"),
    [
        ((), b""),
        ((START,), b""),
        ((START, event(1)), b""),
        ((START, END), b""),
        ((START, STOP, event(1)), b""),
        ((START, STOP), b'{"event":"in'),
        ((START, INTERRUPTED), b"\n"),
        ((START,), b'{"event":"stop"}\n'),
        ((), b"something else, and no log at all"),
        ((), b"\xff\x00\n"),
    ],
    ids=["empty", "start", "event", "end", "after stop", "torn", "blank", "false stop", "prose", "binary"],
)
def test_a_log_that_nobody_sealed_is_left_alone(path: Path, lines: tuple[Line, ...], torn: bytes) -> None:
    """It may be continued, or its node may still be running."""
    write_log(path, *lines, torn=torn)
    path.touch()
    content = path.read_bytes()

    assert seal_away(path) is None
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == content


def test_a_last_line_without_its_end_is_torn(path: Path) -> None:
    """A stop record whose newline is missing was not written whole."""
    write_log(path, START, STOP)
    path.write_bytes(path.read_bytes()[:-1])

    assert seal_away(path) is None


# Two processes, one log.


def test_a_log_that_is_being_written_cannot_be_continued(journal: Journal, path: Path) -> None:
    """74, naming the log and what to do; whoever was first does not notice."""
    journal.write(START)
    journal.flush()

    with pytest.raises(LogError) as refusal:
        read_unsealed(path)

    assert str(refusal.value) == (f"{path}: another process writes this log; end it first, or choose another --log-dir")
    journal.write(END)
    journal.flush()
    assert [START, END] == [parse_line(line) for line in path.read_bytes().splitlines()]


def test_a_log_that_is_being_continued_is_locked_from_the_moment_it_is_read(path: Path) -> None:
    """Between reading and writing nobody else gets in; and once it is closed, somebody may."""
    write_log(path, START)
    reading = read_unsealed(path)
    with pytest.raises(LogError, match="another process writes this log"):
        read_unsealed(path)
    Journal(path, whole_bytes=reading.whole_bytes, file=reading.open).close()

    assert [START] == read_unsealed(path).lines


def test_a_log_that_is_gone_cannot_be_continued(path: Path) -> None:
    """What it said stood nowhere else."""
    with pytest.raises(LogError, match=rf"^{path}: the log to be continued is gone"):
        read_unsealed(path)


def test_a_directory_in_the_place_of_the_log_is_an_output_error(tmp_path: Path) -> None:
    """What cannot be looked into is not moved."""
    with pytest.raises(OutputError):
        seal_away(tmp_path)
