"""What is drawn for all machines at once is what each draws by itself."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.dice import TOPOLOGY, Dice, below
from node.errors import ConfigurationError
from node.limits import RATE_HZ_MAX, SEED_MAX
from node.model import draw_phase_ns, draw_rate_hz, everyone_else
from orchestrator.config import Experiment, parse_experiment
from orchestrator.config.drawing import peers_drawn, phases_ns, rates_hz, senders_of_drawn
from orchestrator.config.topology import senders_of
from tests.fault_mixes import EACH, HALF_A_SECOND

SEEDS = st.integers(0, SEED_MAX)


def shuffled(others: Iterable[int], count: int, dice: Dice) -> list[int]:
    """Draw without putting back: the shuffle of Fisher and Yates, ended once there are enough."""
    left = list(others)
    for place in range(count):
        chosen = place + below(dice.roll(0, TOPOLOGY, place), len(left) - place)
        left[place], left[chosen] = left[chosen], left[place]
    return sorted(left[:count])


@given(seed=SEEDS, least=st.integers(1, RATE_HZ_MAX), more=st.integers(0, RATE_HZ_MAX), nodes=st.integers(1, 40))
def test_rates_and_phases_are_those_of_the_dice(seed: int, least: int, more: int, nodes: int) -> None:
    """Model section 2."""
    most, numbers = min(least + more, RATE_HZ_MAX), np.arange(1, nodes + 1)
    found = rates_hz(seed, numbers, least=least, most=most)

    assert [draw_rate_hz(seed, node, least=least, most=most) for node in numbers.tolist()] == found.tolist()
    assert [
        draw_phase_ns(seed, node, rate_hz=rate_hz)
        for node, rate_hz in zip(numbers.tolist(), found.tolist(), strict=True)
    ] == phases_ns(seed, numbers, found).tolist()


@given(seed=SEEDS, nodes=st.integers(2, 30), data=st.data())
def test_peers_are_those_of_a_shuffle(seed: int, nodes: int, data: st.DataObject) -> None:
    """Also where all are drawn, and every step moves somebody."""
    count = data.draw(st.integers(1, nodes - 1))
    found = peers_drawn(seed, nodes, count)
    peers = {node: tuple(row) for node, row in enumerate(found.tolist(), 1)}

    assert {
        node: tuple(shuffled(everyone_else(node, range(1, nodes + 1)), count, Dice(seed, node))) for node in peers
    } == peers
    assert senders_of(peers) == dict(enumerate(senders_of_drawn(found), 1))


def test_a_large_cluster_is_drawn_like_a_small_one() -> None:
    """Numbers of six digits, and a machine that draws those beside itself."""
    found = peers_drawn(7, 100_000, 3)

    for node in (1, 2, 49_999, 100_000):
        others = [*range(1, node), *range(node + 1, 100_001)]
        assert shuffled(others, 3, Dice(7, node)) == found[node - 1].tolist()


@pytest.mark.parametrize("name", EACH)
def test_a_machine_that_nothing_concerns_is_told_of_nothing(name: str) -> None:
    """What is special of some machines is the same as if it had been asked of each."""
    experiment = Experiment.model_validate(HALF_A_SECOND | EACH[name])
    machines = experiment.machines(1)
    asked = {
        node: replace(
            model,
            links=tuple(experiment.network.outgoing(node, model.peers)),
            inbound=tuple(experiment.network.inbound(node, model.senders)),
        )
        for node, model in machines.items()
    }

    assert asked == machines


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nodes: 100001\n", "nodes: expected at most 100000, got the number 100001"),
        ("nodes: 2001\n", "2,001 machines would have 4,002,000 links, and at most 4,000,000 fit; bound the fan-out"),
        ("nodes: 100000\ntopology: {random: 41}\n", "100,000 machines would have 4,100,000 links"),
    ],
)
def test_what_cannot_be_in_memory_is_refused_with_the_figure(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_experiment(text, name="x.yaml")

    assert says in str(error.value)


def test_a_ring_of_a_hundred_thousand_is_one() -> None:
    machines = parse_experiment("nodes: 100000\ntopology: ring\nduration: 1s\n", name="x.yaml").machines(1)

    assert (machines[1].peers, machines[100_000].senders) == ((2, 100_000), (1, 99_999))
