"""The compiled run of every model: any network, partitions, pauses, slow-downs, crashes, clock rules that differ.

Never used where the plain run suffices: this one keeps a heap of what is on its way to each machine.
Source: model sections 2 and 3.
"""

from typing import Any, Final

import numpy as np

from node.dice import DELAY, DUPLICATE, LOSS
from node.exponential import INDEX_BITS, TABLE, UNIT_BITS
from orchestrator.labs.kernel.compiled import (
    Bytes,
    Rolls,
    Times,
    Words,
    compiled,
    high,
    inlined,
    kind_of,
    peer_of,
    roll,
)
from orchestrator.labs.kernel.heap import NONE, meld, without_root

RECEIVE: Final = 4
SEND_NEXT, SEND_ALL = 2, 3
SECOND_NS: Final = 1_000_000_000

CLOCK, INDEX, INCARNATION, SEGMENT, WAITING, LAST, TAIL, COMING = range(8)
"""Of each machine; `COMING` is the root of the heap of what is on its way."""
STATE_TIMES: Final = 8

SECOND, SLOT, ROW, MESSAGES = range(4)
CURSORS: Final = 10

UNTIL_NS, EVERY, LIFE = range(3)
"""Of each segment of a machine's time: its end, which ticks exist (the multiples; of 0, none), the incarnation."""
IS_EXPONENTIAL, LEAST_NS, SPAN_NS, LOSS_BELOW, DUPLICATE_BELOW, IS_FIFO = range(6)
"""Of each network: a delay is LEAST_NS or more, with SPAN_NS choices; of an exponential one, LEAST_NS is the mean."""
FROM_NS, TO_NS, LOSES = range(3)
"""Of each cut of a link."""

_TABLE: Final = np.array(TABLE, np.int64)
_INDEX_SHIFT: Final = np.uint64(64 - INDEX_BITS)
_UNIT_MASK: Final = (1 << UNIT_BITS) - 1
_CHANCE_SHIFT: Final = np.uint64(11)


@inlined
def _delay_ns(network: Any, networks: Any, start: Any, tick: Any, other: Any) -> Any:
    """Return how long a copy travels."""
    least_ns = networks[network, LEAST_NS]
    if networks[network, IS_EXPONENTIAL] != 0:
        share = _TABLE[np.int64(roll(start, tick, DELAY, other) >> _INDEX_SHIFT)]
        # The product may need more than 64 bits; its upper part by itself does not.
        least_ns = (least_ns >> UNIT_BITS) * share + ((least_ns & _UNIT_MASK) * share >> UNIT_BITS)
    elif networks[network, SPAN_NS] > 1:
        least_ns += np.int64(high(roll(start, tick, DELAY, other), np.uint64(networks[network, SPAN_NS])))
    return least_ns


@inlined
def _happens(below: Any, start: Any, tick: Any, purpose: Any, other: Any) -> Any:
    """Return whether something of this chance happens."""
    return below > 0 and np.int64(roll(start, tick, purpose, other) >> _CHANCE_SHIFT) < below


@compiled
def run_general(
    until: int,
    cursors: Times,
    number: Words,
    slot_machine: Words,
    slot_due_ns: Words,
    slot_tick: Times,
    rate_hz: Words,
    start: Rolls,
    chances: Rolls,
    first: Words,
    degree: Words,
    following: Words,
    peer: Words,
    network_of: Words,
    networks: Times,
    first_cut: Words,
    cuts: Times,
    first_segment: Words,
    segments: Times,
    bump: Times,
    less: Times,
    state: Times,
    sent: Times,
    latest_ns: Times,
    machine_at: Words,
    tick_at: Times,
    life: Words,
    index: Words,
    kind: Bytes,
    clock: Words,
    queue: Words,
    message: Words,
    m_send: Words,
    m_to: Words,
    m_number: Words,
    m_arrival_ns: Times,
    m_copy: Bytes,
    m_sender: Words,
    m_next: Times,
    m_child: Times,
) -> bool:
    """Go on until the second `until`; False if the table of messages must first be longer."""
    slots, room = len(slot_machine), len(m_send)
    row, messages = cursors[ROW], cursors[MESSAGES]
    second, slot = cursors[SECOND], cursors[SLOT]
    has_room = True
    while second < until and has_room:
        second_ns = second * SECOND_NS
        while slot < slots:
            machine = np.int64(slot_machine[slot])
            due_ns = second_ns + np.int64(slot_due_ns[slot])
            tick = slot_tick[slot] + second * np.int64(rate_hz[machine])
            segment = np.int64(first_segment[machine]) + state[machine, SEGMENT]
            while due_ns >= segments[segment, UNTIL_NS]:
                segment += 1
                state[machine, SEGMENT] += 1
            every = segments[segment, EVERY]
            if tick < 0 or every == 0 or tick % every != 0:
                slot += 1
                continue
            edge = np.int64(first[machine])
            end = edge + np.int64(degree[machine])
            if segments[segment, LIFE] > state[machine, INCARNATION]:
                # A crash with amnesia: the queue alone is kept, for its senders never forgot it.
                state[machine, INCARNATION] = segments[segment, LIFE]
                state[machine, CLOCK] = 0
                state[machine, INDEX] = 0
                for each in range(edge, end):
                    sent[each] = 0
                    latest_ns[each] = 0
            while state[machine, COMING] != NONE and m_arrival_ns[state[machine, COMING]] < due_ns:
                arrived = state[machine, COMING]
                state[machine, COMING] = without_root(arrived, m_arrival_ns, m_sender, m_child, m_next)
                m_next[state[machine, TAIL]] = arrived
                state[machine, TAIL] = arrived
                state[machine, WAITING] += 1
            time = state[machine, CLOCK] + 1
            if state[machine, WAITING] != 0:
                taken = m_next[state[machine, LAST]]
                state[machine, LAST] = taken
                state[machine, WAITING] -= 1
                sender = np.int64(m_sender[taken])
                stamp = np.int64(clock[np.int64(m_send[taken])]) - less[sender]
                time = max(time, stamp + bump[machine])
                kind[row] = RECEIVE
                message[row] = taken
            else:
                if messages + 2 * (end - edge) > room:
                    has_room = False
                    break
                action = kind_of(start[machine], tick, chances, machine, 0)
                kind[row] = action
                message[row] = messages
                if action == 0:
                    end = edge
                elif action == SEND_NEXT:
                    edge = np.int64(following[machine])
                    end = edge + 1
                elif action != SEND_ALL:
                    edge += peer_of(start[machine], tick, degree[machine])
                    end = edge + 1
                while edge < end:
                    to = np.int64(peer[edge])
                    network = np.int64(network_of[edge])
                    other = np.int64(number[to]) * 2
                    from_ns = due_ns
                    is_lost = False
                    for cut in range(np.int64(first_cut[edge]), np.int64(first_cut[edge + 1])):
                        if cuts[cut, FROM_NS] <= due_ns < cuts[cut, TO_NS]:
                            from_ns = max(from_ns, cuts[cut, TO_NS])
                            is_lost = is_lost or cuts[cut, LOSES] != 0
                    copies = 1
                    if _happens(networks[network, DUPLICATE_BELOW], start[machine], tick, DUPLICATE, other):
                        copies = 2
                    for copy in range(copies):
                        m_send[messages] = row
                        m_to[messages] = to
                        m_sender[messages] = machine
                        m_copy[messages] = copy
                        m_number[messages] = 0
                        m_arrival_ns[messages] = 0
                        if not is_lost and not _happens(
                            networks[network, LOSS_BELOW], start[machine], tick, LOSS, other + copy
                        ):
                            arrival_ns = from_ns + _delay_ns(network, networks, start[machine], tick, other + copy)
                            if networks[network, IS_FIFO] != 0:
                                arrival_ns = max(arrival_ns, latest_ns[edge])
                                latest_ns[edge] = arrival_ns
                            sent[edge] += 1
                            m_number[messages] = sent[edge]
                            m_arrival_ns[messages] = arrival_ns
                            m_child[messages] = NONE
                            if state[to, COMING] == NONE:
                                state[to, COMING] = messages
                            else:
                                state[to, COMING] = meld(
                                    state[to, COMING], messages, m_arrival_ns, m_sender, m_child, m_next
                                )
                        messages += 1
                    edge += 1
            state[machine, CLOCK] = time
            state[machine, INDEX] += 1
            machine_at[row] = machine
            tick_at[row] = tick
            life[row] = state[machine, INCARNATION]
            index[row] = state[machine, INDEX]
            clock[row] = time
            queue[row] = state[machine, WAITING]
            row += 1
            slot += 1
        if has_room:
            second += 1
            slot = 0
    cursors[SECOND], cursors[SLOT], cursors[ROW], cursors[MESSAGES] = second, slot, row, messages
    return has_room
