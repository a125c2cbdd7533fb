"""The space-time diagram in a browser: bytes an event, when it is first drawn, and what a frame costs.

A frame is a step of a scripted pan at 1600 x 900, at three zooms: everything, a twentieth, a two-hundredth. Its CPU is
that of the page's scripts, which is our drawing; what the browser does with it comes after. Peer: none.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.report.diagram import Diagram, as_json, diagram_of
from orchestrator.twin import simulated
from tests.bench.figures import Below, Bench, Limit, Row, spread
from tests.bench.table import table
from tests.browser import WHY_NOT, Opened, browser, chromium, opened, page_of
from tests.clusters import cluster

SIZES, SIZES_QUICK = (1_000, 10_000, 100_000), (500,)
FRAMES, FRAMES_QUICK = 100, 5
ZOOMS = (1.0, 0.05, 0.005)
EVENTS_A_SECOND = 48
"""Of ten machines with the seed of all our tests."""
BYTES_AN_EVENT_MAX, MEGABYTES_MAX, FIRST_DRAWN_S_MAX, FRAME_MS_MAX, PRIMITIVES_MAX = 25, 4, 1, 8, 5001


def run(rounds: int, quick: bool) -> list[Row]:
    """Return the rows of each size; without a browser those of the data alone."""
    rows: list[Row] = []
    with TemporaryDirectory() as folder:
        for size in SIZES_QUICK if quick else SIZES:
            diagram = diagram_of(simulated(cluster(10, seconds=size / EVENTS_A_SECOND)), name=f"{size} events")
            file = Path(folder) / f"{size}.html"
            file.write_text(page_of(diagram), encoding="utf-8")
            rows += _sizes(diagram, file)
            rows += _drawn(diagram, file, rounds, FRAMES_QUICK if quick else FRAMES) if chromium() else [_untold()]
    return rows


def _sizes(diagram: Diagram, file: Path) -> list[Row]:
    count, is_large = len(diagram), len(diagram) >= 50_000
    each = len(as_json(diagram)) / count
    limits = [Below(BYTES_AN_EVENT_MAX + 0.01), Below(MEGABYTES_MAX)] if is_large else [None, None]
    return [
        _figure(f"{count:,} events: bytes each", "B", [each], limits[0]),
        _figure(f"{count:,}: the page", "MB", [file.stat().st_size / 1e6], limits[1]),
    ]


def _drawn(diagram: Diagram, file: Path, rounds: int, frames: int) -> list[Row]:
    is_large = len(diagram) >= 50_000
    first: list[float] = []
    wall: dict[float, list[float]] = {zoom: [] for zoom in ZOOMS}
    cpu: dict[float, list[float]] = {zoom: [] for zoom in ZOOMS}
    primitives: dict[float, int] = dict.fromkeys(ZOOMS, 0)
    with browser() as started:
        for _ in range(max(rounds, 1)):
            with opened(started, file, width=1600, height=900) as page:
                page.page.wait_for_function("document.querySelector('.space-time').diagram?.drawnAt > 0")
                first.append(page.diagram("d.drawnAt") / 1000)
                for zoom in ZOOMS:
                    taken, busy, most = _panned(page, zoom, frames)
                    wall[zoom].append(_p95(taken))
                    cpu[zoom].append(_p95(busy))
                    primitives[zoom] = max(primitives[zoom], most)

                assert page.problems == []
    count = f"{len(diagram):,}"
    rows = [_figure(f"{count}: first drawn", "s", first, Below(FIRST_DRAWN_S_MAX) if is_large else None)]
    for zoom in ZOOMS:
        name = f"{count}: p95 a frame at {zoom:g}"
        rows.append(Row(name, "ms", spread(wall[zoom]), spread(cpu[zoom]), Below(FRAME_MS_MAX), judged="cpu"))
        rows.append(_figure(f"{count}: primitives at {zoom:g}", "", [primitives[zoom]], Below(PRIMITIVES_MAX)))
    return rows


def _panned(page: Opened, zoom: float, frames: int) -> tuple[list[float], list[float], int]:
    """Return what each frame took by the wall and in CPU, in ms, and the most primitives."""
    page.diagram("(d.fit(), d.zoom(a, d.view.from), d.render())", zoom)
    page.drawn()
    step = 0.02 if zoom == 1 else min(0.1, (1 / zoom - 1) / frames)
    taken, busy, most = [], [], 0
    for _ in range(frames):
        before = page.script_s()
        ms, primitives = page.diagram("(d.pan(a), d.render(), [d.frame.ms, d.frame.primitives])", step)
        busy.append((page.script_s() - before) * 1000)
        taken.append(ms)
        most = max(most, primitives)
    return taken, busy, most


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


def _figure(name: str, unit: str, values: Sequence[float], limit: Limit | None) -> Row:
    return Row(name, unit, spread(values), None, limit)


def _untold() -> Row:
    return Row(f"  nothing drawn: {WHY_NOT}"[:30], "", spread([0.0]), None)


BENCH = Bench("diagram", "the space-time diagram in a browser", rounds=5, run=run, table=table)
