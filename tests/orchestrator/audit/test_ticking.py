"""Ticks: a sleep after the work and gaps are found, deadlines are not, nor a rate that is nobody's business."""

from dataclasses import replace

import numpy as np
import pytest

from node.model import SECOND_NS
from orchestrator.audit.store import ForeignTrace
from orchestrator.audit.ticking import tick_remarks
from tests.foreign_traces import foreign_trace

MS = 1_000_000


def ticking(
    period_ns: float, *, late_ns: float = 0, jitter_ns: int = 0, count: int = 60, unit_ns: int = 1
) -> ForeignTrace:
    """Return a machine that ticks; each tick is later by so much more, and all scatter by so much."""
    tick = np.arange(count)
    times = (tick * (period_ns + late_ns) + (tick * 7919 % 101) / 101 * jitter_ns).astype(np.int64)
    return foreign_trace([0] * count, times_ns=(times // unit_ns * unit_ns).tolist(), unit_ns=unit_ns)


@pytest.mark.parametrize(
    ("rate_hz", "late_ms", "jitter_ms", "by"),
    [
        (1, 4, 0, "4.0 ms at a (1 tick a second)"),
        (3, 3.5, 2, "10.5 ms at a (3 ticks a second)"),
        (6, 3.6, 0, "21.6 ms at a (6 ticks a second)"),
        (10, 0.1, 0, None),  # that much is the clock's own affair
        (6, 0, 20, None),
        (1, 0, 90, None),
        (1, 0.5, 0, None),
        (30, 2, 0, None),  # 28.3 a second, or 30 and late: nobody knows
    ],
)
def test_a_sleep_after_the_work_is_told_from_a_deadline(
    rate_hz: int, late_ms: float, jitter_ms: int, by: str | None
) -> None:
    """What is late by some more at each tick comes ever later; what scatters does not."""
    trace = ticking(SECOND_NS / rate_hz, late_ns=late_ms * MS, jitter_ns=jitter_ms * MS)

    found = list(tick_remarks(trace))

    assert [by is not None] * (by is not None) == [(by or "") in remark and "ever later" in remark for remark in found]


def test_ticks_may_come_ever_earlier() -> None:
    """And one in so many seconds is a rate, too."""
    (remark,) = tick_remarks(ticking(5 * SECOND_NS, late_ns=-20 * MS))

    assert remark == "the ticks of machine a come ever earlier, with each second by 4.0 ms at a (a tick in 5 s)"


def test_a_few_ticks_that_scatter_do_not_show_a_slope() -> None:
    """Eight ticks lie on some line or other."""
    assert list(tick_remarks(ticking(SECOND_NS, jitter_ns=40 * MS, count=8))) == []


def test_a_clock_shows_no_lateness_below_its_last_digit() -> None:
    """Sixteen hundredths of a second are less than twice a tenth, and said where the time has more digits."""
    rough, fine = (ticking(SECOND_NS, late_ns=8 * MS, unit_ns=unit_ns, count=20) for unit_ns in (100 * MS, MS))

    assert [len(list(tick_remarks(each))) for each in (rough, fine)] == [0, 1]


def test_a_period_that_is_no_rate_is_nobodys_business() -> None:
    """A machine that ticks every 1.6 s may be meant to."""
    assert list(tick_remarks(ticking(1.6 * SECOND_NS))) == []


def test_gaps_are_counted_and_the_longest_is_shown() -> None:
    """Where a machine stood still, or where lines are missing."""
    trace = ticking(SECOND_NS / 4)
    stood = np.where(trace.position > 20, 2 * SECOND_NS, 0) + np.where(trace.position > 40, SECOND_NS, 0)

    assert list(tick_remarks(replace(trace, time_ns=trace.time_ns + stood))) == [
        "the ticks of machine a have 2 gaps: the longest, of 2.250 s in place of 0.250 s, is before a:21 (t.log:21)"
    ]


def test_of_machines_that_do_not_tick_nothing_is_said() -> None:
    """Nor of those without times, nor of those too short to tell."""
    irregular = foreign_trace([0] * 50, times_ns=[place**3 for place in range(50)])

    assert [list(tick_remarks(each)) for each in (irregular, foreign_trace([0] * 50), ticking(1.004e9, count=7))] == [
        [],
        [],
        [],
    ]
