"""A diagram as an SVG that fits a slide: 16:9, large type, time from left to right, the same bytes every time.

Never runs a script, and holds no style sheet: it may stand in a page that forbids both.
"""

from collections.abc import Iterator, Mapping
from html import escape
from math import hypot
from typing import Final

from orchestrator.report.diagram.cuts import describe_cut, unsent
from orchestrator.report.diagram.part import Part
from orchestrator.report.diagram.store import STEP, Diagram
from orchestrator.trace.store import NULL

WIDTH: Final = 1600
HEIGHT: Final = 900
LABELS_MAX: Final = 60
"""Of more events than these only jumps are labelled."""

LIGHT: Final = {
    "paper": "#ffffff",
    "ink": "#1c2430",
    "quiet": "#66707f",
    "lane": "#b3bccb",
    "internal": "#98a3b5",
    "send": "#1f7a4d",
    "receive": "#2f5bd3",
    "message": "#51607a",
    "wait": "#d9a441",
    "jumpInk": "#7a3fb0",
    "stripe": "#f7dfd5",
    "stripeInk": "#9a4a2b",
    "bad": "#cc1f3b",
    "cut": "#0f8a8a",
}
"""The colours of a slide."""

OF_PAGE: Final = {name: f"var(--st-{name}, {colour})" for name, colour in LIGHT.items()}
"""Those of the page that the drawing stands in, light or dark."""


def svg(part: Part, *, title: str = "", colours: Mapping[str, str] = LIGHT) -> str:
    """Return a drawing of some events; `part` should be so small that they can be told apart."""
    return "\n".join(_Slide(part, title, colours).lines()) + "\n"


class _Slide:
    def __init__(self, part: Part, title: str, colours: Mapping[str, str]) -> None:
        self._part = part
        self._diagram = part.diagram
        self._title = title
        self._colours = colours
        self._rows = set(part.rows)
        self._type = 30 if len(part.rows) <= 24 and len(part.lanes) <= 6 else 20 if len(part.lanes) <= 12 else 13
        self._captions = list(_captions(part))
        self._top = self._type * 3.4
        self._bottom = HEIGHT - self._type * (1.6 * len(self._captions) + 2.4)
        names = max((len(self._diagram.lanes[lane]) for lane in part.lanes), default=1)
        self._left = self._type * (1.6 + 0.62 * min(names, 14))
        times = [int(self._diagram.time[row]) for row in part.rows] or [0]
        self._from, self._to = min(times), max(times)
        self._lane_of = self._diagram.lane_of.tolist()

    def lines(self) -> Iterator[str]:
        """Yield the lines of the document."""
        name = escape(self._title or self._diagram.name)
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'font-family="DejaVu Sans, Segoe UI, Helvetica, Arial, sans-serif" font-size="{self._type}">'
        )
        yield f"<title>{name}</title>"
        yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{self._colours["paper"]}"/>'
        yield self._text(self._type, self._type * 1.7, self._title, "ink", anchor="start", weight="bold")
        yield from self._stripes()
        yield from self._lanes()
        yield from self._messages()
        yield from self._cuts()
        yield from self._events()
        yield from self._axis()
        for place, caption in enumerate(reversed(self._captions)):
            y = HEIGHT - self._type * (0.7 + 1.6 * place)
            yield self._text(self._type, y, caption, "ink", anchor="start", size=0.8)
        yield "</svg>"

    def _x(self, time: float) -> float:
        room = WIDTH - self._left - self._type * 3
        return self._left + self._type + room * (time - self._from) / max(1, self._to - self._from)

    def _y(self, lane: int) -> float:
        step = (self._bottom - self._top) / len(self._part.lanes)
        return self._top + step * (self._part.lanes.index(lane) + 0.5)

    def _at(self, row: int) -> tuple[float, float]:
        return self._x(int(self._diagram.time[row])), self._y(self._lane_of[row])

    def _lanes(self) -> Iterator[str]:
        for lane in self._part.lanes:
            y = self._y(lane)
            yield self._line((self._left, y), (WIDTH - self._type * 0.6, y), "lane", width=0.08)
            name = self._diagram.lanes[lane]
            shown = name if len(name) <= 14 else name[:13] + "…"
            yield self._text(self._type, y + self._type * 0.35, shown, "ink", anchor="start", weight="bold")

    def _stripes(self) -> Iterator[str]:
        for stripe in self._diagram.stripes:
            if stripe.to_time <= self._from or stripe.from_time >= self._to:
                continue
            left, right = (max(self._left, min(WIDTH, self._x(time))) for time in (stripe.from_time, stripe.to_time))
            half = (self._bottom - self._top) / len(self._part.lanes) * 0.46
            if stripe.lane < 0:
                top, bottom = self._top, self._bottom
            elif stripe.lane in self._part.lanes:
                top, bottom = self._y(stripe.lane) - half, self._y(stripe.lane) + half
            else:
                continue
            size = f'width="{_number(right - left)}" height="{_number(bottom - top)}"'
            yield f'<rect x="{_number(left)}" y="{_number(top)}" {size} fill="{self._colours["stripe"]}"/>'
            yield self._text(left + 6, top + self._type * 0.8, stripe.words, "stripeInk", anchor="start", size=0.6)

    def _messages(self) -> Iterator[str]:
        messages = self._diagram.messages
        columns = (messages.send, messages.lane, messages.receive, messages.arrival, messages.is_lost)
        wrong = {message for cut in self._diagram.cuts for message in unsent(self._diagram, cut)}
        for number, (send, lane, receive, arrival, is_lost) in enumerate(
            zip(*(c.tolist() for c in columns), strict=True)
        ):
            if not {send, receive} & self._rows or lane not in self._part.lanes:
                continue
            if self._lane_of[send] not in self._part.lanes:
                continue
            (x, y), end_y = self._at(send), self._y(lane)
            colour = "bad" if number in wrong else "message"
            if receive < 0:
                yield from self._unreceived(x, y, end_y, arrival, is_lost=bool(is_lost))
                continue
            end_x = self._x(int(self._diagram.time[receive]))
            came_x = end_x if arrival == NULL else self._x(arrival)
            aside = self._type * (0.22 if end_x - came_x > self._type * 0.4 else 0)
            toward = -1 if end_y > y else 1
            yield self._arrow((x, y), (came_x, end_y + toward * aside), colour)
            if aside:
                ends = (came_x, end_y + toward * aside), (end_x, end_y + toward * aside)
                yield self._line(*ends, "wait", width=0.2, opacity=0.6)

    def _unreceived(self, x: float, y: float, end_y: float, arrival: int, *, is_lost: bool) -> Iterator[str]:
        if arrival != NULL and not is_lost and arrival <= self._to:
            yield self._arrow((x, y), (self._x(arrival), end_y), "message")
            return
        share = 0.6 if is_lost else 0.8
        end = x + self._type * 1.2, y + (end_y - y) * share
        yield self._arrow((x, y), end, "bad" if is_lost else "message", dash=True)
        if is_lost:
            yield self._text(end[0], end[1] + self._type * 0.3, "✕", "bad")

    def _events(self) -> Iterator[str]:
        diagram, size = self._diagram, self._type
        marked = {mark.row for mark in diagram.marks}
        received = set(diagram.messages.receive.tolist())
        sent = set(diagram.messages.send.tolist())
        before = diagram.before.tolist()
        for row in self._part.rows:
            x, y = self._at(row)
            kind = "receive" if row in received else "send" if row in sent else "internal"
            radius = size * (0.3 if kind != "internal" else 0.24)
            yield f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}" fill="{self._colours[kind]}"/>'
            if row in marked:
                ring = f'r="{_number(size * 0.55)}" fill="none" stroke="{self._colours["bad"]}"'
                yield f'<circle cx="{_number(x)}" cy="{_number(y)}" {ring} stroke-width="{_number(size * 0.1)}"/>'
            clock = int(diagram.clock[row])
            jump = clock - (int(diagram.clock[before[row]]) if before[row] >= 0 else 0)
            if len(self._part.rows) <= LABELS_MAX:
                label = diagram.event(row) if clock == NULL else _clock(clock, diagram)
                yield self._text(x, y + size * 1.15, label, "ink", size=0.85)
                if clock != NULL and len(self._part.rows) <= 24:
                    yield self._text(x, y + size * 1.95, diagram.event(row), "quiet", size=0.55)
            if kind == "receive" and clock != NULL and jump > diagram.clock_scale:
                yield self._text(x + size * 0.35, y - size * 0.5, f"+{_clock(jump, diagram)}", "jumpInk", size=0.75)

    def _cuts(self) -> Iterator[str]:
        for asked in self._diagram.cuts:
            points = list(self._frontier(asked))
            way = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
            dash = f' stroke-dasharray="{self._type * 0.4} {self._type * 0.25}"'
            width = _number(self._type * 0.12)
            yield f'<polyline points="{way}" fill="none" stroke="{self._colours["cut"]}" stroke-width="{width}"{dash}/>'

    def _frontier(self, asked: tuple[int, ...]) -> Iterator[tuple[float, float]]:
        """Yield where a cut crosses each lane: behind its last event inside, before the next one."""
        start, half = 0, (self._bottom - self._top) / len(self._part.lanes) * 0.5
        for process, inside in zip(self._diagram.processes, asked, strict=True):
            rows = range(start, start + process.events)
            start += process.events
            if process.lane not in self._part.lanes or not rows:
                continue
            xs = [self._at(row)[0] for row in rows]
            last = xs[inside - 1] if inside else self._left
            following = xs[inside] if inside < len(xs) else last + self._type * 3
            x, y = (last + following) / 2, self._y(process.lane)
            yield from ((x, y - half), (x, y + half))

    def _axis(self) -> Iterator[str]:
        if self._diagram.unit == STEP:
            return
        for place in range(6):
            time = self._from + (self._to - self._from) * place / 5
            x = self._x(time)
            yield self._text(x, self._bottom + self._type, f"{time / 1e9:.3f} s", "quiet", size=0.7)

    def _line(
        self, a: tuple[float, float], b: tuple[float, float], colour: str, *, width: float, opacity: float = 1
    ) -> str:
        seen = f' opacity="{opacity}"' if opacity < 1 else ""
        return (
            f'<line x1="{_number(a[0])}" y1="{_number(a[1])}" x2="{_number(b[0])}" y2="{_number(b[1])}" '
            f'stroke="{self._colours[colour]}" stroke-width="{_number(self._type * width)}"{seen}/>'
        )

    def _arrow(self, a: tuple[float, float], b: tuple[float, float], colour: str, *, dash: bool = False) -> str:
        """Return a line with a head, which ends where the disc of the event begins."""
        far = max(1.0, hypot(b[0] - a[0], b[1] - a[1]))
        ux, uy = (b[0] - a[0]) / far, (b[1] - a[1]) / far
        size = self._type * 0.55
        x, y = b[0] - ux * self._type * 0.3, b[1] - uy * self._type * 0.3
        corners = [(x - size * ux + side * size * 0.4 * uy, y - size * uy - side * size * 0.4 * ux) for side in (1, -1)]
        head = " ".join(f"{_number(one)},{_number(other)}" for one, other in ((x, y), *corners))
        stroke = f'stroke="{self._colours[colour]}" stroke-width="{_number(self._type * 0.08)}"'
        dashed = f' stroke-dasharray="{_number(self._type * 0.3)}"' if dash else ""
        return (
            f'<line x1="{_number(a[0])}" y1="{_number(a[1])}" x2="{_number(x - ux * size * 0.8)}" '
            f'y2="{_number(y - uy * size * 0.8)}" {stroke}{dashed}/>'
            f'<polygon points="{head}" fill="{self._colours[colour]}"/>'
        )

    def _text(
        self, x: float, y: float, text: str, colour: str, *, anchor: str = "middle", size: float = 1, weight: str = ""
    ) -> str:
        bold = f' font-weight="{weight}"' if weight else ""
        scale = f' font-size="{_number(self._type * size)}"' if size != 1 else ""
        place = f'x="{_number(x)}" y="{_number(y)}" text-anchor="{anchor}"'
        return f'<text {place} fill="{self._colours[colour]}"{scale}{bold}>{escape(text)}</text>'


def _captions(part: Part) -> Iterator[str]:
    for asked in part.diagram.cuts:
        yield describe_cut(part.diagram, asked)
    if not part.is_whole:
        machines = f"{len(part.lanes)} of {len(part.diagram.lanes)} machines, "
        left_out = machines if len(part.lanes) < len(part.diagram.lanes) else ""
        yield f"Drawn: {left_out}{len(part.rows)} of {part.events} events."
    rows = set(part.rows)
    for mark in [mark for mark in part.diagram.marks if mark.row in rows][:2]:
        yield f"{part.diagram.event(mark.row)}: {mark.check} is violated, {mark.words}."


def _clock(value: int, diagram: Diagram) -> str:
    return str(value) if diagram.clock_scale == 1 else f"{value / diagram.clock_scale:g}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
