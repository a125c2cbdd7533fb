"""All laws over the columns of a run, on all cores: which of them hold without any doubt.

Never says what is wrong: whoever asks looks for that with the plain checks. Imports numba: only whoever wants it
imports this.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import numpy as np

from node.record import StopLine
from orchestrator.trace.proof import laws
from orchestrator.trace.proof.cluster import Cluster, Table
from orchestrator.trace.proof.columns import Bytes, Columns
from orchestrator.trace.proof.equal import events_differ, messages_differ
from orchestrator.trace.proof.numbers import count_past, longest_chain
from orchestrator.trace.proof.proof import Numbers, Proof

Stops = Mapping[int, StopLine | None]

BITS: Final = {
    "clock-condition": laws.CLOCK_CONDITION,
    "clock-rises": laws.CLOCK_RISES,
    "exactly-once": laws.EXACTLY_ONCE,
    "in-order": laws.IN_ORDER,
    "one-event-per-tick": laws.TICKS,
    "queue-first": laws.QUEUE_FIRST,
    "queue-length": laws.QUEUE_LENGTH,
}
OF_EVENTS: Final = ("machine", "tick", "kind", "clock", "queue", "message", "incarnation", "index")
OF_MESSAGES: Final = ("send_row", "recipient", "number", "arrival_ns", "copy")

ROWS_AT_A_TIME: Final = 1 << 18
"""So many rows of two runs are compared at a time."""
PROCESSES_AT_A_TIME: Final = 64
PROCESSES_MAX: Final = 1 << 14
"""Of more processes pairs are counted in short runs only: it costs every event as many steps as there are."""
STEPS_MAX: Final = 1 << 30
"""So many of those steps are few."""
CARRIED_MIN: Final = 1024
"""So many vectors may be on their way at first."""
PARTS_MAX: Final = 255


def prove(
    columns: Columns, cluster: Cluster, twin: Columns | None, *, stops: Stops, workers: int | None = None
) -> Proof:
    """Return what can be proved of a run beside its twin, and the stop records of its machines."""
    judging = Judging(cluster, messages=len(columns.send_row), workers=workers)
    judging.go_on(columns, twin)
    valid = judging.valid(stops)
    # Where an index is left out, it is not the place in the order.
    has_places = "one-event-per-tick" in valid
    return Proof(valid=valid, numbers=_numbers(columns, cluster, judging.is_taken, workers) if has_places else None)


class Judging:
    """A run that is judged piece by piece, by all nine laws; `workers` at a time, by default one for each core.

    What is kept from one piece to the next is 32 bytes a message, 2 a tick, and a few of each machine and link.
    """

    def __init__(self, cluster: Cluster, *, messages: int = 0, workers: int | None = None) -> None:
        """Begin to judge a run of this cluster; there is room for so many messages, and is made for more."""
        self.cluster = cluster
        self.workers = min(workers or _cores(), PARTS_MAX)
        self._part_of = _parts(cluster, self.workers)
        self._row, self._message = 0, 0
        # Where machines rest very long, counting by ticks would take more room than the run.
        is_sparse = int(cluster.first_tick[-1]) > 4 * int(cluster.events.sum()) + 1_000_000
        self._doubts = laws.STRUCTURE if is_sparse else 0
        self._differs = False
        self._counts = np.zeros((len(cluster.lane_to), laws.COUNT_TIMES), np.int64)
        self._arriving = np.zeros(0 if is_sparse else int(cluster.first_tick[-1]), np.uint16)
        self._state = np.zeros((len(cluster.node), laws.STATE_TIMES), np.int64)
        self._state[:, [laws.LAST_TICK, laws.TAKEN, laws.TAKEN_NS]] = laws.NONE
        self._parcels = np.empty((messages, laws.PARCEL_WORDS), np.uint32)
        self._is_taken = np.zeros(messages, np.uint8)

    def go_on(self, columns: Columns, twin: Columns | None) -> None:
        """Judge the next rows of a run and all messages sent in them, beside the same of its twin."""
        events, messages = _comparison(columns, twin)
        self._differs |= events is None or messages is None
        end = self._message + len(columns.send_row)
        self._make_room(end)
        known = vars(columns) | {"first_row": self._row, "first_message": self._message, "end_message": end}
        for law, compared in ((laws.judge_messages, messages), (laws.judge_events, events)):
            if not self._doubts & laws.STRUCTURE:
                self._judge(law, known, compared or [])
        self._row, self._message = self._row + len(columns), end

    def valid(self, stops: Stops) -> frozenset[str]:
        """Return, after the last rows, the laws that hold without a doubt."""
        if self._doubts & laws.STRUCTURE:
            return frozenset()
        left = np.zeros((len(self.cluster.lane_to), 2), np.int64)
        self._judge(laws.judge_rest, {"end_message": self._message, "left": left}, [])
        if not np.array_equal(self._state[:, laws.EVENTS], self.cluster.events):
            self._doubts |= laws.TICKS
        valid = {law for law, bit in BITS.items() if not self._doubts & bit}
        if not (self.cluster.lane_is_fifo.any() or (np.diff(self.cluster.first_link) == 0).any()):
            valid -= {"in-order"}  # Where no link keeps an order it is not applicable.
        if "exactly-once" in valid and _remember(self.cluster, stops, left):
            valid |= {"every-message-accounted"}
        if not self._differs:
            valid |= {"equals-simulated"}
        return frozenset(valid)

    @property
    def is_taken(self) -> Bytes:
        """Which messages were received."""
        return self._is_taken[: self._message]

    def _judge(self, law: Any, columns: Mapping[str, Any], compared: Sequence[Callable[[], bool]]) -> None:
        """Call a law for every part, and compare meanwhile."""
        mine = {name.removeprefix("_"): value for name, value in vars(self).items()}
        known = {**vars(self.cluster), **mine, **columns}
        parts = [partial(_called, law, known | {"part": part}) for part in range(self.workers)]
        found = _at_once([*parts, *compared], self.workers)
        self._doubts |= int(np.bitwise_or.reduce(found[: len(parts)]))
        self._differs |= any(found[len(parts) :])

    def _make_room(self, messages: int) -> None:
        if messages > len(self._parcels):
            room = max(messages, 2 * len(self._parcels))
            parcels, is_taken = np.empty((room, laws.PARCEL_WORDS), np.uint32), np.zeros(room, np.uint8)
            parcels[: self._message] = self._parcels[: self._message]
            is_taken[: self._message] = self._is_taken[: self._message]
            self._parcels, self._is_taken = parcels, is_taken


def _called(function: Any, known: Mapping[str, Any]) -> Any:
    code = getattr(function, "py_func", function).__code__
    return function(*(known[name] for name in code.co_varnames[: code.co_argcount]))


def _parts(cluster: Cluster, parts: int) -> Bytes:
    """Return to which part each machine belongs, so that all have about as many events."""
    part_of, events = np.zeros(len(cluster.node), np.uint8), np.zeros(parts, np.int64)
    for machine in np.argsort(-cluster.ticks, kind="stable").tolist() if parts > 1 else ():
        part_of[machine] = part = int(events.argmin())
        events[part] += cluster.ticks[machine]
    return part_of


_Blocks = Sequence[Callable[[], bool]] | None


def _comparison(a: Columns, b: Columns | None) -> tuple[_Blocks, _Blocks]:
    """Return what has to be asked, block by block, to know whether both are equal; None if they are not."""
    if b is None or len(a) != len(b) or len(a.send_row) != len(b.send_row):
        return None, None
    return (
        _blocks(events_differ, len(a), [getattr(run, name) for name in OF_EVENTS for run in (a, b)]),
        _blocks(messages_differ, len(a.send_row), [getattr(run, name) for name in OF_MESSAGES for run in (a, b)]),
    )


def _blocks(differ: Callable[..., bool], rows: int, both: Sequence[Any]) -> list[Callable[[], bool]]:
    firsts = range(0, rows, ROWS_AT_A_TIME)
    return [partial(differ, first, min(first + ROWS_AT_A_TIME, rows), *both) for first in firsts]


def _at_once(tasks: Sequence[Callable[[], Any]], workers: int) -> list[Any]:
    if workers == 1 or len(tasks) == 1:
        return [task() for task in tasks]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda task: task(), tasks))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _remember(cluster: Cluster, stops: Stops, left: Table) -> bool:
    """Return whether every stop record counts what the logs leave in queues and in flight."""
    counted: dict[tuple[int, int], list[int]] = {}
    remembered: dict[tuple[int, int], list[int]] = {}
    lanes = np.flatnonzero(left.any(axis=1))
    links = zip(*(cluster.node[ends[lanes]].tolist() for ends in (cluster.lane_from, cluster.lane_to)), strict=True)
    for link, counts in zip(links, left[lanes].tolist(), strict=True):
        if stops.get(link[1]) is not None:
            _add(counted, link, counts)
    for node, stop in stops.items():
        for sender, *counts in stop["incoming"] if stop is not None else ():
            if counts != [0, 0]:
                _add(remembered, (sender, node), counts)
    return counted == remembered


def _add(counted: dict[tuple[int, int], list[int]], link: tuple[int, int], counts: Sequence[int]) -> None:
    before = counted.get(link, [0, 0])
    counted[link] = [a + b for a, b in zip(before, counts, strict=True)]


def _numbers(columns: Columns, cluster: Cluster, is_taken: Bytes, workers: int | None) -> Numbers:
    """Return the numbers of a run that has structure."""
    first_life = np.concatenate([np.zeros(1, np.int64), np.cumsum(cluster.lives)])
    known = {**vars(columns), "first_life": first_life, "is_taken": is_taken}
    last, events = int(first_life[-1]), len(columns)
    if last > PROCESSES_MAX and last * events > STEPS_MAX:
        chain = _called(longest_chain, known)
        return Numbers(edges=None, ordered_pairs=None, concurrent_pairs=None, longest_chain=chain)
    tasks: list[Callable[[], Any]] = [partial(_called, longest_chain, known)]
    for first in range(0, last, PROCESSES_AT_A_TIME):
        some = {"first_process": first, "end_process": min(first + PROCESSES_AT_A_TIME, last)}
        tasks.append(partial(_count_past, known | some))
    longest, *past = _at_once(tasks, workers or _cores())
    ordered = sum(pairs for pairs, _ in past) - events
    return Numbers(
        edges=sum(edges for _, edges in past),
        ordered_pairs=ordered,
        concurrent_pairs=events * (events - 1) // 2 - ordered,
        longest_chain=longest,
    )


def _count_past(known: Mapping[str, Any]) -> tuple[int, int]:
    room = CARRIED_MIN
    while (found := _called(count_past, {**known, "room": room}))[0] < 0:
        room *= 4
    pairs, edges = found
    return pairs, edges
