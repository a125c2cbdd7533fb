"""The committed table, and the draws from it and from a range against their distributions."""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from math import exp, log, sqrt

import pytest

from node.channel import draw_delay_ns
from node.dice import DELAY, roll
from node.exponential import INDEX_BITS, LEAST, TABLE, UNIT_BITS
from node.network import Exponential, Uniform

DRAWS = 100_000
FAILS_ONCE_IN = 1e9


def test_the_table_is_what_its_formula_says_to_the_last_digit() -> None:
    """q[i] = round(-ln(1 - (i + 0.5) / 4096) * 2^20), computed with fifty digits."""
    with localcontext() as context:
        context.prec = 50
        exact = [-(1 - (Decimal(index) + Decimal("0.5")) / 4096).ln() * 2**UNIT_BITS for index in range(2**INDEX_BITS)]
        rounded = [int(value.to_integral_value(ROUND_HALF_EVEN)) for value in exact]

    assert list(TABLE) == rounded
    assert min(TABLE) == LEAST == 128


@pytest.mark.parametrize(
    ("delay", "below"),
    [
        (Uniform(least_ns=5_000_000, most_ns=20_000_000), lambda ns: (ns - 5_000_000 + 1) / 15_000_001),
        (Uniform(least_ns=3, most_ns=7), lambda ns: (ns - 3 + 1) / 5),
        (Exponential(mean_ns=10_000_000), lambda ns: 1 - exp(-ns / 10_000_000)),
    ],
    ids=["uniform", "uniform over five", "exponential"],
)
def test_draws_have_their_distribution(delay: Uniform | Exponential, below: Callable[[int], float]) -> None:
    """The largest distance of 10^5 draws from the distribution: above the bound once in 10^9 seeds.

    Dvoretzky, Kiefer & Wolfowitz (1956) with the constant of Massart (1990): P(distance > e) <= 2 exp(-2 n e^2).
    """
    bound = sqrt(log(2 * FAILS_ONCE_IN) / (2 * DRAWS))
    # A table of 4096 steps differs from the curve by half a step, however many are drawn.
    step = 1 / 2 ** (INDEX_BITS + 1) if isinstance(delay, Exponential) else 0.0
    drawn = sorted(draw_delay_ns(delay, roll(262, 1, tick, DELAY, 4)) for tick in range(DRAWS))
    # Between two values that were drawn the distribution of the draws is flat: its ends are where to look.
    ends = [index for index in range(DRAWS) if index + 1 == DRAWS or drawn[index] != drawn[index + 1]]
    distance = max(abs((index + 1) / DRAWS - below(drawn[index])) for index in ends)

    assert distance <= bound + step
