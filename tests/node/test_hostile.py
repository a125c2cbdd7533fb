"""Hostile connections beside a run: no event differs, nothing is left of them, and the crowd has its limits."""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import structlog

from node.connections import Connection
from node.greeting import JUMP_MAX
from node.mesh import STRANGERS_MAX
from tests.clusters import cluster, simulated
from tests.daemons import DEADLINE_S, LOOPBACK, Party
from tests.node.test_daemon import HELLO, HOSTILE, framed
from tests.promises import record

pytestmark = pytest.mark.asyncio

POISON = framed(b'{"type":"data","first":1,"messages":[[1,1,0,%d,1]],"promise":null}' % (JUMP_MAX + 10**9))
AS_A_SENDER = {"poison": POISON, **HOSTILE}
"""What comes behind the greeting of somebody who knows the run's name."""


def descriptors() -> int:
    """Return how many descriptors this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class ReadClock:
    """How long the longest read callback took, in seconds of this thread's CPU time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.worst_s = 0.0
        receive = Connection.receive

        def receive_by_the_clock(connection: Connection, data: bytes, wall: int) -> None:
            began_s = time.thread_time()
            try:
                receive(connection, data, wall)
            finally:
                self.worst_s = max(self.worst_s, time.thread_time() - began_s)

        monkeypatch.setattr(Connection, "receive", receive_by_the_clock)


@contextmanager
def only_the_run_collected() -> Iterator[None]:
    """Hold what was there before out of garbage collection, as a node does with what it imports: it takes 50 ms."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def crowd(seed: int, count: int, ports: list[int]) -> None:
    """Have so many hostile connections made by another process."""
    arguments = map(str, ("-m", "tests.hostile_crowd", seed, count, *ports))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    try:
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def impersonate(port: int, frames: bytes) -> None:
    """Greet as machine 2, and then say what it would never say."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(HELLO)
    async with asyncio.timeout(DEADLINE_S):
        await reader.read(4096)
        writer.write(frames)
        with suppress(OSError):
            writer.write_eof()
            while await reader.read(4096):
                pass
    writer.transport.abort()


async def besieged(directory: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, ReadClock, int]:
    """Attack a run so often; return how many descriptors are left over, the clock, and how many lines were said."""
    machines, clock = cluster(2, seconds=3), ReadClock(monkeypatch)
    party = Party(machines, directory, pace="exact")
    party.meeting._stopped = asyncio.Barrier(3)  # Nobody goes home before the attack is over.

    async def siege() -> None:
        await party.begun(1)
        before = descriptors()
        ports = list(party.meeting.ports.values())
        await crowd(1, count, ports)
        for frames in AS_A_SENDER.values():
            await impersonate(ports[0], frames)
        async with asyncio.timeout(DEADLINE_S):
            while (left := descriptors() - before) > 0 or any(d._mesh._strangers for d in party.daemons.values()):  # type: ignore[union-attr]  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        over.append(left)
        await party.meeting.end()

    over: list[int] = []
    with only_the_run_collected(), structlog.testing.capture_logs() as words:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(siege())
            await party.run(deadline_s=DEADLINE_S + count / 100)

    assert simulated(machines) == party.events()
    assert [0, 0] == [len(daemon._mesh._strangers) for daemon in party.daemons.values()]  # type: ignore[union-attr]
    return over[0], clock, sum(line["log_level"] == "warning" for line in words)


async def test_a_thousand_hostile_connections_leave_no_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of no descriptor anything is left, and the words do not fill the disk."""
    began_s = time.monotonic()
    left, clock, said = await besieged(tmp_path, 1000, monkeypatch)
    seconds = time.monotonic() - began_s

    assert left <= 0
    assert said <= 2 * (4 + 2) * (seconds + 1)  # two nodes, each of it at most once a second
    record("hostile connections", "test", f"1,000: {said} lines said; worst read {1000 * clock.worst_s:.1f} ms")


@pytest.mark.soak
async def test_a_hundred_thousand_hostile_connections_leave_no_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Takes 5 minutes; memory and descriptors are where they were, and no read holds up the loop for 10 ms."""
    for name in ("first", "then"):
        (tmp_path / name).mkdir()
    await besieged(tmp_path / "first", 1000, monkeypatch)
    before = resident_bytes()
    left, clock, said = await besieged(tmp_path / "then", 100_000, monkeypatch)
    grown = resident_bytes() - before
    figure = f"100,000: {said} lines said, {grown / 1e6:.1f} MB more; worst read {1000 * clock.worst_s:.1f} ms"
    print(figure)

    assert left <= 0
    assert grown < 20_000_000
    assert clock.worst_s < 0.010
    record("hostile connections", "soak", figure)


def resident_bytes() -> int:
    """Return how much memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_crowd_that_says_nothing_keeps_nobody_out(tmp_path: Path) -> None:
    """The oldest stranger must go: there are never more than 64, and a sender that is cut off comes back in."""
    machines = cluster(2, seconds=2)
    party = Party(machines, tmp_path, pace="exact")
    most = 0

    async def crowd() -> None:
        nonlocal most
        await party.begun(1)
        idle = [await asyncio.open_connection(LOOPBACK, party.meeting.ports[1]) for _ in range(STRANGERS_MAX + 40)]
        strangers = party.daemons[1]._mesh._strangers  # type: ignore[union-attr]
        async with asyncio.timeout(DEADLINE_S):
            while len(strangers) < STRANGERS_MAX:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        most = len(strangers)
        party.cut(2, 1)
        await party.daemons[2].until(lambda: party.daemons[2].machine.is_finished, DEADLINE_S)
        for _, writer in idle:
            writer.transport.abort()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(crowd())
        await party.run()

    assert STRANGERS_MAX == most
    assert simulated(machines) == party.events()
