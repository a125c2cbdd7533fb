"""A million messages at a machine that receives one a second: all of them wait, and the memory holds them."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from node.record import parse_line
from orchestrator.labs.live import run_live
from orchestrator.rundir import Run
from tests.clusters import cluster
from tests.live_runs import observed
from tests.promises import record

pytestmark = [pytest.mark.live, pytest.mark.soak]

MESSAGES = 1_000_000
DEADLINE_S = 1500


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process ever had; 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


def test_a_million_messages_wait_at_a_slow_machine(tmp_path: Path) -> None:
    """Takes a minute: nothing dropped, at most 600 MiB a node, and the node names the flood."""
    slow, swift = cluster(2, seconds=MESSAGES / 1000 + 2, rates=(1, 1), internal_probability=0).values()
    machines = {1: slow, 2: replace(swift, rate_hz=1000, phase_ns=0)}
    peaks: dict[int, int] = {}

    async def watch() -> None:
        while True:
            for line in observed(tmp_path, "start"):
                peaks[line["node"]] = max(peaks.get(line["node"], 0), peak_bytes(line["pid"]))
            await asyncio.sleep(0.5)

    async def run() -> None:
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            beside = tasks.create_task(watch())
            outcome = await run_live(Run(tmp_path), machines, name="flood", pace="fast")
            beside.cancel()
        assert outcome.failure is None

    asyncio.run(run())
    # Counted in the logs: a verdict on so many events takes longer than the run.
    logs = {node: log.read_bytes() for node, log in Run(tmp_path).event_logs().items()}
    stop = parse_line(logs[1].split(b"\n")[-2])
    assert stop["event"] == "stop"
    ((_, in_queue, in_flight),) = stop["incoming"]
    sent, received = logs[2].count(b'"event":"send"'), logs[1].count(b'"event":"receive"')
    memory = ", ".join(f"node {node} {peak / 2**20:.0f} MiB" for node, peak in sorted(peaks.items()))
    print(f"{in_queue:,} messages waited; {memory}")

    assert sent == received + in_queue + in_flight
    assert in_queue >= MESSAGES
    assert "none is dropped" in Run(tmp_path).stderr_path(1).read_text()
    assert max(peaks.values()) <= 600 * 2**20
    record("a million messages wait", "soak", f"{in_queue:,} messages waited; {memory}")
