"""What the faults of a run changed: its record beside the simulation of the same seed without them.

Never judges: a fault changes what it changes, and no difference is a violation.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from node.model import Network
from orchestrator.trace.balance import accounts
from orchestrator.trace.bands import bands, parted
from orchestrator.trace.compare import compare
from orchestrator.trace.measure import measure
from orchestrator.trace.store import NULL, Trace

MEASURES: Final = (
    *("final_clock", "drift_mean", "drift_max", "queue_mean", "queue_max", "jump_mean", "jump_max"),
    *("share_receive", "busy"),
)
"""Those of docs/measures.md that are told of both."""
LINKS_NAMED_MAX: Final = 6


def effect(trace: Trace, undisturbed: Trace) -> dict[str, Any]:
    """Return the numbers of a run and of its undisturbed twin, how far they agree, and the first event that differs.

    `faults` are what the twin has not. A run that was cut is told with a twin that is cut as early.
    """
    agreement = compare(trace, undisturbed)
    return {
        "faults": [*_of_network(trace, undisturbed), *(one.as_json() | {"words": one.words} for one in bands(trace))],
        "is_whole": trace.is_whole,
        "with": _numbers(trace),
        "without": _numbers(undisturbed),
        "places": agreement.places,
        "equal": agreement.equal,
        "same_action": agreement.same_action,
        "first_divergence": agreement.first_divergence,
    }


def _numbers(trace: Trace) -> dict[str, Any]:
    messages, measures = trace.messages, measure(trace)
    is_lost = np.equal(messages.number, NULL)
    links = accounts(trace).values()
    return {
        "events": len(trace),
        "sent": int(np.count_nonzero(messages.copy == 0)),
        "duplicated": int(np.count_nonzero(messages.copy)),
        "lost": int(is_lost.sum()),
        "held": int((parted(trace, bands(trace), "hold") & ~is_lost).sum()),
        "received": int(np.count_nonzero(trace.is_receive)),
        "in_queue": sum(account.in_queue for account in links) if trace.is_whole else None,
        "in_flight": sum(account.in_flight for account in links) if trace.is_whole else None,
        **{name: measures[name] for name in MEASURES},
    }


def _of_network(trace: Trace, undisturbed: Trace) -> Iterator[dict[str, Any]]:
    """Yield how links differ from what they are without faults, those together that differ in the same way."""
    links: dict[str, list[tuple[int, int]]] = defaultdict(list)
    count = 0
    for node, machine in trace.machines.items():
        twin = undisturbed.machines[node].model
        if machine.model is None or twin is None:
            continue
        for peer in machine.model.peers:
            count += 1
            if words := ", ".join(_differing(machine.model.link(peer), twin.link(peer))):
                links[words].append((node, peer))
    for words, alike in links.items():
        named = ", ".join(f"{sender}->{recipient}" for sender, recipient in alike[:LINKS_NAMED_MAX])
        more = f" and {len(alike) - LINKS_NAMED_MAX} more links" if len(alike) > LINKS_NAMED_MAX else ""
        whose = "every link" if len(alike) == count else named + more
        yield {"kind": "network", "links": [list(link) for link in alike], "words": f"{words} on {whose}"}


def _differing(network: Network, twin: Network) -> Iterator[str]:
    if network.delay_ns != twin.delay_ns:
        yield "a delay of its own"
    if network.loss:
        yield f"loss {network.loss:g}"
    if network.duplicate:
        yield f"duplicate {network.duplicate:g}"
    if not network.fifo:
        yield "no order"
