"""`draw`: the space-time diagram of a run, of logs or of a story, in characters or as an SVG."""

import re
from argparse import Namespace
from typing import TYPE_CHECKING, Final

from node.errors import NoInputError, UsageError, one_line
from orchestrator.answer import Answer
from orchestrator.config.duration import parse_duration
from orchestrator.histories import one_recorded
from orchestrator.report.diagram import Diagram, diagram_of
from orchestrator.report.diagram.part import EVENTS_SHOWN, Part, between, of_lanes, part_of
from orchestrator.report.diagram.store import STEP
from orchestrator.report.diagram.svg import svg
from orchestrator.report.diagram.text import lanes_max

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen

SVG_LANES_MAX: Final = 40
SVG_EVENTS_MAX: Final = 2000
_TIME: Final = re.compile(r"[0-9.]+(ns|us|ms|s|m|h)")


def answer(options: Namespace) -> Answer:
    """Draw one run; raises UsageError, NoInputError or NoLogError."""
    recorded = one_recorded(options.trace, options.log_format)
    diagram = diagram_of(recorded.trace, name=recorded.name)
    whole = part_of(diagram, _lanes(diagram, options.machines))
    part = _between(whole, options.first, options.until)

    def show(screen: "Screen") -> None:
        from orchestrator.screen.draw import columns, show_drawn  # noqa: PLC0415  # rich only where somebody reads

        room = lanes_max(columns(), has_time=diagram.unit != STEP)
        if options.machines is None and len(part.lanes) > room:
            fewer = of_lanes(whole, part.lanes[:room])
            show_drawn(screen, _between(fewer, options.first, options.until), is_ascii=options.ascii)
        else:
            show_drawn(screen, part, is_ascii=options.ascii)

    def print_svg(screen: "Screen") -> None:
        screen.console.file.write(svg(_small(part), title=diagram.name))

    return Answer(data={}, show=print_svg if options.svg else show)


def _lanes(diagram: Diagram, named: str | None) -> list[int]:
    if named is None:
        return []
    lanes = []
    for name in filter(None, named.split(",")):
        if name not in diagram.lanes:
            some = ", ".join(diagram.lanes[:6]) + (" …" if len(diagram.lanes) > 6 else "")
            raise NoInputError(f"{one_line(name)}: no such machine in {diagram.name}; there are {some}")
        lanes.append(diagram.lanes.index(name))
    if not lanes or len(set(lanes)) < len(lanes):
        raise UsageError("--machines takes names, each once, with commas between them, such as 1,3")
    return lanes


def _between(part: Part, first: str | None, until: str | None) -> Part:
    begin = 0 if first is None else _place(part, first, is_end=False)
    if until is None:
        is_short = first is None and len(part.rows) <= 2 * EVENTS_SHOWN
        return between(part, begin, len(part.rows) if is_short else begin + EVENTS_SHOWN)
    end = _place(part, until, is_end=True)
    if end <= begin:
        raise UsageError(f"--to {until}: nothing is between it and {first or 'the beginning'}")
    return between(part, begin, end)


def _place(part: Part, when: str, *, is_end: bool) -> int:
    """Return the place among the rows of the first event that is not before a time, or of a named event."""
    diagram = part.diagram
    if _TIME.fullmatch(when):
        if diagram.unit == STEP:
            raise UsageError(f"{when}: the record says no time; name an event, such as {diagram.event(part.rows[0])}")
        try:
            time_ns = parse_duration(when)
        except ValueError as error:
            raise UsageError(f"{when}: expected {error}") from None
        times = diagram.time.tolist()
        return next((place for place, row in enumerate(part.rows) if times[row] >= time_ns), len(part.rows))
    row = diagram.row_of(when)
    if row not in part.rows:
        what = "no such event is drawn" if ":" in when else "expected a time such as 2.5s or an event such as 2:41"
        raise NoInputError(f"{one_line(when)}: {what} in {diagram.name}")
    return part.rows.index(row) + is_end


def _small(part: Part) -> Part:
    """Return a part that a slide has room for; raises UsageError if it has none."""
    if len(part.lanes) > SVG_LANES_MAX:
        raise UsageError(f"{len(part.lanes)} machines do not fit a slide; name at most {SVG_LANES_MAX}: --machines A,B")
    if len(part.rows) > SVG_EVENTS_MAX:
        raise UsageError(f"{len(part.rows)} events do not fit a slide; draw at most {SVG_EVENTS_MAX}: --from, --to")
    return part
