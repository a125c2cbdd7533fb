"""The simulator finds what it must: each planted mistake within 200 seeds."""

import pytest

from tests.sim.mistakes import MISTAKES
from tests.sim.plan import draw
from tests.sim.play import Outcome, play

SEEDS_MAX = 200


def first_found(name: str) -> Outcome | None:
    """Return the first seed that shows a mistake, if one of the first does."""
    with pytest.MonkeyPatch.context() as patch:
        MISTAKES[name](patch)
        for seed in range(SEEDS_MAX):
            if (outcome := play(draw(seed))).wrong:
                return outcome
    return None


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found(name: str) -> None:
    assert first_found(name) is not None


def test_there_are_twenty_mistakes_and_more() -> None:
    assert len(MISTAKES) >= 20
