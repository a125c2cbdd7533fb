"""The law of the ticks: every tick that exists is one event, once, in rising order.

Never looks at what an event did.
"""

from typing import NamedTuple

from node.model import Model
from orchestrator.trace import words
from orchestrator.trace.bands import at_the_end
from orchestrator.trace.findings import Check, Findings
from orchestrator.trace.store import Machine, Trace


class _Complaint(NamedTuple):
    """What is wrong with an event; `is_gap` if lines that could not be read would explain it."""

    words: str
    is_gap: bool = False


def one_event_per_tick(trace: Trace) -> Check:
    """Follow each machine's log, line by line: the next tick that exists, at its due time, with the next index."""
    findings = Findings("one-event-per-tick")
    ends = at_the_end(trace)
    for node, machine in trace.machines.items():
        rows = trace.logs[node].tolist()
        if machine.model is None:
            findings.unknown(f"the log of machine {node} does not say which ticks it has.")
            continue
        for previous, row in zip([-1, *rows], rows, strict=False):
            complaint = _of_tick(trace, row, previous, machine.model) or _of_index(trace, row, previous, machine)
            if complaint is None:
                continue
            is_excused = complaint.is_gap and _explains_gap(trace, machine, row, previous)
            say = findings.unknown if is_excused else findings.violated
            say(f"machine {node}, {words.name(trace, row)}: {complaint.words}{words.where(trace, row)}.")
        _judge_end(machine, int(trace.tick[rows[-1]]) if rows else -1, findings, within=ends.get(node, ""))
    return findings.check()


def _of_tick(trace: Trace, row: int, previous: int, model: Model) -> _Complaint | None:
    tick, last = int(trace.tick[row]), int(trace.tick[previous]) if previous >= 0 else -1
    if not model.exists(tick):
        return _Complaint(f"the machine has no tick {tick}")
    due_ns = model.due_ns(tick) + trace.machines[model.node].shift_ns
    if tick == last:
        return _Complaint(f"a second event at tick {tick}, after {words.name(trace, previous)}; a tick is one event")
    if tick < last:
        return _Complaint(f"tick {tick} comes after tick {last}; ticks rise")
    if tick != (expected := model.next_tick(last)):
        return _Complaint(f"tick {tick} comes where tick {expected} is next, which has no event", is_gap=True)
    if due_ns != trace.due_ns[row]:
        recorded = words.milliseconds(int(trace.due_ns[row]))
        return _Complaint(f"tick {tick} is due at {words.milliseconds(due_ns)}, not at {recorded}")
    return None


def _of_index(trace: Trace, row: int, previous: int, machine: Machine) -> _Complaint | None:
    incarnation, index = int(trace.incarnation[row]), int(trace.index[row])
    last = int(trace.incarnation[previous]) if previous >= 0 else machine.start["incarnation"] if machine.start else 0
    if incarnation < last:
        return _Complaint(f"incarnation {incarnation} comes after incarnation {last}; incarnations rise")
    if (complaint := _of_incarnation(trace, row, incarnation, machine)) is not None:
        return complaint
    expected = int(trace.index[previous]) + 1 if previous >= 0 and incarnation == last else 1
    if index != expected:
        return _Complaint(f"the machine's next event is number {expected}", is_gap=index > expected)
    return None


def _of_incarnation(trace: Trace, row: int, incarnation: int, machine: Machine) -> _Complaint | None:
    # Which incarnation a log begins with that is not the first is not for the model to say.
    assert machine.model is not None, "without a model there are no ticks to follow"
    expected = machine.model.incarnation(int(trace.due_ns[row]) - machine.shift_ns)
    if incarnation == expected or (machine.start and machine.start["incarnation"]):
        return None
    return _Complaint(f"it is of incarnation {incarnation}; by the crashes with amnesia before it, it is {expected}")


def _explains_gap(trace: Trace, machine: Machine, row: int, previous: int) -> bool:
    # A log that begins with a later incarnation says nothing of the one whose log was lost.
    return machine.has_holes or (previous < 0 and trace.incarnation[row] > 0)


def _judge_end(machine: Machine, last: int, findings: Findings, *, within: str) -> None:
    assert machine.model is not None, "without a model there are no ticks to miss"
    missing = machine.model.next_tick(last)
    if missing is None:
        return
    node = machine.model.node
    if machine.is_finished and not machine.has_holes:
        findings.violated(f"machine {node} has finished, but tick {missing} and what follows have no event.")
    else:
        findings.unknown(f"the log of machine {node} ends before tick {missing}{within}.")
