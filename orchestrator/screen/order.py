"""What `order` shows: which of two events happened before the other and the way that shows it, or what each knows."""

from typing import Final

from orchestrator.explain.history import History
from orchestrator.explain.relate import Related
from orchestrator.screen.explain import REMARKS_MAX
from orchestrator.screen.parts import Screen, at_most, plural
from orchestrator.screen.way import delays, headline, known, show_record, show_way, summary, the_machine

CONVERSE: Final = "a smaller clock does not mean before"


def show_related(screen: Screen, found: Related) -> None:
    """Show what two events are to each other."""
    history = found.history
    show_record(screen, history)
    for event in dict.fromkeys((found.a, found.b)):
        screen.say(headline(history, event))
    screen.space()
    screen.said_of(*_conclusion(found))
    if len(found.hops) > 0 and found.a != found.b:
        screen.space()
        show_way(screen, history, found.hops, {})
    elif not found.hops:
        screen.bullets(_knowledge(found))
    told = [summary(history, found.hops), delays(history, found.hops)] if found.hops else []
    told += [clocks(found), lives(found), _known(found)]
    if any(told):
        screen.space()
    for sentence in filter(None, told):
        screen.say(sentence)
    if history.remarks:
        screen.say("\nThe record:")
        screen.bullets(at_most(history.remarks, REMARKS_MAX))


def clocks(found: Related) -> str:
    """Return what the clocks say to that, in a sentence or two: what they must, and what they cannot."""
    history = found.history
    a, b = history.clock(found.a), history.clock(found.b)
    if a is None or b is None or found.relation in ("same", "circular"):
        return ""
    if found.relation in ("before", "after"):
        earlier, later = (a, b) if found.relation == "before" else (b, a)
        shown = f"{history.shown_clock(earlier)} and then {history.shown_clock(later)}"
        if earlier < later:
            return f"The clocks agree, {shown}: before means a smaller clock. The converse is not true: {CONVERSE}."
        return f"The clocks do not agree, {shown}: before must mean a smaller clock, and this proves a mistake."
    if a == b:
        return f"Both clocks are {history.shown_clock(a)}: if clocks are right, only concurrent events can share one."
    smaller, larger = (found.a, found.b) if a < b else (found.b, found.a)
    low, high = history.shown_clock(min(a, b)), history.shown_clock(max(a, b))
    return (
        f"{history.event(smaller)} has the smaller clock, {low} and not {high}. If the clocks are right, "
        f"{history.event(larger)} did not happen before it, and that is all they say: {CONVERSE}."
    )


def lives(found: Related) -> str:
    """Return why two events of one machine need not be ordered, in a sentence; nothing if they must be."""
    history = found.history
    a, b = (history.machine(event) for event in (found.a, found.b))
    if history.understood or a == b or a.partition(".")[0] != b.partition(".")[0]:
        return ""
    return (
        f"{a} and {b} are one machine before and after a crash with amnesia: "
        "what it forgot happened before only what a message told it again."
    )


def _conclusion(found: Related) -> tuple[str, str, str]:
    """Return what came out, its style, and what it means."""
    a, b = (found.history.event(event) for event in (found.a, found.b))
    match found.relation:
        case "same":
            return f"{a} is one event", "bold cyan", ", and neither before nor after itself."
        case "concurrent":
            return f"{a} and {b} are concurrent", "bold cyan", ": neither happened before the other."
        case "unknown":
            why = "nothing in the record orders them, but it does not tell all that came before. As far as it tells:"
            return "CANNOT TELL", "bold yellow", f": {why}"
        case "circular":
            why = f"by the record {a} happened before {b} and {b} before {a}, which no run can do. One way:"
            return "IN A CIRCLE", "bold red", f": {why}"
        case _:
            return f"{a} happened {found.relation} {b}", "bold green", f": {_way(found)}"


def _way(found: Related) -> str:
    messages = len(found.hops) - 1
    if not messages:
        return f"on one machine, {plural(len(found.way) - 1, 'event')} later."
    return f"over {plural(messages, 'message')}, and no way has fewer:"


def _knowledge(found: Related) -> list[str]:
    """Return which event of the other's machine each knows of."""
    history = found.history
    pairs = ((found.a, found.b, found.known_to_a), (found.b, found.a, found.known_to_b))
    return [f"{history.event(one)} knows {_of(history, other, latest)}" for one, other, latest in pairs]


def _of(history: History, other: int, latest: int) -> str:
    machine, event = the_machine(history, other), history.event(other)
    return f"{machine} up to {history.event(latest)}, not {event}" if latest >= 0 else f"nothing of {machine}"


def _known(found: Related) -> str:
    return known(found.history) if found.history.understood else ""
