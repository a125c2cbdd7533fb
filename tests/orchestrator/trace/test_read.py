"""Logs read from disk: the same trace as in memory, and damage never passes for a proof."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.errors import NoInputError, NoLogError
from node.event import Event
from orchestrator.trace import Messages, Trace, check, compare, measure, read_trace, trace_of
from tests.clusters import cluster
from tests.logs_on_disk import rewrite, simulated_run, write_logs

SMALL = cluster(2, seconds=2, internal_probability=0.2, rates=(3, 4), delay_ms=100)


def columns(trace: Trace) -> dict[str, list[int]]:
    tables = (trace, trace.messages)
    named = ((table, one.name) for table in tables for one in fields(Trace if table is trace else Messages))
    found = ((name, getattr(table, name)) for table, name in named)
    return {name: column.tolist() for name, column in found if isinstance(column, np.ndarray) and name != "line"}


def test_a_log_on_disk_gives_the_columns_of_the_run_in_memory(tmp_path: Path) -> None:
    """The log is the run: nothing that a check needs is lost on the way."""
    events, stops = simulated_run(SMALL)

    trace = read_trace(write_logs(tmp_path, SMALL, events=events, stops=stops))

    assert columns(trace_of(SMALL, events, stops)) == columns(trace)
    assert check(trace, trace_of(SMALL, events)).verdict == "valid"
    assert trace.damage == ()


def test_rows_are_ordered_by_due_time_and_node(tmp_path: Path) -> None:
    """The merged trace does not depend on the order of files or lines."""
    trace = read_trace(write_logs(tmp_path, cluster(4)))

    places = list(zip(trace.due_ns.tolist(), trace.node.tolist(), strict=True))
    assert places == sorted(places)


def test_nodes_with_epochs_of_their_own_are_one_run(tmp_path: Path) -> None:
    """Nodes started by hand count from different moments; a message has one arrival all the same."""
    later_ns = 300_000_000
    own = cluster(2, seconds=5, internal_probability=0.2, delay_ms=100)
    # Seen from the common epoch, the second machine is one whose every tick comes later.
    second = replace(own[2], phase_ns=own[2].phase_ns + later_ns, duration_ns=own[2].duration_ns + later_ns)
    events, stops = simulated_run({1: own[1], 2: second})
    logs = write_logs(tmp_path, own, events=[in_own_time(event, later_ns) for event in events], stops=stops)
    shift_own_times(logs[2], later_ns)

    trace = read_trace(logs)

    assert trace.machines[2].shift_ns == later_ns
    assert columns(trace_of({1: own[1], 2: second}, events)) == columns(trace)
    assert check(trace).verdict == "valid"
    # Agreement compares what each machine itself wrote.
    assert compare(trace, trace_of(own, [in_own_time(event, later_ns) for event in events])).fidelity == 1.0


def in_own_time(event: Event, later_ns: int) -> Event:
    if event.node == 1:
        return event
    arrival_ns = None if event.arrival_ns is None else event.arrival_ns - later_ns
    to = tuple(one._replace(arrival_ns=one.arrival_ns - later_ns) for one in event.to if one.arrival_ns is not None)
    return replace(event, due_ns=event.due_ns - later_ns, arrival_ns=arrival_ns, to=to)


def shift_own_times(path: Path, later_ns: int) -> None:
    rewrite(path, lambda lines: [lines[0].replace(b'"epoch_ns":0', b'"epoch_ns":%d' % later_ns), *lines[1:]])


@pytest.mark.parametrize("damage", ["deleted", "doubled", "swapped"])
@pytest.mark.parametrize("node", [1, 2])
def test_no_damaged_line_goes_unnoticed(tmp_path: Path, node: int, damage: str) -> None:
    """Whatever line is deleted, doubled or swapped with the next, the run is never valid."""
    events, stops = simulated_run(SMALL)
    logs = write_logs(tmp_path, SMALL, events=events, stops=stops)
    twin, intact = trace_of(SMALL, events), logs[node].read_bytes().splitlines(keepends=True)
    for number in range(len(intact)):
        a, line, b = intact[:number], intact[number : number + 1], intact[number + 1 :]
        damaged = {"deleted": a + b, "doubled": a + line * 2 + b, "swapped": a + b[:1] + line + b[1:]}[damage]
        if damaged == intact:
            continue
        logs[node].write_bytes(b"".join(damaged))

        for other in (twin, None):
            assert check(read_trace(logs), other).verdict in ("unknown", "violated"), (number, damaged)


def test_a_doubled_event_is_two_events_at_one_tick(tmp_path: Path) -> None:
    """A second event of one name is named as that, and not by what would follow from it."""
    logs = write_logs(tmp_path, SMALL)
    intact = logs[1].read_bytes().splitlines(keepends=True)
    for number in range(1, len(intact) - 2):
        logs[1].write_bytes(b"".join([*intact[:number], intact[number], *intact[number:]]))

        first = check(read_trace(logs)).first_violated

        assert first is not None
        assert first.name == "one-event-per-tick"


@given(st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_no_bytes_end_in_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    """A log cut or changed anywhere is read, or refused as no log; and what is cut is never valid."""
    logs = write_logs(directory_in(tmp_path), SMALL)
    intact = logs[1].read_bytes()
    at = data.draw(st.integers(0, len(intact) - 1))
    kind = data.draw(st.sampled_from(["cut", "flip", "insert"]))
    junk = data.draw(st.binary(min_size=1, max_size=20))
    flipped = bytes([intact[at] ^ (1 << data.draw(st.integers(0, 7)))])
    damaged = {
        "cut": intact[:at],
        "flip": intact[:at] + flipped + intact[at + 1 :],
        "insert": intact[:at] + junk + intact[at:],
    }
    logs[1].write_bytes(damaged[kind])

    report = check(read_trace(logs))

    assert report.verdict != "valid" or kind != "cut"
    assert all("\n" not in remark for remark in report.remarks)


def test_the_model_of_another_machine_says_nothing(tmp_path: Path) -> None:
    """One bit of a start line is enough: then nobody knows which ticks this machine has."""
    logs = write_logs(tmp_path, SMALL)
    rewrite(logs[1], lambda lines: [lines[0].replace(b'"model":{"node":1,', b'"model":{"node":3,'), *lines[1:]])

    report = check(read_trace(logs))

    assert "unknown" == report.verdict
    assert any("the configuration in the start line" in remark for remark in report.remarks)


def directory_in(path: Path) -> Path:
    number = len(list(path.iterdir()))
    (path / str(number)).mkdir()
    return path / str(number)


@pytest.mark.parametrize(
    "junk", [b"\x00\xff\xfe" * 50, b"hello\n", b"\n", b"{}\n", "\u2028\n".encode(), b'{"event":"boot"}\n']
)
def test_a_file_without_one_line_of_ours_is_no_log(tmp_path: Path, junk: bytes) -> None:
    """Binary junk is refused in one line that names the file and what stands in it."""
    logs = write_logs(tmp_path, SMALL)
    logs[2].write_bytes(junk)

    with pytest.raises(NoLogError, match=r"events-2\.jsonl: not a log of ours: it starts with '") as error:
        read_trace(logs)

    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_no_input(tmp_path: Path) -> None:
    """An absent log is an error of whoever named it."""
    with pytest.raises(NoInputError, match="cannot read"):
        read_trace({1: tmp_path / "events-1.jsonl"})


@pytest.mark.parametrize("kept", [0, 1, 10, 200])
def test_a_log_cut_in_its_first_line_is_a_log(tmp_path: Path, kept: int) -> None:
    """An empty or torn log is damage, and the verdict unknown: it is not junk."""
    logs = write_logs(tmp_path, SMALL)
    logs[1].write_bytes(logs[1].read_bytes()[:kept])

    report = check(read_trace(logs))

    assert report.verdict == "unknown"
    said = "events-1.jsonl: the file is empty" if kept == 0 else "events-1.jsonl:1: the last line is cut short"
    assert report.remarks[0].startswith(said)


def test_a_line_that_cannot_be_read_makes_unknown_what_it_may_have_said(tmp_path: Path) -> None:
    """What an unreadable line held is not known, so that its absence proves nothing."""
    logs = write_logs(tmp_path, SMALL)
    intact = logs[1].read_bytes().splitlines(keepends=True)
    for number in range(1, len(intact) - 2):
        logs[1].write_bytes(b"".join([*intact[:number], b'{"event": "?"}\n', *intact[number + 1 :]]))

        report = check(read_trace(logs), trace_of(SMALL, *simulated_run(SMALL)))

        assert report.verdict == "unknown"
        assert report.remarks[0].startswith(f"events-1.jsonl:{number + 1}: ")


def test_many_unreadable_lines_are_counted(tmp_path: Path) -> None:
    """A report stays short, whatever the file holds."""
    logs = write_logs(tmp_path, SMALL)
    rewrite(logs[1], lambda lines: lines + [b"junk\n"] * 1000)

    damage = read_trace(logs).damage

    assert "events-1.jsonl: 997 more lines that are not this log's" in damage
    assert len(damage) == 4


def test_a_log_of_another_run_proves_nothing_about_this_one(tmp_path: Path) -> None:
    """It is set aside, and what it would have held is unknown."""
    logs = write_logs(tmp_path, cluster(3, seconds=4))
    rewrite(logs[3], lambda lines: [lines[0].replace(b'"run":"test"', b'"run":"other"'), *lines[1:]])

    report = check(read_trace(logs))

    assert report.verdict == "unknown"
    assert report.nodes == 2
    assert "events-3.jsonl: of the run 'other', not of 'test'; set aside" in report.remarks


def test_a_log_under_the_name_of_another_machine_is_damage(tmp_path: Path) -> None:
    """A machine's log speaks for that machine alone."""
    logs = write_logs(tmp_path, SMALL)

    report = check(read_trace({1: logs[1], 2: logs[1]}))

    assert report.verdict == "unknown"
    assert "events-1.jsonl:1: a line of machine 1 in the log of machine 2" in report.remarks


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"seed":262', b'"seed":263', "the one whose hash"),
        (b'"format_version":1', b'"format_version":9', "format 9"),
        (b'"model_version":1', b'"model_version":9', "version 9"),
    ],
)
def test_a_start_line_that_is_not_to_be_trusted_is_damage(tmp_path: Path, old: bytes, new: bytes, said: str) -> None:
    """Another configuration or version than this program's cannot be proved valid."""
    logs = write_logs(tmp_path, SMALL)
    rewrite(logs[1], lambda lines: [lines[0].replace(old, new), *lines[1:]])

    report = check(read_trace(logs))

    assert report.verdict in ("unknown", "violated")
    assert any(said in remark for remark in report.remarks)


def test_epochs_far_apart_are_not_compared(tmp_path: Path) -> None:
    """Times that cannot belong together are not subtracted; that is no proof of anything either."""
    logs = write_logs(tmp_path, SMALL)
    shift_own_times(logs[2], -(2**62))

    trace = read_trace(logs)

    assert not trace.is_timed
    assert check(trace).verdict == "unknown"
    assert measure(trace)["jump_mean"] is not None
