"""What `explain` shows: why an event has its clock, the chain that forced it, and where that does not come out."""

from typing import Final

from orchestrator.explain.chain import CIRCLE, UNNAMED_SEND, Explained
from orchestrator.explain.history import History
from orchestrator.screen.parts import Screen, at_most, plural
from orchestrator.screen.way import delays, headline, known, show_record, show_way, summary, the_machine

MISFITS_MAX: Final = 5
REMARKS_MAX: Final = 3

RULE: Final = (
    "The rule: an event adds 1 to its machine's clock; a receive first takes the clock that its message carries, if "
    "that is larger (Lamport's IR1 and IR2)."
)
MISTAKES: Final = {
    "lamport-literal": "This run's clock, lamport-literal, breaks it: a message carries the clock from before its send "
    "adds 1.",
    "lamport-no-increment": "This run's clock, lamport-no-increment, breaks it: a receive adds 1 first and then takes "
    "the larger clock, so that it may equal that of its send.",
}


def show_explained(screen: Screen, found: Explained) -> None:
    """Show why an event has its clock."""
    history = found.history
    show_record(screen, history)
    screen.say(headline(history, found.event))
    if sentence := why(history, found.event):
        screen.say(sentence)
    screen.space()
    screen.said_of(*_conclusion(found))
    screen.space()
    position = {row: place for place, row in enumerate(found.chain)}
    show_way(screen, history, found.hops, {position[misfit.event]: misfit.by for misfit in found.misfits})
    if found.misfits:
        screen.say("\nWhere it does not come out:")
        screen.bullets(at_most([_misfit(history, each.by, each.why) for each in found.misfits], MISFITS_MAX))
    screen.space()
    told = (summary(history, found.hops), delays(history, found.hops), known(history) if history.understood else "")
    for sentence in told:
        if sentence:
            screen.say(sentence)
    screen.say(" ".join([RULE, MISTAKES.get(history.clock_rule, "")]).rstrip(), style="dim")
    if history.remarks:
        screen.say("\nThe record:")
        screen.bullets(at_most(history.remarks, REMARKS_MAX))


def why(history: History, event: int) -> str:
    """Return how the rule makes the clock of an event from what came just before; nothing if that is not recorded."""
    clock, step = history.clock(event), history.step
    previous, causes = history.previous(event), history.causes(event)
    own = history.clock(previous) if previous >= 0 else 0
    if clock is None or step is None or own is None or history.lost_before(event) or history.unnamed(event):
        return ""
    if previous < 0 and clock == 0:  # a count that begins with 0 has added nothing
        return ""
    if not causes:
        right, sum_of = own + step, f"{history.shown_clock(own)} + {history.shown_clock(step)}"
        return f"It adds {history.shown_clock(step)} to its machine's clock: {_compared(history, sum_of, right, clock)}"
    came = _came_with(history, event)
    if came is None:
        return ""
    right = max(own, came) + step
    sum_of = f"max({history.shown_clock(own)}, {history.shown_clock(came)}) + {history.shown_clock(step)}"
    had = f"had counted to {history.shown_clock(own)}" if previous >= 0 else "had not counted anything yet"
    return (
        f"It received {history.received(event)}, which came with {history.shown_clock(came)}, when "
        f"{the_machine(history, event)} {had}: {_compared(history, sum_of, right, clock)}"
    )


def _came_with(history: History, event: int) -> int | None:
    stamp = history.stamp(event)
    return history.clock(history.causes(event)[0]) if stamp is None else stamp


def _compared(history: History, sum_of: str, right: int, clock: int) -> str:
    said = f"{sum_of} = {history.shown_clock(right)}"
    return f"{said}." if right == clock else f"{said} by the rule, and the record says {history.shown_clock(clock)}."


def _conclusion(found: Explained) -> tuple[str, str, str]:
    """Return what came out, its style, and what it means."""
    history, events = found.history, plural(len(found.chain), "event")
    if found.begins == CIRCLE:
        first = history.event(found.chain[0])
        return "IN A CIRCLE", "bold red", f": by the record {first} happened before itself, and no clock can be right."
    if found.begins == UNNAMED_SEND:
        return "NOT ALL IS KNOWN", "bold yellow", f": {_unnamed(found)}"
    if found.is_exact is None:
        return "NO LAMPORT CLOCK", "bold cyan", f": {_by_the_rule(found)}:"
    if found.misfits:
        says = f"the clock says {history.clock_text(found.event)}"
        return "IT DOES NOT COME OUT", "bold red", f": {says}; {_by_the_rule(found)}{_this_chain(found)}:"
    conclusion = f"{events} force clock {history.clock_text(found.event)}"
    if found.longest > len(found.chain):
        return conclusion, "bold yellow", f", each before the next. But {_by_the_rule(found)}."
    from_zero = "; the first is counted as 0" if (found.before_it or 0) < 0 else ""
    return conclusion, "bold green", f": each happened before the next, and adds 1{from_zero}."


def _by_the_rule(found: Explained) -> str:
    at_least = "at least " if found.is_open else ""
    return f"by the rule it would be {at_least}{found.longest}, the length of the longest chain that ends here"


def _this_chain(found: Explained) -> str:
    if found.longest == len(found.chain):
        return ""
    return f". The one that its clock follows has {plural(len(found.chain), 'event')}"


def _unnamed(found: Explained) -> str:
    history, first = found.history, found.chain[0]
    said = f"the chain leads back to {history.event(first)} and no further, as {history.unnamed(first)}."
    if found.before_it is not None:
        at_most = " at most" if history.stamp(first) is None else ""
        said += f" Its message came with clock {history.shown_clock(found.before_it)}{at_most}."
    return f"{said} {plural(len(found.chain), 'event')} from there:"


def _misfit(history: History, by: int, sentence: str) -> str:
    if history.step is None:
        return sentence
    return f"{history.shown_clock(abs(by))} {'too large' if by > 0 else 'too small'}: {sentence}"
