"""What `compare` shows: how many places of two runs hold the same event, and the first that does not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.pairs import Pair
from orchestrator.screen.parts import Screen, percent
from orchestrator.trace.compare import together


def show_pairs(screen: Screen, pairs: Sequence[Pair]) -> None:
    """Show what the pairs are worth together, then each, then the first difference."""
    word, style, why = conclusion(pairs)
    screen.said_of(word, style, f": {why}")
    screen.space()
    screen.table(("run", "and", "places", "equal", "same action"), map(_row, pairs), left=2)
    first = together(pair.agreement for pair in pairs).first_divergence
    if first is not None:
        screen.say(f"\nThe first place that differs ({', '.join(first['differs'])}):")
        screen.bullets(both_in_words(first))


def _row(pair: Pair) -> tuple[str, ...]:
    agreement = pair.agreement
    shares = percent(agreement.fidelity), percent(agreement.same_action)
    return pair.a.name, pair.b.name, str(agreement.places), *shares


def conclusion(pairs: Sequence[Pair]) -> tuple[str, str, str]:
    """Return what two sets of runs are to each other: a word, its style, and the reason."""
    if all(pair.agreement.fidelity == 1 for pair in pairs):
        return "EQUAL", "bold green", "every event of the one is in the other."
    if any(pair.exit_code == 1 for pair in pairs):
        return "DIFFERENT", "bold red", "though of one configuration and seed, and nothing was late."
    if any(pair.exit_code == 2 for pair in pairs):
        return "CANNOT TELL", "bold yellow", "they should be equal, but one of the records is cut."
    if all(pair.have_one_configuration for pair in pairs):
        return "DIFFERENT", "bold cyan", "at the pace free messages may be late, by hand epochs differ."
    return "DIFFERENT", "bold cyan", "they may be, their configurations or seeds differ."


def both_in_words(divergence: Mapping[str, Any]) -> list[str]:
    """Return the two events that differ first, a line each; when messages arrive only if that is what differs."""
    has_arrivals = "to" in divergence["differs"]
    return [_event(divergence[side], has_arrivals=has_arrivals) for side in ("a", "b")]


def _event(event: Mapping[str, Any] | None, *, has_arrivals: bool) -> str:
    if event is None:
        return "no such event"
    cause = f" of {event['cause']}" if "cause" in event else ""
    to = f" to {', '.join(_recipients(event, has_arrivals=has_arrivals))}" if "to" in event else ""
    return (
        f"{event['event']} at tick {event['tick']} ({event['due_ms']:.1f} ms): "
        f"{event['kind']}{cause}{to}, clock {event['clock']}, queue {event['queue']}"
    )


def _recipients(event: Mapping[str, Any], *, has_arrivals: bool) -> Iterator[str]:
    for place, (recipient, arrival_ms) in enumerate(zip(event["to"], event["arrival_ms"], strict=True)):
        whom = f"{recipient} again" if recipient in event["to"][:place] else str(recipient)
        if arrival_ms is None:
            yield f"{whom} (lost)"
        else:
            yield f"{whom} (there at {arrival_ms:.1f} ms)" if has_arrivals else whom
