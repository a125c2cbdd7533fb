"""What the models of a cluster say, as columns: ticks, incarnations, links.

Never looks at an event. Machines are counted from 0, in the order of their numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from node.limits import SECOND_NS
from node.model import Model
from node.window import Rest

NEVER: Final = int(np.iinfo(np.int64).max)
EVERY_MAX: Final = 1 << 62
"""Larger than every tick: of its multiples only tick 0 exists."""

Table = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Cluster:
    """A cluster as columns, by machine, by link, and by segment of a machine's time.

    `ticks` would exist if no machine ever rested, `events` do. The links of a machine are those from `first_link` on.
    A link has a lane for each incarnation of its sender, from `first_lane` on: numbers begin anew in each.
    """

    node: Table
    rate_hz: Table
    phase_ns: Table
    end_ns: Table
    ticks: Table
    events: Table
    lives: Table
    first_tick: Table
    first_link: Table
    peer: Table
    first_lane: Table
    lane_from: Table
    lane_to: Table
    lane_is_fifo: npt.NDArray[np.bool_]
    rests: npt.NDArray[np.bool_]
    first_segment: Table
    segments: Table


def cluster_of(models: Mapping[int, Model]) -> Cluster | None:
    """Return a cluster as columns; None if it names a machine of which there is no model."""
    ordered = [model for _, model in sorted(models.items())]
    number = np.array([model.node for model in ordered], np.int64)
    peers = _joined([model.peers for model in ordered])
    senders = _joined([model.senders for model in ordered])
    if list(number) != sorted(models) or not np.isin(peers, number).all() or not np.isin(senders, number).all():
        return None
    ticks = _column(_ticks(model) for model in ordered)
    lives = _column(1 + sum(crash.amnesia for crash in model.crashes) for model in ordered)
    degree = _column(len(model.peers) for model in ordered)
    sender, peer = np.repeat(np.arange(len(ordered)), degree), np.searchsorted(number, peers)
    lanes = lives[sender]
    segments = [segments_of(model) for model in ordered]
    return Cluster(
        node=number,
        rate_hz=_column(model.rate_hz for model in ordered),
        phase_ns=_column(model.phase_ns for model in ordered),
        end_ns=_column(model.duration_ns for model in ordered),
        ticks=ticks,
        events=_column(model.tick_count for model in ordered),
        lives=lives,
        first_tick=_firsts(ticks),
        first_link=_firsts(degree),
        peer=peer,
        first_lane=_firsts(lanes),
        lane_from=np.repeat(sender, lanes),
        lane_to=np.repeat(peer, lanes),
        lane_is_fifo=np.repeat(np.concatenate([np.empty(0, np.bool_), *map(_fifo, ordered)]), lanes),
        rests=np.array([bool(model.pauses or model.slow_downs or model.crashes) for model in ordered], np.bool_),
        first_segment=_firsts(_column(len(each) for each in segments)),
        segments=np.array([row for each in segments for row in each], np.int64).reshape(-1, 3),
    )


def segments_of(model: Model) -> list[tuple[int, int, int]]:
    """Return the segments of a machine's time: their ends, which ticks exist, and the incarnation.

    Those that exist are the multiples of the second; of 0 there are none.
    """
    rests: tuple[Rest, ...] = (*model.pauses, *model.slow_downs, *model.crashes)
    ends = {end for rest in rests for end in (rest.from_ns, rest.to_ns) if end < model.duration_ns}
    found = [
        (to_ns, min(model.every(from_ns), EVERY_MAX), model.incarnation(from_ns))
        for from_ns, to_ns in pairwise(sorted({0, model.duration_ns} | ends))
    ]
    return [*found, (NEVER, 0, 0)]


def due_ns(cluster: Cluster, machine: npt.NDArray[Any], tick: npt.NDArray[Any]) -> Table:
    """Return when ticks are due, each of its machine."""
    rate_hz = cluster.rate_hz[machine]
    second, rest = np.divmod(tick.astype(np.int64), rate_hz)
    due: Table = cluster.phase_ns[machine] + second * SECOND_NS + rest * SECOND_NS // rate_hz
    return due


def _ticks(model: Model) -> int:
    """Return how many ticks are due before the end."""
    return max(0, -(-(model.duration_ns - model.phase_ns) * model.rate_hz // SECOND_NS))


def _fifo(model: Model) -> npt.NDArray[np.bool_]:
    """Return which links of a machine keep their messages in order."""
    own = {link.peer: link.fifo for link in model.links}
    if not own:
        return np.full(len(model.peers), model.network.fifo)
    return np.array([own.get(peer, model.network.fifo) for peer in model.peers], np.bool_)


def _column(values: Any) -> Table:
    return np.array(list(values), np.int64)


def _joined(lists: Sequence[Sequence[int]]) -> Table:
    return np.concatenate([np.empty(0, np.int64), *(np.array(one, np.int64) for one in lists)])


def _firsts(counts: Table) -> Table:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
