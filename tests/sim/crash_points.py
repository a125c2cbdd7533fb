"""A crash at every effect of one run of 300 events: before each write and each send, and inside each write."""

from functools import cache
from typing import Final

from node.model import Model
from tests.clusters import cluster
from tests.sim.plan import MS, Kill, Moment, Plan
from tests.sim.witness import Expected, expected_of
from tests.sim.world import World

NODES: Final = (1, 2, 3)
MOMENTS: Final[tuple[Moment, ...]] = ("before", "torn")
EVENTS: Final = 300


def crash_everywhere(node: int, moment: Moment) -> int:
    """Kill a node at each of its effects, in a run of its own; return how many crashes left no mark.

    Raises Violation, or AssertionError for a run that is not as simulated.
    """
    effects = _undisturbed()[node]
    places = [place for place, effect in enumerate(effects) if moment == "before" or effect == "write"]
    for place in places:
        tear = (place % 10 + 0.5) / 10
        world = _ended(Kill(0, node, effects=place, moment=moment, tear=tear, back_ns=MS * (place % 50)))

        assert world.counts["restarted"] == 1
    return len(places)


@cache
def _expected() -> Expected:
    """Return what every one of these runs must come to."""
    return expected_of(_machines())


@cache
def _machines() -> dict[int, Model]:
    """Return machines so quick that messages wait in every queue."""
    return cluster(len(NODES), seconds=0.5, rates=(200, 200), internal_probability=0.3, delay_ms=20)


def _ended(*kills: Kill) -> World:
    """Play the run with these kills to its end, where each log says what the simulation says."""
    world = World(Plan(seed=1, machines=_machines(), faults=kills, heals_ns=1), _expected())
    world.run()

    assert world.witness.is_as_simulated
    return world


@cache
def _undisturbed() -> dict[int, tuple[str, ...]]:
    """Return every effect, by node, of the run that nothing happens to."""
    world = _ended()

    assert sum(map(len, world.witness.expected.values())) == EVENTS
    return {node: tuple(host.effects) for node, host in world.hosts.items()}
