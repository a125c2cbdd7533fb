"""The limits of what a configuration may say, and the types of numbers that keep to them.

Never says what a number is for.
"""

from typing import Annotated, Final, TypeAlias

from pydantic import Field

SECOND_NS: Final = 1_000_000_000
RATE_HZ_MAX: Final = 1_000_000
SEED_MAX: Final = 2**63 - 1
DURATION_NS_MAX: Final = 2**53 - 1
NODE_MAX: Final = 2**31 - 1
FACTOR_MAX: Final = 1_000_000
QUEUE_MAX: Final = 100_000
"""So many messages may have arrived and wait before it is said; none is ever dropped."""

NodeNumber: TypeAlias = Annotated[int, Field(ge=1, le=NODE_MAX)]
SpanNs: TypeAlias = Annotated[int, Field(ge=0, le=DURATION_NS_MAX)]
Probability: TypeAlias = Annotated[float, Field(ge=0, le=1)]
