"""The model's network as its sender sees it."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.channel import Channel
from node.event import Delivery
from node.model import SECOND_NS, Model, Network

law = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def channel(delay_ns: int = 0) -> Channel:
    """Return the links of machine 1 to machines 2 and 3."""
    return Channel(
        Model(
            node=1,
            seed=262,
            rate_hz=6,
            phase_ns=0,
            internal_probability=0.0,
            duration_ns=SECOND_NS,
            peers=(2, 3),
            senders=(2, 3),
            network=Network(delay_ns=delay_ns),
        )
    )


def test_a_message_arrives_its_delay_after_it_was_sent() -> None:
    """Model section 3: arrival = sent_due + delay."""
    assert channel(delay_ns=10).carry(100, 2) == Delivery(recipient=2, number=1, arrival_ns=110, copy=0)


def test_a_delay_may_be_0() -> None:
    """Then a message arrives at the instant at which it was sent."""
    assert channel().carry(100, 2).arrival_ns == 100


def test_every_link_numbers_its_own_messages_from_1() -> None:
    """A number is the position on a link, not in a machine."""
    links = channel()

    assert [links.carry(100, recipient).number for recipient in (2, 3, 2, 2, 3)] == [1, 1, 2, 3, 2]


def test_no_message_overtakes_an_earlier_one_of_its_link() -> None:
    """FIFO: never before the largest arrival given so far on that link; other links take no part."""
    links = channel(delay_ns=10)
    links.carry(100, 2)

    assert [links.carry(50, 2).arrival_ns, links.carry(50, 3).arrival_ns] == [110, 60]


@law
@given(st.integers(0, 10**9), st.lists(st.tuples(st.integers(0, 10**12), st.sampled_from([2, 3]))))
def test_on_every_link_numbers_count_up_and_arrivals_never_go_back(delay_ns: int, sends: list[tuple[int, int]]) -> None:
    """What a receiver is given in order of number is in order of arrival, too."""
    links = channel(delay_ns)
    carried = [(sent_ns, links.carry(sent_ns, recipient)) for sent_ns, recipient in sends]

    for link in (2, 3):
        own = [(sent_ns, delivery) for sent_ns, delivery in carried if delivery.recipient == link]
        arrivals_ns = [delivery.arrival_ns for _, delivery in own]
        assert [delivery.number for _, delivery in own] == list(range(1, len(own) + 1))
        assert arrivals_ns == [max(sent + delay_ns for sent, _ in own[: end + 1]) for end in range(len(own))]
