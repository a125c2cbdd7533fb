"""The laws of the queue: nothing else happens while a message waits, the first is taken, the length is as counted.

Never trusts a recorded length: each queue is filled again from the sends and emptied by the receives.
Where a log is cut, what may have waited unseen makes a bound, and only what lies outside it is a violation.
Source: model section 2, "Queue"; section 4, "Late".
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeAlias

from orchestrator.trace import words
from orchestrator.trace.bands import at_the_end
from orchestrator.trace.findings import Check, Findings, not_judged
from orchestrator.trace.store import NULL, RECEIVE, Trace

_ALWAYS: Final = -(2**63)
_NEVER: Final = 2**63
_Place: TypeAlias = tuple[int, int, int, int]


class Moment(NamedTuple):
    """A queue at one event. Messages are rows of the message table, -1 is none.

    `first` is what was to be taken, `taken` what was; `left` is how many wait afterwards.
    `in_doubt` counts those that may have waited beside them; `is_open` says that unknown ones may have, any number.
    """

    row: int
    first: int
    taken: int
    was_there: bool
    left: int
    in_doubt: int
    is_open: bool


def queue_laws(trace: Trace) -> tuple[Check, Check]:
    """Look into the queue at each event, and judge queue-first and queue-length by what is seen there.

    Whenever a message waits, the event is a receive, and it takes the first; and the recorded length is the number of
    messages that had arrived and still wait after the event.
    """
    if not trace.is_timed:
        why = "without every machine's epoch their times cannot be compared."
        return not_judged("queue-first", why), not_judged("queue-length", why)
    first, length = Findings("queue-first", "by-id"), Findings("queue-length", "by-id")
    cut = _cut_logs(trace)
    for moment in _moments(trace, (first, length)):
        _judge_first(trace, moment, first, cut)
        _judge_length(trace, moment, length, cut)
    return first.check(), length.check()


def _judge_first(trace: Trace, moment: Moment, findings: Findings, cut: Mapping[int, str]) -> None:
    complaint = _complaint(trace, moment)
    if complaint is not None:
        findings.violated(f"{_at(trace, moment.row)}: {complaint}{words.where(trace, moment.row)}.")
    elif moment.is_open or moment.in_doubt:
        findings.unknown(
            f"{_at(trace, moment.row)}: {cut[int(trace.node[moment.row])]}, and what it lacks may have waited then"
            f"{words.where(trace, moment.row)}."
        )


def _judge_length(trace: Trace, moment: Moment, findings: Findings, cut: Mapping[int, str]) -> None:
    row, recorded = moment.row, int(trace.queue[moment.row])
    if recorded < moment.left or (recorded > moment.left + moment.in_doubt and not moment.is_open):
        findings.violated(
            f"{_at(trace, row)}: it recorded a queue of {recorded}; the messages that had arrived before this "
            f"event and wait after it are {moment.left}{words.where(trace, row)}."
        )
    elif moment.is_open or moment.in_doubt:
        findings.unknown(
            f"{_at(trace, row)}: {cut[int(trace.node[row])]}, so that its queue cannot be counted"
            f"{words.where(trace, row)}."
        )


def _at(trace: Trace, row: int) -> str:
    return f"machine {trace.node[row]}, {words.name(trace, row)}"


def _cut_logs(trace: Trace) -> dict[int, str]:
    """Return, by machine, whose log is cut that could say more of its queue, and in which fault: a sender's, or its."""
    ends, until_ns = at_the_end(trace), _known_until_ns(trace)
    found = {}
    for node, machine in trace.machines.items():
        senders = machine.model.senders if machine.model else ()
        first = min(senders, key=lambda sender: until_ns.get(sender, _ALWAYS), default=node)
        whose = node if until_ns.get(first, _ALWAYS) == _NEVER else first
        known = trace.machines.get(whose)
        is_cut = known is not None and not known.has_holes
        found[node] = f"the log of machine {whose} is {'cut' if is_cut else 'not whole'}{ends.get(whose, '')}"
    return found


def _complaint(trace: Trace, moment: Moment) -> str | None:
    row, first = moment.row, moment.first
    if trace.kind[row] != RECEIVE:
        if first < 0:
            return None
        since = words.milliseconds(int(trace.messages.arrival_ns[first]))
        return f"{words.message(trace, first)} had waited since {since}, but the machine {words.did(trace, row)}"
    if moment.taken < 0:
        # Whether there is such a message is for exactly-once to say.
        return None
    if not moment.was_there:
        due, arrival = int(trace.due_ns[row]), int(trace.messages.arrival_ns[moment.taken])
        return (
            f"it received {words.message(trace, moment.taken)} at {words.milliseconds(due)}, which arrives at "
            f"{words.milliseconds(arrival)} and can be received only later"
        )
    if moment.taken != first:
        taken, ahead = words.message(trace, moment.taken), words.message(trace, first)
        return f"it received {taken} while {ahead} was first in its queue"
    return None


def _moments(trace: Trace, laws: Sequence[Findings]) -> Iterator[Moment]:
    until_ns = _known_until_ns(trace)
    for node, machine in trace.machines.items():
        if machine.has_holes or machine.model is None:
            for findings in laws:
                findings.unknown(f"lines of the log of machine {node} are missing, and with them perhaps receives.")
        else:
            # From when on the queue may have held messages whose sends are not in the record.
            open_from_ns = min((until_ns.get(sender, _ALWAYS) for sender in machine.model.senders), default=_NEVER)
            yield from _replay(trace, node, open_from_ns)


def _replay(trace: Trace, node: int, open_from_ns: int) -> Iterator[Moment]:
    coming, doubtful = _expected(trace, node)
    waiting: list[tuple[_Place, int]] = []
    gone: set[int] = set()
    left = 0
    for row in _program(trace, node):
        due_ns = int(trace.due_ns[row])
        while coming and coming[-1][0] <= due_ns:
            _, place, message = coming.pop()
            if message not in gone:
                heappush(waiting, (place, message))
                left += 1
        while waiting and waiting[0][1] in gone:
            heappop(waiting)
        first = waiting[0][1] if waiting else -1
        taken = int(trace.message[row])
        was_there = taken >= 0 and taken not in gone and _visible_ns(trace, taken) <= due_ns
        if taken in gone:
            taken = -1  # exactly-once names the second receive of a message
        if taken >= 0:
            gone.add(taken)
            left -= was_there
        yield Moment(row, first, taken, was_there, left, bisect_left(doubtful, due_ns), due_ns > open_from_ns)


def _program(trace: Trace, node: int) -> Iterator[int]:
    for rows in trace.lives[node]:
        yield from rows[~trace.is_repeat[rows]].tolist()


def _expected(trace: Trace, node: int) -> tuple[list[tuple[int, _Place, int]], list[int]]:
    """Return the messages to a machine, last first, by when they are visible; and when those in doubt arrive."""
    coming, doubtful = [], []
    for message in trace.sent_to.get(node, ()):
        send = trace.messages.send_row[message]
        arrival_ns = int(trace.messages.arrival_ns[message])
        if _may_be_late(trace, int(message), node):
            doubtful.append(arrival_ns)
            continue
        place = (arrival_ns, int(trace.node[send]), int(trace.tick[send]), int(trace.messages.copy[message]))
        coming.append((_visible_ns(trace, int(message)), place, int(message)))
    return sorted(coming, reverse=True), sorted(doubtful)


def _may_be_late(trace: Trace, message: int, node: int) -> bool:
    """Whether a message that was never received may have come late: only a stop record would say so."""
    machine = trace.machines[node]
    return trace.messages.receive_row[message] < 0 and machine.pace == "free" and not machine.is_finished


def _visible_ns(trace: Trace, message: int) -> int:
    """Return when a tick must be due at the earliest to see a message."""
    arrival_ns, receive = int(trace.messages.arrival_ns[message]), int(trace.messages.receive_row[message])
    seen_ns = int(trace.seen_ns[receive]) if receive >= 0 else trace.late_unreceived.get(message, NULL)
    return max(arrival_ns + 1, seen_ns)


def _known_until_ns(trace: Trace) -> dict[int, int]:
    """Return, by machine, from when what it sent may be missing in the record."""
    return {node: _sends_known_until_ns(trace, node) for node in trace.machines}


def _sends_known_until_ns(trace: Trace, node: int) -> int:
    machine = trace.machines[node]
    if machine.has_holes or machine.model is None:
        return _ALWAYS
    if machine.is_closed:
        return _NEVER
    ticks = trace.tick[trace.logs[node]]
    tick = machine.model.next_tick(int(ticks.max()) if len(ticks) else -1)
    return _NEVER if tick is None else machine.model.due_ns(tick) + machine.shift_ns
