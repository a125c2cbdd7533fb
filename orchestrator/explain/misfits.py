"""Where a chain of events does not come out: a clock that is not one more than the one before it on the chain.

Never judges: a log with a hole has misfits, too. What is a proof of a mistake is for the checks to say.
Source: Lamport (1978), implementation rules IR1 and IR2.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.explain.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """An event whose clock is `by` too large for the chain that leads to it, or too small if `by` is negative."""

    event: int
    by: int
    why: str

    def as_json(self, history: History) -> Mapping[str, Any]:
        """Return the misfit as an element of `misfits`."""
        return {
            "event": history.event(self.event),
            "place": history.place(self.event) or None,
            "by": self.by if history.step == 1 else history.shown_clock(self.by),
            "why": self.why,
        }


def misfits(history: History, chain: Sequence[int], before_it: int | None) -> Iterator[Misfit]:
    """Yield, oldest first, where the clocks of a chain do not rise by one step an event.

    `before_it` is the clock before its first event. What clocks do between two that are recorded is added up, so that
    the last clock is `before_it`, a step for each event, and the sum of the misfits. Where clocks do not count events,
    only those that do not rise are misfits.
    """
    known, since = before_it, 0
    for position, event in enumerate(chain):
        since += 1
        clock = history.clock(event)
        if clock is None:
            continue
        if known is not None:
            by = clock - known - since * (history.step or 0)
            is_misfit = by != 0 if history.step is not None else by <= 0
            if is_misfit:
                earlier = chain[position - since] if position >= since else -1
                yield Misfit(event=event, by=by, why=_why(history, event, earlier, since=since, by=by))
        known, since = clock, 0


def _why(history: History, event: int, earlier: int, *, since: int, by: int) -> str:
    """Return in a sentence what is odd about the clock of an event, `since` events after an earlier one or none."""
    is_after_own, lost = earlier in (-1, history.previous(event)), history.lost_before(event)
    if lost and is_after_own:
        what = f"{_events(lost)} of machine {history.machine(event)}"
        sentence = f"the record lacks {what} before {_with_clock(history, event)}."
    elif since > 1:
        start = _with_clock(history, earlier) if earlier >= 0 else "the beginning"
        sentence = f"{_events(since - 1)} without a clock between {start} and {_with_clock(history, event)}."
    elif earlier >= 0:
        sentence = (_after_own if is_after_own else _after_send)(history, event, earlier, by)
    elif history.unnamed(event):
        sentence = f"{_with_clock(history, event)}: {_demand(history, history.stamp(event) or 0, by, rule='IR2')}"
    else:
        sentence = f"machine {history.machine(event)} begins with {_with_clock(history, event)}; a count begins with 1."
    places = ", ".join(place for place in (history.place(each) for each in (earlier, event) if each >= 0) if place)
    return f"{sentence} ({places})" if places else sentence


def _after_own(history: History, event: int, earlier: int, by: int) -> str:
    rule = "IR2" if history.causes(event) or history.unnamed(event) else "IR1"
    demand = _demand(history, history.clock(earlier) or 0, by, rule=rule)
    return f"{_with_clock(history, event)} follows {_with_clock(history, earlier)}: {demand}"


def _after_send(history: History, event: int, send: int, by: int) -> str:
    its, stamp = history.clock(send) or 0, history.stamp(event)
    carried = f" The message carried {history.shown_clock(stamp)}." if stamp is not None and stamp != its else ""
    demand = _demand(history, its, by, rule="IR2")
    return f"{_with_clock(history, event)} received {_with_clock(history, send)}: {demand}{carried}"


def _demand(history: History, before: int, by: int, *, rule: str) -> str:
    """Return what Lamport's rule asks of a clock after one before."""
    if history.step is None:
        return f"it must be more (Lamport's {rule})."
    right = history.shown_clock(before + history.step)
    if by < 0:
        return f"it must be at least {right} (Lamport's {rule})."
    return f"nothing here forces more than {right} (Lamport's {rule})."


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"


def _with_clock(history: History, event: int) -> str:
    return f"{history.event(event)} with clock {history.clock_text(event)}"
