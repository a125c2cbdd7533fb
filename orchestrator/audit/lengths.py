"""Recorded queue lengths that do not add up: what is odd in them whatever the rest of the log says.

Never asks when a message arrived, which no such log says. Between two records of a machine its queue grows by any
number of arrivals and shrinks by one at each receive; a machine that ticks takes a message first if one waits; and
what was received or waits was sent. Whether a receive counts its own message is told by a receive that records 0:
only one that does not can. Where none does, both are allowed for.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from orchestrator.audit import words
from orchestrator.audit.delivery import Delivery
from orchestrator.audit.rhythm import Rhythm
from orchestrator.audit.rooms import is_after_a_hole
from orchestrator.audit.store import OTHER, ForeignTrace
from orchestrator.trace.store import NULL, Column, Mask


class _Program(NamedTuple):
    """A machine's events: the length each recorded, whether it may take a message, whether lines lack before it."""

    rows: Column
    length: Column
    takes: Mask
    is_after_hole: Mask
    excludes_own: bool


def length_remarks(trace: ForeignTrace, delivery: Delivery) -> Iterator[str]:
    """Yield at most a sentence for each law that recorded lengths break: how often, and where first."""
    if not (trace.queue != NULL).any():
        return
    programs = _programs(trace)
    falls = [found for program in programs for found in _falls(program)]
    if falls:
        row, fell, taken = min(falls)
        yield (
            f"recorded queue lengths do not add up at {words.counted(len(falls), 'event')}: first at "
            f"{words.event(trace, row)} the queue is shorter by {fell} than at the record before, and "
            f"{words.counted(taken, 'message')} can have been taken since {words.place(trace, row)}"
        )
    passed_over = [found for program in programs for found in _passed_over(trace, program)]
    if passed_over:
        row, length = min(passed_over)
        yield (
            f"{words.counted(len(passed_over), 'event')} did something else while a message waited, by the recorded "
            f"queue lengths: first {words.event(trace, row)}, when the event before had left {length} in the queue "
            f"{words.place(trace, row)}"
        )
    has_holes = any(program.is_after_hole.any() for program in programs)
    beyond = [] if has_holes else [found for program in programs for found in _beyond(trace, program, delivery)]
    if beyond:
        row, length, received, sent = min(beyond)
        yield (
            f"{words.counted(len(beyond), 'event')} recorded more messages than there can be: first "
            f"{words.event(trace, row)}, with {length} in the queue and {received} received until then; the record has "
            f"at most {words.counted(sent, 'message')} to that machine {words.place(trace, row)}"
        )


def _programs(trace: ForeignTrace) -> list[_Program]:
    takes, is_after_hole = trace.is_receive | (trace.kind == OTHER), is_after_a_hole(trace)
    excludes_own = bool((trace.queue[trace.is_receive] == 0).any())
    return [
        _Program(rows, trace.queue[rows], takes[rows], is_after_hole[rows], excludes_own)
        for rows in trace.programs
        if len(rows)
    ]


def _falls(program: _Program) -> Iterator[tuple[int, int, int]]:
    """Yield the row of each record that is shorter than the one before by more than was taken since; by how much."""
    recorded = np.flatnonzero(program.length != NULL)
    earlier, later = recorded[:-1], recorded[1:]
    taken, holes = np.cumsum(program.takes), np.cumsum(program.is_after_hole)
    most: Column = taken[later] - taken[earlier]
    if not program.excludes_own:
        most = np.maximum(most, most + program.takes[earlier].astype(np.int64) - program.takes[later])
    fell = program.length[earlier] - program.length[later]
    for place in np.flatnonzero((fell > most) & (holes[later] == holes[earlier])).tolist():
        yield int(program.rows[later[place]]), int(fell[place]), int(most[place])


def _passed_over(trace: ForeignTrace, program: _Program) -> Iterator[tuple[int, int]]:
    """Yield the row of each event that takes nothing though the event before left something.

    Only a machine that ticks leaves no room for an event between them that may have taken it.
    """
    left = program.length if program.excludes_own else program.length - program.takes
    is_odd = (program.length[:-1] != NULL) & (left[:-1] > 0) & ~program.takes[1:]
    is_odd &= ~program.is_after_hole[1:] & ~Rhythm(trace, program.rows).has_room
    for place in np.flatnonzero(is_odd).tolist():
        yield int(program.rows[place + 1]), int(left[place])


def _beyond(trace: ForeignTrace, program: _Program, delivery: Delivery) -> Iterator[tuple[int, int, int, int]]:
    """Yield the row of each record that, with all received so far, is more than what was sent."""
    most = delivery.most_sent_to[trace.node[program.rows[0]]]
    if most is None:
        return
    taken = np.cumsum(program.takes)
    seen = taken if program.excludes_own else taken - program.takes
    for place in np.flatnonzero((program.length != NULL) & (program.length + seen > most)).tolist():
        yield int(program.rows[place]), int(program.length[place]), int(seen[place]), most
