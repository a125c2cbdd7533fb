"""What `run --twin` shows: the numbers with the faults and without them, and where the two first part."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from orchestrator.screen.compare import both_in_words
from orchestrator.screen.parts import Screen, number, percent, plural

COLUMNS: Final = ("", "with faults", "without")


def show_effect(screen: Screen, effects: Sequence[Mapping[str, Any]]) -> None:
    """Show what the faults changed, each number the mean over the runs, and the first event that differs in the first.

    What is largest in a run, drift_max for example, is the largest of all.
    """
    screen.space()
    screen.say("What the faults changed, beside the same seeds without them:", style="bold")
    screen.table(COLUMNS, [_row(effects, name) for name in effects[0]["with"]])
    places = sum(effect["places"] for effect in effects)
    share = percent(sum(effect["equal"] for effect in effects) / places if places else 1.0)
    same = percent(sum(effect["same_action"] * effect["places"] for effect in effects) / places if places else 1.0)
    screen.say(f"Of {plural(places, 'tick')} in either, {share} have the same event, {same} the same action.")
    first = next((effect["first_divergence"] for effect in effects if effect["first_divergence"]), None)
    if first is not None:
        screen.say(f"The first that differs ({', '.join(first['differs'])}), with and without:")
        screen.bullets(both_in_words(first))


def _row(effects: Sequence[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    return name, *(number(_together(name, [effect[side][name] for effect in effects])) for side in ("with", "without"))


def _together(name: str, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return max(known) if name.endswith("_max") else sum(known) / len(known)
