"""The model's network as its sender sees it, one rule of model section 3 a test."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.channel import Channel
from node.dice import DELAY, DUPLICATE, LOSS, roll
from node.event import Delivery
from node.exponential import TABLE
from node.model import SECOND_NS, Model, Network
from node.network import Exponential, Link, Uniform, delay_ns_min
from node.window import Cut, Fate

law = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SEED = 262
MODEL: dict[str, Any] = {
    "node": 1,
    "seed": SEED,
    "rate_hz": 6,
    "phase_ns": 0,
    "internal_probability": 0.0,
    "duration_ns": SECOND_NS,
    "peers": (2, 3),
    "senders": (2, 3),
}
DRAWN = Uniform(least_ns=5, most_ns=300)


def channel(*, links: tuple[Link, ...] = (), cuts: tuple[Cut, ...] = (), **network: Any) -> Channel:
    """Return the links of machine 1 to machines 2 and 3."""
    return Channel(Model(**MODEL, network=Network(**network), links=links, cuts=cuts))


def cut(from_ns: int, to_ns: int, messages: Fate, *peers: int) -> Cut:
    return Cut(from_ns=from_ns, to_ns=to_ns, messages=messages, peers=peers or (2, 3))


def happens(purpose: int, tick: int, other: int, probability: float) -> bool:
    """Roll as model section 1 says."""
    return roll(SEED, 1, tick, purpose, other) >> 11 < int(probability * 2**53)


def only(deliveries: tuple[Delivery, ...]) -> Delivery:
    assert len(deliveries) == 1

    return deliveries[0]


# When it arrives.


def test_a_message_arrives_its_delay_after_it_was_sent() -> None:
    """arrival = sent_due + delay."""
    assert channel(delay_ns=10).carry(0, 100, 2) == (Delivery(recipient=2, number=1, arrival_ns=110, copy=0),)


def test_a_delay_may_be_0() -> None:
    """Then a message arrives at the instant at which it was sent."""
    assert only(channel().carry(0, 100, 2)).arrival_ns == 100


def test_a_uniform_delay_is_what_the_dice_say_for_this_tick_recipient_and_copy() -> None:
    """a + (roll * (b - a + 1) >> 64), purpose 16, other = recipient * 2 + copy."""
    links = channel(delay_ns=DRAWN, duplicate=1.0, fifo=False)

    for tick in range(50):
        for recipient in (2, 3):
            rolls = [roll(SEED, 1, tick, DELAY, recipient * 2 + copy) for copy in (0, 1)]
            arrivals_ns = [1000 + 5 + (bits * 296 >> 64) for bits in rolls]
            assert [each.arrival_ns for each in links.carry(tick, 1000, recipient)] == arrivals_ns


def test_an_exponential_delay_is_the_mean_times_the_committed_table() -> None:
    """mean * q[roll >> 52] >> 20."""
    links = channel(delay_ns=Exponential(mean_ns=10_000_000), fifo=False)

    for tick in range(50):
        q = TABLE[roll(SEED, 1, tick, DELAY, 4) >> 52]
        assert only(links.carry(tick, 0, 2)).arrival_ns == 10_000_000 * q >> 20


def test_a_link_may_have_a_network_of_its_own() -> None:
    """The others keep the common one."""
    links = channel(delay_ns=10, links=(Link(peer=3, delay_ns=70, loss=1.0),))

    assert (only(links.carry(0, 0, 2)).arrival_ns, only(links.carry(0, 0, 3)).arrival_ns) == (10, None)


def test_every_link_numbers_its_own_messages_from_1() -> None:
    """A number is the position on a link, not in a machine."""
    links = channel()

    assert [only(links.carry(tick, 100, to)).number for tick, to in enumerate((2, 3, 2, 2, 3))] == [1, 1, 2, 3, 2]


def test_no_message_overtakes_an_earlier_one_of_its_link() -> None:
    """FIFO: never before the largest arrival given so far on that link; other links take no part."""
    links = channel(delay_ns=10)
    links.carry(0, 100, 2)

    assert [only(links.carry(1, 50, to)).arrival_ns for to in (2, 3)] == [110, 60]


def test_on_a_link_that_is_not_fifo_messages_overtake() -> None:
    """Each arrives its own delay after it was sent, whatever was sent before."""
    links = channel(delay_ns=Uniform(least_ns=0, most_ns=1000), fifo=False)
    arrivals_ns = [only(links.carry(tick, tick, 2)).arrival_ns or 0 for tick in range(20)]

    assert arrivals_ns == [tick + (roll(SEED, 1, tick, DELAY, 4) * 1001 >> 64) for tick in range(20)]
    assert arrivals_ns != sorted(arrivals_ns)


# Loss and duplicates.


def test_a_lost_message_gets_no_number_and_takes_no_part_in_the_order() -> None:
    """The next one has the number that it would have had, and need not wait for its arrival."""
    links = channel(delay_ns=Uniform(least_ns=0, most_ns=1000), loss=0.5)
    largest_ns, number = 0, 0

    for tick in range(50):
        if happens(LOSS, tick, 4, 0.5):
            assert links.carry(tick, tick, 2) == (Delivery(2, None, None, 0),)
            continue
        number += 1
        largest_ns = max(largest_ns, tick + (roll(SEED, 1, tick, DELAY, 4) * 1001 >> 64))
        assert links.carry(tick, tick, 2) == (Delivery(2, number, largest_ns, 0),)

    assert 10 < number < 40


def test_a_duplicate_is_a_second_message_with_its_own_number_delay_and_loss() -> None:
    """Rolled once per recipient, with the `other` of copy 0, whether copy 0 is lost or not; copy 0 comes first."""
    links = channel(delay_ns=DRAWN, loss=0.5, duplicate=0.5, fifo=False)
    number, seen = 0, set()

    for tick in range(100):
        copies = links.carry(tick, 0, 3)
        assert [each.copy for each in copies] == ([0, 1] if happens(DUPLICATE, tick, 6, 0.5) else [0])
        for each in copies:
            is_lost = happens(LOSS, tick, 6 + each.copy, 0.5)
            number += not is_lost
            assert each.number == (None if is_lost else number)
        seen.add(tuple(each.number is None for each in copies))

    assert len(seen) == 6, "one or two copies, each lost or not"


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_what_is_impossible_never_happens_and_what_is_certain_always(probability: float) -> None:
    """P = int(p * 2^53), and it happens iff roll >> 11 < P."""
    links = channel(loss=probability, duplicate=probability)
    copies = [links.carry(tick, 0, 2) for tick in range(100)]

    assert {len(each) for each in copies} == {1 + int(probability)}
    assert {each.number is None for pair in copies for each in pair} == {probability == 1}


# Partitions.


@pytest.mark.parametrize(("sent_ns", "arrival_ns"), [(99, 104), (100, 205), (199, 205), (200, 205), (201, 206)])
def test_what_is_held_sets_out_when_the_window_closes(sent_ns: int, arrival_ns: int) -> None:
    """arrival = to + delay, for what was sent in [from, to)."""
    links = channel(delay_ns=5, cuts=(cut(100, 200, "hold"),))

    assert only(links.carry(0, sent_ns, 2)).arrival_ns == arrival_ns


def test_what_is_held_waits_for_the_latest_of_the_windows_open_when_it_was_sent() -> None:
    """It is not looked at again: a window that opens later does not hold it."""
    cuts = (cut(100, 200, "hold"), cut(150, 250, "hold"), cut(240, 900, "hold"))
    links = channel(delay_ns=5, cuts=cuts, fifo=False)

    assert [only(links.carry(0, sent_ns, 2)).arrival_ns for sent_ns in (120, 160, 230, 245)] == [205, 255, 255, 905]


def test_where_one_window_loses_and_another_holds_it_is_lost() -> None:
    """`lose` wins, whatever the order; both copies are lost."""
    for cuts in [(cut(0, 10, "lose"), cut(0, 99, "hold")), (cut(0, 99, "hold"), cut(0, 10, "lose"))]:
        links = channel(cuts=cuts, duplicate=1.0)

        assert links.carry(0, 5, 2) == (Delivery(2, None, None, 0), Delivery(2, None, None, 1))
        assert [each.arrival_ns for each in links.carry(0, 10, 2)] == [99, 99]


def test_what_is_held_still_rolls_loss_and_duplicate() -> None:
    """A partition changes no roll."""
    plain = channel(loss=0.5, duplicate=0.5)
    held = channel(loss=0.5, duplicate=0.5, cuts=(cut(0, 1000, "hold"),))

    for tick in range(50):
        expected, found = plain.carry(tick, tick, 2), held.carry(tick, tick, 2)
        assert [(each.copy, each.number) for each in found] == [(each.copy, each.number) for each in expected]


def test_a_cut_is_from_the_peers_that_it_names() -> None:
    """Between machines of the same group, and with those of none, all is as it was."""
    links = channel(cuts=(cut(0, 100, "lose", 3),))

    assert [only(links.carry(0, 0, to)).number for to in (2, 3)] == [1, None]


# Laws.

DELAYS = st.one_of(
    st.integers(0, 10**9),
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**9)).map(
        lambda ends: Uniform(least_ns=ends[0], most_ns=sum(ends))
    ),
    st.integers(0, 10**9).map(lambda mean_ns: Exponential(mean_ns=mean_ns)),
)
SENDS = st.lists(st.tuples(st.integers(0, 10**12), st.sampled_from([2, 3])))


@law
@given(DELAYS, st.floats(0, 1), st.floats(0, 1), SENDS)
def test_on_every_fifo_link_numbers_count_up_and_arrivals_never_go_back(
    delay: int | Uniform | Exponential, loss: float, duplicate: float, sends: list[tuple[int, int]]
) -> None:
    """What a receiver is given in order of number is in order of arrival, too, and never too early to be promised."""
    links = channel(delay_ns=delay, loss=loss, duplicate=duplicate)
    carried = [(sent_ns, each) for tick, (sent_ns, to) in enumerate(sends) for each in links.carry(tick, sent_ns, to)]

    for link in (2, 3):
        own = [(sent_ns, each) for sent_ns, each in carried if each.recipient == link and each.arrival_ns is not None]
        assert [each.number for _, each in own] == list(range(1, len(own) + 1))
        assert [each.arrival_ns for _, each in own] == sorted(each.arrival_ns or 0 for _, each in own)
        assert all((each.arrival_ns or 0) >= sent_ns + delay_ns_min(delay) for sent_ns, each in own)


@law
@given(DELAYS, SENDS)
def test_what_becomes_of_a_message_depends_on_its_place_alone(
    delay: int | Uniform | Exponential, sends: list[tuple[int, int]]
) -> None:
    """Keyed by tick and recipient: without order, leaving out some messages changes nothing for the others."""
    every = channel(delay_ns=delay, loss=0.3, duplicate=0.3, fifo=False)
    some = channel(delay_ns=delay, loss=0.3, duplicate=0.3, fifo=False)

    for tick, (sent_ns, to) in enumerate(sends):
        expected = [(each.copy, each.arrival_ns) for each in every.carry(tick, sent_ns, to)]
        if tick % 2:
            assert [(each.copy, each.arrival_ns) for each in some.carry(tick, sent_ns, to)] == expected
