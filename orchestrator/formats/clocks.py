"""Clocks and other numbers as people write them: whole, with a fraction, or a vector as JSON, list or text.

Never takes a number that does not fit: a clock of 4,000 digits is none.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import orjson

from orchestrator.trace.store import NULL, Column

CLOCK_MAX: Final = 2**53 - 1
FRACTION_DIGITS_MAX: Final = 9

Vector: TypeAlias = dict[str, int] | tuple[int, ...]

_WHOLE: Final = re.compile(r"\s*([-+]?\d{1,16})(?:\.0*)?\s*\Z", re.ASCII)
_FRACTION: Final = re.compile(r"\s*([-+]?)(\d{1,16})(?:[.,](\d*))?\s*\Z", re.ASCII)
_LIST: Final = re.compile(r"\s*[\[(<{|]?\s*(\d{1,16}(?:(?:\s*[,;|]\s*|\s+)\d{1,16})*)\s*,?\s*[\])>}|]?\s*\Z", re.ASCII)
_PAIR: Final = re.compile(
    r"""["']?([^\s"',;:=|{}\[\]()<>]+(?::[^\s"',;:=|{}\[\]()<>]+)*)["']?\s*(?:=>|->|[:=])\s*(\d{1,16})(?!\w)"""
)
_REST: Final = re.compile(r"(?:\bmap\b)?[\s,;|{}\[\]()<>\"']*")
NOTHING: Final = frozenset(
    (
        *(None, "", "None", "none", "null", "NULL", "nil", "N/A", "n/a", "NA", "nan", "NaN", ".", "?"),
        *("-" * count for count in range(1, 9)),
    )
)
"""What stands where there is nothing."""


class Numbers(NamedTuple):
    """Numbers in units of 1 / scale, NULL where there is none, and why a value is no such number, by its position."""

    column: Column
    scale: int
    bad: dict[int, str]


def read_numbers(values: Sequence[Any] | None, count: int, *, is_fractional: bool = False) -> Numbers:
    """Return the numbers in a column; their scale is 1 unless they are fractional."""
    if values is None:
        return Numbers(np.full(count, NULL, np.int64), 1, {})
    if not is_fractional and (plain := _plain(values)) is not None:
        return Numbers(plain, 1, {})
    numbers = np.full(count, NULL, np.int64)
    bad: dict[int, str] = {}
    read = [_fraction(value) if is_fractional else _whole(value) for value in values]
    digits = min(FRACTION_DIGITS_MAX, max((part[1] for part in read if part is not None), default=0))
    for place, (value, part) in enumerate(zip(values, read, strict=True)):
        if part is not None and abs(part[0]) * 10 ** (digits - part[1]) <= CLOCK_MAX:
            numbers[place] = part[0] * 10 ** (digits - part[1])
        elif not isinstance(value, str | None) or value not in NOTHING:
            bad[place] = "no number that a clock can be"
    return Numbers(numbers, 10**digits, bad)


def read_vector(value: Any) -> Vector | None:
    """Return a vector clock: by machine, or as a list in the order of the machines; None if it is none."""
    if isinstance(value, str):
        value = _parsed(value.strip())
    if isinstance(value, dict):
        is_good = all(_is_count(count) for count in value.values())
        return {str(name): int(count) for name, count in value.items()} if is_good else None
    if isinstance(value, list | tuple):
        return tuple(value) if value and all(_is_count(count) for count in value) else None
    return None


def _plain(values: Sequence[Any]) -> Column | None:
    """Return whole numbers of ordinary length at the speed of Python's own int, or None."""
    types = set(map(type, values))
    if not types <= {str, int, type(None)}:
        return None
    has_gaps = (str in types and not NOTHING.isdisjoint(values)) or type(None) in types
    some = [0 if value in NOTHING else value for value in values] if has_gaps else values
    try:
        if str in types and any(
            len(value) > 15 or "_" in value or not value.isascii() for value in some if type(value) is str
        ):
            return None
        numbers = np.array(list(map(int, some)), np.int64)
    except (ValueError, OverflowError):
        return None
    if np.abs(numbers).max(initial=0) > CLOCK_MAX:
        return None
    if has_gaps:
        numbers[[value in NOTHING for value in values]] = NULL
    return numbers


def _whole(value: Any) -> tuple[int, int] | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, 0) if abs(value) <= CLOCK_MAX else None
    match = _WHOLE.match(value if isinstance(value, str) else str(value) if isinstance(value, float) else "")
    return (int(match[1]), 0) if match else None


def _fraction(value: Any) -> tuple[int, int] | None:
    """Return a decimal as a whole number and how many digits of it are behind the point."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _FRACTION.match(str(value)) if not isinstance(value, int) or abs(value) <= CLOCK_MAX else None
    if match is None or len(match[3] or "") > FRACTION_DIGITS_MAX:
        return None
    part = (match[3] or "").rstrip("0")
    number = int(match[2] + part)
    return -number if match[1] == "-" else number, len(part)


def _parsed(text: str) -> Any:
    if text[:1] in "{[":
        for written in (text, text.replace('\\"', '"')):
            try:
                return orjson.loads(written)
            except orjson.JSONDecodeError:
                continue
    if match := _LIST.match(text):
        return [int(count) for count in re.findall(r"\d+", match[1])]
    pairs = _PAIR.findall(text)
    if pairs and len(dict(pairs)) == len(pairs) and _REST.fullmatch(_PAIR.sub("", text)):
        return {name: int(count) for name, count in pairs}
    return None


def _is_count(count: object) -> bool:
    return isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= CLOCK_MAX
