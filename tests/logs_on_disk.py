"""Logs as nodes write them, of runs that were only simulated."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import cast

from node.event import Event
from node.journal import Journal
from node.model import Model, Pace
from node.record import EndLine, Line, StopLine, event_line, start_line
from orchestrator.labs.logs import stop_record
from orchestrator.labs.simulated import Simulation


def simulated_run(machines: Mapping[int, Model]) -> tuple[list[Event], dict[int, StopLine]]:
    """Return a run's events, and what each machine remembers at its end."""
    simulation = Simulation(machines)
    events = []
    while simulation.next_due_ns is not None:
        events.append(simulation.tick())
    return events, {node: stop_record(process, None, None) for node, process in simulation.processes.items()}


def write_logs(
    directory: Path,
    machines: Mapping[int, Model],
    *,
    events: Iterable[Event] | None = None,
    stops: Mapping[int, StopLine] | None = None,
    pace: Pace | None = None,
    run: str = "test",
    wall: Callable[[Event], int | None] = lambda event: None,
) -> dict[int, Path]:
    """Write one complete log a machine, of its simulation unless told otherwise; return them by node."""
    if events is None or stops is None:
        events, stops = simulated_run(machines)
    lines: dict[int, list[Line]] = {
        node: [start_line(model, run=run, incarnation=0, pace=pace, epoch_ns=0, wall=None)]
        for node, model in machines.items()
    }
    for event in events:
        lines[event.node].append(event_line(event, wall(event)))
    logs: dict[int, Path] = {}
    for node, written in lines.items():
        end = {"event": "end", "node": node, "incarnation": 0, "events": len(written) - 1, "interrupted": False}
        journal = Journal(logs.setdefault(node, directory / f"events-{node}.jsonl"))
        for line in (*written, cast(EndLine, end | {"wall": None}), stops[node]):
            journal.write(line)
        journal.flush()
        journal.close()
    return logs


def rewrite(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the lines of a log; each keeps its newline."""
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
