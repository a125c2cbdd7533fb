"""Happened-before in numbers, in machine code: pairs in order, direct edges, the longest chain.

Never looks at a clock. Each process has a vector of how much of every other it knows (Fidge and Mattern, 1988); a
message carries its sender's until it is received. Processes are taken some at a time, as places of all vectors, so
that memory grows with their number and not with its square.
"""

from typing import Any

import numpy as np

from orchestrator.native.compiled import Bytes, Times, Words, compiled

RECEIVE = 4


@compiled
def count_past(
    first_process: int,
    end_process: int,
    room: int,
    machine: Words,
    kind: Bytes,
    message: Words,
    tick: Words,
    incarnation: Words,
    index: Words,
    send_row: Words,
    number: Words,
    is_taken: Bytes,
    first_life: Times,
) -> tuple[Any, Any]:
    """Return how many pairs of events have the earlier in one of these processes, and how many edges begin there.

    An event counts as earlier than itself. Both are -1 if more than `room` sends are on their way at a time.
    """
    has_lives, width = len(index) > 0, end_process - first_process
    known = np.zeros((first_life[-1], width), np.uint32)
    total = np.zeros(first_life[-1], np.int64)
    carried, waits, free = np.zeros((room, width), np.uint32), np.zeros(room, np.int64), np.arange(room)
    spare = room
    place = np.empty(len(send_row), np.uint32)
    pairs, edges, sent, messages = np.int64(0), np.int64(0), 0, len(send_row)
    for row in range(len(machine)):
        own, position = first_life[np.int64(machine[row])], np.int64(tick[row]) + 1
        if has_lives:
            own, position = own + np.int64(incarnation[row]), np.int64(index[row])
        if kind[row] == RECEIVE:
            taken = np.int64(message[row])
            send, slot = np.int64(send_row[taken]), np.int64(place[taken])
            cause, at = first_life[np.int64(machine[send])], np.int64(tick[send]) + 1
            if has_lives:
                cause, at = cause + np.int64(incarnation[send]), np.int64(index[send])
            if first_process <= cause < end_process:
                edges += np.int64(known[own, cause - first_process]) < at
            both = np.int64(0)
            for each in range(width):
                more = max(known[own, each], carried[slot, each])
                known[own, each] = more
                both += np.int64(more)
            total[own] = both
            waits[slot] -= 1
            if waits[slot] == 0:
                free[spare] = slot
                spare += 1
        if first_process <= own < end_process:
            total[own] += position - np.int64(known[own, own - first_process])
            known[own, own - first_process] = position
        pairs += total[own]
        slot = np.int64(-1)
        while sent < messages and np.int64(send_row[sent]) == row:
            if is_taken[sent] != 0:
                if slot < 0:
                    if spare == 0:
                        return -1, -1
                    spare -= 1
                    slot = free[spare]
                    waits[slot] = 0
                    for each in range(width):
                        carried[slot, each] = known[own, each]
                waits[slot] += 1
                place[sent] = slot
            sent += 1
    return pairs, edges


@compiled
def longest_chain(
    machine: Words,
    kind: Bytes,
    message: Words,
    incarnation: Words,
    send_row: Words,
    is_taken: Bytes,
    first_life: Times,
) -> Any:
    """Return the number of events of the longest chain in which each happened before the next."""
    length, carried = np.zeros(first_life[-1], np.int64), np.empty(len(send_row), np.uint32)
    longest, sent, messages = np.int64(0), 0, len(send_row)
    for row in range(len(machine)):
        own = first_life[np.int64(machine[row])]
        if len(incarnation) > 0:
            own += np.int64(incarnation[row])
        now = length[own]
        if kind[row] == RECEIVE:
            now = max(now, np.int64(carried[np.int64(message[row])]))
        length[own] = now + 1
        longest = max(longest, now + 1)
        while sent < messages and np.int64(send_row[sent]) == row:
            carried[sent] = now + 1
            sent += 1
    return longest
