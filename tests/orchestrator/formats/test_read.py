"""What reading says of a format that does not fit its logs, and which of the formats that come with us fits."""

from pathlib import Path

import pytest

from node.errors import NoInputError, NoLogError
from orchestrator.audit.check import check, known
from orchestrator.audit.delivery import Delivery
from orchestrator.formats import read_logs
from orchestrator.formats.sources import Source
from tests.orchestrator.formats.reading import trace_of, traces_of, written

LINES = "1 internal\n2 send\n"
LAYOUT = "record: '^(?<clock>\\d+) (?<kind>\\w+)$'\n"


def test_a_pattern_of_files_that_names_no_file_is_remarked_on(tmp_path: Path) -> None:
    """Every file is read then, and it is said."""
    trace = trace_of(tmp_path, LINES, LAYOUT + "files: 'node-(?<node>\\d+)\\.log$'\n", name="machine_1.log")

    assert len(trace) == 2
    assert any("in the name of no file, such as 'machine_1.log'" in remark for remark in trace.remarks)


def test_a_pattern_of_files_that_names_one_is_not(tmp_path: Path) -> None:
    """No remark, as all is well."""
    trace = trace_of(tmp_path, LINES, LAYOUT + "files: 'machine_(?<node>\\d+)\\.log$'\n", name="machine_1.log")

    assert trace.remarks == ()


def test_ignore_that_takes_every_line_is_named(tmp_path: Path) -> None:
    """The expression of the records is not what is wrong."""
    with pytest.raises(NoLogError, match="`ignore` of the format test takes every line"):
        trace_of(tmp_path, LINES, LAYOUT + "ignore: 'send|internal'\n")


def test_the_folder_that_was_given_is_to_be_guessed_and_not_its_first_file(tmp_path: Path) -> None:
    """A guess from one file alone says less."""
    logs = written(tmp_path / "logs", {"a.log": "one\n" * 9, "b.log": "two\n" * 9})

    with pytest.raises(NoLogError, match=f"check {logs} --guess"):
        read_logs([logs])


def test_an_error_without_a_number_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never `cannot be read: None`."""
    logs = written(tmp_path, {"a.log": LINES})

    def refuse(*_: object, **__: object) -> None:
        raise OSError("the drive is gone")

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(NoInputError, match=r"a\.log: cannot be read: the drive is gone"):
        _ = Source(logs / "a.log", "a.log").text


def test_a_plain_table_is_understood_unasked(tmp_path: Path) -> None:
    """No time and no name of an event is needed, only columns that are called as what they are."""
    logs = written(
        tmp_path,
        {
            "run.csv": "node,kind,clock,from,to,message\na,send,1,,b,m1\nb,receive,2,a,,m1\nb,internal,3,,,\n",
        },
    )
    (trace,) = read_logs([logs])

    assert trace.format_name == "table"
    assert trace.nodes == ("a", "b")
    assert trace.message.tolist() == [0, 0, -1]
    assert trace.sender.tolist() == [-1, 0, -1]


def test_a_run_of_ours_is_read_without_its_results(tmp_path: Path) -> None:
    """As logs of a stranger: only the event logs in it are some."""
    line = '{"event": "internal", "node": %d, "incarnation": 0, "index": 1, "tick": 0, "due_ns": 5, "wall": null, "clock": 1, "queue": 0}\n'
    files = {f"events-{node}.jsonl": line % node for node in (1, 2)} | {"results.json": '{"verdict": "valid"}\n'}
    logs = written(tmp_path, files)
    (trace,) = read_logs([logs], "scale-model")

    assert trace.files == ("events-1.jsonl", "events-2.jsonl")
    assert not any("results.json" in remark for remark in trace.remarks)


@pytest.mark.parametrize(("nodes", "count"), [("", 1), ("nodes: [b, a]\n", 0)])
def test_the_order_of_vectors_that_are_lists_is_said_where_nobody_gave_it(
    tmp_path: Path, nodes: str, count: int
) -> None:
    """It is that of the names, and may be wrong."""
    files = {"a.log": "[1, 0] internal\n", "b.log": "[0, 1] internal\n"}
    layout = "record: '^(?<clock>\\[.*\\]) (?<kind>\\w+)$'\nclock: vector\n" + nodes
    (trace,) = traces_of(tmp_path, files, layout)

    assert count == sum("taken for those of a, b, in this order" in remark for remark in trace.remarks)


@pytest.mark.parametrize(("kind", "left_over"), [("send-all", 1), ("send-some", None)])
def test_nobody_counts_what_is_left_of_sends_to_one_or_several(
    tmp_path: Path, kind: str, left_over: int | None
) -> None:
    """A send that may have gone to one alone leaves nothing over for the other; a send to all does."""
    files = {"a.log": "1 out\n", "b.log": "2 in a\n", "c.log": "1 work\n"}
    layout = f"record: '^(?<clock>\\d+) (?<event>.*)$'\nkinds: {{receive: '^in (?<from>\\w+)', {kind}: out, internal: work}}\n"
    (trace,) = traces_of(tmp_path, files, layout)
    delivery = Delivery(trace, known(trace).edges)

    assert left_over == delivery.left_over
    assert trace.may_be_some == (kind == "send-some")
    assert check(trace).verdict == "consistent"
    assert left_over is None or any("never received" in remark for remark in check(trace).remarks)


def test_a_send_to_some_that_names_them_is_to_those(tmp_path: Path) -> None:
    """Nothing is open where the recipients are said."""
    files = {"a.log": "1 out b c\n", "b.log": "2 in a\n", "c.log": "2 in a\n"}
    layout = (
        "record: '^(?<clock>\\d+) (?<event>.*)$'\nkinds: {receive: '^in (?<from>\\w+)', send-some: '^out (?<to>.*)'}\n"
    )
    (trace,) = traces_of(tmp_path, files, layout)

    assert not trace.may_be_some
    assert trace.possible_recipients(0) == (1, 2)
