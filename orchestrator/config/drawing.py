"""What the dice give all machines of a run at once: rates, phases and peers, equal to what each draws by itself.

Never keeps a state. Source: model sections 1 and 2; `node.dice` is the same for one place at a time.
"""

from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from node.dice import PHASE, RATE, TOPOLOGY, mix
from node.limits import SECOND_NS

Words: TypeAlias = npt.NDArray[np.uint64]
Column: TypeAlias = npt.NDArray[np.int64]

_HALF: Final = np.uint64(32)
_LOW: Final = np.uint64(0xFFFFFFFF)


def mixed(words: Words) -> Words:
    """Return one whole step of SplitMix64 of each word."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def starts(seed: int, nodes: Column) -> Words:
    """Return the dice of each machine: seed and node already mixed."""
    return mixed(np.uint64(mix(seed)) ^ nodes.astype(np.uint64))


def rates_hz(seed: int, nodes: Column, *, least: int, most: int) -> Column:
    """Return the rate that each machine draws."""
    return least + _below(_rolls(seed, nodes, RATE), most - least + 1)


def phases_ns(seed: int, nodes: Column, rate_hz: Column) -> Column:
    """Return the phase that each machine draws."""
    return _below(_rolls(seed, nodes, PHASE), SECOND_NS // rate_hz)


def peers_drawn(seed: int, nodes: int, count: int) -> Column:
    """Return so many peers of each of the machines 1 to `nodes`, a row each, ascending.

    Each shuffles all others by Fisher and Yates as far as it needs; what lies where nobody put anything is in order.
    """
    numbers = np.arange(1, nodes + 1)
    put: list[tuple[Column, Column]] = []

    def lies_at(place: Any) -> Column:
        found = np.broadcast_to(np.asarray(place, np.int64), numbers.shape)
        for where, what in put:
            found = np.where(where == place, what, found)
        return found

    drawn = np.empty((nodes, count), np.int64)
    for place in range(count):
        chosen = place + _below(_rolls(seed, numbers, TOPOLOGY, place), nodes - 1 - place)
        drawn[:, place] = lies_at(chosen)
        put.append((chosen, lies_at(place)))
    # A machine is not among its others: those from its own number on are one further.
    drawn += 1 + (drawn + 1 >= numbers[:, np.newaxis])
    drawn.sort(axis=1)
    return drawn


def senders_of_drawn(peers: Column) -> list[tuple[int, ...]]:
    """Return who sends to each machine, ascending, from the peers of each."""
    nodes, count = peers.shape
    order = np.argsort(peers, axis=None, kind="stable")
    ends = np.cumsum(np.bincount(peers.ravel(), minlength=nodes + 1)).tolist()
    senders = (order // count + 1).tolist()
    return [tuple(senders[first:last]) for first, last in pairwise(ends)]


def _rolls(seed: int, nodes: Column, purpose: int, other: int = 0) -> Words:
    """Return a roll of each machine at tick 0."""
    return mixed(mixed(mixed(starts(seed, nodes)) ^ np.uint64(purpose)) ^ np.uint64(other))


def _below(bits: Words, count: int | Column) -> Column:
    """Turn 64 bits each into integers of [0, count); a count has at most 32 bits."""
    words = np.asarray(count, np.uint64)
    found: Column = (((bits >> _HALF) * words + ((bits & _LOW) * words >> _HALF)) >> _HALF).astype(np.int64)
    return found
