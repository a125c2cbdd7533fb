"""Durations as people write them, `10ms`, and as the model counts them: whole nanoseconds.

Never rounds, and never meets a float.
"""

import re
from fractions import Fraction
from typing import Final

UNITS_NS: Final[dict[str, int]] = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
PATTERN: Final = r"^([0-9]{1,17}(?:\.[0-9]{1,17})?)(ns|us|ms|s|m|h)$"
"""What a duration looks like; the same words for Python, pydantic and an editor."""


def parse_duration(text: str) -> int:
    """Return the nanoseconds that `text` says, exactly.

    Raises ValueError with what was expected.
    """
    match = re.fullmatch(PATTERN, text)
    if match is None:
        raise ValueError("a number and a unit (ns, us, ms, s, m, h), such as 10ms or 1.5s")
    exact_ns = Fraction(match[1]) * UNITS_NS[match[2]]
    if exact_ns.denominator != 1:
        raise ValueError("a whole number of nanoseconds")
    return exact_ns.numerator


def format_duration(time_ns: int) -> str:
    """Return the shortest way to write a duration in s, ms, us or ns; `parse_duration` reads it back."""
    if time_ns == 0:
        return "0ms"
    unit = next(unit for unit in ("s", "ms", "us", "ns") if time_ns % UNITS_NS[unit] == 0)
    return f"{time_ns // UNITS_NS[unit]}{unit}"
