"""The in-process lab: the simulation's events, each at its due time by the wall clock."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.errors import OutputError
from node.model import Model
from orchestrator.labs.inprocess import WallClock, run_in_process
from orchestrator.labs.outcome import Outcome
from orchestrator.labs.progress import Progress, Watcher, nobody
from orchestrator.labs.simulated import run_simulated
from orchestrator.rundir import Run
from orchestrator.trace import check, compare, read_trace
from orchestrator.twin import simulated
from tests.balance import Terms, unbalanced
from tests.clusters import cluster
from tests.delays import WITH_DRAWN_DELAYS, strays
from tests.fault_mixes import EACH, half_a_second, machines_of, mixes

MACHINES = cluster(rates=(20, 60), seconds=0.5)


def perform(
    directory: Path,
    machines: dict[int, Model] = MACHINES,
    *,
    watcher: Watcher = nobody,
    interrupted: asyncio.Event | None = None,
) -> Outcome:
    """Run a cluster in this process."""
    return asyncio.run(run_in_process(Run(directory), machines, name="test", progress=watcher, interrupted=interrupted))


def lines_of(directory: Path, node: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Run(directory).events_path(node).read_bytes().split(b"\n")[:-1]]


def untimed(line: dict[str, Any]) -> dict[str, Any]:
    """Return what a line says whatever the time of the world."""
    return {key: value for key, value in line.items() if key not in ("wall", "epoch_ns", "pace", "held_back")}


def test_every_event_is_that_of_the_simulation(tmp_path: Path) -> None:
    """Model section 4: all labs give the same events for the same configuration and seed."""
    perform(tmp_path)
    trace, twin = read_trace(Run(tmp_path).event_logs()), simulated(MACHINES)

    assert compare(trace, twin).fidelity == 1
    assert check(trace, twin).verdict == "valid"


def perform_all(directory: Path, clusters: dict[str, dict[int, Model]]) -> None:
    """Run several clusters beside each other, each in a directory of its own."""

    async def together() -> None:
        async with asyncio.TaskGroup() as tasks:
            for name, machines in clusters.items():
                (directory / name).mkdir()
                tasks.create_task(run_in_process(Run(directory / name), machines, name=name))

    asyncio.run(together())


def judged(directory: Path, machines: dict[int, Model]) -> tuple[str, float, Mapping[tuple[int, int], Terms]]:
    """Return the verdict on a record, its fidelity, and the links that do not balance."""
    trace, twin = read_trace(Run(directory).event_logs()), simulated(machines)
    return check(trace, twin).verdict, compare(trace, twin).fidelity, unbalanced(Run(directory), machines)


def test_with_each_fault_every_event_is_that_of_the_simulation(tmp_path: Path) -> None:
    """Faults are part of the model: valid, every link balanced, fidelity exactly 1."""
    clusters = {name: half_a_second(name) for name in EACH}
    perform_all(tmp_path, clusters)

    assert dict.fromkeys(EACH, ("valid", 1.0, {})) == {
        name: judged(tmp_path / name, machines) for name, machines in clusters.items()
    }
    for name in WITH_DRAWN_DELAYS:
        assert set() == strays(Run(tmp_path / name), clusters[name])


@given(st.lists(mixes(crashes=True, duration_ms=400, rate_hz_max=60), min_size=8, max_size=8))
@settings(deadline=None, max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_with_any_mix_of_faults_every_event_is_that_of_the_simulation(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[dict[str, Any]]
) -> None:
    """Eight clusters at a time, each with faults of its own."""
    directory = tmp_path_factory.mktemp("mixes")
    clusters = {str(number): machines_of(fields) for number, fields in enumerate(drawn)}
    perform_all(directory, clusters)

    assert dict.fromkeys(clusters, ("valid", 1.0, {})) == {
        name: judged(directory / name, machines) for name, machines in clusters.items()
    }


def test_a_tick_never_acts_before_its_due_time(tmp_path: Path) -> None:
    """Model section 4: at the pace exact a tick happens at its due time by the wall clock, not before."""
    perform(tmp_path)
    early = [
        line
        for node in MACHINES
        for start, *rest in [lines_of(tmp_path, node)]
        for line in rest
        if "due_ns" in line and line["wall"] - start["epoch_ns"] < line["due_ns"]
    ]

    assert early == []


@pytest.mark.parametrize("name", ["ring", "amnesia twice"])
def test_the_logs_differ_from_simulated_ones_in_times_of_the_world_alone(name: str, tmp_path: Path) -> None:
    """Design section 4: the labs write the same lines, those of a crash too."""
    machines = half_a_second(name)
    (tmp_path / "simulated").mkdir()
    (tmp_path / "in-process").mkdir()
    run_simulated(Run(tmp_path / "simulated"), machines, name="test")
    perform(tmp_path / "in-process", machines)

    for node in machines:
        assert list(map(untimed, lines_of(tmp_path / "in-process", node))) == list(
            map(untimed, lines_of(tmp_path / "simulated", node))
        )


def test_a_simulated_log_knows_no_time_of_the_world(tmp_path: Path) -> None:
    """Design section 4: `wall` is null if simulated; there is no pace, and nothing to hold back."""
    run_simulated(Run(tmp_path), MACHINES, name="test")
    start, *_, stop = lines_of(tmp_path, 1)

    assert (start["epoch_ns"], start["pace"], stop["held_back"]) == (0, None, None)
    assert {line["wall"] for line in lines_of(tmp_path, 1)} == {None}


def test_a_machine_that_is_down_at_the_end_still_writes_its_stop_record(tmp_path: Path) -> None:
    """Model section 6: of one that the model has down, too, what is left is counted; nobody began a new life."""
    run_simulated(Run(tmp_path), half_a_second("crash to the end"), name="test")
    *_, end, down, boot, stop = lines_of(tmp_path, 2)

    assert (end["event"], end["incarnation"], end["interrupted"]) == ("end", 0, False)
    assert [(line["event"], line["incarnation"]) for line in (down, boot)] == [("down", 0), ("boot", 0)]
    assert (stop["event"], stop["incarnation"], stop["events"]) == ("stop", 0, end["events"])
    assert sum(in_queue for _, in_queue, _ in stop["incoming"]) > 0


def test_a_log_with_amnesia_counts_the_events_of_its_last_incarnation(tmp_path: Path) -> None:
    """The end line is that of the incarnation that came to the end."""
    run_simulated(Run(tmp_path), half_a_second("amnesia"), name="test")
    start, *lines, end, _ = lines_of(tmp_path, 2)

    assert (start["incarnation"], end["incarnation"]) == (0, 1)
    assert end["events"] == lines[-1]["index"] == sum(line["incarnation"] for line in lines if "index" in line)
    assert read_trace(Run(tmp_path).event_logs()).damage == ()


def test_a_machine_without_a_tick_has_a_log_that_ends(tmp_path: Path) -> None:
    """Model section 6: after its last tick, be there none at all, a machine ends and stops."""
    machines = cluster(rates=(1, 1), seconds=0.001)
    run_simulated(Run(tmp_path), machines, name="test")

    assert [line["event"] for line in lines_of(tmp_path, 1)] == ["start", "end", "stop"]


def test_a_stall_delays_ticks_and_skips_none(tmp_path: Path) -> None:
    """Model section 4: nobody skips a tick; a lab that woke late executes every missed one in order."""
    stalls = iter([0.2])

    def stall(progress: Progress) -> None:
        time.sleep(next(stalls, 0))

    perform(tmp_path, watcher=stall)
    trace = read_trace(Run(tmp_path).event_logs())

    assert compare(trace, simulated(MACHINES)).fidelity == 1


def test_an_interrupted_run_is_sealed_and_says_so(tmp_path: Path) -> None:
    """Design section 5: at Ctrl-C logs are sealed; without its end a run has no stop records."""
    interrupted = asyncio.Event()

    def interrupt(progress: Progress) -> None:
        if progress.over_ns > 100_000_000:
            interrupted.set()

    outcome = perform(tmp_path, cluster(rates=(20, 60), seconds=60), watcher=interrupt, interrupted=interrupted)
    ends = [lines_of(tmp_path, node)[-1] for node in MACHINES]

    assert outcome.interrupted
    assert [(end["event"], end["interrupted"]) for end in ends] == [("end", True)] * 3
    assert check(read_trace(Run(tmp_path).event_logs())).verdict == "unknown"


def test_somebody_who_waits_for_a_far_tick_can_still_be_interrupted() -> None:
    """Design section 5: Ctrl-C does not wait for the next tick."""

    async def wait_an_hour() -> float:
        interrupted = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, interrupted.set)
        started = time.monotonic()
        await WallClock().wait_until(3_600_000_000_000, interrupted)
        return time.monotonic() - started

    assert asyncio.run(wait_an_hour()) < 60


def test_an_existing_log_is_never_written_over(tmp_path: Path) -> None:
    """Design section 5: an output that exists is exit 73."""
    Run(tmp_path).events_path(2).write_bytes(b"")

    with pytest.raises(OutputError):
        perform(tmp_path)


def test_progress_never_runs_back_and_comes_to_the_last_tick(tmp_path: Path) -> None:
    """The watcher of a run sees its model time go by."""
    seen: list[int] = []
    perform(tmp_path, watcher=lambda progress: seen.append(progress.over_ns))

    assert seen == sorted(seen)
    assert seen[-1] >= max(model.due_ns(model.tick_count - 1) for model in MACHINES.values())
