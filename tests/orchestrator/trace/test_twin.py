"""Lateness: late messages excuse what they changed and nothing else, and never break a law."""

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.dice import roll
from node.event import Event, Message
from node.model import Model
from node.process import Process
from node.record import StopLine
from orchestrator.labs.logs import stop_record
from orchestrator.trace import Trace, check, compare, read_trace, trace_of
from orchestrator.trace.compare import differences
from orchestrator.trace.twin import late_messages, late_ticks, unexplained
from tests.clusters import cluster
from tests.logs_on_disk import rewrite, simulated_run, write_logs

SLOW_NS = 400_000_000


def late_run(machines: Mapping[int, Model], seed: int) -> tuple[list[Event], dict[int, StopLine]]:
    """Return a run at pace free whose bytes take their time, so that some messages miss ticks."""
    processes = {node: Process(model) for node, model in machines.items()}
    on_their_way: list[tuple[int, int, int, Message]] = []
    events: list[Event] = []
    last: dict[tuple[int, int], int] = {}
    for due_ns, node in ticks(machines):
        while on_their_way and on_their_way[0][0] < due_ns:
            _, _, recipient, message = heappop(on_their_way)
            processes[recipient].deliver(message)
        step = processes[node].tick()
        events.append(step.event)
        for recipient, message in step.sent:
            bytes_ns = roll(seed, node, message.tick, 99, recipient) * SLOW_NS >> 64
            # A connection keeps the order of its bytes.
            last[node, recipient] = max(last.get((node, recipient), 0), due_ns + bytes_ns)
            heappush(on_their_way, (last[node, recipient], len(events) * 10 + recipient, recipient, message))
    while on_their_way:
        _, _, recipient, message = heappop(on_their_way)
        processes[recipient].deliver(message)
    return events, {node: stop_record(process, None, None) for node, process in processes.items()}


def ticks(machines: Mapping[int, Model]) -> Iterator[tuple[int, int]]:
    return iter(sorted((m.due_ns(tick), node) for node, m in machines.items() for tick in range(m.tick_count)))


def read_free(directory: Path, machines: dict[int, Model], seed: int) -> Trace:
    events, stops = late_run(machines, seed)
    return read_trace(write_logs(directory, machines, events=events, stops=stops, pace="free"))


def test_late_messages_break_no_law_and_explain_every_difference(tmp_path_factory: pytest.TempPathFactory) -> None:
    """At pace free a run may differ from its simulation only where a late message could have mattered."""
    total = 0
    for seed in range(20):
        machines = cluster(4, seed=seed, seconds=5, internal_probability=0.4, delay_ms=50)
        trace = read_free(tmp_path_factory.mktemp("free"), machines, seed)
        twin = trace_of(machines, simulated_run(machines)[0])

        assert check(trace, twin).verdict == "valid"
        assert unexplained(trace, twin) == []
        late = late_messages(trace)
        assert (late == 0) <= (compare(trace, twin).fidelity == 1.0)
        total += late or 0
    assert total > 100


def test_a_difference_before_any_late_message_is_not_explained(tmp_path: Path) -> None:
    """Lateness is no excuse for what happened before it."""
    machines = cluster(3, seconds=5, internal_probability=0.4, delay_ms=50)
    trace = read_free(tmp_path, machines, 1)
    events, _ = simulated_run(machines)
    other = trace_of({**machines}, [*[event for event in events if event.index != 1]])

    assert late_messages(trace)
    assert len(unexplained(trace, other)) >= 3
    assert len(unexplained(trace, other)) < len(differences(trace, other))


def test_late_messages_are_counted_also_if_they_were_never_received(tmp_path: Path) -> None:
    """The stop record lists the late ones that no tick took."""
    machines = cluster(3, seconds=3, internal_probability=0.0, delay_ms=0, rates=(2, 6))
    events, stops = late_run(machines, 3)
    trace = read_trace(write_logs(tmp_path, machines, events=events, stops=stops, pace="free"))

    received = sum(event.seen_ns is not None for event in events)
    listed = sum(len(stop["late"]) for stop in stops.values())
    assert listed > 0
    assert late_messages(trace) == received + listed
    assert len(trace.late_unreceived) == listed


def test_without_a_stop_record_a_message_may_have_been_late(tmp_path: Path) -> None:
    """At pace free, what a killed machine never received may never have been seen: not a violation, and no proof."""
    machines = cluster(3, seconds=5, internal_probability=0.0)
    logs = write_logs(tmp_path, machines, pace="free")
    for log in logs.values():
        rewrite(log, lambda lines: lines[:-2])

    found = {one.name: one.verdict for one in check(read_trace(logs)).checks}

    assert found["queue-length"] == "unknown"
    assert found["queue-first"] != "violated"


def test_lateness_is_counted_only_against_a_wall_clock(tmp_path: Path) -> None:
    """At fast and in the simulation there is no clock to be late by."""
    machines = cluster(2, seconds=2)
    for name, pace in (("fast", "fast"), ("simulated", None)):
        (tmp_path / name).mkdir()
        trace = read_trace(write_logs(tmp_path / name, machines, pace=pace))  # type: ignore[arg-type]
        assert (late_messages(trace), late_ticks(trace)) == (None, None)


@given(st.integers(-2, 2))
@settings(deadline=None)
def test_a_tick_is_late_once_the_next_one_is_due(tmp_path_factory: pytest.TempPathFactory, after_ns: int) -> None:
    """Executed exactly when the next is due is in time, a nanosecond later is late."""
    machines = cluster(2, seconds=2)
    events, _ = simulated_run(machines)
    period = {node: [model.due_ns(tick + 1) for tick in range(100)] for node, model in machines.items()}

    trace = read_trace(
        write_logs(
            tmp_path_factory.mktemp("logs"),
            machines,
            pace="exact",
            wall=lambda event: period[event.node][event.tick] + after_ns,
        )
    )

    assert late_ticks(trace) == (len(events) if after_ns > 0 else 0)
