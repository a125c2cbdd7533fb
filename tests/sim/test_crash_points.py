"""A crash at every effect of one run of 300 events: before each write and each send, and inside each write."""

import pytest

from node.model import Model
from tests.clusters import cluster
from tests.sim.plan import MS, Kill, Moment, Plan
from tests.sim.world import World

EVENTS = 300


def machines() -> dict[int, Model]:
    """Return machines so quick that messages wait in every queue."""
    return cluster(3, seconds=0.5, rates=(200, 200), internal_probability=0.3, delay_ms=20)


def ended(*kills: Kill) -> World:
    """Play the run with these kills to its end, where each log says what the simulation says."""
    world = World(Plan(seed=1, machines=machines(), faults=kills, heals_ns=1))
    world.run()

    assert world.witness.is_as_simulated
    return world


@pytest.fixture(scope="module")
def undisturbed() -> World:
    """The run that nothing happens to."""
    world = ended()

    assert sum(map(len, world.witness.expected.values())) == EVENTS
    return world


@pytest.mark.parametrize("moment", ["before", "torn"])
@pytest.mark.parametrize("node", [1, 2, 3])
def test_a_crash_at_any_effect_leaves_no_mark(node: int, moment: Moment, undisturbed: World) -> None:
    """Clean or torn: whatever was the last to be written or sent, the machine goes on as if nothing had been."""
    effects = undisturbed.hosts[node].effects
    places = [place for place, effect in enumerate(effects) if moment == "before" or effect == "write"]
    killed = 0
    for place in places:
        tear = (place % 10 + 0.5) / 10
        world = ended(Kill(0, node, effects=place, moment=moment, tear=tear, back_ns=MS * (place % 50)))
        killed += world.counts["restarted"]

    assert killed == len(places) >= 20
