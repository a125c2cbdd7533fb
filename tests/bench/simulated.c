/* The plain run of orchestrator/labs/kernel, line by line in C: the peer of `lab.py bench simulated`. */
#include <stdint.h>
#include <string.h>

#define SECOND_NS 1000000000LL

enum { MACHINE, DUE_NS, TICK, RATE_HZ, SLOT_WORDS };
enum { CLOCK, WAITING, HEAD, TAIL, FIRST, DEGREE, FOLLOWING, STATE_WORDS = 8 };
enum { KIND, TIME, QUEUE, MESSAGE, EVENT_WORDS };
enum { SENT, TO, NUMBER, COPY_WORDS };
enum { NEXT, STAMP, PLACE_WORDS };
enum { SECOND, SLOT, ROW, MESSAGES, ARRIVED, WARM, CURSORS };
enum { RECEIVE = 4, AHEAD = 15, KIND_BITS = 3, FEW = 31, BLOCK = 64, MACHINES_MANY = 2000 };
#define LAG_MAX 0xFFFFFFFFLL

static inline uint64_t mix(uint64_t z) {
    z += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static inline uint64_t roll(uint64_t start, uint64_t tick, uint64_t purpose) {
    return mix(mix(mix(start ^ tick) ^ purpose));
}

static inline uint64_t below(uint64_t bits, uint64_t count) {
    return (uint64_t)(((unsigned __int128)bits * count) >> 64);
}

static inline uint64_t few(uint64_t bits, uint64_t count) {
    return ((bits >> 32) * count + ((bits & 0xFFFFFFFF) * count >> 32)) >> 32;
}

static void find_lags(int64_t count, const uint32_t *slots, int64_t delay_ns, uint32_t *lags) {
    int64_t seconds = delay_ns / SECOND_NS + 1, arrived = -seconds * count, slot_arrived = 0;
    int64_t later_ns = delay_ns - seconds * SECOND_NS;
    for (int64_t slot = 0; slot < count; slot++) {
        while (later_ns + slots[SLOT_WORDS * slot_arrived + DUE_NS] < slots[SLOT_WORDS * slot + DUE_NS]) {
            arrived++;
            if (++slot_arrived == count) slot_arrived = 0, later_ns += SECOND_NS;
        }
        int64_t lag = slot - arrived;
        lags[slot] = lag < LAG_MAX ? lag : LAG_MAX;
    }
    lags[count] = lags[0];
}

static void roll_ahead(int64_t second, int64_t count, const uint32_t *slots, const uint64_t *start,
                       const uint64_t *chances, const uint32_t *state, int rolls_peers, uint8_t *actions) {
    for (int64_t slot = 0; slot < count; slot++) {
        int64_t machine = slots[SLOT_WORDS * slot + MACHINE];
        uint64_t own = start[machine], one = chances[3 * machine], following = chances[3 * machine + 1];
        uint64_t everyone = chances[3 * machine + 2], step = slots[SLOT_WORDS * slot + RATE_HZ];
        uint64_t tick = slots[SLOT_WORDS * slot + TICK] + second * step;
        uint64_t degree = state[STATE_WORDS * machine + DEGREE];
        for (uint64_t each = 0; each < AHEAD + 1; each++) {
            uint64_t place = mix(own ^ (tick + each * step)), x = mix(mix(place ^ 3)) >> 11;
            uint8_t action = (x >= one) + (x >= following) + (x >= everyone);
            if (rolls_peers) action |= few(mix(mix(place ^ 4)), degree) << KIND_BITS;
            actions[(AHEAD + 1) * slot + each] = action;
        }
        actions[(AHEAD + 1) * slot + AHEAD] = RECEIVE;
    }
}

static int64_t look_ahead(int64_t begin, int64_t end, const uint32_t *slots, const uint32_t *state,
                          const uint32_t *places) {
    int64_t warm = 0;
    for (int64_t slot = begin; slot < end; slot++)
        warm += state[STATE_WORDS * (int64_t)slots[SLOT_WORDS * slot + MACHINE] + HEAD];
    for (int64_t slot = begin; slot < end; slot++) {
        int64_t head = state[STATE_WORDS * (int64_t)slots[SLOT_WORDS * slot + MACHINE] + HEAD];
        warm += places[PLACE_WORDS * head + STAMP];
    }
    return warm;
}

int64_t run_plain(int64_t until, int64_t total, int64_t *cursors, int64_t count, const uint32_t *slots,
                  const uint32_t *lags, const uint64_t *start, const uint64_t *chances, uint8_t *actions,
                  const uint32_t *peer, int64_t degree_max, int64_t lift, int64_t machines, uint32_t *state,
                  uint32_t *sent, uint32_t *events, int64_t room, uint32_t *copies, uint32_t *places) {
    int64_t row = cursors[ROW], messages = cursors[MESSAGES], arrived = cursors[ARRIVED];
    int64_t second = cursors[SECOND], slot = cursors[SLOT], has_room = 1;
    int rolls_peers = degree_max <= FEW;
    int64_t looks_ahead = machines >= MACHINES_MANY, block = looks_ahead ? BLOCK : count, warm = 0;
    room -= 1 + degree_max;
    while (second < until && has_room) {
        int64_t ahead = second % AHEAD, end_of_second = total - second * count;
        if (ahead == 0 && slot == 0) roll_ahead(second, count, slots, start, chances, state, rolls_peers, actions);
        if (end_of_second > count) end_of_second = count;
        while (slot < end_of_second && has_room) {
            int64_t end_of_block = slot + block < end_of_second ? slot + block : end_of_second;
            if (looks_ahead) warm += look_ahead(slot, end_of_block, slots, state, places);
            while (slot < end_of_block) {
                if (messages > room) {
                    has_room = 0;
                    break;
                }
                int64_t fence = row - lags[slot];
                for (; arrived < messages && copies[COPY_WORDS * arrived + SENT] < fence; arrived++)
                    state[STATE_WORDS * (int64_t)copies[COPY_WORDS * arrived + TO] + WAITING]++;
                const uint32_t *now = slots + SLOT_WORDS * slot;
                uint32_t *own = state + STATE_WORDS * (int64_t)now[MACHINE], *event = events + EVENT_WORDS * row;
                uint32_t head = own[HEAD], takes = own[WAITING] != 0, waiting = own[WAITING] - takes;
                uint32_t code = actions[(AHEAD + 1) * slot + (takes ? AHEAD : ahead)], action = code & 3;
                uint32_t following = places[PLACE_WORDS * (int64_t)head + NEXT];
                uint32_t stamp = places[PLACE_WORDS * (int64_t)head + STAMP];
                int64_t time = (int64_t)own[CLOCK] + 1, least = takes ? stamp : 0;
                if (least > time) time = least;
                own[CLOCK] = time;
                own[WAITING] = waiting;
                own[HEAD] = takes ? following : head;
                event[KIND] = code & 7;
                event[TIME] = time;
                event[QUEUE] = waiting;
                event[MESSAGE] = takes ? head - 1 : messages;
                if (action) {
                    int64_t edge = own[FIRST], end = edge + own[DEGREE];
                    uint32_t arrives = arrived == messages && lags[slot + 1] == 0;
                    if (action == 2) {
                        edge = own[FOLLOWING];
                        end = edge + 1;
                    } else if (action == 1 && rolls_peers) {
                        edge += code >> KIND_BITS;
                        end = edge + 1;
                    } else if (action == 1) {
                        uint64_t tick = now[TICK] + (uint64_t)second * now[RATE_HZ];
                        edge += below(roll(start[now[MACHINE]], tick, 4), own[DEGREE]);
                        end = edge + 1;
                    }
                    for (; edge < end; edge++) {
                        uint32_t *other = state + STATE_WORDS * (int64_t)peer[edge];
                        uint32_t *copy = copies + COPY_WORDS * messages;
                        copy[SENT] = row;
                        copy[TO] = peer[edge];
                        copy[NUMBER] = ++sent[edge];
                        messages++;
                        places[PLACE_WORDS * messages + NEXT] = 0;
                        places[PLACE_WORDS * messages + STAMP] = time + lift;
                        int is_first = other[HEAD] == 0;
                        places[PLACE_WORDS * (is_first ? 0 : (int64_t)other[TAIL]) + NEXT] = messages;
                        other[HEAD] = is_first ? messages : other[HEAD];
                        other[TAIL] = messages;
                        other[WAITING] += arrives;
                    }
                    if (arrives) arrived = messages;
                }
                row++;
                slot++;
            }
        }
        if (has_room) second++, slot = 0;
    }
    cursors[SECOND] = second, cursors[SLOT] = slot, cursors[ROW] = row, cursors[MESSAGES] = messages;
    cursors[ARRIVED] = arrived, cursors[WARM] = warm;
    return has_room;
}

static int64_t put_in_order(uint64_t seed, int64_t machines, const uint32_t *number, const uint32_t *rates_hz,
                            int64_t is_aligned, int64_t duration_ns, uint64_t *start, uint32_t *drawn,
                            uint32_t *firsts, uint32_t *slots) {
    int64_t count = 0;
    for (int64_t machine = 0; machine < machines; machine++) {
        int64_t rate_hz = rates_hz[2 * machine], span = rates_hz[2 * machine + 1] - rate_hz + 1;
        uint64_t own = start[machine] = mix(mix(seed) ^ number[machine]);
        if (span > 1) rate_hz += below(roll(own, 0, 1), span);
        int64_t phase_ns = is_aligned ? 0 : (int64_t)below(roll(own, 0, 2), SECOND_NS / rate_hz);
        for (int64_t tick = 0; tick < rate_hz; tick++) {
            int64_t due_ns = phase_ns + tick * SECOND_NS / rate_hz;
            if (due_ns >= duration_ns) break;
            uint32_t *one = drawn + SLOT_WORDS * count++;
            one[MACHINE] = machine, one[DUE_NS] = due_ns, one[TICK] = tick, one[RATE_HZ] = rate_hz;
        }
    }
    memset(firsts, 0, (count + 1) * sizeof *firsts);
    for (int64_t each = 0; each < count; each++) firsts[drawn[SLOT_WORDS * each + DUE_NS] * count / SECOND_NS + 1]++;
    for (int64_t part = 0; part < count; part++) firsts[part + 1] += firsts[part];
    for (int64_t each = 0; each < count; each++) {
        uint32_t *one = drawn + SLOT_WORDS * each;
        memcpy(slots + SLOT_WORDS * (int64_t)firsts[one[DUE_NS] * count / SECOND_NS]++, one, SLOT_WORDS * sizeof *one);
    }
    for (int64_t each = 1; each < count; each++)
        for (int64_t place = each; place > 0; place--) {
            uint32_t *later = slots + SLOT_WORDS * place, *earlier = later - SLOT_WORDS, kept[SLOT_WORDS];
            if (earlier[DUE_NS] <= later[DUE_NS]) break;
            memcpy(kept, earlier, sizeof kept), memcpy(earlier, later, sizeof kept), memcpy(later, kept, sizeof kept);
        }
    return count;
}

static int64_t run_seed(uint64_t seed, int64_t machines, const uint32_t *number, const uint32_t *rates_hz,
                        int64_t is_aligned, const uint64_t *chances, int64_t links, const uint32_t *peer,
                        int64_t delay_ns, int64_t duration_ns, int64_t degree_max, int64_t lift, uint64_t *start,
                        uint32_t *drawn, uint32_t *firsts, uint32_t *slots, uint32_t *lags, uint8_t *actions,
                        uint32_t *state, uint32_t *sent, uint32_t *places, int64_t *cursors, int64_t rows,
                        uint32_t *events, int64_t room, uint32_t *copies) {
    int64_t count = put_in_order(seed, machines, number, rates_hz, is_aligned, duration_ns, start, drawn, firsts, slots);
    int64_t seconds = (duration_ns + SECOND_NS - 1) / SECOND_NS, total = (seconds - 1) * count;
    for (int64_t slot = 0; slot < count; slot++)
        total += slots[SLOT_WORDS * slot + DUE_NS] < duration_ns - (seconds - 1) * SECOND_NS;
    if (total > rows) return -1;
    find_lags(count, slots, delay_ns, lags);
    memset(sent, 0, links * sizeof *sent);
    memset(cursors, 0, CURSORS * sizeof *cursors);
    for (int64_t machine = 0; machine < machines; machine++) {
        uint32_t *own = state + STATE_WORDS * machine;
        own[CLOCK] = own[WAITING] = own[HEAD] = 0;
    }
    return run_plain(seconds, total, cursors, count, slots, lags, start, chances, actions, peer, degree_max, lift,
                     machines, state, sent, events, room, copies, places) ? count : -1;
}

int64_t run_seeds(int64_t runs, const int64_t *seeds, int64_t *ends, int64_t machines, const uint32_t *number,
                  const uint32_t *rates_hz, int64_t is_aligned, const uint64_t *chances, int64_t links,
                  const uint32_t *peer, int64_t delay_ns, int64_t duration_ns, int64_t degree_max, int64_t lift,
                  uint64_t *start, uint32_t *drawn, uint32_t *firsts, uint32_t *slots, uint32_t *lags, uint8_t *actions,
                  uint32_t *state, uint32_t *sent, uint32_t *places, int64_t rows, uint32_t *events, int64_t room,
                  uint32_t *copies, int64_t keeps) {
    int64_t cursors[CURSORS], event = 0, copy = 0, run = 0;
    for (; run < runs; run++) {
        if (run_seed(seeds[run], machines, number, rates_hz, is_aligned, chances, links, peer, delay_ns, duration_ns,
                     degree_max, lift, start, drawn, firsts, slots, lags, actions, state, sent, places, cursors,
                     rows - event, events + EVENT_WORDS * event, room - copy, copies + COPY_WORDS * copy) < 0)
            break;
        ends[2 * run] = event + cursors[ROW], ends[2 * run + 1] = copy + cursors[MESSAGES];
        if (keeps) event = ends[2 * run], copy = ends[2 * run + 1];
    }
    return run;
}
