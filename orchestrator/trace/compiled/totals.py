"""One pass over the columns of a run that adds up what its measures are made of: whole numbers, each of them exact.

Never divides, and never asks whether a run is sound: every receive must raise its machine's clock and take a message
that had arrived, all else raise the clock by 1 and leave nothing in the queue, and each tick have one event.
Source: `docs/measures.md`.
"""

from typing import Any, Final, TypeAlias

import numpy as np

from orchestrator.native.compiled import Bytes, Times, Words, compiled, inlined

Narrow: TypeAlias = Bytes | Words

RECEIVE: Final = 4
FORGOTTEN, JUMP_MAX, QUEUE_MAX, CLOCK, LIFE, WAITED_LOW, WAITED_HIGH = range(5, 12)
"""Of each machine, behind its numbers of events of each kind: over receives, by how much all of them raised its clock,
by how much one did, and the longest queue; its clock and its incarnation; how long all messages waited, in ns."""
MACHINE_TOTALS: Final = 12
APART_LOW, APART_HIGH, APART_MAX, PAIRS_LOW, PAIRS_HIGH = range(5)
"""Of all machines: how far the clocks were apart, weighted by time in ns, and at most; the same of all pairs."""
RUN_TOTALS: Final = 5

FEW: Final = 3
"""So many machines are compared with each other; of more it is counted how many are above each clock."""

WORD_BITS: Final = 62
"""A sum that may outgrow 64 bits has two words, the lower of so many bits."""
_LOW: Final = (1 << WORD_BITS) - 1
_HALF: Final = WORD_BITS // 2
_LOW_HALF: Final = (1 << _HALF) - 1


@inlined
def _plus_product(low: Any, high: Any, a: Any, b: Any) -> Any:
    """Return a sum in two words with a product added; neither factor is negative or has more bits than a word."""
    if (a | b) >> _HALF == 0:
        low += a * b
    else:
        a_high, a_low, b_high, b_low = a >> _HALF, a & _LOW_HALF, b >> _HALF, b & _LOW_HALF
        middle = a_high * b_low + a_low * b_high
        low += a_low * b_low
        high += a_high * b_high + (middle >> _HALF) + (low >> WORD_BITS)
        low = (low & _LOW) + ((middle & _LOW_HALF) << _HALF)
    return low & _LOW, high + (low >> WORD_BITS)


@inlined
def _none() -> Any:
    """Return where a sum begins: with no smaller integer than those that are added to it."""
    return np.int64(0)


@compiled
def add_up(
    due_ns: Times,
    machine: Words,
    life: Words,
    kind: Narrow,
    clock: Words,
    queue: Words,
    m_to: Words,
    m_arrival_ns: Times,
    start_ns: Times,
    end_ns: Times,
    length_ns: int,
    above: Words,
    totals: Times,
    of_run: Times,
) -> None:
    """Add up one run, its events in the order of (due, node), into `totals`, a row a machine, and into `of_run`.

    `life` is empty if there was but one incarnation of each machine. A message waits within [start, end) of its
    recipient; one that is lost arrives after all of that. Drift is that of [0, length). `above` has a place for every
    clock that there is: how many machines have counted further. It must come empty, and is left so.
    """
    # What is known when it is compiled need not be multiplied with.
    assert totals.shape[1] == MACHINE_TOTALS
    machines, is_few, has_lives = len(totals), len(totals) <= FEW, len(life) > 0
    second, third = np.uint64(min(1, machines - 1)), np.uint64(min(2, machines - 1))
    totals[:] = 0
    # As if every message waited until the end; a receive takes back what it saved.
    for message in range(len(m_to)):
        to = np.uint64(m_to[message])
        waited = totals[to, WAITED_LOW] + max(end_ns[to] - max(m_arrival_ns[message], start_ns[to]), 0)
        if waited > _LOW:
            waited -= 1 << WORD_BITS
            totals[to, WAITED_HIGH] += 1
        totals[to, WAITED_LOW] = waited
    least, most, largest, apart_max, pairs = _none(), _none(), _none(), _none(), _none()
    apart_low, apart_high, pairs_low, pairs_high, instant_ns = _none(), _none(), _none(), _none(), _none()
    for row in range(len(due_ns)):
        at = np.uint64(row)  # what cannot be negative need not be looked at
        due_ns_here = due_ns[at]
        lasted_ns = min(due_ns_here, length_ns) - instant_ns
        if lasted_ns > 0:
            apart_low, apart_high = _plus_product(apart_low, apart_high, most - least, lasted_ns)
            if not is_few:
                pairs_low, pairs_high = _plus_product(pairs_low, pairs_high, pairs, lasted_ns)
            apart_max = max(apart_max, most - least)
            instant_ns += lasted_ns
        mine = np.uint64(machine[at])
        time, before = np.int64(clock[at]), totals[mine, CLOCK]
        totals[mine, CLOCK] = time
        if is_few:
            a, b, c = totals[0, CLOCK], totals[second, CLOCK], totals[third, CLOCK]
            least, most = min(a, b, c), max(a, b, c)
        else:
            level = before
            while level < time:
                pairs += machines - 1 - 2 * np.int64(above[np.uint64(level)])
                above[np.uint64(level)] += np.uint32(1)
                level += 1
            while level > time:
                # Only an incarnation that has forgotten everything counts less.
                level -= 1
                above[level] -= np.uint32(1)
                pairs -= machines - 1 - 2 * np.int64(above[level])
            if time < before:
                least, most = min(least, time), max(most, time)
                while most > 0 and above[most - 1] == 0:
                    most -= 1
            while above[np.uint64(least)] == machines:
                least += 1
            most, largest = max(most, time), max(largest, time)
        if has_lives and np.int64(life[at]) != totals[mine, LIFE]:
            totals[mine, LIFE] = np.int64(life[at])
            totals[mine, FORGOTTEN] += before
            before = _none()
        totals[mine, np.uint64(kind[at])] += 1
        # Of what is no receive, no clock jumps further and no queue is longer than of any receive.
        totals[mine, JUMP_MAX] = max(totals[mine, JUMP_MAX], time - before)
        totals[mine, QUEUE_MAX] = max(totals[mine, QUEUE_MAX], np.int64(queue[at]))
        until_ns = min(max(due_ns_here, start_ns[mine]), end_ns[mine])
        waited = totals[mine, WAITED_LOW] - (end_ns[mine] - until_ns) * np.int64(kind[at] == RECEIVE)
        if waited < 0:
            waited += 1 << WORD_BITS
            totals[mine, WAITED_HIGH] -= 1
        totals[mine, WAITED_LOW] = waited
    if instant_ns < length_ns:
        apart_low, apart_high = _plus_product(apart_low, apart_high, most - least, length_ns - instant_ns)
        pairs_low, pairs_high = _plus_product(pairs_low, pairs_high, pairs, length_ns - instant_ns)
        apart_max = max(apart_max, most - least)
    if is_few:
        # One of three lies between the others, so that the pairs are twice as far apart as those two.
        pairs_low, pairs_high = apart_low * (machines - 1), apart_high * (machines - 1)
    above[:largest] = 0
    of_run[APART_LOW], of_run[APART_HIGH], of_run[APART_MAX] = apart_low, apart_high, apart_max
    of_run[PAIRS_LOW], of_run[PAIRS_HIGH] = pairs_low, pairs_high
