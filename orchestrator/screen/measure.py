"""What `measure` shows: a table for every run, all machines together and each alone; for logs of others, links too."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from node.errors import one_line
from orchestrator.screen.parts import Screen, at_most, number, plural

MACHINES_ABREAST: Final = 6
MACHINES_MAX: Final = 120
FOREIGN_MACHINES_MAX: Final = 24
BALANCE: Final = "links: sent + doubled = lost + received + in queue + in flight"
LINKS_MAX: Final = 12
FAULTS_MAX: Final = 6
NAME_LENGTH_MAX: Final = 60
TITLE_WIDTH_MAX: Final = 12
LINK_END_WIDTH_MAX: Final = 24
_LABEL_AND_ALL_WIDTH: Final = 32

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
FOREIGN_ROWS: Final = (
    *ROWS[:12],
    ("share_send", "  send"),
    *ROWS[12:],
    ("tick_rate", "ticks, per second"),
    ("sent", "messages: sent"),
    ("received", "  received"),
    ("left_over", "  never received"),
)
FOREIGN_LINK_COLUMNS: Final = (("sent", "sent"), ("received", "received"), ("left_over", "left over"))
LINK_COLUMNS: Final = (
    *(("sent", "sent"), ("duplicated", "doubled"), ("lost", "lost"), ("received", "received")),
    *(("in_queue", "in queue"), ("in_flight", "in flight")),
)


def show_measures(screen: Screen, measured: Sequence[Mapping[str, Any]]) -> None:
    """Show the measures of every run."""
    has_links = False
    for one in measured:
        screen.say(one["name"], style="bold")
        if _is_foreign(one["measures"]):
            _show_foreign(screen, one["measures"])
        else:
            screen.bullets(at_most([fault["words"] for fault in one["measures"]["faults"]], FAULTS_MAX))
            _show_tables(screen, one["measures"])
            _show_links(screen, one["measures"]["links"], LINK_COLUMNS)
            has_links = has_links or bool(one["measures"]["links"])
    if has_links:
        screen.say(BALANCE, style="dim")
    is_partial = any(_is_foreign(one["measures"]) for one in measured)
    left_out = "what a log does not say is left out; " if is_partial else ""
    screen.say(
        f"drift, jump, gap: in steps of the logical clock; queue: in messages; {left_out}formulas: docs/measures.md",
        style="dim",
    )


def _is_foreign(measures: Mapping[str, Any]) -> bool:
    """Return whether others wrote the log: of ours nothing is without sender or recipient."""
    return "unaddressed" in measures


def _show_tables(screen: Screen, measures: Mapping[str, Any]) -> None:
    every = list(measures["machines"])
    nodes = every[:MACHINES_MAX]
    machine = "machine" if len(every) < 4 else "m."
    for first in range(0, max(1, len(nodes)), MACHINES_ABREAST):
        abreast = nodes[first : first + MACHINES_ABREAST]
        _show_abreast(screen, measures, {node: f"{machine} {node}" for node in abreast}, ROWS)
    _say_how_many_more(screen, len(every) - len(nodes))


def _show_foreign(screen: Screen, measures: Mapping[str, Any]) -> None:
    """Show what a log of others says; a measure that it says of no machine is left out."""
    machines = measures["machines"]
    rows = [row for row in FOREIGN_ROWS if any(one.get(row[0]) is not None for one in (measures, *machines.values()))]
    shown = list(machines)[:FOREIGN_MACHINES_MAX]
    names = {node: _folded(_title(node, len(machines)), TITLE_WIDTH_MAX) for node in shown}
    width = 1 + max((len(name.partition("\n")[0]) for name in names.values()), default=0)
    abreast = min(MACHINES_ABREAST, max(1, (screen.console.width - _LABEL_AND_ALL_WIDTH) // width))
    for first in range(0, len(shown) if rows else 0, abreast):
        _show_abreast(screen, measures, {node: names[node] for node in shown[first : first + abreast]}, rows)
    _say_how_many_more(screen, len(machines) - len(names) if rows else 0)
    _show_links(screen, measures["links"], FOREIGN_LINK_COLUMNS)
    not_said = list(_not_said(measures))
    for line in not_said:
        screen.say(line)
    if not_said:
        screen.space()


def _say_how_many_more(screen: Screen, machines: int) -> None:
    if machines:
        screen.say(f"and {plural(machines, 'more machine')}; --json has all of them")


def _show_abreast(
    screen: Screen, measures: Mapping[str, Any], titles: Mapping[str, str], rows: Sequence[tuple[str, str]]
) -> None:
    sources = [measures, *(measures["machines"][node] for node in titles)]
    cells = [[label, *(_cell(source, key) for source in sources)] for key, label in rows]
    screen.table(["", "all", *titles.values()], cells)
    screen.space()


def _show_links(screen: Screen, links: Sequence[Mapping[str, Any]], known: Sequence[tuple[str, str]]) -> None:
    """Show the busiest links, with those of their numbers that the log says of any."""
    columns = [column for column in known if any(link[column[0]] is not None for link in links)]
    if not columns:
        return
    shown = links
    if len(links) > LINKS_MAX:
        shown = sorted(links, key=lambda link: [-(link.get(key) or 0) for key in ("left_over", "sent", "received")])
    screen.table(
        ["from", "to", *(title for _, title in columns)],
        (
            [
                *(_folded(str(link[end]), LINK_END_WIDTH_MAX) for end in ("from", "to")),
                *(number(link[key]) for key, _ in columns),
            ]
            for link in shown[:LINKS_MAX]
        ),
        left=2,
    )
    if len(links) > LINKS_MAX:
        screen.say(f"and {len(links) - LINKS_MAX} more")
    screen.space()


def _not_said(measures: Mapping[str, Any]) -> Iterator[str]:
    """Yield why numbers of links are missing, or what they count."""
    sends, receives = sum(measures["unaddressed"].values()), sum(measures["anonymous"].values())
    if sends:
        yield f"{plural(sends, 'send does', 'sends do')} not name the recipient, and nothing else tells it"
    if receives:
        yield f"{plural(receives, 'receive does', 'receives do')} not name the sender, and nothing else tells it"
    if measures["share_receive"] is None and measures["links"]:
        yield "received: the events that heard something new of the other machine, by the messages or vectors alone"


def _title(node: str, machines: int) -> str:
    """Return what stands above a machine's column; a mere number is no name."""
    title = f"{'machine' if machines < 4 else 'm.'} {node}"
    return title if node.isdecimal() and len(title) <= TITLE_WIDTH_MAX else node


def _folded(name: str, width: int) -> str:
    """Return a name in lines that fit a column; whatever tells it from others is kept."""
    line = one_line(name, NAME_LENGTH_MAX)
    return "\n".join(line[start : start + width] for start in range(0, len(line), width))


def _cell(source: Mapping[str, Any], key: str) -> str:
    if key not in source:
        return ""
    value = source[key]
    if value is not None and (key.startswith("share_") or key == "busy"):
        return f"{value * 100:.0f} %"
    return number(value)
