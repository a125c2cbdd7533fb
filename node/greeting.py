"""Whom a node accepts as a sender, and how it says no.

Never remembers anyone. Source: model section 5.
"""

from node.errors import RefusedError
from node.frame import WIRE_VERSION, Hello, Refusal
from node.model import Model


def refuse_strangers(hello: Hello, model: Model, *, run: str, incarnation_min: int) -> None:
    """Return if the greeting is that of one of our senders.

    Raises RefusedError, with the reason, if it is of another version, run, node or time.
    """
    sender = hello["sender"]
    if hello["version"] != WIRE_VERSION:
        reason = f"it speaks version {hello['version']} of the wire, this node version {WIRE_VERSION}"
    elif hello["run"] != run:
        reason = f"it belongs to the run {hello['run']!r}, this node to {run!r}"
    elif hello["recipient"] != model.node:
        reason = f"it looks for node {hello['recipient']}, and this is node {model.node}"
    elif sender not in model.senders:
        reason = f"no machine {sender} sends to machine {model.node}"
    elif hello["incarnation"] < incarnation_min:
        reason = f"it is incarnation {hello['incarnation']}, and incarnation {incarnation_min} was here already"
    else:
        return
    raise RefusedError(f"node {sender} is refused: {reason}")


def refusal(error: RefusedError) -> Refusal:
    """Return the answer to a greeting that cannot be accepted."""
    return Refusal(type="refusal", reason=str(error)[:500])
