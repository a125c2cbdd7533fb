"""The messages of a block in machine code: their numbers, what their receives will be judged by, when they arrive.

Never looks at who receives. Each call judges what is sent to the machines of one share, and what it writes is theirs
alone, so that shares may be judged at the same time.
"""

from typing import Any, Final

import numpy as np

from orchestrator.native.compiled import Words, compiled, prefetch
from orchestrator.trace.proof.laws import (
    IN_ORDER,
    STRUCTURE,
)
from orchestrator.trace.proof.parcels import (
    ARRIVES,
    ARRIVES_HIGH,
    BEFORE,
    INSIDE,
    LANE,
    LINE_BYTES,
    MACHINE_WORDS,
    NAME,
    NEXT,
    NONE,
    NOTHING,
    PARCEL_WORDS,
    STAMP,
    TAIL,
    WORD,
    WORD_MAX,
    next_crate,
)
from orchestrator.trace.proof.share import (
    FAR,
    FIRST_TICK,
    IS_FIFO,
    LANE_TO,
    LANE_WORDS,
    LAST,
    LAST_TICK,
    LINK_WORDS,
    NEAR,
    NEAR_MASK,
    NUMBER,
    PEER,
    PHASE,
    RATE,
    SLOTS,
    TICKS,
    Links,
    Piece,
    Share,
)

SECOND: Final = np.uint64(1_000_000_000)


@compiled
def link_to(to: Any, first: Any, end: Any, links: Words) -> Any:
    """Return which of these links leads to a machine, or NONE."""
    low, high = first, end
    while low < high:
        middle = (low + high) // 2
        if links[middle * LINK_WORDS + PEER] < to:
            low = middle + 1
        else:
            high = middle
    return low if low < end and links[low * LINK_WORDS + PEER] == to else NONE


@compiled
def judge_messages(
    count: int, step: int, first_row: int, first_message: int, piece: Piece, of_links: Links, share: Share, pool: Words
) -> Any:
    """Pack the messages chosen, follow the numbers given, and count what arrives before which tick.

    Of the columns that will be wanted next, each message asks for `step` bytes.
    """
    # Whoever takes a column out of a tuple in a loop counts references, each time.
    machine, clock, incarnation = piece.machine, piece.clock, piece.incarnation
    send_row, recipient, number, arrival_ns = piece.send_row, piece.recipient, piece.number, piece.arrival_ns
    lives, first_link, links = of_links
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
        to = np.int64(recipient[each])
        # Where everybody is a peer, the link's place is known.
        link = first + to - np.int64(to > sender)
        if link >= end or np.int64(links[np.uint64(link * LINK_WORDS + PEER)]) != to:
            link = link_to(to, first, end, links)
            if link == NONE:
                return STRUCTURE
        given, at_ns = np.int64(number[each]), arrival_ns[each]
        if given == 0:
            continue
        lane = np.int64(links[np.uint64(link * LINK_WORDS + LANE_TO)]) + life
        line, word, last = lane * LANE_WORDS, state[np.uint64(at + TAIL)], np.int64(NOTHING)
        if lanes[np.uint64(line + IS_FIFO)] != 0:
            if given != np.int64(lanes[np.uint64(line + NUMBER)]) + 1:
                doubts |= IN_ORDER
            last = np.int64(lanes[np.uint64(line + LAST)])
            lanes[np.uint64(line + NUMBER)], lanes[np.uint64(line + LAST)] = given, word
        pool[np.uint64(word + ARRIVES)], pool[np.uint64(word + ARRIVES_HIGH)] = at_ns, at_ns >> WORD
        pool[np.uint64(word + NAME)], pool[np.uint64(word + STAMP)] = first_message + np.int64(each), stamp
        pool[np.uint64(word + LANE)], pool[np.uint64(word + BEFORE)] = lane, last
        state[np.uint64(at + TAIL)] = word + PARCEL_WORDS
        if (word + PARCEL_WORDS) & INSIDE == NEXT:
            next_crate(at, state, crates, pool)
        # The first tick that is due later than the arrival.
        since_ns = at_ns + 1 - state[np.uint64(at + PHASE)]
        tick = np.int64(0)
        if since_ns > 0:
            second, rate = np.uint64(since_ns) // SECOND, np.uint64(state[np.uint64(at + RATE)])
            rest = (np.uint64(since_ns) - second * SECOND) * rate + (SECOND - np.uint64(1))
            tick = np.int64(second * rate + rest // SECOND)
        if tick < state[np.uint64(at + TICKS)]:
            later = tick - state[np.uint64(at + LAST_TICK)] - 1
            if later < 0:
                return STRUCTURE
            tally = state[np.uint64(at + NEAR)] + (tick & state[np.uint64(at + NEAR_MASK)])
            if later > state[np.uint64(at + NEAR_MASK)]:
                tally = state[np.uint64(at + FIRST_TICK)] + tick
                state[np.uint64(at + FAR)] += 1
            arriving[np.uint64(tally)] += np.uint32(1)
    return doubts
