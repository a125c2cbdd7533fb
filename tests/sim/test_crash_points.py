"""A crash at every effect of one run leaves no mark in it."""

import pytest

from tests.sim.crash_points import MOMENTS, NODES, crash_everywhere
from tests.sim.plan import Moment


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("node", NODES)
def test_a_crash_at_any_effect_leaves_no_mark(node: int, moment: Moment) -> None:
    """Clean or torn: whatever was the last to be written or sent, the machine goes on as if nothing had been."""
    assert crash_everywhere(node, moment) >= 20
