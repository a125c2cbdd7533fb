"""By stamp: a receive names the timestamp that its message carried, and nothing else.

A message carries the clock of its send (IR2a), so a receive must be later than its stamp whoever sent it; and somebody
must have sent with that clock. Never guesses who.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from orchestrator.audit.counting import Receive, Unit, least_violations
from orchestrator.audit.pairing.ledger import Ledger, receipt
from orchestrator.audit.store import ONE, ForeignTrace
from orchestrator.trace.store import Column


def pair(ledger: Ledger, receives: Column) -> None:
    """Compare each receive with its stamp, and look for sends with that clock, enough of them for all its receives."""
    trace = ledger.trace
    wrong = receives[trace.clock[receives] <= trace.stamp[receives]].tolist()
    ledger.clock_condition.all_violated(wrong, lambda row: not_later_than_stamp(trace, row))
    sends = np.flatnonzero(trace.is_send)
    sends_at: dict[int, list[int]] = defaultdict(list)
    for send, clock in zip(sends.tolist(), trace.clock[sends].tolist(), strict=True):
        sends_at[clock].append(send)
    received: dict[int, list[int]] = defaultdict(list)
    for receive, stamp in zip(receives.tolist(), trace.stamp[receives].tolist(), strict=True):
        received[stamp].append(receive)
    pairs = [
        found
        for stamp, rows in received.items()
        if (found := _pair_equal(ledger, stamp, sends_at.get(stamp, []), rows))
    ]
    ledger.add_pairs([send for send, _ in pairs], [receive for _, receive in pairs])


def not_later_than_stamp(trace: ForeignTrace, row: int) -> str:
    """Say that a receive is not later than the timestamp that it names."""
    stamp = int(trace.stamp[row])
    return (
        f"{receipt(trace, row)} with timestamp {trace.shown_clock(stamp)}, and its clock then was "
        f"{trace.shown_clock(int(trace.clock[row]))}. A receive must be later than its send: at least "
        f"{trace.shown_clock(stamp + trace.clock_scale)} (Lamport's IR2). ({trace.place_of(row)})"
    )


def _pair_equal(ledger: Ledger, stamp: int, sends: Sequence[int], rows: Sequence[int]) -> tuple[int, int] | None:
    """Judge all receives of one stamp; return the pair if there is but one way to pair them."""
    trace = ledger.trace
    able = {row: [send for send in sends if _can_be_from(trace, send, row)] for row in rows}
    if len(rows) == 1 and able[rows[0]]:
        is_certain = len(able[rows[0]]) == 1 and not ledger.may_be_unseen(rows[0], stamp=stamp)
        return (able[rows[0]][0], rows[0]) if is_certain else None
    without = [row for row in rows if not able[row]]
    for row in without:
        _nobody(ledger, row, stamp)
    rest = [row for row in rows if able[row]]
    short = _short(trace, sends, rest)
    if short:
        words = (
            f"timestamp {trace.shown_clock(stamp)} was received {len(rest)} times, such as at "
            f"{trace.name_of(rest[-1])}, but only {len(rest) - short} messages can have carried it "
            f"({trace.place_of(rest[-1])})."
        )
        if any(ledger.may_be_unseen(row, stamp=stamp) for row in rest):
            ledger.exactly_once.unknown(words)
        else:
            ledger.exactly_once.violated(words, times=short)
    return None


def _can_be_from(trace: ForeignTrace, send: int, receive: int) -> bool:
    node, sender = int(trace.node[receive]), int(trace.sender[receive])
    if sender >= 0 and trace.node[send] != sender:
        return False
    to = int(trace.to[send])
    if to >= 0:
        return to == node
    if trace.node[send] == node:
        return False
    return to >= -2 or node in trace.recipients[send]


def _short(trace: ForeignTrace, sends: Sequence[int], rows: Sequence[int]) -> int:
    """Return how many of these receives at least have no message of their own."""
    if len(rows) < 2:
        return 0
    units: list[Unit] = []
    for send in sends:
        recipients = trace.possible_recipients(send)
        units += [Unit(0, recipients)] if trace.to[send] == ONE else [Unit(0, (node,)) for node in recipients]
    return least_violations([Receive(1, int(trace.node[row])) for row in rows], units).unsent


def _nobody(ledger: Ledger, row: int, stamp: int) -> None:
    trace = ledger.trace
    shown = trace.shown_clock(stamp)
    if ledger.may_be_unseen(row, stamp=stamp):
        ledger.exactly_once.unknown(
            f"{receipt(trace, row)} with timestamp {shown}; no send in the record that could have gone to it has that "
            f"clock, but lines may be missing. ({trace.place_of(row)})"
        )
    else:
        ledger.exactly_once.violated(
            f"{receipt(trace, row)} with timestamp {shown}, and no send that could have gone to it has that clock: "
            f"nobody sent it, or a message carries something else than the clock of its send. ({trace.place_of(row)})"
        )
