/* The plain run of orchestrator/labs/kernel, line by line in C: the peer of `lab.py bench simulated`. */
#include <stdint.h>
#include <string.h>

#define SECOND_NS 1000000000LL

enum { MACHINE, DUE_NS, TICK, RATE_HZ, SLOT_WORDS };
enum { START, CHANCE, DIE_WORDS = 4 };
enum { CLOCK, LAST, TAIL, WAITING, FIRST, DEGREE, FOLLOWING, STATE_WORDS = 8 };
enum { KIND, TIME, QUEUE, MESSAGE, EVENT_WORDS };
enum { SENT, TO, NUMBER, NEXT, COPY_WORDS };
enum { SECOND, SLOT, ROW, MESSAGES, ARRIVED, INSTANT_NS, FENCE, LAG_ROW, LAG_SLOT, LAG_NS, WARM, CURSORS };
enum { BLOCK = 128, MACHINES_MANY = 2000 };

static inline uint64_t mix(uint64_t z) {
    z += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static inline uint64_t roll(uint64_t start, uint64_t tick, uint64_t purpose) {
    return mix(mix(mix(start ^ tick) ^ purpose));
}

static inline int kind_of(uint64_t tick, const uint64_t *die) {
    uint64_t x = roll(die[START], tick, 3) >> 11;
    return (x >= die[CHANCE]) + (x >= die[CHANCE + 1]) + (x >= die[CHANCE + 2]);
}

static inline uint64_t below(uint64_t bits, uint64_t count) {
    return (uint64_t)(((unsigned __int128)bits * count) >> 64);
}

int64_t run_plain(int64_t until, int64_t *cursors, int64_t count, const uint32_t *slots, const uint64_t *dice,
                  const uint32_t *peer, int64_t delay_ns, int64_t duration_ns, int64_t lift, int64_t machines,
                  uint32_t *state, uint32_t *sent, uint32_t *events, int64_t room, uint32_t *copies) {
    int64_t row = cursors[ROW], messages = cursors[MESSAGES], arrived = cursors[ARRIVED];
    int64_t instant_ns = cursors[INSTANT_NS], fence = cursors[FENCE];
    int64_t lag_row = cursors[LAG_ROW], lag_slot = cursors[LAG_SLOT], lag_ns = cursors[LAG_NS];
    int64_t second = cursors[SECOND], slot = cursors[SLOT], has_room = 1;
    int64_t looks_ahead = machines >= MACHINES_MANY, rolls_ahead = 0, rolled = 0, warm = 0;
    uint8_t actions[BLOCK];
    while (second < until && has_room) {
        int64_t second_ns = second * SECOND_NS, begin = slot, end_of_block = slot;
        while (slot < count) {
            if (looks_ahead && slot == end_of_block) {
                rolls_ahead = 2 * rolled > BLOCK, rolled = 0;
                begin = slot, end_of_block = slot + BLOCK < count ? slot + BLOCK : count;
                for (int64_t each = begin; each < end_of_block; each++)
                    warm += state[STATE_WORDS * (int64_t)slots[SLOT_WORDS * each + MACHINE] + CLOCK];
                if (rolls_ahead)
                    for (int64_t each = begin; each < end_of_block; each++) {
                        const uint32_t *then = slots + SLOT_WORDS * each;
                        uint64_t tick = then[TICK] + (uint64_t)second * then[RATE_HZ];
                        actions[each - begin] = kind_of(tick, dice + DIE_WORDS * each);
                    }
            }
            const uint32_t *now = slots + SLOT_WORDS * slot;
            int64_t due_ns = second_ns + now[DUE_NS];
            if (due_ns >= duration_ns) break;
            if (due_ns != instant_ns) {
                instant_ns = due_ns;
                if (delay_ns == 0) {
                    fence = row;
                } else {
                    while (lag_row < row && lag_ns + slots[SLOT_WORDS * lag_slot + DUE_NS] < due_ns) {
                        lag_row++;
                        if (++lag_slot == count) lag_slot = 0, lag_ns += SECOND_NS;
                    }
                    fence = lag_row;
                }
                for (; arrived < messages && copies[COPY_WORDS * arrived + SENT] < fence; arrived++)
                    state[STATE_WORDS * copies[COPY_WORDS * arrived + TO] + WAITING]++;
            }
            uint32_t *own = state + STATE_WORDS * (int64_t)now[MACHINE], *event = events + EVENT_WORDS * row;
            int64_t time = (int64_t)own[CLOCK] + 1;
            uint32_t waiting = own[WAITING];
            if (waiting) {
                uint32_t taken = copies[COPY_WORDS * (int64_t)own[LAST] + NEXT];
                own[LAST] = taken;
                int64_t send = copies[COPY_WORDS * (int64_t)taken + SENT];
                int64_t least = (int64_t)events[EVENT_WORDS * send + TIME] + lift;
                if (least > time) time = least;
                own[WAITING] = --waiting;
                event[KIND] = 4;
                event[MESSAGE] = taken;
            } else {
                uint64_t tick = now[TICK] + (uint64_t)second * now[RATE_HZ];
                const uint64_t *die = dice + DIE_WORDS * slot;
                int action = rolls_ahead ? actions[slot - begin] : kind_of(tick, die);
                rolled++;
                event[KIND] = action;
                event[MESSAGE] = messages;
                if (action) {
                    int64_t edge = own[FIRST], end = edge + own[DEGREE];
                    if (messages + own[DEGREE] > room) {
                        has_room = 0;
                        break;
                    }
                    int is_alone = slot + 1 == count || now[SLOT_WORDS + DUE_NS] != now[DUE_NS];
                    uint32_t arrives = delay_ns == 0 && arrived == messages && is_alone;
                    if (action == 2) {
                        edge = own[FOLLOWING];
                        end = edge + 1;
                    } else if (action == 1) {
                        edge += below(roll(die[START], tick, 4), own[DEGREE]);
                        end = edge + 1;
                    }
                    for (; edge < end; edge++) {
                        uint32_t *other = state + STATE_WORDS * (int64_t)peer[edge];
                        uint32_t *copy = copies + COPY_WORDS * messages;
                        copy[SENT] = row;
                        copy[TO] = peer[edge];
                        copy[NUMBER] = ++sent[edge];
                        copies[COPY_WORDS * (int64_t)other[TAIL] + NEXT] = messages;
                        other[TAIL] = messages++;
                        other[WAITING] += arrives;
                    }
                    if (arrives) arrived = messages;
                }
            }
            own[CLOCK] = time;
            event[TIME] = time;
            event[QUEUE] = waiting;
            row++;
            slot++;
        }
        if (has_room) second++, slot = 0;
    }
    cursors[SECOND] = second, cursors[SLOT] = slot, cursors[ROW] = row, cursors[MESSAGES] = messages;
    cursors[ARRIVED] = arrived, cursors[INSTANT_NS] = instant_ns, cursors[FENCE] = fence;
    cursors[LAG_ROW] = lag_row, cursors[LAG_SLOT] = lag_slot, cursors[LAG_NS] = lag_ns, cursors[WARM] = warm;
    return has_room;
}

static int64_t put_in_order(uint64_t seed, int64_t machines, const uint32_t *number, const uint32_t *rates_hz,
                            int64_t is_aligned, const uint64_t *chances, int64_t duration_ns, uint64_t *dice,
                            uint32_t *slots) {
    int64_t count = 0;
    for (int64_t machine = 0; machine < machines; machine++) {
        int64_t rate_hz = rates_hz[2 * machine], span = rates_hz[2 * machine + 1] - rate_hz + 1;
        uint64_t start = mix(mix(seed) ^ number[machine]);
        if (span > 1) rate_hz += below(roll(start, 0, 1), span);
        int64_t phase_ns = is_aligned ? 0 : (int64_t)below(roll(start, 0, 2), SECOND_NS / rate_hz);
        for (int64_t tick = 0; tick < rate_hz; tick++) {
            int64_t due_ns = phase_ns + tick * SECOND_NS / rate_hz, place = count;
            if (due_ns >= duration_ns) break;
            for (; place > 0 && slots[SLOT_WORDS * (place - 1) + DUE_NS] > due_ns; place--) {
                memcpy(slots + SLOT_WORDS * place, slots + SLOT_WORDS * (place - 1), SLOT_WORDS * sizeof *slots);
                memcpy(dice + DIE_WORDS * place, dice + DIE_WORDS * (place - 1), DIE_WORDS * sizeof *dice);
            }
            uint32_t *slot = slots + SLOT_WORDS * place;
            slot[MACHINE] = machine, slot[DUE_NS] = due_ns, slot[TICK] = tick, slot[RATE_HZ] = rate_hz;
            dice[DIE_WORDS * place + START] = start;
            memcpy(dice + DIE_WORDS * place + CHANCE, chances + 3 * machine, 3 * sizeof *dice);
            count++;
        }
    }
    return count;
}

int64_t run_seeds(int64_t runs, const int64_t *seeds, int64_t *ends, int64_t machines, const uint32_t *number,
                  const uint32_t *rates_hz, int64_t is_aligned, const uint64_t *chances, uint64_t *dice, uint32_t *slots,
                  int64_t links,
                  const uint32_t *peer, int64_t delay_ns, int64_t duration_ns, int64_t lift, uint32_t *state,
                  uint32_t *sent, int64_t places, uint32_t *events, int64_t room, uint32_t *copies, int64_t keeps) {
    int64_t cursors[CURSORS], event = 0, copy = 0, seconds = (duration_ns + SECOND_NS - 1) / SECOND_NS, run = 0;
    for (; run < runs; run++) {
        int64_t count = put_in_order(seeds[run], machines, number, rates_hz, is_aligned, chances, duration_ns, dice,
                                     slots);
        if (event + count * seconds > places || copy + machines > room) break;
        memset(sent, 0, links * sizeof *sent);
        memset(cursors, 0, sizeof cursors);
        cursors[MESSAGES] = cursors[ARRIVED] = machines;
        cursors[INSTANT_NS] = -1, cursors[LAG_NS] = delay_ns;
        for (int64_t machine = 0; machine < machines; machine++) {
            uint32_t *own = state + STATE_WORDS * machine;
            own[CLOCK] = own[WAITING] = 0;
            own[LAST] = own[TAIL] = machine;
        }
        if (!run_plain(seconds, cursors, count, slots, dice, peer, delay_ns, duration_ns, lift, machines, state, sent,
                       events + EVENT_WORDS * event, room - copy, copies + COPY_WORDS * copy))
            break;
        ends[2 * run] = event + cursors[ROW], ends[2 * run + 1] = copy + cursors[MESSAGES];
        if (keeps) event = ends[2 * run], copy = ends[2 * run + 1];
    }
    return run;
}
