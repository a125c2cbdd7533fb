"""The fault simulator: whatever a seed does to the nodes, the logs are those of the simulation."""

import pytest

from tests.sim.plan import draw
from tests.sim.play import FAULTS, play
from tests.sim.summary import Summary, add_up, lines_of

SEEDS, PART = 1_000, 100
SEEDS_SOAK, PART_SOAK = 25_000, 1_000


def seeds(first: int, count: int) -> Summary:
    """Play so many seeds, and say what was wrong with the line that replays it."""
    found = add_up(play(draw(seed)) for seed in range(first, first + count))
    print("\n".join(lines_of(found)))

    assert [] == [f"{outcome.words}\n  {outcome.again}" for outcome in found.wrong]
    return found


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_no_fault_leaves_a_mark_in_the_trace(first: int) -> None:
    """Every log equal to the simulation, every check valid, nothing sent unwritten; and enough was tried."""
    found = seeds(first, PART)

    assert {name for name in FAULTS if found.counts[name]} == set(FAULTS)
    assert found.faults >= 5 * PART
    assert found.at_risk >= PART


@pytest.mark.soak  # 20 minutes of one core
@pytest.mark.parametrize("first", range(0, SEEDS_SOAK, PART_SOAK))
def test_no_fault_leaves_a_mark_in_many_traces(first: int) -> None:
    found = seeds(first, PART_SOAK)

    assert found.faults >= 5 * PART_SOAK


def test_a_seed_is_the_same_run_every_time() -> None:
    """A line that replays a seed is worth nothing if the next run is another one."""
    assert play(draw(3)) == play(draw(3))
