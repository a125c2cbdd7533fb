"""A run's trace from the logs on disk.

Never opens anything but the files that it is given. What is wrong with them is a fact of the trace, not an error.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from node.model import DURATION_NS_MAX
from node.record import StartLine
from orchestrator.trace.build import build
from orchestrator.trace.log import Log, read_log
from orchestrator.trace.store import Machine, Trace


def read_trace(logs: Mapping[int, Path]) -> Trace:
    """Read the logs of one run, by node.

    Raises NoInputError for a file that cannot be read, NoLogError for one that holds no line of ours.
    """
    read = [read_log(node, path) for node, path in sorted(logs.items())]
    damage = [line for log in read for line in log.damage]
    together = _of_one_run(read, damage)
    starts = [log.start for log in together if log.start]
    is_timed = _are_comparable(starts, damage) and len(starts) == len(together)
    epoch_ns = min((start["epoch_ns"] for start in starts), default=0)
    machines = {log.node: _machine(log, epoch_ns if is_timed else None) for log in together}
    recorded = (one for log in together for one in log.recorded)
    trace = build(machines, recorded, epoch_ns=epoch_ns, damage=damage, is_timed=is_timed)
    absent = (f"no log of machine {node}, which others name" for node in sorted(trace.absent))
    return replace(trace, damage=(*damage, *absent))


def _machine(log: Log, epoch_ns: int | None) -> Machine:
    # A damaged start line may hold the model of another machine, which says nothing of this one.
    model = log.start["model"] if log.start and log.start["model"].node == log.node else None
    return Machine(
        model=model,
        start=log.start,
        end=log.end,
        stop=log.stop,
        path=log.path,
        shift_ns=log.start["epoch_ns"] - epoch_ns if log.start and epoch_ns is not None else 0,
        has_holes=log.has_holes,
    )


def _of_one_run(logs: list[Log], damage: list[str]) -> list[Log]:
    """Return the logs of the run that most of them belong to; one of another run proves nothing about this."""
    runs = Counter(log.start["run"] for log in logs if log.start)
    if len(runs) < 2:
        return logs
    run = runs.most_common(1)[0][0]
    kept = [log for log in logs if log.start is None or log.start["run"] == run]
    damage += [
        f"{log.path.name}: of the run {log.start['run']!r}, not of {run!r}; set aside"
        for log in logs
        if log.start and log.start["run"] != run
    ]
    return kept


def _are_comparable(starts: list[StartLine], damage: list[str]) -> bool:
    epochs = [start["epoch_ns"] for start in starts]
    if not epochs or max(epochs) - min(epochs) <= DURATION_NS_MAX:
        return True
    damage.append("the epochs in the start lines lie more than a hundred days apart: this was not one run")
    return False
