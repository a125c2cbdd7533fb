"""The compiled run where every message takes equally long, none is lost and nobody rests: no heap at all.

Messages then arrive in the order of their sends, so that each queue is a list, and one cursor over the table of all
messages says which have arrived. Constant rates repeat every second: the order of ticks is sorted once.
"""

from typing import Final

import numpy as np

from orchestrator.labs.kernel.compiled import Rolls, Times, Words, compiled, kind_of, peer_of

RECEIVE: Final = 4
SEND_NEXT, SEND_ALL = 2, 3
SECOND_NS: Final = 1_000_000_000

# What is read together lies together, one row of words each: a row is found once, and is mostly one line of cache.
MACHINE, DUE_NS, TICK, RATE_HZ = range(4)
"""Of each tick of a second; TICK is its number in the first one."""
START, CHANCE = 0, 1
"""Of the die of each tick of a second: seed and node mixed, then from where on a roll is each of the sends."""
CLOCK, LAST, TAIL, WAITING, FIRST, DEGREE, FOLLOWING = range(7)
"""Of each machine: its clock, the last message that it took, the last in its queue, how many have arrived and wait;
then where its links begin, how many there are, and which is that of a send-next."""
STATE_WORDS: Final = 8  # half a line of cache
KIND, TIME, QUEUE, MESSAGE = range(4)
"""Of each event."""
SENT, TO, NUMBER, NEXT = range(4)
"""Of each message: its send, its recipient, its number on the link, what follows in the queue."""
EVENT_WORDS, COPY_WORDS = 4, 4

SECOND, SLOT, ROW, MESSAGES, ARRIVED, INSTANT_NS, FENCE, LAG_ROW, LAG_SLOT, LAG_NS = range(10)
"""How far the run is; `FENCE` is the first event whose messages have not arrived, `LAG_*` where it stands."""
CURSORS: Final = 11
WARM: Final = 10
"""Nobody reads it, but what goes into it must be read."""

BLOCK: Final = 128
MACHINES_MANY: Final = 2000
"""Where there are as many machines, so many ticks are looked at ahead, as then the loads of one do not wait for those
of another: their machines, and their dice if most of the last ones were rolled."""


@compiled
def run_plain(
    until: int,
    cursors: Times,
    slots: Words,
    dice: Rolls,
    peer: Words,
    delay_ns: int,
    duration_ns: int,
    lift: int,
    state: Words,
    sent: Words,
    events: Words,
    copies: Words,
) -> bool:
    """Go on until the second `until`; False if the table of messages, `copies`, must first be longer.

    `lift` is what a receive adds to the time of the send. A list begins with a message that is none, numbered like its
    machine; so nobody asks whether it is empty.
    """
    count, room = len(slots), len(copies)
    row, messages, arrived = cursors[ROW], cursors[MESSAGES], cursors[ARRIVED]
    instant_ns, fence = cursors[INSTANT_NS], cursors[FENCE]
    lag_row, lag_slot, lag_ns = cursors[LAG_ROW], cursors[LAG_SLOT], cursors[LAG_NS]
    has_room = True
    second, slot = cursors[SECOND], cursors[SLOT]
    looks_ahead, rolls_ahead, rolled, warm = len(state) >= MACHINES_MANY, False, 0, np.int64(0)
    actions = np.empty(BLOCK, np.uint8)
    while second < until and has_room:
        second_ns = second * SECOND_NS
        begin = end_of_block = slot
        while slot < count:
            if looks_ahead and slot == end_of_block:
                rolls_ahead, rolled = 2 * rolled > BLOCK, 0
                begin, end_of_block = slot, min(slot + BLOCK, count)
                for each in range(begin, end_of_block):
                    warm += np.int64(state[np.int64(slots[each, MACHINE]), CLOCK])
                if rolls_ahead:
                    for each in range(begin, end_of_block):
                        tick = np.int64(slots[each, TICK]) + second * np.int64(slots[each, RATE_HZ])
                        actions[each - begin] = kind_of(dice[each, START], tick, dice, each, CHANCE)
            # An index that cannot be negative is used as it is; one that could is looked at first, each time.
            now, event = np.uint64(slot), np.uint64(row)
            due_ns = second_ns + np.int64(slots[now, DUE_NS])
            if due_ns >= duration_ns:
                break
            machine = np.int64(slots[now, MACHINE])
            if due_ns != instant_ns:
                instant_ns = due_ns
                if delay_ns == 0:
                    fence = row
                else:
                    while lag_row < row and lag_ns + np.int64(slots[lag_slot, DUE_NS]) < due_ns:
                        lag_row += 1
                        lag_slot += 1
                        if lag_slot == count:
                            lag_slot = 0
                            lag_ns += SECOND_NS
                    fence = lag_row
                while arrived < messages and np.int64(copies[np.uint64(arrived), SENT]) < fence:
                    state[np.int64(copies[np.uint64(arrived), TO]), WAITING] += np.uint32(1)
                    arrived += 1
            time = np.int64(state[machine, CLOCK]) + 1
            waiting = np.int64(state[machine, WAITING])
            if waiting != 0:
                taken = np.int64(copies[np.int64(state[machine, LAST]), NEXT])
                state[machine, LAST] = taken
                time = max(time, np.int64(events[np.int64(copies[taken, SENT]), TIME]) + lift)
                waiting -= 1
                state[machine, WAITING] = waiting
                events[event, KIND] = RECEIVE
                events[event, MESSAGE] = taken
            else:
                tick = np.int64(slots[now, TICK]) + second * np.int64(slots[now, RATE_HZ])
                rolled += 1
                if rolls_ahead:
                    action = np.int64(actions[slot - begin])
                else:
                    action = kind_of(dice[now, START], tick, dice, now, CHANCE)
                events[event, KIND] = action
                events[event, MESSAGE] = messages
                if action != 0:
                    edge = np.int64(state[machine, FIRST])
                    degree = np.int64(state[machine, DEGREE])
                    end = edge + degree
                    if messages + degree > room:
                        has_room = False
                        break
                    # Where nobody else ticks at this instant, a message without delay has arrived at the next tick.
                    is_alone = slot + 1 == count or slots[np.uint64(slot + 1), DUE_NS] != slots[now, DUE_NS]
                    arrives = np.uint32(delay_ns == 0 and arrived == messages and is_alone)
                    if action == SEND_NEXT:
                        edge = np.int64(state[machine, FOLLOWING])
                        end = edge + 1
                    elif action != SEND_ALL:
                        edge += peer_of(dice[now, START], tick, degree)
                        end = edge + 1
                    while edge < end:
                        link, copy = np.uint64(edge), np.uint64(messages)
                        to = np.int64(peer[link])
                        number = sent[link] + np.uint32(1)
                        sent[link] = number
                        copies[copy, SENT] = row
                        copies[copy, TO] = to
                        copies[copy, NUMBER] = number
                        copies[np.int64(state[to, TAIL]), NEXT] = messages
                        state[to, TAIL] = messages
                        state[to, WAITING] += arrives
                        messages += 1
                        edge += 1
                    if arrives != 0:
                        arrived = messages
            state[machine, CLOCK] = time
            events[event, TIME] = time
            events[event, QUEUE] = waiting
            row += 1
            slot += 1
        if has_room:
            second += 1
            slot = 0
    cursors[SECOND], cursors[SLOT], cursors[ROW], cursors[MESSAGES] = second, slot, row, messages
    cursors[ARRIVED], cursors[INSTANT_NS], cursors[FENCE] = arrived, instant_ns, fence
    cursors[LAG_ROW], cursors[LAG_SLOT], cursors[LAG_NS], cursors[WARM] = lag_row, lag_slot, lag_ns, warm
    return has_room
