"""From what a person types to an event, and what they are told where there is none."""

from dataclasses import replace
from pathlib import Path

import pytest

from node.errors import NoInputError, UsageError
from orchestrator.explain.locate import locate
from orchestrator.explain.ours import OwnHistory
from orchestrator.trace import read_trace, trace_of
from tests.clusters import cluster
from tests.histories import as_foreign, history_of
from tests.logs_on_disk import rewrite, write_logs
from tests.orchestrator.trace.test_order import internal


@pytest.fixture
def history(tmp_path: Path) -> OwnHistory:
    """Return a run whose machine 2 lacks its events 4 to 6."""
    logs = write_logs(tmp_path, cluster(3, seconds=10))
    rewrite(logs[2], lambda lines: lines[:4] + lines[7:])
    return history_of(read_trace(logs))


def test_every_event_is_found_by_its_name_and_by_its_place(history: OwnHistory) -> None:
    """Both as they are shown: what is copied from an answer can be asked."""
    for row in range(len(history)):
        assert row == locate(history, history.event(row)) == locate(history, history.place(row))
        assert row == locate(history, f"somewhere/run-1/{history.place(row)}")


def test_a_name_may_hold_colons_itself() -> None:
    """The last colon parts it, as hosts are often called by their port."""
    trace = trace_of(cluster(2), [internal(1, 1), internal(1, 2), internal(2, 1)])
    history = as_foreign(trace, nodes=("localhost:8080", "localhost:8081"))
    names = [history.event(row) for row in range(3)]

    assert ["localhost:8080:1", "localhost:8081:1", "localhost:8080:2"] == names
    assert [0, 1, 2] == [locate(history, name) for name in names]


def test_an_incarnation_has_a_name_of_its_own() -> None:
    """As an EventId prints it."""
    reborn = replace(internal(1, 1), incarnation=1, tick=1, due_ns=5000)
    history = history_of(trace_of(cluster(2), [internal(1, 1), reborn, internal(2, 1)]))

    assert ["1:1", "1.1:1"] == [history.event(locate(history, name)) for name in ("1:1", "1.1:1")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2:5", "2:5: no such event in test; machine 2 has events 2:1 to 2:30, and next to it 2:3 and 2:7"),
        ("2:0", "2:0: no such event in test; machine 2 has events 2:1 to 2:30"),
        ("2:31", "2:31: no such event in test; machine 2 has events 2:1 to 2:30"),
        ("4:1", "4:1: nothing is called 4; there are the machines 1, 2, 3; the files events-1.jsonl, events-2.jsonl"),
        (
            "events-2.jsonl:1",
            "events-2.jsonl:1: no event begins in this line; the nearest: events-2.jsonl:2 (2:1)",
        ),
        ("events-2.jsonl:99", "events-2.jsonl:99: no event begins in this line; the nearest: events-2.jsonl:28 (2:30)"),
        ("events-7.jsonl:2", "events-7.jsonl:2: nothing is called events-7.jsonl; there are the machines"),
        ("\x1b[31m:2", "?[31m:2: nothing is called ?[31m"),
    ],
)
def test_an_event_that_is_not_there_is_answered_with_those_that_are(history: OwnHistory, text: str, says: str) -> None:
    """What, where, what to do, in one line: exit 66."""
    with pytest.raises(NoInputError) as caught:
        locate(history, text)

    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "2", "2:", ":41", "2:x", "2:-1", "2:4.1", "2:٤", "2:" + "9" * 19, "2-41"])
def test_what_is_no_name_is_answered_with_two_that_are(history: OwnHistory, text: str) -> None:
    """Exit 64; the examples are of this very run."""
    with pytest.raises(UsageError) as caught:
        locate(history, text)

    assert str(caught.value).startswith(f"{text or repr(text)}: an event is ")
    event, place = (words.split()[-1] for words in str(caught.value).rsplit(", or ", 1))
    assert locate(history, event) == locate(history, place) == len(history) - 1
