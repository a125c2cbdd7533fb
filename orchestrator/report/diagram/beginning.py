"""The beginning of a diagram that is too large for a page.

Never tears an event from what happened before it, unless the clocks of the record do.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from orchestrator.report.diagram.store import Diagram, Messages
from orchestrator.trace.store import NULL, Column


def beginning(diagram: Diagram, events_max: int) -> Diagram:
    """Return a diagram of not more than so many events: those before some time, and all that was sent until then."""
    if len(diagram) <= events_max:
        return diagram
    until = int(np.partition(diagram.time, events_max)[events_max])
    is_kept = _leads(diagram, diagram.time < until)
    place = np.append(np.where(is_kept, np.cumsum(is_kept) - 1, -1), -1)  # the last stands for "none", which is -1
    counts = np.bincount(diagram.process_of[is_kept], minlength=len(diagram.processes)).tolist()
    messages = diagram.messages
    is_closed = is_kept[messages.send] | ~is_kept[messages.receive] | (messages.receive < 0)
    columns = ("time", "number", "kind", "clock", "queue", "file", "line")
    return replace(
        diagram,
        **{name: getattr(diagram, name)[is_kept] for name in columns},
        processes=tuple(replace(one, events=count) for one, count in zip(diagram.processes, counts, strict=True)),
        messages=_sent(messages, place),
        stripes=tuple(stripe for stripe in diagram.stripes if stripe.from_time < until),
        marks=tuple(replace(mark, row=int(place[mark.row])) for mark in diagram.marks if is_kept[mark.row]),
        cuts=(),
        is_whole=diagram.is_whole and bool(is_closed.all()),
        end_time=NULL if diagram.end_time == NULL else min(until, diagram.end_time),
    )


def _leads(diagram: Diagram, is_early: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which events are early with all before them of their process: the clocks of others may fall."""
    late = np.cumsum(~is_early)
    before = np.append(0, late)[np.searchsorted(diagram.process_of, diagram.process_of)]
    leads: npt.NDArray[np.bool_] = late == before
    return leads


def _sent(messages: Messages, place: Column) -> Messages:
    kept = np.flatnonzero(place[messages.send] >= 0)
    receive = place[messages.receive[kept]]
    return Messages(
        send=place[messages.send[kept]],
        lane=messages.lane[kept],
        receive=receive,
        arrival=messages.arrival[kept],
        seen=messages.seen[kept],
        stamp=np.where(receive >= 0, messages.stamp[kept], NULL),
        copy=messages.copy[kept],
        is_lost=messages.is_lost[kept],
    )
