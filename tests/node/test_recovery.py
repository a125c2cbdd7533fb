"""From a log back to its machine, on the fake wire: killed at every line, and restarted from what was written."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.errors import LogError
from node.journal import Journal, read_unsealed
from node.record import Line
from node.recovery import Past, recover
from tests.clusters import cluster, simulated
from tests.fake_wire import FakeCluster
from tests.fault_mixes import half_a_second

MACHINES = cluster(3, seconds=4, internal_probability=0.3)
WITH_CRASHES = ("crash", "amnesia", "amnesia twice", "crash to the end")


def log_of(node: int) -> list[Line]:
    """Return the log of a machine to its end."""
    fake = FakeCluster(MACHINES, seed=1, cut_probability=0)
    assert fake.run()
    return fake.lines[node]


def again(lines: list[Line], **changes: Any) -> Past:
    """Recover machine 2, or one that differs from it."""
    told = {"run": "fake", "pace": "fast", "name": "log"} | changes
    return recover(lines, told.pop("model", MACHINES[2]), **told)


@pytest.mark.parametrize("place", range(1, len(log_of(2)) + 1))
def test_a_machine_killed_at_any_line_goes_on_as_if_nothing_had_happened(place: int) -> None:
    """Whatever line was the last: the log is the state, and the windows of the others hold the rest."""
    fake = FakeCluster(MACHINES, seed=1, cut_probability=0, kill_at={2: place})

    assert fake.run()
    assert fake.kills == 1
    assert simulated(MACHINES) == fake.events()


@pytest.mark.parametrize("seed", range(20))
def test_machines_killed_again_and_again_give_the_same_events(seed: int) -> None:
    """Every machine, at any turn, beside cuts of the wire."""
    fake = FakeCluster(MACHINES, seed=seed, kill_probability=0.02)

    assert fake.run()
    assert fake.kills >= 3
    assert simulated(MACHINES) == fake.events()


@pytest.mark.parametrize("name", WITH_CRASHES)
@pytest.mark.parametrize("seed", range(5))
def test_crashes_of_the_model_beside_kills_that_it_does_not_know(name: str, seed: int) -> None:
    """Amnesia forgets what the model says and nothing else: the log has the windows of every incarnation."""
    machines = half_a_second(name)
    fake = FakeCluster(machines, seed=seed, kill_probability=0.02)

    assert fake.run()
    assert fake.downs >= 1
    assert simulated(machines) == fake.events()


def test_a_torn_last_line_is_cut(tmp_path: Path) -> None:
    """What a kill inside a write leaves: its bytes are counted, and gone before anything is added."""
    path, line = tmp_path / "log", log_of(2)[0]
    journal = Journal(path)
    journal.write(line)
    journal.flush()
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"event":"int')
    reading = read_unsealed(path)
    journal = Journal(path, whole_bytes=reading.whole_bytes, file=reading.open)
    journal.close()

    assert ([line], 13) == (reading.lines, reading.torn_bytes)
    assert whole == path.read_bytes()


def test_a_bad_line_is_named_by_its_number(tmp_path: Path) -> None:
    """Exit 74: only the last line may be torn."""
    path = tmp_path / "log"
    path.write_bytes(b'{"event":"int\n')

    with pytest.raises(LogError, match=r"log:1: "):
        read_unsealed(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"run": "another"}, "log:1: a log of the run 'fake'"),
        ({"pace": "exact"}, "log:1: a log at the pace fast"),
        ({"model": replace(MACHINES[2], seed=1)}, "log:1: a log of the seed 262, and this is 1"),
        ({"model": replace(MACHINES[2], rate_hz=5)}, "log:1: a log of another configuration"),
        ({"model": MACHINES[1]}, "log:1: a line of machine 2, and this is machine 1"),
    ],
    ids=str,
)
def test_the_log_of_another_is_refused(changes: dict[str, Any], words: str) -> None:
    """Another run, pace, seed, configuration or machine: nothing of it can be continued."""
    with pytest.raises(LogError, match=words):
        again(log_of(2), **changes)


@pytest.mark.parametrize("event", ["start", "send", "receive"])
def test_a_log_that_lacks_a_line_is_refused_where_it_lacks(event: str) -> None:
    """Every event has its number and its tick: one that is missing is seen at the next."""
    lines = log_of(2)
    place = next(place for place, line in enumerate(lines) if line["event"] == event)

    with pytest.raises(LogError, match=r"comes where|begins with"):
        again(lines[:place] + lines[place + 1 :])


@pytest.mark.parametrize("event", ["start", "send", "receive", "stop"])
def test_a_line_that_is_there_twice_is_refused(event: str) -> None:
    """Nothing happens twice."""
    lines = log_of(2)
    place = next(place for place, line in enumerate(lines) if line["event"] == event)

    with pytest.raises(LogError, match=f"log:{place + 2}: "):
        again([*lines[: place + 1], lines[place], *lines[place + 1 :]])


def test_a_log_without_a_whole_line_is_refused() -> None:
    """It names no run."""
    with pytest.raises(LogError, match="not one whole line"):
        again([])
