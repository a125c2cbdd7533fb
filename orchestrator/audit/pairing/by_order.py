"""By order: a receive names the sender, and a link keeps its order, so that its i-th receive is of its i-th message.

Never pairs across a hole: where a sender's log has room for unseen sends, they may stand before those that are seen.
A message that was lost only moves later sends to a receive, so that no loss can undo a violation.
"""

from collections.abc import Iterator

import numpy as np

from orchestrator.audit.counting import Unit
from orchestrator.audit.pairing.by_stamp import not_later_than_stamp
from orchestrator.audit.pairing.division import divide
from orchestrator.audit.pairing.ledger import Ledger, can_receive, receipt, too_early, unseen_units
from orchestrator.audit.store import ONE, ForeignTrace
from orchestrator.trace.store import NULL, Column


def pair(ledger: Ledger, receives: Column) -> None:
    """Pair the receives of each link with its sends, in their order."""
    trace = ledger.trace
    ordered = receives[np.lexsort((trace.position[receives], trace.node[receives]))]
    for sender in np.unique(trace.sender[receives]).tolist():
        sends = trace.programs[sender][trace.is_send[trace.programs[sender]]]
        mine = ordered[trace.sender[ordered] == sender]
        links = {node: mine[trace.node[mine] == node] for node in np.unique(trace.node[mine]).tolist()}
        if len(trace.nodes) > 2 and (trace.to[sends] == ONE).any():
            _divided(ledger, sender, sends, links)
        else:
            for node, rows in links.items():
                _link(ledger, sender, can_receive(trace, sends, node), rows)
    _by_their_stamps(ledger, receives)


def _link(ledger: Ledger, sender: int, sends: Column, rows: Column) -> None:
    """Pair the receives of a link with its sends, one by one."""
    trace, count = ledger.trace, min(len(sends), len(rows))
    ledger.add_pairs(sends[:count], rows[:count])
    if not trace.has_clock:
        _surplus(ledger, rows[count:], is_proved=trace.is_declared_complete)
        return
    clocks, sent = trace.clock[rows], trace.clock[sends]
    wrong = clocks[:count] <= sent[:count]
    if not wrong.any() and count == len(rows):
        return
    rooms = ledger.rooms_of(sender)
    unseen = [unit.clock for unit in unseen_units(rooms, (), at_most=len(rows))]
    earliest = np.sort(np.concatenate([sent, np.array(unseen, np.int64)]))[: len(rows)] if unseen else sent[:count]
    proved = clocks[: len(earliest)] <= earliest
    places = np.flatnonzero(proved[:count]).tolist()
    ledger.too_early_rows.update(rows[places].tolist())
    ledger.clock_condition.all_violated(places, lambda place: too_early(trace, int(sends[place]), int(rows[place])))
    if proved[count:].any():
        further = np.flatnonzero(proved[count:]) + count
        ledger.clock_condition.all_violated(further.tolist(), lambda place: _too_early_for_any(trace, int(rows[place])))
    for place in np.flatnonzero(wrong & ~proved[:count])[:1].tolist():
        ledger.clock_condition.unknown(
            f"{too_early(trace, int(sends[place]), int(rows[place]))} Unless a line is missing before that send."
        )
    _surplus(ledger, rows[len(earliest) :], is_proved=True)
    _surplus(ledger, rows[count : len(earliest)], is_proved=False)


def _surplus(ledger: Ledger, rows: Column, *, is_proved: bool) -> None:
    """Judge receives of a link that has had no further send."""
    trace = ledger.trace

    def words(row: int) -> str:
        return (
            f"{receipt(trace, row, 'from machine ' + trace.nodes[trace.sender[row]])}, which had sent fewer messages to "
            f"it than it received. ({trace.place_of(row)})"
        )

    if is_proved:
        ledger.exactly_once.all_violated(rows.tolist(), words)
    elif len(rows):
        ledger.exactly_once.unknown(f"{words(int(rows[0]))} A line or a log may be missing.")


def _too_early_for_any(trace: ForeignTrace, row: int) -> str:
    return (
        f"{receipt(trace, row, 'from machine ' + trace.nodes[trace.sender[row]])} with clock "
        f"{trace.shown_clock(int(trace.clock[row]))}, which is not later than any send that it may have come from, seen "
        f"or unseen (Lamport's IR2). ({trace.place_of(row)})"
    )


def _divided(ledger: Ledger, sender: int, sends: Column, links: dict[int, Column]) -> None:
    """Judge the links of a sender that does not name its recipients: however its messages are divided among them."""
    trace = ledger.trace
    if not trace.has_clock:
        return
    clocks = {node: trace.clock[rows] for node, rows in links.items()}
    count = max(len(rows) for rows in links.values())
    rooms = ledger.rooms_of(sender)
    seen = list(_units(trace, sender, sends))
    recorded, is_exact = divide(clocks, seen)
    if not any(recorded):
        return
    unseen = [unit for node in links for unit in unseen_units(rooms, (node,), at_most=count)]
    (violations, unsent), is_exact = divide(clocks, sorted([*seen, *unseen])) if unseen else (recorded, is_exact)
    name = trace.nodes[sender]
    at_least = "" if is_exact else "at least "
    words = (
        f"However the messages of machine {name} are divided among its peers, each link in its order, {at_least}"
        f"{violations or recorded[0]} of the receives that name it are not later than their send (Lamport's IR2)."
    )
    if violations:
        ledger.clock_condition.violated(words, times=violations)
    elif recorded[0]:
        ledger.clock_condition.unknown(f"{words} Unless lines are missing from its log.")
    if unsent:
        ledger.exactly_once.violated(
            f"Machine {name} sent {unsent} messages fewer than name it as sender.", times=unsent
        )
    elif recorded[1]:
        ledger.exactly_once.unknown(f"In the record machine {name} sent fewer messages than name it as sender.")


def _units(trace: ForeignTrace, sender: int, sends: Column) -> Iterator[Unit]:
    others = tuple(node for node in range(len(trace.nodes)) if node != sender)
    for send in sends.tolist():
        clock, recipients = int(trace.clock[send]), trace.possible_recipients(send)
        if trace.to[send] == ONE:
            yield Unit(clock, others)
        else:
            yield from (Unit(clock, (node,)) for node in recipients)


def _by_their_stamps(ledger: Ledger, receives: Column) -> None:
    """Find receives not later than the timestamp that they name, too, and timestamps of one sender received twice."""
    trace = ledger.trace
    rows = receives[trace.stamp[receives] != NULL] if trace.has_clock else receives[:0]
    seen: dict[tuple[int, int, int], int] = {}
    for row in rows.tolist():
        key = int(trace.node[row]), int(trace.sender[row]), int(trace.stamp[row])
        first = seen.setdefault(key, row)
        if first != row:
            ledger.exactly_once.violated(
                f"{receipt(trace, row)} from machine {trace.nodes[key[1]]} with timestamp {trace.shown_clock(key[2])}, "
                f"as at {trace.name_of(first)}: a sender's clock rises, so this was one message. "
                f"({trace.place_of(first)}, {trace.place_of(row)})"
            )
    wrong = [row for row in rows[trace.clock[rows] <= trace.stamp[rows]].tolist() if row not in ledger.too_early_rows]
    ledger.clock_condition.all_violated(wrong, lambda row: not_later_than_stamp(trace, row))
