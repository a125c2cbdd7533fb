"""What the model's network does to a link: what a receiver may rely on, and what is no network."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter, ValidationError

from node.network import Exponential, Inbound, Link, Network, Uniform, delay_ns_min
from tests.clusters import cluster

NETWORK = TypeAdapter(Network)


@pytest.mark.parametrize(
    ("delay", "least_ns"),
    [
        (7, 7),
        (Uniform(least_ns=5, most_ns=9), 5),
        (Exponential(mean_ns=10_000_000), 10_000_000 * 128 >> 20),
        (Exponential(mean_ns=0), 0),
    ],
    ids=str,
)
def test_the_smallest_delay_is_the_smallest_that_can_be_drawn(
    delay: int | Uniform | Exponential, least_ns: int
) -> None:
    """Model section 4: a promise plus the smallest delay of its link is safe."""
    assert delay_ns_min(delay) == least_ns


def test_a_machine_knows_the_smallest_delay_of_each_link_to_it() -> None:
    """Its own network is theirs, unless it was told otherwise."""
    model = replace(cluster(3, delay_ms=10)[1], inbound=(Inbound(sender=3, delay_ns_min=4),))

    assert model.delays_ns_min() == {2: 10_000_000, 3: 4}


def test_a_network_is_read_back_as_it_was_written() -> None:
    """Whatever the delay, and also what stands for a link of its own."""
    for delay in (5, Uniform(least_ns=1, most_ns=2), Exponential(mean_ns=3)):
        network = Network(delay_ns=delay, loss=0.5, duplicate=0.25, fifo=False)
        link = TypeAdapter(Link)

        assert NETWORK.validate_json(NETWORK.dump_json(network)) == network
        assert link.validate_json(link.dump_json(Link(peer=2, delay_ns=delay))) == Link(peer=2, delay_ns=delay)


def test_a_network_without_faults_is_written_as_before_there_were_any() -> None:
    """The hash of an old configuration stays what it was."""
    assert NETWORK.dump_json(Network(delay_ns=5)) == b'{"delay_ns":5}'


@pytest.mark.parametrize(
    "text",
    [
        '{"delay_ns":-1}',
        '{"delay_ns":"1"}',
        '{"delay_ns":true}',
        '{"delay_ns":{"least_ns":2,"most_ns":1}}',
        '{"delay_ns":{"least_ns":1}}',
        '{"delay_ns":{"mean_ns":1,"least_ns":1}}',
        '{"delay_ns":{"mean_ns":9007199254740992}}',
        '{"loss":1.2}',
        '{"loss":-0.1}',
        '{"duplicate":"0.5"}',
        '{"loss":NaN}',
        '{"fifo":0}',
        '{"peer":2}',
    ],
)
def test_what_is_no_network_is_refused_where_it_enters(text: str) -> None:
    with pytest.raises(ValidationError):
        NETWORK.validate_json(text)
