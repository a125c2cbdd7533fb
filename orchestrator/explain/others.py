"""The logs of others as a history.

Never pairs a receive with a send: it is told which pairs are certain, and how they are known.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np

from orchestrator.audit.store import OTHER, RECEIVE, ForeignTrace
from orchestrator.config.place import printable
from orchestrator.trace.order import Edges
from orchestrator.trace.store import NULL
from orchestrator.trace.verdict import Evidence

KIND_NAMES: Final = ("internal", "send", "receive", "event")
"""By what the column `kind` holds."""


class ForeignHistory:
    """Foreign logs, to be walked from event to event; see `History` for what each method says.

    `edges` are the pairs of send and receive, or of cause and effect by vectors, that are certain; `evidence` how.
    """

    clock_rule = ""

    def __init__(self, trace: ForeignTrace, edges: Edges, evidence: Evidence | None) -> None:
        self.name = trace.name
        self.understood = trace.understood
        self.remarks = (*trace.doubts, *trace.remarks)
        self.evidence: Evidence | None = evidence
        self.machines: Sequence[str] = tuple(map(printable, trace.nodes))
        self.files: Sequence[str] = tuple(map(printable, trace.files))
        self._trace = trace
        self._before = trace.before.tolist()
        self._node = trace.node.tolist()
        self._kind = trace.kind.tolist()
        self._clock = trace.clock.tolist()
        by_effect = np.argsort(edges.effect, kind="stable")
        self._causes = edges.cause[by_effect].tolist()
        self._first_cause = np.searchsorted(edges.effect[by_effect], np.arange(len(trace) + 1)).tolist()
        self._start_ns = int(trace.time_ns.min()) if trace.has_times else 0

    def __len__(self) -> int:
        return len(self._trace)

    @cached_property
    def step(self) -> int | None:
        """One unit, unless there are decimals that are not whole."""
        trace, scale = self._trace, self._trace.clock_scale
        is_counting = not (trace.clock[trace.clock != NULL] % scale).any()
        return scale if is_counting and trace.has_clock else None

    @cached_property
    def _lost(self) -> Sequence[int]:
        """How many events are missing before each, as the machine's own entries in the vectors say."""
        lost = [0] * len(self)
        if self._trace.vector is None:
            return lost
        for node, rows in enumerate(self._trace.programs):
            own = [0, *self._trace.vector[rows, node].tolist()]
            for row, (earlier, later) in zip(rows.tolist(), pairwise(own), strict=True):
                lost[row] = max(0, later - earlier - 1)
        return lost

    @cached_property
    def _is_cut(self) -> Sequence[bool]:
        """Whether a line that could not be read stands between an event and its machine's previous one."""
        trace = self._trace
        unread = np.zeros(len(self), np.int64)
        """How many such lines stand before an event in its file."""
        for file in np.unique(trace.unread_file).tolist():
            rows = np.flatnonzero(trace.file == file)
            unread[rows] = np.searchsorted(np.sort(trace.unread_line[trace.unread_file == file]), trace.line[rows])
        before = trace.before
        is_next = (before >= 0) & (trace.file[before] == trace.file)
        found: list[bool] = np.where(is_next, unread != unread[before], unread > 0).tolist()
        return found

    @cached_property
    def _names_missing(self) -> Sequence[bool]:
        """Whether an event's vector names an event that the record does not hold."""
        names_missing = np.zeros(len(self), np.bool_)
        if self._trace.vector is not None:
            for node, rows in enumerate(self._trace.programs):
                named = self._trace.vector[:, node]
                names_missing |= (named > 0) & ~np.isin(named, named[rows])
        found: list[bool] = names_missing.tolist()
        return found

    def events_of(self, machine: str) -> Sequence[int]:
        """Return the rows of a machine in program order."""
        found: list[int] = self._trace.programs[self.machines.index(machine)].tolist()
        return found

    def events_in(self, file: str) -> Sequence[int]:
        """Return the rows of a file, by line."""
        rows = np.flatnonzero(self._trace.file == self.files.index(file))
        found: list[int] = rows[np.argsort(self._trace.line[rows], kind="stable")].tolist()
        return found

    def machine(self, row: int) -> str:
        """Return the machine of an event."""
        node: int = self._node[row]
        return self.machines[node]

    def number(self, row: int) -> int:
        """Return the position of an event in its machine's program."""
        return int(self._trace.position[row])

    def event(self, row: int) -> str:
        """Return machine and position."""
        return f"{self.machine(row)}:{self.number(row)}"

    def line(self, row: int) -> int:
        """Return the line in which the record of an event begins."""
        return int(self._trace.line[row])

    def place(self, row: int) -> str:
        """Return file and line."""
        return f"{self.files[self._trace.file[row]]}:{self._trace.line[row]}"

    def kind(self, row: int) -> str:
        """Return the kind; `event` where the log does not say it."""
        kind: int = self._kind[row]
        return KIND_NAMES[kind]

    def previous(self, row: int) -> int:
        """Return the previous event of the same machine."""
        return int(self._before[row])

    def lost_before(self, row: int) -> int:
        """Return how many events the machine's own entries in the vectors leave out."""
        return self._lost[row]

    def causes(self, row: int) -> Sequence[int]:
        """Return the causes that are certain."""
        found: list[int] = self._causes[self._first_cause[row] : self._first_cause[row + 1]]
        return found

    def received(self, row: int) -> str:
        """Return the first of the causes: no log of others tells copies apart."""
        return self.event(self.causes(row)[0])

    def unnamed(self, row: int) -> str:
        """Return what the log does not say of a receive, or of an event that may be one."""
        # A vector tells all that happened before, also where it names nothing new.
        if self._trace.vector is not None or self.causes(row):
            return ""
        if self._kind[row] == OTHER:
            return "the log does not say what kind of event this is"
        if self._kind[row] != RECEIVE:
            return ""
        sender = int(self._trace.sender[row])
        return (
            f"the log names its sender, {self.machines[sender]}, but not which send it was"
            if sender >= 0
            else "the log does not name its send"
        )

    def is_open(self, row: int) -> bool:
        """Whether lines, events or a send are missing."""
        is_cut = self._is_cut[row] or self._lost[row] > 0 or self._names_missing[row]
        return is_cut or bool(self.unnamed(row))

    def clock(self, row: int) -> int | None:
        """Return the clock if it is scalar and was logged."""
        return _or_none(self._clock[row]) if self._trace.has_clock else None

    def clock_text(self, row: int) -> str | None:
        """Return the clock; of a vector the entries that are not 0."""
        vector, clock = self._trace.vector, self.clock(row)
        if vector is not None:
            entries = zip(self.machines, vector[row].tolist(), strict=True)
            return f"{{{', '.join(f'{node}: {count}' for node, count in entries if count)}}}"
        return None if clock is None else self.shown_clock(clock)

    def shown_clock(self, value: int) -> str:
        """Return a clock as the log writes it."""
        return self._trace.shown_clock(value)

    def stamp(self, row: int) -> int | None:
        """Return the stamp of a receive that logs it."""
        return _or_none(int(self._trace.stamp[row]))

    def time_ns(self, row: int) -> int | None:
        """Return the machine's own time, since the earliest of the record."""
        return int(self._trace.time_ns[row]) - self._start_ns if self._trace.has_times else None

    def arrival_ns(self, row: int) -> int | None:
        """Return None: no log of others says when a message came."""
        return None

    def faults(self, row: int) -> Sequence[str]:
        """Return nothing: no log of others says what was wrong."""
        return ()


def _or_none(value: int) -> int | None:
    return None if value == NULL else value
