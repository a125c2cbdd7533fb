"""Many runs of one configuration, each measured where it stands and then forgotten: seed after seed in machine code.

Never keeps a run. The draws of a seed are those of node.model; what they do not change comes from one plan.
Imports numba: only whoever wants compiled runs imports this.
"""

from typing import Final

import numpy as np

from orchestrator.labs.kernel import general
from orchestrator.labs.kernel.compiled import Bytes, Rolls, Times, Words, compiled
from orchestrator.labs.kernel.general import run_general
from orchestrator.labs.kernel.heap import NONE
from orchestrator.labs.kernel.laps import add_up_laps
from orchestrator.labs.kernel.peers import draw_peers
from orchestrator.labs.kernel.plain import (
    CURSORS,
    DUE_NS,
    FOLLOWING,
    KIND,
    MACHINE,
    MESSAGES,
    QUEUE,
    ROW,
    SECOND_NS,
    SENT,
    STEP,
    TICK,
    TIME,
    TO,
    seconds_of_lap,
)
from orchestrator.labs.kernel.seeds import put_in_order, run_seed
from orchestrator.trace.compiled.totals import add_up

NEVER: Final = int(np.iinfo(np.int64).max)


@compiled
def measure_plain(
    seeds: Times,
    number: Words,
    rates_hz: Words,
    is_aligned: bool,
    chances: Rolls,
    fan_out: int,
    left: Words,
    following: Words,
    peer: Words,
    is_small: bool,
    delay_ns: int,
    duration_ns: int,
    degree_max: int,
    lift: int,
    start: Rolls,
    drawn: Words,
    firsts: Words,
    slots: Words,
    lags: Words,
    actions: Bytes,
    state: Words,
    sent: Words,
    events: Words,
    copies: Words,
    places: Words,
    due_ns: Times,
    machine: Words,
    arrival_ns: Times,
    life: Words,
    start_ns: Times,
    end_ns: Times,
    above: Words,
    totals: Times,
    of_run: Times,
) -> int:
    """Run and add up one seed after another; return how many were before one for whose messages there was no room.

    Peers are drawn anew if there is a `fan_out`; else it is 0.
    """
    cursors, last = np.empty(CURSORS, np.int64), np.empty(len(number), np.int64)
    seconds = -(-duration_ns // SECOND_NS)
    for run in range(len(seeds)):
        if fan_out > 0:
            draw_peers(seeds[run], number, fan_out, left, following, peer)
            for each in range(len(number)):
                state[each, FOLLOWING] = following[each]
        count = run_seed(
            seeds[run],
            number,
            rates_hz,
            is_aligned,
            chances,
            peer,
            delay_ns,
            duration_ns,
            degree_max,
            lift,
            start,
            drawn,
            firsts,
            slots,
            lags,
            actions,
            state,
            sent,
            places,
            cursors,
            events,
            copies,
        )
        if count < 0:
            return run
        rows, messages, row = cursors[ROW], cursors[MESSAGES], 0
        if is_small:
            lap, sent_here = seconds_of_lap(count, seconds), copies[:messages]
            add_up_laps(
                *(count, lap, rows, delay_ns, duration_ns, slots, events, sent_here),
                *(last, due_ns, totals[run], of_run[run]),
            )
            continue
        while row < rows:
            second_ns = row // count * SECOND_NS
            for slot in range(min(count, rows - row)):
                due_ns[row + slot] = second_ns + np.int64(slots[slot, DUE_NS])
                machine[row + slot] = slots[slot, MACHINE]
            row += count
        for each in range(messages):
            arrival_ns[each] = due_ns[np.int64(copies[each, SENT])] + delay_ns
        add_up(
            due_ns[:rows],
            machine,
            life,
            events[:rows, KIND],
            events[:rows, TIME],
            events[:rows, QUEUE],
            copies[:messages, TO],
            arrival_ns[:messages],
            start_ns,
            end_ns,
            duration_ns,
            above,
            totals[run],
            of_run[run],
        )
    return len(seeds)


@compiled
def measure_general(
    seeds: Times,
    number: Words,
    rates_hz: Words,
    is_aligned: bool,
    fan_out: int,
    left: Words,
    duration_ns: int,
    drawn: Words,
    firsts: Words,
    slots: Words,
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
    machine: Words,
    tick: Times,
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
    due_ns: Times,
    start_ns: Times,
    end_ns: Times,
    above: Words,
    totals: Times,
    of_run: Times,
) -> int:
    """Do the same where a network, faults or clock rules ask for the general run."""
    machines = len(number)
    cursors = np.empty(general.CURSORS, np.int64)
    seconds = -(-duration_ns // SECOND_NS)
    for run in range(len(seeds)):
        count = put_in_order(seeds[run], number, rates_hz, is_aligned, duration_ns, start, drawn, firsts, slots)
        for slot in range(count):
            each = slots[slot, MACHINE]
            slot_machine[slot], slot_due_ns[slot] = each, slots[slot, DUE_NS]
            slot_tick[slot] = np.int64(slots[slot, TICK])
            rate_hz[each] = slots[slot, STEP]
        if fan_out > 0:
            draw_peers(seeds[run], number, fan_out, left, following, peer)
        sent[:] = 0
        latest_ns[:] = 0
        cursors[:] = 0
        cursors[general.MESSAGES] = machines
        state[:] = 0
        for each in range(machines):
            state[each, general.LAST] = state[each, general.TAIL] = each
            state[each, general.COMING] = NONE
        if not run_general(
            seconds,
            cursors,
            number,
            slot_machine[:count],
            slot_due_ns[:count],
            slot_tick[:count],
            rate_hz,
            start,
            chances,
            first,
            degree,
            following,
            peer,
            network_of,
            networks,
            first_cut,
            cuts,
            first_segment,
            segments,
            bump,
            less,
            state,
            sent,
            latest_ns,
            machine,
            tick,
            life,
            index,
            kind,
            clock,
            queue,
            message,
            m_send,
            m_to,
            m_number,
            m_arrival_ns,
            m_copy,
            m_sender,
            m_next,
            m_child,
        ):
            return run
        rows, messages, row = cursors[general.ROW], cursors[general.MESSAGES], 0
        for second in range(seconds):
            # Not every tick exists.
            for slot in range(count):
                is_here = row < rows and machine[row] == slot_machine[slot]
                if is_here and tick[row] == slot_tick[slot] + second * np.int64(slots[slot, STEP]):
                    due_ns[row] = second * SECOND_NS + np.int64(slot_due_ns[slot])
                    row += 1
        for each in range(machines, messages):
            if m_number[each] == 0:
                m_arrival_ns[each] = NEVER
        add_up(
            due_ns[:rows],
            machine,
            life,
            kind,
            clock,
            queue,
            m_to[machines:messages],
            m_arrival_ns[machines:messages],
            start_ns,
            end_ns,
            duration_ns,
            above,
            totals[run],
            of_run[run],
        )
    return len(seeds)
