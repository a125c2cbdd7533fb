"""All laws over the columns of a run, on all cores: which of them hold without any doubt.

Never says what is wrong: whoever asks looks for that with the plain checks. Imports numba: only whoever wants it
imports this.
"""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from node.record import StopLine
from orchestrator.trace.proof import laws
from orchestrator.trace.proof.cluster import Cluster, Table
from orchestrator.trace.proof.columns import Bytes, Columns, Words
from orchestrator.trace.proof.equal import events_differ, messages_differ
from orchestrator.trace.proof.numbers import count_past, longest_chain
from orchestrator.trace.proof.proof import Numbers, Proof

BITS: Final = {
    "clock-condition": laws.CLOCK_CONDITION,
    "clock-rises": laws.CLOCK_RISES,
    "exactly-once": laws.EXACTLY_ONCE,
    "in-order": laws.IN_ORDER,
    "one-event-per-tick": laws.TICKS,
    "queue-first": laws.QUEUE_FIRST,
    "queue-length": laws.QUEUE_LENGTH,
}
ROWS_AT_A_TIME: Final = 1 << 18
"""So many rows of two runs are compared at a time."""
PROCESSES_AT_A_TIME: Final = 64
PARTS_MAX: Final = 255


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What a run was found to be: `doubts` are the bits of the laws that may be broken.

    `left` is, by link, how many messages waited at the end and how many were in flight. `is_taken` says which were
    received.
    """

    doubts: int
    left: Table
    is_taken: Bytes

    @property
    def has_structure(self) -> bool:
        """Whether anything can be said."""
        return not self.doubts & laws.STRUCTURE

    def holds(self, law: str) -> bool:
        """Return whether a law holds for certain."""
        return self.has_structure and not self.doubts & BITS[law]


@dataclass(eq=False)
class _Work:
    """What is written while a run is judged; every part writes what belongs to its own machines."""

    columns: Columns
    cluster: Cluster
    part_of: Bytes
    link: Words = field(init=False)
    counts: Table = field(init=False)
    arriving: Words = field(init=False)
    state: Table = field(init=False)
    is_taken: Bytes = field(init=False)
    left: Table = field(init=False)

    def __post_init__(self) -> None:
        machines, messages = len(self.cluster.node), len(self.columns.send_row)
        self.link = np.empty(messages, np.uint32)
        self.counts = np.zeros((int(self.cluster.first_count[-1]), laws.COUNT_TIMES), np.int64)
        self.arriving = np.zeros(int(self.cluster.first_tick[-1]), np.uint32)
        self.state = np.zeros((machines, laws.STATE_TIMES), np.int64)
        self.state[:, [laws.LAST_TICK, laws.TAKEN]] = laws.NONE
        self.is_taken = np.zeros(messages, np.uint8)
        self.left = np.zeros((len(self.cluster.peer), 2), np.int64)

    def part(self, part: int) -> int:
        """Judge the machines of one part; the doubts."""
        doubts = self._call(laws.judge_messages, part=part)
        if not doubts & laws.STRUCTURE:
            doubts |= self._call(laws.judge_events, part=part, begin=0, end=len(self.columns))
        if not doubts & laws.STRUCTURE:
            doubts |= self._call(laws.judge_rest, part=part)
        return doubts

    def _call(self, law: Callable[..., int], **own: int) -> int:
        """Call a compiled law with what its parameters name."""
        known = {**vars(self.columns), **vars(self.cluster), **vars(self), **own}
        return law(*(known[name] for name in _parameters(law)))


def _parameters(function: Any) -> tuple[str, ...]:
    plain = getattr(function, "py_func", function)
    return tuple(plain.__code__.co_varnames[: plain.__code__.co_argcount])


def prove(columns: Columns, cluster: Cluster, twin: Columns | None, *, stops: Mapping[int, StopLine | None]) -> Proof:
    """Return what can be proved of a run beside its twin, and the stop records of its machines."""
    judged = judge(columns, cluster)
    if not judged.has_structure:
        return Proof()
    valid = {law for law in BITS if judged.holds(law)}
    if not (cluster.is_fifo.any() or (np.diff(cluster.first_link) == 0).any()):
        valid -= {"in-order"}  # Where no link keeps an order it is not applicable.
    if judged.holds("exactly-once") and _remember(cluster, stops, judged.left):
        valid |= {"every-message-accounted"}
    if twin is not None and are_equal(columns, twin):
        valid |= {"equals-simulated"}
    # Where an index is left out, it is not the place in the order.
    has_places = judged.holds("one-event-per-tick")
    return Proof(valid=frozenset(valid), numbers=_numbers(columns, cluster, judged.is_taken) if has_places else None)


def judge(columns: Columns, cluster: Cluster, *, workers: int | None = None) -> Judged:
    """Judge a run of this cluster; `workers` at a time, by default as many as there are cores."""
    workers = min(workers or _cores(), PARTS_MAX)
    work = _Work(columns, cluster, _parts(cluster, workers))
    doubts = laws.STRUCTURE if _is_too_sparse(columns, cluster) else 0
    if not doubts:
        for found in _at_once([partial(work.part, part) for part in range(workers)], workers):
            doubts |= found
    if not np.array_equal(work.state[:, laws.EVENTS], cluster.events):
        doubts |= laws.TICKS
    return Judged(doubts=doubts, left=work.left, is_taken=work.is_taken)


def are_equal(a: Columns, b: Columns, *, workers: int | None = None) -> bool:
    """Return whether two runs of one cluster are equal, event by event."""
    if len(a) != len(b) or len(a.send_row) != len(b.send_row):
        return False
    tasks = [
        *_compared(events_differ, a, b, len(a), ("machine", "tick", "kind", "clock", "queue", "message", *_LIVES)),
        *_compared(messages_differ, a, b, len(a.send_row), ("send_row", "recipient", "number", "arrival_ns", "copy")),
    ]
    return not any(_at_once(tasks, workers or _cores()))


_LIVES: Final = ("incarnation", "index")


def _compared(
    differ: Callable[..., bool], a: Columns, b: Columns, rows: int, names: tuple[str, ...]
) -> list[Callable[[], bool]]:
    both = [getattr(columns, name) for name in names for columns in (a, b)]
    firsts = range(0, rows, ROWS_AT_A_TIME)
    return [partial(differ, first, min(first + ROWS_AT_A_TIME, rows), *both) for first in firsts]


def _at_once(tasks: list[Callable[[], Any]], workers: int) -> list[Any]:
    if workers == 1 or len(tasks) == 1:
        return [task() for task in tasks]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda task: task(), tasks))


def _parts(cluster: Cluster, parts: int) -> npt.NDArray[np.uint8]:
    """Return to which part each machine belongs, so that all have about as many events."""
    part_of, events = np.zeros(len(cluster.node), np.uint8), np.zeros(parts, np.int64)
    for machine in np.argsort(-cluster.ticks, kind="stable").tolist() if parts > 1 else ():
        part_of[machine] = part = int(events.argmin())
        events[part] += cluster.ticks[machine]
    return part_of


def _is_too_sparse(columns: Columns, cluster: Cluster) -> bool:
    """Whether machines rest so long that counting by ticks would take more room than the run."""
    return int(cluster.first_tick[-1]) > 4 * len(columns) + 1_000_000


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _remember(cluster: Cluster, stops: Mapping[int, StopLine | None], left: Table) -> bool:
    """Return whether every stop record counts what the logs leave in queues and in flight."""
    sender = np.repeat(np.arange(len(cluster.node)), np.diff(cluster.first_link))
    for recipient, node in enumerate(cluster.node.tolist()):
        if (stop := stops.get(node)) is None:
            continue
        links = np.flatnonzero(cluster.peer == recipient)
        counted = dict(zip(cluster.node[sender[links]].tolist(), left[links].tolist(), strict=True))
        remembered: dict[int, list[int]] = {}
        for other, *counts in stop["incoming"]:
            before = remembered.get(other, [0, 0])
            remembered[other] = [a + b for a, b in zip(before, counts, strict=True)]
        if any(counted.get(other, [0, 0]) != remembered.get(other, [0, 0]) for other in counted | remembered):
            return False
    return True


def _numbers(columns: Columns, cluster: Cluster, is_taken: Bytes) -> Numbers:
    """Return the numbers of a run that has structure."""
    first_life = np.concatenate([np.zeros(1, np.int64), np.cumsum(cluster.lives)])
    known = {**vars(columns), "first_life": first_life, "is_taken": is_taken}

    def call(function: Callable[..., Any], *first: int) -> Any:
        return function(*first, *(known[name] for name in _parameters(function)[len(first) :]))

    last, events = int(first_life[-1]), len(columns)
    blocks = [(first, min(first + PROCESSES_AT_A_TIME, last)) for first in range(0, last, PROCESSES_AT_A_TIME)]
    tasks: list[Callable[[], Any]] = [partial(call, longest_chain)]
    tasks += [partial(call, count_past, *block) for block in blocks]
    longest, *past = _at_once(tasks, _cores())
    ordered = sum(pairs for pairs, _ in past) - events
    return Numbers(
        edges=sum(edges for _, edges in past),
        ordered_pairs=ordered,
        concurrent_pairs=events * (events - 1) // 2 - ordered,
        longest_chain=longest,
    )
