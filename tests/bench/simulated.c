/* The plain run of orchestrator/labs/kernel, line by line in C: the peer of `lab.py bench simulated`. */
#include <stdint.h>
#include <string.h>

#define SECOND_NS 1000000000LL

enum { MACHINE, DUE_NS, TICK, STEP, SLOT_WORDS };
enum { CLOCK, WAITING, HEAD, TAIL, FIRST, DEGREE, FOLLOWING, STATE_WORDS = 8 };
enum { KIND, TIME, QUEUE, MESSAGE, EVENT_WORDS };
enum { SENT, TO, NUMBER, COPY_WORDS };
enum { NEXT, STAMP, PLACE_WORDS };
enum { LAP, SLOT, ROW, MESSAGES, ARRIVED, WARM, CURSORS };
enum { SEND_ONE = 1, SEND_NEXT, SEND_ALL, RECEIVE };
enum { AHEAD = 16, PATTERN = 64, PEERS_FEW = 16, BLOCK = 64, MACHINES_MANY = 2000 };
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

static inline uint64_t peer_of(uint64_t own, uint64_t tick, uint64_t degree) {
    uint64_t bits = roll(own, tick, 4);
    return ((bits >> 32) * degree + ((bits & 0xFFFFFFFFull) * degree >> 32)) >> 32;
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
}

static int64_t seconds_of_lap(int64_t count, int64_t seconds) {
    int64_t most = PATTERN / (count ? count : 1), least = (seconds + AHEAD - 1) / AHEAD;
    if (least < most) most = least;
    return most > 1 ? most : 1;
}

static void repeat(int64_t count, int64_t seconds, uint32_t *slots, uint32_t *lags) {
    for (int64_t slot = count; slot < seconds * count; slot++) {
        const uint32_t *before = slots + SLOT_WORDS * (slot - count);
        memcpy(slots + SLOT_WORDS * slot, before, SLOT_WORDS * sizeof *slots);
        slots[SLOT_WORDS * slot + TICK] += before[STEP];
        lags[slot] = lags[slot - count];
    }
    for (int64_t slot = 0; slot < seconds * count; slot++) slots[SLOT_WORDS * slot + STEP] *= seconds;
    lags[seconds * count] = lags[0];
}

static void roll_ahead(int64_t lap, int64_t count, const uint32_t *slots, const uint64_t *start,
                       const uint64_t *chances, const uint32_t *state, int64_t names_peers, uint8_t *actions) {
    for (int64_t slot = 0; slot < count; slot++) {
        int64_t machine = slots[SLOT_WORDS * slot + MACHINE];
        uint64_t own = start[machine], one = chances[3 * machine], following = chances[3 * machine + 1];
        uint64_t everyone = chances[3 * machine + 2], step = slots[SLOT_WORDS * slot + STEP];
        uint64_t tick = slots[SLOT_WORDS * slot + TICK] + lap * step;
        for (uint64_t each = 0; each < AHEAD; each++) {
            uint64_t x = mix(mix(mix(own ^ (tick + each * step)) ^ 3)) >> 11;
            actions[AHEAD * slot + each] = (x >= one) + (x >= following) + (x >= everyone);
        }
        if (!names_peers) continue;
        uint64_t degree = state[STATE_WORDS * machine + DEGREE];
        for (uint64_t each = 0; each < AHEAD; each++)
            if (actions[AHEAD * slot + each] == SEND_ONE)
                actions[AHEAD * slot + each] |= peer_of(own, tick + each * step, degree) << 2;
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

static inline void send(int64_t link, int64_t row, int64_t message, uint32_t stamp, uint32_t arrives,
                        const uint32_t *peer, uint32_t *sent, uint32_t *copies, uint32_t *places, int64_t machines,
                        uint32_t *state) {
    uint32_t place = message + machines, *other = state + STATE_WORDS * (int64_t)peer[link];
    uint32_t *copy = copies + COPY_WORDS * message, *tail = places + PLACE_WORDS * (int64_t)other[TAIL];
    copy[SENT] = row;
    copy[TO] = peer[link];
    copy[NUMBER] = ++sent[link];
    tail[NEXT] = place;
    tail[STAMP] = stamp;
    other[TAIL] = place;
    other[WAITING] += arrives;
}

int64_t run_plain(int64_t until, int64_t *cursors, int64_t count, const uint32_t *slots, const uint32_t *lags,
                  const uint64_t *start, const uint64_t *chances, uint8_t *actions, const uint32_t *peer,
                  int64_t degree_max, int64_t lift, int64_t machines, uint32_t *state, uint32_t *sent,
                  uint32_t *events, int64_t room, uint32_t *copies, int64_t room_of_places, uint32_t *places) {
    int64_t row = cursors[ROW], messages = cursors[MESSAGES], arrived = cursors[ARRIVED];
    int64_t lap = cursors[LAP], slot = cursors[SLOT];
    int64_t looks_ahead = machines >= MACHINES_MANY, block = looks_ahead ? BLOCK : count, warm = 0;
    int64_t names_peers = degree_max <= PEERS_FEW;
    if (room_of_places - machines < room) room = room_of_places - machines;
    room -= degree_max;
    while (row < until && messages <= room) {
        int64_t ahead = lap % AHEAD, end_of_lap = slot + until - row < count ? slot + until - row : count;
        if (ahead == 0 && slot == 0) roll_ahead(lap, count, slots, start, chances, state, names_peers, actions);
        while (slot < end_of_lap && messages <= room) {
            int64_t sure = 1 + (room - messages) / (degree_max > 1 ? degree_max : 1), end = slot + block;
            if (end > end_of_lap) end = end_of_lap;
            if (end > slot + sure) end = slot + sure;
            if (looks_ahead) warm += look_ahead(slot, end, slots, state, places);
            for (; slot < end; slot++, row++) {
                for (; arrived < messages && copies[COPY_WORDS * arrived + SENT] < row - lags[slot]; arrived++)
                    state[STATE_WORDS * (int64_t)copies[COPY_WORDS * arrived + TO] + WAITING]++;
                const uint32_t *now = slots + SLOT_WORDS * slot;
                uint32_t *own = state + STATE_WORDS * (int64_t)now[MACHINE], *event = events + EVENT_WORDS * row;
                uint32_t head = own[HEAD], takes = own[WAITING] != 0, waiting = own[WAITING] - takes;
                uint32_t rolled = actions[AHEAD * slot + ahead];
                uint32_t kind = (rolled & 3 & (takes - 1)) | (takes << 2), action = kind & 3;
                uint32_t following = places[PLACE_WORDS * (int64_t)head + NEXT];
                uint32_t stamp = places[PLACE_WORDS * (int64_t)head + STAMP];
                int64_t time = (int64_t)own[CLOCK] + 1, least = takes ? stamp : 0;
                if (least > time) time = least;
                own[CLOCK] = time;
                own[WAITING] = waiting;
                own[HEAD] = takes ? following : head;
                event[KIND] = kind;
                event[TIME] = time;
                event[QUEUE] = waiting;
                event[MESSAGE] = takes ? following - machines : messages;
                if (action == SEND_ONE) {
                    uint32_t arrives = arrived == messages && lags[slot + 1] == 0;
                    uint64_t tick = now[TICK] + (uint64_t)lap * now[STEP], chosen = rolled >> 2;
                    if (!names_peers) chosen = peer_of(start[now[MACHINE]], tick, own[DEGREE]);
                    int64_t link = own[FIRST] + chosen;
                    send(link, row, messages, time + lift, arrives, peer, sent, copies, places, machines, state);
                    messages++;
                    arrived = arrives ? messages : arrived;
                } else if (action == SEND_NEXT) {
                    uint32_t arrives = arrived == messages && lags[slot + 1] == 0;
                    int64_t link = own[FOLLOWING];
                    send(link, row, messages, time + lift, arrives, peer, sent, copies, places, machines, state);
                    messages++;
                    arrived = arrives ? messages : arrived;
                } else if (action == SEND_ALL) {
                    uint32_t arrives = arrived == messages && lags[slot + 1] == 0;
                    int64_t first = own[FIRST], end_of_links = first + own[DEGREE];
                    for (int64_t link = first; link < end_of_links; link++) {
                        send(link, row, messages, time + lift, arrives, peer, sent, copies, places, machines, state);
                        messages++;
                    }
                    arrived = arrives ? messages : arrived;
                }
            }
        }
        if (slot == count) lap++, slot = 0;
    }
    cursors[LAP] = lap, cursors[SLOT] = slot, cursors[ROW] = row, cursors[MESSAGES] = messages;
    cursors[ARRIVED] = arrived, cursors[WARM] = warm;
    return row == until;
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
            one[MACHINE] = machine, one[DUE_NS] = due_ns, one[TICK] = tick, one[STEP] = rate_hz;
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
                        uint32_t *state, uint32_t *sent, int64_t room_of_places, uint32_t *places, int64_t *cursors,
                        int64_t rows, uint32_t *events, int64_t room, uint32_t *copies) {
    int64_t count = put_in_order(seed, machines, number, rates_hz, is_aligned, duration_ns, start, drawn, firsts, slots);
    int64_t seconds = (duration_ns + SECOND_NS - 1) / SECOND_NS, total = (seconds - 1) * count;
    for (int64_t slot = 0; slot < count; slot++)
        total += slots[SLOT_WORDS * slot + DUE_NS] < duration_ns - (seconds - 1) * SECOND_NS;
    if (total > rows) return -1;
    find_lags(count, slots, delay_ns, lags);
    int64_t lap = seconds_of_lap(count, seconds);
    repeat(count, lap, slots, lags);
    memset(sent, 0, links * sizeof *sent);
    memset(cursors, 0, CURSORS * sizeof *cursors);
    for (int64_t machine = 0; machine < machines; machine++) {
        uint32_t *own = state + STATE_WORDS * machine;
        own[CLOCK] = own[WAITING] = 0;
        own[HEAD] = own[TAIL] = machine;
    }
    return run_plain(total, cursors, lap * count, slots, lags, start, chances, actions, peer, degree_max, lift,
                     machines, state, sent, events, room, copies, room_of_places, places) ? count : -1;
}

int64_t run_seeds(int64_t runs, const int64_t *seeds, int64_t *ends, int64_t machines, const uint32_t *number,
                  const uint32_t *rates_hz, int64_t is_aligned, const uint64_t *chances, int64_t links,
                  const uint32_t *peer, int64_t delay_ns, int64_t duration_ns, int64_t degree_max, int64_t lift,
                  uint64_t *start, uint32_t *drawn, uint32_t *firsts, uint32_t *slots, uint32_t *lags, uint8_t *actions,
                  uint32_t *state, uint32_t *sent, int64_t room_of_places, uint32_t *places, int64_t rows,
                  uint32_t *events, int64_t room, uint32_t *copies, int64_t keeps) {
    int64_t cursors[CURSORS], event = 0, copy = 0, run = 0;
    for (; run < runs; run++) {
        if (run_seed(seeds[run], machines, number, rates_hz, is_aligned, chances, links, peer, delay_ns, duration_ns,
                     degree_max, lift, start, drawn, firsts, slots, lags, actions, state, sent, room_of_places, places,
                     cursors, rows - event, events + EVENT_WORDS * event, room - copy, copies + COPY_WORDS * copy) < 0)
            break;
        ends[2 * run] = event + cursors[ROW], ends[2 * run + 1] = copy + cursors[MESSAGES];
        if (keeps) event = ends[2 * run], copy = ends[2 * run + 1];
    }
    return run;
}
