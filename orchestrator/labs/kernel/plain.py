"""The compiled run where every message takes equally long, none is lost and nobody rests: no heap at all.

Messages then arrive in the order of their sends, so that each queue is a list, and one cursor over the table of all
messages says which have arrived. Constant rates repeat every second: the order of ticks is sorted once. Never looks at
a time, and never reads an event again.
"""

from typing import Any, Final

import numpy as np

from orchestrator.labs.kernel.compiled import (
    Bytes,
    Rolls,
    Times,
    Words,
    compiled,
    die_at,
    few_at,
    inlined,
    mix,
    peer_of,
)

RECEIVE: Final = 4
SEND_NEXT, SEND_ALL = 2, 3
SECOND_NS: Final = 1_000_000_000

# What is read together lies together, one row of words each: a row is found once, and is mostly one line of cache.
MACHINE, DUE_NS, TICK, RATE_HZ = range(4)
"""Of each tick of a second; TICK is its number in the first one."""
CLOCK, WAITING, HEAD, TAIL, FIRST, DEGREE, FOLLOWING = range(7)
"""Of each machine: its clock, how many messages have arrived and wait, where its queue begins and ends; then where its
links begin, how many there are, and which is that of a send-next."""
STATE_WORDS: Final = 8  # half a line of cache
KIND, TIME, QUEUE, MESSAGE = range(4)
"""Of each event."""
SENT, TO, NUMBER = range(3)
"""Of each message: its send, its recipient, its number on the link."""
NEXT, STAMP = range(2)
"""Of each place in a queue: the place behind it, and the least time of whoever takes the message."""
SLOT_WORDS, EVENT_WORDS, COPY_WORDS, PLACE_WORDS = 4, 4, 3, 2

SECOND, SLOT, ROW, MESSAGES, ARRIVED = range(5)
"""How far the run is."""
CURSORS: Final = 6
WARM: Final = 5
"""Nobody reads it, but what goes into it must be read."""

AHEAD: Final = 15
"""For so many seconds the dice of a tick are rolled together; behind their actions stands that of a receive."""
KIND_BITS: Final = np.uint64(3)
FEW: Final = 31
"""Of so few peers, the one of a send-one stands in the same byte, above the kind."""
BLOCK: Final = 64
MACHINES_MANY: Final = 2000
"""Where there are as many machines, what so many ticks need is fetched together, as one by one each is waited for."""
LAG_MAX: Final = 2**32 - 1
"""More events than any run has."""


@compiled
def find_lags(slots: Words, delay_ns: int, lags: Words) -> None:
    """Fill in, for each tick of a second and then the first, how many events before it have not arrived anywhere."""
    count, seconds = len(slots), delay_ns // SECOND_NS + 1
    arrived, slot_arrived, later_ns = -seconds * count, 0, delay_ns - seconds * SECOND_NS
    for slot in range(count):
        while later_ns + np.int64(slots[slot_arrived, DUE_NS]) < np.int64(slots[slot, DUE_NS]):
            arrived += 1
            slot_arrived += 1
            if slot_arrived == count:
                slot_arrived = 0
                later_ns += SECOND_NS
        lags[slot] = min(slot - arrived, LAG_MAX)
    lags[count] = lags[0]


@inlined
def roll_ahead(second: Any, slots: Any, start: Any, chances: Any, state: Any, rolls_peers: Any, actions: Any) -> None:
    """Fill in what each tick of the next `AHEAD` seconds does if no message waits, and perhaps for which peer."""
    for slot in range(len(slots)):
        machine = np.int64(slots[slot, MACHINE])
        own, one, following, everyone = start[machine], chances[machine, 0], chances[machine, 1], chances[machine, 2]
        degree, step = np.uint64(state[machine, DEGREE]), np.uint64(slots[slot, RATE_HZ])
        tick = np.uint64(slots[slot, TICK]) + np.uint64(second) * step
        for each in range(AHEAD + 1):
            place = mix(own ^ (tick + np.uint64(each) * step))
            x = die_at(place)
            action = np.uint8(x >= one) + np.uint8(x >= following) + np.uint8(x >= everyone)
            if rolls_peers:
                action |= np.uint8(few_at(place, degree) << KIND_BITS)
            actions[slot, each] = action
        actions[slot, AHEAD] = RECEIVE


@inlined
def _look_ahead(begin: Any, end: Any, slots: Any, state: Any, places: Any) -> Any:
    """Fetch the machines that tick, then what is first in their queues; what is returned says nothing."""
    warm = np.int64(0)
    for slot in range(begin, end):
        warm += np.int64(state[np.uint64(slots[slot, MACHINE]), HEAD])
    for slot in range(begin, end):
        warm += np.int64(places[np.uint64(state[np.uint64(slots[slot, MACHINE]), HEAD]), STAMP])
    return warm


@compiled
def run_plain(
    until: int,
    total: int,
    cursors: Times,
    slots: Words,
    lags: Words,
    start: Rolls,
    chances: Rolls,
    actions: Bytes,
    peer: Words,
    degree_max: int,
    lift: int,
    state: Words,
    sent: Words,
    events: Words,
    copies: Words,
    places: Words,
) -> bool:
    """Go on until the second `until`; False if the tables of messages, `copies` and `places`, must first be longer.

    `total` is the number of events of the whole run, `lift` what a receive adds to the time of the send. Message m has
    place m + 1: a queue that begins at 0 is empty.
    """
    # A width that is known when this is compiled is not multiplied with each time.
    assert slots.shape[1] == SLOT_WORDS and actions.shape[1] == AHEAD + 1
    assert state.shape[1] == STATE_WORDS and events.shape[1] == EVENT_WORDS
    assert copies.shape[1] == COPY_WORDS and places.shape[1] == PLACE_WORDS
    count, room = len(slots), len(copies) - 1 - degree_max
    row, messages, arrived = cursors[ROW], cursors[MESSAGES], cursors[ARRIVED]
    rolls_peers = degree_max <= FEW
    looks_ahead = len(state) >= MACHINES_MANY
    block, warm, has_room = BLOCK if looks_ahead else count, np.int64(0), True
    second, slot = cursors[SECOND], cursors[SLOT]
    while second < until and has_room:
        ahead = np.uint64(second % AHEAD)
        if ahead == 0 and slot == 0:
            roll_ahead(second, slots, start, chances, state, rolls_peers, actions)
        end_of_second = min(count, total - second * count)
        while slot < end_of_second and has_room:
            end_of_block = min(slot + block, end_of_second)
            if looks_ahead:
                warm += _look_ahead(slot, end_of_block, slots, state, places)
            while slot < end_of_block:
                if messages > room:
                    has_room = False
                    break
                # An index that cannot be negative is used as it is; one that could is looked at first, each time.
                now, event = np.uint64(slot), np.uint64(row)
                fence = row - np.int64(lags[now])
                while arrived < messages and np.int64(copies[np.uint64(arrived), SENT]) < fence:
                    state[np.uint64(copies[np.uint64(arrived), TO]), WAITING] += np.uint32(1)
                    arrived += 1
                machine = np.uint64(slots[now, MACHINE])
                waiting, head = state[machine, WAITING], state[machine, HEAD]
                # Whether a message waits is a coin; a processor that guesses loses more by it than by working out both.
                takes = waiting != np.uint32(0)
                code = np.int64(actions[now, np.uint64(AHEAD) if takes else ahead])
                following, stamp = places[np.uint64(head), NEXT], places[np.uint64(head), STAMP]
                time = max(np.int64(state[machine, CLOCK]) + 1, np.int64(stamp if takes else np.uint32(0)))
                waiting -= np.uint32(takes)
                state[machine, CLOCK] = time
                state[machine, WAITING] = waiting
                state[machine, HEAD] = following if takes else head
                events[event, KIND] = code & 7
                events[event, TIME] = time
                events[event, QUEUE] = waiting
                events[event, MESSAGE] = np.int64(head) - 1 if takes else messages
                action = code & 3
                if action != 0:
                    edge = np.int64(state[machine, FIRST])
                    degree = np.int64(state[machine, DEGREE])
                    end = edge + degree
                    # Where nobody else ticks at this instant, a message without delay has arrived at the next tick.
                    arrives = np.uint32(arrived == messages and lags[np.uint64(slot + 1)] == 0)
                    if action == SEND_NEXT:
                        edge = np.int64(state[machine, FOLLOWING])
                        end = edge + 1
                    elif action != SEND_ALL and rolls_peers:
                        edge += code >> 3
                        end = edge + 1
                    elif action != SEND_ALL:
                        tick = np.int64(slots[now, TICK]) + second * np.int64(slots[now, RATE_HZ])
                        edge += peer_of(start[machine], tick, degree)
                        end = edge + 1
                    while edge < end:
                        link, copy = np.uint64(edge), np.uint64(messages)
                        to = np.uint64(peer[link])
                        number = sent[link] + np.uint32(1)
                        sent[link] = number
                        copies[copy, SENT] = row
                        copies[copy, TO] = to
                        copies[copy, NUMBER] = number
                        messages += 1
                        place = np.uint64(messages)
                        places[place, NEXT] = 0
                        places[place, STAMP] = time + lift
                        head = state[to, HEAD]
                        is_first = head == np.uint32(0)
                        tail = state[to, TAIL]
                        places[np.uint64(np.uint32(0) if is_first else tail), NEXT] = messages
                        state[to, HEAD] = messages if is_first else head
                        state[to, TAIL] = messages
                        state[to, WAITING] += arrives
                        edge += 1
                    if arrives != 0:
                        arrived = messages
                row += 1
                slot += 1
        if has_room:
            second += 1
            slot = 0
    cursors[SECOND], cursors[SLOT], cursors[ROW], cursors[MESSAGES] = second, slot, row, messages
    cursors[ARRIVED], cursors[WARM] = arrived, warm
    return has_room
