"""What is remarked of a run of ours: what was late, what the model did to it, who was left out.

Never changes a verdict. Source: design section 5, "Verdicts".
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from node.limits import QUEUE_MAX
from orchestrator.trace.bands import Band, bands, parted
from orchestrator.trace.store import NULL, Trace
from orchestrator.trace.twin import late_messages, late_ticks

LINKS_NAMED_MAX: Final = 6


def remarks(trace: Trace) -> Iterator[str]:
    """Yield what is worth knowing, a sentence each."""
    if messages := late_messages(trace):
        yield f"{messages} messages came too late for the first tick that should have seen them"
    if ticks := late_ticks(trace):
        yield f"{ticks} ticks were executed after the next one was due"
    yield from _on_network(trace)
    receivers, longest = set(trace.node[trace.is_receive].tolist()), _longest(trace)
    for node, machine in trace.machines.items():
        if machine.model and machine.model.senders and node not in receivers:
            yield f"machine {node} never received a message, though others may send to it"
        if (most := longest.get(node, 0)) > QUEUE_MAX:
            yield f"machine {node} was flooded: up to {most} messages waited, more than {QUEUE_MAX}"
        if machine.model and not machine.model.senders:
            yield f"nobody sends to machine {node}: the topology has no link to it"
    names = {machine.model.clock for machine in trace.machines.values() if machine.model}
    for name in sorted(names - {"lamport"}):
        yield f"the clock rule {name} is a well-known mistake, planted by the configuration"


def uncounted(pairs: int | None) -> Iterator[str]:
    """Yield that pairs of events were not counted, and why."""
    if pairs is None:
        yield "edges and pairs of events were not counted: that takes a step for every event and every machine"


def _longest(trace: Trace) -> dict[int, int]:
    """Return the longest queue that each machine recorded."""
    nodes, place = np.unique(trace.node, return_inverse=True)
    longest = np.zeros(len(nodes), np.int64)
    np.maximum.at(longest, place, trace.queue)
    return dict(zip(nodes.tolist(), longest.tolist(), strict=True))


def _on_network(trace: Trace) -> Iterator[str]:
    is_lost = np.equal(trace.messages.number, NULL)
    in_time = _begun(trace)
    yield from (f"fault of the model: {band.words}" for band in in_time)
    if lost := int(is_lost.sum()):
        cut = int((is_lost & parted(trace, in_time, "lose")).sum())
        by_partitions = f", {'all' if cut == lost else cut} in a partition" if cut else ""
        yield f"messages lost by the model's network: {lost}{by_partitions}"
    if held := int((~is_lost & parted(trace, in_time, "hold")).sum()):
        yield f"messages held until the end of a partition: {held}"
    if doubled := int(np.count_nonzero(trace.messages.copy)):
        yield f"messages sent twice by the model's network: {doubled}"
    if links := _out_of_order(trace):
        more = f" and {len(links) - LINKS_NAMED_MAX} more" if len(links) > LINKS_NAMED_MAX else ""
        named = ", ".join(links[:LINKS_NAMED_MAX]) + more
        yield f"the model lets messages overtake each other on {named}: in-order is judged on the other links"


def _begun(trace: Trace) -> list[Band]:
    """Return the faults that have begun; a run that was cut may not have come to all of them."""
    last_ns = int(trace.due_ns[-1]) if len(trace) else 0
    return [band for band in bands(trace) if trace.is_whole or band.from_ns <= last_ns]


def _out_of_order(trace: Trace) -> list[str]:
    """Return the links that keep no order, if there are others that do: else the check itself says so."""
    models = [machine.model for machine in trace.machines.values() if machine.model]
    loose = [model for model in models if not (model.network.fifo and all(link.fifo for link in model.links))]
    found = [f"{model.node}->{peer}" for model in loose for peer in model.peers if not model.link(peer).fifo]
    return found if len(found) < sum(len(model.peers) for model in models) else []
