"""Times as people write them: epochs in any unit, seconds since a start, ISO, the clock on the wall, or as strptime reads.

Never rounds: a time is whole nanoseconds, and the unit of its last digit is kept beside it.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np

from orchestrator.trace.store import NULL, Column

SECOND_NS: Final = 1_000_000_000
UNITS_NS: Final = {"s": SECOND_NS, "ms": 1_000_000, "us": 1_000, "ns": 1}
TIME_NS_MAX: Final = 1 << 62

Time: TypeAlias = tuple[int, int]
"""A time and the unit of its last digit, in ns."""
Reader: TypeAlias = Callable[[str], Time]
"""Raises ValueError for what it cannot read."""

_NUMBER: Final = re.compile(r"([-+]?\d{1,19})(?:[.,](\d*))?\Z", re.ASCII)
_ISO: Final = re.compile(
    r"(\d{4})[-/.](\d\d?)[-/.](\d\d?)(?:[T_ ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,:](\d+))?)?\s*(Z|UTC|GMT|[-+]\d\d:?(?:\d\d)?)?)?\Z",
    re.ASCII,
)
_CLOCK: Final = re.compile(r"(\d\d?):(\d\d):(\d\d)(?:[.,:](\d+))?\Z", re.ASCII)
_COMMON: Final = (
    *("%m/%d/%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S.%f", "%d/%m/%Y %H:%M:%S"),
    *("%d/%b/%Y:%H:%M:%S %z", "%d/%b/%Y %H:%M:%S", "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S.%f %Y"),
    *("%b %d %H:%M:%S.%f", "%b %d %H:%M:%S", "%a, %d %b %Y %H:%M:%S %z", "%I:%M:%S %p", "%Y%m%d %H:%M:%S.%f"),
    *("%Y%m%dT%H%M%S.%f", "%Y%m%dT%H%M%S", "%d.%m.%Y %H:%M:%S.%f", "%d.%m.%Y %H:%M:%S", "%y/%m/%d %H:%M:%S"),
    *("%d %b %Y %H:%M:%S.%f", "%d %b %Y %H:%M:%S", "%Y-%b-%d %H:%M:%S"),
)


def read_times(values: Sequence[str | None], kind: str) -> tuple[Column, int]:
    """Return the times, NULL where there is none or it cannot be read, and the unit of their last digit in ns.

    `kind` is what the format says: auto, none, a unit, iso, or a format of strptime.
    """
    times = np.full(len(values), NULL, np.int64)
    sample = [value for value in values[:200] if value]
    if kind == "none" or not sample:
        return times, SECOND_NS
    read = reader_of(kind, sample)
    unit_ns = SECOND_NS
    for place, value in enumerate(values):
        if value:
            try:
                times[place], unit = read(value.strip())
            except ValueError:
                continue
            unit_ns = min(unit_ns, unit)
    return times, unit_ns


def reader_of(kind: str, sample: Sequence[str]) -> Reader:
    """Return what reads times of this kind; auto looks at some of them."""
    if kind in UNITS_NS:
        return lambda text: _number(text, UNITS_NS[kind])
    if kind == "iso":
        return _iso
    if kind != "auto":
        return lambda text: _strptime(text, kind)
    for reader in (_guessed_number(sample), _iso, _clock, *(_strptime_as(format_) for format_ in _COMMON)):
        if all(can_read(reader, text.strip()) for text in sample):
            return reader
    return _guessed_number(sample)


def can_read(reader: Reader, text: str) -> bool:
    """Return whether this is a time to a reader."""
    try:
        reader(text)
    except ValueError:
        return False
    return True


def _strptime_as(format_: str) -> Reader:
    return lambda text: _strptime(text, format_)


def _guessed_number(sample: Sequence[str]) -> Reader:
    """Return what reads numbers whose unit is told by their size: seconds since an epoch have ten digits today."""
    match = next(filter(None, (_NUMBER.match(text.strip()) for text in sample)), None)
    digits = len(match[1].lstrip("+-")) if match else 0
    unit_ns = 1 if digits >= 18 else 1_000 if digits >= 15 else 1_000_000 if digits >= 12 else SECOND_NS
    return lambda text: _number(text, unit_ns)


def _number(text: str, unit_ns: int) -> Time:
    match = _NUMBER.match(text)
    if match is None:
        return _number(str(_plain(text)), unit_ns)
    fraction = match[2] or ""
    scale = 10 ** len(fraction)
    digits = int(match[1] + fraction)
    time_ns = digits * unit_ns // scale
    if abs(time_ns) > TIME_NS_MAX:
        raise ValueError("out of range")
    return time_ns, max(1, unit_ns // scale)


def _plain(text: str) -> str:
    """Return a float in exponential notation without it."""
    number = float(text)
    if not abs(number) < 1e19 or "e" not in text.lower():
        raise ValueError("no number")
    return f"{number:.9f}"


def _iso(text: str) -> Time:
    match = _ISO.match(text)
    if match is None:
        raise ValueError("no ISO time")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    seconds = _day(int(year), int(month), int(day)) * 86_400 + _seconds(hour or "0", minute or "0", second or "0")
    time_ns, unit_ns = _with_fraction(seconds - _zone(zone), fraction)
    return time_ns, unit_ns


def _clock(text: str) -> Time:
    match = _CLOCK.match(text)
    if match is None:
        raise ValueError("no time of the day")
    return _with_fraction(_seconds(match[1], match[2], match[3]), match[4])


def _strptime(text: str, format_: str) -> Time:
    time = datetime.strptime(text, format_)  # noqa: DTZ007  # a log without a zone is compared with itself
    whole = _day(time.year, time.month, time.day) * 86_400 + time.hour * 3600 + time.minute * 60 + time.second
    offset = time.utcoffset()
    whole -= int(offset.total_seconds()) if offset else 0
    return whole * SECOND_NS + time.microsecond * 1_000, 1_000 if "%f" in format_ else SECOND_NS


@lru_cache(64)
def _day(year: int, month: int, day: int) -> int:
    return date(year, month, day).toordinal() - _EPOCH


_EPOCH: Final = datetime.fromtimestamp(0, UTC).toordinal()


def _seconds(hour: str, minute: str, second: str) -> int:
    if int(hour) > 24 or int(minute) > 59 or int(second) > 60:
        raise ValueError("no such time")
    return int(hour) * 3600 + int(minute) * 60 + int(second)


def _with_fraction(seconds: int, fraction: str | None) -> Time:
    digits = (fraction or "")[:9]
    return seconds * SECOND_NS + int(digits.ljust(9, "0") or 0), 10 ** (9 - len(digits))


@lru_cache(64)
def _zone(zone: str | None) -> int:
    """Return the seconds that a zone is ahead of UTC."""
    if zone is None or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds
