"""Broadcasts that are logged as a line for each recipient: the lines of one become the one event that they were.

Never merges what a format does not say to be so (`broadcast: lines`), and never two sends to one machine.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from orchestrator.audit.store import MANY, SEND
from orchestrator.trace.store import NULL, Column, Mask

Recipients = Mapping[int, tuple[int, ...]]


class Merged(NamedTuple):
    """The columns of the events that are left, their vectors, and by row the recipients of those to several."""

    columns: dict[str, Any]
    vector: Column | None
    recipients: Recipients


def merge_broadcasts(columns: Mapping[str, Column], vector: Column | None, recipients: Recipients) -> Merged:
    """Make one event of the sends of a machine that follow one another, have one clock, and go to different machines.

    An id that one of them names is one of the message that all of them are.
    """
    order = np.argsort(columns["node"], kind="stable")
    goes_on = _may_go_on(columns, vector, order)
    heads = np.arange(len(order))
    told = {row: list(to) for row, to in recipients.items()}
    head = -1
    for row, may_go_on in zip(order.tolist(), goes_on.tolist(), strict=True):
        to = int(columns["to"][row])
        if may_go_on and head >= 0 and to not in told[head]:
            heads[row] = head
            told[head].append(to)
        elif to >= 0 and columns["kind"][row] == SEND:
            head, told[row] = row, [to]
        else:
            head = -1
    return _without(columns, vector, heads, {row: tuple(to) for row, to in told.items()})


def _may_go_on(columns: Mapping[str, Column], vector: Column | None, order: Column) -> Mask:
    """Return, in this order of rows, which name one recipient and are otherwise like the row before."""
    before, row = order[:-1], order[1:]
    is_alike = (columns["node"][before] == columns["node"][row]) & (columns["kind"][row] == SEND)
    is_alike &= (columns["clock"][before] == columns["clock"][row]) & (columns["to"][row] >= 0)
    is_alike &= (columns["clock"][row] != NULL) if vector is None else (vector[before] == vector[row]).all(axis=1)
    return np.append(np.zeros(min(1, len(order)), np.bool_), is_alike)


def _without(columns: Mapping[str, Column], vector: Column | None, heads: Column, told: Recipients) -> Merged:
    is_left = heads == np.arange(len(heads))
    place = np.cumsum(is_left) - 1
    to, message = columns["to"].copy(), _one_id(columns["message"], heads)
    several = {row: all_of_them for row, all_of_them in told.items() if len(all_of_them) > 1}
    to[list(several)] = MANY
    left = {name: column[is_left] for name, column in {**columns, "to": to, "message": message}.items()}
    recipients = {int(place[row]): all_of_them for row, all_of_them in several.items()}
    return Merged(left, None if vector is None else vector[is_left], recipients)


def _one_id(message: Column, heads: Column) -> Column:
    """Return the ids, those of one broadcast made one, also where a receive names them."""
    one = np.arange(-1, message.max(initial=-1) + 1)  # What stands for each id; the first for none.
    named = np.flatnonzero(message >= 0)
    first = np.full(len(heads), -1, np.int64)
    for row in named[heads[named] != named].tolist() + named[heads[named] == named].tolist():
        first[heads[row]] = message[row]
    merged = named[heads[named] != named]
    one[message[merged] + 1] = first[heads[merged]]
    return one[message + 1]
