"""A run read back from its directory, however it is kept: as lines, or in columns.

Never judges what it reads.
"""

from orchestrator.rundir import Run
from orchestrator.trace.archive import Tables, read_tables
from orchestrator.trace.read import read_trace
from orchestrator.trace.store import Trace


def read_run(run: Run) -> Trace:
    """Return the trace of a run.

    Raises NoInputError or NoLogError; of columns also LogError if they are damaged, UnavailableError without DuckDB.
    """
    return read_tables(Tables(*run.tables)) if run.is_in_columns else read_trace(run.event_logs())
