"""By counting: a receive names nothing, but each needs a send of its own with a smaller clock.

Never names the receive that is wrong: only how many at least are, and where sends first run short.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from orchestrator.audit import words
from orchestrator.audit.counting import Clocks, Unit, least
from orchestrator.audit.pairing.ledger import Ledger
from orchestrator.audit.store import ALL, ONE, ForeignTrace
from orchestrator.trace.store import Column


def pair(ledger: Ledger, receives: Column) -> None:
    """Count the receives that have no earlier send in any pairing."""
    trace = ledger.trace
    takes = Clocks(trace.node[receives], trace.clock[receives])
    own, shared = _sent(trace, np.unique(takes.node).tolist())
    recorded = least(takes, own, shared)
    if not recorded.violations and not recorded.unsent:
        return
    with_unseen = _joined([own, *_unseen(ledger, takes)])
    proved = least(takes, with_unseen, shared) if len(with_unseen.node) > len(own.node) else recorded
    at_least = "" if proved.is_exact else " (A lower bound: there are too many to find the number itself.)"
    if proved.violations:
        short = _short_of_sends(trace, takes, with_unseen, shared, proved.tight)
        ledger.clock_condition.violated(f"{short}{at_least}", times=proved.violations)
    elif recorded.violations:
        short = _short_of_sends(trace, takes, own, shared, recorded.tight)
        ledger.clock_condition.unknown(f"{short} Unless lines are missing where a clock jumps, this is a violation.")
    if proved.unsent:
        ledger.exactly_once.violated(
            f"{proved.unsent} receives have no send at all that could be theirs.", times=proved.unsent
        )
    elif recorded.unsent:
        ledger.exactly_once.unknown(f"{recorded.unsent} receives have no send in the record that could be theirs.")


def _sent(trace: ForeignTrace, receivers: list[int]) -> tuple[Clocks, list[Unit]]:
    """Return what only one of the machines that receive can have received, and what one of several can have."""
    own = [_to(receiver, trace.clock[[row]]) for row, names in trace.recipients.items() for receiver in names]
    for receiver in receivers:
        is_to_it = (trace.to == receiver) | ((trace.to == ALL) & (trace.node != receiver))
        own.append(_to(receiver, trace.clock[trace.is_send & is_to_it]))
    shared: list[Unit] = []
    for sender in np.unique(trace.node[trace.is_send]).tolist():
        clocks = trace.clock[trace.is_send & (trace.to == ONE) & (trace.node == sender)]
        others = tuple(receiver for receiver in receivers if receiver != sender)
        if len(others) == 1:
            own.append(_to(others[0], clocks))
        elif others:
            shared += [Unit(clock, others) for clock in clocks.tolist()]
    return _joined(own), shared


def _unseen(ledger: Ledger, takes: Clocks) -> Iterator[Clocks]:
    """Yield what may be missing: an unseen event may have sent to all, and nobody needs more than it receives."""
    for receiver, count in zip(*np.unique(takes.node, return_counts=True), strict=True):
        yield _to(int(receiver), ledger.rooms.but(int(receiver)).earliest(int(count)))


def _to(receiver: int, clocks: Column) -> Clocks:
    return Clocks(np.full_like(clocks, receiver), clocks)


def _joined(parts: Sequence[Clocks]) -> Clocks:
    return Clocks(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _short_of_sends(
    trace: ForeignTrace, takes: Clocks, own: Clocks, shared: Sequence[Unit], tight: Mapping[int, int]
) -> str:
    """Say where sends first run short: so many receives, so few sends that could be theirs."""
    wanted = sum(int(((takes.node == node) & (takes.clock <= clock)).sum()) for node, clock in tight.items())
    there = sum(int(((own.node == node) & (own.clock < clock)).sum()) for node, clock in tight.items())
    there += sum(any(unit.clock < tight[node] for node in unit.group if node in tight) for unit in shared)
    names = [
        f"{words.called(trace, node)} up to clock {trace.shown_clock(clock)}" for node, clock in sorted(tight.items())
    ]
    if wanted == 1 and not there:
        return (
            f"The first receive of {names[0].replace(' up to', ', with')}, needs a send with a smaller clock that "
            "could have gone there, and there is none. Whichever send it came from, it is not later than that "
            "(Lamport's IR2)."
        )
    return (
        f"The receives of {' and '.join(names)}, {wanted} in all, need as many sends with smaller clocks that could "
        f"have gone there, and there are {there}. Whichever send each came from, one is not later than it (Lamport's "
        f"IR2)."
    )
