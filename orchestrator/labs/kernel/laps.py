"""The totals of a plain run of few machines, walked as it was run: a lap of ticks, and again the same lap.

Never writes down when each event was due, and never carries: `add_up` says the same of any run.
"""

from typing import Any, Final

import numpy as np

from orchestrator.labs.kernel.plain import (
    COPY_WORDS,
    DUE_NS,
    EVENT_WORDS,
    KIND,
    MACHINE,
    QUEUE,
    SECOND_NS,
    SENT,
    SLOT_WORDS,
    TIME,
    TO,
)
from orchestrator.native.compiled import Times, Words, uncounted
from orchestrator.trace.compiled.totals import (
    APART_LOW,
    APART_MAX,
    CLOCK,
    FEW,
    JUMP_MAX,
    MACHINE_TOTALS,
    PAIRS_LOW,
    QUEUE_MAX,
    RECEIVE,
    WAITED_LOW,
    WORD_BITS,
)

LANE_BITS: Final = 16
"""A word counts four kinds of event, each up to 65,535. What `fits` has at most 48,019 seconds."""


def fits(events: int, *, machines: int, copies_max: int, lift: int, duration_ns: int) -> bool:
    """Return whether no sum can outgrow a word, of so many events that each send at most so many copies.

    At worst every message waits from the start to the end, and all that time two pairs are as far apart as any clock
    can count: by `lift` more, or by 1, with each event.
    """
    return machines <= FEW and 2 * events * max(1, copies_max, lift) * duration_ns < 1 << WORD_BITS


@uncounted
def add_up_laps(
    count: int,
    seconds: int,
    rows: int,
    delay_ns: int,
    length_ns: int,
    slots: Words,
    events: Words,
    copies: Words,
    last: Times,
    due_ns: Times,
    totals: Times,
    of_run: Times,
) -> None:
    """Add up a run that `fits`, into `totals`, a row a machine, and into `of_run`, as `add_up` does.

    There are `count` ticks a second, and as many `seconds` in a lap of `slots`; `rows` is how many events there are.
    `last` has a place for each machine and `due_ns` for each tick of a lap: they may hold anything.
    """
    totals[:] = 0
    of_run[:] = 0
    lap, lap_ns = seconds * count, seconds * SECOND_NS
    for second in range(seconds):
        for slot in range(count):
            due_ns[second * count + slot] = second * SECOND_NS + np.int64(slots[slot, DUE_NS])
    _wait(lap, lap_ns, length_ns - delay_ns, due_ns, copies, totals)
    _count(count, rows, length_ns, slots, events, last, totals)
    apart, apart_max = _compare(lap, rows, lap_ns, length_ns, slots, due_ns, events, totals)
    of_run[APART_LOW], of_run[APART_MAX] = apart, apart_max
    # One of three lies between the others, so that the pairs are twice as far apart as those two.
    of_run[PAIRS_LOW] = apart * (len(totals) - 1)


@uncounted
def _wait(lap: Any, lap_ns: Any, left_ns: Any, due_ns: Any, copies: Any, totals: Any) -> None:
    """Let each message wait until the end, of which so much is left to one that is sent at the start."""
    # A width that is known when this is compiled is not multiplied with each time: nor below.
    assert copies.shape[1] == COPY_WORDS and totals.shape[1] == MACHINE_TOTALS
    first = np.int64(0)
    for message in range(len(copies)):
        sent = np.int64(copies[message, SENT]) - first
        while sent >= lap:
            sent -= lap
            first += lap
            left_ns -= lap_ns
        totals[np.uint64(copies[message, TO]), WAITED_LOW] += max(left_ns - due_ns[np.uint64(sent)], 0)


@uncounted
def _count(count: Any, rows: Any, length_ns: Any, slots: Any, events: Any, last: Any, totals: Any) -> None:
    """Go through the seconds once for each of their ticks: whatever it adds up belongs to one machine."""
    assert slots.shape[1] == SLOT_WORDS and events.shape[1] == EVENT_WORDS and totals.shape[1] == MACHINE_TOTALS
    for slot in range(count):
        last[slots[slot, MACHINE]] = slot - count
    for slot in range(count):
        mine = np.uint64(slots[slot, MACHINE])
        # So many events before each of these its machine had another.
        back = slot - last[mine]
        last[mine] = slot
        kinds, receives, saved_ns = np.uint64(0), np.int64(0), np.int64(0)
        jump_max, queue_max = totals[mine, JUMP_MAX], totals[mine, QUEUE_MAX]
        left_ns = length_ns - np.int64(slots[slot, DUE_NS])
        for row in range(slot, rows, count):
            event = np.uint64(row)
            time, kind = np.int64(events[event, TIME]), np.int64(events[event, KIND])
            before = np.int64(events[np.uint64(row - back), TIME]) if row >= back else np.int64(0)
            # A receive is counted twice: by itself, and as what its two lower bits are.
            takes = kind >> 2
            receives += takes
            kinds += np.uint64(1) << np.uint64((kind & 3) * LANE_BITS)
            jump_max = max(jump_max, time - before)
            queue_max = max(queue_max, np.int64(events[event, QUEUE]))
            # What is taken no longer waits.
            saved_ns += left_ns & -takes
            left_ns -= SECOND_NS
        for lane in range(RECEIVE):
            totals[mine, lane] += np.int64((kinds >> np.uint64(lane * LANE_BITS)) & np.uint64((1 << LANE_BITS) - 1))
        totals[mine, RECEIVE & 3] -= receives
        totals[mine, RECEIVE] += receives
        totals[mine, JUMP_MAX], totals[mine, QUEUE_MAX] = jump_max, queue_max
        totals[mine, WAITED_LOW] -= saved_ns


@uncounted
def _compare(
    lap: Any, rows: Any, lap_ns: Any, length_ns: Any, slots: Any, due_ns: Any, events: Any, totals: Any
) -> Any:
    """Follow the clocks from event to event; return how far they were apart, weighted by time, and at most."""
    assert slots.shape[1] == SLOT_WORDS and events.shape[1] == EVENT_WORDS and totals.shape[1] == MACHINE_TOTALS
    second, third = np.uint64(min(1, len(totals) - 1)), np.uint64(min(2, len(totals) - 1))
    a, b, c, most = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    row, instant_ns, apart, weighted, apart_max = np.int64(0), np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    while row < rows:
        for slot in range(min(lap, rows - row)):
            now = np.uint64(slot)
            lasted_ns = due_ns[now] - instant_ns
            instant_ns = due_ns[now]
            weighted += apart * lasted_ns
            # Between two events at the same time there was nothing to be seen.
            apart_max = max(apart_max, apart if lasted_ns > 0 else np.int64(0))
            mine, time = np.uint64(slots[now, MACHINE]), np.int64(events[np.uint64(row + slot), TIME])
            # Three words that stay in registers: to write one and then read all is slower.
            a = time if mine == np.uint64(0) else a
            b = time if mine == second else b
            c = time if mine == third else c
            most = max(most, time)
            apart = most - min(a, b, c)
        row += lap
        # Times are those of the lap.
        instant_ns -= lap_ns
        length_ns -= lap_ns
    totals[0, CLOCK], totals[second, CLOCK], totals[third, CLOCK] = a, b, c
    return weighted + apart * (length_ns - instant_ns), max(apart_max, apart)
