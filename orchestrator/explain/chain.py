"""Why an event has its clock: the chain of events that forced it, and where the count does not come out.

Never trusts a clock to say what happened before what: it only chooses between the events that came just before.
Source: Lamport (1978), implementation rules IR1 and IR2. By them a clock is the length of the longest chain of events
that ends there; the chain that is followed here is such a one, as long as every clock on it is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from orchestrator.explain.history import History
from orchestrator.explain.misfits import Misfit, misfits
from orchestrator.explain.past import before, longest_chain
from orchestrator.explain.way import Hop, event_as_json, events_as_json, hops_as_json, hops_of

Beginning: TypeAlias = Literal["first-event", "unnamed-send", "circle"]
"""What a chain begins with: the first event of a machine; a receive whose send is not known; itself, in a circle."""

FIRST_EVENT: Final = "first-event"
UNNAMED_SEND: Final = "unnamed-send"
CIRCLE: Final = "circle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The chain of an event, oldest first; where there is no scalar clock, the longest one that ends in it.

    `before_it` is the clock with which the chain is entered: 0 at a first event, or a step less if it is counted as 0;
    at most what the message carried at an unnamed send.
    `longest` is the length of the longest chain that ends in the event; `is_open` says that it may be longer.
    """

    history: History
    event: int
    chain: tuple[int, ...]
    hops: tuple[Hop, ...]
    begins: Beginning
    before_it: int | None
    misfits: tuple[Misfit, ...]
    longest: int
    is_open: bool

    @property
    def is_exact(self) -> bool | None:
        """Whether the chain has as many events as the clock says, counted from 1 or 0; None if no clock counts."""
        if self.history.clock(self.event) is None or self.history.step is None:
            return None
        return self.begins == FIRST_EVENT and not self.misfits

    def as_json(self) -> Mapping[str, Any]:
        """Return what `explain --json` prints."""
        history, event = self.history, event_as_json(self.history, self.event)
        is_unnamed = self.begins == UNNAMED_SEND and self.before_it is not None
        return {
            "run": history.name,
            **event,
            "length": len(self.chain),
            "is_exact": self.is_exact,
            "longest_chain": self.longest,
            "longest_chain_is_known": not self.is_open,
            "begins": self.begins,
            "unnamed_clock_max": self.before_it if is_unnamed else None,
            "evidence": history.evidence,
            "misfits": [misfit.as_json(history) for misfit in self.misfits],
            "hops": hops_as_json(history, self.hops),
            "chain": events_as_json(history, self.chain, self.hops),
        }


def explain(history: History, event: int) -> Explained:
    """Walk back from an event, at each one to what forced its clock, until the beginning."""
    longest, is_open = longest_chain(history, event)
    if history.clock(event) is None:
        chain, begins = longest, _beginning(history, longest[0])
    else:
        chain, begins = _forcing_chain(history, event)
    before_it = _clock_before(history, chain[0], begins)
    return Explained(
        history=history,
        event=event,
        chain=tuple(chain),
        hops=tuple(hops_of(history, chain)),
        begins=begins,
        before_it=before_it,
        misfits=tuple(misfits(history, chain, before_it)),
        longest=len(longest),
        is_open=is_open,
    )


def forcing(history: History, event: int) -> int:
    """Return which of the events just before decided a clock: the one with the larger, of equals the send; or -1.

    Where the send is not known, it is the machine's own previous event if that is enough, and else nothing.
    """
    clock, step = history.clock(event), history.step
    if history.unnamed(event):
        return history.previous(event) if _is_enough(history, event) else -1

    def worth(earlier: int) -> tuple[int, bool]:
        # One whose clock is not recorded is worth what would be just right, if nothing recorded is.
        its, right = history.clock(earlier), (clock or 0) - (step or 0)
        return (right, False) if its is None else (its, True)

    return max(reversed(before(history, event)), key=worth, default=-1)


def _forcing_chain(history: History, event: int) -> tuple[list[int], Beginning]:
    chain, seen = [event], bytearray(len(history))
    while True:
        seen[chain[-1]] = True
        earlier = forcing(history, chain[-1])
        if earlier < 0:
            return chain[::-1], _beginning(history, chain[-1])
        if seen[earlier]:
            return chain[::-1], CIRCLE
        chain.append(earlier)


def _is_enough(history: History, event: int) -> bool:
    """Whether a machine need not have received anything to have this clock."""
    previous = history.previous(event)
    own = history.clock(previous) if previous >= 0 else 0
    clock, step = history.clock(event), history.step
    return own is not None and clock is not None and step is not None and own + step >= clock


def _beginning(history: History, event: int) -> Beginning:
    return UNNAMED_SEND if history.unnamed(event) and not _is_enough(history, event) else FIRST_EVENT


def _clock_before(history: History, event: int, begins: Beginning) -> int | None:
    """Return the largest clock that there may have been before the first event of a chain; None if not known."""
    stamp, clock, step = history.stamp(event), history.clock(event), history.step or 0
    match begins:
        case "circle":
            return None
        case "first-event":
            # Some begin to count with 0: that is no mistake, all clocks are one smaller.
            return -step if clock == 0 else 0
        case "unnamed-send":
            return clock - step if stamp is None and clock is not None else stamp
