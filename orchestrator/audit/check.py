"""The audit of others' logs: the same checks as for ours, as far as a log says enough, and validity of vectors.

Never trusts a clock to judge a clock, unless it is a vector: that names events, and is judged by them.
Source: design section 5, "Verdicts".
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from orchestrator.audit import words
from orchestrator.audit.hosts import host_remarks
from orchestrator.audit.measure import measure
from orchestrator.audit.pairing import Pairing, pair
from orchestrator.audit.remarks import remarks
from orchestrator.audit.revealed import revealed
from orchestrator.audit.store import ForeignTrace
from orchestrator.audit.validity import vector_valid
from orchestrator.audit.vectors import vector_edges
from orchestrator.trace.check import CHECKS, Report
from orchestrator.trace.findings import Check, Findings, not_applicable, not_judged
from orchestrator.trace.order import Edges, Order
from orchestrator.trace.remarks import uncounted
from orchestrator.trace.verdict import Evidence, worst

_NOT_SAID: Final = {
    "in-order": "the log does not number the messages of a link.",
    "one-event-per-tick": "the log does not number ticks.",
    "queue-first": "the log does not say when a message arrived.",
    "queue-length": "the log does not say when a message arrived; oddities of recorded lengths are remarks.",
    "every-message-accounted": "the log does not say what was left when it ended; messages left over are remarks.",
    "equals-simulated": "there is no configuration and no seed to simulate.",
}


def check(trace: ForeignTrace) -> Report:
    """Judge the logs of one execution."""
    pairing = pair(trace)
    edges = _edges(trace, pairing)
    order = Order(trace.programs, edges, len(trace))
    checks = tuple(_checks(trace, pairing, order))
    verdicts = [one.verdict for one in checks]
    verdict = worst([*verdicts, "unknown"] if trace.doubts else verdicts)
    comfort = revealed(trace, pairing.evidence) if verdict == "consistent" else ()
    # A screen shows the first ones: before what is odd stands how much can be known at all.
    said = (*trace.doubts, *trace.remarks, *_paired(trace, edges), *comfort)
    return Report(
        name=trace.name,
        verdict=verdict,
        nodes=len(trace.nodes) - trace.absent,
        events=len(trace),
        receives=_receives(trace, edges),
        sends=int(np.count_nonzero(trace.is_send)),
        checks=checks,
        remarks=(*said, *remarks(trace, edges), *host_remarks(trace, edges), *uncounted(order.ordered_pairs)),
        measures=measure(trace, edges),
        edges=order.edges,
        ordered_pairs=order.ordered_pairs,
        concurrent_pairs=order.concurrent_pairs,
        longest_chain=order.longest_chain,
        format=trace.format_name,
        understood=trace.understood,
    )


def _paired(trace: ForeignTrace, edges: Edges) -> Iterator[str]:
    """Yield a warning where happened-before is not known whole."""
    receives, paired = int(np.count_nonzero(trace.is_receive)), len(np.unique(edges.effect))
    if trace.vector is None and paired < receives:
        yield (
            f"{paired} of {receives} receives can be paired with their sends for certain; what happened before what, "
            "and its numbers, rest on those alone"
        )


class Known(NamedTuple):
    """The pairs that are known of a send and its receive, or of vectors that name one another, and by what grade."""

    edges: Edges
    evidence: Evidence | None


def known(trace: ForeignTrace) -> Known:
    """Return what is known of a trace without judging it; a vector needs no grade."""
    pairing = pair(trace)
    return Known(_edges(trace, pairing), pairing.evidence if trace.vector is None else None)


def _edges(trace: ForeignTrace, pairing: Pairing) -> Edges:
    if trace.vector is None:
        return pairing.edges
    named = vector_edges(trace)
    if pairing.evidence != "by-id":
        return named
    both = (np.concatenate(columns) for columns in zip(named, pairing.edges, strict=True))
    return Edges(*np.unique(np.stack(list(both)), axis=1))


def _receives(trace: ForeignTrace, edges: Edges) -> int:
    """Return how many events are receives; where kinds are not said, how many name an event of another machine."""
    count = int(np.count_nonzero(trace.is_receive))
    return count if count or trace.vector is None else len(np.unique(edges.effect))


def _checks(trace: ForeignTrace, pairing: Pairing, order: Order) -> Iterator[Check]:
    yield _clock_condition(trace, pairing, order)
    yield _clock_rises(trace)
    yield _exactly_once(trace, pairing)
    yield from (not_applicable(name, _NOT_SAID[name]) for name in CHECKS if name in _NOT_SAID)
    if trace.vector is not None:
        yield vector_valid(trace)


def _clock_condition(trace: ForeignTrace, pairing: Pairing, order: Order) -> Check:
    if trace.vector is not None:
        return _vectors_contained(trace, pairing)
    if order.circular and pairing.evidence == "by-id":
        return _circular(trace, order)
    if not trace.has_clock:
        return not_applicable("clock-condition", "there is no clock; what happened before what is known from messages.")
    if pairing.evidence is None:
        return not_judged("clock-condition", "no event is a receive, so that nothing connects the machines.")
    return pairing.clock_condition


def _vectors_contained(trace: ForeignTrace, pairing: Pairing) -> Check:
    """Compare the vectors of each send and its receive, where each receive names its send."""
    assert trace.vector is not None, "asked of logs with vectors"
    if pairing.evidence != "by-id" or not len(pairing.edges.effect):
        return not_applicable("clock-condition", "the clock is a vector; vector-valid judges it.")
    findings = Findings("clock-condition", "by-id")
    sends, receives = pairing.edges
    wrong = np.flatnonzero((trace.vector[sends] > trace.vector[receives]).any(axis=1))
    findings.all_violated(
        wrong.tolist(),
        lambda place: (
            f"{trace.name_of(int(receives[place]))} received what {trace.name_of(int(sends[place]))} sent, but its "
            f"vector does not contain that send's: a receive knows what its send knew (Fidge, Mattern). "
            f"({trace.place_of(int(sends[place]))}, {trace.place_of(int(receives[place]))})"
        ),
    )
    return findings.check()


def _circular(trace: ForeignTrace, order: Order) -> Check:
    findings = Findings("clock-condition", "by-id")
    findings.all_violated(
        sorted(set(order.circular)),
        lambda row: (
            f"{trace.name_of(row)} received what it had caused itself: it happened before the send of its message. No "
            f"clock can satisfy that. ({trace.place_of(row)})"
        ),
    )
    return findings.check()


def _clock_rises(trace: ForeignTrace) -> Check:
    """Compare each event with the machine's one before (C1): its clock is later."""
    if trace.vector is not None:
        return not_applicable("clock-rises", "the clock is a vector; vector-valid judges it.")
    if not trace.has_clock:
        return not_applicable("clock-rises", "there is no clock.")
    findings = Findings("clock-rises")
    later = np.flatnonzero(trace.before >= 0)
    wrong = later[trace.clock[later] <= trace.clock[trace.before[later]]]
    findings.all_violated(wrong.tolist(), lambda row: _not_risen(trace, row))
    return findings.check()


def _not_risen(trace: ForeignTrace, row: int) -> str:
    before = int(trace.before[row])
    clock, earlier = int(trace.clock[row]), int(trace.clock[before])
    hint = ""
    if clock < earlier // 2:
        hint = " Are these two runs in one file? split: in a format divides them."
    elif clock == earlier and trace.is_send[before] and trace.is_send[row] and trace.to[before] != trace.to[row]:
        hint = " Are these two lines of one broadcast? broadcast: lines in a format says so."
    return (
        f"{words.called(trace, int(trace.node[row]))} had clock {trace.shown_clock(earlier)} at "
        f"{trace.name_of(before)} and {trace.shown_clock(clock)} at {trace.name_of(row)}, its next event. A clock "
        f"must rise between two events of one machine (Lamport's IR1).{hint} "
        f"({trace.place_of(before)}, {trace.place_of(row)})"
    )


def _exactly_once(trace: ForeignTrace, pairing: Pairing) -> Check:
    if trace.vector is not None and pairing.evidence != "by-id":
        return not_applicable("exactly-once", "no receive names its message.")
    if pairing.evidence is None:
        return not_applicable("exactly-once", "no event is known to be a receive.")
    return pairing.exactly_once
