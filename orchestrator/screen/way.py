"""What `explain` and `order` show of an event and of a way through a run: a row for each hop, oldest first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final

from orchestrator.explain.history import History
from orchestrator.explain.way import Hop, Transit
from orchestrator.screen.parts import Screen, at_most, plural

FIRST_SHOWN: Final = 5
LAST_SHOWN: Final = 15
NAME_LENGTH_MAX: Final = 20
"""From this length on the last event of a hop is shown by its number alone."""
DELAYED_NAMED_MAX: Final = 3
KNOWN: Final = {
    "by-id": "a receive names its send",
    "by-order": "a receive names its sender, and messages of one link stay in order",
    "by-stamp": "a receive names the clock of its send",
}
"""What the causes are known by."""


def headline(history: History, row: int) -> str:
    """Return an event in a line: name, kind, clock, time, place."""
    clock, time_ns, place = history.clock_text(row), history.time_ns(row), history.place(row)
    parts = [history.event(row), history.kind(row), f"clock {clock}" if clock else "", at(time_ns)]
    return ", ".join(part for part in parts if part) + (f" ({place})" if place else "")


def the_machine(history: History, row: int) -> str:
    """Return the machine of an event as people call it: machine 2, but not machine machine-2."""
    name = history.machine(row)
    return f"machine {name}" if name[:1].isdigit() else name


def at(time_ns: int | None) -> str:
    """Return when something happened."""
    return "" if time_ns is None else f"at {time_ns / 1e9:.2f} s"


def span(time_ns: int | None) -> str:
    """Return how long something took, in three digits or so."""
    if time_ns is None:
        return ""
    if abs(time_ns) >= 1_000_000_000:
        return f"{time_ns / 1e9:.2f} s"
    ms = time_ns / 1e6
    return f"{ms:.0f} ms" if ms.is_integer() or abs(ms) >= 100 else f"{ms:.3g} ms"


def show_way(screen: Screen, history: History, hops: Sequence[Hop], odd: Mapping[int, int]) -> None:
    """Show a row for each hop, and how its last event's message came to the next; of many the first and the last.

    `odd` is, by the position of an event on the way, by how much its clock does not come out.
    """
    columns = [column for column in _columns(history, hops, odd) if any(column[1])]
    rows = list(zip(*(cells for _, cells in columns), strict=True))
    hidden = len(rows) - FIRST_SHOWN - LAST_SHOWN
    if hidden > 1:
        events = str(sum(hop.events for hop in hops[FIRST_SHOWN:-LAST_SHOWN]))
        note = f"… {plural(hidden, 'more hop')} …"
        rows[FIRST_SHOWN:-LAST_SHOWN] = [(note, events, *[""] * (len(columns) - 2))]
    screen.table([name for name, _ in columns], rows)


def summary(history: History, hops: Sequence[Hop]) -> str:
    """Return where the time of a way went, in a sentence; nothing if there are no times, or no messages."""
    start, end = history.time_ns(hops[0].first), history.time_ns(hops[-1].last)
    messages = [hop.message for hop in hops if hop.message]
    if start is None or end is None or not messages:
        return ""
    said = (
        f"From {history.event(hops[0].first)} to {history.event(hops[-1].last)} it took {span(end - start)} "
        f"and {plural(len(messages), 'message')}"
    )
    network, queue = (_sum(messages, of) for of in (lambda one: one.network_ns, lambda one: one.queue_ns))
    if network is None or queue is None:
        is_early = any((message.total_ns or 0) < 0 for message in messages)
        early = " A message that is received before it is sent tells that these clocks differ." if is_early else ""
        return f"{said}, by the clocks of both.{early}"
    return f"{said}: {span(network)} in the network, {span(queue)} in queues, the rest between the events of a machine."


def delays(history: History, hops: Sequence[Hop]) -> str:
    """Return which faults of the model delayed which messages of a way, in a sentence; nothing if none did."""
    messages: dict[str, list[str]] = {}
    for hop in hops:
        for fault in hop.message.faults if hop.message else ():
            messages.setdefault(fault, []).append(history.event(hop.last))
    each = (f"{', '.join(at_most(names, DELAYED_NAMED_MAX))} by the {fault}" for fault, names in messages.items())
    return f"Delayed on this way: {'; '.join(each)}." if messages else ""


def show_record(screen: Screen, history: History) -> None:
    """Show which record it is, and how it was understood."""
    if history.understood:
        screen.say(history.understood, style="dim")
    screen.say(history.name, style="bold")


def known(history: History) -> str:
    """Return how it is known which send a receive received, in a sentence."""
    if history.evidence not in KNOWN:
        return ""
    return f"Sends and receives are paired {history.evidence.replace('-', ' ')}: {KNOWN[history.evidence]}."


def _columns(history: History, hops: Sequence[Hop], odd: Mapping[int, int]) -> Iterator[tuple[str, list[str]]]:
    messages = [hop.message for hop in hops]
    yield "events", [_events(history, hop) for hop in hops]
    yield "count", [str(hop.events) for hop in hops]
    yield "clock", [_from_to(*(_clock(history, row) for row in (hop.first, hop.last))) for hop in hops]
    yield "off", [_off(history, odd, *ends) for ends in _positions(hops)]
    yield "sent at", [_cell(one, lambda each: each.sent_ns, lambda ns: f"{ns / 1e9:.2f} s") for one in messages]
    if any(one and one.network_ns is not None for one in messages):
        yield "in network", [_cell(one, lambda each: each.network_ns, span) for one in messages]
        yield "in queue", [_cell(one, lambda each: each.queue_ns, span) for one in messages]
    else:
        yield "received after", [_cell(one, lambda each: each.total_ns, span) for one in messages]


def _events(history: History, hop: Hop) -> str:
    first = history.event(hop.first)
    if hop.events == 1:
        return first
    return f"{first} to {history.event(hop.last) if len(first) < NAME_LENGTH_MAX else history.number(hop.last)}"


def _positions(hops: Sequence[Hop]) -> Iterator[tuple[int, int]]:
    return pairwise(accumulate((hop.events for hop in hops), initial=0))


def _off(history: History, odd: Mapping[int, int], first: int, end: int) -> str:
    by = sum(odd.get(position, 0) for position in range(first, end)) if odd else 0
    return f"{'+' if by > 0 else ''}{history.shown_clock(by)}" if by else ""


def _clock(history: History, row: int) -> str:
    # A vector would be as long as the row.
    return "" if history.clock(row) is None else history.clock_text(row) or ""


def _from_to(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def _cell(message: Transit | None, of: Callable[[Transit], int | None], say: Callable[[int], str]) -> str:
    value = None if message is None else of(message)
    return "" if value is None else say(value)


def _sum(messages: Sequence[Transit], of: Callable[[Transit], int | None]) -> int | None:
    values = [value for value in map(of, messages) if value is not None]
    return sum(values) if len(values) == len(messages) else None
