"""What is on its way, machine by machine: of each message what its receive will be judged by, until it is taken.

Never judges. The parcels of a machine stand in a list in the order of their sends, so that they are mostly taken from
its front; one that overtook others is searched for by its name. A list is a chain of crates, and all crates are parts
of one pool: those that are empty are used again.
"""

from typing import Any, Final

import numpy as np

from orchestrator.native.compiled import Times, Words, prefetch, uncounted

ARRIVES, ARRIVES_HIGH, NAME, STAMP, LANE = range(5)
"""Of each parcel: `NAME` is the place of its message in the run, `STAMP` the clock of its send."""
PARCEL_WORDS: Final = 5
CRATE_PARCELS: Final = 51
CRATE_WORDS: Final = 256
CRATE_BYTES: Final = 4 * CRATE_WORDS
INSIDE: Final = CRATE_WORDS - 1
NEXT: Final = CRATE_PARCELS * PARCEL_WORDS
"""Where a crate says which is the next; a word of a pool that is as far inside its crate is no parcel."""
LINE_BYTES: Final = 64
"""Of a cache."""
WORD: Final = 32
WORD_MAX: Final = 2**32 - 1
GONE: Final = 2**32 - 1
"""The lane of a parcel that was taken before its turn."""

HEAD, TAIL, HINT = 0, 1, 16
"""Of what is kept of a machine, all of them words of the pool: its first parcel, where the next one will be put, and
a crate in which one was found that was not the first."""
MACHINE_WORDS: Final = 24
UNUSED, EMPTY, EMPTIES = range(3)
"""Of a pool: the first crate that was never used, the last that became empty, and how many of those there are."""
NONE: Final = -1


def with_lists(state: Times, crates: Times) -> Words:
    """Lay out an empty list for each machine, and return their pool."""
    table = state.reshape(-1, MACHINE_WORDS)
    table[:, HEAD] = table[:, TAIL] = np.arange(len(table)) * CRATE_WORDS
    table[:, HINT] = NONE
    crates[:] = len(table), NONE, 0
    return np.empty(len(table) * CRATE_WORDS, np.uint32)


def with_room(messages: int, state: Times, crates: Times, pool: Words) -> Words:
    """Return a pool in which so many more messages find room, whoever they are for: this one, or a larger."""
    used = int(crates[UNUSED])
    wanted = messages // CRATE_PARCELS + len(state) // MACHINE_WORDS - int(crates[EMPTIES])
    if used + wanted <= len(pool) // CRATE_WORDS:
        return pool
    # What is never used takes no memory.
    larger = np.empty((2 * used + wanted) * CRATE_WORDS, np.uint32)
    larger[: used * CRATE_WORDS] = pool[: used * CRATE_WORDS]
    return larger


@uncounted
def next_crate(at: int, state: Times, crates: Times, pool: Words) -> Any:
    """Append an empty crate to a list whose last is full, and put into that from now on."""
    crate = crates[EMPTY]
    if crate == NONE:
        crate = crates[UNUSED]
        crates[UNUSED] += 1
    else:
        crates[EMPTY] = np.int64(np.int32(pool[crate * CRATE_WORDS + NEXT]))
        crates[EMPTIES] -= 1
    pool[state[at + TAIL]] = crate
    state[at + TAIL] = crate * CRATE_WORDS
    ask_for(crate, pool)


@uncounted
def leave_crate(at: int, state: Times, crates: Times, pool: Words) -> Any:
    """Go on to the next crate of a list, all of whose first is taken."""
    crate, following = state[at + HEAD] // CRATE_WORDS, np.int64(pool[state[at + HEAD]])
    state[at + HEAD] = following * CRATE_WORDS
    ask_for(following, pool)
    if state[at + HINT] == crate * CRATE_WORDS:
        state[at + HINT] = NONE
    pool[crate * CRATE_WORDS + NEXT] = crates[EMPTY]
    crates[EMPTY] = crate
    crates[EMPTIES] += 1


@uncounted
def ask_for(crate: Any, pool: Words) -> Any:
    """See that a crate is near when it is wanted, which is soon."""
    first = np.int64(pool.ctypes.data) + crate * CRATE_BYTES
    for address in range(first, first + CRATE_BYTES, LINE_BYTES):
        prefetch(address)


@uncounted
def found(at: Any, name: Any, state: Times, crates: Times, pool: Words) -> Any:
    """Return where the parcel of this name is, NONE if none waits; what left before its turn leaves the front."""
    tail = state[at + TAIL]
    while state[at + HEAD] != tail and pool[state[at + HEAD] + LANE] == GONE:
        state[at + HEAD] += PARCEL_WORDS
        if state[at + HEAD] & INSIDE == NEXT:
            leave_crate(at, state, crates, pool)
    if state[at + HEAD] == tail:
        return NONE
    word, hint = state[at + HEAD], state[at + HINT]
    if hint != NONE and hint != word & ~INSIDE and pool[hint + NAME] <= name:
        word = hint
    crate = word & ~INSIDE
    while crate != tail & ~INSIDE:
        following = np.int64(pool[crate + NEXT]) * CRATE_WORDS
        if following == tail or pool[following + NAME] > name:
            break
        crate = word = following
    state[at + HINT] = crate
    while word != tail and word != crate + NEXT:
        if pool[word + NAME] == name:
            return word if pool[word + LANE] != GONE else NONE
        word += PARCEL_WORDS
    return NONE
