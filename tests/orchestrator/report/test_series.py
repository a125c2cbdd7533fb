"""What the plots show is what `measure` says, and a shorter column hides no extreme."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.report import series
from orchestrator.report.diagram import diagram_of
from orchestrator.trace.measure import measure
from orchestrator.trace.store import Trace
from orchestrator.twin import simulated
from tests.clusters import cluster


@pytest.fixture(scope="module", params=[1, 2, 262])
def trace(request: pytest.FixtureRequest) -> Trace:
    return simulated(cluster(3, seconds=20, seed=request.param, internal_probability=0.3))


def test_the_drawn_drift_is_the_measured_one(trace: Trace) -> None:
    """Its largest value, and its mean by time."""
    diagram, measures = diagram_of(trace), measure(trace)
    start, end = series.window(diagram, is_ours=True)
    apart, each = series.behind(diagram, start, end)

    assert measures["drift_max"] == apart.y.max() == max(line.y.max() for _, line in each)
    assert float(apart.y[:-1] @ np.diff(apart.x)) / 20 == pytest.approx(measures["drift_mean"])


def test_the_drawn_drift_of_many_machines_is_the_measured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, no instant is left out at which a clock changes."""
    ring = {node: (node % 1000 + 1,) for node in range(1, 1001)}
    trace = simulated(cluster(1000, seconds=5, internal_probability=0.0, topology=ring))
    diagram, measures = diagram_of(trace), measure(trace)
    monkeypatch.setattr(series, "thinned", series.Line)

    apart, each = series.behind(diagram, *series.window(diagram, is_ours=True))

    assert measures["drift_max"] == apart.y.max()
    assert float(apart.y[:-1] @ np.diff(apart.x)) / 5 == pytest.approx(measures["drift_mean"])
    assert each == []


def test_the_drawn_jumps_and_queues_are_the_measured_ones(trace: Trace) -> None:
    diagram, measures = diagram_of(trace), measure(trace)
    _, _, jumps = series.jumps(diagram)

    assert (measures["jump_max"], measures["jump_mean"]) == (jumps.max(), pytest.approx(jumps.mean()))
    assert measures["queue_max"] <= max(line.y.max() for _, line in series.queues(diagram))


def test_quartiles_lie_between_the_extremes(trace: Trace) -> None:
    found = series.clock_quantiles(diagram_of(trace)).y

    assert (np.diff(found, axis=0) >= 0).all()
    assert found[-1].max() == trace.clock.max()


@given(st.binary(min_size=20, max_size=60))
@settings(max_examples=30)
def test_a_thinned_line_keeps_its_extremes_and_its_ends(steps: bytes) -> None:
    """Steps that repeat, so that a short example makes a long line."""
    y = np.cumsum(np.resize(np.frombuffer(steps, np.uint8).astype(np.float64) - 100, 1500))
    line = series.thinned(np.arange(len(y), dtype=np.float64), y)

    assert len(line.x) <= series.POINTS_MAX
    assert (y.min(), y.max(), y[0], y[-1]) == (line.y.min(), line.y.max(), line.y[0], line.y[-1])
    assert (np.diff(line.x) > 0).all()
