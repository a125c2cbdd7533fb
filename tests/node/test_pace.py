"""Promises: whether a tick may happen yet."""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.model import Pace
from node.pace import END_NS, Horizon, Promise, Waits, may_tick

law = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def horizon(delays_ns: Mapping[int, int], **promised_ns: int) -> Horizon:
    """Return what is known once senders have promised: horizon({2: 0}, _2=100)."""
    known = Horizon(delays_ns)
    for sender, due_ns in promised_ns.items():
        known.apply(int(sender[1:]), Promise(due_ns, 0), have=0)
    return known


def test_a_machine_without_senders_is_always_safe() -> None:
    """Nobody can surprise it."""
    alone = horizon({})

    assert (alone.is_safe(0), alone.is_safe(END_NS - 1), alone.holding_back(END_NS - 1)) == (True, True, [])


@pytest.mark.parametrize("due_ns", [-1, 0, 1])
def test_a_machine_starts_without_any_promise(due_ns: int) -> None:
    """Not even the very first tick is safe before every sender has spoken."""
    assert not horizon({2: 10**9}).is_safe(due_ns)


@pytest.mark.parametrize(("due_ns", "expected"), [(109, True), (110, True), (111, False)])
def test_a_tick_is_safe_up_to_the_promise_and_the_delay(due_ns: int, expected: bool) -> None:
    """promise + smallest delay >= t: what arrives at t is not seen by a tick at t."""
    assert horizon({2: 10}, _2=100).is_safe(due_ns) is expected


def test_every_sender_must_have_promised() -> None:
    """The slowest one decides; each with the delay of its own link."""
    known = horizon({2: 0, 3: 50}, _2=200)
    before = known.is_safe(1)
    known.apply(3, Promise(100, 0), have=0)

    assert (before, known.is_safe(150), known.is_safe(151)) == (False, True, False)


@pytest.mark.parametrize(("have", "expected"), [(4, False), (5, True), (6, True)])
def test_a_promise_is_applied_only_when_all_that_it_covers_is_here(have: int, expected: bool) -> None:
    """have >= seq; else a message before the promise could still come."""
    known = Horizon({2: 0})
    known.apply(2, Promise(100, 5), have=have)

    assert known.is_safe(100) is expected


def test_a_promise_that_came_too_early_may_come_again() -> None:
    """It is dropped, not remembered: the sender says it again behind its window."""
    known = Horizon({2: 0})
    known.apply(2, Promise(100, 5), have=4)
    known.apply(2, Promise(50, 4), have=4)
    known.apply(2, Promise(100, 5), have=5)

    assert (known.is_safe(100), known.is_safe(101)) == (True, False)


def test_a_smaller_promise_changes_nothing() -> None:
    """The largest one is kept."""
    known = horizon({2: 0}, _2=100)
    known.apply(2, Promise(50, 9), have=9)

    assert known.is_safe(100)


@law
@given(
    st.dictionaries(st.integers(1, 4), st.integers(0, 20), max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(-5, 60), st.integers(0, 3), st.integers(0, 3)), max_size=12),
    st.integers(-5, 90),
)
def test_safe_is_what_the_promises_say(
    delays_ns: dict[int, int], said: list[tuple[int, int, int, int]], due_ns: int
) -> None:
    """For every sender the largest applicable promise, plus its delay, reaches the tick; the others hold it back."""
    known, best_ns, senders = Horizon(delays_ns), dict[int, int](), list(delays_ns)
    for which, promised_ns, seq, have in said:
        if which < len(senders):
            sender = senders[which]
            known.apply(sender, Promise(promised_ns, seq), have=have)
            if have >= seq:
                best_ns[sender] = max(promised_ns, best_ns.get(sender, promised_ns))
    lacking = [sender for sender in senders if sender not in best_ns or best_ns[sender] + delays_ns[sender] < due_ns]

    assert known.holding_back(due_ns) == lacking
    assert known.is_safe(due_ns) == (not lacking)


def test_the_promise_of_an_end_is_safe_for_ever() -> None:
    """A machine after its last tick holds nobody back."""
    known = horizon({2: 0, 3: 0}, _2=END_NS, _3=END_NS)

    assert (known.is_safe(END_NS), known.holding_back(END_NS)) == (True, [])


def test_a_sender_has_ended_when_its_end_is_here_with_all_that_came_before() -> None:
    """Its stop record may be written only then: have = seq."""
    known = horizon({2: 0, 3: 0}, _3=100)
    known.apply(2, Promise(END_NS, 5), have=4)
    before = known.has_ended(2)
    known.apply(2, Promise(END_NS, 5), have=5)

    assert (before, known.has_ended(2), known.has_ended(3)) == (False, True, False)


def test_the_horizon_names_who_holds_a_tick_back() -> None:
    """Those who said nothing and those who said too little, by number."""
    known = horizon({2: 0, 3: 0, 4: 0, 5: 10}, _2=99, _4=100, _5=90)

    assert known.holding_back(100) == [2, 3]


SAFE, UNSAFE = horizon({2: 0}, _2=100), horizon({2: 0}, _2=99)


@pytest.mark.parametrize(
    ("pace", "now_ns", "known", "expected"),
    [
        ("free", 99, SAFE, False),
        ("free", 100, SAFE, True),
        ("free", 100, UNSAFE, True),
        ("exact", 99, SAFE, False),
        ("exact", 100, SAFE, True),
        ("exact", 100, UNSAFE, False),
        ("exact", 10**12, UNSAFE, False),
        ("fast", 0, SAFE, True),
        ("fast", 10**12, UNSAFE, False),
    ],
)
def test_a_pace_says_what_a_tick_waits_for(pace: Pace, now_ns: int, known: Horizon, expected: bool) -> None:
    """free: the wall clock; fast: the promises; exact: both."""
    assert may_tick(pace, 100, now_ns=now_ns, horizon=known) is expected


def test_only_ticks_that_had_to_wait_are_counted() -> None:
    """A tick that woke a little late has not waited for a promise."""
    waits = Waits()
    waits.go(5)
    for waited_ns in (30, 10):
        waits.wait()
        waits.wait()
        waits.go(waited_ns)
    waits.go(7)

    assert (waits.ticks, waits.total_ns, waits.max_ns) == (2, 40, 30)
