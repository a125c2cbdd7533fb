"""What the compiled runs share: how they are compiled, and the dice, each roll as in node.dice.

Never decides anything about a run.
"""

from typing import Any, Final

import numpy as np

from node.dice import KIND, PEER
from orchestrator.native.compiled import Bytes, Rolls, Times, Words, compiled, inlined, pasted, uncounted

__all__ = [
    "Bytes",
    "Rolls",
    "Times",
    "Words",
    "compiled",
    "high",
    "inlined",
    "kind_of",
    "mix",
    "pasted",
    "peer_of",
    "roll",
    "uncounted",
]

# Mixed int64 and uint64 silently become float64: every operand of the dice is uint64, and everything else int64.
_Word = np.uint64
_KIND: Final = _Word(KIND)
_PEER: Final = _Word(PEER)
_HALF: Final = _Word(32)
_LOW: Final = _Word(0xFFFFFFFF)


@inlined
def mix(value: Any) -> Any:
    """Return one whole step of SplitMix64."""
    value = value + _Word(0x9E3779B97F4A7C15)
    value = (value ^ (value >> _Word(30))) * _Word(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> _Word(27))) * _Word(0x94D049BB133111EB)
    return value ^ (value >> _Word(31))


@inlined
def roll(start: Any, tick: Any, purpose: Any, other: Any) -> Any:
    """Return 64 uniform bits for one place; `start` has seed and node already mixed."""
    return mix(mix(mix(start ^ _Word(tick)) ^ _Word(purpose)) ^ _Word(other))


@inlined
def die_at(place: Any) -> Any:
    """Return the 53 bits by which the kind of a tick is chosen; `place` has seed, node and tick mixed."""
    return mix(mix(place ^ _KIND)) >> _Word(11)


@inlined
def kind_of(start: Any, tick: Any, chances: Any, machine: Any, first: Any) -> Any:
    """Return what the die says of a tick with an empty queue: 0 internal, 1 to 3 the sends.

    The chances of a machine stand in its row from `first` on.
    """
    x = die_at(mix(start ^ _Word(tick)))
    kind = np.int64(x >= chances[machine, first]) + np.int64(x >= chances[machine, first + 1])
    return kind + np.int64(x >= chances[machine, first + 2])


@inlined
def peer_of(start: Any, tick: Any, count: Any) -> Any:
    """Return which of so many peers, fewer than 2^32, a send-one is for."""
    bits, count = mix(mix(mix(start ^ _Word(tick)) ^ _PEER)), _Word(count)
    return np.int64(((bits >> _HALF) * count + ((bits & _LOW) * count >> _HALF)) >> _HALF)


@inlined
def high(a: Any, b: Any) -> Any:
    """Return the upper 64 of the 128 bits of a product."""
    a_high, a_low, b_high, b_low = a >> _HALF, a & _LOW, b >> _HALF, b & _LOW
    middle = a_high * b_low + (a_low * b_low >> _HALF)
    rest = a_low * b_high + (middle & _LOW)
    return a_high * b_high + (middle >> _HALF) + (rest >> _HALF)
