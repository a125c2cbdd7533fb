"""What is known of a run before the plain checks look at it.

Never says that something is wrong.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Numbers(NamedTuple):
    """Happened-before in numbers."""

    edges: int
    ordered_pairs: int
    concurrent_pairs: int
    longest_chain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The checks of which it is certain that nothing violates them; the numbers if the order is sound."""

    valid: frozenset[str] = frozenset()
    numbers: Numbers | None = None
