"""`shiviz`: one line an event with its vector clock, and the expression by which ShiViz reads it.

Never looks at a Lamport clock to make a vector: vectors come from program order and causes.
Source: Fidge and Mattern (1988); ShiViz demands that a host's own entry begins at 1 and rises by exactly 1.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from itertools import chain
from typing import Final

import numpy as np

from orchestrator.export.exported import Exported, machine, nameless, not_drawn
from orchestrator.trace import words
from orchestrator.trace.store import KINDS, NULL, Trace

EXPRESSION: Final = r"(?<host>\S*) (?<clock>{.*}) (?<event>.*)"
"""What ShiViz calls the log parsing regular expression."""


def shiviz(trace: Trace) -> Exported:
    """Return the log, each event after everything that happened before it."""
    causes = trace.cause_row.tolist()
    rows, circular = _in_causal_order(trace, causes)
    ignored = not_drawn("receives that happened before their own send, which no vector can say", len(circular))
    return Exported({"": _lines(trace, rows, causes)}, (*nameless(trace), *ignored))


def _lines(trace: Trace, rows: Iterable[int], causes: list[int]) -> Iterator[str]:
    # Where ShiViz opens a file, the first line is the expression and the second what divides executions: nothing.
    yield f"{EXPRESSION}\n\n"
    for row, vector in _vectors(trace, rows, causes):
        clock = {machine(node): vector[node] for node in sorted(vector)}
        yield f"{machine(int(trace.node[row]))} {json.dumps(clock, separators=(',', ':'))} {_event(trace, row)}\n"


def _vectors(trace: Trace, rows: Iterable[int], causes: list[int]) -> Iterator[tuple[int, Mapping[int, int]]]:
    """Yield each row with its vector: by machine, how many of its events happened before this one, or are it.

    To ShiViz a machine is one process, whatever it forgot: the vector goes on from one incarnation to the next.
    """
    known: dict[int, dict[int, int]] = {}
    sent: dict[int, dict[int, int]] = {row: {} for row in causes}
    for row in rows:
        node = int(trace.node[row])
        vector = dict(known.get(node, {}))
        for other, count in sent[causes[row]].items():
            vector[other] = max(count, vector.get(other, 0))
        vector[node] = vector.get(node, 0) + 1
        known[node] = vector
        if row in sent:
            sent[row] = vector
        yield row, vector


def _event(trace: Trace, row: int) -> str:
    kind = KINDS[trace.kind[row]]
    if kind == "receive":
        partner = f" from {words.cause(trace, row)}"
    else:
        partner = f" to {' '.join(_recipients(trace, row))}" if row in trace.sent_by else ""
    return f"{kind} {trace.name(row)}{partner} L={trace.clock[row]} queue={trace.queue[row]}"


def _recipients(trace: Trace, row: int) -> Iterator[str]:
    messages = trace.messages
    for message in trace.sent_by[row].tolist():
        yield f"{messages.recipient[message]}{'(lost)' if messages.number[message] == NULL else ''}"


def _in_causal_order(trace: Trace, causes: list[int]) -> tuple[list[int], list[int]]:
    """Return all rows, each after its machine's last and its cause, and the receives that this cannot be said of.

    Rows stay in their order, by due time, where nothing speaks against it. The causes of those receives become -1.
    """
    following, heads = _programs(trace)
    blocked: dict[int, list[int]] = {}
    ordered: list[int] = []
    circular: list[int] = []
    is_done = [False] * len(trace)
    while heads or blocked:
        if not heads:
            circular.append(_release(blocked, causes))
            heads.append(circular[-1])
        row = heappop(heads)
        if causes[row] >= 0 and not is_done[causes[row]]:
            blocked.setdefault(causes[row], []).append(row)
            continue
        is_done[row] = True
        ordered.append(row)
        for freed in (*blocked.pop(row, ()), following[row]):
            if freed >= 0:
                heappush(heads, freed)
    return ordered, circular


def _release(blocked: dict[int, list[int]], causes: list[int]) -> int:
    """Take the first of the rows that wait for each other, and let it wait no more."""
    row = min(chain.from_iterable(blocked.values()))
    blocked[causes[row]].remove(row)
    if not blocked[causes[row]]:
        del blocked[causes[row]]
    causes[row] = -1
    return row


def _programs(trace: Trace) -> tuple[list[int], list[int]]:
    """Return the row after each row on the same machine, or -1, and the first row of each machine."""
    rows = np.lexsort((trace.line, trace.index, trace.incarnation, trace.node))
    is_first = np.ones(len(rows), np.bool_)
    is_first[1:] = trace.node[rows[1:]] != trace.node[rows[:-1]]
    following = np.full(len(rows), -1, np.int64)
    following[rows[:-1]] = np.where(is_first[1:], -1, rows[1:])
    heads = rows[is_first].tolist()
    heapify(heads)
    return following.tolist(), heads
