"""A run as three views, `events`, `messages` and `machines`, of which questions are asked in SQL.

Never changes anything, reaches no file and no network, and installs nothing. `docs/sql.md` describes every column.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from node.errors import UsageError, one_line
from orchestrator.trace import parquet
from orchestrator.trace.store import KINDS, NULL, Column, Machine, Trace

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ERROR_LENGTH_MAX: Final = 300

_EVENTS: Final = (
    *("node", "incarnation", "index", "tick", "due_ns", "wall", "kind", "clock", "queue", "cause_node"),
    *("cause_incarnation", "cause_index", "cause_copy", "number", "stamp", "arrival_ns", "seen_ns"),
)
_MESSAGES: Final = ("send_row", "recipient", "number", "arrival_ns", "copy", "receive_row")


def _name(node: str, incarnation: str, index: str) -> str:
    """Return the name of an event, `2:41` or `2.1:5`, in SQL."""
    return f"{node} || CASE {incarnation} WHEN 0 THEN '' ELSE '.' || {incarnation} END || ':' || {index}"


def _known(column: str) -> str:
    """Return a column without what stands for nothing, in SQL."""
    return f"nullif({column}, {NULL})"


VIEWS: Final = {
    "events": f"""
        SELECT {_name("node", "incarnation", "index")} AS event, node AS machine, incarnation, index AS number, tick,
            due_ns, due_ns / 1e9 AS due_s, {[*KINDS]}[kind + 1] AS kind, clock,
            jump, queue, {_known("cause_node")} AS sender,
            {_name(_known("cause_node"), "cause_incarnation", "cause_index")} AS cause,
            {_known("cause_copy")} AS copy, {_known("number")} AS link_number, {_known("stamp")} AS stamp,
            {_known("arrival_ns")} AS arrival_ns, {_known("seen_ns")} AS seen_ns,
            due_ns - {_known("arrival_ns")} AS waited_ns, {_known("wall")} AS wall_ns
        FROM _events""",
    "messages": f"""
        SELECT {_name("s.node", "s.incarnation", "s.index")} AS send, s.node AS sender, recipient, copy,
            {_known("m.number")} AS link_number, {_known("m.number")} IS NULL AS lost, s.clock AS send_clock,
            s.due_ns AS sent_ns, {_known("m.arrival_ns")} AS arrival_ns,
            {_known("m.arrival_ns")} - s.due_ns AS delay_ns,
            {_name("r.node", "r.incarnation", "r.index")} AS receive, r.clock AS receive_clock,
            r.due_ns AS received_ns, r.due_ns - {_known("m.arrival_ns")} AS waited_ns
        FROM _messages m JOIN _events s ON s.row = m.send_row LEFT JOIN _events r ON r.row = m.receive_row""",
    "machines": """
        SELECT machine, rate_hz, phase_ns, internal_probability, clock_rule, duration_ns, peers, senders, finished
        FROM _machines""",
}
"""What each view is, of the columns of a trace."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a question found: the names of the columns, and the rows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def ask(trace: Trace, question: str) -> Found:
    """Return what a question finds in a run.

    Raises UsageError for what is no question, and UnavailableError without DuckDB.
    """
    database = _database(trace)
    import duckdb  # noqa: PLC0415

    try:
        statements = database.extract_statements(question)
        if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
            raise UsageError(
                "one question, please: a SELECT of the views events, messages, machines; nothing is changed"
            )
        answer = database.execute(question)
        columns = [column[0] for column in answer.description or ()]
        return Found(columns, [tuple(map(_plain, row)) for row in answer.fetchall()])
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except (duckdb.Error, UnicodeError) as error:
        raise UsageError(one_line(" ".join(str(error).split()), ERROR_LENGTH_MAX)) from None


def _database(trace: Trace) -> "DuckDBPyConnection":
    """Return a database that holds these views, and that nobody can lead out of itself."""
    database = parquet.fresh()
    for name, columns in _tables(trace).items():
        database.register(name, columns)
    for name, view in VIEWS.items():
        database.execute(f"CREATE TEMP VIEW {name} AS {view}")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database


def _tables(trace: Trace) -> dict[str, dict[str, Any]]:
    events = {name: getattr(trace, name) for name in _EVENTS}
    events |= {"row": np.arange(len(trace)), "jump": _jumps(trace)}
    messages = {name: getattr(trace.messages, name) for name in _MESSAGES}
    facts = [_facts(node, machine) for node, machine in sorted(trace.machines.items())]
    machines = {name: _column([fact[name] for fact in facts]) for name in _facts(0, Machine(model=None))}
    return {"_events": events, "_messages": messages, "_machines": machines}


def _jumps(trace: Trace) -> Column:
    """Return by how much each clock rose; each life of a machine begins at 0."""
    order = np.lexsort((trace.index, trace.incarnation, trace.node))
    node, incarnation, clock = trace.node[order], trace.incarnation[order], trace.clock[order]
    goes_on = (node[1:] == node[:-1]) & (incarnation[1:] == incarnation[:-1])
    jumps = clock.copy()
    jumps[1:] -= np.where(goes_on, clock[:-1], 0)
    found = np.empty_like(jumps)
    found[order] = jumps
    return found


def _facts(node: int, machine: Machine) -> dict[str, Any]:
    """Return what the view `machines` says of one; without its start line nothing is known."""
    model = machine.model
    return {
        "machine": node,
        "rate_hz": model and model.rate_hz,
        "phase_ns": model and model.phase_ns,
        "internal_probability": model and model.internal_probability,
        "clock_rule": model and str(model.clock),
        "duration_ns": model and model.duration_ns,
        "peers": model and len(model.peers),
        "senders": model and len(model.senders),
        "finished": machine.is_finished,
    }


def _column(values: list[Any]) -> Any:
    """Return a column of one type; what is not known is nothing."""
    if any(isinstance(value, str) for value in values):
        return np.array(values, object)
    return np.ma.masked_array([value or 0 for value in values], [value is None for value in values])


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what JSON has no word for becomes text."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case list() | tuple():
            return [_plain(one) for one in value]
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
    return value if value is None or isinstance(value, bool | int | str) else str(value)
