"""Several daemons on one event loop, with real sockets on the loopback: a cluster whose insides a test can reach."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from node.daemon import Daemon
from node.event import Event
from node.machine import Machine
from node.mesh import Address, Wire
from node.model import Model, Pace
from node.record import Line, parse_event, parse_line

LOOPBACK = "127.0.0.1"
DEADLINE_S = 60.0


class Meeting:
    """Where the daemons of one cluster learn each other's ports, their epoch, and that all have stopped."""

    def __init__(self, count: int) -> None:
        self.ports: dict[int, int] = {}
        self.epoch_ns: int | None = None
        self._listening = asyncio.Barrier(count)
        self._ready = asyncio.Barrier(count)
        self._stopped = asyncio.Barrier(count)

    async def introduce(self, node: int, port: int) -> dict[int, Address]:
        """Wait for all, and return everybody's address."""
        self.ports[node] = port
        await self._listening.wait()
        return {other: Address(LOOPBACK, at) for other, at in self.ports.items()}

    async def begin(self) -> int:
        """Wait for all, and return the common epoch."""
        await self._ready.wait()
        self.epoch_ns = self.epoch_ns or time.time_ns()
        return self.epoch_ns

    async def end(self) -> None:
        """Wait until all have stopped."""
        await self._stopped.wait()


class Guest:
    """The supervisor of one daemon at a meeting."""

    sender_absence_s_max: float | None = None

    def __init__(self, meeting: Meeting, node: int) -> None:
        self._meeting = meeting
        self._node = node

    async def attend(self, daemon: Daemon) -> None:
        """Nobody interrupts."""

    async def addresses(self, port: int) -> dict[int, Address]:
        """Return everybody's address."""
        return await self._meeting.introduce(self._node, port)

    async def epoch_ns(self) -> int:
        """Return the common epoch."""
        return await self._meeting.begin()

    def go_down(self) -> None:
        """Nobody would restart a daemon at a meeting."""
        raise AssertionError("no machine of a party crashes")

    async def release(self, daemon: Daemon) -> None:
        """Serve until all have stopped."""
        await self._meeting.end()


class Party:
    """A cluster of daemons; `run` returns once all have stopped."""

    def __init__(self, models: Mapping[int, Model], directory: Path, *, pace: Pace = "fast") -> None:
        self.directory = directory
        self.meeting = Meeting(len(models))
        self.daemons = {
            node: Daemon(
                Machine(model, run="party", pace=pace),
                Guest(self.meeting, node),
                log_path=directory / f"events-{node}.jsonl",
                start_deadline_s=DEADLINE_S,
            )
            for node, model in models.items()
        }

    async def run(self, deadline_s: float = DEADLINE_S) -> None:
        """Run all daemons.

        Raises TimeoutError if they hang.
        """
        async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as tasks:
            for daemon in self.daemons.values():
                tasks.create_task(daemon.run(Address(LOOPBACK, 0)))

    async def begun(self, node: int, *, events: int = 1) -> None:
        """Return when a machine has executed so many events."""
        await self.daemons[node].until(lambda: self.daemons[node].machine.process.index >= events, DEADLINE_S)

    def cut(self, sender: int, recipient: int) -> None:
        """Break the connection between two machines, if there is one."""
        if (connection := self.daemons[sender]._connections._to.get(recipient)) is not None:
            wire = connection.transport
            assert isinstance(wire, Wire)
            wire._writer.transport.abort()

    def lines(self, node: int) -> list[Line]:
        """Return the lines of a machine's log."""
        content = (self.directory / f"events-{node}.jsonl").read_bytes()
        return [parse_line(line) for line in content.split(b"\n")[:-1]]

    def events(self) -> dict[int, list[Event]]:
        """Return the events in the logs, machine by machine."""
        return {
            node: [
                parse_event(line)
                for line in self.lines(node)
                if line["event"] in ("internal", "send", "receive")  # type: ignore[arg-type]
            ]
            for node in self.daemons
        }
