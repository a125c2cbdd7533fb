"""By order: a receive names the sender, and a link keeps its order, so that its i-th receive is of its i-th message.

Never pairs across a hole: where a log has room for unseen events, they may stand before those that are seen. Never
relies on the order of a sender whose clock falls: then its messages are only counted.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from orchestrator.audit import words
from orchestrator.audit.counting import Unit
from orchestrator.audit.pairing.division import Least, of_link, of_links, whatever_order
from orchestrator.audit.pairing.ledger import Ledger, fits, not_later_than_stamp, receipt, too_early
from orchestrator.audit.store import ONE, ForeignTrace
from orchestrator.trace.store import NULL, Column, Mask


class _Found(NamedTuple):
    """What is wrong with receives that name one sender: in the record, and with whatever the record may lack.

    `sends` are in their order what the receives are of, if that is known. `is_early` says which receives are not later
    than their send for certain.
    """

    receives: Column
    sends: Column
    recorded: Least
    proved: Least
    is_early: Mask


def pair(ledger: Ledger, receives: Column) -> None:
    """Pair the receives of each link with its sends, in their order."""
    trace = ledger.trace
    receives = receives[np.lexsort((trace.position[receives], trace.node[receives]))]
    for sender in np.unique(trace.sender[receives]).tolist():
        mine = receives[trace.sender[receives] == sender]
        is_again = _is_again(trace, mine)
        ledger.exactly_once.all_violated(mine[is_again].tolist(), lambda row: _received_again(trace, row))
        mine = mine[~is_again]
        program = trace.programs[sender]
        sends = program[trace.is_send[program]]
        links = {node: mine[trace.node[mine] == node] for node in np.unique(trace.node[mine]).tolist()}
        falls = trace.has_clock and bool((np.diff(trace.clock[program]) < 0).any())
        is_open = trace.may_be_some or bool((trace.to[sends] == ONE).any())
        is_divided = len(trace.nodes) > 2 and is_open
        if is_divided or falls:
            _divided(ledger, sender, sends, links, falls=falls)
            continue
        for rows in links.values():
            sent_there = sends[fits(trace, sends, np.full(len(sends), rows[0]))]
            _pair_up(ledger, sent_there, rows)
            _link(ledger, sender, sent_there, rows)


def _is_again(trace: ForeignTrace, receives: Column) -> Mask:
    """Return which receives from one sender name a timestamp again: if its clock rises, that was one event."""
    stamps, sender = trace.stamp[receives], int(trace.sender[receives[0]])
    if not (trace.has_clock and (stamps != NULL).any() and _rises(trace, sender)):
        return np.zeros(len(receives), np.bool_)
    _, first = np.unique(np.stack([stamps, trace.node[receives]]), axis=1, return_index=True)
    is_again: Mask = np.not_equal(stamps, NULL)
    is_again[first] = False
    return is_again


def _pair_up(ledger: Ledger, sends: Column, receives: Column) -> None:
    """Pair the i-th receive with the i-th send unless a log may lack some before, or where the stamp says the same."""
    trace, count = ledger.trace, min(len(sends), len(receives))
    of_anybody = np.unique(trace.node[trace.is_receive & (trace.sender < 0)])
    is_orderly = count == len(receives) and not np.isin(trace.node[receives], of_anybody).any()
    sends, receives = sends[:count], receives[:count]
    is_certain = ledger.is_whole_before(sends) & ledger.is_whole_before(receives) & is_orderly
    if count and trace.has_clock and _rises(trace, int(trace.node[sends[0]])):
        is_certain |= trace.stamp[receives] == trace.clock[sends]
    ledger.add_pairs(sends[is_certain], receives[is_certain])


def _link(ledger: Ledger, sender: int, sends: Column, receives: Column) -> None:
    """Judge the receives of a link of which it is known what was sent along it."""
    trace, rooms = ledger.trace, ledger.rooms.of(sender)
    if not trace.has_clock:
        unsent = max(0, len(receives) - len(sends))
        recorded, proved = (Least(0, count, is_exact=True) for count in (unsent, 0 if len(rooms) else unsent))
        _report(ledger, _Found(receives, sends, recorded, proved, np.zeros(len(receives), np.bool_)))
        return
    clocks, sent = trace.clock[receives], trace.clock[sends]
    is_early = clocks <= trace.stamp[receives]
    recorded = of_link(clocks, sent)
    if recorded.is_clean and not is_early.any():
        return
    with_unseen = np.sort(np.append(sent, rooms.earliest(len(receives))))
    proved = of_link(clocks, with_unseen)
    if not proved.unsent:
        is_early |= clocks <= with_unseen[: len(clocks)]
    _report(ledger, _Found(receives, sends, recorded, proved, is_early))


def _divided(ledger: Ledger, sender: int, sends: Column, links: Mapping[int, Column], *, falls: bool) -> None:
    """Judge the links of a sender that does not name its recipients: however its messages are divided among them."""
    trace = ledger.trace
    if not trace.has_clock:
        return
    judge = whatever_order if falls else of_links
    receives = np.concatenate(list(links.values()))
    clocks = {node: trace.clock[rows] for node, rows in links.items()}
    is_early = trace.clock[receives] <= trace.stamp[receives]
    units = _units(trace, sends)
    recorded = judge(clocks, units)
    if recorded.is_clean and not is_early.any():
        return
    rooms = ledger.rooms.of(sender)
    units += [Unit(clock, (node,)) for node, rows in links.items() for clock in rooms.earliest(len(rows)).tolist()]
    _report(ledger, _Found(receives, np.empty(0, np.int64), recorded, judge(clocks, sorted(units)), is_early))


def _units(trace: ForeignTrace, sends: Column) -> list[Unit]:
    units: list[Unit] = []
    for send in sends.tolist():
        clock, recipients = int(trace.clock[send]), trace.possible_recipients(send)
        units += [Unit(clock, recipients)] if trace.to[send] == ONE else [Unit(clock, (node,)) for node in recipients]
    return units


def _rises(trace: ForeignTrace, node: int) -> bool:
    return bool((np.diff(trace.clock[trace.programs[node]]) > 0).all())


def _report(ledger: Ledger, found: _Found) -> None:
    """Add what was found; what is only wrong as long as no line is missing is a doubt."""
    early = int(found.is_early.sum())
    ledger.clock_condition.all_violated(
        np.flatnonzero(found.is_early).tolist(), lambda place: _early(ledger.trace, found, place)
    )
    at_least = "" if found.proved.is_exact else "at least "
    if found.proved.violations > early:
        ledger.clock_condition.violated(
            f"{at_least}{_however(ledger.trace, found, found.proved.violations)}.",
            times=found.proved.violations - early,
        )
    elif found.recorded.violations > early:
        ledger.clock_condition.unknown(
            f"{_however(ledger.trace, found, found.recorded.violations)}, unless lines are missing from its log."
        )
    if found.proved.unsent:
        ledger.exactly_once.violated(_sent_fewer(ledger.trace, found), times=found.proved.unsent)
    elif found.recorded.unsent:
        ledger.exactly_once.unknown(f"{_sent_fewer(ledger.trace, found)} A line or a log may be missing.")


def _early(trace: ForeignTrace, found: _Found, place: int) -> str:
    row = int(found.receives[place])
    if place < len(found.sends) and trace.clock[row] <= trace.clock[found.sends[place]]:
        return too_early(trace, int(found.sends[place]), row)
    if trace.clock[row] <= trace.stamp[row]:
        return not_later_than_stamp(trace, row)
    return (
        f"{receipt(trace, row, f'from {_sender(trace, found)}')} with clock "
        f"{trace.shown_clock(int(trace.clock[row]))}, which is not later than any send that it may have come from, "
        f"seen or unseen (Lamport's IR2). ({trace.place_of(row)})"
    )


def _received_again(trace: ForeignTrace, row: int) -> str:
    sender, shown = words.called(trace, int(trace.sender[row])), trace.shown_clock(int(trace.stamp[row]))
    return (
        f"{receipt(trace, row)} from {sender} with timestamp {shown}, as it had before: a sender's clock "
        f"rises, so this was one message. ({trace.place_of(row)})"
    )


def _however(trace: ForeignTrace, found: _Found, count: int) -> str:
    return (
        f"{count} of the {len(found.receives)} receives that name {_sender(trace, found)} as their sender are "
        f"not later than their send (Lamport's IR2), however its messages were received, each link in its order"
    )


def _sent_fewer(trace: ForeignTrace, found: _Found) -> str:
    row = int(found.receives[-1])
    return (
        f"{receipt(trace, row, f'from {_sender(trace, found)}')}, which had sent fewer messages than were "
        f"received from it. ({trace.place_of(row)})"
    )


def _sender(trace: ForeignTrace, found: _Found) -> str:
    return words.called(trace, int(trace.sender[found.receives[0]]))
