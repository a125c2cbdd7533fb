"""Chance as a function of place: the same seed, node, tick and purpose always roll the same.

Never keeps a state, and never decides with a float.
Source: Steele, Lea & Flood, Fast Splittable Pseudorandom Number Generators (2014), figure 14; model section 1.
"""

MASK = 2**64 - 1

# Purposes: what a roll is for. `tick` is 0 for the first two, and for the last, of which `other` is the draw.
RATE, PHASE, KIND, PEER, TOPOLOGY = 1, 2, 3, 4, 5
# Purposes of the channel: node and tick are the sender's, other = recipient * 2 + copy.
DELAY, LOSS, DUPLICATE = 16, 17, 18

CERTAIN = 2**53
"""The threshold of what always happens; a roll for a probability is `roll >> 11`."""


def mix(value: int) -> int:
    """Return one whole step of SplitMix64."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def roll(seed: int, node: int, tick: int, purpose: int, other: int = 0) -> int:
    """Return 64 uniform bits for one place."""
    return Dice(seed, node).roll(tick, purpose, other)


class Dice:
    """The dice of one machine: `roll` with seed and node already mixed."""

    __slots__ = ("_start",)

    def __init__(self, seed: int, node: int) -> None:
        self._start = mix(mix(seed) ^ node)

    def roll(self, tick: int, purpose: int, other: int = 0) -> int:
        """Return 64 uniform bits for one place of this machine."""
        return mix(mix(mix(self._start ^ tick) ^ purpose) ^ other)


def below(bits: int, count: int) -> int:
    """Turn 64 bits into an integer of [0, count)."""
    return bits * count >> 64


def between(bits: int, least: int, most: int) -> int:
    """Turn 64 bits into an integer of [least, most]."""
    return least + below(bits, most - least + 1)


def threshold(probability: float) -> int:
    """Return what `roll >> 11` must stay below for something of this probability to happen."""
    return int(probability * CERTAIN)
