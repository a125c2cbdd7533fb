"""The daemon of one node: it brings a machine bytes and time, writes its lines, then sends its frames.

Never decides anything about the run. Source: model sections 5 and 6.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import structlog

from node.connections import Connections
from node.errors import LogError, ScaleModelError, UnavailableError, first_of
from node.journal import Reading, open_journal
from node.limits import QUEUE_MAX
from node.machine import Machine
from node.mesh import Address, Mesh
from node.turn import Turn

BEHIND_NS_MIN: Final = 1_000_000_000
SECOND_NS: Final = 1_000_000_000

log = structlog.get_logger()


class Supervisor(Protocol):
    """Who starts a run and ends it: a person, or an orchestrator."""

    sender_absence_s_max: float | None
    """How long a sender may be away after our last tick; None: somebody else decides."""

    async def attend(self, daemon: "Daemon") -> None:
        """Watch, beside the run, for the wish to end it."""

    async def addresses(self, port: int) -> dict[int, Address]:
        """Say where the node listens; return where its peers do."""

    async def epoch_ns(self) -> int:
        """Say that the mesh is complete; return the epoch, Unix ns."""

    def go_down(self) -> None:
        """Say that the model has the machine crash, and kill this process; do not return."""

    async def release(self, daemon: "Daemon") -> None:
        """Say that the node has stopped; return when it may exit."""


class _Over(Exception):  # noqa: N818  # nothing is wrong: this is how a TaskGroup is ended
    """The run is over."""


class Daemon:
    """One node at work; create it in a running loop."""

    def __init__(
        self,
        machine: Machine,
        supervisor: Supervisor,
        *,
        log_path: Path,
        start_deadline_s: float,
        reading: Reading | None = None,
    ) -> None:
        """Take the machine and its log; with what was read of it, the machine goes on there."""
        self.machine = machine
        self.is_interrupted = False
        self._supervisor = supervisor
        self._reading = reading
        self._journal = open_journal(log_path, reading)
        self._start_deadline_s = start_deadline_s
        self._connections = Connections(machine)
        self._acts = Turn(
            machine,
            self._journal,
            self._connections,
            now_ns=self._now_ns,
            wall=time.time_ns,
            go_down=supervisor.go_down,
        )
        self._mesh: Mesh | None = None
        self._loop = asyncio.get_running_loop()
        self._life: asyncio.Task[None] | None = None
        self._failure: ScaleModelError | None = None
        self._is_woken = False
        self._is_over = False
        self._has_met = False
        self._timer: asyncio.TimerHandle | None = None
        self._epoch_s = 0.0
        self._now_ns_min = 0
        self._behind_ns_said = BEHIND_NS_MIN
        self._waiting_said = QUEUE_MAX
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    async def run(self, address: Address) -> None:
        """Take part in the run until it is over or interrupted; the log is sealed either way.

        Raises what ended it before its time: UnavailableError, RefusedError, LogError, PortTakenError, …
        """
        self._life = asyncio.current_task()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._supervisor.attend(self))
                self._mesh = Mesh(self.machine, self._connections, tasks, wake=self.wake)
                await self._live_or_seal(tasks, self._mesh, address)
                raise _Over
        except* _Over:
            pass
        except* ScaleModelError as group:
            self._failure = self._failure or first_of(group)
        finally:
            if self._mesh is not None:
                await self._mesh.close()
            self._journal.close()
        if self._failure is not None:
            raise self._failure

    def wake(self) -> None:
        """Have the machine looked after in the next turn of the loop."""
        if not (self._is_woken or self._is_over):
            self._is_woken = True
            self._loop.call_soon(self._turn)

    def interrupt(self) -> None:
        """End the run now; the log is sealed."""
        self.is_interrupted = True
        self._cancel()

    async def until(self, condition: Callable[[], bool], timeout_s: float | None = None) -> None:
        """Return once `condition` holds at the end of a turn.

        Raises TimeoutError.
        """
        if condition():
            return
        waiter = (condition, self._loop.create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter[1]
        finally:
            self._waiters.remove(waiter)

    async def _live_or_seal(self, tasks: asyncio.TaskGroup, mesh: Mesh, address: Address) -> None:
        try:
            await self._live(tasks, mesh, address)
        except asyncio.CancelledError:
            self._seal()
            if not (self.is_interrupted or self._failure):
                raise
            assert self._life is not None, "somebody runs us"
            self._life.uncancel()
            if self._failure is not None:
                raise self._failure from None
        except ScaleModelError:
            self._seal()
            raise
        finally:
            self._is_over = True
            mesh.end()

    async def _live(self, tasks: asyncio.TaskGroup, mesh: Mesh, address: Address) -> None:
        if self._reading is not None:
            self._go_on(self._reading)
        addresses = await self._supervisor.addresses(await mesh.listen(address))
        self._has_met = True
        for recipient in self.machine.model.peers:
            tasks.create_task(mesh.dial(recipient, addresses[recipient]))
        self.wake()
        if self._reading is None:
            await self._complete_mesh(addresses)
            self._start(await self._supervisor.epoch_ns())
        elif self._supervisor.sender_absence_s_max is not None and not self.machine.has_stopped:
            await self._complete_mesh(addresses)  # By hand nobody else would say that a peer is gone.
        await self.until(lambda: self.machine.is_finished)
        await self._await_senders()
        await self._supervisor.release(self)

    async def _complete_mesh(self, addresses: dict[int, Address]) -> None:
        try:
            await self.until(lambda: not self.machine.missing, self._start_deadline_s)
        except TimeoutError:
            nodes = [
                f"node {node} ({addresses[node].host}:{addresses[node].port})" if node in addresses else f"node {node}"
                for node in self.machine.missing
            ]
            raise UnavailableError(
                f"not there within {self._start_deadline_s:g} s: {', '.join(nodes)}; "
                "start what is missing, or allow more time with --start-deadline"
            ) from None

    def _start(self, epoch_ns: int) -> None:
        self._count_from(epoch_ns)
        self.machine.start(epoch_ns, time.time_ns())
        self.wake()

    def _go_on(self, reading: Reading) -> None:
        """Go on after a restart: the mesh is not waited for, but no tick comes before every sender has greeted."""
        assert self.machine.epoch_ns is not None, "its log has one"
        self._count_from(self.machine.epoch_ns)
        self.machine.boot(time.time_ns(), torn_bytes=reading.torn_bytes)
        self.wake()

    def _count_from(self, epoch_ns: int) -> None:
        self._epoch_s = self._loop.time() + (epoch_ns - time.time_ns()) / SECOND_NS

    async def _await_senders(self) -> None:
        """Wait for the stop record, which needs the end of every sender."""
        machine = self.machine
        while not machine.has_stopped:
            await self.until(lambda: machine.has_stopped or bool(machine.absent_senders))
            try:
                await self.until(
                    lambda: machine.has_stopped or not machine.absent_senders, self._supervisor.sender_absence_s_max
                )
            except TimeoutError:
                nodes = ", ".join(f"node {node}" for node in machine.absent_senders)
                raise UnavailableError(
                    f"{nodes} went away before its end, so this log has no stop record; "
                    "what was in flight cannot be told"
                ) from None

    def _turn(self) -> None:
        """Let the machine act, write its lines with one call, and only then send its frames."""
        self._is_woken = False
        if self._is_over:
            return
        try:
            self._act()
            self._acts.flush()
        except ScaleModelError as error:
            self._failure = error
            self._cancel()
        for condition, future in self._waiters:
            if not future.done() and condition():
                future.set_result(None)

    def _act(self) -> None:
        now_ns = self._acts.act(may_go_down=self._has_met)
        if self.machine.may_tick(now_ns):
            self.wake()
        self._watch_queue()
        self._arm(now_ns)

    def _watch_queue(self) -> None:
        """Say that the queue is long, and again whenever it has doubled."""
        if (waiting := self.machine.process.waiting) > self._waiting_said:
            log.warning("more messages arrive than it can receive; none is dropped", waiting=waiting)
            self._waiting_said = 2 * waiting

    def _arm(self, now_ns: int) -> None:
        """Set the timer for the next tick, which is due at a point of the epoch, not after the last one.

        What was not due at `now_ns`, when the machine was asked, may be due by now: then the timer fires at once.
        """
        due_ns = self.machine.next_due_ns
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due_ns is None or self.machine.epoch_ns is None or self.machine.pace == "fast":
            return
        behind_ns = now_ns - due_ns
        if behind_ns < 0:
            self._timer = self._loop.call_at(self._epoch_s + due_ns / SECOND_NS, self._due, due_ns)
        elif behind_ns >= self._behind_ns_said:
            log.warning(
                "behind its ticks", seconds=round(behind_ns / SECOND_NS, 1), waits_for=self.machine.holding_back()
            )
            self._behind_ns_said = 2 * behind_ns

    def _due(self, due_ns: int) -> None:
        # A timer may fire a fraction of a millisecond early; to set it again would only spin.
        self._now_ns_min = due_ns
        self._turn()

    def _now_ns(self) -> int:
        return max(self._now_ns_min, int((self._loop.time() - self._epoch_s) * SECOND_NS))

    def _seal(self) -> None:
        if isinstance(self._failure, LogError):
            return
        self.machine.interrupt(time.time_ns())
        self._acts.flush()

    def _cancel(self) -> None:
        assert self._life is not None, "somebody runs us"
        self._life.cancel()
