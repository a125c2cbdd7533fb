"""All laws over the columns of a run, on all cores: which of them hold without any doubt.

Never says what is wrong: whoever asks looks for that with the plain checks. Imports numba: only whoever wants it
imports this.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from operator import or_
from typing import Any, Final

import numpy as np

from node.record import StopLine
from orchestrator.native.threads import cores, on_cores
from orchestrator.trace.proof import laws
from orchestrator.trace.proof.cluster import Cluster, Table
from orchestrator.trace.proof.columns import Bytes, Columns
from orchestrator.trace.proof.events import judge_rest
from orchestrator.trace.proof.numbers import count_past, longest_chain
from orchestrator.trace.proof.parcels import MACHINE_WORDS, WORD_MAX, with_room
from orchestrator.trace.proof.piece import judge_piece
from orchestrator.trace.proof.proof import Numbers, Proof
from orchestrator.trace.proof.share import BLOCK, EVENTS, INDEX, NOT_MINE, Piece, piece_of, shares_of
from orchestrator.trace.store import RECEIVE

Stops = Mapping[int, StopLine | None]

BITS: Final = {
    "clock-condition": laws.CLOCK_CONDITION,
    "clock-rises": laws.CLOCK_RISES,
    "exactly-once": laws.STRUCTURE,
    "in-order": laws.IN_ORDER,
    "one-event-per-tick": laws.TICKS_EXIST,
    "queue-first": laws.QUEUE_FIRST,
    "queue-length": laws.QUEUE_LENGTH,
    "equals-simulated": laws.DIFFERS,
}
PROCESSES_AT_A_TIME: Final = 64
PROCESSES_MAX: Final = 1 << 14
"""Of more processes pairs are counted in short runs only: it costs every event as many steps as there are."""
STEPS_MAX: Final = 1 << 30
"""So many of those steps are few."""
CARRIED_MIN: Final = 1024
"""So many vectors may be on their way at first."""
SHARES_MAX: Final = 255


def prove(
    columns: Columns, cluster: Cluster, twin: Columns | None, *, stops: Stops, workers: int | None = None
) -> Proof:
    """Return what can be proved of a run beside its twin, and the stop records of its machines."""
    judging = Judging(cluster, workers=workers)
    judging.go_on(columns, twin)
    valid = judging.valid(stops)
    # Where an index is left out, it is not the place in the order.
    has_places = "one-event-per-tick" in valid
    return Proof(valid=valid, numbers=_numbers(columns, cluster, workers) if has_places else None)


class Judging:
    """A run that is judged piece by piece, by all nine laws; `workers` at a time, by default one for each core.

    What is kept from one piece to the next is 20 bytes a message on its way, and a few of each machine and link; 4 a
    tick where messages arrive long after they were sent.
    """

    def __init__(self, cluster: Cluster, *, workers: int | None = None) -> None:
        """Begin to judge a run of this cluster."""
        self.cluster = cluster
        self.workers = min(workers or cores(), SHARES_MAX)
        self._row, self._message = 0, 0
        # Where machines rest very long, counting by ticks would take more room than the run.
        is_sparse = int(cluster.first_tick[-1]) > 4 * int(cluster.events.sum()) + 1_000_000
        self._doubts = laws.STRUCTURE if is_sparse else 0
        self._links, self._shares, self._pools = shares_of(cluster, 0 if is_sparse else self.workers)

    def go_on(self, columns: Columns, twin: Columns | None) -> None:
        """Judge the next rows of a run and all messages sent in them, beside the same of its twin."""
        piece, other = piece_of(columns), piece_of(columns if twin is None else twin)
        if twin is None or [len(column) for column in piece] != [len(column) for column in other]:
            self._doubts |= laws.DIFFERS
        if self._doubts & laws.STRUCTURE:
            return
        if self._doubts & laws.DIFFERS:
            other = piece
        before, is_compared = (self._row, self._message), np.zeros(len(columns) // BLOCK + 1, np.uint8)
        tasks = [
            partial(self._judge_piece, number, is_compared, before, piece, other) for number in range(self.workers)
        ]
        self._doubts |= reduce(or_, _at_once(tasks, self.workers))
        self._row, self._message = self._row + len(columns), self._message + len(columns.send_row)

    def _judge_piece(self, number: int, is_compared: Bytes, before: tuple[int, int], piece: Piece, twin: Piece) -> int:
        """Judge a piece for one share, and return what is in doubt."""
        share = self._shares[number]
        self._pools[number] = pool = with_room(len(piece.send_row), share.state, share.crates, self._pools[number])
        if len(pool) > WORD_MAX:
            return laws.STRUCTURE  # A place in it must remain a word.
        return int(judge_piece(self.workers, is_compared, *before, piece, twin, self._links, share, pool))

    def valid(self, stops: Stops) -> frozenset[str]:
        """Return, after the last rows, the laws that hold without a doubt."""
        left = np.zeros((self.workers, len(self.cluster.lane_to), 2), np.int64)
        if not self._doubts & laws.STRUCTURE:
            tasks = [partial(self._judge_rest, number, left[number]) for number in range(self.workers)]
            self._doubts |= reduce(or_, _at_once(tasks, self.workers))
        if self._doubts & laws.STRUCTURE:
            return frozenset()
        valid = {law for law, bit in BITS.items() if not self._doubts & bit}
        if not (self.cluster.lane_is_fifo.any() or (np.diff(self.cluster.first_link) == 0).any()):
            valid -= {"in-order"}  # Where no link keeps an order it is not applicable.
        if "exactly-once" in valid and _remember(self.cluster, stops, left.sum(axis=0)):
            valid |= {"every-message-accounted"}
        return frozenset(valid)

    def _judge_rest(self, number: int, left: Table) -> int:
        """Count by lane what a share never took, and return what that leaves in doubt."""
        share = self._shares[number]
        mine = share.own != NOT_MINE
        doubts = int(judge_rest(self._links, share, self._pools[number], self.cluster.end_ns[mine], left))
        events = share.state[EVENTS::MACHINE_WORDS] + share.state[INDEX::MACHINE_WORDS]
        if not np.array_equal(events, self.cluster.events[mine]):
            doubts |= laws.TICKS_EXIST
        return doubts


def _called(function: Any, known: Mapping[str, Any]) -> Any:
    code = getattr(function, "py_func", function).__code__
    return function(*(known[name] for name in code.co_varnames[: code.co_argcount]))


def _at_once(tasks: Sequence[Callable[[], Any]], workers: int) -> list[Any]:
    if workers == 1 or len(tasks) == 1:
        return [task() for task in tasks]
    with on_cores(workers) as pool:
        return list(pool.map(lambda task: task(), tasks))


def _remember(cluster: Cluster, stops: Stops, left: Table) -> bool:
    """Return whether every stop record counts what the logs leave in queues and in flight."""
    # The lanes of a link are one for each incarnation, and stand together.
    left = np.add.reduceat(left, cluster.first_lane[:-1]) if len(left) else left
    links = np.flatnonzero(left.any(axis=1))
    lanes = cluster.first_lane[links]
    ends = (cluster.node[end[lanes]].tolist() for end in (cluster.lane_from, cluster.lane_to))
    counted = {
        (sender, node): (in_queue, in_flight)
        for sender, node, (in_queue, in_flight) in zip(*ends, left[links].tolist(), strict=True)
        if stops.get(node) is not None
    }
    remembered = {
        (sender, node): (in_queue, in_flight)
        for node, stop in stops.items()
        if stop is not None
        for sender, in_queue, in_flight in stop["incoming"]
        if in_queue or in_flight
    }
    return counted == remembered


def _numbers(columns: Columns, cluster: Cluster, workers: int | None) -> Numbers:
    """Return the numbers of a run that has structure."""
    is_taken = np.zeros(len(columns.send_row), np.uint8)
    is_taken[columns.message[columns.kind == RECEIVE]] = 1
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
    longest, *past = _at_once(tasks, workers or cores())
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
