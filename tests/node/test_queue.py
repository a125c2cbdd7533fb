"""The queue of a machine."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.event import Message
from node.queue import Queue

law = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def message(arrival_ns: int, sender: int = 2, tick: int = 0, copy: int = 0) -> Message:
    """Return a message at a place of the order."""
    return Message(
        arrival_ns=arrival_ns, sender=sender, tick=tick, copy=copy, incarnation=0, index=tick + 1, stamp=1, number=1
    )


# Few values, so that every part of a place decides in some example.
MESSAGES = st.builds(message, st.integers(0, 5), st.integers(2, 4), st.integers(0, 3), st.integers(0, 1))


def holding(*messages: Message) -> Queue:
    """Return a queue with these messages on their way."""
    queue = Queue()
    for each in messages:
        queue.put(each)
    return queue


@pytest.mark.parametrize(("due_ns", "waiting"), [(99, 0), (100, 0), (101, 1)])
def test_a_message_waits_only_once_a_tick_is_due_after_its_arrival(due_ns: int, waiting: int) -> None:
    """arrival < due, strictly: two ticks at one instant never see each other."""
    queue = holding(message(100))
    queue.advance(due_ns)

    assert len(queue) == waiting


def test_a_message_that_is_still_on_its_way_does_not_count() -> None:
    """The length is of those that wait; iteration has all."""
    queue = holding(message(100), message(300))
    queue.advance(200)

    assert (len(queue), [each.arrival_ns for each in queue]) == (1, [100, 300])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (message(1, sender=3, tick=9, copy=1), message(2, sender=2, tick=0, copy=0)),
        (message(1, sender=2, tick=9, copy=1), message(1, sender=3, tick=0, copy=0)),
        (message(1, sender=2, tick=0, copy=1), message(1, sender=2, tick=1, copy=0)),
        (message(1, sender=2, tick=0, copy=0), message(1, sender=2, tick=0, copy=1)),
    ],
    ids=["arrival", "sender", "tick", "copy"],
)
def test_messages_are_taken_by_arrival_then_sender_then_tick_then_copy(first: Message, second: Message) -> None:
    """Model section 2, "Order"."""
    queue = holding(second, first)
    queue.advance(10)

    assert [queue.take(), queue.take()] == [first, second]


def test_a_message_that_comes_late_is_taken_before_those_that_arrived_after_it() -> None:
    """The order is that of arrivals, not of deliveries."""
    queue = holding(message(20))
    queue.advance(100)
    queue.put(message(10))
    queue.advance(100)

    assert [queue.take().arrival_ns, queue.take().arrival_ns] == [10, 20]


@law
@given(st.lists(st.one_of(st.lists(MESSAGES, min_size=1, max_size=4), st.integers(0, 6), st.just("take")), max_size=30))
def test_a_queue_is_a_sorted_list_of_what_has_arrived(steps: list[list[Message] | int | str]) -> None:
    """Whatever the order of puts, takes and advances, nothing is dropped, doubled or reordered."""
    queue, everything, now_ns = Queue(), list[Message](), 0
    for step in steps:
        if isinstance(step, list):
            # No two messages have the same place.
            fresh = {each.place: each for each in step if each not in everything}.values()
            everything += fresh
            for each in fresh:
                queue.put(each)
        elif isinstance(step, int):
            now_ns = max(now_ns, step)
        queue.advance(now_ns)
        waiting = sorted((each for each in everything if each.arrival_ns < now_ns), key=lambda each: each.place)
        assert len(queue) == len(waiting)
        if step == "take" and waiting:
            everything.remove(waiting[0])
            assert queue.take() == waiting[0]
        assert list(queue) == sorted(everything, key=lambda each: each.place)
