"""What is told of the hosts' clocks, as a person reads it."""

from dataclasses import replace

import numpy as np
import pytest

from orchestrator.audit.hosts import PAIRS_MAX, duration_in_words, host_remarks, offset_in_words
from orchestrator.audit.offsets import Offset
from orchestrator.trace.order import Edges
from tests.foreign_traces import foreign_trace

MS = 1_000_000


def told(least_ns: int | None, most_ns: int | None, *, is_contradicted: bool = False) -> str:
    offset = Offset(a=0, b=1, least_ns=least_ns, most_ns=most_ns, sent=1, returned=2, is_contradicted=is_contradicted)
    return offset_in_words(foreign_trace([0, 1]), offset)


@pytest.mark.parametrize(
    ("least_ns", "most_ns", "words"),
    [
        (2 * MS, 3 * MS, "2 ms to 3 ms ahead of"),
        (0, 3 * MS, "up to 3 ms ahead of"),
        (-2 * MS, 3 * MS, "between 2 ms behind and 3 ms ahead of"),
        (-3 * MS, -2 * MS, "2 ms to 3 ms behind"),
        (-3 * MS, 0, "up to 3 ms behind"),
        (None, 3 * MS, "at most 3 ms ahead of"),
        (None, -3 * MS, "at least 3 ms behind"),
        (None, 0, "at least 0 ns behind"),
        (3 * MS, None, "at least 3 ms ahead of"),
        (-3 * MS, None, "at most 3 ms behind"),
        (0, None, "at least 0 ns ahead of"),
    ],
)
def test_an_interval_is_told_as_ahead_or_behind(least_ns: int | None, most_ns: int | None, words: str) -> None:
    """Nobody has to read a sign."""
    expected = f"the clock of b is {words} that of a (1 message from a to b, 2 back)"

    assert expected == told(least_ns, most_ns)


def test_a_contradiction_is_told_with_both_its_sides() -> None:
    """An empty interval means that a clock was set or drifts, or that the pairing is wrong; it is never hidden."""
    assert told(5 * MS, -3 * MS, is_contradicted=True) == (
        "the clocks of a and b have no constant offset: by the messages from a to b that of b is at least 3 ms behind "
        "the other, by those from b to a at least 5 ms ahead of; one was set or drifts, or messages are paired wrongly "
        "(1 message from a to b, 2 back)"
    )
    assert "does not fit what they and others sent" in told(-5 * MS, 3 * MS, is_contradicted=True)
    assert "does not fit what they and others sent" in told(None, 3 * MS, is_contradicted=True)


@pytest.mark.parametrize(
    ("time_ns", "words"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_000, "1 us"),
        (1_500_000, "1.5 ms"),
        (61_234_567_890, "61.235 s"),
        (10 * 1_000_000_000, "10 s"),
    ],
)
def test_a_duration_is_told_in_the_unit_that_suits_it(time_ns: int, words: str) -> None:
    """Three digits behind the point are enough for people."""
    assert words == duration_in_words(time_ns)


def test_the_remarks_are_of_early_receives_offsets_and_waits() -> None:
    """The clock of b is 90 ms behind; b waits for a, and a for b."""
    times = [time * MS for time in (100, 15, 20, 115, 300, 212)]
    trace = foreign_trace([0, 1, 1, 0, 0, 1], times_ns=times, unit_ns=MS)
    edges = Edges(np.array([0, 2, 4]), np.array([1, 3, 5]))

    early, offset, *waits = host_remarks(trace, edges)

    assert early == (
        "b received messages from a before they were sent, as their clocks go: 2 of 2; the worst by 88 ms, at b:3 "
        "(t.log:6)"
    )
    assert offset == "the clock of b is 87 ms to 96 ms behind that of a (2 messages from a to b, 1 back)"
    assert " ".join(waits) == (
        "b waited 188.5 ms for a before b:3 (t.log:6): a:3 (t.log:5) was sent only then, give or take 4.5 ms; of "
        "192 ms without an event 3.5 ms are the message's way and queue "
        "a waited 11.5 ms for b before a:2 (t.log:4): b:2 (t.log:3) was sent only then, give or take 4.5 ms; of 15 ms "
        "without an event 3.5 ms are the message's way and queue"
    )


def test_a_wait_that_cannot_be_split_is_told_as_a_whole() -> None:
    """Messages in one direction give no offset."""
    trace = foreign_trace([0, 1, 1], times_ns=[5 * MS, 0, 30 * MS], unit_ns=MS)

    assert host_remarks(trace, Edges(np.array([0]), np.array([2])))[1] == (
        "b did nothing for 30 ms before b:2 (t.log:3), which received a:1 (t.log:1); how long it waited for a cannot "
        "be told, for nobody knows the offset of their clocks"
    )


def test_of_many_pairs_the_first_are_told_and_the_others_counted() -> None:
    """What contradicts itself comes first, wherever it stands among the others."""
    hosts = 7
    pairs = [(a, b) for a in range(hosts) for b in range(a + 1, hosts)]
    node = [host for a, b in pairs for host in (a, b, b, a)]
    times = [time * MS for _ in pairs for time in (0, 5, 5, 10)]
    times[-3] = times[-2] - 500 * MS + 1
    trace = replace(
        foreign_trace([0] * len(node), times_ns=times, unit_ns=MS),
        node=np.array(node),
        nodes=tuple(f"h{host}" for host in range(hosts)),
    )
    cause = np.arange(0, len(node), 2)

    remarks = host_remarks(trace, Edges(cause, cause + 1))

    offsets_told = [one for one in remarks if one.startswith(("the clock of", "the clocks of"))]
    assert len(offsets_told) == PAIRS_MAX
    assert offsets_told[0].startswith("the clocks of h5 and h6 have no constant offset")
    assert f"{len(pairs) - PAIRS_MAX} more pairs of hosts have clocks of which something is known" in remarks


def test_names_that_others_chose_stay_on_one_line() -> None:
    """What stands in a log never moves a cursor."""
    trace = replace(foreign_trace([0, 1], times_ns=[5, 3]), nodes=("a\x1b[2J", "b\n"))
    remarks = host_remarks(trace, Edges(np.array([0]), np.array([1])))

    assert len(remarks) == 2
    assert all(one.isprintable() for one in remarks)


def test_a_log_without_times_tells_nothing_of_hosts() -> None:
    """Nothing is made of nothing."""
    assert host_remarks(foreign_trace([0, 1]), Edges(np.array([0]), np.array([1]))) == []
