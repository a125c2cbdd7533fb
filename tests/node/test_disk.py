"""A disk that fails again and again beneath a node at work: it ends at once, lies to nobody, and its log goes on."""

import asyncio
import errno
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest

from node.connections import Connection
from node.daemon import Daemon
from node.errors import LogError
from node.frame import Frame
from node.journal import read_unsealed
from node.machine import Machine
from node.mesh import Address
from node.model import Model
from node.recovery import recover
from tests.clusters import cluster, simulated
from tests.daemons import DEADLINE_S, LOOPBACK, Guest, Party
from tests.node.test_daemon import redials_to_the_end
from tests.promises import record

pytestmark = pytest.mark.asyncio

FAILURES = 100
NODE = 2


class Returning(Guest):
    """The supervisor of a daemon that comes back: the others have met already."""

    async def addresses(self, port: int) -> dict[int, Address]:
        return {other: Address(LOOPBACK, at) for other, at in self._meeting.ports.items()}


class Disk:
    """How the writes of one life end: after a few that go well, one fails, in a way that the seed draws."""

    def __init__(self, daemon: Daemon, chance: Random) -> None:
        self._file = daemon._journal._file
        self._write = self._file.write
        self._chance = chance
        self._left = chance.randint(1, 8)
        self._file.write = self.write  # type: ignore[method-assign]

    def write(self, data: bytes) -> int:
        """Write, or fail: the disk is full, takes a part, or is broken."""
        self._left -= 1
        if self._left:
            return self._write(data)
        kind = self._chance.choice(("full", "short", "broken"))
        if kind == "short":
            return self._write(data[: self._chance.randrange(len(data))])
        raise OSError(errno.ENOSPC if kind == "full" else errno.EIO, f"the disk is {kind}")


class Witness:
    """Sees everything that leaves a machine, and compares it with what its log says at that moment."""

    def __init__(self, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen = 0
        self._log = log
        send = Connection.send

        def send_what_is_written(connection: Connection, frames: Iterable[Frame]) -> None:
            kept = list(frames)
            if connection._machine.model.node == NODE:
                for frame in kept:
                    self._compare(connection, frame)
            send(connection, kept)

        monkeypatch.setattr(Connection, "send", send_what_is_written)

    def _compare(self, connection: Connection, frame: Frame) -> None:
        *lines, _ = self._log.read_bytes().split(b"\n")
        if frame["type"] == "data" and frame["messages"]:
            assert frame["messages"][-1][1] <= sum(b'"tick":' in line for line in lines)
            self.seen += 1
        if frame["type"] == "ack":
            assert frame["done"] <= sum(b'"from":[%d,' % (connection.peer or 0) in line for line in lines)
            self.seen += 1


def again(party: Party, model: Model) -> Daemon:
    """Return a daemon that goes on where its log ends."""
    log = party.directory / f"events-{NODE}.jsonl"
    reading = read_unsealed(log)
    past = recover(reading.lines, model, run="party", pace="fast", name=str(log))
    machine = Machine(model, run="party", pace="fast", past=past)
    return Daemon(machine, Returning(party.meeting, NODE), log_path=log, start_deadline_s=DEADLINE_S, reading=reading)


@redials_to_the_end
async def test_a_disk_that_fails_a_hundred_times_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full, short or broken: 74 at once, nothing on the wire that was not written, and the log is continued."""
    machines, chance, failures = cluster(3, seconds=330), Random(1), list[LogError]()
    party = Party(machines, tmp_path)
    witness = Witness(tmp_path / f"events-{NODE}.jsonl", monkeypatch)

    async def fail_and_return() -> None:
        address = Address(LOOPBACK, 0)
        while True:
            if len(failures) < FAILURES and failures:
                Disk(party.daemons[NODE], chance)
            try:
                await party.daemons[NODE].run(address)
            except LogError as error:
                failures.append(error)
                address = Address(LOOPBACK, party.meeting.ports[NODE])
                party.daemons[NODE] = again(party, machines[NODE])
            else:
                return

    async def begin_to_fail() -> None:
        await party.begun(NODE, events=3)
        Disk(party.daemons[NODE], chance)

    async with asyncio.timeout(2 * DEADLINE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(begin_to_fail())
        for node in machines:
            tasks.create_task(fail_and_return() if node == NODE else party.daemons[node].run(Address(LOOPBACK, 0)))

    assert FAILURES == len(failures)
    assert {74} == {failure.exit_code for failure in failures}
    assert simulated(machines) == party.events()
    assert witness.seen > FAILURES
    record("full disk, short write, EIO", "test", f"{FAILURES} failures; {witness.seen:,} frames compared with the log")
