"""Times as people write them, to the nanosecond."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.formats.times import Times, can_read
from orchestrator.trace.store import NULL

DAY_NS = 86_400_000_000_000


def read(*texts: object, kind: str = "auto") -> list[int | None]:
    """Read times; None where one cannot be read."""
    return [None if time == NULL else time for time in Times(kind).read(list(texts), len(texts)).tolist()]


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("12.345678", 12_345_678_000),
        ("1678239498.147", 1_678_239_498_147_000_000),
        ("1678239498147", 1_678_239_498_147_000_000),
        ("1678239498147123", 1_678_239_498_147_123_000),
        ("1678239498147123456", 1_678_239_498_147_123_456),
        ("171ms", 171_000_000),
        ("0.5s", 500_000_000),
        ("12 µs", 12_000),
        ("1.5e-3", 1_500_000),
        ("1970-01-02", DAY_NS),
        ("1970-01-02T00:00:01Z", DAY_NS + 1_000_000_000),
        ("1970-01-02 00:00:01,250", DAY_NS + 1_250_000_000),
        ("1970-01-02T01:00:01.5+01:00", DAY_NS + 1_500_000_000),
        ("1970/01/02 00:00:01.000001", DAY_NS + 1_000_001_000),
        ("00:00:01.5", 1_500_000_000),
        ("01:02.5", 62_500_000_000),
        ("12:00:01 AM", 1_000_000_000),
        ("01/02/1970 00:00:01", DAY_NS + 1_000_000_000),
        ("01/02/1970 12:00:01.5 AM", DAY_NS + 1_500_000_000),
        ("02.01.1970 00:00:01", DAY_NS + 1_000_000_000),
        ("02/Jan/1970:00:00:01 +0000", DAY_NS + 1_000_000_000),
        ("Fri Jan  2 00:00:01 1970", DAY_NS + 1_000_000_000),
        ("Fri, 02 Jan 1970 00:00:01 GMT", DAY_NS + 1_000_000_000),
        ("02-Jan-1970 00:00:01.25", DAY_NS + 1_250_000_000),
        ("19700102T000001", DAY_NS + 1_000_000_000),
        ("19700102-000001.5", DAY_NS + 1_500_000_000),
        ("Jan 2, 1970 12:00:01 AM", DAY_NS + 1_000_000_000),
    ],
)
def test_a_time_is_read_as_it_is_written(text: str, time_ns: int) -> None:
    assert [time_ns] == read(text)


def test_a_day_without_a_year_is_of_a_leap_year() -> None:
    """The difference between two is right, also over the end of February."""
    first, second = read("Feb 28 23:59:59", "Mar  1 00:00:00")

    assert first is not None and second is not None
    assert DAY_NS + 1_000_000_000 == second - first


def test_the_unit_of_the_last_digit_is_kept() -> None:
    for texts, unit_ns in ((["1.5", "2"], 100_000_000), (["1"], 1_000_000_000), (["00:00:01,123"], 1_000_000)):
        times = Times("auto")
        times.read(texts, len(texts))

        assert unit_ns == times.unit_ns


@pytest.mark.parametrize(
    ("kind", "time_ns"), [("s", 5_000_000_000), ("ms", 5_000_000), ("us", 5_000), ("ns", 5), ("none", None)]
)
def test_a_format_may_say_the_unit(kind: str, time_ns: int | None) -> None:
    assert [time_ns] == read("5", kind=kind)
    assert [time_ns] == read(5, kind=kind)


def test_a_format_may_say_how_strptime_reads_it() -> None:
    assert [DAY_NS + 3_600_000_000_000 + 250_000_000] == read("1h on 02|01|70.25", kind="%Hh on %d|%m|%y.%f")


def test_what_cannot_be_read_is_null_and_counted() -> None:
    times = Times("auto")
    read_ = times.read(["1.5", "soon", "", None, "2.5"], 5)

    assert [1_500_000_000, NULL, NULL, NULL, 2_500_000_000] == read_.tolist()
    assert (1, ["soon"]) == (times.unread_count, times.unread)


@given(st.lists(st.decimals(0, 2_000_000_000, places=6), min_size=1, max_size=50))
def test_the_fast_way_reads_what_the_plain_way_reads(numbers: list[object]) -> None:
    """Decimal numbers are read as floats where that is exact, and digit by digit where a word stands among them."""
    texts = [str(number) for number in numbers]

    assert read(*texts) == read(*texts, "never")[:-1]
    assert read(*texts) == [int(text.replace(".", "")) * 1000 for text in texts]


def test_numbers_alone_are_no_sure_times() -> None:
    assert not can_read(["1", "2"])
    assert not can_read(["send", "receive"])
    assert can_read(["09:00:01", "09:00:02"])
