"""The run directory: the only package that knows file names."""

from orchestrator.rundir.find import find_runs, is_ours
from orchestrator.rundir.layout import Run, RunDirectory

__all__ = ["Run", "RunDirectory", "find_runs", "is_ours"]
