"""Receives and sends of one name, be it an id or a timestamp: which receive may be of which send.

Never judges, and never chooses where there is a choice. Receives of one name, machine and sender are alike; a message
to each of several machines is one for each, a message to one that is not named is one for all together.
"""

from collections.abc import Iterable
from itertools import groupby

import numpy as np

from orchestrator.audit.counting import Count, Receive, Unit, least_violations
from orchestrator.audit.pairing.ledger import fits
from orchestrator.audit.store import ONE, RECEIVE, ForeignTrace
from orchestrator.trace.store import Column, Mask


class Namesakes:
    """Finds for each receive the sends of its name.

    `choices` says of how many of them it may be, `send` names one of these, `other` one that it cannot be of, or -1.
    """

    def __init__(self, trace: ForeignTrace, receives: Column, names: Column, sends: Column, sent: Column) -> None:
        self._trace = trace
        self.receives = receives
        self._name = np.unique(names, return_inverse=True)[1]
        nodes = len(trace.nodes) + 1
        alike = (self._name * nodes + trace.node[receives]) * nodes + trace.sender[receives] + 1
        _, first, self._bunch, self._size = np.unique(alike, return_index=True, return_inverse=True, return_counts=True)
        which, known = _of_one_name(names[first], sends[np.argsort(sent, kind="stable")], np.sort(sent))
        fit = fits(trace, known, receives[first][which])
        self._which, self._known = which[fit], known[fit]
        self._choices = np.bincount(self._which, minlength=len(first))
        self.choices = self._choices[self._bunch]
        self.send = _last(len(first), self._which, self._known)[self._bunch]
        self.other = _last(len(first), which[~fit], known[~fit])[self._bunch]
        recipient = np.where(trace.to[self._known] >= ONE, 0, trace.node[receives][first][self._which] + 1)
        self._message = np.unique(self._known * nodes + recipient, return_inverse=True)[1]
        # Messages that no other bunch may have received.
        claims = np.bincount(self._message)[self._message]
        self._own = np.bincount(self._which[claims == 1], minlength=len(first))

    @property
    def has_namesake_with_choice(self) -> Mask:
        """Which receives have a name under which some receive may be of several sends."""
        return self.of_the_names_of(self.choices > 1)

    @property
    def has_own(self) -> Mask:
        """Which receives may be of messages, enough for all that are alike, that no others may be of."""
        return np.asarray(self._own >= self._size)[self._bunch]

    @property
    def may_run_short(self) -> Mask:
        """Which receives have a name with fewer messages than receives, as far as is seen at a glance."""
        lacking = np.maximum(0, self._size - self._own)
        name = self._name[np.unique(self._bunch, return_index=True)[1]]
        rivals = np.bincount(name, weights=lacking)[name]
        short = (lacking > 0) & (self._choices > 0) & (self._choices - self._own < rivals)
        return self.of_the_names_of(short[self._bunch]) & (self.choices > 0)

    def count(self, chosen: Mask, *, by_clock: bool) -> Count:
        """Return the least numbers for some receives, all of a name or none; without clocks any send is early enough.

        `tight` tells such receives by numbers that `like` knows.
        """
        clock = self._trace.clock if by_clock else np.equal(self._trace.kind, RECEIVE).astype(np.int64)
        clocks, bunches = clock[self.receives[chosen]].tolist(), self._bunch[chosen].tolist()
        is_in = np.isin(self._which, self._bunch[chosen])
        order = np.argsort(self._message[is_in], kind="stable")
        columns = (column[is_in][order].tolist() for column in (self._message, self._known, self._which))
        units = [
            Unit(int(clock[send]), tuple(bunch for _, _, bunch in pairs))
            for (_, send), pairs in groupby(zip(*columns, strict=True), key=lambda pair: pair[:2])
        ]
        return least_violations(map(Receive, clocks, bunches), units)

    def like(self, bunches: Iterable[int]) -> Column:
        """Return the rows of the receives of a name such as one of those that a count found tight."""
        return self.receives[self.of_the_names_of(np.isin(self._bunch, list(bunches)))]

    def of_the_names_of(self, receives: Mask) -> Mask:
        """Return which receives have the name of one of these."""
        return np.isin(self._name, self._name[receives])


def _of_one_name(names: Column, sends: Column, sent: Column) -> tuple[Column, Column]:
    """Return every pair of a name, by its position, and a send of that name; `sent` are theirs, sorted."""
    first, last = np.searchsorted(sent, names), np.searchsorted(sent, names, "right")
    count = last - first
    which = np.repeat(np.arange(len(names)), count)
    return which, sends[np.arange(len(which)) - np.repeat(np.cumsum(count) - count - first, count)]


def _last(count: int, which: Column, known: Column) -> Column:
    found = np.full(count, -1, np.int64)
    found[which] = known
    return found
