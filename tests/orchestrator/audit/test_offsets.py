"""The offsets of clocks: against a dumb search over all clocks, and against clusters whose clocks were set wrong."""

import asyncio
import json
from collections.abc import Iterator
from itertools import combinations, permutations, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.dice import below, between, roll
from node.model import SECOND_NS
from orchestrator.audit.offsets import Offset, offsets
from orchestrator.audit.store import ForeignTrace
from orchestrator.formats.read import read_logs
from orchestrator.labs.inprocess import run_in_process
from orchestrator.labs.live import run_live
from orchestrator.rundir import Run
from orchestrator.trace import Trace, read_trace
from orchestrator.trace.order import Edges
from orchestrator.trace.store import INTERNAL
from tests.clusters import cluster
from tests.foreign_traces import foreign_trace

TIME_MAX = 8
FAR = 40
"""Further than any bound that a few messages within TIME_MAX can give."""

Message = tuple[int, int, int, int]
"""Sender, when by its clock, recipient, when by its clock."""


def trace_of(messages: list[Message], *, hosts: int = 3, unit_ns: int = 1) -> tuple[ForeignTrace, Edges]:
    """Return a trace of two events a message."""
    node = [host for sender, _, recipient, _ in messages for host in (sender, recipient)]
    times = [time for _, sent, _, received in messages for time in (sent, received)]
    cause = np.arange(0, 2 * len(messages), 2)
    trace = foreign_trace(node, nodes=hosts, times_ns=times, unit_ns=unit_ns)
    return trace, Edges(cause, cause + 1)


@st.composite
def exchanges(draw: st.DrawFn) -> list[Message]:
    """Draw messages between three hosts, whose clocks mean nothing."""
    hosts = st.permutations(range(3))
    times = st.integers(0, TIME_MAX)
    count = draw(st.integers(0, 6))
    drawn = [(draw(hosts)[:2], draw(times), draw(times)) for _ in range(count)]
    return [(ends[0], sent, ends[1], received) for ends, sent, received in drawn]


def by_search(messages: list[Message]) -> dict[tuple[int, int], tuple[int | None, int | None]] | None:
    """Try every way to set three clocks: nothing is received before it was sent, times being cut to a unit of 1.

    Return the offset of every pair of which something is known; None if nothing fits.
    """
    clocks = np.array([(0, *others) for others in product(range(-FAR, FAR + 1), repeat=2)])
    for sender, sent, recipient, received in messages:
        clocks = clocks[clocks[:, recipient] - clocks[:, sender] <= received - sent + 1]
    if not len(clocks):
        return None
    found: dict[tuple[int, int], tuple[int | None, int | None]] = {}
    for a, b in combinations(range(3), 2):
        differences = clocks[:, b] - clocks[:, a]
        least, most = int(differences.min()), int(differences.max())
        limit = 2 * (TIME_MAX + 1)
        interval = (least if least >= -limit else None, most if most <= limit else None)
        if interval != (None, None):
            found[a, b] = interval
    return found


def named(trace: ForeignTrace, known: list[Offset]) -> dict[tuple[int, int], tuple[int | None, int | None]]:
    """Return the intervals by the numbers that the hosts had in the test."""
    number = {place: "abc".index(name) for place, name in enumerate(trace.nodes)}
    intervals: dict[tuple[int, int], tuple[int | None, int | None]] = {}
    for one in known:
        a, b = number[one.a], number[one.b]
        turned = (None if one.most_ns is None else -one.most_ns, None if one.least_ns is None else -one.least_ns)
        intervals[min(a, b), max(a, b)] = (one.least_ns, one.most_ns) if a < b else turned
    return intervals


@settings(max_examples=150, deadline=None)
@given(exchanges())
def test_an_interval_is_exactly_what_fits(messages: list[Message]) -> None:
    """An offset is possible iff all clocks can be set so that no message is received before it was sent."""
    trace, edges = trace_of(messages)
    known = offsets(trace, edges)
    expected = by_search(messages)

    assert any(one.is_contradicted for one in known) == (expected is None)
    if expected is not None:
        assert expected == named(trace, known)


def circles(messages: list[Message]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield every way through different hosts back to the first, and the most that a clock is ahead of itself by it."""
    most: dict[tuple[int, int], int] = {}
    for sender, sent, recipient, received in messages:
        most[sender, recipient] = min(received - sent + 1, most.get((sender, recipient), FAR))
    for length in (2, 3):
        for hosts in permutations(range(3), length):
            steps = list(zip(hosts, hosts[1:] + hosts[:1], strict=True))
            if all(step in most for step in steps):
                yield hosts, sum(most[step] for step in steps)


@given(exchanges())
def test_only_what_contradicts_itself_is_called_so(messages: list[Message]) -> None:
    """A pair is contradicted only on a way back to the first host by which its clock would be behind itself."""
    trace, edges = trace_of(messages)
    on_circle = {frozenset(pair) for hosts, most in circles(messages) if most < 0 for pair in combinations(hosts, 2)}
    directly = {frozenset(hosts) for hosts, most in circles(messages) if most < 0 and len(hosts) == 2}
    names = {
        frozenset("abc".index(trace.nodes[host]) for host in (one.a, one.b))
        for one in offsets(trace, edges)
        if one.is_contradicted
    }

    assert directly <= names <= on_circle


def test_an_empty_interval_is_shown_as_what_it_is() -> None:
    """A clock that was set between two messages leaves bounds that exclude one another; they are not hidden."""
    trace, edges = trace_of([(0, 100, 1, 110), (1, 210, 0, 150)], hosts=2)

    assert [Offset(a=0, b=1, least_ns=59, most_ns=11, sent=1, returned=1, is_contradicted=True)] == offsets(
        trace, edges
    )
    assert offsets(trace, edges)[0].middle_ns is None


def test_one_bad_pair_does_not_spoil_the_others() -> None:
    """What contradicts itself bounds nothing else: by way of c, the offset of a and b would be an interval."""
    good = [(0, 10, 2, 13), (2, 20, 0, 24), (1, 10, 2, 12), (2, 20, 1, 22)]
    trace, edges = trace_of([*good, (0, 100, 1, 0), (1, 100, 0, 0)])

    known = {(one.a, one.b): one for one in offsets(trace, edges)}

    assert [pair for pair, one in known.items() if one.is_contradicted] == [(0, 1)]
    assert (known[0, 2].least_ns, known[0, 2].most_ns) == (-5, 4)
    assert (known[0, 1].least_ns, known[0, 1].most_ns, known[0, 1].sent) == (99, -99, 1)


def test_where_too_much_contradicts_itself_nothing_is_said_to_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A circle a, b, c, each behind the one before, is taken away and the rest fits; but not if that takes for ever."""
    circle = [(0, 100, 1, 90), (1, 100, 2, 90), (2, 100, 0, 90)]
    trace, edges = trace_of([*circle, (0, 0, 3, 5), (3, 5, 0, 9)], hosts=4)

    def contradicted() -> list[tuple[int, int]]:
        return [(one.a, one.b) for one in offsets(trace, edges) if one.is_contradicted]

    assert contradicted() == [(0, 1), (0, 2), (1, 2)]
    monkeypatch.setattr("orchestrator.audit.offsets.ROUNDS_MAX", 1)
    assert contradicted() == [(0, 1), (0, 2), (0, 3), (1, 2)]


def test_of_too_many_hosts_the_busiest_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work grows with the cube of the hosts."""
    monkeypatch.setattr("orchestrator.audit.offsets.HOSTS_MAX", 2)
    trace, edges = trace_of([(0, 0, 1, 5), (1, 0, 2, 5), (2, 0, 1, 5)])

    assert [(one.a, one.b, one.sent, one.returned) for one in offsets(trace, edges)] == [(1, 2, 1, 1)]


def test_messages_in_one_direction_leave_one_side_open() -> None:
    """From a to b alone nobody knows how long they took."""
    trace, edges = trace_of([(0, 100, 1, 90), (0, 100, 1, 95)], hosts=2)
    (known,) = offsets(trace, edges)

    assert (known.least_ns, known.most_ns, known.sent, known.returned) == (None, -9, 2, 0)
    assert (known.middle_ns, known.unsure_ns) == (None, None)


def test_hosts_that_never_spoke_are_compared_by_way_of_others() -> None:
    """Offsets add up along a way; there are no messages between a and c."""
    trace, edges = trace_of([(0, 0, 1, 5), (1, 5, 0, 2), (1, 0, 2, 7), (2, 7, 1, 3)])
    known = {(one.a, one.b): one for one in offsets(trace, edges)}

    assert (known[0, 1].least_ns, known[0, 1].most_ns) == (2, 6)
    assert (known[1, 2].least_ns, known[1, 2].most_ns) == (3, 8)
    assert (known[0, 2].least_ns, known[0, 2].most_ns) == (5, 14)
    assert (known[0, 2].sent, known[0, 2].returned) == (0, 0)


def test_times_that_are_cut_widen_the_interval_by_their_unit() -> None:
    """The unit is the log's, or a host's own where all its times are whole seconds among others' milliseconds."""
    ms = 1_000_000
    trace, edges = trace_of([(0, 1001 * ms, 1, 1003 * ms), (1, 2005 * ms, 0, 2006 * ms)], hosts=2, unit_ns=ms)
    coarse, same = trace_of([(0, 1001 * ms, 1, 2000 * ms), (1, 3000 * ms, 0, 3001 * ms)], hosts=2, unit_ns=ms)

    assert [(one.least_ns, one.most_ns) for one in offsets(trace, edges)] == [(-2 * ms, 3 * ms)]
    assert [(one.least_ns, one.most_ns) for one in offsets(coarse, same)] == [(-1001 * ms, 1999 * ms)]


def test_without_times_nothing_is_known() -> None:
    """Nor without messages, and a message to oneself tells nothing."""
    edges = Edges(np.array([0]), np.array([1]))

    assert offsets(foreign_trace([0, 1]), edges) == []
    assert offsets(foreign_trace([0, 1], times_ns=[1, 2]), Edges(edges.cause[:0], edges.effect[:0])) == []
    assert offsets(foreign_trace([0, 0], times_ns=[1, 2]), edges) == []
    assert offsets(foreign_trace([0, 1], times_ns=[None, 2]), edges) == []


RUNS = 100
HOUR_NS = 3600 * SECOND_NS
WIDTH_NS_MAX = 100_000_000
FORMAT = """
layout: json
fields: {node: host, kind: what, message: id, time: at}
clock: none
time: s
"""


def run_clusters(directory: Path) -> None:
    """Run many small clusters in this process, side by side, each with its own seed."""

    async def everything() -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(RUNS):
                run = Run(directory / f"run-{number}")
                run.path.mkdir()
                machines = cluster(seed=number, seconds=0.5, rates=(150, 300))
                tasks.create_task(run_in_process(run, machines, name=f"run-{number}"))

    asyncio.run(everything())


def written(time_ns: int, digits: int, *, is_rounded: bool) -> str:
    """Return a time in seconds as a log shows it."""
    unit_ns = 10 ** (9 - digits)
    count = (time_ns + unit_ns // 2) // unit_ns if is_rounded else time_ns // unit_ns
    return f"{count // 10**digits}.{count % 10**digits:0{digits}}"


def write_shifted(trace: Trace, directory: Path, shift_ns: dict[int, int], *, digits: int, is_rounded: bool) -> None:
    """Write a run as somebody else's log, each host's clock set wrong by its shift."""
    directory.mkdir()
    for node, rows in trace.logs.items():
        lines = [
            {
                "host": f"host-{node}",
                "what": "receive" if trace.is_receive[row] else "internal" if trace.kind[row] == INTERNAL else "send",
                "id": str(trace.name(trace.cause_row[row] if trace.is_receive[row] else row)),
                "at": written(int(trace.wall[row]) + shift_ns[node], digits, is_rounded=is_rounded),
            }
            for row in rows.tolist()
        ]
        (directory / f"host-{node}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def edges_by_id(trace: ForeignTrace) -> Edges:
    send_of = {int(trace.message[row]): row for row in np.flatnonzero(trace.is_send).tolist()}
    effect = np.flatnonzero(trace.is_receive)
    return Edges(np.array([send_of[int(number)] for number in trace.message[effect]], np.int64), effect)


def widths_ns(ours: Trace, directory: Path, number: int) -> list[int]:
    """Set the clocks of a run wrong, read its logs as somebody else's, and return how wide the intervals are.

    Each of them holds the truth.
    """
    directory.mkdir()
    layout = directory / "wrong-clocks.format.yaml"
    layout.write_text(FORMAT)
    shift_ns = {node: between(roll(262, node, number, 1), -HOUR_NS, HOUR_NS) for node in ours.machines}
    digits, is_rounded = (9, 6, 3)[below(roll(262, 0, number, 2), 3)], bool(roll(262, 0, number, 3) & 1)
    write_shifted(ours, directory / "logs", shift_ns, digits=digits, is_rounded=is_rounded)
    (theirs,) = read_logs([directory / "logs"], str(layout))
    known = offsets(theirs, edges_by_id(theirs))
    widths = []
    for one in known:
        a, b = (int(theirs.nodes[host].removeprefix("host-")) for host in (one.a, one.b))
        assert one.least_ns is not None and one.most_ns is not None and not one.is_contradicted
        assert one.least_ns <= shift_ns[b] - shift_ns[a] <= one.most_ns
        widths.append(one.most_ns - one.least_ns)
    return widths


def test_the_interval_holds_the_truth_in_every_run(tmp_path: Path) -> None:
    """Of our own clusters, by real times, with clocks set wrong by known amounts: 100 of 100 runs."""
    run_clusters(tmp_path)
    runs = [read_trace(Run(tmp_path / f"run-{number}").event_logs()) for number in range(RUNS)]

    widths = [widths_ns(run, tmp_path / f"logs-{number}", number) for number, run in enumerate(runs)]

    assert [3] * RUNS == list(map(len, widths))
    assert max(map(max, widths)) < WIDTH_NS_MAX


@pytest.mark.live
def test_the_interval_holds_the_truth_of_real_processes(tmp_path: Path) -> None:
    """The same over TCP, where a message is on its way for as long as it takes."""
    run = Run(tmp_path / "run")
    run.path.mkdir()
    machines = cluster(seconds=1, rates=(150, 300))
    outcome = asyncio.run(run_live(run, machines, name="wrong-clocks", pace="free"))
    ours = read_trace(run.event_logs())

    widths = [widths_ns(ours, tmp_path / f"logs-{number}", number) for number in range(20)]

    assert outcome.failure is None
    assert [3] * 20 == list(map(len, widths))
    assert max(map(max, widths)) < WIDTH_NS_MAX
