"""The compiled run where every message takes equally long, none is lost and nobody rests: no heap at all.

Messages then arrive in the order of their sends, so that each queue is a list, and one cursor over the table of all
messages says which have arrived. Constant rates repeat every second: the order of ticks is sorted once. Never looks at
a time, and never reads an event again.

What a processor guesses wrong costs it a third of the time. So a lap is some seconds where a second has few ticks, what
can be worked out both ways is not asked, and what a tick does is one jump. Written another way, the same may be slower:
whoever changes the loop looks at `bench simulated`, and at the machine code.
"""

from typing import Any, Final

import numpy as np

from orchestrator.labs.kernel.compiled import (
    Bytes,
    Rolls,
    Times,
    Words,
    die_at,
    inlined,
    mix,
    pasted,
    peer_of,
    uncounted,
)

RECEIVE: Final = 4
SEND_ONE, SEND_NEXT, SEND_ALL = 1, 2, 3
SECOND_NS: Final = 1_000_000_000

# What is read together lies together, one row of words each: a row is found once, and is mostly one line of cache.
MACHINE, DUE_NS, TICK, STEP = range(4)
"""Of each tick of a lap: its number in the first one, and how many its machine has in each."""
CLOCK, WAITING, HEAD, TAIL, FIRST, DEGREE, FOLLOWING = range(7)
"""Of each machine: its clock, how many messages have arrived and wait, the place of the one that it took last and of
the one that was sent to it last; then where its links begin, how many there are, and which is that of a send-next."""
STATE_WORDS: Final = 8  # half a line of cache
KIND, TIME, QUEUE, MESSAGE = range(4)
"""Of each event."""
SENT, TO, NUMBER = range(3)
"""Of each message: its send, its recipient, its number on the link."""
NEXT, STAMP = range(2)
"""Of each place in a queue: the place behind it, and the least time of whoever takes the message that has that one."""
SLOT_WORDS, EVENT_WORDS, COPY_WORDS, PLACE_WORDS = 4, 4, 3, 2

LAP, SLOT, ROW, MESSAGES, ARRIVED = range(5)
"""How far the run is."""
CURSORS: Final = 6
WARM: Final = 5
"""Nobody reads it, but what goes into it must be read."""

AHEAD: Final = 16
"""For so many laps the dice of a tick are rolled together."""
PATTERN: Final = 64
"""A processor guesses when a lap ends, and is mostly wrong: of few ticks, up to so many are one lap."""
PEERS_FEW: Final = 16
"""To which of up to so many peers a tick sends one is rolled with what it does, and stands above the two bits of that.
Machines with more peers mostly receive, and it would be rolled in vain."""
BLOCK: Final = 64
MACHINES_MANY: Final = 2000
"""Where there are as many machines, what so many ticks need is fetched together, as one by one each is waited for."""
LAG_MAX: Final = 2**32 - 1
"""More events than any run has."""


@uncounted
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


@uncounted
def seconds_of_lap(count: int, seconds: int) -> int:
    """Return how often to repeat a second of so many ticks: at most as often as a run needs dice."""
    return max(1, min(PATTERN // max(count, 1), -(-seconds // AHEAD)))


@uncounted
def repeat(count: int, seconds: int, slots: Words, lags: Words) -> None:
    """Make a lap of so many seconds of the ticks of the first one."""
    for slot in range(count, seconds * count):
        before = slot - count
        for word in range(SLOT_WORDS):
            slots[slot, word] = slots[before, word]
        slots[slot, TICK] += slots[before, STEP]
        lags[slot] = lags[before]
    for slot in range(seconds * count):
        slots[slot, STEP] *= np.uint32(seconds)
    lags[seconds * count] = lags[0]


@inlined
def roll_ahead(lap: Any, slots: Any, start: Any, chances: Any, state: Any, names_peers: Any, actions: Any) -> None:
    """Fill in what each tick of the next `AHEAD` laps does if no message waits, and to which peer it sends one."""
    for slot in range(len(slots)):
        machine = np.int64(slots[slot, MACHINE])
        own, one, following, everyone = start[machine], chances[machine, 0], chances[machine, 1], chances[machine, 2]
        step = np.uint64(slots[slot, STEP])
        tick = np.uint64(slots[slot, TICK]) + np.uint64(lap) * step
        for each in range(AHEAD):
            x = die_at(mix(own ^ (tick + np.uint64(each) * step)))
            actions[slot, each] = np.uint8(x >= one) + np.uint8(x >= following) + np.uint8(x >= everyone)
        if names_peers:
            degree = np.uint64(state[machine, DEGREE])
            for each in range(AHEAD):
                if actions[slot, each] == SEND_ONE:
                    actions[slot, each] = SEND_ONE | peer_of(own, tick + np.uint64(each) * step, degree) << 2


@inlined
def _look_ahead(begin: Any, end: Any, slots: Any, state: Any, places: Any) -> Any:
    """Fetch the machines that tick, then what is first in their queues; what is returned says nothing."""
    warm = np.int64(0)
    for slot in range(begin, end):
        warm += np.int64(state[np.uint64(slots[slot, MACHINE]), HEAD])
    for slot in range(begin, end):
        warm += np.int64(places[np.uint64(state[np.uint64(slots[slot, MACHINE]), HEAD]), STAMP])
    return warm


@pasted
def _send(
    link: Any,
    row: Any,
    message: Any,
    stamp: Any,
    arrives: Any,
    peer: Any,
    sent: Any,
    copies: Any,
    places: Any,
    state: Any,
) -> None:
    """Write down a message, and put it behind those that its recipient has not taken."""
    copy, place = np.uint64(message), message + len(state)
    to = np.uint64(peer[link])
    number = sent[link] + np.uint32(1)
    sent[link] = number
    copies[copy, SENT] = row
    copies[copy, TO] = to
    copies[copy, NUMBER] = number
    tail = np.uint64(state[to, TAIL])
    places[tail, NEXT] = place
    places[tail, STAMP] = stamp
    state[to, TAIL] = place
    state[to, WAITING] += arrives


@uncounted
def run_plain(
    until: int,
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
    """Go on until so many events; False if the tables of messages, `copies` and `places`, must first be longer.

    `lift` is what a receive adds to the time of the send. Place k is before the first message of machine k, and the
    places of the messages are behind those of the machines.
    """
    # A width that is known when this is compiled is not multiplied with each time.
    assert slots.shape[1] == SLOT_WORDS and actions.shape[1] == AHEAD
    assert state.shape[1] == STATE_WORDS and events.shape[1] == EVENT_WORDS
    assert copies.shape[1] == COPY_WORDS and places.shape[1] == PLACE_WORDS
    count, machines = len(slots), len(state)
    room = min(len(copies), len(places) - machines) - degree_max
    row, messages, arrived = cursors[ROW], cursors[MESSAGES], cursors[ARRIVED]
    looks_ahead = machines >= MACHINES_MANY
    block, warm = BLOCK if looks_ahead else count, np.int64(0)
    lap, slot = cursors[LAP], cursors[SLOT]
    has_room = messages <= room
    names_peers = degree_max <= PEERS_FEW
    while row < until and has_room:
        ahead = np.uint64(lap % AHEAD)
        if ahead == 0 and slot == 0:
            roll_ahead(lap, slots, start, chances, state, names_peers, actions)
        end_of_lap = min(count, slot + until - row)
        while slot < end_of_lap and has_room:
            # Whatever so many ticks send, there is room for it.
            sure = 1 + (room - messages) // max(degree_max, 1)
            end = min(slot + block, end_of_lap, slot + sure)
            if looks_ahead:
                warm += _look_ahead(slot, end, slots, state, places)
            while slot < end:
                # An index that cannot be negative is used as it is; one that could is looked at first, each time.
                now, event = np.uint64(slot), np.uint64(row)
                while arrived < messages and np.int64(copies[np.uint64(arrived), SENT]) < row - np.int64(lags[now]):
                    state[np.uint64(copies[np.uint64(arrived), TO]), WAITING] += np.uint32(1)
                    arrived += 1
                machine = np.uint64(slots[now, MACHINE])
                waiting, head = state[machine, WAITING], state[machine, HEAD]
                # Whether a message waits is a coin; a processor that guesses loses more by it than by working out both.
                # What is only chosen by `if` and then asked for is guessed: the kind is made of bits.
                takes = waiting != np.uint32(0)
                kind = (np.int64(actions[now, ahead]) & 3 & (np.int64(takes) - 1)) | (np.int64(takes) << 2)
                following, stamp = places[np.uint64(head), NEXT], places[np.uint64(head), STAMP]
                time = max(np.int64(state[machine, CLOCK]) + 1, np.int64(stamp if takes else np.uint32(0)))
                waiting -= np.uint32(takes)
                state[machine, CLOCK] = time
                state[machine, WAITING] = waiting
                state[machine, HEAD] = following if takes else head
                events[event, KIND] = kind
                events[event, TIME] = time
                events[event, QUEUE] = waiting
                events[event, MESSAGE] = np.int64(following) - machines if takes else messages
                # Four ways, one jump: the processor guesses once what a tick does. A receive sends as little as a rest.
                action = kind & 3
                if action == SEND_ONE:
                    arrives = np.uint32(arrived == messages and lags[np.uint64(slot + 1)] == 0)
                    chosen = np.int64(actions[now, ahead]) >> 2
                    if not names_peers:
                        tick = np.int64(slots[now, TICK]) + lap * np.int64(slots[now, STEP])
                        chosen = peer_of(start[machine], tick, np.int64(state[machine, DEGREE]))
                    link = np.uint64(np.int64(state[machine, FIRST]) + chosen)
                    _send(link, row, messages, time + lift, arrives, peer, sent, copies, places, state)
                    messages += 1
                    arrived = messages if arrives != 0 else arrived
                elif action == SEND_NEXT:
                    arrives = np.uint32(arrived == messages and lags[np.uint64(slot + 1)] == 0)
                    link = np.uint64(state[machine, FOLLOWING])
                    _send(link, row, messages, time + lift, arrives, peer, sent, copies, places, state)
                    messages += 1
                    arrived = messages if arrives != 0 else arrived
                elif action == SEND_ALL:
                    arrives = np.uint32(arrived == messages and lags[np.uint64(slot + 1)] == 0)
                    link = np.uint64(state[machine, FIRST])
                    end_of_links = link + np.uint64(state[machine, DEGREE])
                    while link < end_of_links:
                        _send(link, row, messages, time + lift, arrives, peer, sent, copies, places, state)
                        messages += 1
                        link += np.uint64(1)
                    arrived = messages if arrives != 0 else arrived
                row += 1
                slot += 1
            has_room = messages <= room
        if slot == count:
            lap += 1
            slot = 0
    cursors[LAP], cursors[SLOT], cursors[ROW], cursors[MESSAGES] = lap, slot, row, messages
    cursors[ARRIVED], cursors[WARM] = arrived, warm
    return bool(row == until)
