"""The laws in machine code on columns that a lab hands over: whole or piece by piece, on one core or on more."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from node.model import Model
from orchestrator.labs.kernel.handing import columns_of, pieces_of
from orchestrator.labs.kernel.record import Record
from orchestrator.labs.kernel.telling import stops_of, trace_of
from orchestrator.trace.check import CHECKS
from orchestrator.trace.proof.cluster import Cluster, cluster_of
from orchestrator.trace.proof.columns import Columns
from orchestrator.trace.proof.judge import Judging
from orchestrator.trace.proof.narrow import columns_of as columns_of_trace
from orchestrator.trace.proof.parcels import CRATE_PARCELS
from orchestrator.trace.proof.share import BLOCK
from tests.clusters import cluster
from tests.fault_mixes import EACH, half_a_second, machines_of
from tests.orchestrator.labs.kernel.test_kernel import record_of

ROOT = Path(__file__).parents[4]


def known(machines: Mapping[int, Model]) -> Cluster:
    """Return a cluster as columns."""
    found = cluster_of(machines)
    assert found is not None
    return found


def valid(
    record: Record,
    machines: Mapping[int, Model],
    pieces: Iterable[Columns],
    twin: Iterable[Columns] = (),
    *,
    workers: int = 1,
) -> frozenset[str]:
    """Return the laws that hold of the pieces of a run beside those of its twin."""
    judging = Judging(known(machines), workers=workers)
    for piece, other in zip_longest(pieces, twin):
        judging.go_on(piece, other)
    return judging.valid(stops_of(record, machines))


@pytest.mark.parametrize("name", EACH)
def test_a_lab_hands_over_the_columns_of_its_trace(name: str) -> None:
    """Nobody needs a trace to make them."""
    machines = half_a_second(name)
    record = record_of(machines)
    by_way_of_a_trace = columns_of_trace(replace(trace_of(record, machines)), known(machines))
    handed = columns_of(record)

    assert by_way_of_a_trace is not None
    for field in fields(Columns):
        if field.name == "message":
            is_receive = handed.kind == 4
            assert np.array_equal(by_way_of_a_trace.message[is_receive], handed.message[is_receive])
        elif field.name in ("incarnation", "index") and not by_way_of_a_trace.has_lives:
            continue
        else:
            assert np.array_equal(getattr(by_way_of_a_trace, field.name), getattr(handed, field.name)), field.name


@pytest.mark.parametrize("name", ["duplicates", "amnesia twice", "one link out of order", "slow-down"])
@pytest.mark.parametrize("events", [1, 7, 1000])
def test_a_run_is_judged_piece_by_piece(name: str, events: int) -> None:
    """What is known at the end of a piece is all that the next one needs."""
    machines = half_a_second(name)
    record = record_of(machines)
    pieces = list(pieces_of(record, events))

    assert set(CHECKS) == valid(record, machines, pieces, pieces)
    assert set(CHECKS) - {"equals-simulated"} == valid(record, machines, pieces)
    assert set(CHECKS) - {"equals-simulated"} == valid(record, machines, pieces, pieces[:-1])
    assert "one-event-per-tick" not in valid(record, machines, pieces[:-1], pieces[:-1])


@pytest.mark.parametrize("column", ["clock", "queue", "kind", "message", "tick", "number", "arrival_ns", "recipient"])
def test_parts_find_what_the_whole_does(column: str) -> None:
    """Machines are judged in parts, at the same time; a value changed anywhere leaves the same laws in doubt."""
    machines = cluster(7, seconds=2, rates=(2, 6), internal_probability=0.2)
    record = record_of(machines)
    whole = columns_of(record)
    for row in range(0, len(getattr(whole, column)), 11):
        values = getattr(whole, column).copy()
        values[row] += 1
        changed = replace(whole, **{column: values})
        found = [valid(record, machines, [changed], [whole], workers=workers) for workers in (1, 2, 5)]
        assert found[0] == found[1] == found[2]
        assert column == "message" or found[0] != set(CHECKS)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_block_is_compared_by_somebody(workers: int) -> None:
    """Whoever comes first does, and the other goes on."""
    machines = cluster(3, seconds=1000, rates=(1, 6), internal_probability=0.7)
    record = record_of(machines)
    columns = columns_of(record)
    assert len(columns) > 2 * BLOCK
    for row in range(0, len(columns), BLOCK):
        clock = columns.clock.copy()
        clock[row] += 1
        found = valid(record, machines, [columns], [replace(columns, clock=clock)], workers=workers)
        assert set(CHECKS) - {"equals-simulated"} == found, row


LONG_WAYS = {
    "arrives after thousands of ticks": {"uniform": ("0ms", "150s")},
    "mostly overtaken, now and then by hundreds": {"exponential": "20s"},
}


@pytest.mark.parametrize("fifo", [True, False])
@pytest.mark.parametrize("name", LONG_WAYS)
def test_messages_on_a_long_way_are_found(name: str, fifo: bool) -> None:
    """However many are on it, whatever the order that they come in, and however often there must be room for more."""
    fields = {"internal_probability": 0.1, "network": {"delay": LONG_WAYS[name], "fifo": fifo}, "duration": "250s"}
    machines = machines_of({"nodes": 3, "tick_rate": {"min": 20, "max": 60}, **fields})
    record = record_of(machines)
    pieces = list(pieces_of(record, 9_000))
    may_be_left = set() if fifo else {"in-order"}

    for workers in (1, 2):
        assert set(CHECKS) - may_be_left == valid(record, machines, pieces, pieces, workers=workers)


def test_a_message_that_overtakes_another_of_its_link_is_found() -> None:
    """Two receives of one machine change places, and both are of messages that had long been on their way."""
    machines = cluster(12, seconds=200, rates=(3, 9), internal_probability=0)
    record = record_of(machines)
    columns = columns_of(record)
    slowest = int(known(machines).rate_hz.argmin())
    receives = np.flatnonzero((columns.kind == 4) & (columns.machine == slowest))
    send = columns.send_row[columns.message[receives]]
    sender = columns.machine[send]
    first = len(receives) // 2
    behind = np.flatnonzero((send < receives[first]) & (sender == sender[first]))
    behind = behind[behind > first]
    assert behind[-1] - first > 2 * CRATE_PARCELS
    for later in (behind[0], behind[-1]):
        message = columns.message.copy()
        message[receives[[first, later]]] = message[receives[[later, first]]]
        found = valid(record, machines, [replace(columns, message=message)], [columns])

        assert not found & {"in-order", "queue-first", "queue-length", "equals-simulated"}
        assert {"exactly-once", "one-event-per-tick", "every-message-accounted"} <= found


def test_a_link_on_which_a_message_overtakes_keeps_no_order() -> None:
    """Whoever says that it does is told so by the arrivals, even if each machine takes first what arrived first."""
    fields = {"nodes": 3, "network": {"delay": {"uniform": ("0ms", "900ms")}, "fifo": False}, "duration": "9s"}
    record, ordered = record_of(machines_of(fields)), machines_of(fields | {"network": {"delay": "0ms"}})
    columns = columns_of(record)

    assert set(CHECKS) - {"in-order"} == valid(record, ordered, [columns], [columns])


@pytest.mark.parametrize("is_of_one_sender", [False, True])
def test_of_what_arrives_at_once_the_first_is_taken(is_of_one_sender: bool) -> None:
    """That is what the sender with the smaller number sent, and of that the original before its copy."""
    aligned = {"nodes": 4, "tick_rate": {"min": 2, "max": 2}, "phase": "aligned"}
    machines = machines_of(aligned | {"network": {"duplicate": 0.5}})
    record = record_of(machines)
    columns = columns_of(record)
    receives = np.flatnonzero((columns.kind == 4) & (columns.machine == 0))
    taken = columns.message[receives]
    arrival_ns, sender = columns.arrival_ns[taken], columns.machine[columns.send_row[taken]]
    is_tie = (np.diff(arrival_ns) == 0) & ((np.diff(sender.astype(np.int64)) == 0) == is_of_one_sender)
    first = int(np.flatnonzero(is_tie)[0])
    message = columns.message.copy()
    message[receives[[first, first + 1]]] = message[receives[[first + 1, first]]]
    found = valid(record, machines, [replace(columns, message=message)], [columns])

    assert not found & {"queue-first", "queue-length"}
    assert {"exactly-once", "every-message-accounted"} <= found


def test_of_what_arrives_at_once_the_first_is_not_left_to_the_end() -> None:
    """A machine whose last receive takes the second of two leaves the first in its queue."""
    aligned = {"nodes": 4, "tick_rate": {"min": 2, "max": 2}, "phase": "aligned", "internal_probability": 0}
    machines = machines_of(aligned | {"duration": "6s"})
    record = record_of(machines)
    columns = columns_of(record)
    receives = np.flatnonzero(columns.kind == 4)
    last = receives[columns.machine[receives] == 0][-1]
    taken = columns.message[last]
    is_left = ~np.isin(np.arange(len(columns.number)), columns.message[receives]) & (columns.recipient == 0)
    second = np.flatnonzero(is_left & (columns.arrival_ns == columns.arrival_ns[taken]))[0]
    message = columns.message.copy()
    message[last] = second
    found = valid(record, machines, [replace(columns, message=message)])

    assert "exactly-once" in found and not found & {"queue-first", "queue-length"}


def test_a_message_to_no_peer_leaves_everything_in_doubt() -> None:
    """Even if it was lost, and nobody misses it."""
    machines = half_a_second("loss")
    record = record_of(machines)
    columns = columns_of(record)
    is_alone = np.bincount(columns.send_row, minlength=len(columns))[columns.send_row] == 1
    lost = int(np.flatnonzero(is_alone & (columns.number == 0))[0])
    recipient = columns.recipient.copy()
    recipient[lost] = columns.machine[columns.send_row[lost]]

    assert not valid(record, machines, [replace(columns, recipient=recipient)])


@pytest.mark.parametrize("delay", ["499999999ns", "500ms"])
def test_what_arrives_just_before_a_tick_is_there(delay: str) -> None:
    """Before the last tick too, and what arrives when it is due comes too late."""
    aligned = {"nodes": 3, "tick_rate": {"min": 2, "max": 2}, "phase": "aligned"}
    machines = machines_of(aligned | {"internal_probability": 0, "network": {"delay": delay}, "duration": "9s"})
    record = record_of(machines)
    columns = columns_of(record)

    assert set(CHECKS) == valid(record, machines, [columns], [columns])


def test_no_message_is_taken_twice_wherever_it_was_found() -> None:
    """At the front of the list, or behind others that are still there."""
    machines = machines_of({"nodes": 3, "network": {"delay": {"exponential": "2s"}, "fifo": False}})
    record = record_of(machines)
    columns = columns_of(record)
    receives = np.flatnonzero((columns.kind == 4) & (columns.machine == 0))
    for earlier, later in pairwise(receives):
        message = columns.message.copy()
        message[later] = message[earlier]

        assert not valid(record, machines, [replace(columns, message=message)], [columns])


@pytest.mark.parametrize("other", ["taken before", "of another machine", "lost", "never sent"])
def test_a_receive_of_what_is_not_on_its_way_leaves_everything_in_doubt(other: str) -> None:
    """The plain checks say what it is."""
    machines = half_a_second("loss")
    record = record_of(machines)
    columns = columns_of(record)
    receives = np.flatnonzero((columns.kind == 4) & (columns.machine == 1))
    row, is_lost, to = receives[len(receives) // 2], columns.number == 0, columns.recipient
    is_before = columns.send_row < row
    message = {
        "taken before": columns.message[receives[0]],
        "of another machine": np.flatnonzero(is_before & ~is_lost & (to == 2))[0],
        "lost": np.flatnonzero(is_before & is_lost & (to == 1))[0],
        "never sent": len(to),
    }[other]
    messages = columns.message.copy()
    messages[row] = message

    assert valid(record, machines, [replace(columns, message=messages)], [columns]) == frozenset()


def test_a_receive_of_what_is_sent_later_leaves_everything_in_doubt() -> None:
    """Though nobody else receives it: nothing can be said of an order that goes round in a circle."""
    machines = cluster(12, seconds=20, rates=(3, 9), internal_probability=0)
    record = record_of(machines)
    columns = columns_of(record)
    row = np.flatnonzero((columns.kind == 4) & (columns.machine == 1))[-5]
    is_left = (record.receive_row < 0) & (columns.recipient == 1)
    messages = columns.message.copy()
    messages[row] = np.flatnonzero(is_left & (columns.send_row > row))[0]

    assert valid(record, machines, [replace(columns, message=messages)], [columns]) == frozenset()


def test_messages_of_one_name_leave_everything_in_doubt() -> None:
    """A send names each of its recipients once, and the copy behind."""
    machines = half_a_second("duplicates")
    record = record_of(machines)
    columns = columns_of(record)
    first = np.flatnonzero(np.diff(columns.copy.astype(int)) == 1)[0]
    copies = columns.copy.copy()
    copies[first + 1] = 0

    assert valid(record, machines, [replace(columns, copy=copies)], [columns]) == frozenset()


def test_a_number_that_nobody_received_is_looked_at() -> None:
    """The sender's own numbers have to rise, too."""
    machines = cluster(3, seconds=6, rates=(3, 9), internal_probability=0.2)
    record = record_of(machines)
    columns = columns_of(record)
    numbers = columns.number.copy()
    numbers[np.flatnonzero(record.receive_row < 0)[-1]] += 1

    assert set(CHECKS) - {"in-order"} == valid(record, machines, [replace(columns, number=numbers)], [columns])


def test_a_tick_twice_and_the_next_one_left_out_is_no_order() -> None:
    """Though there are as many events as there should be, and their indexes are right."""
    machines = half_a_second("amnesia")
    record = record_of(machines)
    columns = columns_of(record)
    first, second = np.flatnonzero(columns.machine == 0)[3:5]
    ticks = columns.tick.copy()
    ticks[second] = ticks[first]

    assert valid(record, machines, [replace(columns, tick=ticks)], [columns]) == frozenset()


def test_a_run_that_rests_for_years_is_not_counted_by_ticks() -> None:
    """It would take more room than there is; the plain checks have the word."""
    machines = {
        node: replace(model, duration_ns=10**15, pauses=half_a_second("pause")[2].pauses)
        for node, model in cluster(2, seconds=1).items()
    }
    sparse = replace(known(machines), events=np.zeros(2, np.int64))
    judging = Judging(sparse)
    judging.go_on(columns_of(record_of(cluster(2, seconds=1))), None)

    assert judging.valid({}) == frozenset()


LONG = """
import resource, sys
from tests.orchestrator.trace.proof.test_judge import check_from_disk
check_from_disk(int(sys.argv[1]), sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def check_from_disk(events: int, directory: str) -> None:
    """Judge so many events, read from disk a piece at a time, beside their twin."""
    machines = cluster(3, seconds=events / 14)
    record = record_of(machines)
    stops = stops_of(record, machines)
    for number, piece in enumerate(pieces_of(record, 1 << 21)):
        np.savez(Path(directory, f"{number:06}.npz"), **vars(piece))
    del record
    twin = record_of(machines)
    judging = Judging(known(machines))
    for path, other in zip(sorted(Path(directory).glob("*.npz")), pieces_of(twin, 1 << 21), strict=True):
        judging.go_on(_read(path), other)

    assert set(CHECKS) == judging.valid(stops)


def _read(path: Path) -> Columns:
    with np.load(path) as columns:
        names: Iterator[str] = (field.name for field in fields(Columns))
        return Columns(**{name: columns[name] for name in names})


def peak_bytes(events: int, directory: Path) -> int:
    """Return how much memory it takes, from the simulation to the verdict."""
    command: list[Any] = [sys.executable, "-c", LONG, str(events), str(directory)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.soak
def test_a_hundred_million_events_are_checked_within_six_gib(tmp_path: Path) -> None:
    """Beside their twin, and both simulated here (about two minutes, and 3 GB on the disk)."""
    assert peak_bytes(100_000_000, tmp_path) < 6 << 30
