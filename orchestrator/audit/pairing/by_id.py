"""By id: a receive names the message that it received, and the send names it, too.

Never takes a message that others sent or received under the same id for this one where the record tells them apart.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from orchestrator.audit.pairing.ledger import Ledger, can_receive, receipt
from orchestrator.audit.store import ForeignTrace
from orchestrator.trace.store import Column


def pair(ledger: Ledger, receives: Column) -> None:
    """Find the send of each receive, and each that was received twice, or was sent by nobody."""
    trace = ledger.trace
    sends = np.flatnonzero(trace.is_send & (trace.message >= 0))
    sends_of: dict[int, list[int]] = defaultdict(list)
    for send, message in zip(sends.tolist(), trace.message[sends].tolist(), strict=True):
        sends_of[message].append(send)
    is_once = all(len(rows) == 1 for rows in sends_of.values())
    takes: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    keys = zip(
        trace.message[receives].tolist(), trace.node[receives].tolist(), trace.sender[receives].tolist(), strict=True
    )
    for key, receive in zip(keys, receives.tolist(), strict=True):
        takes[key].append(receive)
    pairs: list[tuple[int, int]] = []
    for (message, node, sender), rows in takes.items():
        known = sends_of.get(message, [])
        candidates = (
            known if len(known) == 1 and _fits(trace, known[0], node, sender) else _fitting(trace, known, node, sender)
        )
        if len(candidates) == 1:
            pairs.append((candidates[0], rows[0]))
            _twice(ledger, candidates[0], rows, is_once=is_once)
        elif candidates:
            pairs += _several(ledger, candidates, rows)
        else:
            _sent_by_nobody(ledger, known, rows, is_once=is_once)
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    ledger.add_pairs(columns[:, 0], columns[:, 1])
    ledger.condition(columns[:, 0], columns[:, 1])


def _fits(trace: ForeignTrace, send: int, node: int, sender: int) -> bool:
    """Whether one send may be what a machine received, at the speed that the usual case deserves."""
    to, source = trace.to[send], trace.node[send]
    return bool((to == node or (-3 < to < 0 and source != node)) and sender in (-1, source))


def _fitting(trace: ForeignTrace, sends: Sequence[int], node: int, sender: int) -> list[int]:
    rows = np.array(sends, np.int64)
    if sender >= 0:
        rows = rows[trace.node[rows] == sender]
    return [int(row) for row in can_receive(trace, rows, node)]


def _twice(ledger: Ledger, send: int, rows: Sequence[int], *, is_once: bool) -> None:
    """Judge further receives of one message by one machine."""
    trace = ledger.trace
    for row in rows[1:]:
        words = (
            f"{receipt(trace, row)} that it had received before, at {trace.name_of(rows[0])}; it was sent once, at "
            f"{trace.name_of(send)}. ({trace.place_of(rows[0])}, {trace.place_of(row)})"
        )
        if is_once or not ledger.may_be_unseen(row):
            ledger.exactly_once.violated(words)
        else:
            ledger.exactly_once.unknown(words)


def _several(ledger: Ledger, candidates: Sequence[int], rows: Sequence[int]) -> list[tuple[int, int]]:
    """Pair the receives of an id that was sent several times: in order, so that as few as can be come too early."""
    trace = ledger.trace
    if trace.has_clock:
        candidates = sorted(candidates, key=lambda row: int(trace.clock[row]))
        rows = sorted(rows, key=lambda row: int(trace.clock[row]))
    for row in rows[len(candidates) :]:
        words = f"{receipt(trace, row)} whose id was sent {len(candidates)} times and received {len(rows)} times there"
        if ledger.may_be_unseen(row):
            ledger.exactly_once.unknown(f"{words}. ({trace.place_of(row)})")
        else:
            ledger.exactly_once.violated(f"{words}. ({trace.place_of(row)})")
    return _least(trace, candidates, rows[: len(candidates)])


def _least(trace: ForeignTrace, sends: Sequence[int], receives: Sequence[int]) -> list[tuple[int, int]]:
    """Return pairs of which as many as possible are later than their send: the latest send that is early enough."""
    if not trace.has_clock:
        return list(zip(sends, receives, strict=False))
    free, later, pairs, rest = list(sends), 0, [], []
    for receive in receives:
        while later < len(free) and trace.clock[free[later]] < trace.clock[receive]:
            later += 1
        if later:
            later -= 1
            pairs.append((free.pop(later), receive))
        else:
            rest.append(receive)
    return [*pairs, *zip(free, rest, strict=False)]


def _sent_by_nobody(ledger: Ledger, known: Sequence[int], rows: Sequence[int], *, is_once: bool) -> None:
    trace = ledger.trace
    others = [send for send in known if trace.node[send] != trace.node[rows[0]]]
    for row in rows:
        if others and is_once:
            ledger.exactly_once.violated(
                f"{receipt(trace, row)} that was not sent to it: {trace.name_of(others[0])} sent it to somebody else. "
                f"({trace.place_of(others[0])}, {trace.place_of(row)})"
            )
        elif ledger.may_be_unseen(row):
            ledger.exactly_once.unknown(
                f"{receipt(trace, row)} of which no send is in the record; a line or a log may be missing. "
                f"({trace.place_of(row)})"
            )
        else:
            ledger.exactly_once.violated(
                f"{receipt(trace, row)} that nobody sent, and no log has room for that send. ({trace.place_of(row)})"
            )
