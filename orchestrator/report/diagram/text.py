"""A diagram in characters: time runs down, a lane is a column, a message is led beside the lane where it waits.

Never wider than it is told to be; what does not fit is named instead of drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from orchestrator.report.diagram.cuts import describe_cut
from orchestrator.report.diagram.part import Part
from orchestrator.report.diagram.store import STEP, Diagram
from orchestrator.trace.store import NULL

LANE_WIDTH_MIN: Final = 10
LANE_WIDTH_MAX: Final = 26
LABELS: Final = (11, 8, 4)
"""How wide a label may be: where it can be widest an event has its number, too."""

INTERNAL, SEND, RECEIVE, BROKEN = "○", "●", "◆", "✗"
ASCII: Final = str.maketrans("│╎┃─╮╭╰╯┬▶◀○●◆✗╳▹◃╪═›‹…", "|:|-..''.><o*@!x)(+=)(~")
"""For terminals that know no other letters; every letter becomes one."""


@dataclass(slots=True)
class _Track:
    """A column beside a lane in which a message is led down; `until` is the line of its end, -1 if it is free."""

    x: int
    message: int = -1
    until: int = -1
    arrival: int = NULL


@dataclass(slots=True)
class _Lane:
    x: int
    left: list[_Track] = field(default_factory=list)
    right: list[_Track] = field(default_factory=list)

    def side(self, other: int) -> list[_Track]:
        """Return the tracks on the side of another lane."""
        return self.left if other < self.x else self.right


def lanes_max(columns: int, *, has_time: bool) -> int:
    """Return how many lanes there is room for."""
    return 1 + max(0, (columns - _gutter(has_time=has_time) - 5) // LANE_WIDTH_MIN)


def draw(part: Part, columns: int) -> list[str]:
    """Return the lines of a drawing."""
    return _Drawing(part, columns).lines()


def _gutter(*, has_time: bool) -> int:
    return 10 if has_time else 1


class _Drawing:
    def __init__(self, part: Part, columns: int) -> None:
        self._part = part
        self._diagram = diagram = part.diagram
        self._has_time = diagram.unit != STEP
        gutter = _gutter(has_time=self._has_time)
        room, gaps = columns - gutter, max(1, len(part.lanes) - 1)
        self._label = next((width for width in LABELS if (room - width - 1) // gaps >= width + 7), LABELS[-1])
        self._width = min(LANE_WIDTH_MAX, (room - self._label - 1) // gaps)
        tracks = max(1, (self._width - self._label - 4) // 2)
        self._lanes = {lane: _Lane(gutter + place * self._width) for place, lane in enumerate(part.lanes)}
        for lane in self._lanes.values():
            is_first = lane.x == gutter
            lane.left = [] if is_first else [_Track(lane.x - 2 - one) for one in range(tracks)]
            lane.right = [_Track(lane.x + self._label + 2 + one) for one in range(tracks)]
        self._columns = columns
        self._time = diagram.time.tolist()
        self._lane_of = diagram.lane_of.tolist()
        self._clock = diagram.clock.tolist()
        self._number = diagram.number.tolist()
        self._before = diagram.before.tolist()
        self._marked = {mark.row for mark in diagram.marks}
        self._table = _Table(diagram)

    def lines(self) -> list[str]:
        """Return header, rows, and what is to be said of them."""
        groups = list(self._groups())
        line_of = {row: place for place, rows in enumerate(groups) for row in rows}
        drawn = [*self._header()]
        for track, message in self._entering(line_of):
            self._lead(track, message, line_of)
        for place, rows in enumerate(groups):
            if self._diagram.unit == STEP:
                drawn.append(self._between(place, line_of))
            drawn.append(self._row(rows, line_of))
        if self._diagram.unit == STEP:
            drawn.append(self._between(len(groups), line_of))
        return [line.rstrip() for line in drawn]

    def _header(self) -> Iterator[str]:
        names, notes = self._blank(), self._blank()
        for lane in self._part.lanes:
            x, room = self._lanes[lane].x, self._width - 1
            _put(names, x, _shortened(self._diagram.lanes[lane], room))
            _put(notes, x, _shortened(self._diagram.notes[lane], room))
        yield "".join(names)
        if any(letter != " " for letter in notes):
            yield "".join(notes)

    def _groups(self) -> Iterator[list[int]]:
        """Yield what stands in one line: an event, or in a story those of a step whose messages do not meet."""
        group: list[int] = []
        for row in self._part.rows:
            if group and not self._may_join(group, row):
                yield group
                group = []
            group.append(row)
        if group:
            yield group

    def _may_join(self, group: Sequence[int], row: int) -> bool:
        if self._diagram.unit != STEP or self._time[row] != self._time[group[0]]:
            return False
        low, high = self._span(row)
        return all(high < other[0] or other[1] < low for other in map(self._span, group))

    def _span(self, row: int) -> tuple[int, int]:
        """Return from which lane to which one an event reaches."""
        places = [self._part.lanes.index(self._lane_of[row])]
        for message in self._table.sent.get(row, ()):
            lane = self._table.lane[message]
            places += [self._part.lanes.index(lane)] if lane in self._lanes else []
        return min(places), max(places)

    def _blank(self) -> list[str]:
        return [" "] * self._columns

    def _background(self, place: int, time: int) -> list[str]:
        """Return a line with what runs down through it."""
        cells = self._blank()
        for lane in self._lanes.values():
            cells[lane.x] = "│"
            for track in (*lane.left, *lane.right):
                if track.message >= 0 and place < track.until:
                    _put(cells, track.x, self._down(track, time))
        return cells

    def _down(self, track: _Track, time: int) -> str:
        if track.arrival == NULL:
            return "╎"
        return "┃" if time > track.arrival else "╎"

    def _between(self, place: int, line_of: Mapping[int, int]) -> str:
        """Return a line without events, in which cuts are."""
        cells = self._background(place - 1, NULL)
        for asked in self._diagram.cuts:
            for process, inside in zip(self._diagram.processes, asked, strict=True):
                rows = [row for row in line_of if self._lane_of[row] == process.lane]
                last = sorted(rows)[inside - 1] if inside else -1
                if process.lane in self._lanes and (line_of[last] + 1 if inside else 0) == place:
                    x = self._lanes[process.lane].x
                    _put(cells, max(0, x - 1), "═╪══ cut")
        return "".join(cells)

    def _row(self, rows: Sequence[int], line_of: Mapping[int, int]) -> str:
        place, time = line_of[rows[0]], self._time[rows[0]]
        cells = self._background(place, time)
        if self._has_time:
            _put(cells, 0, f"{time / 1e9:8.3f}")
        for row in rows:
            self._event(cells, row)
            self._receive(cells, row)
            self._send(cells, row, line_of)
        return "".join(cells)

    def _event(self, cells: list[str], row: int) -> None:
        lane = self._lanes[self._lane_of[row]]
        symbol = RECEIVE if row in self._table.received else SEND if row in self._table.sent else INTERNAL
        cells[lane.x] = symbol
        label = self._labelled(row)
        _put(cells, lane.x + 1, f" {_shortened(label, self._label)} "[: self._label + 1])

    def _labelled(self, row: int) -> str:
        clock, number = self._clock[row], f"#{self._number[row]}"
        if clock == NULL:
            label = number
        else:
            shown = _clock(clock, self._diagram.clock_scale)
            label = f"{number} {shown}" if self._label == LABELS[0] else shown
            before = self._before[row]
            jump = clock - (self._clock[before] if before >= 0 else 0)
            if row in self._table.received and jump > self._diagram.clock_scale and len(label) + 4 <= self._label:
                label += f" +{_clock(jump, self._diagram.clock_scale)}"
        for name in self._unseen(row):
            label += f" {name}" if len(label) + len(name) < self._label else name[0]
        return f"{label} {BROKEN}" if row in self._marked else label

    def _unseen(self, row: int) -> Iterator[str]:
        """Yield who sent what an event received, or is to receive what it sent, where no line can be drawn."""
        for message in self._table.received.get(row, ()):
            lane = self._lane_of[self._table.send[message]]
            if lane not in self._lanes or self._track(row, message) is None:
                yield f"‹{_shortened(self._diagram.lanes[lane], 6)}"
        for message in self._table.sent.get(row, ()):
            if self._table.lane[message] not in self._lanes:
                yield f"›{_shortened(self._diagram.lanes[self._table.lane[message]], 6)}"

    def _track(self, row: int, message: int) -> _Track | None:
        lane = self._lanes[self._lane_of[row]]
        return next((track for track in (*lane.left, *lane.right) if track.message == message), None)

    def _receive(self, cells: list[str], row: int) -> None:
        lane = self._lanes[self._lane_of[row]]
        for message in self._table.received.get(row, ()):
            track = self._track(row, message)
            if track is None:
                continue
            if track.x < lane.x:
                _over(cells, track.x + 1, lane.x - 1, "─")
                cells[track.x], cells[lane.x - 1] = "╰", "▶"
            else:
                end = (
                    lane.x
                    + min(self._label, len(self._labelled(row)) + 1)
                    + 1
                    + (len(self._labelled(row)) < self._label)
                )
                _over(cells, end, track.x, "─")
                cells[track.x] = "╯"
                _put(cells, end, "◀")

    def _free(self, row: int) -> None:
        for message in self._table.received.get(row, ()):
            if (track := self._track(row, message)) is not None:
                track.message = -1

    def _send(self, cells: list[str], row: int, line_of: Mapping[int, int]) -> None:
        self._free(row)
        lane = self._lanes[self._lane_of[row]]
        start = lane.x + min(self._label, len(self._labelled(row)) + 1) + 1
        ends: list[tuple[int, str]] = []
        for message in self._table.sent.get(row, ()):
            target = self._lanes.get(self._table.lane[message])
            if target is None:
                continue
            tracks = target.side(lane.x)
            track = next((one for one in tracks if one.message < 0), None)
            is_led = self._table.receive[message] >= 0 and track is not None
            x = track.x if track else tracks[-1].x if tracks else target.x - 1
            if is_led and track is not None:
                self._lead(track, message, line_of)
            ends.append((x, "" if is_led else self._end(message, is_right=x > lane.x)))
        self._lay(cells, lane.x, start, ends)

    def _end(self, message: int, *, is_right: bool) -> str:
        if self._table.is_lost[message]:
            return "╳"
        if self._table.receive[message] >= 0:
            return "›" if is_right else "‹"
        return "▹" if is_right else "◃"

    def _lay(self, cells: list[str], x: int, start: int, ends: Sequence[tuple[int, str]]) -> None:
        """Lay a line from a send to every end, on both sides."""
        right = sorted(end for end in ends if end[0] > x)
        left = sorted((end for end in ends if end[0] < x), reverse=True)
        if right:
            _over(cells, start + 1, right[-1][0], "─")
        if left:
            _over(cells, left[-1][0] + 1, x, "─")
        for side, corner in ((right, "╮"), (left, "╭")):
            for place, (end, symbol) in enumerate(side):
                cells[end] = symbol or (corner if place == len(side) - 1 else "┬")

    def _lead(self, track: _Track, message: int, line_of: Mapping[int, int]) -> None:
        track.message = message
        track.until = line_of.get(self._table.receive[message], len(line_of) + 1)
        track.arrival = self._table.arrival[message]

    def _entering(self, line_of: Mapping[int, int]) -> Iterator[tuple[_Track, int]]:
        """Yield a track for each message that was sent before what is drawn and is received in it."""
        for row in line_of:
            lane = self._lanes[self._lane_of[row]]
            for message in self._table.received.get(row, ()):
                send = self._table.send[message]
                if send in line_of or self._lane_of[send] not in self._lanes:
                    continue
                tracks = lane.side(self._lanes[self._lane_of[send]].x)
                track = next((one for one in tracks if one.message < 0), None)
                if track is not None:
                    yield track, message


class _Table:
    """The messages, as lists: by row what it sent and received."""

    def __init__(self, diagram: Diagram) -> None:
        messages = diagram.messages
        self.send = messages.send.tolist()
        self.lane = messages.lane.tolist()
        self.receive = messages.receive.tolist()
        self.arrival = messages.arrival.tolist()
        self.is_lost = messages.is_lost.tolist()
        self.sent: dict[int, list[int]] = {}
        self.received: dict[int, list[int]] = {}
        for message, (send, receive) in enumerate(zip(self.send, self.receive, strict=True)):
            self.sent.setdefault(send, []).append(message)
            if receive >= 0:
                self.received.setdefault(receive, []).append(message)


def remarks(part: Part) -> Iterator[str]:
    """Yield what is to be said below a drawing: its signs, its cuts, what is marked."""
    diagram = part.diagram
    yield f"{INTERNAL} {'local' if diagram.unit == STEP else 'internal'}   {SEND} send   {RECEIVE} receive" + (
        "   #2: event 2   9 +5: clock 9, a jump of 5" if diagram.has_clock else ""
    )
    if (diagram.messages.arrival != NULL).any():
        yield "╎ a message on its way   ┃ one that waits in the queue"
    for asked in diagram.cuts:
        yield describe_cut(diagram, asked)
    rows = set(part.rows)
    for mark in [mark for mark in diagram.marks if mark.row in rows][:3]:
        yield f"{BROKEN} {diagram.event(mark.row)} ({mark.check}): {mark.words}"


def _put(cells: list[str], x: int, text: str) -> None:
    for place, letter in enumerate(text[: max(0, len(cells) - x)], start=x):
        cells[place] = letter


def _over(cells: list[str], start: int, end: int, letter: str) -> None:
    """Fill what is empty: what runs down is in front."""
    for x in range(start, end):
        if cells[x] == " ":
            cells[x] = letter


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


def _clock(value: int, scale: int) -> str:
    return str(value) if scale == 1 else f"{value / scale:g}"
