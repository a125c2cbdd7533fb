"""The events of a block in machine code, and what was never received.

Never looks at a message but by way of its parcel. Each call judges the machines of one share, and what it writes is
theirs alone, so that shares may be judged at the same time.
"""

from typing import Any, Final

import numpy as np

from orchestrator.native.compiled import Times, Words, prefetch, uncounted
from orchestrator.trace.proof.laws import (
    CLOCK_CONDITION,
    CLOCK_RISES,
    IN_ORDER,
    QUEUE_FIRST,
    QUEUE_LENGTH,
    QUEUES,
    STRUCTURE,
    TICKS_EXIST,
)
from orchestrator.trace.proof.parcels import (
    ARRIVES,
    ARRIVES_HIGH,
    CRATE_WORDS,
    GONE,
    HEAD,
    INSIDE,
    LANE,
    LINE_BYTES,
    MACHINE_WORDS,
    NAME,
    NEXT,
    NONE,
    PARCEL_WORDS,
    STAMP,
    TAIL,
    WORD,
    WORD_MAX,
    ask_for,
    found,
    leave_crate,
)
from orchestrator.trace.proof.share import (
    CLOCK,
    EVENTS,
    FAR,
    FIRST_TICK,
    INDEX,
    LAST_TICK,
    LIFE,
    NEAR,
    NEAR_MASK,
    PHASE,
    RATE,
    SEGMENT,
    SLOTS,
    TAKEN,
    TAKEN_NS,
    TICKS,
    WAITING,
    Links,
    Piece,
    Share,
)

SECOND_NS: Final = 1_000_000_000
RECEIVE: Final = 4


@uncounted
def judge_events(
    count: int,
    step: int,
    first_row: int,
    first_message: int,
    told: int,
    sent: int,
    piece: Piece,
    links: Links,
    share: Share,
    pool: Words,
) -> Any:
    """Follow every machine through the events chosen; the messages of [told, sent) were sent beside them.

    Of the columns that will be wanted next, each event asks for `step` bytes.
    """
    tick, kind, clock, queue = piece.tick, piece.kind, piece.clock, piece.queue
    message, send_row = piece.message, piece.send_row
    incarnation, index = piece.incarnation, piece.index
    chosen, state, crates, arriving = share.chosen, share.state, share.crates, share.arriving
    ahead, segments, lane_from = share.ahead, share.segments, links.lane_from
    has_lives, doubts = len(index) > 0, 0
    for place in range(count):
        slot = np.uint64(place & SLOTS - 1)
        prefetch(ahead[slot])
        prefetch(ahead[slot] + LINE_BYTES)
        ahead[slot] += step
        pair = chosen[np.uint64(place)]
        each, at = np.uint64(pair >> WORD), (pair & WORD_MAX) * MACHINE_WORDS
        now, last = np.int64(tick[each]), state[np.uint64(at + LAST_TICK)]
        if now <= last or now >= state[np.uint64(at + TICKS)]:
            return STRUCTURE
        life, position = np.int64(0), now + 1
        if has_lives:
            life, position = np.int64(incarnation[each]), np.int64(index[each])
            if life != state[np.uint64(at + LIFE)]:
                if life < state[np.uint64(at + LIFE)]:
                    return STRUCTURE
                state[np.uint64(at + EVENTS)] += state[np.uint64(at + INDEX)]
                state[np.uint64(at + LIFE)], state[np.uint64(at + INDEX)], state[np.uint64(at + CLOCK)] = life, 0, 0
        if position != state[np.uint64(at + INDEX)] + 1:
            if position <= state[np.uint64(at + INDEX)]:
                return STRUCTURE
            doubts |= TICKS_EXIST | CLOCK_RISES
        if state[np.uint64(at + SEGMENT)] != NONE:
            if not exists(now, life, at, state, segments):
                doubts |= TICKS_EXIST
        elif life != 0:
            doubts |= TICKS_EXIST
        tally = np.uint64(state[np.uint64(at + NEAR)] + (now & state[np.uint64(at + NEAR_MASK)]))
        waiting = state[np.uint64(at + WAITING)] + np.int64(arriving[tally])
        arriving[tally] = 0
        if state[np.uint64(at + FAR)] != 0 or now != last + 1:
            waiting += gathered(at, now, state, arriving)
        time, before = np.int64(clock[each]), state[np.uint64(at + CLOCK)]
        if kind[each] == RECEIVE:
            name, word = np.int64(message[each]), np.uint64(state[np.uint64(at + HEAD)])
            sent_here = name - first_message
            if sent_here >= sent:
                return STRUCTURE
            if sent_here >= told and np.int64(send_row[np.uint64(sent_here)]) >= first_row + np.int64(each):
                return STRUCTURE
            lane, is_none = pool[word + np.uint64(LANE)], np.int64(word) == state[np.uint64(at + TAIL)]
            if np.int64(pool[word + np.uint64(NAME)]) != name or lane == GONE or is_none:
                place_found = found(at, name, state, crates, pool)
                if place_found == NONE:
                    return STRUCTURE
                word = np.uint64(place_found)
                lane = pool[word + np.uint64(LANE)]
                pool[word + np.uint64(LANE)] = GONE
            if np.int64(word) == state[np.uint64(at + HEAD)]:
                state[np.uint64(at + HEAD)] += PARCEL_WORDS
                if state[np.uint64(at + HEAD)] & INSIDE == NEXT:
                    leave_crate(at, state, crates, pool)
            if time <= np.int64(pool[word + np.uint64(STAMP)]):
                doubts |= CLOCK_CONDITION
            if time <= before:
                doubts |= CLOCK_RISES
            if waiting <= 0:
                doubts |= QUEUES
            waiting -= 1
            at_ns = np.int64(pool[word + np.uint64(ARRIVES)]) | np.int64(pool[word + np.uint64(ARRIVES_HIGH)]) << WORD
            which, taken_ns = np.int64(lane) << WORD | name, state[np.uint64(at + TAKEN_NS)]
            if at_ns <= taken_ns and is_first(at_ns, which, taken_ns, state[np.uint64(at + TAKEN)], lane_from):
                doubts |= QUEUES | IN_ORDER
            state[np.uint64(at + TAKEN_NS)], state[np.uint64(at + TAKEN)] = at_ns, which
        else:
            if waiting != 0:
                doubts |= QUEUE_FIRST
            if time != before + 1:
                doubts |= CLOCK_RISES
        if np.int64(queue[each]) != waiting:
            doubts |= QUEUE_LENGTH
        state[np.uint64(at + LAST_TICK)], state[np.uint64(at + INDEX)] = now, position
        state[np.uint64(at + CLOCK)], state[np.uint64(at + WAITING)] = time, waiting
    return doubts


@uncounted
def is_first(at_ns: Any, which: Any, taken_ns: Any, taken: Any, lane_from: Times) -> Any:
    """Return whether what arrived at a time, by lane and name, stands in the queue before what was taken.

    What is sent later, and the copy of what is sent, has the later name.
    """
    if at_ns != taken_ns:
        return at_ns < taken_ns
    sender, other = lane_from[which >> WORD], lane_from[taken >> WORD]
    return sender < other or (sender == other and which & WORD_MAX <= taken & WORD_MAX)


@uncounted
def gathered(at: Any, now: Any, state: Times, arriving: Any) -> Any:
    """Return how much arrives from far before a tick, and how much at all before those that were left out."""
    waiting = np.int64(0)
    for tick in range(state[at + LAST_TICK] + 1, now):
        tally = state[at + NEAR] + (tick & state[at + NEAR_MASK])
        waiting += np.int64(arriving[tally])
        arriving[tally] = 0
    if state[at + FAR] != 0:
        far = np.int64(0)
        for tick in range(state[at + LAST_TICK] + 1, now + 1):
            far += np.int64(arriving[state[at + FIRST_TICK] + tick])
        state[at + FAR] -= far
        waiting += far
    return waiting


@uncounted
def exists(tick: Any, life: Any, at: Any, state: Times, segments: Times) -> Any:
    """Return whether a machine that rests has this tick, in this incarnation."""
    rate_hz, segment = state[at + RATE], state[at + SEGMENT]
    due_ns = state[at + PHASE] + tick // rate_hz * SECOND_NS + tick % rate_hz * SECOND_NS // rate_hz
    while due_ns >= segments[3 * segment]:
        segment += 1
    state[at + SEGMENT] = segment
    every = segments[3 * segment + 1]
    return every != 0 and tick % every == 0 and life == segments[3 * segment + 2]


@uncounted
def judge_rest(links: Links, share: Share, pool: Words, end_ns: Times, left: Times) -> Any:
    """Count what no machine took, by lane: what waits in its queue at the end, and what is in flight."""
    state, lane_from, doubts = share.state, links.lane_from, 0
    for own in range(len(end_ns)):
        at = own * MACHINE_WORDS
        word, taken_ns, taken = state[at + HEAD], state[at + TAKEN_NS], state[at + TAKEN]
        while word != state[at + TAIL]:
            if word & INSIDE == 0 and word != state[at + TAIL] & ~INSIDE:
                ask_for(np.int64(pool[word + NEXT]), pool)
            lane = pool[word + LANE]
            if lane != GONE:
                at_ns = np.int64(pool[word + ARRIVES]) | np.int64(pool[word + ARRIVES_HIGH]) << WORD
                which = np.int64(lane) << WORD | np.int64(pool[word + NAME])
                if at_ns <= taken_ns and is_first(at_ns, which, taken_ns, taken, lane_from):
                    doubts |= QUEUES
                left[lane, np.int64(at_ns >= end_ns[own])] += 1
            word += PARCEL_WORDS
            if word & INSIDE == NEXT:
                word = np.int64(pool[word]) * CRATE_WORDS
    return doubts
