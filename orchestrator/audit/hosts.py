"""What is worth telling of the hosts' clocks: what came too early, how far they are apart, who waited for whom.

Never a violation: a wall clock proves nothing of causality.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from node.errors import one_line
from orchestrator.audit.offsets import Offset, offsets
from orchestrator.audit.rhythm import Rhythm
from orchestrator.audit.store import ForeignTrace
from orchestrator.audit.waits import Early, Wait, early_receives, longest_waits
from orchestrator.trace.order import Edges

PAIRS_MAX: Final = 10
WAITS_MAX: Final = 3
_UNITS: Final = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"))


def host_remarks(trace: ForeignTrace, edges: Edges) -> list[str]:
    """Return in words what times and messages tell of the hosts; of many pairs the first, and how many more there are.

    Offsets that contradict themselves come first, then those of which the messages say most.
    """
    known = offsets(trace, edges)
    told = sorted(known, key=lambda one: (not one.is_contradicted, -min(one.sent, one.returned), -one.sent))
    early = early_receives(trace, edges)
    waits = [] if _tick(trace) else longest_waits(trace, edges, known, count=WAITS_MAX)
    return [
        *_shortened([early_in_words(trace, one) for one in early], "received messages before they were sent"),
        *_shortened([offset_in_words(trace, one) for one in told], "have clocks of which something is known"),
        *(wait_in_words(trace, one) for one in waits),
    ]


def _tick(trace: ForeignTrace) -> bool:
    """Whether the machines tick: one that does waits for its tick, and not for a message."""
    return any(Rhythm(trace, rows).is_regular for rows in trace.programs if len(rows))


def early_in_words(trace: ForeignTrace, early: Early) -> str:
    """Return how many messages from one host to another were received before they were sent."""
    return (
        f"{_host(trace, early.recipient)} received messages from {_host(trace, early.sender)} before they were sent, "
        f"as their clocks go: {early.count} of {early.messages}; the worst by {duration_in_words(early.worst_ns)}, "
        f"at {_event(trace, early.worst)}"
    )


def offset_in_words(trace: ForeignTrace, offset: Offset) -> str:
    """Return what is known of the clocks of two hosts."""
    a, b = _host(trace, offset.a), _host(trace, offset.b)
    messages = f"{_messages(offset.sent)} from {a} to {b}, {offset.returned} back"
    if offset.is_contradicted:
        return (
            f"the clocks of {a} and {b} have no constant offset: {_contradiction(offset, a, b)}; "
            f"one was set or drifts, or messages are paired wrongly ({messages})"
        )
    return f"the clock of {b} is {_interval(offset.least_ns, offset.most_ns)} that of {a} ({messages})"


def wait_in_words(trace: ForeignTrace, wait: Wait) -> str:
    """Return who waited for whom, and how long."""
    machine, sender = _host(trace, int(trace.node[wait.effect])), _host(trace, int(trace.node[wait.cause]))
    effect, cause = _event(trace, wait.effect), _event(trace, wait.cause)
    idle = duration_in_words(wait.idle_ns)
    if wait.for_sender_ns is None or wait.unsure_ns is None:
        return (
            f"{machine} did nothing for {idle} before {effect}, which received {cause}; how long it waited for "
            f"{sender} cannot be told, for nobody knows the offset of their clocks"
        )
    return (
        f"{machine} waited {duration_in_words(wait.for_sender_ns)} for {sender} before {effect}: {cause} was sent only "
        f"then, give or take {duration_in_words(wait.unsure_ns)}; of {idle} without an event "
        f"{duration_in_words(wait.idle_ns - wait.for_sender_ns)} are the message's way and queue"
    )


def duration_in_words(time_ns: int) -> str:
    """Return a duration in the unit that suits it, as `1.25 ms`."""
    for unit_ns, unit in _UNITS:
        if abs(time_ns) >= unit_ns:
            return f"{time_ns / unit_ns:.3f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{time_ns} ns"


def _shortened(remarks: Sequence[str], what: str) -> Iterator[str]:
    yield from remarks[:PAIRS_MAX]
    if len(remarks) > PAIRS_MAX:
        yield f"{len(remarks) - PAIRS_MAX} more pairs of hosts {what}"


def _contradiction(offset: Offset, a: str, b: str) -> str:
    if offset.least_ns is None or offset.most_ns is None or offset.least_ns <= offset.most_ns:
        return "what they sent one another does not fit what they and others sent"
    return (
        f"by the messages from {a} to {b} that of {b} is {_interval(None, offset.most_ns)} the other, "
        f"by those from {b} to {a} {_interval(offset.least_ns, None)}"
    )


def _interval(least_ns: int | None, most_ns: int | None) -> str:
    """Return an interval as the end of "the clock of b is ... that of a"."""
    if least_ns is not None and most_ns is not None and least_ns < 0 < most_ns:
        return f"between {duration_in_words(-least_ns)} behind and {duration_in_words(most_ns)} ahead of"
    if least_ns is None or (most_ns is not None and most_ns <= 0):
        assert most_ns is not None, "an offset is bounded on one side at least"
        if most_ns > 0:
            return f"at most {duration_in_words(most_ns)} ahead of"
        return f"{_range(-most_ns, None if least_ns is None else -least_ns)} behind"
    if least_ns < 0:
        return f"at most {duration_in_words(-least_ns)} behind"
    return f"{_range(least_ns, most_ns)} ahead of"


def _range(least_ns: int, most_ns: int | None) -> str:
    """Return a range of durations."""
    if most_ns is None:
        return f"at least {duration_in_words(least_ns)}"
    if least_ns == 0:
        return f"up to {duration_in_words(most_ns)}"
    return f"{duration_in_words(least_ns)} to {duration_in_words(most_ns)}"


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"


def _event(trace: ForeignTrace, row: int) -> str:
    return f"{one_line(trace.name_of(row), 60)} ({one_line(trace.place_of(row), 80)})"


def _host(trace: ForeignTrace, host: int) -> str:
    return one_line(trace.nodes[host], 60)
