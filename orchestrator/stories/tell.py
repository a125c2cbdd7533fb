"""A story as an execution: the columns that logs have, with the clocks that its machines would have shown.

Never judges: a story of a broken clock is told as it is.
Source: Lamport (1978); a send names its message and so does its receive, so that everything is known by id.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from node.clock import CLOCKS
from orchestrator.audit.store import INTERNAL, MANY, ONE, RECEIVE, SEND, ForeignTrace
from orchestrator.stories.parse import STORY, Act, Story
from orchestrator.trace.store import NULL, Column

_KINDS: Final[dict[Act, int]] = {"local": INTERNAL, "send": SEND, "receive": RECEIVE}


def told(story: Story, *, name: str, file: str) -> ForeignTrace:
    """Return the execution that a story tells; machines that only receive what never came have no event."""
    acting = {event.machine for event in story.events}
    nodes = sorted(story.machines, key=lambda one: one not in acting)
    place = {node: number for number, node in enumerate(nodes)}
    clock, stamp = _clocks(story)
    nothing, none = np.full(len(story.events), NULL, np.int64), np.empty(0, np.int64)
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
        **_peers(story, place),
        vector=None,
        file=np.zeros(len(story.events), np.int64),
        line=_column(event.line for event in story.events),
        files=(file,),
        unread_file=none,
        unread_line=none,
        understood=f"a story of {len(acting)} machines and {len(story.events)} events, clocks computed: {story.clock}",
        cuts=tuple(tuple(found.get(node, 0) for node in nodes) for found in story.cuts),
    )


def _peers(story: Story, place: Mapping[str, int]) -> dict[str, Any]:
    """Return who sent what to whom: a message is numbered by its send."""
    numbers = {event.message: number for number, event in enumerate(story.events) if event.act == "send"}
    to = [tuple(place[one] for one in event.recipients) for event in story.events]
    return {
        "sender": _column(place[story.events[one.cause].machine] if one.cause >= 0 else -1 for one in story.events),
        "to": _column(MANY if len(whom) > 1 else whom[0] if whom else ONE for whom in to),
        "recipients": {row: whom for row, whom in enumerate(to) if len(whom) > 1},
        "message": _column(numbers.get(event.message, -1) for event in story.events),
    }


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
