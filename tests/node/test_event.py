"""The names of events and messages."""

from dataclasses import FrozenInstanceError

import pytest

from node.event import Delivery, Event, EventId, Message, MessageId


def message(**changes: int) -> Message:
    """Return a message in which every field has a value of its own."""
    fields = {"arrival_ns": 50, "sender": 2, "tick": 7, "copy": 1, "incarnation": 3, "index": 5, "stamp": 11}
    return Message(**{**fields, "number": 13, **changes})


@pytest.mark.parametrize(
    ("name", "expected"), [(EventId(2, 0, 41), "2:41"), (EventId(2, 1, 41), "2.1:41"), (EventId(12, 10, 1), "12.10:1")]
)
def test_an_event_is_written_with_its_incarnation_only_if_that_is_not_0(name: EventId, expected: str) -> None:
    """Model section 2, "Names"."""
    assert str(name) == expected


def test_names_are_ordered_by_node_then_incarnation_then_index() -> None:
    """Sorting names gives each machine's events in its own order."""
    names = [EventId(1, 0, 2), EventId(1, 0, 10), EventId(1, 1, 1), EventId(2, 0, 1)]
    shuffled = [names[each] for each in (2, 0, 3, 1)]

    assert sorted(shuffled) == names


def test_an_event_carries_its_name() -> None:
    """An event is (node, incarnation, index)."""
    event = Event(node=2, incarnation=1, index=41, tick=99, due_ns=5, kind="internal", clock=3, queue=0)

    assert event.name == EventId(2, 1, 41)


def test_a_message_is_named_by_its_send_event_and_its_copy() -> None:
    """Not by its number, which belongs to a link."""
    assert message().name == MessageId(2, 3, 5, 1)
    assert message().name.send == EventId(2, 3, 5)


def test_a_broadcast_gives_every_recipient_a_message_of_the_same_name() -> None:
    """One send event has one name, however many links it uses."""
    assert message(number=13).name == message(number=99).name


def test_a_message_has_its_place_by_arrival_sender_tick_and_copy() -> None:
    """Model section 2: the order of a queue."""
    assert message().place == (50, 2, 7, 1)


def test_a_lost_message_has_neither_number_nor_arrival() -> None:
    """It stands in the send's line, and never reaches the wire."""
    assert [*Delivery(3, None, None, 1)] == [3, None, None, 1]


@pytest.mark.parametrize("thing", [message(), EventId(1, 0, 1), MessageId(1, 0, 1)])
def test_nobody_changes_what_has_happened(thing: object) -> None:
    """Events, messages and names are frozen."""
    with pytest.raises(FrozenInstanceError):
        thing.index = 9  # type: ignore[attr-defined]
