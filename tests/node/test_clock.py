"""Clock rules, and the mistakes that must be told from them."""

from heapq import heapify, heappop, heappush

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.clock import CLOCKS, Lamport, LamportLiteral, LamportNoIncrement, Sent
from node.event import Event, EventId
from node.model import CLOCK_NAMES, SECOND_NS, ClockName, Model
from node.process import Process

law = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SEEDS = st.integers(0, 2**63 - 1)
TIMES = st.integers(0, 2**53 - 1)
MISTAKES: tuple[ClockName, ...] = ("lamport-literal", "lamport-no-increment")


def run(clock: ClockName, seed: int) -> list[Event]:
    """Return the events of three machines over ten seconds, all alike except for their clocks."""
    processes = {
        node: Process(
            Model(
                node=node,
                seed=seed,
                rate_hz=2 * node,
                phase_ns=node,
                internal_probability=0.4,
                clock=clock,
                duration_ns=10 * SECOND_NS,
                peers=tuple(sorted({1, 2, 3} - {node})),
                senders=tuple(sorted({1, 2, 3} - {node})),
            )
        )
        for node in (1, 2, 3)
    }
    ticks = [(process.next_due_ns, node) for node, process in processes.items()]
    heapify(ticks)
    events = []
    while ticks:
        _, node = heappop(ticks)
        event, sent = processes[node].tick()
        events.append(event)
        for recipient, message in sent:
            processes[recipient].deliver(message)
        if processes[node].next_due_ns is not None:
            heappush(ticks, (processes[node].next_due_ns, node))
    return events


def steps(events: list[Event]) -> list[int]:
    """Return, for every receive, its clock minus the clock of its send."""
    clocks: dict[EventId, int] = {event.name: event.clock for event in events}
    return [event.clock - clocks[event.cause.send] for event in events if event.cause is not None]


@pytest.mark.parametrize(
    ("name", "internal", "send", "received"),
    [
        # Each from L = 5; the receives are of the stamps 3, 5 and 9.
        ("lamport", 6, (6, 6), [6, 6, 10]),
        ("lamport-literal", 6, (6, 5), [6, 6, 10]),
        ("lamport-no-increment", 6, (6, 6), [6, 6, 9]),
    ],
)
def test_the_rules_are_those_of_the_table(
    name: ClockName, internal: int, send: tuple[int, int], received: list[int]
) -> None:
    """Model section 2, the table of clock rules."""
    clock = CLOCKS[name]

    assert clock.internal(5) == internal
    assert clock.send(5) == Sent(recorded=send[0], carried=send[1])
    assert [clock.receive(5, stamp) for stamp in (3, 5, 9)] == received


def test_every_name_has_a_rule() -> None:
    """Whatever a configuration may name, a process can do."""
    assert tuple(CLOCKS) == CLOCK_NAMES


@pytest.mark.parametrize("name", CLOCK_NAMES)
@given(time=TIMES, stamp=TIMES)
@law
def test_every_rule_moves_its_own_machine_forward(name: ClockName, time: int, stamp: int) -> None:
    """Even a mistake is only about messages: a machine's own events rise (IR1)."""
    clock = CLOCKS[name]

    assert clock.internal(time) > time
    assert clock.send(time).recorded > time
    assert clock.receive(time, stamp) > time


@law
@given(TIMES, TIMES)
def test_a_receive_is_later_than_its_send_by_lamports_rule(sender_time: int, time: int) -> None:
    """IR2: C(send) < C(receive), whatever the two machines' times are."""
    sent = Lamport().send(sender_time)

    assert Lamport().receive(time, sent.carried) > sent.recorded


@law
@given(TIMES, st.integers(1, 2**53 - 1))
def test_the_two_mistakes_give_the_same_clocks(time: int, recorded: int) -> None:
    """Design trap 16: max(L, C-1)+1 = max(L+1, C) for the clock C of the send; only the stamp tells them apart."""
    literal, no_increment = LamportLiteral(), LamportNoIncrement()
    sent, sent_too = literal.send(recorded - 1), no_increment.send(recorded - 1)

    assert sent.recorded == sent_too.recorded == recorded
    assert literal.receive(time, sent.carried) == no_increment.receive(time, sent_too.carried)
    assert (sent.carried, sent_too.carried) == (recorded - 1, recorded)


@settings(law, max_examples=10)
@given(SEEDS)
def test_by_lamports_rule_no_receive_has_the_clock_of_its_send(seed: int) -> None:
    """The clock condition in a whole run: C(send) < C(receive) for every message."""
    differences = steps(run("lamport", seed))

    assert len(differences) > 0
    assert min(differences) >= 1


@pytest.mark.parametrize("clock", MISTAKES)
@given(seed=SEEDS)
@settings(law, max_examples=10)
def test_by_the_exercises_wording_some_receive_has_the_clock_of_its_send(clock: ClockName, seed: int) -> None:
    """Design trap 1: stamp, then increment, and C(receive) = C(send) happens; it never gets worse than equal."""
    assert min(steps(run(clock, seed))) == 0


@settings(law, max_examples=10)
@given(SEEDS)
def test_runs_of_the_two_mistakes_differ_in_their_stamps_only(seed: int) -> None:
    """Design trap 16, over a whole run: equal clocks everywhere, every stamp of the wording lower by one."""
    literal, no_increment = (run(clock, seed) for clock in MISTAKES)

    assert [(event.name, event.kind, event.clock) for event in literal] == [
        (event.name, event.kind, event.clock) for event in no_increment
    ]
    assert [event.stamp + 1 for event in literal if event.stamp is not None] == [
        event.stamp for event in no_increment if event.stamp is not None
    ]
