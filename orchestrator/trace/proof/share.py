"""A share of the machines, as what the laws keep of them: whoever judges a share writes nothing that is another's.

Never looks at an event. Machines of a share are counted from 0; of the lanes, only those that lead to them are its.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from orchestrator.trace.proof.cluster import Cluster, Table, due_ns
from orchestrator.trace.proof.columns import Bytes, Columns, Times, Words
from orchestrator.trace.proof.parcels import MACHINE_WORDS, NONE, with_lists

BLOCK: Final = 1 << 12
"""So many rows are judged at a time: they stay near the processor while all laws look at them."""

LAST_TICK, RATE, PHASE, REACH_NS, NEAR, NEAR_MASK = range(2, 8)
"""Of each machine, behind the first of what `parcels` keeps of it: what a message asks for, in one line of a cache. Its
last tick; its rate and phase, and how long after that its last tick is due; and where it is counted what arrives before
which of the ticks to come soon, again and again, so that the counts stay near the processor."""
INDEX, CLOCK, WAITING, TAKEN_NS, TAKEN, TICKS, SEGMENT, FAR = range(8, 16)
"""What only its events ask for. Its last index and clock, how many messages have arrived and wait, when what it took
last had arrived, and the lane and name of that; how many ticks it may have, in which segment of its time it is, NONE if
it never rests, and how much arrives before ticks that are far."""
LIFE, EVENTS, FIRST_TICK = range(17, 20)
"""What is rarely asked for. Its incarnation, how many events it had in those before, and from where on it is counted
what arrives before which tick that is far."""
ARRIVES_NS, NEXT_NUMBER = range(2)
"""Of each lane: when its last message arrives, NONE if it keeps no order; and to whom it leads, before the next number
that will be given."""
LANE_WORDS: Final = 2
NUMBER_BITS: Final = 33
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
    """The links of each machine, from its first on, and their lanes; `first_lane` is empty where each link has one."""

    lives: Times
    first_link: Times
    first_lane: Times
    lane_from: Times


class Share(NamedTuple):
    """What is known of the machines of a share; `own` is where in it a machine is, or NOT_MINE."""

    own: Words
    state: Times
    crates: Times
    lanes: Times
    arriving: Words
    segments: Times
    chosen: Times
    ahead: Times


def piece_of(columns: Columns) -> Piece:
    """Return columns as a tuple."""
    return Piece(*(getattr(columns, name) for name in Piece._fields))


def shares_of(cluster: Cluster, shares: int) -> tuple[Links, list[Share], list[Words]]:
    """Return the links, and so many shares of the machines with their pools of parcels."""
    share_of = _share_of(cluster, shares)
    first_lane = cluster.first_lane if (cluster.lives > 1).any() else np.empty(0, np.int64)
    links = Links(cluster.lives, cluster.first_link, first_lane, cluster.lane_from)
    made = [_share(cluster, np.flatnonzero(share_of == share)) for share in range(shares)]
    return links, [share for share, _ in made], [pool for _, pool in made]


def _share(cluster: Cluster, machines: Table) -> tuple[Share, Words]:
    own = np.full(len(cluster.node), NOT_MINE, np.uint32)
    own[machines] = np.arange(len(machines))
    ticks = cluster.ticks[machines]
    near = _near(ticks, int(cluster.ticks.sum()))
    state = _zeros(len(machines) * MACHINE_WORDS, np.int64).reshape(-1, MACHINE_WORDS)
    state[:, [LAST_TICK, TAKEN_NS]] = NONE
    state[:, SEGMENT] = np.where(cluster.rests[machines], cluster.first_segment[machines], NONE)
    state[:, RATE], state[:, PHASE], state[:, TICKS] = cluster.rate_hz[machines], cluster.phase_ns[machines], ticks
    state[:, REACH_NS] = np.where(ticks > 0, due_ns(cluster, machines, ticks - 1) - state[:, PHASE], NONE)
    state[:, NEAR], state[:, NEAR_MASK] = np.cumsum(near) - near, near - 1
    state[:, FIRST_TICK] = near.sum() + np.cumsum(ticks) - ticks
    lanes = _zeros(len(cluster.lane_to) * LANE_WORDS, np.int64)
    lanes[ARRIVES_NS::LANE_WORDS] = np.where(cluster.lane_is_fifo, 0, NONE)
    lanes[NEXT_NUMBER::LANE_WORDS] = cluster.lane_to << NUMBER_BITS | 1
    share = Share(
        own=own,
        state=state.ravel(),
        crates=_zeros(3, np.int64),
        lanes=lanes,
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
    """Return zeros that begin with a line of a cache and share none with anything else."""
    size = np.dtype(kind).itemsize
    zeros = np.zeros(count + 2 * _LINES // size, kind)
    first = -zeros.ctypes.data % _LINES // size
    return zeros[first : first + count]
