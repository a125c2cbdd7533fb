"""The live lab: real processes over TCP, beside busy loops, stopped, cut short, and with mistakes in them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model import Model, Pace
from node.record import Line, parse_event, parse_line
from orchestrator.labs.inprocess import run_in_process
from orchestrator.labs.live import run_live
from orchestrator.labs.outcome import Outcome
from orchestrator.rundir import Run
from orchestrator.trace import Report, Trace, check, compare, read_trace
from orchestrator.trace.twin import unexplained
from orchestrator.twin import simulated
from tests.clusters import cluster
from tests.fault_mixes import EACH, half_a_second, machines_of, mixes
from tests.golden_runs import ALL, as_array, expected
from tests.golden_runs import machines as golden_machines
from tests.mistakes import MISTAKES

pytestmark = pytest.mark.live

DEADLINE_S = 60


def live(directory: Path, machines: Mapping[int, Model], *, pace: Pace, **how: object) -> Outcome:
    """Run a live cluster, with a deadline."""

    async def run() -> Outcome:
        async with asyncio.timeout(DEADLINE_S):
            return await run_live(Run(directory), machines, name="live", pace=pace, **how)  # type: ignore[arg-type]

    return asyncio.run(run())


def judged(directory: Path, machines: Mapping[int, Model]) -> tuple[Trace, Report, float]:
    """Read the logs back; return them, their verdict, and their fidelity."""
    trace, twin = read_trace(Run(directory).event_logs()), simulated(machines)
    return trace, check(trace, twin), compare(trace, twin).fidelity


def observed(directory: Path, event: str) -> list[dict[str, int]]:
    """Return the lines of one kind in `observer.jsonl`."""
    path = Run(directory).observer_path
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [line for line in map(json.loads, lines) if line["event"] == event]


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; looked at often, for what has no callback."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  # nothing tells of another process's file
            await asyncio.sleep(0.01)


@contextmanager
def busy_loops() -> Iterator[None]:
    """Keep every core busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


async def stop_for_two_seconds(pid: int) -> None:
    """SIGSTOP a process for two seconds of its run."""
    os.kill(pid, signal.SIGSTOP)
    resumed = time.monotonic() + 2
    await until(lambda: time.monotonic() >= resumed)
    os.kill(pid, signal.SIGCONT)


def live_with_a_stopped_node(directory: Path, machines: Mapping[int, Model], pace: Pace) -> Outcome:
    """Run a live cluster while its machine 2 is stopped for two seconds in the middle."""

    async def stop() -> None:
        log = Run(directory).events_path(2)
        await until(lambda: log.exists() and log.read_bytes().count(b"\n") > 5)
        await stop_for_two_seconds(observed(directory, "start")[1]["pid"])

    async def run() -> Outcome:
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(stop())
            return await run_live(Run(directory), machines, name="live", pace=pace)

    return asyncio.run(run())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_at_exact_a_loaded_machine_and_a_stopped_node_leave_no_mark(seed: int, tmp_path: Path) -> None:
    """Beside busy loops, with one node stopped for 2 s: valid, fidelity 1, and how long it held back is recorded."""
    machines = cluster(3, seed=seed, seconds=8)
    with busy_loops():
        outcome = live_with_a_stopped_node(tmp_path, machines, "exact")
    trace, report, fidelity = judged(tmp_path, machines)
    held_back = [machine.stop["held_back"] for machine in trace.machines.values() if machine.stop]

    assert outcome.failure is None
    assert ("valid", 1.0) == (report.verdict, fidelity)
    assert any(one is not None and one["max_ns"] > 1_000_000_000 for one in held_back)


def test_twelve_fast_machines_leave_no_mark_either(tmp_path: Path) -> None:
    """Twelve machines at 1-12 and 0.3, under the same load: valid, fidelity 1."""
    machines = cluster(12, seconds=8, rates=(1, 12), internal_probability=0.3)
    with busy_loops():
        live_with_a_stopped_node(tmp_path, machines, "exact")
    _, report, fidelity = judged(tmp_path, machines)

    assert ("valid", 1.0) == (report.verdict, fidelity)


def test_at_fast_load_and_a_stopped_node_leave_no_mark(tmp_path: Path) -> None:
    """The same at the pace fast, over enough model time that the stop falls into the run."""
    machines = cluster(3, seconds=1200)
    with busy_loops():
        live_with_a_stopped_node(tmp_path, machines, "fast")
    _, report, fidelity = judged(tmp_path, machines)

    assert ("valid", 1.0) == (report.verdict, fidelity)


def test_in_process_load_leaves_no_mark(tmp_path: Path) -> None:
    """All machines on one loop, beside busy loops, at the pace exact: valid, fidelity 1."""
    machines = cluster(3, seconds=8)

    async def run() -> Outcome:
        async with asyncio.timeout(DEADLINE_S):
            return await run_in_process(Run(tmp_path), machines, name="in-process")

    with busy_loops():
        asyncio.run(run())
    _, report, fidelity = judged(tmp_path, machines)

    assert ("valid", 1.0) == (report.verdict, fidelity)


def test_at_free_every_difference_has_a_late_message_in_its_past(tmp_path: Path) -> None:
    """With a delay of 10 ms bytes have time to come; where they had not, it is counted."""
    machines = cluster(3, seconds=4, delay_ms=10)
    live(tmp_path, machines, pace="free")
    trace, report, _ = judged(tmp_path, machines)

    assert report.verdict == "valid"
    assert [] == unexplained(trace, simulated(machines))


@pytest.mark.parametrize("name", ALL)
def test_a_live_cluster_gives_the_golden_trace(name: str, tmp_path: Path) -> None:
    """The conformance traces, by processes that talk TCP."""
    machines = golden_machines(name)
    live(tmp_path, machines, pace="fast")
    lines = [
        parse_line(line) for log in Run(tmp_path).event_logs().values() for line in log.read_bytes().split(b"\n")[:-1]
    ]
    events = [parse_event(line) for line in lines if line["event"] in ("internal", "send", "receive")]  # type: ignore[arg-type]

    assert expected(name) == [as_array(event) for event in sorted(events, key=lambda event: (event.due_ns, event.node))]


# Faults of the model.

BESIDE = 4
"""So many clusters run at a time: most of what one takes is the start of its processes."""


def perform_beside(
    directory: Path, clusters: Mapping[str, Mapping[int, Model]], pace: Pace
) -> dict[str, tuple[Report, float]]:
    """Run clusters, some beside each other; return the verdict and the fidelity of each."""

    async def one(name: str, turn: asyncio.Semaphore) -> None:
        (directory / name).mkdir()
        async with turn, asyncio.timeout(DEADLINE_S):
            await run_live(Run(directory / name), clusters[name], name=name, pace=pace)

    async def together() -> None:
        turn = asyncio.Semaphore(BESIDE)
        async with asyncio.timeout(DEADLINE_S * 3), asyncio.TaskGroup() as tasks:
            for name in clusters:
                tasks.create_task(one(name, turn))

    asyncio.run(together())
    return {name: judged(directory / name, machines)[1:] for name, machines in clusters.items()}


@pytest.mark.parametrize("pace", ["exact", "fast"])
def test_with_each_fault_a_live_cluster_gives_the_simulated_trace(pace: Pace, tmp_path: Path) -> None:
    """What the model loses, holds, doubles, lets overtake or kills is the same over TCP: valid, fidelity 1."""
    clusters = {name: half_a_second(name) for name in EACH}
    found = perform_beside(tmp_path, clusters, pace)

    assert dict.fromkeys(clusters, ("valid", 1.0)) == {
        name: (one.verdict, share) for name, (one, share) in found.items()
    }


@pytest.mark.parametrize("pace", ["exact", "fast"])
def test_with_any_mix_of_faults_a_live_cluster_gives_the_simulated_trace(
    pace: Pace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever hypothesis draws to go wrong at once."""

    @given(st.lists(mixes(crashes=True), min_size=BESIDE, max_size=BESIDE))
    @settings(deadline=None, max_examples=2, database=None)
    def law(drawn: list[dict[str, Any]]) -> None:
        clusters = {str(number): machines_of(fields) for number, fields in enumerate(drawn)}
        found = perform_beside(tmp_path_factory.mktemp("mixes"), clusters, pace)

        assert dict.fromkeys(clusters, ("valid", 1.0)) == {
            name: (one.verdict, share) for name, (one, share) in found.items()
        }

    law()


MIX: dict[str, Any] = {
    "nodes": 4,
    "tick_rate": {"min": 4, "max": 12},
    "internal_probability": 0.3,
    "machines": {3: {"tick_rate": 2}},
    "network": {
        "delay": {"uniform": ("0ms", "200ms")},
        "loss": 0.1,
        "duplicate": 0.1,
        "fifo": False,
        "links": {"1->2": {"fifo": True, "delay": {"exponential": "100ms"}}},
    },
}


def test_faults_load_and_a_stopped_node_at_exact(tmp_path: Path) -> None:
    """Everything at once, beside busy loops, with one node stopped for 2 s: valid, fidelity 1."""
    faults = (
        {"from": "1s", "to": "3s", "partition": ((1,), (2, 3)), "messages": "hold"},
        {"from": "2s", "to": "4s", "partition": ((1, 2), (4,)), "messages": "lose", "one_way": True},
        {"from": "2s", "to": "3s", "pause": 4},
        {"from": "3s", "to": "6s", "slow": 1, "factor": 2},
    )
    machines = machines_of(MIX | {"duration": "8s", "faults": faults})
    with busy_loops():
        live_with_a_stopped_node(tmp_path, machines, "exact")
    _, report, fidelity = judged(tmp_path, machines)

    assert ("valid", 1.0) == (report.verdict, fidelity)


def test_faults_load_and_a_stopped_node_at_fast(tmp_path: Path) -> None:
    """The same over enough model time that the stop falls into the run, and faults before, in and behind it."""
    faults = [
        fault
        for minute in range(5)
        for fault in (
            {"from": f"{minute}m", "to": f"{60 * minute + 20}s", "partition": ((1,), (2, 3)), "messages": "hold"},
            {"from": f"{60 * minute + 10}s", "to": f"{60 * minute + 30}s", "pause": 4},
            {"from": f"{60 * minute + 30}s", "to": f"{60 * minute + 50}s", "slow": 1, "factor": 3},
        )
    ]
    machines = machines_of(MIX | {"duration": "5m", "faults": tuple(faults)})
    with busy_loops():
        live_with_a_stopped_node(tmp_path, machines, "fast")
    _, report, fidelity = judged(tmp_path, machines)

    assert ("valid", 1.0) == (report.verdict, fidelity)


def test_at_free_faults_are_those_of_the_model_too(tmp_path: Path) -> None:
    """What differs from the simulation has a late message in its past; everything can be proved."""
    machines = machines_of(MIX | {"duration": "3s", "faults": ({"from": "1s", "to": "2s", "pause": 4},)})
    live(tmp_path, machines, pace="free")
    trace, report, _ = judged(tmp_path, machines)

    assert report.verdict == "valid"
    assert [] == unexplained(trace, simulated(machines))


# Crashes of the model.


def lines_of(directory: Path, node: int) -> list[Line]:
    """Return the lines of a machine's log."""
    return [parse_line(line) for line in Run(directory).events_path(node).read_bytes().split(b"\n")[:-1]]


def test_a_machine_that_crashes_is_killed_and_started_again(tmp_path: Path) -> None:
    """The observer saw a SIGKILL and a second process; the log goes on behind `down` and `boot`, in one run."""
    outcome = live(tmp_path, half_a_second("crash"), pace="exact")
    kinds = [
        line["event"] for line in lines_of(tmp_path, 2) if line["event"] in ("start", "down", "boot", "end", "stop")
    ]
    codes = {line["node"]: line["code"] for line in reversed(observed(tmp_path, "exit"))}

    assert outcome.failure is None
    assert ["start", "down", "boot", "end", "stop"] == kinds
    assert {1: 0, 2: -signal.SIGKILL, 3: 0} == codes
    assert [2] == [line["node"] for line in observed(tmp_path, "restart")]
    assert [("crash", 150_000_000, 300_000_000, False)] == [
        (line["kind"], line["from_ns"], line["to_ns"], line["amnesia"]) for line in observed(tmp_path, "fault")
    ]


def test_a_machine_that_is_down_at_the_end_is_started_once_more_for_its_stop_record(tmp_path: Path) -> None:
    """It has no tick left; what is in its queue comes back from its senders, and the balance is exact."""
    machines = half_a_second("crash to the end")
    live(tmp_path, machines, pace="exact")
    _, report, fidelity = judged(tmp_path, machines)
    kinds = [
        line["event"] for line in lines_of(tmp_path, 2) if line["event"] not in ("link", "internal", "send", "receive")
    ]

    assert ["start", "end", "down", "boot", "stop"] == kinds
    assert ("valid", 1.0) == (report.verdict, fidelity)
    assert "valid" == next(one.verdict for one in report.checks if one.name == "every-message-accounted")


def test_with_amnesia_no_incarnation_receives_a_message_twice(tmp_path: Path) -> None:
    """A new incarnation counts from 1 and receives what the old one had not."""
    machines = half_a_second("amnesia twice")
    live(tmp_path, machines, pace="fast")
    received = [(line["incarnation"], *line["from"]) for line in lines_of(tmp_path, 2) if line["event"] == "receive"]
    incarnations = [line["incarnation"] for line in lines_of(tmp_path, 2) if "index" in line]

    assert {0, 2} == set(incarnations)
    assert len(received) == len(set(received)) == len({name[1:] for name in received})


def test_at_free_a_crash_leaves_nothing_that_cannot_be_proved(tmp_path: Path) -> None:
    """What was in the queue before the crash is not late after it; what differs has a late message in its past."""
    machines = machines_of(
        MIX | {"duration": "5s", "faults": ({"from": "1s", "to": "4s", "crash": 4, "amnesia": True},)}
    )
    live(tmp_path, machines, pace="free")
    trace, report, _ = judged(tmp_path, machines)

    assert report.verdict == "valid"
    assert [] == unexplained(trace, simulated(machines))


@pytest.mark.parametrize("name", MISTAKES)
def test_the_right_check_names_a_mistake_made_by_running_nodes(name: str, tmp_path: Path) -> None:
    """Each well-known mistake, in every process of a cluster: the first violated check names it."""
    machines = cluster(3, seconds=30, internal_probability=0.3, delay_ms=200)
    live(tmp_path, machines, pace="fast", node_command=(sys.executable, "-m", "tests.mistakes", name))
    _, report, _ = judged(tmp_path, machines)

    assert report.first_violated is not None
    assert MISTAKES[name].named_by == report.first_violated.name


def test_a_node_that_is_killed_at_free_ends_the_run_as_unknown(tmp_path: Path) -> None:
    """Nobody waits for it: one line says which machine died and how, and the others seal their logs."""
    machines = cluster(3, seconds=30)

    async def run() -> Outcome:
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(kill())
            return await run_live(Run(tmp_path), machines, name="live", pace="free")

    async def kill() -> None:
        log = Run(tmp_path).events_path(2)
        await until(lambda: log.exists() and log.read_bytes().count(b"\n") > 5)
        os.kill(observed(tmp_path, "start")[1]["pid"], signal.SIGKILL)

    outcome = asyncio.run(run())
    trace, report, _ = judged(tmp_path, machines)

    assert outcome.failure == "machine 2 ended by signal 9"
    assert report.verdict == "unknown"
    assert all(trace.machines[node].end is not None for node in (1, 3))
    assert {1, 2, 3} == {line["node"] for line in observed(tmp_path, "exit")}


def test_a_node_without_an_orchestrator_ends_and_seals_its_log(tmp_path: Path) -> None:
    """When the orchestrator is killed, stdin ends, and no orphan is left."""
    program = (
        "import asyncio, sys; from pathlib import Path; from orchestrator.labs.live import run_live;"
        "from orchestrator.rundir import Run; from tests.clusters import cluster;"
        "asyncio.run(run_live(Run(Path(sys.argv[1])), cluster(3, seconds=600), name='live', pace='exact'))"
    )
    orchestrator = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    logs = [Run(tmp_path).events_path(node) for node in (1, 2, 3)]

    async def orphan() -> None:
        await until(lambda: all(log.exists() and log.read_bytes().count(b"\n") > 8 for log in logs))
        orchestrator.kill()
        orchestrator.wait()
        await until(lambda: all(b'"interrupted":true' in log.read_bytes().split(b"\n")[-2] for log in logs))
        await until(lambda: not any(map(is_alive, (line["pid"] for line in observed(tmp_path, "start")))))

    asyncio.run(orphan())


def test_a_missing_peer_ends_the_run_with_its_name(tmp_path: Path) -> None:
    """A node that cannot even start is named, with what it said last."""
    machines = cluster(2, seconds=1)
    Run(tmp_path).events_path(2).write_text("somebody else's\n")
    outcome = live(tmp_path, machines, pace="fast")

    assert outcome.exit_code == 73
    assert outcome.failure is not None
    assert "machine 2 ended with exit code 73: " in outcome.failure
    assert "never sealed" in outcome.failure


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
