"""Many plain runs of one configuration, one seed after another, without leaving the compiled code between them.

Never judges. The draws are those of node.model, and the order of ticks that of the plan.
"""

from typing import Any, Final

import numpy as np

from node.dice import PHASE, RATE
from orchestrator.labs.kernel.compiled import Bytes, Rolls, Times, Words, compiled, high, inlined, mix, roll, uncounted
from orchestrator.labs.kernel.plain import (
    CLOCK,
    CURSORS,
    DUE_NS,
    HEAD,
    MACHINE,
    MESSAGES,
    ROW,
    SECOND_NS,
    SLOT_WORDS,
    STEP,
    TAIL,
    TICK,
    WAITING,
    find_lags,
    repeat,
    run_plain,
    seconds_of_lap,
)

_WORD: Final = np.uint64


@inlined
def _between(bits: Any, least: Any, most: Any) -> Any:
    """Return what a roll stands for in [least, most]."""
    return least + np.int64(high(bits, _WORD(most - least + 1)))


@uncounted
def put_in_order(
    seed: int,
    number: Words,
    rates_hz: Words,
    is_aligned: bool,
    duration_ns: int,
    start: Rolls,
    drawn: Words,
    firsts: Words,
    slots: Words,
) -> int:
    """Draw each machine's rate and phase, and fill in the ticks of a second by (due, node); return how many there are.

    `rates_hz` is the range of each machine. The ticks are first put into as many equal parts of the second, so that
    hardly one is far from its place.
    """
    count = 0
    for machine in range(len(number)):
        start[machine] = own = mix(mix(_WORD(seed)) ^ _WORD(number[machine]))
        rate_hz, most = np.int64(rates_hz[machine, 0]), np.int64(rates_hz[machine, 1])
        if rate_hz < most:
            rate_hz = _between(roll(own, 0, RATE, 0), rate_hz, most)
        phase_ns = np.int64(0)
        if not is_aligned:
            phase_ns = np.int64(high(roll(own, 0, PHASE, 0), _WORD(SECOND_NS // rate_hz)))
        for tick in range(rate_hz):
            due_ns = phase_ns + tick * SECOND_NS // rate_hz
            if due_ns >= duration_ns:
                break
            drawn[count, MACHINE], drawn[count, DUE_NS], drawn[count, TICK] = machine, due_ns, tick
            drawn[count, STEP] = rate_hz
            count += 1
    firsts[: count + 1] = 0
    for each in range(count):
        firsts[np.int64(drawn[each, DUE_NS]) * count // SECOND_NS + 1] += np.uint32(1)
    for before in range(count):
        firsts[before + 1] += firsts[before]
    for each in range(count):
        part = np.int64(drawn[each, DUE_NS]) * count // SECOND_NS
        for word in range(SLOT_WORDS):
            slots[firsts[part], word] = drawn[each, word]
        firsts[part] += np.uint32(1)
    for each in range(1, count):
        place = each
        while place > 0 and slots[place - 1, DUE_NS] > slots[place, DUE_NS]:
            for word in range(SLOT_WORDS):
                slots[place - 1, word], slots[place, word] = slots[place, word], slots[place - 1, word]
            place -= 1
    return count


@uncounted
def run_seed(
    seed: int,
    number: Words,
    rates_hz: Words,
    is_aligned: bool,
    chances: Rolls,
    peer: Words,
    delay_ns: int,
    duration_ns: int,
    degree_max: int,
    lift: int,
    start: Rolls,
    drawn: Words,
    firsts: Words,
    slots: Words,
    lags: Words,
    actions: Bytes,
    state: Words,
    sent: Words,
    places: Words,
    cursors: Times,
    events: Words,
    copies: Words,
) -> int:
    """Run one seed and return how many ticks a second has; -1 if there is no room for it.

    `slots`, and what is of each slot, has room for the fastest that machines may be.
    """
    count = put_in_order(seed, number, rates_hz, is_aligned, duration_ns, start, drawn, firsts, slots)
    seconds = -(-duration_ns // SECOND_NS)
    total = (seconds - 1) * count
    for slot in range(count):
        total += int(np.int64(slots[slot, DUE_NS]) < duration_ns - (seconds - 1) * SECOND_NS)
    if total > len(events):
        return -1
    find_lags(slots[:count], delay_ns, lags)
    lap = seconds_of_lap(count, seconds)
    repeat(count, lap, slots, lags)
    sent[:] = 0
    cursors[:] = 0
    for machine in range(len(number)):
        state[machine, CLOCK] = state[machine, WAITING] = 0
        state[machine, HEAD] = state[machine, TAIL] = machine
    has_room = run_plain(
        total,
        cursors,
        slots[: lap * count],
        lags,
        start,
        chances,
        actions,
        peer,
        degree_max,
        lift,
        state,
        sent,
        events,
        copies,
        places,
    )
    return count if has_room else -1


@compiled
def run_seeds(
    seeds: Times,
    ends: Times,
    number: Words,
    rates_hz: Words,
    is_aligned: bool,
    chances: Rolls,
    peer: Words,
    delay_ns: int,
    duration_ns: int,
    degree_max: int,
    lift: int,
    start: Rolls,
    drawn: Words,
    firsts: Words,
    slots: Words,
    lags: Words,
    actions: Bytes,
    state: Words,
    sent: Words,
    places: Words,
    events: Words,
    copies: Words,
    keeps: bool,
) -> int:
    """Run one seed after another and return how many were run before there was no room left for one.

    Each run stands behind the one before it, or in its place unless they are to be kept. `ends` says where in `events`,
    and where in `copies`, the run ends.
    """
    cursors = np.empty(CURSORS, np.int64)
    event, copy = np.int64(0), np.int64(0)
    for run in range(len(seeds)):
        count = run_seed(
            seeds[run],
            number,
            rates_hz,
            is_aligned,
            chances,
            peer,
            delay_ns,
            duration_ns,
            degree_max,
            lift,
            start,
            drawn,
            firsts,
            slots,
            lags,
            actions,
            state,
            sent,
            places,
            cursors,
            events[event:],
            copies[copy:],
        )
        if count < 0:
            return run
        ends[run, 0], ends[run, 1] = event + cursors[ROW], copy + cursors[MESSAGES]
        if keeps:
            event, copy = ends[run, 0], ends[run, 1]
    return len(seeds)
