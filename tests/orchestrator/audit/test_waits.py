"""Who waited for whom: against plain loops, and as a person would say it of small logs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.audit.offsets import Offset, offsets
from orchestrator.audit.store import ForeignTrace
from orchestrator.audit.waits import Early, Wait, early_receives, longest_waits
from orchestrator.trace.order import Edges
from tests.foreign_traces import foreign_trace

EVERYTHING = 1000


@st.composite
def records(draw: st.DrawFn) -> tuple[ForeignTrace, Edges]:
    """Draw events with times, and messages between them: as by clocks that are set wrong, or without any sense."""
    count = draw(st.integers(2, 14))
    row = st.integers(0, count - 1)
    node = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    pairs = draw(st.lists(st.tuples(row, row).filter(lambda ends: ends[0] != ends[1]), max_size=12, unique=True))
    if draw(st.booleans()):
        ahead = draw(st.lists(st.integers(0, 100), min_size=3, max_size=3))
        gaps = draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
        times = [100 + sum(gaps[: place + 1]) + ahead[host] for place, host in enumerate(node)]
        pairs = list({(min(ends), max(ends)) for ends in pairs})
    else:
        times = draw(st.lists(st.none() | st.integers(0, 50), min_size=count, max_size=count))
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    return foreign_trace(node, nodes=3, times_ns=times), Edges(columns[:, 0], columns[:, 1])


def messages(trace: ForeignTrace, edges: Edges) -> list[tuple[int, int]]:
    """Return the messages between hosts of which both times are known."""
    pairs = zip(edges.cause.tolist(), edges.effect.tolist(), strict=True)
    is_known = [bool(time >= 0) for time in trace.time_ns]
    return [(a, b) for a, b in pairs if trace.node[a] != trace.node[b] and is_known[a] and is_known[b]]


def shift(known: list[Offset], sender: int, recipient: int) -> tuple[int, int] | None:
    """Return what the recipient's clock shows more than the sender's, and how unsure that is."""
    for one in known:
        if one.middle_ns is not None and one.unsure_ns is not None and {one.a, one.b} == {sender, recipient}:
            return (one.middle_ns if one.a == sender else -one.middle_ns), one.unsure_ns
    return None


def all_waits(trace: ForeignTrace, edges: Edges, known: list[Offset]) -> list[Wait]:
    """Return, for each receive, the longest wait for one of its causes."""
    found: dict[int, Wait] = {}
    for cause, effect in messages(trace, edges):
        before = int(trace.before[effect])
        if before < 0 or trace.time_ns[before] < 0:
            continue
        began, ended, sent = (int(trace.time_ns[row]) for row in (before, effect, cause))
        compared = shift(known, int(trace.node[cause]), int(trace.node[effect]))
        for_sender = None if compared is None else max(0, min(sent + compared[0], ended) - began)
        wait = Wait(
            effect=effect,
            cause=cause,
            idle_ns=ended - began,
            for_sender_ns=for_sender,
            unsure_ns=None if compared is None else compared[1],
        )
        if wait.most_ns > 0 and (effect not in found or wait.most_ns > found[effect].most_ns):
            found[effect] = wait
    return sorted(found.values(), key=lambda wait: (-wait.most_ns, wait.effect))


def lengths(waits: list[Wait]) -> list[tuple[int, int]]:
    return [(wait.effect, wait.most_ns) for wait in waits]


@settings(max_examples=300)
@given(records())
def test_the_waits_are_those_of_plain_loops(drawn: tuple[ForeignTrace, Edges]) -> None:
    """A machine waited for a sender from its event before until the message was sent, but no longer than it waited."""
    trace, edges = drawn
    known = offsets(trace, edges)
    expected = all_waits(trace, edges, known)

    found = longest_waits(trace, edges, known, count=EVERYTHING)

    # Two causes may have kept a machine waiting equally long; either may be named.
    assert lengths(expected) == lengths(found)
    assert lengths(expected)[:2] == lengths(longest_waits(trace, edges, known, count=2))


@settings(max_examples=300)
@given(records())
def test_early_receives_are_those_of_plain_loops(drawn: tuple[ForeignTrace, Edges]) -> None:
    """By its own clock a host received a message before the sender, by its own, sent it."""
    trace, edges = drawn
    expected: dict[tuple[int, int], list[int]] = {}
    for cause, effect in messages(trace, edges):
        taken = int(trace.time_ns[effect] - trace.time_ns[cause])
        expected.setdefault((int(trace.node[cause]), int(trace.node[effect])), []).append(taken)

    found = early_receives(trace, edges)

    assert {
        (*link, len(taken), sum(one < 0 for one in taken), -min(taken))
        for link, taken in expected.items()
        if min(taken) < 0
    } == {(one.sender, one.recipient, one.messages, one.count, one.worst_ns) for one in found}
    assert [one.worst_ns for one in found] == sorted((one.worst_ns for one in found), reverse=True)


def server_and_client() -> tuple[ForeignTrace, Edges]:
    """Return a log in which b's clock is 1000 ahead; a asks, b thinks for 100, and the answer is 10 on its way.

    a:1 sends at 0, b:1 receives at 1010, b:2 answers at 1110, a:2 receives at 120; then once more, without thinking.
    """
    node = [0, 1, 1, 0, 0, 1, 1, 0]
    times = [0, 1010, 1110, 120, 200, 1210, 1210, 220]
    edges = Edges(np.array([0, 2, 4, 6]), np.array([1, 3, 5, 7]))
    return foreign_trace(node, times_ns=times), edges


def test_a_client_waits_for_its_server_and_then_for_the_network() -> None:
    """The clocks are compared by their offset; of 120 without an event a answer was not sent for 110, give or take."""
    trace, edges = server_and_client()
    (known,) = offsets(trace, edges)

    assert (known.least_ns, known.most_ns) == (989, 1011)
    assert longest_waits(trace, edges, [known], count=1) == [
        Wait(effect=3, cause=2, idle_ns=120, for_sender_ns=110, unsure_ns=11)
    ]


def test_a_message_that_waited_for_its_receiver_is_no_wait() -> None:
    """What was sent before the receiver's event before lay in its queue: nobody waited for the sender."""
    node = [0, 1, 1, 1, 0]
    trace = foreign_trace(node, times_ns=[0, 10, 20, 30, 40])
    edges = Edges(np.array([0, 3]), np.array([2, 4]))

    assert longest_waits(trace, edges, offsets(trace, edges)) == [
        Wait(effect=4, cause=3, idle_ns=40, for_sender_ns=25, unsure_ns=16)
    ]


def test_nobody_waits_longer_than_until_the_message_is_there() -> None:
    """Times that are cut may show a message as sent a unit after it came; the offset of these two clocks is 0."""
    trace = foreign_trace([1, 0, 1, 0], times_ns=[1, 10, 9, 8])
    edges = Edges(np.array([1, 2]), np.array([2, 3]))
    (known,) = offsets(trace, edges)

    assert (known.least_ns, known.most_ns) == (0, 0)
    assert longest_waits(trace, edges, [known]) == [Wait(effect=2, cause=1, idle_ns=8, for_sender_ns=8, unsure_ns=0)]


def test_what_cannot_be_compared_is_said_to_be_at_most() -> None:
    """With messages in one direction only, nobody knows when the message was sent by the receiver's clock."""
    trace = foreign_trace([0, 1, 1], times_ns=[5, 0, 30])
    edges = Edges(np.array([0]), np.array([2]))

    assert longest_waits(trace, edges, offsets(trace, edges)) == [
        Wait(effect=2, cause=0, idle_ns=30, for_sender_ns=None, unsure_ns=None)
    ]


def test_early_receives_are_counted_by_pair_with_the_worst() -> None:
    """The clock of a is 90 ahead of that of b, so that b seems to receive before a sends."""
    trace = foreign_trace([0, 1, 0, 1, 0, 1], times_ns=[100, 20, 200, 115, 300, 310])
    edges = Edges(np.array([0, 2, 4]), np.array([1, 3, 5]))

    assert early_receives(trace, edges) == [Early(sender=0, recipient=1, messages=3, count=2, worst=3, worst_ns=85)]


def test_a_log_without_times_has_neither() -> None:
    """Nothing is made of nothing."""
    trace, edges = foreign_trace([0, 1]), Edges(np.array([0]), np.array([1]))

    assert (early_receives(trace, edges), longest_waits(trace, edges, [])) == ([], [])
