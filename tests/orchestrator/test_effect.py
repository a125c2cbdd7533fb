"""What faults changed: the two runs side by side, and what may not differ between them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from orchestrator.__main__ import main
from orchestrator.config import Experiment
from orchestrator.effect import effect
from orchestrator.trace import Trace
from orchestrator.trace.store import KINDS, RECEIVE
from orchestrator.twin import simulated
from tests.fault_mixes import EACH, HALF_A_SECOND, mixes


def both(fields: dict[str, Any]) -> tuple[Trace, Trace]:
    """Return a run with its faults, and without."""
    experiment = Experiment.model_validate(fields)
    return simulated(experiment.machines(1)), simulated(experiment.undisturbed().machines(1))


def actions(trace: Trace) -> dict[tuple[int, int], tuple[str, tuple[int, ...]]]:
    """Return, by machine and tick, the kind and the recipients of each event that does not receive."""
    return {
        (int(trace.node[row]), int(trace.tick[row])): (
            KINDS[trace.kind[row]],
            tuple(sorted(set(trace.messages.recipient[trace.sent_by.get(row, [])].tolist()))),
        )
        for row in np.flatnonzero(trace.kind != RECEIVE).tolist()
    }


@given(mixes(crashes=True))
@settings(deadline=None, max_examples=40)
def test_a_tick_that_receives_in_neither_run_does_the_same_in_both(fields: dict[str, Any]) -> None:
    """Model section 1: the dice are keyed by tick; whatever happened before, the later rolls are the same."""
    faulty, undisturbed = map(actions, both(fields))

    for place in faulty.keys() & undisturbed.keys():
        assert faulty[place] == undisturbed[place]


def test_a_run_without_faults_is_its_own_twin() -> None:
    """Nothing changed, and nothing differs."""
    found = effect(*both(HALF_A_SECOND))

    assert found["with"] == found["without"]
    assert (found["equal"], found["same_action"], found["first_divergence"]) == (found["places"], 1.0, None)


def test_the_first_event_that_differs_is_the_first_that_the_fault_touched() -> None:
    """The first message that is lost, in the order of due times."""
    faulty, undisturbed = both(HALF_A_SECOND | EACH["loss"])
    lost_ns = faulty.due_ns[faulty.messages.send_row[faulty.messages.number < 0]].min()
    found = effect(faulty, undisturbed)

    assert found["first_divergence"]["differs"] == ["to"]
    assert found["first_divergence"]["a"]["due_ms"] == lost_ns / 1e6
    assert None in found["first_divergence"]["a"]["arrival_ms"]
    assert None not in found["first_divergence"]["b"]["arrival_ms"]


@pytest.mark.parametrize("name", ["loss", "duplicates", "pause"])
def test_the_numbers_of_both_are_those_of_their_traces(name: str) -> None:
    faulty, undisturbed = both(HALF_A_SECOND | EACH[name])
    found = effect(faulty, undisturbed)

    for side, trace in (("with", faulty), ("without", undisturbed)):
        numbers = found[side]
        assert numbers["events"] == len(trace)
        assert numbers["sent"] + numbers["duplicated"] == len(trace.messages)
        assert numbers["received"] == int(trace.is_receive.sum())
    assert found["without"]["lost"] == found["without"]["duplicated"] == 0
    assert (found["with"]["lost"] > 0) == (name == "loss")
    assert (found["with"]["duplicated"] > 0) == (name == "duplicates")
    assert (found["with"]["events"] < found["without"]["events"]) == (name == "pause")


def test_run_tells_of_the_twin_only_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`run --twin`: a key more for each run, and a table for people."""
    monkeypatch.chdir(tmp_path)
    Path("lossy.yaml").write_text("duration: 10s\nruns: 2\nnetwork: {delay: 10ms, loss: 0.3}\n")
    words = ["run", "lossy.yaml", "--lab", "simulated"]
    for extra, has_twin in ([], False), (["--twin"], True):
        assert main([*words, *extra, "--json"]) == 0
        data = json.loads(capsys.readouterr().out)
        assert ["twin" in one for one in data["runs"]] == [has_twin] * 2
    recorded = json.loads(Path(data["runs"][0]["dir"], "results.json").read_text())
    assert recorded["twin"] == data["runs"][0]["twin"]

    assert main([*words, "--twin"]) == 0
    shown = capsys.readouterr().out
    assert "What the faults changed, beside the same seeds without them:" in shown
    assert "(lost)" in shown
    assert "(there at " in shown
