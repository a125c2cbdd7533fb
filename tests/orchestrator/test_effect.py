"""What faults changed: the two runs side by side, and what may not differ between them."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from orchestrator.__main__ import main
from orchestrator.config import Experiment
from orchestrator.effect import effect
from orchestrator.screen.effect import show_effect
from orchestrator.screen.parts import Screen, number
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


@given(mixes(crashes=True))
@settings(deadline=None, max_examples=20)
def test_the_messages_of_both_add_up(fields: dict[str, Any]) -> None:
    """Each message of either run is received, waits, is on its way or lost; the twin loses, doubles and holds none."""
    found = effect(*both(fields))

    for numbers in (found["with"], found["without"]):
        left = numbers["in_queue"] + numbers["in_flight"]
        assert numbers["sent"] + numbers["duplicated"] == numbers["received"] + left + numbers["lost"]
    assert [found["without"][name] for name in ("lost", "duplicated", "held")] == [0, 0, 0]
    assert found["is_whole"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("loss", ["loss 0.3 on every link"]),
        ("reordering", ["duplicate 0.2, no order on every link"]),
        ("a far machine", ["a delay of its own, loss 0.2 on 1->3, 3->1"]),
        ("partition that holds", ["partition 1 | 2, 3 from 0.15 s to 0.3 s, messages held"]),
        ("ring", []),
    ],
)
def test_the_faults_are_what_the_twin_has_not(name: str, words: list[str]) -> None:
    """Windows, and what the network does to the messages of links."""
    found = effect(*both(HALF_A_SECOND | EACH[name]))

    assert [fault["words"] for fault in found["faults"]] == words


def test_what_a_partition_holds_is_counted() -> None:
    """The messages that arrive when it is over, and none that came through."""
    faulty, undisturbed = both(HALF_A_SECOND | EACH["partition that holds"])
    took_ns = faulty.messages.arrival_ns - faulty.due_ns[faulty.messages.send_row]

    assert effect(faulty, undisturbed)["with"]["held"] == np.count_nonzero(took_ns > 5_000_000) > 0


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
    assert "What the faults changed, beside the same 2 seeds without them:\n  - loss 0.3 on every link\n" in shown
    assert "(lost)" in shown
    assert "(there at " in shown


def shown(*effects: dict[str, Any]) -> list[str]:
    """Return what people see of them, without the borders of tables."""
    stream = io.StringIO()
    show_effect(Screen(stream), effects)
    return [line.strip() for line in stream.getvalue().splitlines()]


def row(lines: list[str], label: str) -> list[str]:
    """Return the numbers of a row of the table."""
    (found,) = [line.removeprefix(label).split() for line in lines if line.startswith(f"{label}  ")]
    return found


def test_the_table_tells_the_change_and_leaves_out_what_never_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Means of several runs, the largest of what is largest; messages that there are none of have no row."""
    monkeypatch.setenv("COLUMNS", "100")
    one = effect(*both(HALF_A_SECOND | EACH["loss"]))
    other = effect(*both(HALF_A_SECOND | EACH["loss"] | {"seed": 263}))
    lines = shown(one, other)
    lost, longest = ([each["with"][name] for each in (one, other)] for name in ("lost", "queue_max"))

    assert row(lines, "lost") == [number(sum(lost) / 2), "0", f"+{number(sum(lost) / 2)}"]
    assert row(lines, "queue, longest")[0] == str(max(longest))
    assert row(lines, "events")[0] == row(lines, "events")[1]
    assert not any(line.startswith(("second copies", "held by")) for line in lines)


def test_the_first_event_that_differs_is_told_with_its_run_and_its_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in which nothing differs comes first and is not it."""
    monkeypatch.setenv("COLUMNS", "100")
    same, crash = effect(*both(HALF_A_SECOND)), effect(*both(HALF_A_SECOND | EACH["crash"]))

    assert "The first of run 2 that differs (missing), in the crash of machine 2 from 0.15 s to 0.3 s:" in shown(
        same, crash
    )
    assert "- with: no such event" in shown(crash)
    assert "No event differs." in shown(same)


def test_a_run_that_was_cut_is_told_up_to_its_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it did not come to is no effect of its faults."""
    monkeypatch.setenv("COLUMNS", "100")
    experiment = Experiment.model_validate(HALF_A_SECOND | EACH["pause"])
    until_ns = 200_000_000
    faulty = simulated(experiment.machines(1), until_ns=until_ns)
    undisturbed = simulated(experiment.undisturbed().machines(1), until_ns=until_ns)
    whole = simulated(experiment.undisturbed().machines(1))
    found = effect(faulty, undisturbed)

    assert len(undisturbed) == np.count_nonzero(whole.due_ns <= until_ns)
    assert not found["is_whole"]
    assert found["without"]["events"] - found["with"]["events"] == np.count_nonzero(
        (whole.node == 2) & (whole.due_ns >= 150_000_000) & (whole.due_ns <= until_ns)
    )
    assert found["with"]["in_queue"] is None
    assert "Run 1 was cut short; it is told up to its last event, and so is its twin." in shown(found)
    assert not any(line.startswith("in a queue") for line in shown(found))
