"""Whom a node accepts as a sender, what it does not believe of one, and how it says no.

Never remembers anyone. Source: model section 5.
"""

from typing import Final

from node.errors import RefusedError, RemoteProtocolError
from node.frame import WIRE_VERSION, Data, Hello, Refusal
from node.model import Model

JUMP_MAX: Final = 2**40
"""More events than a million ticks a second make in twelve days: no clock is so far behind another honestly."""


def refuse_strangers(hello: Hello, model: Model, *, run: str, token: str, incarnation_min: int) -> None:
    """Return if the greeting is that of one of our senders.

    Raises RefusedError, with the reason, if it is of another version, run, token, node or time.
    """
    sender = hello["sender"]
    if hello["version"] != WIRE_VERSION:
        reason = f"it speaks version {hello['version']} of the wire, this node version {WIRE_VERSION}"
    elif hello["run"] != run:
        reason = f"it belongs to the run {hello['run']!r}, this node to {run!r}"
    elif hello.get("token", "") != token:
        reason = "its run has the same name and another token"  # which is nobody else's business
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


def refuse_jumps(frame: Data, *, clock: int) -> None:
    """Return if no message would carry our clock further than honest events could; call it before they are taken in.

    Raises RemoteProtocolError.
    """
    stamp = max((row[3] for row in frame["messages"]), default=0)
    if stamp > clock + JUMP_MAX:
        raise RemoteProtocolError(f"a message with the timestamp {stamp}, more than 2^40 above our clock {clock}")
