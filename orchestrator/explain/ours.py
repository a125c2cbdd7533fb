"""A run of ours as a history.

Never adds to what the trace holds, but for names.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from node.event import EventId
from orchestrator.trace import words
from orchestrator.trace.bands import Band, bands
from orchestrator.trace.store import KINDS, NULL, Trace
from orchestrator.trace.verdict import Evidence


class OwnHistory:
    """A trace, to be walked from event to event; see `History` for what each method says."""

    understood = ""
    evidence: Evidence | None = "by-id"
    step: int | None = 1

    def __init__(self, trace: Trace, *, name: str, remarks: Sequence[str] = ()) -> None:
        self.name = name
        self.remarks = (*remarks, *trace.damage)
        self._trace = trace
        self._kind = trace.kind.tolist()
        self._clock = trace.clock.tolist()
        self._index = trace.index.tolist()
        self._before = trace.before.tolist()
        self._cause = trace.cause_row.tolist()
        self._unnamed = (trace.is_receive & (trace.cause_row < 0)).tolist()

    def __len__(self) -> int:
        return len(self._trace)

    @cached_property
    def clock_rule(self) -> str:
        """The clock of all machines' configurations, if it is one."""
        rules = {machine.model.clock for machine in self._trace.machines.values() if machine.model}
        return rules.pop() if len(rules) == 1 else ""

    @cached_property
    def machines(self) -> Sequence[str]:
        """The machines that have events or a log; each incarnation alone."""
        silent = {(node, 0) for node, rows in self._trace.logs.items() if not len(rows)}
        return tuple(_machine(*program) for program in sorted({*self._trace.programs, *silent}))

    @property
    def files(self) -> Sequence[str]:
        """The names of the event logs."""
        return tuple(self._node_of_file)

    def events_of(self, machine: str) -> Sequence[int]:
        """Return the rows of an incarnation, by index."""
        programs = {_machine(*program): rows for program, rows in self._trace.programs.items()}
        return programs[machine].tolist() if machine in programs else ()

    def events_in(self, file: str) -> Sequence[int]:
        """Return the rows of a machine's log, by line."""
        found: list[int] = self._trace.logs[self._node_of_file[file]].tolist()
        return found

    def machine(self, row: int) -> str:
        """Return the incarnation of an event, such as `2` or `2.1`."""
        return _machine(int(self._trace.node[row]), int(self._trace.incarnation[row]))

    def number(self, row: int) -> int:
        """Return the index of an event."""
        return int(self._index[row])

    def event(self, row: int) -> str:
        """Return an event's name."""
        return str(self._trace.name(row))

    def line(self, row: int) -> int:
        """Return the line of an event in its machine's log."""
        return int(self._trace.line[row])

    def place(self, row: int) -> str:
        """Return log and line; nothing if a lab handed the event over."""
        path = self._trace.machines[int(self._trace.node[row])].path
        return f"{path.name}:{self._trace.line[row]}" if path else ""

    def kind(self, row: int) -> str:
        """Return the kind as the log has it."""
        kind: int = self._kind[row]
        return KINDS[kind]

    def previous(self, row: int) -> int:
        """Return the previous event of the same incarnation."""
        return int(self._before[row])

    def lost_before(self, row: int) -> int:
        """Return how many indexes there are between an event and the previous one."""
        before = self._before[row]
        return max(0, int(self._index[row] - (self._index[before] if before >= 0 else 0) - 1))

    def causes(self, row: int) -> Sequence[int]:
        """Return the send that a receive names."""
        cause = self._cause[row]
        return (cause,) if cause >= 0 else ()

    def received(self, row: int) -> str:
        """Return the send, and that it was its second copy."""
        copy = "the second copy of " if self._trace.cause_copy[row] == 1 else ""
        return copy + self.event(self._cause[row])

    def unnamed(self, row: int) -> str:
        """Return which send a receive names that is not there."""
        return f"the record does not hold its send, {words.cause(self._trace, row)}" if self._unnamed[row] else ""

    def is_open(self, row: int) -> bool:
        """Whether indexes, or a send, are missing."""
        return self._unnamed[row] or self.lost_before(row) > 0

    def clock(self, row: int) -> int | None:
        """Return the clock."""
        return int(self._clock[row])

    def clock_text(self, row: int) -> str | None:
        """Return the clock as text."""
        return str(self._clock[row])

    def shown_clock(self, value: int) -> str:
        """Return a number as text."""
        return str(value)

    def stamp(self, row: int) -> int | None:
        """Return the stamp of a receive."""
        return _or_none(int(self._trace.stamp[row]))

    def time_ns(self, row: int) -> int | None:
        """Return when an event was due; None where the epochs of the machines are not known."""
        # Without every machine's epoch the times of two machines say nothing of each other.
        return int(self._trace.due_ns[row]) if self._trace.is_timed else None

    def arrival_ns(self, row: int) -> int | None:
        """Return when a message arrived in the model's network."""
        return _or_none(int(self._trace.arrival_ns[row])) if self._trace.is_timed else None

    def faults(self, row: int) -> Sequence[str]:
        """Return the faults of the model that the configuration has."""
        send = self._cause[row]
        if send < 0 or not self._trace.is_timed:
            return ()
        link = int(self._trace.node[send]), int(self._trace.node[row])
        sent_ns, received_ns = int(self._trace.due_ns[send]), int(self._trace.due_ns[row])
        arrival_ns = int(self._trace.arrival_ns[row])
        return tuple(
            band.words
            for band in self._bands
            if band.delays(link=link, sent_ns=sent_ns, arrival_ns=arrival_ns, received_ns=received_ns)
        )

    @cached_property
    def _bands(self) -> tuple[Band, ...]:
        return bands(self._trace)

    @cached_property
    def _node_of_file(self) -> Mapping[str, int]:
        return {machine.path.name: node for node, machine in self._trace.machines.items() if machine.path}


def _machine(node: int, incarnation: int) -> str:
    return str(EventId(node, incarnation, 1)).rpartition(":")[0]


def _or_none(value: int) -> int | None:
    return None if value == NULL else value
