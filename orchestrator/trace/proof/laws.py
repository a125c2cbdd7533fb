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

SECOND: Final = np.uint64(1_000_000_000)
SECOND_NS: Final = 1_000_000_000
RECEIVE: Final = 4
BLOCK: Final = 256
ARRIVING_MAX: Final = 2**16 - 1

CLOCK_CONDITION, CLOCK_RISES, EXACTLY_ONCE, IN_ORDER, TICKS, QUEUE_FIRST, QUEUE_LENGTH = (1 << bit for bit in range(7))
STRUCTURE: Final = 1 << 7
"""Nothing can be said: the record is not in the order that all laws are judged in."""
QUEUES: Final = QUEUE_FIRST | QUEUE_LENGTH

NONE: Final = -1
LAST_TICK, INDEX, CLOCK, WAITING, TAKEN, TAKEN_NS, EVENTS, LIFE, SEGMENT, WARM = range(10)
"""Of each machine: its last tick, index and clock, how many messages have arrived and wait, the last that it took and
when that arrived, how many events it had, its incarnation, and in which segment of its time it is.
Nobody reads `WARM`, but what goes into it must be read."""
STATE_TIMES: Final = 16
SENT, RECEIVED, RECEIVER = range(3)
"""Of each lane: the last number given, the last received, by which incarnation + 1."""
COUNT_TIMES: Final = 3
ARRIVES, ARRIVES_HIGH, SEND, COPY, NUMBER, LANE, STAMP = range(7)
"""Of each message, together in half a line of cache, as it may be received late; `STAMP` is the clock of its send."""
PARCEL_WORDS: Final = 8
_HALF: Final = 32


@inlined
def link_to(sender: Any, to: Any, first_link: Any, peer: Any) -> Any:
    """Return the link from one machine to another, or NONE."""
    low, high = first_link[sender], first_link[sender + 1]
    while low < high:
        middle = (low + high) // 2
        if peer[middle] < to:
            low = middle + 1
        else:
            high = middle
    return low if low < first_link[sender + 1] and peer[low] == to else NONE


@inlined
def precedes(earlier: Any, later: Any, parcels: Any, lane_from: Any) -> Any:
    """Return whether of two messages that arrive at once one stands first in a queue: (sender, tick, copy)."""
    a, b = lane_from[np.int64(parcels[earlier, LANE])], lane_from[np.int64(parcels[later, LANE])]
    if a != b:
        return a < b
    if parcels[earlier, SEND] != parcels[later, SEND]:
        return parcels[earlier, SEND] < parcels[later, SEND]
    return parcels[earlier, COPY] < parcels[later, COPY]


@compiled
def judge_messages(
    part: int,
    part_of: Bytes,
    first_row: int,
    first_message: int,
    machine: Words,
    clock: Words,
    incarnation: Words,
    send_row: Words,
    recipient: Words,
    number: Words,
    arrival_ns: Times,
    copy: Bytes,
    rate_hz: Times,
    phase_ns: Times,
    lives: Times,
    first_tick: Times,
    first_link: Times,
    peer: Times,
    first_lane: Times,
    lane_is_fifo: Bytes,
    counts: Times,
    arriving: Any,
    state: Times,
    parcels: Words,
) -> int:
    """Pack the messages of these rows, follow the numbers given, and count what arrives before which tick."""
    has_lives, events, machines, doubts, before = len(incarnation) > 0, len(machine), len(part_of), 0, np.int64(0)
    for each in range(len(send_row)):
        to = np.int64(recipient[each])
        if to >= machines:
            return STRUCTURE
        if part_of[to] != part:
            continue
        row = np.int64(send_row[each]) - first_row
        if row < before or row >= events:
            return STRUCTURE
        before = row
        send = np.uint64(row)  # an index that could be negative is looked at first, each time
        sender = np.int64(machine[send])
        if sender >= machines:
            return STRUCTURE
        # Where everybody is a peer, the link's place is known.
        link = first_link[sender] + to - np.int64(to > sender)
        if link >= first_link[sender + 1] or peer[link] != to:
            link = link_to(sender, to, first_link, peer)
            if link == NONE:
                return STRUCTURE
        lane = first_lane[link]
        if has_lives:
            life = np.int64(incarnation[send])
            if life >= lives[sender]:
                return STRUCTURE
            lane += life
        given, at_ns, place = np.int64(number[each]), arrival_ns[each], np.uint64(first_message + each)
        parcels[place, ARRIVES], parcels[place, ARRIVES_HIGH] = at_ns, at_ns >> _HALF
        parcels[place, SEND], parcels[place, COPY] = send_row[each], copy[each]
        parcels[place, NUMBER], parcels[place, LANE] = given, lane
        parcels[place, STAMP] = clock[send]
        if given == 0:
            continue
        if lane_is_fifo[lane]:
            if given != counts[lane, SENT] + 1:
                doubts |= IN_ORDER
            counts[lane, SENT] = given
        # The first tick that is due later than the arrival.
        since_ns = at_ns + 1 - phase_ns[to]
        tick = np.int64(0)
        if since_ns > 0:
            second, rate = np.uint64(since_ns) // SECOND, np.uint64(rate_hz[to])
            rest = (np.uint64(since_ns) - second * SECOND) * rate + (SECOND - np.uint64(1))
            tick = np.int64(second * rate + rest // SECOND)
        if tick <= state[to, LAST_TICK]:
            return STRUCTURE
        tick += first_tick[to]
        if tick < first_tick[to + 1]:
            if arriving[np.uint64(tick)] == ARRIVING_MAX:
                return STRUCTURE
            arriving[np.uint64(tick)] += 1
    return doubts


@compiled
def judge_events(
    part: int,
    part_of: Bytes,
    first_row: int,
    end_message: int,
    machine: Words,
    tick: Words,
    kind: Bytes,
    clock: Words,
    queue: Words,
    message: Words,
    incarnation: Words,
    index: Words,
    rate_hz: Times,
    phase_ns: Times,
    first_tick: Times,
    rests: Bytes,
    first_segment: Times,
    segments: Times,
    lane_from: Times,
    lane_to: Times,
    lane_is_fifo: Bytes,
    counts: Times,
    arriving: Any,
    state: Times,
    parcels: Words,
    is_taken: Bytes,
) -> int:
    """Follow every machine through these rows; `state` goes on from one call to the next."""
    has_lives, machines, doubts = len(index) > 0, len(part_of), 0
    ahead, warm, last_message = 0, np.int64(0), np.int64(end_message - 1)
    for each in range(len(machine)):
        if each == ahead and end_message > 0:
            # Messages that waited long are fetched from memory together.
            ahead = min(each + BLOCK, len(machine))
            for coming in range(each, ahead):
                warm += np.int64(parcels[min(np.int64(message[np.uint64(coming)]), last_message), LANE])
        own = np.int64(machine[each])
        if own >= machines:
            return STRUCTURE
        if part_of[own] != part:
            continue
        now, last = np.int64(tick[each]), state[own, LAST_TICK]
        base = first_tick[own]
        if now <= last or base + now >= first_tick[own + 1]:
            return STRUCTURE
        life, position = np.int64(0), now + 1
        if has_lives:
            life, position = np.int64(incarnation[each]), np.int64(index[each])
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
        waiting = state[own, WAITING] + np.int64(arriving[np.uint64(base + now)])
        for skipped in range(last + 1, now):
            waiting += np.int64(arriving[np.uint64(base + skipped)])
        time, before = np.int64(clock[each]), state[own, CLOCK]
        if kind[each] == RECEIVE:
            taken = np.int64(message[each])
            if taken >= end_message:
                return STRUCTURE
            lane = np.int64(parcels[taken, LANE])
            # Who reads a parcel of another part sees a lane of another machine, or nothing yet.
            if lane >= len(lane_to) or lane_to[lane] != own or np.int64(parcels[taken, SEND]) >= first_row + each:
                return STRUCTURE
            given = np.int64(parcels[taken, NUMBER])
            if given == 0 or is_taken[taken] != 0:
                doubts |= EXACTLY_ONCE | QUEUES
            is_taken[taken] = 1
            if time <= np.int64(parcels[taken, STAMP]):
                doubts |= CLOCK_CONDITION
            if time <= before:
                doubts |= CLOCK_RISES
            if waiting <= 0:
                doubts |= QUEUES
            waiting -= 1
            at_ns = np.int64(parcels[taken, ARRIVES]) | np.int64(parcels[taken, ARRIVES_HIGH]) << _HALF
            previous_ns = state[own, TAKEN_NS]
            is_later = at_ns > previous_ns
            if at_ns == previous_ns:
                is_later = precedes(state[own, TAKEN], taken, parcels, lane_from)
            if not is_later:
                doubts |= QUEUES
            state[own, TAKEN], state[own, TAKEN_NS] = taken, at_ns
            if lane_is_fifo[lane]:
                expected = counts[lane, RECEIVED] + 1
                if counts[lane, RECEIVER] != life + 1:
                    # What an incarnation that remembers nothing receives first depends on the one before it.
                    expected = given if life else 1
                    counts[lane, RECEIVER] = life + 1
                if given != expected:
                    doubts |= IN_ORDER
                counts[lane, RECEIVED] = given
        else:
            if waiting != 0:
                doubts |= QUEUE_FIRST
            if time != before + 1:
                doubts |= CLOCK_RISES
        if np.int64(queue[each]) != waiting:
            doubts |= QUEUE_LENGTH
        state[own, LAST_TICK], state[own, INDEX], state[own, CLOCK] = now, position, time
        state[own, WAITING] = waiting
        state[own, EVENTS] += 1
    if machines > 0:
        state[0, WARM] = warm
    return doubts


@compiled
def judge_rest(
    part: int,
    part_of: Bytes,
    end_message: int,
    end_ns: Times,
    lane_from: Times,
    lane_to: Times,
    state: Times,
    parcels: Words,
    is_taken: Bytes,
    left: Times,
) -> int:
    """Count what no machine took, by lane: what waits in its queue at the end, and what is in flight."""
    doubts = 0
    for each in range(end_message):
        if is_taken[each] != 0 or parcels[each, NUMBER] == 0:
            continue
        lane = np.int64(parcels[each, LANE])
        to = lane_to[lane]
        if part_of[to] != part:
            continue
        at_ns = np.int64(parcels[each, ARRIVES]) | np.int64(parcels[each, ARRIVES_HIGH]) << _HALF
        last_ns = state[to, TAKEN_NS]
        if at_ns < last_ns or (at_ns == last_ns and not precedes(state[to, TAKEN], each, parcels, lane_from)):
            doubts |= QUEUES
        left[lane, np.int64(at_ns >= end_ns[to])] += 1
    return doubts
