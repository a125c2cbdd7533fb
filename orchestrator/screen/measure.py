"""What `measure` shows: a table for every run, all machines together and each alone."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from orchestrator.screen.parts import Screen, number

MACHINES_ABREAST: Final = 6

ROWS: Final = (
    ("drift_mean", "drift, mean"),
    ("drift_max", "drift, largest"),
    ("drift_pair_mean", "drift of a pair, mean"),
    ("queue_mean", "queue, mean"),
    ("queue_max", "queue, longest"),
    ("jump_mean", "jump, mean"),
    ("jump_max", "jump, largest"),
    ("gap_mean", "gap, mean"),
    ("gap_max", "gap, largest"),
    ("final_clock", "final clock"),
    ("clock_rate", "clock, per second"),
    ("share_internal", "events: internal"),
    ("share_send_one", "  send to one"),
    ("share_send_next", "  send to the next"),
    ("share_send_all", "  send to all"),
    ("share_receive", "  receive"),
    ("busy", "ticks that receive"),
)


def show_measures(screen: Screen, measured: Sequence[Mapping[str, Any]]) -> None:
    """Show the measures of every run."""
    for one in measured:
        screen.say(one["name"], style="bold")
        _show_tables(screen, one["measures"])
    screen.say(
        "drift, jump, gap: in steps of the logical clock; queue: in messages; formulas: docs/measures.md", style="dim"
    )


def _show_tables(screen: Screen, measures: Mapping[str, Any]) -> None:
    machines: Mapping[str, Mapping[str, Any]] = measures["machines"]
    nodes = list(machines)
    for first in range(0, max(1, len(nodes)), MACHINES_ABREAST):
        abreast = nodes[first : first + MACHINES_ABREAST]
        sources = [measures, *(machines[node] for node in abreast)]
        machine = "machine" if len(nodes) < 4 else "m."
        rows = [[label, *(_cell(source, key) for source in sources)] for key, label in ROWS]
        screen.table(["", "all", *(f"{machine} {node}" for node in abreast)], rows)
        screen.space()


def _cell(source: Mapping[str, Any], key: str) -> str:
    if key not in source:
        return ""
    value = source[key]
    if value is not None and (key.startswith("share_") or key == "busy"):
        return f"{value * 100:.0f} %"
    return number(value)
