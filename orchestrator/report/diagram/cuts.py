"""Cuts that a story names: are they consistent, and if not, which receive shows it.

Never looks at a time. Source: Chandy and Lamport (1985); Mattern (1989).
"""

from collections.abc import Sequence

import numpy as np

from orchestrator.report.diagram.store import Diagram
from orchestrator.trace.store import Column


def inside(diagram: Diagram, asked: Sequence[int]) -> Column:
    """Return, by event, 1 if a cut holds it and else 0."""
    found = np.zeros(len(diagram), np.int64)
    start = 0
    for process, events in zip(diagram.processes, asked, strict=True):
        found[start : start + events] = 1
        start += process.events
    return found


def unsent(diagram: Diagram, asked: Sequence[int]) -> list[int]:
    """Return the messages that a cut holds the receive of, but not the send; there are none if it is consistent."""
    is_inside, messages = inside(diagram, asked), diagram.messages
    wrong = (messages.receive >= 0) & (is_inside[messages.receive] == 1) & (is_inside[messages.send] == 0)
    return [int(message) for message in np.flatnonzero(wrong)]


def describe_cut(diagram: Diagram, asked: Sequence[int]) -> str:
    """Return what is to be said of a cut in a sentence."""
    names = " ".join(f"{one.name}:{events}" for one, events in zip(diagram.processes, asked, strict=True))
    if not (wrong := unsent(diagram, asked)):
        return f"The cut {names} is consistent: every receive inside it has its send inside it."
    send, receive = (int(column[wrong[0]]) for column in (diagram.messages.send, diagram.messages.receive))
    return (
        f"The cut {names} is not consistent: {diagram.event(receive)} is inside, and {diagram.event(send)}, "
        "which sent what it received, is not."
    )
