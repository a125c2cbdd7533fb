"""Walks through the past of an event: fast ones against dumb ones on random runs."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.explain.history import History
from orchestrator.explain.past import Past, before, longest_chain
from orchestrator.trace import Trace
from tests.clusters import cluster
from tests.histories import history_of, is_just_before, simulated_history
from tests.orchestrator.trace.test_order import reached, traces


def fewest_messages(history: History, a: int, b: int) -> int | None:
    """Return over how few messages a way leads from one row to another, by trying every number in turn."""

    def is_earlier(row: int, end: int) -> bool:
        return history.number(row) < history.number(end)

    rows, messages = {b}, 0
    while True:
        rows |= {row for end in rows for row in history.events_of(history.machine(end)) if is_earlier(row, end)}
        if a in rows:
            return messages
        more = rows | {cause for row in rows for cause in history.causes(row)}
        if more == rows:
            return None
        rows, messages = more, messages + 1


@given(traces())
def test_the_past_is_all_from_which_a_path_leads_here(trace: Trace) -> None:
    """Program order and causes, any number of times; also in circles, where an event is never in its own past."""
    history, pairs = history_of(trace), reached(trace, [])
    pasts = [Past(history, end) for end in range(len(trace))]

    found = {(row, end) for end, past in enumerate(pasts) for row in range(len(trace)) if row in past}

    assert {(a, b) for a, b in pairs if a != b} == found


@given(traces(), st.data())
def test_a_way_has_the_fewest_messages(trace: Trace, data: st.DataObject) -> None:
    """Each event of a way is just before the next, and no way has fewer messages; also if it was sought alone."""
    history, pairs = history_of(trace), sorted((a, b) for a, b in reached(trace, []) if a != b)
    if not pairs:
        return
    a, b = data.draw(st.sampled_from(pairs))

    assert_shortest(history, a, b)


def test_a_way_has_the_fewest_messages_also_in_a_busy_run() -> None:
    """Where messages cross all the time, most ways have more than the fewest."""
    history = simulated_history(cluster(4, seconds=6, internal_probability=0.1, rates=(3, 8)))
    ends = range(len(history) - 12, len(history))
    pairs = [(a, b) for b in ends for a in range(0, len(history), 5) if a in Past(history, b)]

    assert len(pairs) > 100
    for a, b in pairs:
        assert_shortest(history, a, b)


def assert_shortest(history: History, a: int, b: int) -> None:
    """Assert that the way from one event to another is one, and has the fewest messages."""
    for past in (Past(history, b), Past(history, b, sought=a)):
        way = past.way_from(a)

        assert (way[0], way[-1]) == (a, b)
        assert all(is_just_before(history, earlier, later) for earlier, later in pairwise(way))
        assert fewest_messages(history, a, b) == sum(history.previous(later) != each for each, later in pairwise(way))


@given(traces())
def test_the_longest_chain_is_the_longest_of_all_chains(trace: Trace) -> None:
    """By trying them all; where events happened before themselves it is some chain, and it ends."""
    history = history_of(trace)
    has_circle = any(a == b for a, b in reached(trace, []))

    def length(row: int) -> int:
        return 1 + max(map(length, before(history, row)), default=0)

    for end in range(len(trace)):
        chain, is_open = longest_chain(history, end)

        assert not is_open
        assert chain[-1] == end
        assert len(set(chain)) == len(chain)
        assert all(is_just_before(history, earlier, later) for earlier, later in pairwise(chain))
        assert has_circle or length(end) == len(chain)


@given(st.integers(0, 10**6))
def test_in_a_correct_run_the_longest_chain_has_as_many_events_as_the_clock_says(seed: int) -> None:
    """Lamport's rule counts the longest chain of causes, and nothing else."""
    history = simulated_history(cluster(3, seed=seed, seconds=4))

    assert all(len(longest_chain(history, row)[0]) == history.clock(row) for row in range(len(history)))
