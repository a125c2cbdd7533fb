"""Whether vector clocks can be true, also where events are missing.

Never rejects a record for its holes. The law: a record is valid if events can be put into its holes so that the whole
is what the rule of Fidge (1988) and Mattern (1988) gives. It is enough to try the least that a missing event can know,
which is what the last event of its machine before it knew: whatever contains more contains that. So it is broken if
and only if a machine's numbers are not 1, 2, 3, ... each once; or what a machine knows gets less; or an event knows n
events of another machine, and the last of these that is in the record knew something that it does not know, or knew
of it. A number that is not there breaks the law only where it is known that no line is missing.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Final, TypeAlias

import numpy as np

from node.errors import one_line
from orchestrator.audit.store import ForeignTrace
from orchestrator.audit.vectors import NumberedEvents
from orchestrator.trace.findings import EXAMPLES_MAX, Check, Findings, not_applicable, not_judged
from orchestrator.trace.store import Column

NAME: Final = "vector-valid"

Complaint: TypeAlias = tuple[int, Callable[[], str]]
"""The row of an event that cannot be true, and why in words."""


def vector_valid(trace: ForeignTrace) -> Check:
    """Judge the vector of every event; a violation is an event whose vector cannot be true, whatever is missing."""
    if trace.vector is None:
        return not_applicable(NAME, "the log has no vector clocks.")
    if not len(trace):
        return not_judged(NAME, "there is no event.")
    events = NumberedEvents(trace)
    findings = Findings(NAME, "by-id")
    complaints: dict[int, Callable[[], str]] = {}
    for law in (_numbers, _knowledge_kept, _circles, _containment, _nothing_missing):
        for row, words in law(events):
            complaints.setdefault(row, words)
    findings.all_violated(sorted(complaints), lambda row: complaints[row]())
    for doubt in islice(_doubts(events), EXAMPLES_MAX):
        findings.unknown(doubt)
    return findings.check()


def _numbers(events: NumberedEvents) -> Iterator[Complaint]:
    """Numbers begin with 1, and each is given once."""
    trace = events.trace
    for machine, rows in enumerate(trace.programs):
        own = events.own[rows]
        if not _is_called_otherwise(events, machine):
            for row in rows[own == 0].tolist():
                yield row, partial(_no_number, trace, row)
        for place in np.flatnonzero((own[1:] == own[:-1]) & (own[1:] > 0)).tolist():
            first, again = int(rows[place]), int(rows[place + 1])
            yield again, partial(_number_again, events, first, again)


def _knowledge_kept(events: NumberedEvents) -> Iterator[Complaint]:
    """Never does a machine know less than it knew."""
    for rows in events.programs:
        later = rows[events.previous[rows] >= 0]
        previous = events.previous[later]
        is_less = events.vectors[later] < events.vectors[previous]
        for place in np.flatnonzero(is_less.any(axis=1)).tolist():
            row, machine = int(later[place]), int(np.argmax(is_less[place]))
            yield row, partial(_forgotten, events, row, machine)


def _circles(events: NumberedEvents) -> Iterator[Complaint]:
    """Nobody knows an event that knows of him, or of what he does later."""
    entries = events.entries
    for place in np.flatnonzero(entries.is_circular).tolist():
        yield int(entries.effect[place]), partial(_circle, events, place)


def _containment(events: NumberedEvents) -> Iterator[Complaint]:
    """Who knows of an event knows all that it knew."""
    entries = events.entries
    for place in np.flatnonzero(~entries.is_contained & ~entries.is_circular).tolist():
        yield int(entries.effect[place]), partial(_not_contained, events, place)


def _nothing_missing(events: NumberedEvents) -> Iterator[Complaint]:
    """Where no line is missing, every number is there, and no other can be known."""
    trace, entries = events.trace, events.entries
    for machine in range(len(trace.nodes)):
        if _is_complete(trace, machine):
            for row, number, _ in _gaps(events, machine):
                yield row, partial(_gap, trace, row, number)
            for place in np.flatnonzero((entries.machine == machine) & ~entries.is_there).tolist():
                yield int(entries.effect[place]), partial(_no_such_event, events, place)


def _doubts(events: NumberedEvents) -> Iterator[str]:
    """Yield what is missing in the record, machine by machine; a proof outweighs it."""
    trace, entries = events.trace, events.entries
    yield from (f"nobody knows the vector of {one_line(doubt)}." for doubt in trace.doubts)
    for machine in range(len(trace.nodes)):
        told = np.flatnonzero(entries.machine == machine)
        if _is_called_otherwise(events, machine):
            yield f"no vector of {_machine(trace, machine)} has an entry of its own: is it called something else there?"
        for row, number, last in _gaps(events, machine):
            yield _missing(events, row, number, last)
        numbers, most = events.numbers(machine), int(entries.count[told].max(initial=0))
        if most > numbers.max(initial=0):
            effect = int(entries.effect[told[np.argmax(entries.count[told])]])
            end = f"ends with number {numbers[-1]}" if len(numbers) else "is not there"
            yield (
                f"{_event(trace, effect)} knows {_count(most)} of {_machine(trace, machine)}, whose log {end}: "
                f"what those that are missing knew cannot be told."
            )


def _is_complete(trace: ForeignTrace, machine: int) -> bool:
    """Return whether every event of a machine is in the record: somebody says so, and we have read all its lines."""
    rows = trace.programs[machine]
    return trace.is_declared_complete and bool(len(rows)) and not np.isin(trace.unread_file, trace.file[rows]).any()


def _is_called_otherwise(events: NumberedEvents, machine: int) -> bool:
    """Return whether a machine may have another name in vectors: its own is in none, and a name there has no log."""
    rows = events.trace.programs[machine]
    return bool(len(rows)) and not events.own[rows].any() and events.trace.absent > 0


def _gaps(events: NumberedEvents, machine: int) -> Iterator[tuple[int, int, int]]:
    """Yield which event comes after a gap, and the first and the last number that are missing there."""
    numbers = np.append(0, events.numbers(machine))
    for place in np.flatnonzero(np.diff(numbers) > 1).tolist():
        yield int(events.programs[machine][place]), int(numbers[place]) + 1, int(numbers[place + 1]) - 1


def _no_number(trace: ForeignTrace, row: int) -> str:
    return (
        f"{_event(trace, row)} has no entry of its own in its vector. That is the event's number: "
        f"1 at a machine's first event, and 1 more at each."
    )


def _number_again(events: NumberedEvents, first: int, again: int) -> str:
    trace = events.trace
    is_same = bool((events.vectors[first] == events.vectors[again]).all())
    return (
        f"{_event(trace, again)} is number {events.own[again]} of its machine, and so is {_event(trace, first)}, with "
        f"{'the same' if is_same else 'another'} vector. A machine counts each of its events: no two have one number."
    )


def _forgotten(events: NumberedEvents, row: int, machine: int) -> str:
    trace, previous = events.trace, int(events.previous[row])
    known_before = int(events.vectors[previous, machine])
    return (
        f"{_event(trace, row)} knows {_count(events.vectors[row, machine])} of {_machine(trace, machine)}; "
        f"{_event(trace, previous)}, before it, knew {known_before}. "
        f"A machine never knows less than it knew: at least {known_before}."
    )


def _circle(events: NumberedEvents, place: int) -> str:
    trace, cause, effect = events.trace, int(events.entries.cause[place]), int(events.entries.effect[place])
    machine, known = _machine(trace, int(trace.node[effect])), int(events.vectors[cause, trace.node[effect]])
    return (
        f"{_knows(events, place)}; but that knew {_count(known)} of {machine}, {_event(trace, effect)} among them. Two "
        f"events cannot each happen before the other: either the first knows at most {events.own[cause] - 1} of "
        f"{_machine(trace, int(trace.node[cause]))}, or the second at most {events.own[effect] - 1} of {machine}."
    )


def _not_contained(events: NumberedEvents, place: int) -> str:
    trace, cause, effect = events.trace, int(events.entries.cause[place]), int(events.entries.effect[place])
    known: Column = events.vectors[cause]
    machine = int(np.argmax(known - events.vectors[effect]))
    return (
        f"{_knows(events, place)}, but {_count(events.vectors[effect, machine])} of {_machine(trace, machine)}, of "
        f"which that knew {known[machine]}. Who knows of an event knows all that it knew: at least {known[machine]}."
    )


def _gap(trace: ForeignTrace, row: int, number: int) -> str:
    return (
        f"{_event(trace, row)} comes after {_count(number - 1)} of its machine, and no line is missing: "
        f"its own entry must be {number}."
    )


def _no_such_event(events: NumberedEvents, place: int) -> str:
    trace, entries = events.trace, events.entries
    machine, count = int(entries.machine[place]), int(entries.count[place])
    last = int(events.numbers(machine).max(initial=0))
    there = f"ends with number {last}" if count > last > 0 else f"has no number {count}"
    return (
        f"{_event(trace, int(entries.effect[place]))} knows {_count(count)} of {_machine(trace, machine)}, whose log "
        f"{there}, and no line of it is missing."
    )


def _knows(events: NumberedEvents, place: int) -> str:
    trace, entries = events.trace, events.entries
    machine = _machine(trace, int(entries.machine[place]))
    return (
        f"{_event(trace, int(entries.effect[place]))} knows {_count(entries.count[place])} of {machine}, "
        f"{_event(trace, int(entries.cause[place]))} among them"
    )


def _event(trace: ForeignTrace, row: int) -> str:
    return f"{one_line(trace.name_of(row), 60)} ({one_line(trace.place_of(row), 80)})"


def _machine(trace: ForeignTrace, machine: int) -> str:
    return one_line(trace.nodes[machine], 60)


def _count(number: int) -> str:
    return f"{number} event{'' if number == 1 else 's'}"


def _missing(events: NumberedEvents, row: int, first: int, last: int) -> str:
    trace = events.trace
    numbers = f"number {first} is" if first == last else f"the numbers {first} to {last} are"
    place = one_line(trace.place_of(row), 80)
    return (
        f"{numbers} missing in the log of {_machine(trace, int(trace.node[row]))}, before number {last + 1} ({place})."
    )
