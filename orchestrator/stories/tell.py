"""A story as an execution: the columns that logs have, with the clocks that its machines would have shown.

Never judges: a story of a broken clock is told as it is.
Source: Lamport (1978); a send names its message and so does its receive, so that everything is known by id.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import numpy as np

from node.clock import CLOCKS
from orchestrator.audit.store import INTERNAL, MANY, ONE, RECEIVE, SEND, ForeignTrace
from orchestrator.stories.parse import STORY, Act, Story
from orchestrator.trace.store import NULL, Column

_KINDS: Final[dict[Act, int]] = {"local": INTERNAL, "send": SEND, "receive": RECEIVE}


def told(story: Story, *, name: str, file: str) -> ForeignTrace:
    """Return the execution that a story tells; machines that only receive what never came have no event."""
    acting = {event.machine for event in story.events}
    nodes = [*(one for one in story.machines if one in acting), *(one for one in story.machines if one not in acting)]
    place = {node: number for number, node in enumerate(nodes)}
    numbers = {event.message: number for number, event in enumerate(story.events) if event.act == "send"}
    clock, stamp = _clocks(story)
    count = len(story.events)
    nothing = np.full(count, NULL, np.int64)
    senders = [place[story.events[event.cause].machine] if event.cause >= 0 else -1 for event in story.events]
    recipients = {
        row: tuple(place[one] for one in event.recipients)
        for row, event in enumerate(story.events)
        if len(event.recipients) > 1
    }
    return ForeignTrace(
        name=name,
        format_name=STORY,
        nodes=tuple(nodes),
        absent=len(nodes) - len(acting),
        clock_kind="scalar",
        clock_scale=1,
        is_fifo=False,
        is_declared_complete=False,
        node=_column(place[event.machine] for event in story.events),
        kind=_column(_KINDS[event.act] for event in story.events),
        clock=clock,
        stamp=stamp,
        queue=nothing,
        time_ns=nothing,
        unit_ns=1,
        index=nothing,
        sender=np.array(senders, np.int64),
        to=_column(
            ONE if not event.recipients else MANY if len(event.recipients) > 1 else place[event.recipients[0]]
            for event in story.events
        ),
        recipients=recipients,
        message=_column(numbers.get(event.message, -1) for event in story.events),
        vector=None,
        file=np.zeros(count, np.int64),
        line=_column(event.line for event in story.events),
        files=(file,),
        unread_file=np.empty(0, np.int64),
        unread_line=np.empty(0, np.int64),
        understood=f"a story of {len(acting)} machines and {count} events; its clocks are computed: {story.clock}",
        cuts=tuple(tuple(found.get(node, 0) for node in nodes) for found in story.cuts),
    )


def _clocks(story: Story) -> tuple[Column, Column]:
    """Return the clock of each event, and what the message of each receive carried."""
    rule = CLOCKS[story.clock]
    time: dict[str, int] = defaultdict(int)
    clock, stamp, carried = [], [], dict[int, int]()
    for row, event in enumerate(story.events):
        now = time[event.machine]
        if event.act == "send":
            now, carried[row] = rule.send(now)
        else:
            now = rule.receive(now, carried[event.cause]) if event.act == "receive" else rule.internal(now)
        time[event.machine] = now
        clock.append(now)
        stamp.append(carried.get(event.cause, NULL))
    return np.array(clock, np.int64), np.array(stamp, np.int64)


def _column(values: Iterable[int]) -> Column:
    return np.fromiter(values, np.int64)
