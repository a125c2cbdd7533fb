"""From records to a trace: whose the events are, what each says, and who is named.

Never judges an event; what cannot be read as what it should be leaves a doubt and a hole.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from node.errors import NoLogError, one_line
from orchestrator.audit.store import ALL, OTHER, SEND, ForeignTrace
from orchestrator.formats.broadcasts import Merged, merge_broadcasts
from orchestrator.formats.clocks import CLOCK_MAX, Numbers, read_numbers
from orchestrator.formats.format import LogFormat
from orchestrator.formats.kinds import IGNORE, SEND_ALL, SEND_SOME, Kinds
from orchestrator.formats.machines import Machines
from orchestrator.formats.messages import message_numbers
from orchestrator.formats.names import Names
from orchestrator.formats.peers import Peers
from orchestrator.formats.records import Batch
from orchestrator.formats.times import Times
from orchestrator.formats.vectors import Vectors
from orchestrator.trace.store import NULL, Column, Mask

DOUBTS_MAX: Final = 3
_COLUMNS: Final = (
    *("node", "kind", "clock", "stamp", "queue", "time_ns", "index", "sender", "to", "message", "file", "line"),
)


class Builder:
    """Takes the records of one execution, batch by batch, and makes its trace."""

    def __init__(self, layout: LogFormat) -> None:
        self._layout = layout
        self._parts: list[dict[str, Column]] = []
        self._nodes = Names()
        self._messages = Names()
        self._peers = Peers(layout.aliases)
        self._vectors = Vectors()
        self._kinds = Kinds(layout)
        self._times = Times(layout.time)
        self._scale = 1
        self._may_be_some = False
        self._unread: list[tuple[int, int]] = []
        self._file_of: dict[str, tuple[int, str]] = {}
        self.doubts: list[str] = []
        self.remarks: list[str] = []
        self.bad = 0
        self.ignored = 0

    def add(self, batch: Batch, *, file: int, file_name: str, node: str, thread: str) -> None:
        """Add records of a file; `node` and `thread` are what the file's path names."""
        kinds = self._kinds.of(batch)
        is_event = kinds != IGNORE
        if not is_event.all():
            self.ignored += int((~is_event).sum())
            batch, kinds = _only(batch, is_event), kinds[is_event]
        values, count = batch.values, len(batch.lines)
        if values.get("node") is None and count:
            self._note_file(f"{node}/{thread}" if thread and "thread" not in values else node, file, file_name)
        clocks, stamps, bad = self._clocks(values, count)
        sender, to = self._peers.of(values, kinds)
        self._may_be_some |= bool(((kinds == SEND_SOME) & (to == ALL)).any())
        part = {
            "node": self._whose(values, count, node, thread),
            "kind": np.where(kinds >= SEND_ALL, SEND, kinds),
            "clock": clocks,
            "stamp": stamps,
            "queue": read_numbers(values.get("queue"), count).column,
            "time_ns": self._times.read(values.get("time"), count),
            "index": read_numbers(values.get("index"), count).column,
            "sender": sender,
            "to": to,
            "message": self._ids(values.get("message"), count),
            "file": np.full(count, file, np.int64),
            "line": np.array(batch.lines, np.int64),
        }
        if bad:
            part = self._without(part, bad, values, file_name)
        self._parts.append(part)

    def leave_unread(self, file: int, lines: Iterable[int]) -> None:
        """Remember lines that match nothing: they may have been events."""
        self._unread += [(file, line) for line in lines]

    @property
    def unknown_kinds(self) -> Mapping[str, int]:
        """How often the format does not say what an event was, by its word."""
        return self._kinds.unknown

    def finish(self, name: str, files: Sequence[str]) -> ForeignTrace:
        """Return the trace."""
        columns: dict[str, Any] = {
            column: np.concatenate([part[column] for part in self._parts]) if self._parts else np.empty(0, np.int64)
            for column in _COLUMNS
        }
        self._parts.clear()
        machines = Machines.of(self._layout, self._nodes, self._peers.names, self._vectors.names)
        columns["node"] = machines.of_nodes(columns["node"])
        for column in ("sender", "to"):
            columns[column] = machines.of_peers(columns[column])
        columns["message"] = message_numbers(columns, self._layout.ids)
        recipients, vector = machines.recipients(self._peers.lists, columns["to"]), self._matrix(machines)
        events = Merged(columns, vector, recipients)
        if self._layout.broadcast == "lines":
            events = merge_broadcasts(*events)
        return ForeignTrace(
            name=name,
            format_name=self._layout.name,
            nodes=machines.names,
            absent=machines.absent,
            clock_kind=self._layout.clock,
            clock_scale=self._scale,
            is_fifo=self._layout.fifo,
            is_declared_complete=self._layout.complete,
            **events.columns,
            unit_ns=self._times.unit_ns,
            may_be_some=self._may_be_some,
            recipients=events.recipients,
            vector=events.vector,
            files=tuple(files),
            unread_file=np.array([file for file, _ in self._unread], np.int64),
            unread_line=np.array([line for _, line in self._unread], np.int64),
            remarks=(*self.remarks, *self._remarks(), *self._order_of_lists(machines)),
            doubts=tuple(self.doubts),
        )

    def _matrix(self, machines: Machines) -> Column | None:
        if self._layout.clock != "vector":
            return None
        return self._vectors.matrix(machines.place_of_name, len(machines.names), self._layout.nodes)

    def _remarks(self) -> Iterable[str]:
        if unknown := self._kinds.unknown:
            first = one_line(next(iter(unknown)), 60)
            yield f"of {sum(unknown.values())} events the format does not say what they are, such as {first!r}"
        if count := self._times.unread_count:
            yield f"{count} times cannot be read, such as {one_line(self._times.unread[0], 60)!r}"

    def _order_of_lists(self, machines: Machines) -> Iterable[str]:
        """Yield in which order the machines are taken for those of lists, if the format does not say it."""
        if self._vectors.are_lists and not self._layout.nodes:
            names = ", ".join(one_line(name, 20) for name in machines.names[:8])
            yield f"the format has no `nodes`; the entries of vectors are taken for those of {names}, in this order"

    def _whose(self, values: Mapping[str, list[Any]], count: int, node: str, thread: str) -> Column:
        hosts, threads, aliases = values.get("node"), values.get("thread"), self._layout.aliases
        if hosts is None and threads is None:
            name = aliases.get(node, node)
            return np.full(count, self._nodes.number(f"{name}/{thread}" if thread else name), np.int64)
        names = [node if host in (None, "") else str(host).strip() for host in hosts or [None] * count]
        if aliases:
            names = [aliases.get(name, name) for name in names]
        if threads is not None or thread:
            names = [f"{name}/{part or thread}" for name, part in zip(names, threads or [""] * count, strict=True)]
        numbers = {name: self._nodes.number(name) for name in dict.fromkeys(names)}
        return np.array(list(map(numbers.__getitem__, names)), np.int64)

    def _note_file(self, node: str, file: int, file_name: str) -> None:
        """Refuse two files of one machine: nobody knows which of its events came first, or if it is one machine."""
        first, its_name = self._file_of.setdefault(node, (file, file_name))
        if first != file:
            both = file_name if file_name == its_name else f"{its_name} and {file_name}"
            raise NoLogError(
                f"{both}: two logs of the machine {one_line(node, 40)!r}; check one run at a time, or say in a format "
                "what names the machine"
            )

    def _clocks(self, values: Mapping[str, list[Any]], count: int) -> tuple[Column, Column, dict[int, str]]:
        """Return clocks and stamps, and why those of a record cannot be read, by its position."""
        none, kind = np.full(count, NULL, np.int64), self._layout.clock
        if kind == "none":
            return none, none, {}
        if kind == "vector":
            return none, none, self._vectors.add(values.get("clock"), count)
        clocks = read_numbers(values.get("clock"), count, is_fractional=kind == "fractional")
        stamps = read_numbers(values.get("stamp"), count, is_fractional=kind == "fractional")
        absent = dict.fromkeys(np.flatnonzero(clocks.column == NULL).tolist(), "no clock")
        return *self._in_one_scale(clocks, stamps), absent | clocks.bad | stamps.bad

    def _in_one_scale(self, *numbers: Numbers) -> tuple[Column, Column]:
        """Return clocks and stamps in the finest unit seen so far; what was read before is brought to it, too."""
        finest = max(self._scale, *(one.scale for one in numbers))
        if finest > self._scale:
            for part in self._parts:
                for column in ("clock", "stamp"):
                    part[column] = _scaled(part[column], finest // self._scale)
            self._scale = finest
        clocks, stamps = (_scaled(one.column, finest // one.scale) for one in numbers)
        return clocks, stamps

    def _ids(self, values: Sequence[Any] | None, count: int) -> Column:
        if values is None:
            return np.full(count, -1, np.int64)
        number = self._messages.number
        return np.array([-1 if value in (None, "") else number(str(value)) for value in values], np.int64)

    def _without(
        self, part: dict[str, Column], bad: Mapping[int, str], values: Mapping[str, list[Any]], file_name: str
    ) -> dict[str, Column]:
        """Return the part without the records that cannot be read; each leaves a hole in its machine's log."""
        for place, why in sorted(bad.items()):
            self.bad += 1
            self._unread.append((int(part["file"][place]), int(part["line"][place])))
            if len(self.doubts) < DOUBTS_MAX:
                shown = one_line(str((values.get("clock") or [""] * (place + 1))[place]), 40)
                self.doubts.append(f"{file_name}:{part['line'][place]}: {why}: {shown!r}")
        is_good = np.ones(len(part["node"]), np.bool_)
        is_good[list(bad)] = False
        return {column: numbers[is_good] for column, numbers in part.items()}


def _only(batch: Batch, is_kept: Mask) -> Batch:
    places = np.flatnonzero(is_kept).tolist()
    values = {field: [column[place] for place in places] for field, column in batch.values.items()}
    return Batch(values, [batch.lines[place] for place in places])


def _scaled(column: Column, factor: int) -> Column:
    if factor == 1:
        return column
    return np.where((column == NULL) | (np.abs(column) > CLOCK_MAX // factor), NULL, column * factor)


assert OTHER < IGNORE < SEND_ALL < SEND_SOME, "a kind that is no event, or to all or some, is no kind of a trace"
