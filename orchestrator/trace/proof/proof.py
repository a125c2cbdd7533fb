"""What is known of a run before the plain checks look at it.

Never says that something is wrong.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Numbers(NamedTuple):
    """Happened-before in numbers; None for what would cost more than all else, which only the chain does not."""

    edges: int | None
    ordered_pairs: int | None
    concurrent_pairs: int | None
    longest_chain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The checks of which it is certain that nothing violates them; the numbers if the order is sound."""

    valid: frozenset[str] = frozenset()
    numbers: Numbers | None = None
