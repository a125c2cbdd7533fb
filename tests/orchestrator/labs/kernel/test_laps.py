"""A plain run of few machines adds up lap by lap to what `add_up` says of its columns."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from node.model import CLOCK_NAMES
from orchestrator.config import Experiment
from orchestrator.labs.kernel import batch
from orchestrator.labs.kernel.batch import Batch, Totals, totals_of
from orchestrator.labs.kernel.laps import fits
from orchestrator.labs.kernel.plan import plan_of
from orchestrator.labs.kernel.run import run_plan
from orchestrator.many import _draws
from orchestrator.trace.compiled.totals import WORD_BITS

RUNS = 3
SECOND_NS = 10**9


def totals(experiment: Experiment, *, by_laps: bool) -> Totals:
    """Add up some runs in one of the two ways, in columns that hold whatever was there before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "fits", lambda *_, **__: by_laps)
        one = Batch(plan_of(experiment.machines(1)), _draws(experiment))
    seeds = np.arange(RUNS, dtype=np.int64) + experiment.seed
    one.add_up(seeds[::-1].copy())
    return one.add_up(seeds)


def assert_equal(experiment: Experiment) -> None:
    """Assert that both ways, and the pass over the columns of each run that is kept, agree in every word."""
    found, expected = totals(experiment, by_laps=True), totals(experiment, by_laps=False)

    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for run in range(RUNS):
        record = run_plan(plan_of(experiment.machines(run + 1)))
        assert record is not None
        for ours, one in zip(found, totals_of(record), strict=True):
            np.testing.assert_array_equal(ours[run], one[0])


EXPERIMENTS = st.fixed_dictionaries(
    {
        "nodes": st.integers(2, 3),
        "tick_rate": st.tuples(st.integers(1, 9), st.integers(0, 30)).map(lambda r: {"min": r[0], "max": sum(r)}),
        "phase": st.sampled_from(["random", "aligned"]),
        "internal_probability": st.sampled_from([0.0, 0.2, 0.7, 1.0]),
        "topology": st.sampled_from(["full", "ring", "star", {"random": 1}]),
        "clock": st.sampled_from(CLOCK_NAMES),
        "network": st.integers(0, 3000).map(lambda delay_ms: {"delay": f"{delay_ms}ms"}),
        "duration": st.integers(1, 40_000).map(lambda duration_ms: f"{duration_ms}ms"),
        "seed": st.integers(0, 10**6),
    }
)
"""Whatever is plain: laps of one second and of several, and messages that arrive after the end."""
ALIGNED: dict[str, Any] = {"phase": "aligned", "tick_rate": (1, 1, 1), "duration": "40s", "internal_probability": 0.2}


@settings(max_examples=200, deadline=None)
@given(EXPERIMENTS)
@example(ALIGNED)
@example({"duration": "1ns", "seed": 3})
@example({"duration": "500ms", "tick_rate": (1, 2, 3)})
@example({"duration": "70s", "tick_rate": {"min": 1, "max": 6}, "network": {"delay": "2500ms"}})
def test_drawn_runs_add_up_to_the_same_in_every_way(fields: dict[str, Any]) -> None:
    """Also where nothing happens, all tick at once, or a lap is longer than what is left."""
    assert_equal(Experiment.model_validate(fields))


@pytest.mark.parametrize("internal", [0.0, 1.0])
def test_the_longest_run_that_fits_adds_up_to_the_same(internal: float) -> None:
    """A tick a second, all of one kind: of no other run does a word count as many."""
    fields = {"nodes": 2, "tick_rate": (1, 1), "internal_probability": internal, "network": {"delay": "1ms"}}
    seconds = longest(nodes=2)
    assert_equal(Experiment.model_validate(fields | {"duration": f"{seconds}s", "phase": "aligned"}))


def longest(nodes: int) -> int:
    """Return for how many seconds so many machines that tick once a second, and send each other all, fit."""

    def is_short(seconds: int) -> bool:
        events, copies = nodes * seconds, max(1, nodes - 1)
        return fits(events, machines=nodes, copies_max=copies, lift=1, duration_ns=seconds * SECOND_NS)

    return max(seconds for seconds in range(1, 1 << 16) if is_short(seconds))


def test_no_run_that_fits_has_more_seconds_than_a_word_counts() -> None:
    """One machine has the fewest events a second, and so the most seconds."""
    assert longest(nodes=1) == 48_019


@pytest.mark.parametrize("given", [{"copies_max": 1, "lift": 4}, {"copies_max": 4, "lift": 1}])
def test_what_could_outgrow_a_word_does_not_fit(given: dict[str, int]) -> None:
    """Twice so many events, each of them four times, all the time: the bound is the word itself."""
    duration_ns = 1 << 40
    events = 1 << WORD_BITS - 40 - 1 - 2

    assert fits(events - 1, machines=3, duration_ns=duration_ns, **given)
    assert not fits(events, machines=3, duration_ns=duration_ns, **given)
    assert not fits(1, machines=4, duration_ns=1, **given)


def test_only_a_batch_that_fits_is_added_up_by_laps(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how many events there are at most, how many machines, and how many copies one event sends at most."""
    asked: list[Any] = []
    monkeypatch.setattr(batch, "fits", lambda events, **given: not asked.append((events, given)))
    fields = {"nodes": 3, "tick_rate": {"min": 1, "max": 6}, "duration": "5s", "topology": "full"}
    experiment = Experiment.model_validate(fields)
    Batch(plan_of(experiment.machines(1)), _draws(experiment))

    assert asked == [(90, {"machines": 3, "copies_max": 2, "lift": 1, "duration_ns": 5 * SECOND_NS})]
