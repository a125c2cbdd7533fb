"""Times as people write them: epochs in any unit, seconds since a start, ISO, the time of day, or as strptime reads.

Never rounds: a time is whole nanoseconds, and the unit of its last digit is kept beside it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import compress
from typing import Any, Final

import numpy as np

from orchestrator.trace.store import NULL, Column

SECOND_NS: Final = 1_000_000_000
UNITS_NS: Final = {"s": SECOND_NS, "ms": 1_000_000, "us": 1_000, "ns": 1}
TIME_NS_MAX: Final = 1 << 62
SAMPLE: Final = 200
_DIGITS_MAX: Final = 1 << 51
"""Up to here a float times a power of ten is rounded to the right whole number."""
_CACHE_MAX: Final = 1 << 16

_NUMBER: Final = re.compile(r"([-+]?\d{1,19})(?:[.,](\d*))?\s*([A-Za-zµμ]*)\Z", re.ASCII)
_SUFFIXES: Final = {
    **UNITS_NS,
    **dict.fromkeys(("sec", "secs", "second", "seconds"), SECOND_NS),
    **dict.fromkeys(("msec", "msecs", "millis", "milliseconds"), 1_000_000),
    **dict.fromkeys(("µs", "μs", "usec", "micros", "microseconds"), 1_000),
    **dict.fromkeys(("nsec", "nanos", "nanoseconds"), 1),
}
_DIGIT: Final = re.compile(r"\d")
_FRACTION: Final = re.compile(
    r"(?<!\d)(\d\d?:\d\d:\d\d)[.,:](\d+)|(?<![\d:])(\d\d?:\d\d)[.,](\d+)|(?<=\d)([-T_ ]\d{6})[.,](\d+)"
)
_ISO: Final = re.compile(
    r"(\d{4})[-/.](\d\d?)[-/.](\d\d?)(?:[T_ ]+(\d\d?):(\d\d)(?::(\d\d))?\s*(Z|UTC|GMT|[-+]\d\d:?(?:\d\d)?)?)?\Z",
    re.ASCII,
)
_CLOCK: Final = re.compile(r"(?:(\d\d?):)?(\d\d?):(\d\d)\Z", re.ASCII)
_DATES: Final = ("%d", "%m", "%b", "%B", "%j", "%c", "%x")
_COMMON: Final = (
    *("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %I:%M:%S %p"),
    *("%m/%d/%Y, %I:%M:%S %p", "%d/%m/%Y, %H:%M:%S", "%m/%d/%y %H:%M:%S", "%d/%m/%y %H:%M:%S"),
    *("%m-%d-%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y, %H:%M:%S"),
    *("%d/%b/%Y:%H:%M:%S %z", "%d/%b/%Y:%H:%M:%S", "%d/%b/%Y %H:%M:%S", "%d-%b-%Y %H:%M:%S", "%Y-%b-%d %H:%M:%S"),
    *("%d %b %Y %H:%M:%S", "%d %B %Y %H:%M:%S", "%b %d, %Y %I:%M:%S %p", "%b %d, %Y %H:%M:%S", "%b %d %Y %H:%M:%S"),
    *("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %Z %Y", "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %Z"),
    *("%b %d %H:%M:%S", "%d %b %H:%M:%S", "%a %H:%M:%S", "%I:%M:%S %p", "%y/%m/%d %H:%M:%S", "%m-%d %H:%M:%S"),
    *("%Y%m%d %H:%M:%S", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ", "%Y%m%d-%H:%M:%S", "%Y%m%d-%H%M%S", "%Y%m%d %H%M%S"),
)


class Times:
    """Reads the times of a log; `kind` is what its format says: auto, none, a unit, iso, or a format of strptime."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._formats: Sequence[str] | None = None
        self._unit_ns: int | None = UNITS_NS.get(kind)
        self._bases: dict[str, int | None] = {}
        self.unit_ns = SECOND_NS
        self.unread: list[str] = []
        """What could not be read, the first few of them."""
        self.unread_count = 0

    def read(self, values: Sequence[Any] | None, count: int) -> Column:
        """Return the times, NULL where there is none or it cannot be read; `unit_ns` tells the finest digit so far."""
        times = np.full(count, NULL, np.int64)
        if self._kind == "none" or values is None or not any(values):
            return times
        texts = [value if isinstance(value, str) else "" if value is None else str(value) for value in values]
        if self._formats is None:
            self._decide(texts)
        is_there = list(map(bool, texts))
        some = texts if all(is_there) else list(compress(texts, is_there))
        read = None if self._formats else self._plain(some)
        times[is_there] = read if read is not None else [self._one(text.strip()) for text in some]
        return times

    def _decide(self, texts: Sequence[str]) -> None:
        """Choose what the times are by a sample of them."""
        if self._kind not in ("auto", *UNITS_NS):
            self._formats = (self._kind,)
            return
        some = [text.strip() for text in texts if text and not text.isspace()]
        sample = some[:: max(1, len(some) // SAMPLE)]
        if self._kind in UNITS_NS or not sample or all(_NUMBER.match(text) for text in sample):
            self._formats, self._unit_ns = (), self._unit_ns or _unit_by_size(sample)
            return
        self._formats = _fitting(tuple(_split(text)[0] for text in sample if _DIGIT.search(text)))
        self._unit_ns = self._unit_ns or _unit_by_size(sample)

    def _plain(self, texts: Sequence[str]) -> Column | None:
        """Return plain decimal numbers at the speed of numpy, or None."""
        unit_ns = self._unit_ns or SECOND_NS
        try:
            digits = max(len(text) - text.find(".") - 1 if "." in text else 0 for text in texts)
            numbers = np.array(list(map(float, texts)))
        except ValueError:
            return None
        scaled = numbers * 10.0**digits
        if digits > 9 or unit_ns % 10**digits or not (np.abs(scaled) < _DIGITS_MAX).all():
            return None
        self.unit_ns = min(self.unit_ns, unit_ns // 10**digits)
        times: Column = np.rint(scaled).astype(np.int64) * (unit_ns // 10**digits)
        return times

    def _one(self, text: str) -> int:
        found = self._written(text) if self._formats else self._number(text)
        if found is None:
            self.unread_count += bool(text)
            if text and len(self.unread) < 3:
                self.unread.append(text)
            return NULL
        self.unit_ns = min(self.unit_ns, found[1])
        return found[0]

    def _number(self, text: str) -> tuple[int, int] | None:
        match = _NUMBER.match(text)
        if match is None:
            text = _without_exponent(text)
            match = _NUMBER.match(text)
        if match is None or (match[3] and match[3].lower() not in _SUFFIXES):
            return None
        unit_ns = _SUFFIXES[match[3].lower()] if match[3] else self._unit_ns or SECOND_NS
        fraction = match[2] or ""
        time_ns = int(match[1] + fraction) * unit_ns // 10 ** len(fraction)
        return (time_ns, max(1, unit_ns // 10 ** len(fraction))) if abs(time_ns) <= TIME_NS_MAX else None

    def _written(self, text: str) -> tuple[int, int] | None:
        base, fraction = _split(text)
        if "%f" in self._kind:
            base, fraction = text, ""
        if base not in self._bases:
            if len(self._bases) >= _CACHE_MAX:
                self._bases.clear()
            self._bases[base] = _read(base, (self._formats or ("iso",))[0])
        time_ns = self._bases[base]
        if time_ns is None:
            return None
        digits = fraction[:9]
        unit_ns = 1_000 if "%f" in self._kind else 10 ** (9 - len(digits))
        return time_ns + int(digits.ljust(9, "0") or 0), unit_ns


def can_read(texts: Sequence[str]) -> bool:
    """Return whether all of these are times, none of them a plain number."""
    if any(_NUMBER.match(text.strip()) or not _DIGIT.search(text) for text in texts):
        return False
    return bool((Times("auto").read(texts, len(texts)) != NULL).all())


@lru_cache(256)  # who guesses asks again for each way to divide a column
def _fitting(sample: tuple[str, ...]) -> Sequence[str]:
    """Return the format that reads the most of a sample, none if it is numbers."""
    most, best = 0, ""
    for name in ("iso", "clock", *_COMMON):
        count = sum(_read(text, name) is not None for text in sample)
        if count > most:
            most, best = count, name
        if most == len(sample):
            break
    return (best,) if best else ()


def _unit_by_size(sample: Sequence[str]) -> int:
    """Return the unit of numbers by their size: seconds since an epoch have ten digits today."""
    match = next(filter(None, map(_NUMBER.match, sample)), None)
    digits = len(match[1].lstrip("+-")) if match else 0
    return 1 if digits >= 18 else 1_000 if digits >= 15 else 1_000_000 if digits >= 12 else SECOND_NS


def _without_exponent(text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        return ""
    return f"{number:.9f}" if abs(number) < TIME_NS_MAX and "e" in text.lower() else ""


def _split(text: str) -> tuple[str, str]:
    """Return a time without the fraction of its seconds, and the digits of that."""
    match = _FRACTION.search(text)
    if match is None or match.lastindex is None:
        return text, ""
    return text[: match.end(match.lastindex - 1)] + text[match.end() :], match[match.lastindex]


def _read(text: str, format_: str) -> int | None:
    """Return a time without a fraction in ns, or None if it is not written so."""
    try:
        if format_ == "iso":
            return _iso(text)
        return _clock(text) if format_ == "clock" else _strptime(text, format_)
    except ValueError:
        return None


def _iso(text: str) -> int | None:
    match = _ISO.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    seconds = _day(int(year), int(month), int(day)) * 86_400 + _seconds(hour or "0", minute or "0", second or "0")
    return (seconds - _zone(zone)) * SECOND_NS


def _clock(text: str) -> int | None:
    match = _CLOCK.match(text)
    return _seconds(match[1] or "0", match[2], match[3]) * SECOND_NS if match else None


def _strptime(text: str, format_: str) -> int:
    if not any(part in format_ for part in ("%Y", "%y", "%c", "%x", "%G")):
        text, format_ = f"2000 {text}", f"%Y {format_}"  # a day without a year is none to strptime
    time = datetime.strptime(text, format_)  # noqa: DTZ007  # a log without a zone is compared with itself
    days = _day(time.year, time.month, time.day) if any(part in format_ for part in _DATES) else 0
    whole = days * 86_400 + time.hour * 3600 + time.minute * 60 + time.second
    offset = time.utcoffset()
    whole -= int(offset.total_seconds()) if offset else 0
    return whole * SECOND_NS + time.microsecond * 1_000


@lru_cache(64)
def _day(year: int, month: int, day: int) -> int:
    return date(year, month, day).toordinal() - _EPOCH


_EPOCH: Final = datetime.fromtimestamp(0, UTC).toordinal()


def _seconds(hour: str, minute: str, second: str) -> int:
    if int(hour) > 24 or int(minute) > 59 or int(second) > 60:
        raise ValueError("no such time")
    return int(hour) * 3600 + int(minute) * 60 + int(second)


@lru_cache(64)
def _zone(zone: str | None) -> int:
    """Return the seconds that a zone is ahead of UTC."""
    if zone is None or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds
