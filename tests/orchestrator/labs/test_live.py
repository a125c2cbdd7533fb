"""The live lab: real processes over TCP, beside busy loops, stopped, killed, and with mistakes in them."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from node.record import parse_event, parse_line
from orchestrator.labs.inprocess import run_in_process
from orchestrator.labs.live import run_live
from orchestrator.labs.outcome import Outcome
from orchestrator.rundir import Run
from orchestrator.trace.twin import unexplained
from orchestrator.twin import simulated
from tests.clusters import cluster
from tests.fault_mixes import MIX, machines_of
from tests.golden_runs import ALL, as_array, expected
from tests.golden_runs import machines as golden_machines
from tests.live_runs import BUSY, DEADLINE_S, busy_loops, judged, live, live_with_a_stopped_node, observed, until
from tests.mistakes import MISTAKES

pytestmark = pytest.mark.live


@BUSY
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


@BUSY
def test_twelve_fast_machines_leave_no_mark_either(tmp_path: Path) -> None:
    """Twelve machines at 1-12 and 0.3, under the same load: valid, fidelity 1."""
    machines = cluster(12, seconds=8, rates=(1, 12), internal_probability=0.3)
    with busy_loops():
        live_with_a_stopped_node(tmp_path, machines, "exact")
    _, report, fidelity = judged(tmp_path, machines)

    assert ("valid", 1.0) == (report.verdict, fidelity)


@BUSY
def test_at_fast_load_and_a_stopped_node_leave_no_mark(tmp_path: Path) -> None:
    """The same at the pace fast, over enough model time that the stop falls into the run."""
    machines = cluster(3, seconds=400)
    with busy_loops():
        live_with_a_stopped_node(tmp_path, machines, "fast")
    _, report, fidelity = judged(tmp_path, machines)

    assert ("valid", 1.0) == (report.verdict, fidelity)


@BUSY
def test_in_process_load_leaves_no_mark(tmp_path: Path) -> None:
    """All machines on one loop, beside busy loops, at the pace exact, with faults: valid, fidelity 1."""
    faults = (
        {"from": "1s", "to": "3s", "partition": ((1,), (2, 3)), "messages": "hold"},
        {"from": "2s", "to": "4s", "crash": 4, "amnesia": True},
        {"from": "3s", "to": "6s", "slow": 1, "factor": 2},
    )
    machines = machines_of(MIX | {"duration": "8s", "faults": faults})

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
