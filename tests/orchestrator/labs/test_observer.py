"""The faults in `observer.jsonl`: one line for each that begins, in every lab."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from node.model import Model, Pace
from orchestrator.labs.inprocess import run_in_process
from orchestrator.labs.live import run_live
from orchestrator.labs.observer import FaultNotes, Observer
from orchestrator.labs.simulated import run_simulated
from orchestrator.rundir import Run
from orchestrator.trace.bands import bands_of
from tests.fault_mixes import HALF_A_SECOND, machines_of

EVERY_KIND = {
    "faults": (
        {"from": "100ms", "to": "200ms", "partition": ((1,), (2, 3)), "messages": "lose", "one_way": True},
        {"from": "50ms", "to": "300ms", "slow": 1, "factor": 2},
        {"from": "150ms", "to": "250ms", "crash": 2, "amnesia": True},
        {"from": "499ms", "to": "900ms", "pause": 3},
        {"from": "500ms", "to": "900ms", "pause": 2},
    )
}
"""The fifth never begins, and no tick is due after the fourth has."""

EXPECTED: list[dict[str, Any]] = [
    {"kind": "slow-down", "node": 1, "from_ns": 50_000_000, "to_ns": 300_000_000, "factor": 2},
    {
        "kind": "partition",
        "from_ns": 100_000_000,
        "to_ns": 200_000_000,
        "messages": "lose",
        "links": [[1, 2], [1, 3]],
    },
    {"kind": "crash", "node": 2, "from_ns": 150_000_000, "to_ns": 250_000_000, "amnesia": True},
    {"kind": "pause", "node": 3, "from_ns": 499_000_000, "to_ns": 900_000_000},
]


def machines() -> dict[int, Model]:
    return machines_of(HALF_A_SECOND | EVERY_KIND)


def faults(directory: Path) -> list[dict[str, Any]]:
    path = Run(directory).observer_path
    lines = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []
    return [line for line in lines if line.pop("event") == "fault"]


def without_wall(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in line.items() if key != "wall"} for line in lines]


def test_a_simulated_run_has_a_line_for_each_fault_that_begins(tmp_path: Path) -> None:
    """In the order in which they begin, without a time of the world."""
    run_simulated(Run(tmp_path), machines(), name="test")
    found = faults(tmp_path)

    assert without_wall(found) == EXPECTED
    assert {line["wall"] for line in found} == {None}


def test_in_process_each_is_noted_when_it_begins(tmp_path: Path) -> None:
    """Not before by the wall clock, and all of them by the end."""
    asyncio.run(run_in_process(Run(tmp_path), machines(), name="test"))
    found = faults(tmp_path)
    epoch_ns = json.loads(Run(tmp_path).events_path(1).read_bytes().split(b"\n")[0])["epoch_ns"]

    assert without_wall(found) == EXPECTED
    assert all(line["wall"] - epoch_ns >= line["from_ns"] for line in found[:3])


def test_a_run_without_faults_has_no_such_file(tmp_path: Path) -> None:
    run_simulated(Run(tmp_path), machines_of(HALF_A_SECOND), name="test")

    assert not Run(tmp_path).observer_path.exists()


def test_what_has_not_begun_is_not_noted(tmp_path: Path) -> None:
    """A run that is interrupted never had the rest."""
    path = tmp_path / "observer.jsonl"
    notes = FaultNotes(Observer(path), bands_of(machines()))
    notes.note_until(100_000_000, wall=7)

    assert without_wall(faults(tmp_path)) == EXPECTED[:2]
    assert notes.next_ns == 150_000_000


@pytest.mark.live
@pytest.mark.parametrize("pace", ["exact", "fast"])
def test_live_the_same_faults_are_noted_and_the_same_lines_written(pace: Pace, tmp_path: Path) -> None:
    """A crash is noted when it has happened, so that at the pace fast the order is another."""
    (tmp_path / "live").mkdir()
    (tmp_path / "simulated").mkdir()
    asyncio.run(run_live(Run(tmp_path / "live"), machines(), name="test", pace=pace))
    run_simulated(Run(tmp_path / "simulated"), machines(), name="test")
    found = without_wall(faults(tmp_path / "live"))

    assert sorted(found, key=lambda line: line["from_ns"]) == EXPECTED
    for node in machines():
        assert places_of(tmp_path / "live", node) == places_of(tmp_path / "simulated", node)


@pytest.mark.live
def test_live_a_fault_that_begins_after_the_last_stop_record_is_noted_too(tmp_path: Path) -> None:
    """The last ticks are due at 0.5 s, and the nodes do not wait for the end of the second."""
    fields = {"tick_rate": {"min": 2, "max": 2}, "phase": "aligned", "duration": "1s"}
    late = machines_of(HALF_A_SECOND | fields | {"faults": ({"from": "999ms", "to": "2s", "pause": 1},)})
    asyncio.run(run_live(Run(tmp_path), late, name="test", pace="exact"))

    assert [line["from_ns"] for line in faults(tmp_path)] == [999_000_000]


def places_of(directory: Path, node: int) -> list[tuple[str, int, int | None]]:
    """Return which line of a log is what; when a connection was made is of the world alone."""
    lines = map(json.loads, Run(directory).events_path(node).read_bytes().split(b"\n")[:-1])
    return [(line["event"], line["incarnation"], line.get("index")) for line in lines if line["event"] != "link"]
