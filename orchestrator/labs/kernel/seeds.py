"""Many plain runs of one configuration, one seed after another, without leaving the compiled code between them.

Never judges. The draws are those of node.model, and the order of ticks that of the plan.
"""

from typing import Any, Final

import numpy as np

from node.dice import PHASE, RATE
from orchestrator.labs.kernel.compiled import Rolls, Times, Words, compiled, high, inlined, mix, roll
from orchestrator.labs.kernel.plain import (
    ARRIVED,
    CHANCE,
    CLOCK,
    CURSORS,
    DUE_NS,
    INSTANT_NS,
    LAG_NS,
    LAST,
    MACHINE,
    MESSAGES,
    RATE_HZ,
    ROW,
    SECOND_NS,
    START,
    TAIL,
    TICK,
    WAITING,
    run_plain,
)

_WORD: Final = np.uint64


@inlined
def _between(bits: Any, least: Any, most: Any) -> Any:
    """Return what a roll stands for in [least, most]."""
    return least + np.int64(high(bits, _WORD(most - least + 1)))


@compiled
def put_in_order(
    seed: int,
    number: Words,
    rates_hz: Words,
    is_aligned: bool,
    chances: Rolls,
    duration_ns: int,
    dice: Rolls,
    slots: Words,
) -> int:
    """Draw each machine's rate and phase, and fill in the ticks of a second by (due, node); return how many there are.

    `rates_hz` is the range of each machine.
    """
    count = 0
    for machine in range(len(number)):
        start = mix(mix(_WORD(seed)) ^ _WORD(number[machine]))
        rate_hz, most = np.int64(rates_hz[machine, 0]), np.int64(rates_hz[machine, 1])
        if rate_hz < most:
            rate_hz = _between(roll(start, 0, RATE, 0), rate_hz, most)
        phase_ns = np.int64(0)
        if not is_aligned:
            phase_ns = np.int64(high(roll(start, 0, PHASE, 0), _WORD(SECOND_NS // rate_hz)))
        for tick in range(rate_hz):
            due_ns = phase_ns + tick * SECOND_NS // rate_hz
            if due_ns >= duration_ns:
                break
            place = count
            while place > 0 and np.int64(slots[place - 1, DUE_NS]) > due_ns:
                for word in range(4):
                    slots[place, word] = slots[place - 1, word]
                    dice[place, word] = dice[place - 1, word]
                place -= 1
            slots[place, MACHINE], slots[place, DUE_NS], slots[place, TICK] = machine, due_ns, tick
            slots[place, RATE_HZ] = rate_hz
            dice[place, START] = start
            for send in range(3):
                dice[place, CHANCE + send] = chances[machine, send]
            count += 1
    return count


@compiled
def run_seeds(
    seeds: Times,
    ends: Times,
    number: Words,
    rates_hz: Words,
    is_aligned: bool,
    chances: Rolls,
    dice: Rolls,
    slots: Words,
    peer: Words,
    delay_ns: int,
    duration_ns: int,
    lift: int,
    state: Words,
    sent: Words,
    events: Words,
    copies: Words,
    keeps: bool,
) -> int:
    """Run one seed after another and return how many were run before there was no room left for one.

    Each run stands behind the one before it, or in its place unless they are to be kept. `ends` says where in `events`,
    and where in `copies`, the run ends. `slots` and `dice` have room for the fastest that machines may be.
    """
    machines = len(number)
    cursors = np.empty(CURSORS, np.int64)
    seconds = -(-duration_ns // SECOND_NS)
    event, copy = np.int64(0), np.int64(0)
    for run in range(len(seeds)):
        count = put_in_order(seeds[run], number, rates_hz, is_aligned, chances, duration_ns, dice, slots)
        if event + count * seconds > len(events) or copy + machines > len(copies):
            return run
        sent[:] = 0
        cursors[:] = 0
        cursors[MESSAGES] = cursors[ARRIVED] = machines
        cursors[INSTANT_NS], cursors[LAG_NS] = -1, delay_ns
        for machine in range(machines):
            state[machine, CLOCK] = state[machine, WAITING] = 0
            state[machine, LAST] = state[machine, TAIL] = machine
        if not run_plain(
            seconds,
            cursors,
            slots[:count],
            dice[:count],
            peer,
            delay_ns,
            duration_ns,
            lift,
            state,
            sent,
            events[event:],
            copies[copy:],
        ):
            return run
        ends[run, 0], ends[run, 1] = event + cursors[ROW], copy + cursors[MESSAGES]
        if keeps:
            event, copy = ends[run, 0], ends[run, 1]
    return len(seeds)
