"""Whom each machine may send to where that is drawn anew for each run.

Never decides who draws, or how many. The draws are those of orchestrator.config.topology.
"""

from typing import Final

import numpy as np

from node.dice import TOPOLOGY
from orchestrator.labs.kernel.compiled import Words, compiled, high, mix, roll

_TOPOLOGY: Final = TOPOLOGY


@compiled
def draw_peers(seed: int, number: Words, fan_out: int, left: Words, following: Words, peer: Words) -> None:
    """Fill in so many peers of each machine, ascending, and which of them is that of a send-next.

    `left` has room for all machines but one.
    """
    others = len(number) - 1
    for machine in range(len(number)):
        start = mix(mix(np.uint64(seed)) ^ np.uint64(number[machine]))
        for each in range(others):
            left[each] = each + (each >= machine)
        # Without putting back: the shuffle of Fisher and Yates, ended once there are enough.
        for place in range(fan_out):
            chosen = place + np.int64(high(roll(start, 0, _TOPOLOGY, place), np.uint64(others - place)))
            left[place], left[chosen] = left[chosen], left[place]
        first = machine * fan_out
        peer[first : first + fan_out] = np.sort(left[:fan_out])
        following[machine] = first
        for edge in range(first + fan_out - 1, first - 1, -1):
            if peer[edge] > machine:
                following[machine] = edge
