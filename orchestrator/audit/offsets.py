"""How far the clocks of hosts are apart: for each pair an interval, from messages in both directions.

Never assumes how long a message is on its way: only that it is not received before it was sent, and that clocks are
neither set nor drift. Source: Cristian (1989) bounds an offset by a round trip, Marzullo (1984) intersects such
intervals; by way of other hosts the tightest ones are shortest paths over all messages (Patt-Shamir & Rajsbaum, A
Theory of Clock Synchronization, 1994), found as Floyd and Warshall do (1962).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from orchestrator.audit.store import ForeignTrace
from orchestrator.trace.order import Edges
from orchestrator.trace.store import NULL, Column, Mask

FAR_NS: Final = 1 << 61
"""More than any offset (73 years); what is so large bounds nothing, and two of them can be added."""
HOSTS_MAX: Final = 256
ROUNDS_MAX: Final = 64
_UNITS_NS: Final = (1_000, 1_000_000, 1_000_000_000, 60_000_000_000, 3_600_000_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """What the clock of host `b` shows minus what that of host `a` does at the same instant: `least_ns` to `most_ns`.

    Without messages from b to a, directly or by way of others, there is no least; without any from a to b no most.
    `is_contradicted`: no offset fits all messages, so that a clock was set or drifts, or messages are paired wrongly;
    then the interval is what the messages between the two alone say, and empty if these contradict one another.
    """

    a: int
    b: int
    least_ns: int | None
    most_ns: int | None
    sent: int
    """Messages from a to b."""
    returned: int
    """Messages from b to a."""
    is_contradicted: bool = False

    @property
    def middle_ns(self) -> int | None:
        """The middle of the interval; None where it has none that can be trusted."""
        if self.least_ns is None or self.most_ns is None or self.is_contradicted:
            return None
        return (self.least_ns + self.most_ns) // 2

    @property
    def unsure_ns(self) -> int | None:
        """How far the offset may be from the middle."""
        return None if self.middle_ns is None or self.most_ns is None else self.most_ns - self.middle_ns


class Passages(NamedTuple):
    """Messages between two hosts that have a time at both ends; `taken_ns` is by both clocks, and may be negative."""

    cause: Column
    effect: Column
    sender: Column
    recipient: Column
    taken_ns: Column


def passages(trace: ForeignTrace, edges: Edges) -> Passages:
    """Return those of the messages that tell something of clocks."""
    sent_ns, received_ns = trace.time_ns[edges.cause], trace.time_ns[edges.effect]
    sender, recipient = trace.node[edges.cause], trace.node[edges.effect]
    telling = (sent_ns != NULL) & (received_ns != NULL) & (sender != recipient)
    columns = (edges.cause, edges.effect, sender, recipient, received_ns - sent_ns)
    return Passages(*(column[telling] for column in columns))


def offsets(trace: ForeignTrace, edges: Edges) -> list[Offset]:
    """Return the offset of every pair of hosts of which something is known; of at most HOSTS_MAX, the busiest."""
    messages = passages(trace, edges)
    ends, counts = np.unique(np.append(messages.sender, messages.recipient), return_counts=True)
    hosts = np.sort(ends[np.argsort(-counts, kind="stable")[:HOSTS_MAX]])
    most, count = _bounds(trace, messages, hosts)
    tightest, contradicted = _tightened(most)
    return list(_offsets(hosts, np.where(contradicted, most, tightest), count, contradicted))


def _offsets(hosts: Column, most: Column, count: Column, contradicted: Mask) -> Iterator[Offset]:
    is_known = most < FAR_NS
    for a, b in np.argwhere(np.triu(is_known | is_known.T, 1)).tolist():
        yield Offset(
            a=int(hosts[a]),
            b=int(hosts[b]),
            least_ns=-int(most[b, a]) if is_known[b, a] else None,
            most_ns=int(most[a, b]) if is_known[a, b] else None,
            sent=int(count[a, b]),
            returned=int(count[b, a]),
            is_contradicted=bool(contradicted[a, b]),
        )


def _bounds(trace: ForeignTrace, messages: Passages, hosts: Column) -> tuple[Column, Column]:
    """Return by sender and recipient the most that the recipient's clock may be ahead, and the number of messages."""
    most = np.full((len(hosts), len(hosts)), FAR_NS, np.int64)
    count = np.zeros_like(most)
    np.fill_diagonal(most, 0)
    is_in = np.isin(messages.sender, hosts) & np.isin(messages.recipient, hosts)
    sender = np.searchsorted(hosts, messages.sender[is_in])
    recipient = np.searchsorted(hosts, messages.recipient[is_in])
    unit_ns = np.array([_unit_ns(trace, host) for host in hosts.tolist()], np.int64)
    # A written time is at most a unit below the true one if it was cut, half a unit off if it was rounded.
    widened = messages.taken_ns[is_in] + np.maximum(unit_ns[sender], unit_ns[recipient])
    np.minimum.at(most, (sender, recipient), widened)
    np.add.at(count, (sender, recipient), 1)
    return most, count


def _unit_ns(trace: ForeignTrace, host: int) -> int:
    """Return the unit in which a host writes times: the log's, or a coarser one that divides all its times."""
    times = np.unique(trace.time_ns[trace.programs[host]])
    times = times[(times != NULL) & (times != 0)]  # every unit divides 0
    coarser = [unit for unit in _UNITS_NS if not (times % unit).any()] if len(times) > 1 else []
    return max([trace.unit_ns, *coarser])


def _tightened(most: Column) -> tuple[Column, Mask]:
    """Return the bounds that follow by way of other hosts, and between which hosts the given ones contradict others.

    Those that contradict one another directly, then those on a way back to where it began that would end before it
    began, are left out. If there are too many of these, nothing fits.
    """
    contradicted = (most < FAR_NS) & (most.T < FAR_NS) & (most + most.T < 0)
    for _ in range(ROUNDS_MAX):
        tightest, circle = _shortest(np.where(contradicted, FAR_NS, most))
        if not circle:
            return tightest, contradicted
        for a, b in zip(circle, circle[1:] + circle[:1], strict=True):
            contradicted[a, b] = contradicted[b, a] = True
    return most, (most < FAR_NS) | (most.T < FAR_NS)


def _shortest(most: Column) -> tuple[Column, list[int]]:
    """Return the lengths of the shortest ways, or, at once, a way back to where it began that is below 0."""
    most = most.copy()
    step = np.broadcast_to(np.arange(len(most)), most.shape).copy()
    for via in range(len(most)):
        there, back = most[:, via, None], most[None, via, :]
        through = np.where((there < FAR_NS) & (back < FAR_NS), there + back, FAR_NS)
        is_shorter = through < most
        most[is_shorter] = through[is_shorter]
        step[is_shorter] = np.broadcast_to(step[:, via, None], step.shape)[is_shorter]
        if (below := np.flatnonzero(np.diagonal(most) < 0)).size:
            return most, _way_back(step, int(below[0]))
    return most, []


def _way_back(step: Column, start: int) -> list[int]:
    way = [start]
    while (host := int(step[way[-1], start])) not in way:
        way.append(host)
    return way[way.index(host) :]
