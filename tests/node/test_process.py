"""A machine's whole behaviour, one rule of model section 2 a test."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.dice import CERTAIN, KIND, PEER, roll, threshold
from node.event import Delivery, Event, EventId, Message, MessageId
from node.model import SECOND_NS, Model, Network
from node.network import Link
from node.process import Process, Step
from node.window import Crash, Cut

law = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
slow_law = settings(law, max_examples=20)

SEEDS = st.integers(0, 2**63 - 1)
PROBABILITIES = st.floats(0, 1)

# Ten ticks a second, at 0, 100 ms, 200 ms, …
PERIOD_NS = 100_000_000
MODEL = Model(
    node=2,
    seed=262,
    rate_hz=10,
    phase_ns=0,
    internal_probability=1.0,
    duration_ns=SECOND_NS,
    peers=(1, 3, 4),
    senders=(1, 3, 4),
)


def process(**changes: Any) -> Process:
    """Return machine 2 of four; it ticks ten times a second and does nothing by itself."""
    return Process(replace(MODEL, **changes))


def message(arrival_ns: int, sender: int = 1, **changes: int) -> Message:
    """Return a message to machine 2."""
    fields = {"tick": 0, "copy": 0, "incarnation": 0, "index": 1, "stamp": 1, "number": 1}
    return Message(arrival_ns=arrival_ns, sender=sender, **{**fields, **changes})


def step_of_kind(kind: str, **changes: Any) -> Step:
    """Return the first step of this kind that a machine without internal events takes."""
    machine = process(internal_probability=0.0, duration_ns=10 * SECOND_NS, **changes)
    return next(step for step in iter(machine.tick, None) if step.event.kind == kind)


def all_events(machine: Process) -> list[Event]:
    """Return the events of a machine to which nobody sends anything."""
    return [machine.tick().event for _ in range(machine.model.tick_count)]


# Ticks.


@law
@given(st.integers(1, 60), st.integers(0, SECOND_NS - 1), st.integers(1, 2 * SECOND_NS), PROBABILITIES)
def test_a_machine_executes_every_tick_that_is_due_before_the_end(
    rate_hz: int, phase_ns: int, duration_ns: int, probability: float
) -> None:
    """Exactly the k with due < duration, in order, one event each, numbered from 1."""
    machine = process(rate_hz=rate_hz, phase_ns=phase_ns, duration_ns=duration_ns, internal_probability=probability)
    events = []
    while machine.next_tick is not None:
        events.append(machine.tick().event)
    ticks = [k for k in range(200) if phase_ns + k * 10**9 // rate_hz < duration_ns]

    assert [event.tick for event in events] == ticks
    assert [event.due_ns for event in events] == [phase_ns + k * 10**9 // rate_hz for k in ticks]
    assert [event.index for event in events] == list(range(1, len(ticks) + 1))


def test_a_machine_says_when_its_next_tick_is_due() -> None:
    """None after the last; a tick beyond it is a mistake of ours."""
    machine = process(duration_ns=PERIOD_NS + 1)
    due_ns = [machine.next_due_ns]
    machine.tick()
    due_ns.append(machine.next_due_ns)
    machine.tick()
    due_ns.append(machine.next_due_ns)

    assert due_ns == [0, PERIOD_NS, None]
    with pytest.raises(AssertionError, match="no tick is left"):
        machine.tick()


# The queue comes first.


@pytest.mark.parametrize(("arrival_ns", "kind"), [(PERIOD_NS - 1, "receive"), (PERIOD_NS, "internal")])
def test_a_tick_sees_only_what_arrived_before_it_was_due(arrival_ns: int, kind: str) -> None:
    """arrival < due, strictly: two ticks at one instant never see each other."""
    machine = process()
    machine.tick()
    machine.deliver(message(arrival_ns))

    assert machine.tick().event.kind == kind


def test_an_instant_later_the_message_is_seen() -> None:
    """A message that arrives at a tick's instant waits for the tick after it, and is not late."""
    machine = process()
    machine.deliver(message(PERIOD_NS))
    events = [machine.tick().event for _ in range(3)]

    assert [event.kind for event in events] == ["internal", "internal", "receive"]
    assert events[2].seen_ns is None


def test_a_machine_whose_queue_is_not_empty_receives() -> None:
    """Whatever the die says: also where it would always send."""
    machine = process(internal_probability=0.0)
    machine.deliver(message(-1, sender=1))
    machine.deliver(message(-1, sender=3))

    assert [machine.tick().event.kind for _ in range(2)] == ["receive", "receive"]
    assert machine.tick().event.kind.startswith("send-")


def test_a_tick_receives_one_message() -> None:
    """A tick is one event; the rest waits."""
    machine = process()
    for number in (1, 2, 3):
        machine.deliver(message(-1, number=number, tick=number, index=number))

    assert [machine.tick().event.number for _ in range(3)] == [1, 2, 3]


def test_messages_are_received_in_the_order_of_arrival_sender_tick_and_copy() -> None:
    """Model section 2, "Order"; not in the order in which their bytes came."""
    in_order = [
        message(-5, sender=4, tick=9, copy=1),
        message(-4, sender=1, tick=9, copy=1),
        message(-4, sender=3, tick=1, copy=1),
        message(-4, sender=3, tick=2, copy=0),
        message(-4, sender=3, tick=2, copy=1),
    ]
    machine = process()
    for each in reversed(in_order):
        machine.deliver(each)

    assert [machine.tick().event.cause for _ in in_order] == [each.name for each in in_order]


def test_the_queue_is_counted_after_the_take_and_without_what_is_on_its_way() -> None:
    """Messages that had arrived before this tick and still wait."""
    machine = process()
    for number, arrival_ns in enumerate((-1, -1, PERIOD_NS, 3 * PERIOD_NS), 1):
        machine.deliver(message(arrival_ns, number=number, tick=number))

    assert [machine.tick().event.queue for _ in range(5)] == [1, 0, 0, 0, 0]


def test_a_receive_says_what_it_received() -> None:
    """Its cause, its number on the link, the stamp it carried and when it arrived."""
    machine = process()
    machine.deliver(message(-7, sender=3, tick=5, copy=1, incarnation=2, index=4, stamp=9, number=6))

    assert machine.tick() == Step(
        Event(
            node=2,
            incarnation=0,
            index=1,
            tick=0,
            due_ns=0,
            kind="receive",
            clock=10,
            queue=0,
            cause=MessageId(3, 2, 4, 1),
            number=6,
            stamp=9,
            arrival_ns=-7,
        ),
        (),
    )


# The clock.


@pytest.mark.parametrize(("stamp", "clock"), [(1, 4), (3, 4), (9, 10)])
def test_a_receive_is_later_than_the_machine_and_than_the_stamp(stamp: int, clock: int) -> None:
    """L = max(L, t) + 1, here with L = 3."""
    machine = process()
    for _ in range(3):
        machine.tick()
    machine.deliver(message(2 * PERIOD_NS + 1, stamp=stamp))

    assert machine.tick().event.clock == clock


def test_a_stamp_is_merged_when_its_message_is_received_not_when_it_arrives() -> None:
    """A message that waits has no effect on the clock."""
    machine = process()
    machine.deliver(message(0, stamp=100))

    assert [machine.tick().event.clock for _ in range(3)] == [1, 101, 102]


@pytest.mark.parametrize(("clock", "carried"), [("lamport", 1), ("lamport-literal", 0), ("lamport-no-increment", 1)])
def test_a_message_carries_what_its_clock_rule_says(clock: str, carried: int) -> None:
    """By the rule, the send event's own timestamp, after the increment."""
    event, sent = process(internal_probability=0.0, clock=clock).tick()

    assert event.clock == 1
    assert {each.stamp for _, each in sent} == {carried}


def test_clock_and_names_begin_anew_with_an_incarnation() -> None:
    """L starts at 0, the index at 1; the incarnation is part of every name."""
    machine = Process(replace(MODEL, internal_probability=0.0), incarnation=3)
    event, sent = machine.tick()

    assert (event.incarnation, event.index, event.clock) == (3, 1, 1)
    assert {each.incarnation for _, each in sent} == {3}


# What a tick does by the die.


@law
@given(SEEDS, st.integers(0, 9), PROBABILITIES)
def test_a_tick_with_an_empty_queue_does_what_the_die_says(seed: int, tick: int, probability: float) -> None:
    """x < P is internal; the rest splits evenly into send-one, send-next and send-all."""
    x, p = roll(seed, 2, tick, KIND) >> 11, threshold(probability)
    expected = "internal" if x < p else ("send-one", "send-next", "send-all")[(x - p) * 3 // (CERTAIN - p)]

    assert all_events(process(seed=seed, internal_probability=probability))[tick].kind == expected


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (0, "internal"),
        (CERTAIN // 4 - 1, "internal"),
        (CERTAIN // 4, "send-one"),
        (CERTAIN // 2 - 1, "send-one"),
        (CERTAIN // 2, "send-next"),
        (3 * CERTAIN // 4 - 1, "send-next"),
        (3 * CERTAIN // 4, "send-all"),
        (CERTAIN - 1, "send-all"),
    ],
)
def test_the_die_is_split_at_exact_borders(monkeypatch: pytest.MonkeyPatch, x: int, kind: str) -> None:
    """At probability 1/4 each kind has exactly a quarter of the die."""
    monkeypatch.setattr("node.dice.Dice.roll", lambda *_: x << 11)

    assert process(internal_probability=0.25).tick().event.kind == kind


@pytest.mark.parametrize(("probability", "kinds"), [(1.0, {"internal"}), (0.0, {"send-one", "send-next", "send-all"})])
def test_what_is_certain_is_certain(probability: float, kinds: set[str]) -> None:
    """At 1 a machine never sends, at 0 it never does anything else."""
    machine = process(internal_probability=probability, duration_ns=20 * SECOND_NS)

    assert {event.kind for event in all_events(machine)} == kinds


def test_send_one_sends_to_the_peer_that_the_die_names() -> None:
    """The roll * n >> 64-th of the peers in order of id, by a die of its own."""
    events = all_events(process(internal_probability=0.0, duration_ns=20 * SECOND_NS))
    sends = [event for event in events if event.kind == "send-one"]

    assert {event.to[0].recipient for event in sends} == {1, 3, 4}
    assert [[each.recipient for each in event.to] for event in sends] == [
        [(1, 3, 4)[roll(262, 2, event.tick, PEER) * 3 >> 64]] for event in sends
    ]


@pytest.mark.parametrize(
    ("node", "peers", "expected"),
    [(2, (1, 3, 4), 3), (1, (2, 3, 4), 2), (3, (1, 2, 4), 4), (4, (1, 2, 3), 1), (3, (1, 2, 7, 9), 7), (3, (2,), 2)],
)
def test_send_next_sends_to_the_smallest_peer_above_and_wraps(node: int, peers: tuple[int, ...], expected: int) -> None:
    """The smallest peer id above mine, else the smallest of all."""
    _, sent = step_of_kind("send-next", node=node, peers=peers, senders=peers)

    assert [recipient for recipient, _ in sent] == [expected]


def test_a_broadcast_is_one_event_with_several_recipients() -> None:
    """One index, one increment, one stamp; a message for each peer in order of id."""
    event, sent = step_of_kind("send-all")

    assert [delivery.recipient for delivery in event.to] == [recipient for recipient, _ in sent] == [1, 3, 4]
    assert event.clock == event.index == event.tick + 1
    assert {each.stamp for _, each in sent} == {event.clock}
    assert {each.name for _, each in sent} == {MessageId(2, 0, event.index, 0)}


def test_a_machine_without_peers_treats_a_send_as_internal() -> None:
    """It has nobody to send to; the tick is still an event."""
    machine = process(peers=(), internal_probability=0.0)
    steps = [machine.tick() for _ in range(10)]

    assert [(step.event.kind, step.event.clock, step.sent) for step in steps] == [
        ("internal", tick + 1, ()) for tick in range(10)
    ]


def test_a_message_says_where_it_comes_from_and_when_it_arrives() -> None:
    """What a receiver needs for its order, its log and its clock, from the sender's channel."""
    machine = process(internal_probability=0.0, peers=(3,), network=Network(delay_ns=7))
    machine.tick()
    event, sent = machine.tick()

    assert event.to == (Delivery(recipient=3, number=2, arrival_ns=PERIOD_NS + 7, copy=0),)
    assert sent == (
        (
            3,
            Message(arrival_ns=PERIOD_NS + 7, sender=2, tick=1, copy=0, incarnation=0, index=2, stamp=2, number=2),
        ),
    )


@slow_law
@given(SEEDS, st.lists(st.integers(0, 19 * PERIOD_NS), max_size=8))
def test_the_dice_are_keyed_by_tick_not_by_event(seed: int, arrivals_ns: list[int]) -> None:
    """A tick that received instead of rolling shifts no later roll: the others do as in an undisturbed run."""
    model = {"seed": seed, "internal_probability": 0.5, "duration_ns": 2 * SECOND_NS}
    undisturbed = all_events(process(**model))
    disturbed = process(**model)
    for tick, arrival_ns in enumerate(arrivals_ns):
        disturbed.deliver(message(arrival_ns, tick=tick))

    for before, after in zip(undisturbed, all_events(disturbed), strict=True):
        if after.kind != "receive":
            assert (after.kind, [each.recipient for each in after.to]) == (
                before.kind,
                [each.recipient for each in before.to],
            )


def test_after_a_tick_that_does_not_exist_later_ticks_roll_as_in_the_undisturbed_twin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine that is down for some ticks has a hole in its ticks, none in its events, and the same dice."""
    model = {"internal_probability": 0.5, "duration_ns": 5 * SECOND_NS}
    twin = {event.tick: event for event in all_events(process(**model))}
    monkeypatch.setattr(Model, "next_tick", lambda self, after: {-1: 0, 0: 7}.get(after, after + 1))
    machine = process(**model)
    events = [machine.tick().event for _ in range(40)]

    assert [event.tick for event in events] == [0, *range(7, 46)]
    assert [event.index for event in events] == list(range(1, 41))
    assert [(event.kind, [each.recipient for each in event.to]) for event in events] == [
        (twin[event.tick].kind, [each.recipient for each in twin[event.tick].to]) for event in events
    ]


# Crashes.


def test_with_its_log_a_crashed_machine_goes_on_where_it_was() -> None:
    """In the model it is a pause: a hole in the ticks, none in events or clock."""
    machine = process(crashes=(Crash(from_ns=2 * PERIOD_NS, to_ns=5 * PERIOD_NS),))
    events = all_events(machine)

    assert [event.tick for event in events] == [0, 1, 5, 6, 7, 8, 9]
    assert [(event.incarnation, event.index, event.clock) for event in events] == [(0, n, n) for n in range(1, 8)]


def test_with_amnesia_a_machine_forgets_everything_but_its_queue() -> None:
    """A new incarnation: clock 0, index 1, link numbers 1; its queue comes back from its senders."""
    crash = Crash(from_ns=2 * PERIOD_NS, to_ns=5 * PERIOD_NS, amnesia=True)
    held = Cut(from_ns=0, to_ns=9 * PERIOD_NS, peers=(3,), messages="hold")
    machine = process(internal_probability=0.0, peers=(3,), crashes=(crash,), cuts=(held,))
    before = [machine.tick().event for _ in range(2)]
    machine.deliver(message(3 * PERIOD_NS, stamp=1))
    after = [machine.tick().event for _ in range(5)]

    assert [event.name for event in before] == [EventId(2, 0, 1), EventId(2, 0, 2)]
    assert [event.name for event in after] == [EventId(2, 1, index) for index in range(1, 6)]
    assert [(event.tick, event.kind, event.clock) for event in after[:2]] == [
        (5, "receive", 2),  # not 3, which is later than what it has forgotten
        (6, after[1].kind, 3),
    ]
    assert [delivery.number for event in (*before, *after) for delivery in event.to] == [1, 2, 1, 2, 3, 4]


def test_a_new_incarnation_sends_before_what_the_old_one_had_promised_to_arrive() -> None:
    """Empty FIFO maxima: the links of an incarnation are its own."""
    crash = Crash(from_ns=2 * PERIOD_NS, to_ns=5 * PERIOD_NS, amnesia=True)
    held = Cut(from_ns=0, to_ns=2 * PERIOD_NS, peers=(3,), messages="hold")
    late = Network(delay_ns=7 * PERIOD_NS)
    machine = process(internal_probability=0.0, peers=(3,), crashes=(crash,), cuts=(held,), network=late)
    arrivals_ns = [event.to[0].arrival_ns for event in all_events(machine)]

    assert arrivals_ns == [9 * PERIOD_NS, 9 * PERIOD_NS, *(tick * PERIOD_NS for tick in range(12, 17))]


def test_a_new_incarnation_begins_also_where_no_tick_fell_into_the_window() -> None:
    """From the first tick with due >= to, be it the very first of all."""
    crashes = (
        Crash(from_ns=PERIOD_NS + 1, to_ns=PERIOD_NS + 2, amnesia=True),
        Crash(from_ns=3 * PERIOD_NS - 5, to_ns=3 * PERIOD_NS, amnesia=True),
    )
    events = all_events(process(crashes=crashes))

    assert [event.incarnation for event in events] == [0, 0, 1, 2, 2, 2, 2, 2, 2, 2]
    assert [event.index for event in events] == [1, 2, 1, 1, 2, 3, 4, 5, 6, 7]


def test_a_message_names_the_incarnation_that_sent_it() -> None:
    """So that a receive never confuses two events of the same index."""
    crash = Crash(from_ns=PERIOD_NS, to_ns=2 * PERIOD_NS, amnesia=True)
    machine = process(internal_probability=0.0, peers=(3,), crashes=(crash,))
    sent = [message for _ in range(3) for _, message in machine.tick().sent]

    assert [(message.incarnation, message.index, message.number) for message in sent] == [
        (0, 1, 1),
        (1, 1, 1),
        (1, 2, 2),
    ]


def test_each_copy_of_a_message_is_sent_and_a_lost_one_is_not() -> None:
    """Two messages of one send, told apart by their copy; the event lists what is lost, too."""
    step = step_of_kind("send-all", network=Network(duplicate=1.0), links=(Link(peer=3, loss=1.0, duplicate=1.0),))

    assert [(to, message.copy, message.number) for to, message in step.sent] == [
        (1, 0, 1),
        (1, 1, 2),
        (4, 0, 1),
        (4, 1, 2),
    ]
    assert [(each.recipient, each.copy) for each in step.event.to if each.number is None] == [(3, 0), (3, 1)]


# Late.


def test_a_late_message_says_when_it_could_first_be_seen() -> None:
    """Its bytes missed a tick with arrival < due; `seen` is the due time of the tick after."""
    machine = process()
    machine.tick()
    machine.tick()
    machine.deliver(message(PERIOD_NS - 1))
    event = machine.tick().event

    assert (event.kind, event.arrival_ns, event.seen_ns) == ("receive", PERIOD_NS - 1, 2 * PERIOD_NS)


@pytest.mark.parametrize("arrival_ns", [PERIOD_NS, PERIOD_NS + 1])
def test_a_message_that_missed_no_tick_is_not_late(arrival_ns: int) -> None:
    """The tick at the instant of its arrival could not have seen it anyway."""
    machine = process()
    machine.tick()
    machine.tick()
    machine.deliver(message(arrival_ns))

    assert machine.tick().event.seen_ns is None


def test_before_the_first_tick_nothing_is_late() -> None:
    """No tick has missed it."""
    machine = process()
    machine.deliver(message(-5))

    assert machine.tick().event.seen_ns is None


def test_a_late_message_that_waits_keeps_the_instant_at_which_it_could_be_seen() -> None:
    """`seen` is not when it was received."""
    machine = process()
    machine.deliver(message(0, tick=1))
    machine.tick()
    machine.tick()
    machine.deliver(message(0, tick=2, index=2))
    machine.deliver(message(0, tick=3, index=3))

    assert [machine.tick().event.seen_ns for _ in range(2)] == [2 * PERIOD_NS, 2 * PERIOD_NS]


def test_what_was_never_received_is_known_at_the_end() -> None:
    """In the order in which it would be received, each late one with when it could be seen; beyond the run, its end."""
    machine = process(duration_ns=PERIOD_NS + 1)
    on_its_way, in_time, late = (
        message(5 * PERIOD_NS, tick=1),
        message(PERIOD_NS, tick=2),
        message(0, sender=3, index=2),
    )
    machine.tick()
    machine.deliver(on_its_way)
    machine.tick()
    machine.deliver(in_time)
    machine.deliver(late)

    assert machine.unreceived() == [(late, PERIOD_NS + 1), (in_time, None), (on_its_way, None)]
