"""A sequence of all events in which each stands behind what it depends on: the one before it, and its causes.

Never looks at a clock or a time. Where events depend on themselves, a cause that closes the circle is left out.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from orchestrator.trace.store import Column

Causes: TypeAlias = dict[int, list[int]]
"""The causes of each event that has any."""

_NONE = -1
_NEW, _OPEN, _DONE = 0, 1, 2


def sequence(programs: Sequence[Column], causes: Causes, count: int) -> tuple[list[int], list[int]]:
    """Return all rows, each after what it depends on, and those of whose causes one was left out for that.

    What is left out is taken from `causes`.
    """
    whole = by_program(programs, causes, count)
    return by_event(programs, causes, count) if whole is None else (whole, [])


def by_program(programs: Sequence[Column], causes: Mapping[int, Sequence[int]], count: int) -> list[int] | None:
    """Return the sequence, made of whole pieces of programs; None where there is a circle."""
    pieces = _Pieces(programs, causes, count)
    for which, rows in enumerate(programs):
        path = [(which, len(rows))]
        while path:
            missing = pieces.take(*path[-1])
            if missing == _NONE:
                path.pop()
                continue
            other = pieces.program[missing]
            if any(other == one for one, _ in path):
                return None  # That program waits for this one, and has not come as far as the cause.
            path.append((other, pieces.position[missing]))
    return pieces.rows


class _Pieces:
    """How much of each program has been taken; `position` counts from 1 in its program, and so does `_taken`."""

    def __init__(self, programs: Sequence[Column], causes: Mapping[int, Sequence[int]], count: int) -> None:
        program, position, is_effect = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.bool_)
        is_effect[list(causes)] = True
        for which, rows in enumerate(programs):
            program[rows], position[rows] = which, np.arange(1, len(rows) + 1)
        self.program: list[int] = program.tolist()
        self.position: list[int] = position.tolist()
        self.rows: list[int] = []
        self._causes = causes
        self._programs: list[list[int]] = [rows.tolist() for rows in programs]
        self._effects: list[list[int]] = [np.flatnonzero(is_effect[rows])[::-1].tolist() for rows in programs]
        self._taken = [0] * len(programs)

    def take(self, which: int, until: int) -> int:
        """Take a program up to this position, or to its first event of which a cause is missing; return that cause."""
        rows, effects, begin, missing = self._programs[which], self._effects[which], self._taken[which], _NONE
        while effects and effects[-1] < until:
            self._taken[which] = effects[-1]
            missing = self._missing(self._causes[rows[effects[-1]]])
            if missing != _NONE:
                break
            effects.pop()
        else:
            self._taken[which] = max(begin, until)
        self.rows += rows[begin : self._taken[which]]
        return missing

    def _missing(self, causes: Sequence[int]) -> int:
        for cause in causes:
            if self._taken[self.program[cause]] < self.position[cause]:
                return cause
        return _NONE


def by_event(programs: Sequence[Column], causes: Causes, count: int) -> tuple[list[int], list[int]]:
    """Return the same as `sequence`, event by event: the plain way, and the only one that can leave something out."""
    before = [_NONE] * count
    for rows in programs:
        for earlier, later in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True):
            before[later] = earlier
    state, awaited = [_NEW] * count, [_NONE] * count
    found: list[int] = []
    circular: list[int] = []
    for root in range(count):
        path = [root]
        while path:
            row = path[-1]
            is_early = before[row] != _NONE and state[before[row]] != _DONE
            needed = before[row] if is_early else _first_missing(causes.get(row, ()), state)
            if state[row] == _DONE:
                path.pop()
            elif needed == _NONE:
                state[row] = _DONE
                found.append(row)
            else:
                if state[needed] == _OPEN and state[awaited[needed]] != _DONE:
                    # An open row waits for this cause, and so do all above it on the path: a circle.
                    circular.append(needed)
                    causes[needed].remove(awaited[needed])
                    state[needed] = _NEW
                else:
                    state[row], awaited[row] = (_NEW, _NONE) if is_early else (_OPEN, needed)
                path.append(needed)
    return found, circular


def _first_missing(causes: Sequence[int], state: list[int]) -> int:
    return next((cause for cause in causes if state[cause] != _DONE), _NONE)
