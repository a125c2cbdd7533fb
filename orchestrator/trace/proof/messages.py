"""The messages of a block in machine code: their numbers, what their receives will be judged by, when they arrive.

Never looks at who receives. Each call judges what is sent to the machines of one share, and what it writes is theirs
alone, so that shares may be judged at the same time.
"""

from typing import Any, Final

import numpy as np

from orchestrator.native.compiled import Times, Words, prefetch, uncounted
from orchestrator.trace.proof.laws import IN_ORDER, STRUCTURE
from orchestrator.trace.proof.parcels import (
    ARRIVES,
    ARRIVES_HIGH,
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
    next_crate,
)
from orchestrator.trace.proof.share import (
    ARRIVES_NS,
    FAR,
    FIRST_TICK,
    LANE_WORDS,
    LAST_TICK,
    NEAR,
    NEAR_MASK,
    NEXT_NUMBER,
    NUMBER_BITS,
    PHASE,
    RATE,
    REACH_NS,
    SLOTS,
    Links,
    Piece,
    Share,
)

SECOND: Final = np.uint64(1_000_000_000)


@uncounted
def lane_to(to: Any, sender: Any, life: Any, links: Links, lanes: Times) -> Any:
    """Return the lane of an incarnation of a sender that leads to a machine, or NONE."""
    first_lane, low, end = links.first_lane, links.first_link[sender], links.first_link[sender + 1]
    high = end
    while low < high:
        middle = (low + high) // 2
        if peer(middle, first_lane, lanes) < to:
            low = middle + 1
        else:
            high = middle
    if low == end or peer(low, first_lane, lanes) != to:
        return NONE
    return first_lane[low] + life if len(first_lane) else low


@uncounted
def peer(link: Any, first_lane: Times, lanes: Times) -> Any:
    """Return to whom a link leads."""
    lane = first_lane[link] if len(first_lane) else link
    return lanes[lane * LANE_WORDS + NEXT_NUMBER] >> NUMBER_BITS


@uncounted
def judge_messages(
    count: int, step: int, first_row: int, first_message: int, piece: Piece, links: Links, share: Share, pool: Words
) -> Any:
    """Pack the messages chosen, follow the numbers given, and count what arrives before which tick.

    Of the columns that will be wanted next, each message asks for `step` bytes.
    """
    machine, clock, incarnation = piece.machine, piece.clock, piece.incarnation
    send_row, recipient, number, arrival_ns = piece.send_row, piece.recipient, piece.number, piece.arrival_ns
    lives, first_link, has_lanes = links.lives, links.first_link, len(links.first_lane) > 0
    chosen, state, crates, lanes, arriving = share.chosen, share.state, share.crates, share.lanes, share.arriving
    ahead = share.ahead
    has_lives, doubts = len(incarnation) > 0, 0
    events, machines = np.uint64(len(machine)), len(share.own)
    before, stamp = events, np.uint32(0)
    sender = first = end = life = np.int64(0)
    for place in range(count):
        slot = np.uint64(SLOTS + (place & SLOTS - 1))
        prefetch(ahead[slot])
        prefetch(ahead[slot] + LINE_BYTES)
        ahead[slot] += step
        pair = chosen[np.uint64(place)]  # an index that could be negative is looked at first, each time
        each, at = np.uint64(pair >> WORD), (pair & WORD_MAX) * MACHINE_WORDS
        row = np.uint64(np.int64(send_row[each]) - first_row)
        if row != before:
            if row >= events or machine[row] >= machines:
                return STRUCTURE
            before, sender, stamp = row, np.int64(machine[row]), clock[row]
            first, end = first_link[np.uint64(sender)], first_link[np.uint64(sender + 1)]
            if has_lives:
                life = np.int64(incarnation[row])
                if life >= lives[np.uint64(sender)]:
                    return STRUCTURE
        to, given, at_ns = np.int64(recipient[each]), np.int64(number[each]), arrival_ns[each]
        # Where everybody is a peer, the link's place is known.
        lane, expected = first + to - np.int64(to > sender), to << NUMBER_BITS | given
        if has_lanes or lane >= end or lanes[np.uint64(lane * LANE_WORDS + NEXT_NUMBER)] != expected:
            lane = lane_to(to, sender, life, links, lanes)
            if lane == NONE:
                return STRUCTURE
            if given == 0:
                continue
            if lanes[lane * LANE_WORDS + ARRIVES_NS] != NONE and lanes[lane * LANE_WORDS + NEXT_NUMBER] != expected:
                doubts |= IN_ORDER
        line, word = lane * LANE_WORDS, state[np.uint64(at + TAIL)]
        last_ns = lanes[np.uint64(line + ARRIVES_NS)]
        if last_ns != NONE:
            # Whoever takes first what arrived first keeps the order of such a lane.
            if at_ns < last_ns:
                doubts |= IN_ORDER
            lanes[np.uint64(line + ARRIVES_NS)] = at_ns
        lanes[np.uint64(line + NEXT_NUMBER)] = expected + 1
        pool[np.uint64(word + ARRIVES)], pool[np.uint64(word + ARRIVES_HIGH)] = at_ns, at_ns >> WORD
        pool[np.uint64(word + NAME)], pool[np.uint64(word + STAMP)] = first_message + np.int64(each), stamp
        pool[np.uint64(word + LANE)] = lane
        state[np.uint64(at + TAIL)] = word + PARCEL_WORDS
        if (word + PARCEL_WORDS) & INSIDE == NEXT:
            next_crate(at, state, crates, pool)
        # The first tick that is due later than the arrival.
        since_ns = at_ns + 1 - state[np.uint64(at + PHASE)]
        if since_ns <= state[np.uint64(at + REACH_NS)]:
            parts = np.uint64(max(since_ns, 0)) * np.uint64(state[np.uint64(at + RATE)])
            tick = np.int64((parts + (SECOND - np.uint64(1))) // SECOND)
            later = tick - state[np.uint64(at + LAST_TICK)] - 1
            tally = state[np.uint64(at + NEAR)] + (tick & state[np.uint64(at + NEAR_MASK)])
            if np.uint64(later) > np.uint64(state[np.uint64(at + NEAR_MASK)]):
                if later < 0:
                    return STRUCTURE
                tally = state[np.uint64(at + FIRST_TICK)] + tick
                state[np.uint64(at + FAR)] += 1
            arriving[np.uint64(tally)] += np.uint32(1)
    return doubts
