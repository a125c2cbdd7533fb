"""Pings, and when a peer is dead: counted in looks, without a clock."""

import pytest

from node.liveness import DEAD_S, LOOK_S, PING_S, Finding, Liveness

PING_LOOKS = round(PING_S / LOOK_S)
DEAD_LOOKS = round(DEAD_S / LOOK_S)


def looks(liveness: Liveness, count: int) -> list[Finding | None]:
    """Take so many looks."""
    return [liveness.look() for _ in range(count)]


def test_the_limits_are_those_of_the_model() -> None:
    """Ping after 250 ms of silence, dead after 1.5 s; a look is much shorter than either."""
    assert (0.25, 1.5) == (PING_S, DEAD_S)
    assert LOOK_S <= PING_S / 5


def test_a_ping_is_due_after_a_quarter_of_a_second_of_silence() -> None:
    """Not before, and till something is said."""
    liveness = Liveness()

    assert [None] * (PING_LOOKS - 1) + ["ping", "ping"] == looks(liveness, PING_LOOKS + 1)


def test_whoever_speaks_needs_no_ping() -> None:
    """A message says as much."""
    liveness = Liveness()
    found = []
    for _ in range(3 * PING_LOOKS):
        found.append(liveness.look())
        liveness.say()
        liveness.hear()

    assert {None} == set(found)


def test_a_peer_of_whom_nothing_is_heard_is_dead_after_a_second_and_a_half() -> None:
    """However much we say to it."""
    liveness = Liveness()
    found = []
    for _ in range(DEAD_LOOKS + 1):
        found.append(liveness.look())
        liveness.say()

    assert [None] * (DEAD_LOOKS - 1) + ["dead", "dead"] == found


@pytest.mark.parametrize("heard_at", [1, DEAD_LOOKS - 1])
def test_whatever_is_heard_begins_the_time_anew(heard_at: int) -> None:
    """One byte is enough."""
    liveness = Liveness()
    looks(liveness, heard_at)
    liveness.hear()

    assert "dead" not in looks(liveness, DEAD_LOOKS - 1)
    assert "dead" == liveness.look()


def test_a_node_that_was_stopped_takes_nobody_for_dead() -> None:
    """It looked once in that time, however long it was; what came meanwhile is read before it looks again."""
    liveness = Liveness()

    assert "dead" not in looks(liveness, 1)
