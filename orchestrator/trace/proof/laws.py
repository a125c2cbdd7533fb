"""The laws in machine code: over the messages, over the events, and over what was never received.

Never says what is wrong where: only which laws are in doubt. Each call judges the machines of one part, and what it
writes is theirs alone, so that parts may be judged at the same time.

A queue is judged without filling it. Messages are ordered by arrival first, so whatever arrives later stands behind
all that arrived before: a machine takes the first of its queue iff it takes its messages in their order, leaves none
out, and receives exactly while more have arrived than it has taken. How many arrive from one of its ticks to the next
is counted beforehand.
"""

from typing import Any, Final

import numpy as np

from orchestrator.native.compiled import Bytes, Times, Words, compiled, inlined

SECOND_NS: Final = 1_000_000_000
RECEIVE: Final = 4

CLOCK_CONDITION, CLOCK_RISES, EXACTLY_ONCE, IN_ORDER, TICKS, QUEUE_FIRST, QUEUE_LENGTH = (1 << bit for bit in range(7))
STRUCTURE: Final = 1 << 7
"""Nothing can be said: the record is not in the order that all laws are judged in."""
QUEUES: Final = QUEUE_FIRST | QUEUE_LENGTH

NONE: Final = -1
LAST_TICK, INDEX, LIFE, CLOCK, WAITING, TAKEN, SEGMENT, EVENTS = range(8)
"""Of each machine: its last tick, index, incarnation and clock, how many messages have arrived and wait, the last that
it took, in which segment of its time it is, and how many events it had."""
STATE_TIMES: Final = 8
SENT, RECEIVED, RECEIVER = range(3)
"""Of each link and incarnation of its sender: the last number given, the last received, by which incarnation + 1."""
COUNT_TIMES: Final = 3


@inlined
def link_to(sender: Any, to: Any, first_link: Any, peer: Any) -> Any:
    """Return the link from one machine to another, or NONE."""
    low, high = first_link[sender], first_link[sender + 1]
    # Where everybody is a peer its place is known.
    guess = low + to - np.int64(to > sender)
    if guess < high and peer[guess] == to:
        return guess
    while low < high:
        middle = (low + high) // 2
        if peer[middle] < to:
            low = middle + 1
        else:
            high = middle
    return low if low < first_link[sender + 1] and peer[low] == to else NONE


@inlined
def precedes(earlier: Any, later: Any, machine: Any, tick: Any, send_row: Any, arrival_ns: Any, copy: Any) -> Any:
    """Return whether a message stands before another in a queue: (arrival, sender, sender's tick, copy)."""
    if arrival_ns[earlier] != arrival_ns[later]:
        return arrival_ns[earlier] < arrival_ns[later]
    a, b = np.int64(send_row[earlier]), np.int64(send_row[later])
    if machine[a] != machine[b]:
        return machine[a] < machine[b]
    if tick[a] != tick[b]:
        return tick[a] < tick[b]
    return copy[earlier] < copy[later]


@compiled
def judge_messages(
    part: int,
    part_of: Bytes,
    machine: Words,
    send_row: Words,
    recipient: Words,
    number: Words,
    arrival_ns: Times,
    incarnation: Words,
    rate_hz: Times,
    phase_ns: Times,
    lives: Times,
    first_tick: Times,
    first_link: Times,
    peer: Times,
    is_fifo: Bytes,
    first_count: Times,
    link: Words,
    counts: Times,
    arriving: Words,
) -> int:
    """Find the link of each message, follow the numbers given, and count what arrives before which tick."""
    has_lives, events, doubts = len(incarnation) > 0, len(machine), 0
    before = np.int64(0)
    for message in range(len(send_row)):
        to = np.int64(recipient[message])
        if to >= len(part_of):
            return STRUCTURE
        if part_of[to] != part:
            continue
        send = np.int64(send_row[message])
        if send < before or send >= events:
            return STRUCTURE
        before = send
        sender = np.int64(machine[send])
        if sender >= len(part_of):
            return STRUCTURE
        own = link_to(sender, to, first_link, peer)
        if own == NONE:
            return STRUCTURE
        link[message] = own
        count = first_count[own]
        if has_lives:
            life = np.int64(incarnation[send])
            if life >= lives[sender]:
                return STRUCTURE
            count += life
        given = np.int64(number[message])
        if given == 0:
            continue
        if is_fifo[own]:
            if given != counts[count, SENT] + 1:
                doubts |= IN_ORDER
            counts[count, SENT] = given
        # The first tick that is due later than the arrival.
        since_ns = arrival_ns[message] + 1 - phase_ns[to]
        tick = np.int64(0)
        if since_ns > 0:
            rate = rate_hz[to]
            second = since_ns // SECOND_NS
            tick = second * rate + ((since_ns - second * SECOND_NS) * rate + SECOND_NS - 1) // SECOND_NS
        tick += first_tick[to]
        if tick < first_tick[to + 1]:
            arriving[tick] += np.uint32(1)
    return doubts


@compiled
def judge_events(
    part: int,
    part_of: Bytes,
    begin: int,
    end: int,
    machine: Words,
    tick: Words,
    kind: Bytes,
    clock: Words,
    queue: Words,
    message: Words,
    incarnation: Words,
    index: Words,
    send_row: Words,
    recipient: Words,
    number: Words,
    arrival_ns: Times,
    copy: Bytes,
    rate_hz: Times,
    phase_ns: Times,
    first_tick: Times,
    is_fifo: Bytes,
    first_count: Times,
    rests: Bytes,
    first_segment: Times,
    segments: Times,
    link: Words,
    counts: Times,
    arriving: Words,
    state: Times,
    is_taken: Bytes,
) -> int:
    """Follow every machine through the rows [begin, end); `state` goes on from one call to the next."""
    has_lives, messages, doubts = len(index) > 0, len(send_row), 0
    for row in range(begin, end):
        own = np.int64(machine[row])
        if own >= len(part_of):
            return STRUCTURE
        if part_of[own] != part:
            continue
        now, last = np.int64(tick[row]), state[own, LAST_TICK]
        base = first_tick[own]
        if now <= last or base + now >= first_tick[own + 1]:
            return STRUCTURE
        life, position = np.int64(0), now + 1
        if has_lives:
            life, position = np.int64(incarnation[row]), np.int64(index[row])
            if life != state[own, LIFE]:
                if life < state[own, LIFE]:
                    return STRUCTURE
                state[own, LIFE], state[own, INDEX], state[own, CLOCK] = life, 0, 0
        if position != state[own, INDEX] + 1:
            if position <= state[own, INDEX]:
                return STRUCTURE
            doubts |= TICKS | CLOCK_RISES
        if rests[own]:
            first = first_segment[own]
            due_ns = phase_ns[own] + now // rate_hz[own] * SECOND_NS + now % rate_hz[own] * SECOND_NS // rate_hz[own]
            segment = first + state[own, SEGMENT]
            while due_ns >= segments[segment, 0]:
                segment += 1
            state[own, SEGMENT] = segment - first
            every = segments[segment, 1]
            if every == 0 or now % every != 0 or life != segments[segment, 2]:
                doubts |= TICKS
        elif life != 0:
            doubts |= TICKS
        waiting = state[own, WAITING]
        for each in range(base + last + 1, base + now + 1):
            waiting += np.int64(arriving[each])
        time, before = np.int64(clock[row]), state[own, CLOCK]
        if kind[row] == RECEIVE:
            taken = np.int64(message[row])
            if taken >= messages or np.int64(recipient[taken]) != own:
                return STRUCTURE
            send = np.int64(send_row[taken])
            if send >= row:
                return STRUCTURE
            given = np.int64(number[taken])
            if given == 0 or is_taken[taken]:
                doubts |= EXACTLY_ONCE | QUEUES
            is_taken[taken] = 1
            if time <= np.int64(clock[send]):
                doubts |= CLOCK_CONDITION
            if time <= before:
                doubts |= CLOCK_RISES
            if waiting <= 0:
                doubts |= QUEUES
            waiting -= 1
            previous = state[own, TAKEN]
            if previous != NONE and not precedes(previous, taken, machine, tick, send_row, arrival_ns, copy):
                doubts |= QUEUES
            state[own, TAKEN] = taken
            if is_fifo[np.int64(link[taken])]:
                count = first_count[np.int64(link[taken])]
                expected = counts[count, RECEIVED] + 1
                if has_lives:
                    count += np.int64(incarnation[send])
                    expected = counts[count, RECEIVED] + 1
                    if counts[count, RECEIVER] != life + 1:
                        # What an incarnation that remembers nothing receives first depends on the one before it.
                        expected = given if life else 1
                    counts[count, RECEIVER] = life + 1
                if given != expected:
                    doubts |= IN_ORDER
                counts[count, RECEIVED] = given
        else:
            if waiting != 0:
                doubts |= QUEUE_FIRST
            if time != before + 1:
                doubts |= CLOCK_RISES
        if np.int64(queue[row]) != waiting:
            doubts |= QUEUE_LENGTH
        state[own, LAST_TICK], state[own, INDEX], state[own, CLOCK] = now, position, time
        state[own, WAITING] = waiting
        state[own, EVENTS] += 1
    return doubts


@compiled
def judge_rest(
    part: int,
    part_of: Bytes,
    machine: Words,
    tick: Words,
    send_row: Words,
    recipient: Words,
    number: Words,
    arrival_ns: Times,
    copy: Bytes,
    end_ns: Times,
    link: Words,
    state: Times,
    is_taken: Bytes,
    left: Times,
) -> int:
    """Count what no machine took, by link: what waits in its queue at the end, and what is in flight."""
    doubts = 0
    for message in range(len(send_row)):
        if is_taken[message] or number[message] == 0:
            continue
        to = np.int64(recipient[message])
        if part_of[to] != part:
            continue
        last = state[to, TAKEN]
        if last != NONE and not precedes(last, message, machine, tick, send_row, arrival_ns, copy):
            doubts |= QUEUES
        left[np.int64(link[message]), np.int64(arrival_ns[message] >= end_ns[to])] += 1
    return doubts
