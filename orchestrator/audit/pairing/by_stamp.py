"""By stamp: a receive names the timestamp that its message carried, and nothing else.

A message carries the clock of its send (IR2a), so a receive must be later than its stamp whoever sent it; and somebody
must have sent with that clock. Never guesses who.
"""

import numpy as np

from orchestrator.audit import words
from orchestrator.audit.counting import Count
from orchestrator.audit.pairing.ledger import Ledger, not_later_than_stamp, receipt
from orchestrator.audit.pairing.namesakes import Namesakes
from orchestrator.audit.store import ForeignTrace
from orchestrator.trace.store import Column, Mask


def pair(ledger: Ledger, receives: Column) -> None:
    """Compare each receive with its stamp, and look for sends with that clock, enough of them for all its receives."""
    trace = ledger.trace
    is_early = trace.clock[receives] <= trace.stamp[receives]
    ledger.clock_condition.all_violated(receives[is_early].tolist(), lambda row: not_later_than_stamp(trace, row))
    sends = np.flatnonzero(trace.is_send)
    stamps = Namesakes(trace, receives, trace.stamp[receives], sends, trace.clock[sends])
    may_be_unseen = ledger.may_be_unseen(receives, trace.stamp[receives])
    without = stamps.choices == 0
    of_nobody, of_somebody = receives[without & ~may_be_unseen], receives[without & may_be_unseen]
    ledger.exactly_once.all_violated(of_nobody.tolist(), lambda row: _sent_by_nobody(trace, row))
    for row in of_somebody[:1].tolist():
        ledger.exactly_once.unknown(f"{_no_send(trace, row)}, but lines may be missing. ({trace.place_of(row)})")
    _short(ledger, stamps, may_be_unseen)
    if not len(of_nobody):  # else messages may carry something else, and what they fit is chance
        is_certain = (stamps.choices == 1) & stamps.has_own & ~may_be_unseen
        ledger.add_pairs(stamps.send[is_certain], receives[is_certain])


def _short(ledger: Ledger, stamps: Namesakes, may_be_unseen: Mask) -> None:
    """Find stamps that were received more often than messages can have carried them."""
    short = stamps.may_run_short
    is_sure = short & ~stamps.of_the_names_of(may_be_unseen)
    if (proved := stamps.count(is_sure, by_clock=False)).unsent:
        ledger.exactly_once.violated(_too_often(ledger.trace, stamps, proved), times=proved.unsent)
    elif (recorded := stamps.count(short, by_clock=False)).unsent:
        ledger.exactly_once.unknown(f"{_too_often(ledger.trace, stamps, recorded)} Unless lines are missing.")


def _too_often(trace: ForeignTrace, stamps: Namesakes, count: Count) -> str:
    rows = stamps.like(count.tight)
    return (
        f"timestamp {trace.shown_clock(int(trace.stamp[rows[0]]))} was received {len(rows)} times, last at "
        f"{words.event(trace, int(rows[-1]))}, but fewer messages can have carried it. ({trace.place_of(rows[-1])})"
    )


def _no_send(trace: ForeignTrace, row: int) -> str:
    shown = trace.shown_clock(int(trace.stamp[row]))
    return f"{receipt(trace, row)} with timestamp {shown}, and no send that could have gone to it has that clock"


def _sent_by_nobody(trace: ForeignTrace, row: int) -> str:
    return (
        f"{_no_send(trace, row)}: nobody sent it, or a message carries something else than the clock of its send. "
        f"({trace.place_of(row)})"
    )
