"""The one run that a path means, ours or others', opened to be walked from event to event.

Never walks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.errors import NoLogError, UsageError
from orchestrator import audit
from orchestrator.audit.store import ForeignTrace
from orchestrator.executions import shown
from orchestrator.explain.history import History
from orchestrator.explain.others import ForeignHistory
from orchestrator.explain.ours import OwnHistory
from orchestrator.formats import STDIN, read_logs
from orchestrator.reading import read_run
from orchestrator.rundir import find_runs, is_ours
from orchestrator.trace.store import Trace

RUNS_NAMED_MAX: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One run as its record has it, ours or others'; `remarks` say what is wrong with the record itself."""

    trace: Trace | ForeignTrace
    name: str
    remarks: Sequence[str] = ()


def one_history(path: Path, log_format: str | None = None) -> History:
    """Return the one run that a path means, to be walked from event to event; raises what `one_recorded` does."""
    found = one_recorded(path, log_format)
    if isinstance(found.trace, Trace):
        return OwnHistory(found.trace, name=found.name, remarks=found.remarks)
    known = audit.known(found.trace)
    return ForeignHistory(found.trace, known.edges, known.evidence)


def one_recorded(path: Path, log_format: str | None = None) -> Recorded:
    """Return the one run that a path means.

    Of a file of several executions, the path and one's name behind it mean that one. Raises NoInputError, NoLogError,
    ConfigurationError for a format file, or UsageError if there are several.
    """
    if log_format is None and path != STDIN and is_ours(path) and not _file_above(path):
        return _own(path)
    return _foreign(path, log_format)


def _own(path: Path) -> Recorded:
    runs = find_runs([path])
    if len(runs) > 1:
        raise _several(path, [shown(run.path) for run in runs])
    if not runs[0].has_record:
        raise NoLogError(f"{path}: no event log in it (events-<node>.jsonl); name a run")
    remarks = [f"the manifest has other hashes: {change}" for change in runs[0].changed_files()]
    return Recorded(trace=read_run(runs[0]), name=shown(runs[0].path), remarks=remarks)


def _foreign(path: Path, log_format: str | None) -> Recorded:
    file = _file_above(path)
    traces = read_logs([file or path], log_format)
    named = [trace for trace in traces if trace.name == str(path)] if file else traces
    if len(named) != 1:
        raise _several(file or path, [trace.name for trace in traces])
    return Recorded(trace=named[0], name=named[0].name)


def _file_above(path: Path) -> Path | None:
    """Return the file that a path leads into, as if it were a folder, if it does; stdin is called so, too."""
    if path.exists():
        return None
    is_of_stdin = len(path.parts) > 1 and path.parts[0] == "stdin"
    return STDIN if is_of_stdin else next((parent for parent in path.parents if parent.is_file()), None)


def _several(path: Path, names: Sequence[str]) -> UsageError:
    some = names if len(names) <= RUNS_NAMED_MAX else [*names[: RUNS_NAMED_MAX - 1], "…", names[-1]]
    return UsageError(f"{path}: this takes one run, and here are {len(names)}; name one: {', '.join(some)}")
