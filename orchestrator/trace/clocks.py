"""The laws of the clocks: the clock condition, and that a machine's clock rises.

Never computes a clock anew: recorded ones are compared, along an order that comes from structure alone.
Source: Lamport (1978), clock condition C1 and C2, implementation rules IR1 and IR2.
"""

import numpy as np

from orchestrator.trace import words
from orchestrator.trace.bands import at_the_end
from orchestrator.trace.findings import Check, Findings
from orchestrator.trace.order import Order
from orchestrator.trace.store import NULL, Column, Trace


def clock_condition(trace: Trace, order: Order) -> Check:
    """Compare each receive with its send (C2): its clock is later.

    A receive that happened before its own send is a violation too: no clock satisfies the condition then.
    """
    findings = Findings("clock-condition", "by-id")
    receives = np.flatnonzero(trace.cause_row >= 0)
    causes = trace.cause_row[receives]
    wrong = trace.clock[receives] <= trace.clock[causes]
    findings.all_violated(receives[wrong].tolist(), lambda receive: _too_early(trace, receive))
    for receive in sorted(set(order.circular) - set(receives[wrong].tolist())):
        findings.violated(
            f"{words.receipt(trace, receive)}, which happened before that send. No clock can satisfy that"
            f"{words.where(trace, receive)}."
        )
    ends = at_the_end(trace)
    for receive in np.flatnonzero(trace.is_receive & (trace.cause_row < 0)).tolist():
        if may_have_had(trace, receive):
            sender = int(trace.cause_node[receive])
            findings.unknown(
                f"{words.receipt(trace, receive)}; what is left of the log of machine {sender} does not hold that send"
                f"{ends.get(sender, '')}{words.where(trace, receive)}."
            )
    return findings.check()


def clock_rises(trace: Trace) -> Check:
    """Compare each event with the machine's one before (C1): its clock is later, by exactly 1 unless it receives."""
    findings = Findings("clock-rises")
    # A second event of one name has no place in the program order; the check of ticks names it.
    rows = np.flatnonzero(~trace.is_repeat)
    before = _before_without_repeats(trace)[rows]
    clock_before = np.where(before >= 0, trace.clock[before], 0)
    index_before = np.where(before >= 0, trace.index[before], 0)
    step = trace.clock[rows] - clock_before
    is_next = trace.index[rows] == index_before + 1
    wrong = (step < 1) | (is_next & ~trace.is_receive[rows] & (step != 1))
    findings.all_violated(
        np.flatnonzero(wrong).tolist(), lambda place: _bad_step(trace, int(rows[place]), int(before[place]))
    )
    return findings.check()


def may_have_had(trace: Trace, receive: int) -> bool:
    """Whether the send that a receive names, and that is not there, may be missing from the record alone."""
    node, incarnation = int(trace.cause_node[receive]), int(trace.cause_incarnation[receive])
    machine = trace.machines.get(node)
    if machine is None or machine.has_holes:
        return True
    known = trace.programs.get((node, incarnation))
    if known is None:
        # Of an incarnation before the log began nothing can be known; one after its end is no excuse.
        return not machine.is_closed or (machine.start is not None and incarnation < machine.start["incarnation"])
    return not machine.is_closed and bool(trace.cause_index[receive] > trace.index[known[-1]])


def _before_without_repeats(trace: Trace) -> Column:
    before = np.full(len(trace), -1, np.int64)
    for rows in trace.programs.values():
        once = rows[~trace.is_repeat[rows]]
        before[once[1:]] = once[:-1]
    return before


def _too_early(trace: Trace, receive: int) -> str:
    send = int(trace.cause_row[receive])
    stamp = int(trace.stamp[receive])
    sent = int(trace.clock[send])
    carried = f" The message carried {stamp}, not the clock of its send." if stamp not in (NULL, sent) else ""
    return (
        f"machine {trace.node[send]} sent at {words.name(trace, send)} with clock {sent}; "
        f"machine {trace.node[receive]} received it at {words.name(trace, receive)} with clock {trace.clock[receive]}. "
        f"A receive must be later than its send: at least {sent + 1} (Lamport's IR2)."
        f"{carried}{words.where(trace, send, receive)}"
    )


def _bad_step(trace: Trace, row: int, previous: int) -> str:
    node, clock = trace.node[row], int(trace.clock[row])
    start = int(trace.clock[previous]) if previous >= 0 else 0
    after = f"at {words.name(trace, previous)}" if previous >= 0 else "before its first event"
    rule = (
        f"A clock must rise between two events of one machine: at least {start + 1} (Lamport's IR1)."
        if clock <= start
        else f"Only a receive may jump; this event adds exactly 1: {start + 1} (Lamport's IR1)."
    )
    return (
        f"machine {node} had clock {start} {after}, then {words.did(trace, row)} at {words.name(trace, row)} "
        f"with clock {clock}. {rule}{words.where(trace, row)}"
    )
