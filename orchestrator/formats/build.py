"""From records to a trace: what each field means, whose the events are, and who is named.

Never judges an event; what cannot be read as what it should be leaves a doubt and a hole.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from node.errors import one_line
from orchestrator.audit.store import ALL, INTERNAL, MANY, ONE, OTHER, RECEIVE, SEND, ForeignTrace
from orchestrator.formats.clocks import CLOCK_MAX, read_numbers, read_vector
from orchestrator.formats.extract import Batch
from orchestrator.formats.format import LogFormat
from orchestrator.formats.times import read_times
from orchestrator.trace.store import NULL, Column

DOUBTS_MAX: Final = 3
_CODES: Final = {"internal": INTERNAL, "send": SEND, "send-all": SEND, "receive": RECEIVE}
_EVERYBODY: Final = frozenset(("all", "*", "everyone", "everybody", "both", "broadcast", "any"))
_BETWEEN: Final = re.compile(r"[\s,;|&]+(?:and[\s,;|&]+)?")
_LAST_NUMBER: Final = re.compile(r"\d+(?=\D*\Z)")
_COLUMNS: Final = (
    "node",
    "kind",
    "clock",
    "stamp",
    "queue",
    "time_ns",
    "index",
    "sender",
    "to",
    "message",
    "file",
    "line",
)


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Return what names sort by: machine 10 comes after machine 9."""
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part)


class Names:
    """Gives numbers to names in the order in which they come."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """Return the number of a name."""
        return self.numbers.setdefault(name, len(self.numbers))


class Builder:
    """Takes the records of one execution, batch by batch, and makes its trace."""

    def __init__(self, layout: LogFormat) -> None:
        self._layout = layout
        self._parts: list[dict[str, Column]] = []
        self._vectors: list[Any] = []
        self._nodes = Names()
        self._peers = Names()
        self._messages = Names()
        self._many: dict[int, tuple[int, ...]] = {}
        self._count = 0
        self._unit_ns = 1_000_000_000
        self._scale = 1
        self._unread: list[tuple[int, int]] = []
        self._kind_of: dict[str, str | None] = {}
        self._is_list = False
        self.doubts: list[str] = []
        self.bad = 0
        self.unknown_kinds: dict[str, int] = {}
        self.ignored = 0
        self.remarks: list[str] = []
        self._file_of: dict[str, tuple[int, str]] = {}

    def add(self, batch: Batch, *, file: int, file_name: str, node: str, thread: str) -> None:
        """Add records of a file; `node` and `thread` are what the file's path names."""
        kept, kinds = self._kinds(batch)
        if len(kept) < len(batch.lines):
            batch = _only(batch, kept)
        values, lines = batch.values, batch.lines
        nodes = self._whose(batch, node, thread)
        clocks, bad = self._clocks(values, len(lines), nodes)
        stamps, scale, unread = read_numbers(values.get("stamp"), len(lines), self._layout.clock == "fractional")
        clocks, stamps = self._same_scale(clocks, stamps, scale)
        bad.update(unread)
        times, unit_ns = read_times(_texts(values.get("time"), len(lines)), self._layout.time)
        self._unit_ns = min(self._unit_ns, unit_ns)
        sender, to = self._peers_of(values, kinds)
        part = {
            "node": nodes,
            "kind": np.array([_CODES.get(kind, OTHER) for kind in kinds], np.int64),
            "clock": clocks,
            "stamp": stamps,
            "queue": read_numbers(values.get("queue"), len(lines), False)[0],
            "time_ns": times,
            "index": read_numbers(values.get("index"), len(lines), False)[0],
            "sender": sender,
            "to": to,
            "message": self._message_numbers(values.get("message"), len(lines)),
            "file": np.full(len(lines), file, np.int64),
            "line": np.array(lines, np.int64),
        }
        if bad:
            part = self._without(part, bad, values, file_name)
        self._parts.append(part)
        self._count += len(part["node"])

    def leave_unread(self, file: int, lines: Iterable[int]) -> None:
        """Remember lines that match nothing: they may have been events."""
        self._unread += [(file, line) for line in lines]

    def finish(self, name: str, files: Sequence[str]) -> ForeignTrace:
        """Return the trace."""
        columns = {
            column: np.concatenate([part[column] for part in self._parts]) if self._parts else np.empty(0, np.int64)
            for column in _COLUMNS
        }
        nodes, absent, place_of, peer_place = self._machines()
        columns["node"] = place_of[columns["node"]]
        columns["sender"] = _mapped(columns["sender"], peer_place)
        columns["to"] = _mapped(columns["to"], peer_place)
        recipients = {row: tuple(int(peer_place[peer]) for peer in peers) for row, peers in self._many.items()}
        return ForeignTrace(
            name=name,
            format_name=self._layout.name,
            nodes=nodes,
            absent=absent,
            clock_kind=self._layout.clock,
            clock_scale=self._scale,
            is_fifo=self._layout.fifo,
            is_declared_complete=self._layout.complete,
            **columns,
            unit_ns=self._unit_ns,
            recipients=recipients,
            vector=self._matrix(nodes) if self._layout.clock == "vector" else None,
            files=tuple(files),
            unread_file=np.array([file for file, _ in self._unread], np.int64),
            unread_line=np.array([line for _, line in self._unread], np.int64),
            remarks=(*self.remarks, *self._remarks()),
            doubts=tuple(self.doubts),
        )

    def _remarks(self) -> Iterable[str]:
        if self.unknown_kinds:
            count, first = sum(self.unknown_kinds.values()), next(iter(self.unknown_kinds))
            yield (
                f"of {count} events the format does not say what they are, such as "
                f"{one_line(first, 60)!r}; they are taken as internal"
            )

    def _kinds(self, batch: Batch) -> tuple[list[int], list[str]]:
        """Return which records are events, and the kind of each of those; fields that a kind names are filled in."""
        layout, count = self._layout, len(batch.lines)
        words = batch.values.get("kind")
        if words is not None:
            texts = [None if word is None else str(word).strip() for word in words]
            kinds = [self._kind_of_word(text) if text else None for text in texts]
        elif layout.kinds:
            kinds = self._kinds_in_text(batch)
        else:
            return list(range(count)), [""] * count
        kept = [place for place, kind in enumerate(kinds) if kind != "ignore"]
        self.ignored += count - len(kept)
        return kept, [kinds[place] or "" for place in kept]

    def _kind_of_word(self, word: str) -> str | None:
        if word not in self._kind_of:
            found = (kind for kind, expression in self._layout.kind_expressions if expression.fullmatch(word))
            self._kind_of[word] = next(found, None)
        if self._kind_of[word] is None:
            self.unknown_kinds[word] = self.unknown_kinds.get(word, 0) + 1
        return self._kind_of[word]

    def _kinds_in_text(self, batch: Batch) -> list[str | None]:
        texts = batch.values.get("event") or [""] * len(batch.lines)
        expressions = self._layout.kind_expressions
        sources = {
            kind_expression: self._layout.sources(kind_expression.groupindex) for _, kind_expression in expressions
        }
        for fields in sources.values():
            for field in fields:
                batch.values.setdefault(field, [None] * len(batch.lines))
        kinds: list[str | None] = []
        for place, text in enumerate(texts):
            for kind, expression in expressions:
                if match := expression.search(text or ""):
                    for field, names in sources[expression].items():
                        value = next((match[name] for name in names if match[name]), None)
                        if value is not None:
                            batch.values[field][place] = value
                    kinds.append(kind)
                    break
            else:
                kinds.append(None)
                self.unknown_kinds[text or ""] = self.unknown_kinds.get(text or "", 0) + 1
        return kinds

    def _whose(self, batch: Batch, node: str, thread: str) -> Column:
        count = len(batch.lines)
        hosts = _texts(batch.values.get("node"), count)
        threads = _texts(batch.values.get("thread"), count) if "thread" in batch.values or thread else None
        aliases = self._layout.aliases
        if "node" not in batch.values and threads is None:
            return np.full(count, self._nodes.number(aliases.get(node, node)), np.int64)
        names = [host or node for host in hosts]
        names = [aliases.get(name, name) for name in names]
        if threads is not None:
            names = [f"{name}/{part or thread}" for name, part in zip(names, threads, strict=True)]
        number = self._nodes.number
        return np.array([number(name) for name in names], np.int64)

    def _clocks(
        self, values: Mapping[str, list[Any]], count: int, nodes: Column
    ) -> tuple[tuple[Column, int], dict[int, str]]:
        """Return the clocks with their scale, and why a record's cannot be read, by its position."""
        clocks = values.get("clock")
        if self._layout.clock == "none":
            return (np.full(count, NULL, np.int64), 1), {}
        if self._layout.clock == "vector":
            read = [read_vector(clock) for clock in clocks or [None] * count]
            self._vectors += read
            self._is_list |= any(isinstance(vector, tuple) for vector in read)
            return (np.full(count, NULL, np.int64), 1), {
                place: "no vector clock" for place, vector in enumerate(read) if vector is None
            }
        numbers, scale, bad = read_numbers(clocks, count, self._layout.clock == "fractional")
        bad |= {place: "no clock" for place in np.flatnonzero(numbers == NULL).tolist() if place not in bad}
        return (numbers, scale), bad

    def _same_scale(self, clocks: tuple[Column, int], stamps: Column, scale: int) -> tuple[Column, Column]:
        """Return clocks and stamps in the finest unit seen so far; what was read before is brought to it, too."""
        numbers, own = clocks
        finest = max(self._scale, own, scale)
        if finest > self._scale:
            for part in self._parts:
                for column in ("clock", "stamp"):
                    part[column] = _scaled(part[column], finest // self._scale)
            self._scale = finest
        return _scaled(numbers, finest // own), _scaled(stamps, finest // scale)

    def _peers_of(self, values: Mapping[str, list[Any]], kinds: Sequence[str]) -> tuple[Column, Column]:
        count = len(kinds)
        senders, tos, peers = values.get("from"), values.get("to"), values.get("peer")
        sender, to = np.full(count, -1, np.int64), np.full(count, ONE, np.int64)
        for place, kind in enumerate(kinds):
            if kind == "receive":
                value = (senders[place] if senders else None) or (peers[place] if peers else None)
                if value not in (None, "", []):
                    sender[place] = self._peer(value[0] if isinstance(value, list) else str(value))
            elif kind.startswith("send"):
                value = (tos[place] if tos else None) or (peers[place] if peers else None)
                to[place] = self._recipients(value, self._count + place, is_all=kind == "send-all")
        return sender, to

    def _peer(self, name: object) -> int:
        name = str(name).strip(" \t\"'[](){}<>")
        return self._peers.number(self._layout.aliases.get(name, name))

    def _recipients(self, value: Any, row: int, *, is_all: bool) -> int:
        if isinstance(value, list):
            names = [str(one[0] if isinstance(one, list) and one else one) for one in value]
        else:
            text = "" if value is None else str(value).strip(" \t\"'[](){}<>")
            names = [name.partition("#")[0].strip(" \"'") for name in _BETWEEN.split(text)]
        names = [name for name in names if name and name not in ("-", "None", "null")]
        if any(name.lower() in _EVERYBODY for name in names) or (is_all and not names):
            return ALL
        if not names:
            return ONE
        peers = tuple(dict.fromkeys(self._peer(name) for name in names))
        if len(peers) == 1:
            return peers[0]
        self._many[row] = peers
        return MANY

    def _message_numbers(self, values: list[Any] | None, count: int) -> Column:
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
        mask = np.ones(len(part["node"]), np.bool_)
        mask[list(bad)] = False
        if self._layout.clock == "vector":
            start = len(self._vectors) - len(mask)
            self._vectors[start:] = [self._vectors[start + place] for place in np.flatnonzero(mask).tolist()]
        moved = dict(
            zip((np.flatnonzero(mask) + self._count).tolist(), range(self._count, self._count + int(mask.sum())))
        )
        self._many = {
            moved.get(row, row): peers for row, peers in self._many.items() if row < self._count or row in moved
        }
        return {column: values_[mask] for column, values_ in part.items()}

    def _machines(self) -> tuple[tuple[str, ...], int, Column, Column]:
        """Return all machines, how many of them have no log, and where the numbers of nodes and peers went."""
        known = sorted(self._nodes.numbers, key=natural)
        listed = [name for name in self._layout.nodes if name not in self._nodes.numbers]
        named_by_vectors = {name for vector in self._vectors if isinstance(vector, dict) for name in vector}
        resolved = {peer: _resolve(peer, known) for peer in self._peers.numbers}
        others = {*listed, *named_by_vectors, *resolved.values()} - set(known)
        nodes = (*known, *sorted(others, key=natural))
        place = {name: position for position, name in enumerate(nodes)}
        place_of = np.array([place[name] for name in self._nodes.numbers] or [0], np.int64)
        peer_place = np.array([place[resolved[peer]] for peer in self._peers.numbers] or [0], np.int64)
        return nodes, len(others), place_of, peer_place

    def _matrix(self, nodes: Sequence[str]) -> Column:
        place = {name: position for position, name in enumerate(nodes)}
        listed = [place[name] for name in self._layout.nodes] or list(range(len(nodes)))
        matrix = np.zeros((len(self._vectors), len(nodes)), np.int64)
        for row, vector in enumerate(self._vectors):
            if isinstance(vector, dict):
                for name, count in vector.items():
                    matrix[row, place[name]] = count
            else:
                matrix[row, listed[: len(vector)]] = vector[: len(listed)]
        return matrix


def _resolve(peer: str, known: Sequence[str]) -> str:
    """Return the machine that a peer is: by its name, or by the one number that its name ends with."""
    if peer in known:
        return peer
    folded = [name for name in known if name.casefold() == peer.casefold()]
    if len(folded) == 1:
        return folded[0]
    number = _LAST_NUMBER.search(peer)
    numbers = [_LAST_NUMBER.search(name) for name in known]
    same = [name for name, its in zip(known, numbers, strict=True) if number and its and int(its[0]) == int(number[0])]
    return same[0] if len(same) == 1 else peer


def _mapped(column: Column, place: Column) -> Column:
    return np.where(column >= 0, place[np.maximum(column, 0)], column)


def _scaled(column: Column, factor: int) -> Column:
    if factor == 1:
        return column
    return np.where((column == NULL) | (np.abs(column) > CLOCK_MAX // factor), NULL, column * factor)


def _only(batch: Batch, kept: Sequence[int]) -> Batch:
    values = {field: [column[place] for place in kept] for field, column in batch.values.items()}
    return Batch(values, [batch.lines[place] for place in kept])


def _texts(values: list[Any] | None, count: int) -> list[str | None]:
    if values is None:
        return [None] * count
    return [value if value is None or isinstance(value, str) else str(value) for value in values]
