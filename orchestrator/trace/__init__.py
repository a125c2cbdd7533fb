"""The record of a run, as columns, and what can be proved and measured from it."""

from orchestrator.trace.bands import Band, bands
from orchestrator.trace.build import trace_of
from orchestrator.trace.check import Report, check
from orchestrator.trace.compare import Agreement, compare
from orchestrator.trace.findings import Check
from orchestrator.trace.measure import measure
from orchestrator.trace.read import read_trace
from orchestrator.trace.store import Machine, Messages, Trace
from orchestrator.trace.verdict import Verdict

__all__ = [
    "Agreement",
    "Band",
    "Check",
    "Machine",
    "Messages",
    "Report",
    "Trace",
    "Verdict",
    "bands",
    "check",
    "compare",
    "measure",
    "read_trace",
    "trace_of",
]
