"""What is odd in a log of others and proves nothing: each remark is a sentence with its figures and its first place.

Never changes a verdict. A correct solution of the exercise may deserve a remark, such as on messages left over.
"""

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np

from orchestrator.audit import words
from orchestrator.audit.delivery import Delivery
from orchestrator.audit.dice import dice_remarks
from orchestrator.audit.lengths import length_remarks
from orchestrator.audit.rooms import is_after_a_hole
from orchestrator.audit.store import INTERNAL, SEND, ForeignTrace
from orchestrator.audit.ticking import tick_remarks
from orchestrator.trace.order import Edges
from orchestrator.trace.store import NULL


def remarks(trace: ForeignTrace, edges: Edges) -> Iterator[str]:
    """Yield every remark; `edges` are the pairs of a send and its receive, or of vectors, that are certain."""
    delivery = Delivery(trace, edges)
    yield from _steps(trace)
    yield from length_remarks(trace, delivery)
    yield from dice_remarks(trace)
    yield from tick_remarks(trace)
    yield from _unreached(trace, delivery)
    yield from _left_over(trace, delivery)


def _steps(trace: ForeignTrace) -> Iterator[str]:
    """Find events that receive nothing and raise the clock by more than 1, where no line is known to be missing."""
    if not trace.has_clock or not len(trace):
        return
    before = np.maximum(trace.before, 0)
    is_known = (trace.before >= 0) & (trace.clock != NULL) & (trace.clock[before] != NULL) & ~is_after_a_hole(trace)
    is_plain = (trace.kind == INTERNAL) | trace.is_send
    step = np.where(is_known & is_plain, trace.clock - trace.clock[before], 0)
    odd = np.flatnonzero(step > trace.clock_scale)
    if not len(odd):
        return
    sends = int(np.count_nonzero(trace.kind[odd] == SEND))
    counts = ((sends, "send", ""), (len(odd) - sends, "internal event", ""))
    first = int(odd[0])
    yield (
        f"{' and '.join(words.counted(*one) for one in counts if one[0])} raised the clock by more than 1, up to "
        f"{trace.shown_clock(int(step[odd].max()))}, which only a receive has a reason for: first "
        f"{words.event(trace, first)}, by {trace.shown_clock(int(step[first]))} {words.place(trace, first)}"
    )


def _unreached(trace: ForeignTrace, delivery: Delivery) -> Iterator[str]:
    """Find machines that never receive, and those that nobody sends to."""
    logged = [node for node, rows in enumerate(trace.programs) if len(rows)]
    if not delivery.ends.tells_kinds:
        heard = {link.recipient for link in delivery.links}
        deaf = [node for node in logged if node not in heard]
        if deaf and len(trace.nodes) > 1:
            yield f"{words.machines(trace, deaf)} never heard of another machine, by the vector clocks"
        return
    if not trace.is_receive.any():
        yield (
            f"no event is a receive, though there are {words.counted(int(trace.is_send.sum()), 'send')}: nothing was "
            "ever received, or receives are not logged"
        )
        return
    unsent = [node for node in logged if delivery.most_sent_to[node] == 0]
    never = [node for node in logged if delivery.received_by[node] == 0 and node not in unsent]
    if unsent:
        yield f"nobody sends to {words.machines(trace, unsent)}"
    if never:
        yield f"{words.machines(trace, never)} never {'receives' if len(never) == 1 else 'receive'} anything"


def _left_over(trace: ForeignTrace, delivery: Delivery) -> Iterator[str]:
    """Count messages that were sent and never received."""
    name = partial(words.machine, trace)
    of_links = [
        (link.left_over, f" from machine {name(link.sender)} to {name(link.recipient)}") for link in delivery.links
    ]
    of_machines = [(count, f" to machine {name(node)}") for node, count in enumerate(delivery.left_to)]
    where = max(_most_first(of_links), _most_first(of_machines), key=lambda found: sum(count for count, _ in found))
    left = delivery.left_over if delivery.left_over is not None else sum(count for count, _ in where)
    if not left:
        return
    listed = f": {words.listed([f'{count:,}{end}' for count, end in where])}" if where else ""
    row = delivery.first_left_over
    first = f"; the first is of {words.event(trace, row)} {words.place(trace, row)}" if row >= 0 else ""
    yield (f"{_of_all(left, delivery)} {'was' if left == 1 else 'were'} never received{listed}{_waiting(trace)}{first}")


def _most_first(counts: Iterable[tuple[int | None, str]]) -> list[tuple[int, str]]:
    return sorted(((count, end) for count, end in counts if count), reverse=True)


def _of_all(left: int, delivery: Delivery) -> str:
    if delivery.left_over is None or not delivery.sent:
        return words.counted(left, "message")
    return f"{left:,} of {words.counted(delivery.sent, 'message')} sent ({words.percent(left, delivery.sent)})"


def _waiting(trace: ForeignTrace) -> str:
    """Say how many messages wait when the logs end, by the last lengths that were recorded."""
    lengths = [trace.queue[rows][trace.queue[rows] != NULL] for rows in trace.programs if len(rows)]
    if not all(len(length) for length in lengths):
        return ""
    return f"; the last recorded queues hold {sum(int(length[-1]) for length in lengths):,}"
