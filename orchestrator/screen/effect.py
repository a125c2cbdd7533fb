"""What `run --twin` shows: the numbers with the faults and without them, and where the two first part."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from orchestrator.screen.compare import both_in_words
from orchestrator.screen.parts import Screen, at_most, number, percent, plural

FAULTS_MAX: Final = 6
ROWS: Final = (
    ("events", "events"),
    ("sent", "messages sent"),
    ("duplicated", "  second copies"),
    ("lost", "  lost"),
    ("held", "  held by a partition"),
    ("received", "  received"),
    ("in_queue", "  in a queue at the end"),
    ("in_flight", "  on their way at the end"),
    ("final_clock", "final clock"),
    ("drift_mean", "drift, mean"),
    ("drift_max", "drift, largest"),
    ("queue_mean", "queue, mean"),
    ("queue_max", "queue, longest"),
    ("jump_mean", "jump, mean"),
    ("jump_max", "jump, largest"),
    ("busy", "ticks that receive"),
)
RARE: Final = ("duplicated", "lost", "held", "in_queue", "in_flight")
"""What is left out where it is 0 with the faults and without."""


def show_effect(screen: Screen, effects: Sequence[Mapping[str, Any]]) -> None:
    """Show what the faults changed, each number the mean over the runs, and the first event that differs in the first.

    What is largest in a run, drift_max for example, is the largest of all.
    """
    screen.space()
    seeds = "the same seed" if len(effects) == 1 else f"the same {len(effects)} seeds"
    screen.say(f"What the faults changed, beside {seeds} without them:", style="bold")
    faults = list(dict.fromkeys(fault["words"] for effect in effects for fault in effect["faults"]))
    screen.bullets(at_most(faults or ["there are none"], FAULTS_MAX))
    screen.space()
    rows = [_row(effects, name, label) for name, label in ROWS if name not in RARE or _occurs(effects, name)]
    screen.table(("", "with", "without", "change"), rows)
    if len(effects) > 1:
        screen.say("means over the runs; largest and longest: of all runs", style="dim")
    screen.space()
    _show_agreement(screen, effects)


def _show_agreement(screen: Screen, effects: Sequence[Mapping[str, Any]]) -> None:
    """Show how many ticks do the same, and the first that does not."""
    places = sum(effect["places"] for effect in effects)
    equal = percent(sum(effect["equal"] for effect in effects) / places if places else 1.0)
    same = percent(sum(effect["same_action"] * effect["places"] for effect in effects) / places if places else 1.0)
    screen.say(
        f"Of {plural(places, 'tick')} in either, {same} have the same action (kind, cause, recipients), and {equal} "
        "the same event, with its clock, queue and arrivals."
    )
    for run, effect in enumerate(effects, 1):
        if not effect["is_whole"]:
            screen.say(f"Run {run} was cut short; it is told up to its last event, and so is its twin.")
    run, first = next(
        ((run, effect["first_divergence"]) for run, effect in enumerate(effects, 1) if effect["first_divergence"]),
        (0, None),
    )
    if first is None:
        screen.say("No event differs.")
        return
    of_run = f" of run {run}" if len(effects) > 1 else ""
    within = _within(first, effects[run - 1]["faults"])
    screen.say(f"The first{of_run} that differs ({', '.join(first['differs'])}){within}:")
    screen.bullets(f"{side}: {words}" for side, words in zip(("with", "without"), both_in_words(first), strict=True))


def _within(first: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]) -> str:
    """Return in which faults the first event that differs is due; nothing if in none that has a window."""
    due_ns = (first["a"] or first["b"])["due_ms"] * 1e6
    words = [fault["words"] for fault in faults if "from_ns" in fault and fault["from_ns"] <= due_ns < fault["to_ns"]]
    return f", in the {' and the '.join(words)}" if words else ""


def _occurs(effects: Sequence[Mapping[str, Any]], name: str) -> bool:
    return any(effect[side][name] for effect in effects for side in ("with", "without"))


def _row(effects: Sequence[Mapping[str, Any]], name: str, label: str) -> tuple[str, ...]:
    both = [_together(name, [effect[side][name] for effect in effects]) for side in ("with", "without")]
    cells = [_cell(name, value) for value in both]
    return label, *cells, "" if cells[0] == cells[1] else _change(name, *both)


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value * 100:.1f} %" if name == "busy" else number(int(value) if value == 0 else value)


def _change(name: str, value: float | None, other: float | None) -> str:
    if value is None or other is None:
        return ""
    cell = _cell(name, abs(value - other)).removesuffix(" %")
    return f"{'+' if value > other else '-'}{cell}"


def _together(name: str, values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return max(known) if name.endswith("_max") or len(known) == 1 else sum(known) / len(known)
