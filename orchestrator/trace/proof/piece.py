"""A piece of a run, block by block: what all laws say of the machines of one share, and a part of the comparison.

Never keeps anything: what the next piece needs is in the share. Shares take different times; whoever comes to a block
first compares it with the twin's, so that all are done at about the same time.
"""

from typing import Any

import numpy as np

from orchestrator.native.compiled import Bytes, Times, Words, uncounted
from orchestrator.trace.proof.ahead import look_ahead
from orchestrator.trace.proof.equal import events_differ, messages_differ
from orchestrator.trace.proof.events import judge_events
from orchestrator.trace.proof.laws import DIFFERS, STRUCTURE
from orchestrator.trace.proof.messages import judge_messages
from orchestrator.trace.proof.parcels import LINE_BYTES, NONE, WORD
from orchestrator.trace.proof.share import BLOCK, NOT_MINE, Links, Piece, Share


@uncounted
def judge_piece(
    shares: int,
    is_compared: Bytes,
    first_row: int,
    first_message: int,
    piece: Piece,
    twin: Piece,
    links: Links,
    share: Share,
    pool: Words,
) -> Any:
    """Judge a piece, for whose messages there is room, and return what is in doubt.

    All shares write `is_compared`, block by block; should two come to a block at once, both compare it.
    """
    rows, messages, row, message, doubts = len(piece.machine), len(piece.send_row), 0, 0, 0
    if rows == 0 and messages > 0:
        return STRUCTURE
    while row < rows:
        end = min(row + BLOCK, rows)
        sent = messages if end == rows else message + int(np.searchsorted(piece.send_row[message:], first_row + end))
        if not is_compared[row // BLOCK]:
            is_compared[row // BLOCK] = True
            if not names_rise(message, sent, piece):
                return STRUCTURE
            if events_differ(row, end, piece, twin) or messages_differ(message, sent, piece, twin):
                doubts |= DIFFERS
        # Whoever will not compare the next block does not ask for it.
        is_next = end < rows and not is_compared[end // BLOCK]
        look_ahead(end, sent, piece, twin if is_next else piece, share.ahead)
        places = (row, end, message, sent)
        doubts |= judge_block(places, shares, first_row, first_message, piece, links, share, pool)
        if doubts & STRUCTURE:
            return STRUCTURE
        row, message = end, sent
    return doubts


@uncounted
def judge_block(
    places: tuple[int, int, int, int],
    shares: int,
    first_row: int,
    first_message: int,
    piece: Piece,
    links: Links,
    share: Share,
    pool: Words,
) -> Any:
    """Judge the rows and messages of a block, and return what is in doubt."""
    row, end, message, sent = places
    step, doubts = LINE_BYTES * min(shares, 2), 0
    for some in range(message, sent, BLOCK):
        count = choose(some, min(some + BLOCK, sent), shares, piece.recipient, share.own, share.chosen)
        if count == NONE:
            return STRUCTURE
        doubts |= judge_messages(count, step, first_row, first_message, piece, links, share, pool)
    count = choose(row, end, shares, piece.machine, share.own, share.chosen)
    # Whoever is told of messages that make no sense does not look at events.
    if count == NONE or doubts & STRUCTURE:
        return STRUCTURE
    return doubts | judge_events(count, step, first_row, first_message, message, sent, piece, links, share, pool)


@uncounted
def choose(begin: int, end: int, shares: int, machine: Words, own: Words, chosen: Times) -> Any:
    """Write down which of the rows [begin, end) are of this share, and of which of its machines.

    Return their number, NONE if there is no such machine.
    """
    count, machines = np.int64(0), np.uint32(len(own))
    if shares == 1:
        are_strange = np.uint32(0)
        for row in range(begin, end):
            one = machine[np.uint64(row)]
            are_strange |= np.uint32(one >= machines)
            chosen[np.uint64(row - begin)] = row << WORD | np.int64(one)
        return NONE if are_strange else end - begin
    for row in range(begin, end):
        one = machine[np.uint64(row)]
        if one >= machines:
            return NONE
        mine = np.int64(own[one])
        chosen[np.uint64(count)] = row << WORD | mine
        count += np.int64(mine != NOT_MINE)
    return count


@uncounted
def names_rise(begin: int, end: int, piece: Piece) -> Any:
    """Return whether messages stand in the order of their sends, and those of one send in that of (recipient, copy)."""
    row, to, copy, wrong = piece.send_row, piece.recipient, piece.copy, False
    for each in range(max(1, begin), end):
        a, b = np.uint64(each - 1), np.uint64(each)
        is_later = (to[a] < to[b]) | ((to[a] == to[b]) & (copy[a] < copy[b]))
        wrong |= (row[a] > row[b]) | ((row[a] == row[b]) & (not is_later))
    return not wrong
