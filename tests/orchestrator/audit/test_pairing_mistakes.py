"""The mistakes that break what happened before what, planted in the shipped code: found where a log can show them.

The truth is what our own check finds in the same events, which name every message.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from random import Random
from typing import Any

import pytest

from node.clock import CLOCKS, LamportNoIncrement
from node.event import Event, Message
from node.process import Process
from orchestrator.audit.pairing import Pairing, pair
from orchestrator.trace import check, trace_of
from orchestrator.trace.findings import Check
from tests.clusters import cluster
from tests.foreign import foreign, too_early
from tests.logs_on_disk import simulated_run
from tests.mistakes import maximum_without_the_increment, stamp_before_the_increment

SEEDS = 60
WHOLE: Mapping[str, Mapping[str, Any]] = {
    "an index": {"has_times": False, "has_index": True},
    "a promise": {"has_times": False, "has_index": False, "is_complete": True},
}
"""How a log shows that no line is missing."""
HOLED: Mapping[str, Any] = {"has_times": False, "has_index": False}

Plant = Callable[[pytest.MonkeyPatch], None]


def increment_then_maximum(patch: pytest.MonkeyPatch) -> None:
    """Increment, then take the maximum, and forget that a receive comes after its send."""
    patch.setitem(CLOCKS, "lamport", LamportNoIncrement())


def message_received_twice(patch: pytest.MonkeyPatch) -> None:
    """Take in each fifth message of a link again, as if it had been sent again and nobody noticed."""
    deliver = Process.deliver

    def planted(self: Process, message: Message, *, was_here: bool = False) -> None:
        for _ in range(1 if message.number % 5 else 2):
            deliver(self, message, was_here=was_here)

    patch.setattr(Process, "deliver", planted)


def message_sent_by_nobody(patch: pytest.MonkeyPatch) -> None:
    """Take in a message that is made up beside each fifth of a link."""
    deliver = Process.deliver

    def planted(self: Process, message: Message, *, was_here: bool = False) -> None:
        deliver(self, message, was_here=was_here)
        if message.number % 5 == 0:
            deliver(self, replace(message, index=message.index + 1_000_000, copy=1), was_here=was_here)

    patch.setattr(Process, "deliver", planted)


OF_THE_CLOCK = (stamp_before_the_increment, maximum_without_the_increment, increment_then_maximum)
OF_THE_QUEUE = (message_received_twice, message_sent_by_nobody)


@contextmanager
def planted(mistake: Plant) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        mistake(patch)
        yield


Judged = tuple[int, list[Event], Mapping[str, int]]
"""A seed, the events of its run, and how often each law is broken in truth."""


@cache
def runs(mistake: Plant) -> tuple[Judged, ...]:
    """Return some clusters with a mistake; simulated and judged once, for all tests that look at them."""
    return tuple(run(mistake, seed) for seed in range(SEEDS))


def run(mistake: Plant, seed: int) -> Judged:
    random = Random(seed)
    machines = cluster(
        random.randint(2, 5),
        seed=seed,
        seconds=random.choice([4, 10, 20]),
        internal_probability=random.choice([0.0, 0.3, 0.7]),
        delay_ms=random.choice([0, 100, 500]),
    )
    with planted(mistake):
        events, stops = simulated_run(machines)
    laws = {law.name: law.violations or 0 for law in check(trace_of(machines, events, stops)).checks}

    assert laws["clock-condition"] == too_early(events)
    return seed, events, laws


def numbers(found: Pairing) -> tuple[int, int]:
    """Return how many violations of the clock condition, and of exactly-once, are proved; each is called one."""
    return proved(found.clock_condition), proved(found.exactly_once)


def proved(law: Check) -> int:
    assert (law.verdict == "violated") == bool(law.violations)
    return law.violations or 0


@pytest.mark.parametrize("mistake", OF_THE_CLOCK)
@pytest.mark.parametrize("names_recipients", [True, False])
def test_by_id_every_mistake_of_the_clock_is_counted(mistake: Plant, names_recipients: bool) -> None:
    """Exactly as often as it is there, whatever else a log says: missing lines undo nothing."""
    for seed, events, truth in runs(mistake):
        for logs in (*WHOLE.values(), HOLED):
            found = pair(foreign(events, grade="by-id", names_recipients=names_recipients, **logs))

            assert (seed, truth["clock-condition"], 0) == (seed, *numbers(found))


@pytest.mark.parametrize("mistake", OF_THE_CLOCK)
@pytest.mark.parametrize("whole", WHOLE)
def test_by_order_every_mistake_of_the_clock_is_counted(mistake: Plant, whole: str) -> None:
    """Where sends name their recipients and the log shows that no line is missing."""
    for seed, events, truth in runs(mistake):
        found = pair(foreign(events, grade="by-order", **WHOLE[whole]))

        assert (seed, truth["clock-condition"], 0) == (seed, *numbers(found))


@pytest.mark.parametrize("mistake", OF_THE_CLOCK)
@pytest.mark.parametrize("logs", [{"names_recipients": False, **WHOLE["an index"]}, HOLED, {"has_index": False}])
def test_by_order_a_mistake_of_the_clock_is_found_in_any_log(mistake: Plant, logs: Mapping[str, Any]) -> None:
    """Also where sends do not name their recipients, or lines may be missing; never more often than it is there."""
    for seed, events, truth in runs(mistake):
        early, once = numbers(pair(foreign(events, grade="by-order", **logs)))

        assert (seed, bool(truth["clock-condition"]), 0) == (seed, bool(early), once)
        assert early <= truth["clock-condition"]


@pytest.mark.parametrize("mistake", OF_THE_CLOCK)
@pytest.mark.parametrize("names_recipients", [True, False])
def test_by_stamp_and_by_counting_no_more_is_found_than_there_is(mistake: Plant, names_recipients: bool) -> None:
    """A receive that is not later than its own stamp is always found, unless the stamp itself is wrong."""
    for seed, events, truth in runs(mistake):
        for logs in (*WHOLE.values(), HOLED):
            of_a_kind = {"names_recipients": names_recipients, **logs}
            by_stamp, _ = numbers(pair(foreign(events, grade="by-stamp", **of_a_kind)))
            by_counting, once = numbers(pair(foreign(events, grade="by-counting", **of_a_kind)))

            assert (seed, 0) == (seed, once)
            assert by_counting <= truth["clock-condition"]
            assert by_stamp == (0 if mistake == stamp_before_the_increment else truth["clock-condition"])


@pytest.mark.parametrize("mistake", OF_THE_QUEUE)
def test_by_id_every_message_that_was_not_sent_is_counted(mistake: Plant) -> None:
    """Where no line is missing; where some may be a made-up message may have been sent, one that came twice was not."""
    for seed, events, truth in runs(mistake):
        whole = pair(foreign(events, grade="by-id", **WHOLE["a promise"]))
        holed = pair(foreign(events, grade="by-id", **HOLED))

        assert (seed, 0, truth["exactly-once"]) == (seed, *numbers(whole))
        assert numbers(holed) == numbers(whole) or (
            mistake == message_sent_by_nobody and numbers(holed) <= numbers(whole)
        )


@pytest.mark.parametrize("mistake", OF_THE_QUEUE)
@pytest.mark.parametrize("names_recipients", [True, False])
def test_by_order_a_message_with_a_stamp_is_received_once(mistake: Plant, names_recipients: bool) -> None:
    """One sender, one timestamp, one event: whatever lines are missing. The clock is not blamed for it."""
    for seed, events, truth in runs(mistake):
        found = pair(foreign(events, grade="by-order", has_stamps=True, names_recipients=names_recipients, **HOLED))

        assert (seed, 0, truth["exactly-once"]) == (seed, *numbers(found))


@pytest.mark.parametrize("mistake", OF_THE_QUEUE)
def test_by_order_without_stamps_what_was_not_sent_is_found_where_it_leaves_a_mark(mistake: Plant) -> None:
    """The next message of the link is taken for it: it is found if that was sent too late, or if there is none."""
    marked = 0
    for seed, events, truth in runs(mistake):
        early, once = numbers(pair(foreign(events, grade="by-order", **WHOLE["a promise"])))

        assert (seed, leaves_a_mark(events)) == (seed, bool(early or once))
        assert once <= truth["exactly-once"]
        marked += leaves_a_mark(events)

    assert marked > SEEDS * 2 / 3


def leaves_a_mark(events: list[Event]) -> bool:
    """Whether some receive is the n-th of its link, and the n-th message was sent no earlier, or never."""
    sent: dict[tuple[int, int], list[int]] = defaultdict(list)
    received: dict[tuple[int, int], list[int]] = defaultdict(list)
    for event in events:
        for delivery in event.to:
            sent[event.node, delivery.recipient].append(event.clock)
        if event.cause:
            received[event.cause.node, event.node].append(event.clock)
    return any(
        sending is None or receiving <= sending
        for link, clocks in received.items()
        for receiving, sending in zip_longest(clocks, sent[link][: len(clocks)])
    )


@pytest.mark.parametrize("mistake", OF_THE_QUEUE)
@pytest.mark.parametrize("grade", ["by-stamp", "by-counting"])
def test_no_more_is_found_to_be_sent_by_nobody_than_was(mistake: Plant, grade: Any) -> None:
    """By stamp the clock is never blamed; by counting some receive is too early, or has no send."""
    for seed, events, truth in runs(mistake):
        for logs in (*WHOLE.values(), HOLED):
            early, once = numbers(pair(foreign(events, grade=grade, **logs)))

            assert once <= truth["exactly-once"]
            assert (seed, early) == (seed, 0) or (grade == "by-counting" and truth["exactly-once"])
