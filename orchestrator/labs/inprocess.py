"""The in-process lab: the simulation, with each tick at its due time by the wall clock.

No sockets, one event loop, one timer; the queues of the machines are the network.
Never executes a tick before it is due. Source: model section 4.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

from node.model import SECOND_NS, Model
from orchestrator.labs.logs import Logs
from orchestrator.labs.observer import FaultNotes, Observer
from orchestrator.labs.outcome import Outcome
from orchestrator.labs.progress import Progress, Watcher, nobody
from orchestrator.labs.simulated import Simulation
from orchestrator.labs.stopwatch import Stopwatch
from orchestrator.rundir import Run
from orchestrator.trace.bands import bands_of

TIMER_NS = 1_000_000
"""The grain of uvloop's timers, which may fire early: armed again, a timer waits at least so long and never spins."""


class WallClock:
    """Model time by the wall clock; steady, even when somebody sets the wall clock."""

    def __init__(self) -> None:
        self.epoch_ns = time.time_ns()
        self._started_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        """Return the time since the epoch."""
        return time.monotonic_ns() - self._started_ns

    def wall(self) -> int:
        """Return the time as Unix ns."""
        return self.epoch_ns + self.now_ns()

    async def wait_until(self, due_ns: int, interrupted: asyncio.Event) -> None:
        """Return when `due_ns` has come, or as soon as somebody interrupts."""
        while (early_ns := due_ns - self.now_ns()) > 0 and not interrupted.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(max(early_ns, TIMER_NS) / SECOND_NS):
                    await interrupted.wait()


async def run_in_process(
    run: Run,
    machines: Mapping[int, Model],
    *,
    name: str,
    progress: Watcher = nobody,
    interrupted: asyncio.Event | None = None,
) -> Outcome:
    """Run a cluster on this event loop, at the pace exact, and write its logs.

    Raises OutputError or LogError if the logs cannot be written.
    """
    interrupted = interrupted or asyncio.Event()
    stopwatch = Stopwatch()
    simulation = Simulation(machines)
    clock = WallClock()
    logs = Logs(run, simulation.processes, name=name, pace="exact", epoch_ns=clock.epoch_ns)
    faults = FaultNotes(Observer(run.observer_path), bands_of(machines))
    stopwatch.tick()
    while (due_ns := simulation.next_due_ns) is not None and not interrupted.is_set():
        while (from_ns := faults.next_ns) is not None and from_ns < due_ns and not interrupted.is_set():
            await clock.wait_until(from_ns, interrupted)
            faults.note_until(clock.now_ns(), clock.wall())
        await clock.wait_until(due_ns, interrupted)
        _catch_up(simulation, clock, logs)
        logs.flush()
        progress(Progress("ticking", clock.now_ns()))
    cut_short = simulation.next_due_ns is not None
    if not cut_short:
        faults.note_all(clock.wall())
    logs.seal(clock.wall(), interrupted=cut_short)
    return stopwatch.outcome(interrupted=cut_short)


def _catch_up(simulation: Simulation, clock: WallClock, logs: Logs) -> None:
    """Execute every tick that is due, in order; after a stall that may be many."""
    now_ns = clock.now_ns()
    while (due_ns := simulation.next_due_ns) is not None and due_ns <= now_ns:
        logs.record(simulation.tick(), clock.wall())
