"""The three tables of a run on disk: its events, its messages, and its machines with what they said at the end.

Never knows what the files are called: whoever does hands over where they are.
Source: `docs/run-directory.md`, "A trace in columns".
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from node.errors import LogError
from node.model import MODEL_JSON, MODEL_VERSION, Model
from node.record import FORMAT_VERSION, EndLine, StartLine, StopLine
from orchestrator.trace import parquet
from orchestrator.trace.columns import (
    OF_EVENTS,
    OF_MESSAGES,
    Columns,
    Rhythm,
    restored,
    rhythm_of,
    stored,
    trace_of_columns,
)
from orchestrator.trace.proof.choice import is_worth_compiling
from orchestrator.trace.proof.columns import Columns as NarrowColumns
from orchestrator.trace.store import Column, Machine, Trace
from orchestrator.trace.unfolded import Unfolded

OF_MACHINES: Final = (
    *("node", "run", "format_version", "model_version", "model", "incarnation", "events", "interrupted", "incoming"),
)
NODE_MAX: Final = 1 << 24
MACHINES_NAMED_MAX: Final = 6
GROUP_MAX: Final = 4_000_000
"""Rows: enough for a cluster of 100,000 machines."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Where the three tables of a run are, and their hashes, as `sha256sum` writes them."""

    events: Path
    messages: Path
    machines: Path
    seal: Path

    @property
    def hashes(self) -> str:
        """What the seal must be; a table that cannot be read has no line."""
        lines = []
        for path in (self.events, self.messages, self.machines):
            with suppress(OSError), path.open("rb") as file:
                lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
        return "".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a machine ended: its last incarnation, how many events that had, and what was left if it came to its end.

    `incoming` is that of the stop record; None if it has none.
    """

    incarnation: int
    events: int
    interrupted: bool
    incoming: list[tuple[int, int, int]] | None


def write_tables(
    tables: Tables, columns: Columns, models: Mapping[int, Model], endings: Mapping[int, Ending], *, name: str
) -> None:
    """Write a run called `name`, and its seal last.

    Raises LogError if it cannot be written.
    """
    events, messages = stored(columns, rhythm_of(models))
    rows = _rows_of_a_group(model.rate_hz for model in models.values())
    parquet.write(tables.events, events, rows_of_a_group=rows)
    parquet.write(tables.messages, messages, rows_of_a_group=rows)
    ends = [endings[node] for node in models]
    parquet.write(
        tables.machines,
        {
            "node": np.array(list(models), np.uint32),
            "run": np.full(len(models), name, object),
            "format_version": np.full(len(models), FORMAT_VERSION, np.uint32),
            "model_version": np.full(len(models), MODEL_VERSION, np.uint32),
            "model": np.array([MODEL_JSON.dump_json(model).decode() for model in models.values()], object),
            "incarnation": np.array([end.incarnation for end in ends], np.int64),
            "events": np.array([end.events for end in ends], np.int64),
            "interrupted": np.array([end.interrupted for end in ends], np.bool_),
            "incoming": np.array([_written(end.incoming) for end in ends], object),
        },
    )
    try:
        tables.seal.write_text(tables.hashes)
    except OSError as error:
        raise LogError(f"{tables.seal}: cannot be written: {error.strerror}") from None


def read_tables(tables: Tables) -> Trace:
    """Read a run whole.

    Raises NoInputError, NoLogError for files of another kind, LogError for damaged ones.
    """
    machines = read_machines(tables.machines)
    number, rhythm = np.array(list(machines), np.int64), _rhythm(machines)
    changes = tuple(_changes(tables))
    # What was changed is read by whoever says best what is wrong.
    if not changes and (narrow := _unpacked(tables, machines, number, rhythm)) is not None:
        index = narrow.index if narrow.has_lives else narrow.tick + np.uint32(1)
        return Unfolded.of(narrow, machines, damage=tuple(_oddities(tables, number, narrow.machine, index, machines)))
    columns = _columns(tables, rhythm)
    place = np.searchsorted(number, columns.node)
    damage = (*changes, *_oddities(tables, number, place, columns.index, machines))
    return trace_of_columns(columns, machines, damage=damage)


def read_columns(tables: Tables) -> Columns:
    """Read the columns of a run as narrow as they are.

    Raises what `read_tables` does.
    """
    return _columns(tables, _rhythm(read_machines(tables.machines)))


def _rows_of_a_group(rates_hz: Iterable[int]) -> int:
    """Return how many rows hold what repeats every second a dozen times, unless that would be very many."""
    return min(max(parquet.ROWS_OF_A_GROUP, 12 * sum(rates_hz)), GROUP_MAX)


def _rhythm(machines: Mapping[int, Machine]) -> Rhythm:
    return rhythm_of({node: machine.model for node, machine in machines.items() if machine.model})


def _unpacked(tables: Tables, machines: Mapping[int, Machine], number: Column, rhythm: Rhythm) -> NarrowColumns | None:
    """Return the columns of a long run in the quick way, if it is quick, and they say all that the tables say."""
    events = sum(machine.model.tick_count for machine in machines.values() if machine.model)
    if not is_worth_compiling(events) or not parquet.is_quick():
        return None
    from orchestrator.trace.proof.unpack import unpacked  # noqa: PLC0415  # numba costs more than a short run

    try:
        return unpacked(tables.events, tables.messages, number, rhythm)
    except (LogError, MemoryError):
        return None  # The plain way says what is wrong.


def read_machines(path: Path) -> dict[int, Machine]:
    """Return what is known of each machine besides its events, by its number.

    Raises what `read_tables` does.
    """
    table = parquet.read(path, OF_MACHINES)
    if not all(isinstance(text, str) for name in ("run", "model", "incoming") for text in table[name].tolist()):
        raise LogError(f"{path}: damaged: a text is no text")
    try:
        rows = zip(*(table[name].tolist() for name in OF_MACHINES), strict=True)
        machines = [_machine(dict(zip(OF_MACHINES, row, strict=True))) for row in rows]
    except (ValueError, TypeError, ValidationError) as error:
        raise LogError(f"{path}: damaged: {type(error).__name__} in what it says of a machine") from None
    found = {machine.model.node: machine for machine in machines if machine.model}
    if [*found] != table["node"].tolist() or [*found] != sorted(found) or max(found, default=0) > NODE_MAX:
        raise LogError(f"{path}: damaged: the numbers of its machines are not those of their models")
    return found


def _machine(row: Mapping[str, Any]) -> Machine:
    model = MODEL_JSON.validate_json(row["model"])
    node, incarnation, events = row["node"], row["incarnation"], row["events"]
    start = StartLine(
        event="start",
        format_version=row["format_version"],
        model_version=row["model_version"],
        run=row["run"],
        node=node,
        incarnation=0,
        pace=None,
        epoch_ns=0,
        wall=None,
        configuration=hashlib.sha256(row["model"].encode()).hexdigest(),
        model=model,
    )
    end = EndLine(
        event="end", node=node, incarnation=incarnation, events=events, interrupted=row["interrupted"], wall=None
    )
    left, stop = _read(row["incoming"], model), None
    if left is not None:
        stop = StopLine(
            event="stop",
            node=node,
            incarnation=incarnation,
            events=events,
            incoming=left,
            late=[],
            held_back=None,
            wall=None,
        )
    return Machine(model=model, start=start, end=end, stop=stop)


def _written(incoming: list[tuple[int, int, int]] | None) -> str:
    """Return what is left of the messages of each sender as a text, without the senders of whom nothing is left."""
    return json.dumps(incoming and [list(one) for one in incoming if one[1:] != (0, 0)], separators=(",", ":"))


def _read(text: str, model: Model) -> list[tuple[int, int, int]] | None:
    found = json.loads(text)
    if found is None:
        return None
    left = {int(sender): (int(in_queue), int(in_flight)) for sender, in_queue, in_flight in found}
    if not left.keys() <= set(model.senders):
        raise ValueError("messages of somebody who is no sender")
    return [(sender, *left.get(sender, (0, 0))) for sender in model.senders]


def _columns(tables: Tables, rhythm: Rhythm) -> Columns:
    events, messages = parquet.read(tables.events, OF_EVENTS), parquet.read(tables.messages, OF_MESSAGES)
    try:
        columns = restored(events, messages, rhythm)
    except LogError as error:
        raise LogError(f"{tables.events}: damaged, or not of this run: {error}") from None
    if len(columns.send) and int(columns.send[-1]) >= len(columns):
        raise LogError(f"{tables.messages}: damaged, or not of this run: a message of a send that is not there")
    return columns


def _changes(tables: Tables) -> Iterator[str]:
    """Yield that the tables are not as they were written, down to bits that no value depends on."""
    try:
        is_sealed = tables.seal.read_bytes() == tables.hashes.encode()
    except OSError as error:
        yield f"{tables.seal.name}: cannot be read, so nobody knows whether a table was changed: {error.strerror}"
        return
    if not is_sealed:
        yield f"{tables.seal.name}: not the hashes of the tables beside it: one of them was changed"


def _oddities(tables: Tables, number: Column, place: Any, index: Any, machines: Mapping[int, Machine]) -> Iterator[str]:
    name = tables.machines.name
    starts = [machine.start for machine in machines.values() if machine.start]
    for version in sorted({start["format_version"] for start in starts} - {FORMAT_VERSION}):
        yield f"{name}: written in format {version}; this program reads format {FORMAT_VERSION}"
    for version in sorted({start["model_version"] for start in starts} - {MODEL_VERSION}):
        yield f"{name}: written by model version {version}; this program simulates version {MODEL_VERSION}"
    last = np.zeros(len(number), np.int64)
    last[place] = index
    wrong = [
        f"{name}: machine {machine.end['node']} counts {machine.end['events']} events, {events} are there"
        for machine, events in zip(machines.values(), last.tolist(), strict=True)
        if machine.end and machine.end["events"] != events
    ]
    yield from wrong[:MACHINES_NAMED_MAX]
    if len(wrong) > MACHINES_NAMED_MAX:
        yield f"{name}: {len(wrong) - MACHINES_NAMED_MAX} more machines count other events than are there"
