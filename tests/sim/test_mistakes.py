"""The simulator finds what it must: each planted mistake within 200 seeds."""

import pytest

from tests.sim.mistakes import MISTAKES
from tests.sim.publish import first_found


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found(name: str) -> None:
    assert first_found(name) is not None


def test_there_are_twenty_mistakes_and_more() -> None:
    assert len(MISTAKES) >= 20
