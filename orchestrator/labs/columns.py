"""The simulated lab, recorded in columns: what its logs would say, in three tables.

Never decides what happens: the readable reference or the compiled run does, whichever is done sooner.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from node.model import Model
from orchestrator.labs.choice import compiled
from orchestrator.labs.logs import stop_record
from orchestrator.labs.observer import FaultNotes, Observer
from orchestrator.labs.outcome import Outcome
from orchestrator.labs.progress import Progress, Watcher, nobody
from orchestrator.labs.simulated import TICKS_BETWEEN_FLUSHES, Simulation
from orchestrator.labs.stopwatch import Stopwatch
from orchestrator.rundir import Run
from orchestrator.trace.archive import Ending, Tables, write_tables
from orchestrator.trace.bands import bands_of
from orchestrator.trace.build import trace_of
from orchestrator.trace.columns import columns_of

if TYPE_CHECKING:
    from orchestrator.labs.kernel.record import Record


def run_in_columns(
    run: Run,
    machines: Mapping[int, Model],
    *,
    name: str,
    progress: Watcher = nobody,
    is_interrupted: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Simulate a cluster called `name` and write its tables.

    Raises LogError if they cannot be written, ConfigurationError if the memory would not suffice.
    """
    stopwatch = Stopwatch()
    machines = dict(sorted(machines.items()))
    faults = FaultNotes(Observer(run.observer_path), bands_of(machines))
    stopwatch.tick()
    record = compiled(machines, has_trace=False, go_on=lambda: not is_interrupted())
    if record is not None:
        _write_record(Tables(*run.tables), record, machines, name=name)
        faults.note_all(wall=None)
        return stopwatch.outcome(interrupted=False)
    simulation = Simulation(machines)
    events = []
    while (due_ns := simulation.next_due_ns) is not None and not is_interrupted():
        progress(Progress("ticking", due_ns))
        for _ in range(TICKS_BETWEEN_FLUSHES):
            if simulation.next_due_ns is not None:
                faults.note_until(simulation.next_due_ns, wall=None)
                events.append(simulation.tick())
    interrupted = simulation.next_due_ns is not None
    if not interrupted:
        faults.note_all(wall=None)
    endings = {node: _ending(simulation, node, interrupted=interrupted) for node in machines}
    write_tables(Tables(*run.tables), columns_of(trace_of(machines, events)), machines, endings, name=name)
    return stopwatch.outcome(interrupted=interrupted)


def _ending(simulation: Simulation, node: int, *, interrupted: bool) -> Ending:
    process = simulation.processes[node]
    return Ending(
        incarnation=process.incarnation,
        events=process.index,
        interrupted=interrupted and process.next_tick is not None,
        incoming=None if interrupted else stop_record(process, None, None)["incoming"],
    )


def _write_record(tables: Tables, record: "Record", machines: Mapping[int, Model], *, name: str) -> None:
    from orchestrator.labs.kernel.telling import columns_of as columns_of_record  # noqa: PLC0415  # only for large runs
    from orchestrator.labs.kernel.telling import stops_of  # noqa: PLC0415

    endings = {
        node: Ending(
            incarnation=stop["incarnation"], events=stop["events"], interrupted=False, incoming=stop["incoming"]
        )
        for node, stop in stops_of(record, machines).items()
    }
    write_tables(tables, columns_of_record(record), machines, endings, name=name)
