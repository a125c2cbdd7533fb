"""By id: a receive names the message that it received, and the send names it, too.

Never takes a message that others sent or received under the same id for this one where the record tells them apart. An
id is taken to name one message unless some receive could be of several sends; then lines may be missing.
"""

import numpy as np

from orchestrator.audit import words
from orchestrator.audit.pairing.ledger import Ledger, fits, receipt, too_early
from orchestrator.audit.pairing.namesakes import Namesakes
from orchestrator.audit.store import ONE, ForeignTrace
from orchestrator.trace.store import Column, Mask


def pair(ledger: Ledger, receives: Column) -> None:
    """Find the send of each receive, and each message that was received twice, or was sent by nobody."""
    trace = ledger.trace
    sends = np.flatnonzero(trace.is_send & (trace.message >= 0))
    ids = Namesakes(trace, receives, trace.message[receives], sends, trace.message[sends])
    is_open = ids.has_namesake_with_choice
    is_unique = not is_open.any()
    is_paired = (ids.choices == 1) & ~is_open
    _paired(ledger, ids.send[is_paired], receives[is_paired], is_unique=is_unique)
    if not is_unique:
        ledger.is_ambiguous = True
        _counted(ledger, ids, is_open & (ids.choices > 0))
    is_once = len(np.unique(trace.message[sends])) == len(sends)
    without = ids.choices == 0
    _sent_by_nobody(ledger, receives[without], ids.other[without], is_once=is_once)


def _paired(ledger: Ledger, sends: Column, receives: Column, *, is_unique: bool) -> None:
    """Judge receives, each with the only send that is known under its id."""
    trace = ledger.trace
    may_be_another = np.full(len(receives), False) if is_unique else ledger.may_be_unseen(receives)
    ledger.add_pairs(sends[~may_be_another], receives[~may_be_another])
    if trace.has_clock:
        is_early = trace.clock[receives] <= trace.clock[sends]
        ledger.clock_condition.all_violated(
            np.flatnonzero(is_early & ~may_be_another).tolist(),
            lambda place: too_early(trace, int(sends[place]), int(receives[place])),
        )
        for place in np.flatnonzero(is_early & may_be_another)[:1].tolist():
            doubt = too_early(trace, int(sends[place]), int(receives[place]))
            ledger.clock_condition.unknown(f"{doubt} Unless that id was sent twice, and a line is missing.")
    _again(ledger, sends, receives, may_be_another)


def _again(ledger: Ledger, sends: Column, receives: Column, may_be_another: Mask) -> None:
    """Find receives of a message that was received before; one to a machine that is not named is for one of all."""
    trace = ledger.trace
    node = np.where(trace.to[sends] >= ONE, -1, trace.node[receives])
    order = np.lexsort((trace.position[receives], node, sends))
    is_again = (np.diff(sends[order]) == 0) & (np.diff(node[order]) == 0)
    for place in np.flatnonzero(is_again).tolist():
        first, again = int(order[place]), int(order[place + 1])
        say = ledger.exactly_once.unknown if may_be_another[again] else ledger.exactly_once.violated
        say(_twice(trace, int(sends[again]), int(receives[first]), int(receives[again])))


def _twice(trace: ForeignTrace, send: int, first: int, again: int) -> str:
    return (
        f"{receipt(trace, again)} that was received before, at {words.event(trace, first)}; it was sent once, at "
        f"{words.event(trace, send)}. ({trace.place_of(first)}, {trace.place_of(again)})"
    )


def _counted(ledger: Ledger, ids: Namesakes, chosen: Mask) -> None:
    """Judge receives of ids that were sent several times, over all ways to pair them."""
    is_sure = chosen & ~ids.of_the_names_of(ledger.may_be_unseen(ids.receives))
    by_clock = ledger.trace.has_clock
    proved, recorded = ids.count(is_sure, by_clock=by_clock), ids.count(chosen, by_clock=by_clock)
    early = "receives whose id was sent several times are not later than their sends, however they are paired"
    short = "receives whose id was sent several times have no message of their own: it was received more often"
    if proved.violations:
        ledger.clock_condition.violated(f"{proved.violations} {early} (Lamport's IR2).", times=proved.violations)
    elif recorded.violations:
        ledger.clock_condition.unknown(f"{recorded.violations} {early}, unless lines are missing.")
    if proved.unsent:
        ledger.exactly_once.violated(f"{proved.unsent} {short}.", times=proved.unsent)
    elif recorded.unsent:
        ledger.exactly_once.unknown(f"{recorded.unsent} {short}, unless lines are missing.")


def _sent_by_nobody(ledger: Ledger, receives: Column, namesakes: Column, *, is_once: bool) -> None:
    """Judge receives without a send; `namesakes` are sends of the same id that cannot be theirs, or -1."""
    trace = ledger.trace
    source, sender = trace.node[namesakes], trace.sender[receives]
    is_to_others = (namesakes >= 0) & (source != trace.node[receives]) & ((sender < 0) | (sender == source)) & is_once
    ledger.exactly_once.all_violated(
        np.flatnonzero(is_to_others).tolist(),
        lambda place: _sent_to_others(trace, int(namesakes[place]), int(receives[place])),
    )
    receives = receives[~is_to_others]
    may_be = ledger.may_be_unseen(receives) | _may_be_nameless(trace, receives)
    ledger.exactly_once.all_violated(
        receives[~may_be].tolist(),
        lambda row: (
            f"{receipt(trace, row)} that nobody sent, and no log has room for that send. ({trace.place_of(row)})"
        ),
    )
    for row in receives[may_be][:1].tolist():
        ledger.exactly_once.unknown(
            f"{receipt(trace, row)} of which no send is in the record; a line or a log may be missing. "
            f"({trace.place_of(row)})"
        )


def _may_be_nameless(trace: ForeignTrace, receives: Column) -> Mask:
    """Return which of these receives may be of a send that names no id."""
    nameless = np.flatnonzero(trace.is_send & (trace.message < 0))
    known: dict[tuple[int, int], bool] = {}
    for row in receives.tolist() if len(nameless) else ():
        ends = int(trace.node[row]), int(trace.sender[row])
        if ends not in known:
            known[ends] = bool(fits(trace, nameless, np.full(len(nameless), row)).any())
    ends_of = zip(trace.node[receives].tolist(), trace.sender[receives].tolist(), strict=True)
    return np.array([known.get(ends, False) for ends in ends_of], np.bool_)


def _sent_to_others(trace: ForeignTrace, send: int, receive: int) -> str:
    return (
        f"{receipt(trace, receive)} that was not sent to it: {words.event(trace, send)} sent it to somebody else. "
        f"({trace.place_of(send)}, {trace.place_of(receive)})"
    )
