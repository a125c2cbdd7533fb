"""The laws of the links: every message received was sent to its receiver, once, and none overtakes another.

Never compares clocks or stamps: what a stamp should have been is the clocks' affair.
"""

from collections import defaultdict

import numpy as np

from node.event import EventId
from node.model import Model
from orchestrator.trace import words
from orchestrator.trace.bands import at_the_end
from orchestrator.trace.clocks import may_have_had
from orchestrator.trace.findings import Check, Findings, not_applicable
from orchestrator.trace.store import NULL, Trace


def exactly_once(trace: Trace) -> Check:
    """Find the message that each receive names: sent to its machine, as received, and once to an incarnation."""
    findings = Findings("exactly-once", "by-id")
    ends = at_the_end(trace)
    taken: dict[tuple[int, int], int] = {}
    for row in _receives(trace):
        complaint = _not_sent(trace, row) or _not_as_sent(trace, row)
        message = int(trace.message[row])
        if complaint is None and message >= 0:
            first = taken.setdefault((int(trace.incarnation[row]), message), row)
            complaint = None if first == row else f"it had received that message before, at {words.name(trace, first)}"
        if complaint is not None:
            findings.violated(f"{words.receipt(trace, row)}, but {complaint}{words.where(trace, row)}.")
        elif message < 0:
            where, end = words.where(trace, row), ends.get(int(trace.cause_node[row]), "")
            findings.unknown(f"{words.receipt(trace, row)}; the log that would hold that send is cut{end}{where}.")
    return findings.check()


def in_order(trace: Trace) -> Check:
    """Count along each FIFO link, from 1: numbers rise by one where they are given, and where they are received."""
    models = [machine.model for machine in trace.machines.values()]
    if not any(model is None or _has_fifo_link(model) for model in models):
        return not_applicable("in-order", "no link keeps its messages in order: the model lets them overtake.")
    findings = Findings("in-order", "by-id")
    _numbers_given(trace, findings)
    _numbers_received(trace, findings)
    return findings.check()


def _has_fifo_link(model: Model) -> bool:
    return not model.peers or any(model.link(peer).fifo for peer in model.peers)


def _is_fifo(trace: Trace, sender: int, recipient: int) -> bool | None:
    """Return whether a link keeps its messages in order; None if its sender's configuration is not known."""
    machine = trace.machines.get(sender)
    return None if machine is None or machine.model is None else machine.model.link(recipient).fifo


def _receives(trace: Trace) -> list[int]:
    return np.flatnonzero(trace.is_receive & ~trace.is_repeat).tolist()


def _not_sent(trace: Trace, row: int) -> str | None:
    sender = trace.cause_node[row]
    if trace.message[row] >= 0:
        lost = trace.messages.number[trace.message[row]] == NULL
        return "the network lost that message" if lost else None
    if trace.cause_row[row] >= 0:
        return f"that send of machine {sender} was not addressed to machine {trace.node[row]}"
    if may_have_had(trace, row):
        return None
    found = trace.row(EventId(int(sender), int(trace.cause_incarnation[row]), int(trace.cause_index[row])))
    return f"machine {sender} {words.did(trace, found)} there" if found >= 0 else f"machine {sender} has no such event"


def _not_as_sent(trace: Trace, row: int) -> str | None:
    message = int(trace.message[row])
    if message < 0:
        return None
    number, arrival_ns = int(trace.messages.number[message]), int(trace.messages.arrival_ns[message])
    if number != trace.number[row]:
        return f"it was sent as number {number} and received as number {trace.number[row]} of the link"
    if trace.is_timed and arrival_ns != trace.arrival_ns[row]:
        sent, received = words.milliseconds(arrival_ns), words.milliseconds(int(trace.arrival_ns[row]))
        return f"it was sent to arrive at {sent} and received as having arrived at {received}"
    return None


def _numbers_given(trace: Trace, findings: Findings) -> None:
    last: dict[tuple[int, int, int], int] = defaultdict(int)
    for rows in trace.programs.values():
        for row in rows.tolist():
            for message in trace.sent_by.get(row, ()):
                number = int(trace.messages.number[message])
                node, recipient = int(trace.node[row]), int(trace.messages.recipient[message])
                is_fifo = _is_fifo(trace, node, recipient)
                if number == NULL or is_fifo is False:
                    continue
                link = (node, int(trace.incarnation[row]), recipient)
                expected, last[link] = last[link] + 1, number
                if number == expected:
                    continue
                is_excused = is_fifo is None or (trace.machines[node].has_holes and number > expected)
                say = findings.unknown if is_excused else findings.violated
                say(
                    f"machine {node} sent number {number} to machine {recipient} at {words.name(trace, row)}; its next "
                    f"message on that link is number {expected}{words.where(trace, row)}."
                )


def _numbers_received(trace: Trace, findings: Findings) -> None:
    last: dict[tuple[int, int, int, int], int] = {}
    for (node, incarnation), rows in trace.programs.items():
        for row in rows[trace.is_receive[rows] & ~trace.is_repeat[rows]].tolist():
            number, sender = int(trace.number[row]), int(trace.cause_node[row])
            is_fifo = _is_fifo(trace, sender, node)
            if is_fifo is False:
                continue
            link = (node, incarnation, sender, int(trace.cause_incarnation[row]))
            # What an incarnation that remembers nothing receives first depends on the one before it.
            expected = last[link] + 1 if link in last else number if incarnation else 1
            last[link] = max(number, expected)
            if number == expected:
                continue
            is_excused = is_fifo is None or (trace.machines[node].has_holes and number > expected)
            say = findings.unknown if is_excused else findings.violated
            say(
                f"machine {node} received number {number} of the link from machine {sender} at "
                f"{words.name(trace, row)}, where number {expected} comes next: no message may overtake another"
                f"{words.where(trace, row)}."
            )
