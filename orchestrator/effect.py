"""What the faults of a run changed: its record beside the simulation of the same seed without them.

Never judges: a fault changes what it changes, and no difference is a violation.
"""

from typing import Any, Final

import numpy as np

from orchestrator.trace.compare import compare
from orchestrator.trace.measure import measure
from orchestrator.trace.store import NULL, Trace

MEASURES: Final = (
    *("final_clock", "drift_mean", "drift_max", "queue_mean", "queue_max", "jump_mean", "jump_max"),
    *("share_receive", "busy"),
)
"""Those of docs/measures.md that are told of both."""


def effect(trace: Trace, undisturbed: Trace) -> dict[str, Any]:
    """Return the numbers of a run and of its undisturbed twin, how far they agree, and the first event that differs."""
    agreement = compare(trace, undisturbed)
    return {
        "with": _numbers(trace),
        "without": _numbers(undisturbed),
        "places": agreement.places,
        "equal": agreement.equal,
        "same_action": agreement.same_action,
        "first_divergence": agreement.first_divergence,
    }


def _numbers(trace: Trace) -> dict[str, Any]:
    messages, measures = trace.messages, measure(trace)
    return {
        "events": len(trace),
        "sent": int(np.count_nonzero(messages.copy == 0)),
        "duplicated": int(np.count_nonzero(messages.copy)),
        "lost": int(np.count_nonzero(messages.number == NULL)),
        "received": int(np.count_nonzero(trace.is_receive)),
        **{name: measures[name] for name in MEASURES},
    }
