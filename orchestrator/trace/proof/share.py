"""A share of the machines, as what the laws keep of them: whoever judges a share writes nothing that is another's.

Never looks at an event. Machines of a share are counted from 0, and so are the lanes that lead to them.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from orchestrator.trace.proof.cluster import Cluster, Table
from orchestrator.trace.proof.columns import Bytes, Columns, Times, Words
from orchestrator.trace.proof.parcels import MACHINE_WORDS, NONE, NOTHING, with_lists

BLOCK: Final = 1 << 12
"""So many rows are judged at a time: they stay near the processor while all laws look at them."""

LAST_TICK, INDEX, CLOCK, WAITING, TAKEN_NS, TAKEN, EVENTS, LIFE = range(3, 11)
"""Of each machine, behind what `parcels` keeps of it: its last tick, index and clock, how many messages have arrived
and wait, when what it took last had arrived, and which of those that arrived then it was, how many events it had, and
its incarnation."""
SEGMENT, RATE, PHASE, TICKS, FIRST_TICK, FAR, NEAR, NEAR_MASK = range(11, 19)
"""In which segment of its time it is, NONE if it never rests; what its model says; and where it is counted what arrives
before which tick: for those to come soon, again and again, in the counts from `NEAR` on, so that they stay near the
processor, for the others from `FIRST_TICK` on, of which `FAR` are left."""
NUMBER, LAST, IS_FIFO, FROM = range(4)
"""Of each lane: the last number given, where the last parcel was put, whether it keeps the order, and who sends."""
LANE_WORDS: Final = 4
PEER, LANE_TO = range(2)
"""Of each link: to whom it leads, and its first lane, as the share of that machine counts."""
LINK_WORDS: Final = 2
SLOTS: Final = 16
"""So many columns may be asked for ahead, of events and of messages."""
NOT_MINE: Final = 2**32 - 1
_LINES: Final = 128
"""Two lines of a cache, which processors fetch together."""


class Piece(NamedTuple):
    """Some columns, as compiled functions take them."""

    machine: Words
    tick: Words
    kind: Bytes
    clock: Words
    queue: Words
    message: Words
    send_row: Words
    recipient: Words
    number: Words
    arrival_ns: Times
    copy: Bytes
    incarnation: Words
    index: Words  # type: ignore[assignment]  # tuples have a method of this name


class Links(NamedTuple):
    """Who may send to whom, link by link, from the first of each machine on."""

    lives: Times
    first_link: Times
    links: Words


class Share(NamedTuple):
    """What is known of the machines of a share; `own` is where in it a machine is, or NOT_MINE."""

    own: Words
    state: Times
    crates: Times
    lanes: Words
    arriving: Words
    segments: Times
    chosen: Times
    ahead: Times


def piece_of(columns: Columns) -> Piece:
    """Return columns as a tuple."""
    return Piece(*(getattr(columns, name) for name in Piece._fields))


def shares_of(cluster: Cluster, shares: int) -> tuple[Links, list[Share], list[Words], list[Table]]:
    """Return the links, so many shares of the machines with their pools of parcels, and the lanes of each."""
    share_of = _share_of(cluster, shares)
    share_of_lane = share_of[cluster.lane_to]
    lanes = [np.flatnonzero(share_of_lane == share) for share in range(shares)]
    place = np.zeros(len(cluster.lane_to), np.uint32)
    for some in lanes:
        place[some] = np.arange(len(some))
    words = np.column_stack((cluster.peer.astype(np.uint32), place[cluster.first_lane[:-1]])).ravel()
    links = Links(cluster.lives, cluster.first_link, words)
    made = [_share(cluster, np.flatnonzero(share_of == share), lanes[share]) for share in range(shares)]
    return links, [share for share, _ in made], [pool for _, pool in made], lanes


def _share(cluster: Cluster, machines: Table, lanes: Table) -> tuple[Share, Words]:
    own = np.full(len(cluster.node), NOT_MINE, np.uint32)
    own[machines] = np.arange(len(machines))
    ticks = cluster.ticks[machines]
    near = _near(ticks, int(cluster.ticks.sum()))
    state = _zeros(len(machines) * MACHINE_WORDS, np.int64).reshape(-1, MACHINE_WORDS)
    state[:, [LAST_TICK, TAKEN_NS]] = NONE
    state[:, SEGMENT] = np.where(cluster.rests[machines], cluster.first_segment[machines], NONE)
    state[:, RATE], state[:, PHASE], state[:, TICKS] = cluster.rate_hz[machines], cluster.phase_ns[machines], ticks
    state[:, NEAR], state[:, NEAR_MASK] = np.cumsum(near) - near, near - 1
    state[:, FIRST_TICK] = near.sum() + np.cumsum(ticks) - ticks
    lane_words = _zeros(len(lanes) * LANE_WORDS, np.uint32)
    lane_words[LAST::LANE_WORDS] = NOTHING
    lane_words[IS_FIFO::LANE_WORDS] = cluster.lane_is_fifo[lanes]
    lane_words[FROM::LANE_WORDS] = cluster.lane_from[lanes]
    share = Share(
        own=own,
        state=state.ravel(),
        crates=_zeros(3, np.int64),
        lanes=lane_words,
        arriving=_zeros(int(near.sum() + ticks.sum()), np.uint32),
        segments=cluster.segments.ravel(),
        chosen=np.empty(BLOCK, np.int64),
        ahead=_zeros(2 * SLOTS, np.int64),
    )
    return share, with_lists(share.state, share.crates)


def _near(ticks: Table, all_ticks: int) -> Table:
    """Return how many ticks of each machine are near: as many as there are in a block, and more, a power of two."""
    in_block = 2 + BLOCK * ticks // max(1, all_ticks)
    near: Table = 1 << np.ceil(np.log2(in_block)).astype(np.int64)
    return near


def _share_of(cluster: Cluster, shares: int) -> Bytes:
    """Return to which share each machine belongs, so that all have about as many events."""
    share_of, events = np.zeros(len(cluster.node), np.uint8), np.zeros(shares, np.int64)
    for machine in np.argsort(-cluster.ticks, kind="stable").tolist() if shares > 1 else ():
        share_of[machine] = share = int(events.argmin())
        events[share] += cluster.ticks[machine]
    return share_of


def _zeros(count: int, kind: Any) -> Any:
    """Return zeros that share no line of a cache with anything else."""
    guard = _LINES // np.dtype(kind).itemsize
    return np.zeros(count + 2 * guard, kind)[guard : guard + count]
