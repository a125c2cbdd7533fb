"""The plots of one execution: clocks, drift, queues, jumps, the mix of events, and how late ticks were.

Never judges, and never says more than the record: a plot for which it does not say enough is not there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from orchestrator.report import series
from orchestrator.report.diagram.store import SECOND, Diagram
from orchestrator.report.figure import INK, KINDS, MACHINES, MARK, MUTED, Picture, picture
from orchestrator.report.series import LANES_MAX, Line, Quantiles
from orchestrator.report.visible import short
from orchestrator.trace.store import NULL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Draw: TypeAlias = "Callable[[Axes], None]"

BARS_MAX: Final = 12
DOTS_MAX: Final = 600
STRIPES_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture with what stands around it."""

    name: str
    title: str
    caption: str
    picture: Picture


def plots(
    diagram: Diagram, *, is_ours: bool, prefix: str, lags: Line | None = None, divergence_s: float | None = None
) -> Iterator[Plot]:
    """Yield every plot for which there is something to show.

    `lags` are by how much ticks were later than due, in ms over seconds. `divergence_s` is marked: where another run
    is different for the first time.
    """
    for name, title, caption, draw in _drawings(diagram, is_ours=is_ours, lags=lags):
        full = draw if name == "mix" else partial(_marked, draw, diagram, divergence_s)
        height_in = 0.75 + 0.28 * min(len(diagram.lanes), BARS_MAX) if name == "mix" else 2.5
        drawn = picture(full, name=f"{prefix}-{name}", title=title, height_in=height_in)
        yield Plot(name=name, title=title, caption=caption, picture=drawn)


def _drawings(diagram: Diagram, *, is_ours: bool, lags: Line | None) -> Iterator[tuple[str, str, str, Draw]]:
    if not len(diagram):
        return
    has_many = len(diagram.lanes) > LANES_MAX
    each = "the median, the quartiles and the extremes over all machines" if has_many else "a line a machine"
    if diagram.has_clock:
        yield "clocks", "Clocks over time", f"The logical clock: {each}.", partial(_clocks, diagram)
        start, end = series.window(diagram, is_ours=is_ours)
        if diagram.unit == SECOND and end > start and len(diagram.lanes) > 1:
            apart, each_behind = series.behind(diagram, start, end)
            caption = "How far each clock is behind the furthest one; the largest of these is the drift."
            yield "drift", "Drift", caption, partial(_drift, diagram, apart, each_behind)
    if (diagram.queue != NULL).any():
        what = "Messages that wait after each event"
        yield "queues", "Queues", f"{what}: {each}.", partial(_queues, diagram)
    if diagram.has_clock and series.is_receive(diagram).any():
        caption = "By how much each receive raised its clock; 1 is none, and the gap is 1 less."
        yield "jumps", "Jumps", caption, partial(_jumps, diagram)
    if len(set(diagram.kind.tolist())) > 1:
        yield "mix", "Mix of events", "What each machine did at its events.", partial(_mix, diagram)
    if lags is not None and len(lags.x):
        caption = "How long after its due time each tick was executed, by the wall clock."
        yield "lateness", "Lateness of ticks", caption, partial(_lateness, lags)


def _clocks(diagram: Diagram, axes: "Axes") -> None:
    if len(diagram.lanes) > LANES_MAX:
        _bands(axes, series.clock_quantiles(diagram))
    else:
        _lines(axes, diagram, series.clocks(diagram))
    _along(axes, diagram, "clock")


def _queues(diagram: Diagram, axes: "Axes") -> None:
    if len(diagram.lanes) > LANES_MAX:
        _bands(axes, series.queue_quantiles(diagram))
    else:
        _lines(axes, diagram, series.queues(diagram))
    _along(axes, diagram, "messages")


def _drift(diagram: Diagram, apart: Line, each: Sequence[tuple[int, Line]], axes: "Axes") -> None:
    axes.fill_between(apart.x, apart.y, step="post", color=MUTED, alpha=0.16, linewidth=0)
    if each:
        _lines(axes, diagram, each, width=0.9)
    else:
        axes.step(apart.x, apart.y, where="post", color=MUTED)
    peak = int(np.argmax(apart.y))
    at, highest = (apart.x[peak], apart.y[peak]), f"{apart.y[peak]:g}"
    axes.annotate(highest, at, (0, 3), textcoords="offset points", ha="center", fontsize=8.5, color=INK)
    _scaled(axes, "time, s", "clock steps")
    axes.set_ylim(top=max(1.0, 1.12 * float(apart.y[peak])))


def _jumps(diagram: Diagram, axes: "Axes") -> None:
    lanes, rows, sizes = series.jumps(diagram)
    x, y = series.places(diagram, rows), sizes / diagram.clock_scale
    has_many = len(diagram.lanes) > LANES_MAX
    for lane in [-1] if has_many else sorted(set(lanes.tolist())):
        mine = np.flatnonzero(lanes == lane) if lane >= 0 else np.arange(len(rows))
        dots = _dots(x[mine], y[mine])
        colour = MUTED if lane < 0 else MACHINES[lane % LANES_MAX]
        axes.plot(dots.x, dots.y, linestyle="none", marker="o", markersize=2.6, markeredgewidth=0, color=colour)
    if not has_many:
        _legend(axes, [(lane, diagram.lanes[lane]) for lane in sorted(set(lanes.tolist()))])
    _along(axes, diagram, "clock steps")


def _mix(diagram: Diagram, axes: "Axes") -> None:
    lanes = [lane for lane, _ in series.programs(diagram)]
    counts = np.zeros((len(diagram.lanes), len(diagram.kinds)), np.int64)
    np.add.at(counts, (diagram.lane_of, diagram.kind), 1)
    groups = [[lane] for lane in lanes] if len(lanes) <= BARS_MAX else np.array_split(lanes, BARS_MAX)
    names = [_group(diagram, list(group)) for group in groups]
    shares = np.array([counts[list(group)].sum(axis=0) for group in groups], np.float64)
    shares /= shares.sum(axis=1, keepdims=True) / 100
    left = np.zeros(len(groups))
    colours = KINDS if len(diagram.kinds) == len(KINDS) else (KINDS[0], KINDS[2], KINDS[4], MUTED)
    for kind, name in enumerate(diagram.kinds):
        if shares[:, kind].any():
            axes.barh(names, shares[:, kind], left=left, color=colours[kind], height=0.72, label=name)
            left += shares[:, kind]
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("% of events")
    axes.legend(
        ncols=len(diagram.kinds), loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=8.5,
        handlelength=0.8, handleheight=0.8, columnspacing=1, handletextpad=0.4, borderpad=0,
    )  # fmt: skip


def _lateness(lags: Line, axes: "Axes") -> None:
    axes.plot(lags.x, lags.y, linestyle="none", marker="o", markersize=2.4, markeredgewidth=0, color=MACHINES[0])
    if lags.y.max() > 50 * max(float(np.median(lags.y)), 0.01):
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(bottom=0)
    else:
        axes.set_ylim(bottom=min(0, float(lags.y.min())))
    _scaled(axes, "time, s", "ms", bottom=None)


def _lines(axes: "Axes", diagram: Diagram, lines: Sequence[tuple[int, Line]], *, width: float = 1.3) -> None:
    for lane, line in lines:
        axes.step(line.x, line.y, where="post", color=MACHINES[lane], linewidth=width)
    _legend(axes, [(lane, diagram.lanes[lane]) for lane, _ in lines])


def _legend(axes: "Axes", lanes: Sequence[tuple[int, str]]) -> None:
    """Name the machines above the axes, each with its colour."""
    for lane, name in lanes:
        axes.plot([], [], color=MACHINES[lane], linewidth=3, label=called(name))
    columns = max(1, min(len(lanes), 62 // (4 + max((len(called(name)) for _, name in lanes), default=1))))
    axes.legend(
        ncols=columns, loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=8.5,
        handlelength=0.9, columnspacing=1.2, handletextpad=0.5, borderpad=0.1,
    )  # fmt: skip


def _bands(axes: "Axes", found: Quantiles) -> None:
    low, first, median, third, high = found.y
    axes.fill_between(found.x, low, high, color=MACHINES[0], alpha=0.15, linewidth=0)
    axes.fill_between(found.x, first, third, color=MACHINES[0], alpha=0.3, linewidth=0)
    axes.plot(found.x, median, color=MACHINES[0])


def _dots(x: Any, y: Any) -> Line:
    """Return dots, those that would hide one another once; of more than can be drawn, the highest of each place."""
    if len(x) <= DOTS_MAX:
        return Line(x, y)
    span = float(x.max() - x.min()) or 1.0
    column = ((x - x.min()) / span * (DOTS_MAX // 2)).astype(np.int64)
    order = np.lexsort((-y, column))
    is_high = np.append(True, np.diff(column[order]) > 0)
    is_low = np.append(np.diff(column[order]) > 0, True)
    kept = np.sort(order[is_high | is_low])
    return Line(x[kept], y[kept])


def _along(axes: "Axes", diagram: Diagram, unit: str) -> None:
    _scaled(axes, series.axis_label(diagram), unit)


def _scaled(axes: "Axes", x: str, unit: str, *, bottom: float | None = 0) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(unit)
    if bottom is not None:
        axes.locator_params(axis="y", integer=True)
    axes.margins(x=0.01)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    if bottom is not None:
        axes.set_ylim(bottom=bottom)
    axes.grid(visible=False, axis="x")


def _marked(draw: Draw, diagram: Diagram, divergence_s: float | None, axes: "Axes") -> None:
    """Draw, with faults shaded, and a line where another run is different for the first time."""
    draw(axes)
    left, right = axes.get_xlim()
    for stripe in diagram.stripes[:STRIPES_MAX]:
        axes.axvspan(max(left, stripe.from_time / 1e9), min(right, stripe.to_time / 1e9), color=MARK, alpha=0.07, lw=0)
    if divergence_s is not None:
        axes.axvline(divergence_s, color=MARK, linewidth=1, linestyle="--")
    axes.set_xlim(left, right)


def _group(diagram: Diagram, lanes: Sequence[int]) -> str:
    first, last = called(diagram.lanes[lanes[0]]), short(diagram.lanes[lanes[-1]])
    return first if len(lanes) == 1 else f"{first} to {last}"


def called(name: str) -> str:
    """Return what to call a machine: a mere number is no name."""
    return f"machine {name}" if name.isdecimal() else short(name)
