"""Chance as a function of place."""

from fractions import Fraction
from math import log, sqrt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.dice import (
    CERTAIN,
    DELAY,
    DUPLICATE,
    KIND,
    LOSS,
    PEER,
    PHASE,
    RATE,
    Dice,
    below,
    between,
    mix,
    roll,
    threshold,
)

law = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
slow_law = settings(law, max_examples=8)

SEEDS = st.integers(0, 2**63 - 1)
BITS = st.integers(0, 2**64 - 1)
NODES = st.integers(1, 2**31 - 1)
TICKS = st.integers(0, 2**53 - 1)
PURPOSES = st.sampled_from([RATE, PHASE, KIND, PEER, DELAY, LOSS, DUPLICATE])
OTHERS = st.integers(0, 2**32)

ROLLS = 20_000
# Hoeffding (1963): the share of ROLLS independent successes is further from its mean once in 10^9, whatever the mean.
SHARE_ERROR_MAX = sqrt(log(2 * 10**9) / (2 * ROLLS))


def test_the_dice_give_the_constants_of_the_model() -> None:
    """Model section 1 writes three values out."""
    actual = mix(0), roll(262, 1, 0, 1), roll(262, 2, 17, 16, 7)

    assert actual == (0xE220A8397B1DCDAF, 0xB90024D4661E1322, 0x964FA78C6BE01CBF)


def test_mix_is_splitmix64_as_others_publish_it() -> None:
    """Successive outputs from the state 0 are mix(0), mix(gamma), mix(2 gamma), …"""
    gamma = 0x9E3779B97F4A7C15

    actual = [mix(gamma * step % 2**64) for step in range(4)]

    assert actual == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC]


def test_the_purposes_are_those_of_the_model() -> None:
    """A purpose is part of the place, so its number is part of the model."""
    assert (RATE, PHASE, KIND, PEER, DELAY, LOSS, DUPLICATE) == (1, 2, 3, 4, 16, 17, 18)


@law
@given(SEEDS, NODES, TICKS, PURPOSES, OTHERS)
def test_a_roll_mixes_seed_node_tick_purpose_and_other_in_turn(
    seed: int, node: int, tick: int, purpose: int, other: int
) -> None:
    """h = mix(seed), then h = mix(h xor x) for each part of the place, `other` too where it is 0."""
    expected = mix(seed)
    for part in (node, tick, purpose, other):
        expected = mix(expected ^ part)

    assert roll(seed, node, tick, purpose, other) == expected
    assert Dice(seed, node).roll(tick, purpose, other) == expected


def test_a_place_without_other_is_the_place_with_other_0() -> None:
    """`other` is mixed in even where nobody gives it."""
    assert Dice(7, 2).roll(5, KIND) == roll(7, 2, 5, KIND, 0) != mix(mix(mix(mix(7) ^ 2) ^ 5) ^ KIND)


@law
@given(st.lists(st.tuples(TICKS, PURPOSES, OTHERS), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_asking_changes_no_roll(places: list[tuple[int, int, int]], shuffler: object) -> None:
    """Dice keep no state: a skipped tick shifts nothing."""
    asked_in_order = Dice(262, 1)
    expected = {place: asked_in_order.roll(*place) for place in places}
    shuffler.shuffle(places)  # type: ignore[attr-defined]
    asked_shuffled = Dice(262, 1)

    assert {place: asked_shuffled.roll(*place) for place in places} == expected


@law
@given(BITS, st.integers(1, 2**40))
def test_below_splits_all_rolls_evenly(bits: int, count: int) -> None:
    """`roll * n >> 64` is the one of n equal parts of [0, 2^64) in which the roll lies."""
    part = below(bits, count)

    assert 0 <= part < count
    assert part == Fraction(bits * count, 2**64).__floor__()


@pytest.mark.parametrize(("bits", "count", "expected"), [(0, 1, 0), (2**64 - 1, 1, 0), (0, 6, 0), (2**64 - 1, 6, 5)])
def test_below_reaches_both_edges_and_no_more(bits: int, count: int, expected: int) -> None:
    """[0, n) has 0 and n - 1 in it, and not n."""
    assert below(bits, count) == expected


@pytest.mark.parametrize("middle", range(1, 6))
def test_below_changes_exactly_at_the_borders_of_its_parts(middle: int) -> None:
    """The first roll of part m is the ceiling of m * 2^64 / n."""
    first = -(-middle * 2**64 // 6)

    assert (below(first - 1, 6), below(first, 6)) == (middle - 1, middle)


@pytest.mark.parametrize(
    ("bits", "least", "most", "expected"),
    [(0, 1, 6, 1), (2**64 - 1, 1, 6, 6), (2**63, 1, 6, 4), (0, 5, 5, 5), (2**64 - 1, 5, 5, 5)],
)
def test_between_has_both_its_ends(bits: int, least: int, most: int, expected: int) -> None:
    """[a, b] is inclusive: `a + (roll * (b - a + 1) >> 64)`."""
    assert between(bits, least, most) == expected


@law
@given(BITS, st.integers(-(2**40), 2**40), st.integers(0, 2**40))
def test_between_never_leaves_its_range(bits: int, least: int, width: int) -> None:
    """Every roll falls into [least, most]."""
    assert least <= between(bits, least, least + width) <= least + width


def test_what_has_probability_0_never_happens_and_what_has_1_always_does() -> None:
    """`roll >> 11` is at least 0 and below 2^53."""
    never, always = threshold(0.0), threshold(1.0)

    assert (never, always) == (0, CERTAIN)
    assert not 0 >> 11 < never
    assert (2**64 - 1) >> 11 < always


@law
@given(st.floats(0, 1))
def test_a_probability_becomes_the_integer_part_of_its_exact_product(probability: float) -> None:
    """P = int(p * 2^53) of the double that was given, not of the decimal that was meant."""
    assert threshold(probability) == int(Fraction(probability) * 2**53)


def test_a_threshold_is_that_of_the_double() -> None:
    """0.7 is no double; the nearest one counts."""
    assert threshold(0.7) == 6305039478318694


@slow_law
@given(SEEDS, NODES, PURPOSES)
def test_rolls_of_neighbouring_ticks_are_uniform(seed: int, node: int, purpose: int) -> None:
    """Each face of a die of six falls in a sixth of the ticks; a failure by chance comes once in 10^9."""
    dice = Dice(seed, node)
    faces = [below(dice.roll(tick, purpose), 6) for tick in range(ROLLS)]

    for face in range(6):
        assert abs(faces.count(face) / ROLLS - 1 / 6) < SHARE_ERROR_MAX


@slow_law
@given(SEEDS, NODES)
def test_each_of_the_64_bits_is_set_in_half_of_the_rolls(seed: int, node: int) -> None:
    """No bit of a roll is worth less than another, over neighbouring ticks."""
    rolls = [Dice(seed, node).roll(tick, KIND) for tick in range(ROLLS)]

    for bit in range(64):
        assert abs(sum(bits >> bit & 1 for bits in rolls) / ROLLS - 1 / 2) < SHARE_ERROR_MAX


@slow_law
@given(SEEDS, st.integers(1, 1000), st.integers(1, 1000), PURPOSES, PURPOSES)
def test_two_places_know_nothing_of_each_other(seed: int, one: int, two: int, this: int, that: int) -> None:
    """The first bits of two sequences, of other nodes or other purposes, agree in half of the ticks."""
    if (one, this) == (two, that):
        two += 1
    agreeing = sum(roll(seed, one, tick, this) >> 63 == roll(seed, two, tick, that) >> 63 for tick in range(ROLLS))

    assert abs(agreeing / ROLLS - 1 / 2) < SHARE_ERROR_MAX


@slow_law
@given(SEEDS, st.floats(0, 1))
def test_something_happens_as_often_as_its_probability_says(seed: int, probability: float) -> None:
    """It happens iff `roll >> 11 < P`."""
    happened = sum(roll(seed, 1, tick, KIND) >> 11 < threshold(probability) for tick in range(ROLLS))

    assert abs(happened / ROLLS - probability) < SHARE_ERROR_MAX
