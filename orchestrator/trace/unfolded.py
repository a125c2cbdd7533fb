"""A trace over narrow columns: each of its own is made when it is first asked for, as most never are.

Never judges. Whoever has the narrow columns of a run hands them over; all that the trace says follows from them.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from orchestrator.trace.columns import Rhythm, positions, rhythm_of
from orchestrator.trace.proof.columns import Columns
from orchestrator.trace.store import NULL, RECEIVE, Column, Machine, Messages, Trace


class Unfolded(Trace):
    """A trace that is made of narrow columns, and equal to one that never was narrow."""

    @classmethod
    def of(cls, narrow: Columns, machines: Mapping[int, Machine], *, damage: tuple[str, ...] = ()) -> "Unfolded":
        """Return the trace of these columns, in which machines are counted in the order of their numbers."""
        nodes = np.array(sorted(machines), np.int64)
        rhythm = rhythm_of({node: machine.model for node, machine in machines.items() if machine.model})
        trace = cls.__new__(cls)
        vars(trace).update(machines=machines, damage=damage, _unfolding=_Unfolding(narrow, nodes, rhythm))
        return trace

    def __len__(self) -> int:
        """Return the number of events."""
        narrow = narrow_of(self)
        return len(self.kind if narrow is None else narrow)

    def __getattr__(self, name: str) -> Any:
        """Return a column."""
        if name.startswith("_") or "_unfolding" not in vars(self):
            raise AttributeError(name)
        return getattr(vars(self)["_unfolding"], name)


def narrow_of(trace: Trace) -> Columns | None:
    """Return the narrow columns that a trace is made of, if it is; one in which a column was replaced is not."""
    unfolding = vars(trace).get("_unfolding")
    return None if unfolding is None else unfolding.narrow


class _Unfolding:
    """The columns of a trace, by their names."""

    def __init__(self, narrow: Columns, nodes: Column, rhythm: Rhythm) -> None:
        self.narrow, self._nodes, self._rhythm = narrow, nodes, rhythm

    @cached_property
    def node(self) -> Column:
        return self._nodes[self.narrow.machine]

    @cached_property
    def incarnation(self) -> Column:
        return _wide(self.narrow.incarnation) if self.narrow.has_lives else self._all(0)

    @cached_property
    def index(self) -> Column:
        return _wide(self.narrow.index) if self.narrow.has_lives else self.tick + 1

    @cached_property
    def tick(self) -> Column:
        return _wide(self.narrow.tick)

    @cached_property
    def due_ns(self) -> Column:
        return self._rhythm.due_ns(self.node, self.narrow.tick)

    @cached_property
    def wall(self) -> Column:
        return self._all(NULL)

    @cached_property
    def kind(self) -> Column:
        return _wide(self.narrow.kind)

    @cached_property
    def clock(self) -> Column:
        return _wide(self.narrow.clock)

    @cached_property
    def queue(self) -> Column:
        return _wide(self.narrow.queue)

    @cached_property
    def cause_node(self) -> Column:
        return self._of_receives(self.node[self._cause])

    @cached_property
    def cause_incarnation(self) -> Column:
        return self._of_receives(self.incarnation[self._cause])

    @cached_property
    def cause_index(self) -> Column:
        return self._of_receives(self.index[self._cause])

    @cached_property
    def cause_copy(self) -> Column:
        return self._of_receives(self.narrow.copy[self._taken])

    @cached_property
    def number(self) -> Column:
        return self._of_receives(self.messages.number[self._taken])

    @cached_property
    def stamp(self) -> Column:
        stamps, behind = _wide(self.narrow.clock[self._cause]), self.narrow.stamp_behind
        return self._of_receives(stamps - behind[self._receives] if len(behind) else stamps)

    @cached_property
    def arrival_ns(self) -> Column:
        return self._of_receives(self.messages.arrival_ns[self._taken])

    @cached_property
    def seen_ns(self) -> Column:
        return self._all(NULL)

    @cached_property
    def line(self) -> Column:
        return positions(self.narrow.machine)

    @cached_property
    def cause_row(self) -> Column:
        return self._of_receives(self._cause, otherwise=-1)

    @cached_property
    def message(self) -> Column:
        return self._of_receives(self._found, otherwise=-1)

    @cached_property
    def messages(self) -> Messages:
        narrow, found, rows = self.narrow, self._found, self._receives
        is_lost = narrow.number == 0
        receive_row = np.full(len(narrow.send_row), -1, np.int64)
        receive_row[found[found >= 0][::-1]] = rows[found >= 0][::-1]  # the first, if there are several
        return Messages(
            send_row=_wide(narrow.send_row),
            recipient=self._nodes[narrow.recipient],
            number=np.where(is_lost, NULL, _wide(narrow.number)),
            arrival_ns=np.where(is_lost, NULL, narrow.arrival_ns),
            copy=_wide(narrow.copy),
            receive_row=receive_row,
        )

    @cached_property
    def _receives(self) -> Column:
        return np.flatnonzero(self.narrow.kind == RECEIVE)

    @property
    def _taken(self) -> Any:
        """The message that each receive took."""
        return self.narrow.message[self._receives]

    @property
    def _found(self) -> Column:
        """The same; -1 where it was sent to somebody else, so that it is not the one which a receive names."""
        is_own = self.narrow.recipient[self._taken] == self.narrow.machine[self._receives]
        return np.where(is_own, _wide(self._taken), -1)

    @property
    def _cause(self) -> Any:
        return self.narrow.send_row[self._taken]

    def _of_receives(self, values: Any, *, otherwise: int = NULL) -> Column:
        column = np.full(len(self.narrow), otherwise, np.int64)
        column[self._receives] = values
        return column

    def _all(self, value: int) -> Column:
        return np.broadcast_to(np.int64(value), len(self.narrow))


def _wide(column: Any) -> Column:
    wide: Column = column.astype(np.int64)
    return wide
