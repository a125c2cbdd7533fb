"""By counting: a receive names nothing, but each needs a send of its own with a smaller clock.

Never names the receive that is wrong: only how many at least are, and where sends first run short.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from orchestrator.audit.counting import Count, Receive, Unit, least_violations
from orchestrator.audit.pairing.ledger import Ledger, unseen_units
from orchestrator.audit.store import ONE, ForeignTrace
from orchestrator.trace.store import Column


def pair(ledger: Ledger, receives: Column) -> None:
    """Count the receives that have no earlier send in any pairing."""
    trace = ledger.trace
    takes = [Receive(*one) for one in zip(trace.clock[receives].tolist(), trace.node[receives].tolist(), strict=True)]
    seen = list(units(trace))
    as_recorded = least_violations(takes, seen)
    if not as_recorded.violations and not as_recorded.unsent:
        return
    unseen = [unit for node in set(trace.node[receives].tolist()) for unit in _unseen(ledger, node, len(takes))]
    proved = least_violations(takes, [*seen, *unseen]) if unseen else as_recorded
    words = _short_of_sends(trace, takes, [*seen, *unseen] if proved.tight else seen, proved.tight or as_recorded.tight)
    at_least = "" if proved.is_exact else " (a lower bound: there are too many for more)"
    if proved.violations:
        ledger.clock_condition.violated(f"{words}{at_least}", times=proved.violations)
    elif as_recorded.violations:
        ledger.clock_condition.unknown(f"{words} Unless lines are missing where a clock jumps, this is a violation.")
    if proved.unsent:
        ledger.exactly_once.violated(
            f"{proved.unsent} receives have no send at all that could be theirs.", times=proved.unsent
        )
    elif as_recorded.unsent:
        ledger.exactly_once.unknown(f"{as_recorded.unsent} receives have no send in the record that could be theirs.")


def units(trace: ForeignTrace) -> Iterator[Unit]:
    """Yield what was sent: one message for one machine of several, or one for each that is named."""
    others = {node: tuple(one for one in range(len(trace.nodes)) if one != node) for node in range(len(trace.nodes))}
    sends = np.flatnonzero(trace.is_send)
    columns = (trace.clock[sends].tolist(), trace.node[sends].tolist(), trace.to[sends].tolist())
    for send, clock, node, to in zip(sends.tolist(), *columns, strict=True):
        if to >= 0:
            yield Unit(clock, (to,))
        elif to == ONE:
            yield Unit(clock, others[node])
        else:
            yield from (Unit(clock, (recipient,)) for recipient in trace.recipients.get(send, others[node]))


def _unseen(ledger: Ledger, node: int, count: int) -> Iterator[Unit]:
    return unseen_units(ledger.rooms_but(node), (node,), at_most=count)


def _short_of_sends(trace: ForeignTrace, takes: list[Receive], seen: list[Unit], tight: Mapping[int, int]) -> str:
    """Say where sends first run short: so many receives, so few sends that could be theirs."""
    if not tight:
        return "There are more receives than sends that could be theirs."
    wanted = sum(one.clock <= tight.get(one.node, 0) for one in takes)
    there = sum(any(unit.clock < tight[node] for node in unit.group if node in tight) for unit in seen)
    names = [
        f"machine {trace.nodes[node]} up to clock {trace.shown_clock(clock)}" for node, clock in sorted(tight.items())
    ]
    return (
        f"The receives of {' and '.join(names)}, {wanted} in all, need as many sends with smaller clocks that could have "
        f"gone there, and there are {there}. Whichever send each came from, one is not later than it (Lamport's IR2)."
    )


__all__ = ["Count", "pair", "units"]
