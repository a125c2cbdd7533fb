"""The space-time diagram: what happened where and when, as data, as a module that draws it, and as pictures."""

from pathlib import Path
from typing import Final

from orchestrator.audit.store import ForeignTrace
from orchestrator.report.diagram.encode import as_json
from orchestrator.report.diagram.others import of_logs
from orchestrator.report.diagram.ours import of_run
from orchestrator.report.diagram.store import Diagram
from orchestrator.trace.check import Report
from orchestrator.trace.store import Trace

__all__ = ["SCRIPT", "STYLE", "Diagram", "as_json", "diagram_of", "embed"]

SCRIPT: Final = Path(__file__).with_name("diagram.js").read_text("utf-8")
"""The text of the ES module; where a page holds it inline, it mounts every diagram that `embed` left there."""

STYLE: Final = Path(__file__).with_name("diagram.css").read_text("utf-8")
"""What a page's style sheet must hold; the variables of `.space-time` are its colours, light and dark."""


def diagram_of(trace: Trace | ForeignTrace, report: Report | None = None, *, name: str = "") -> Diagram:
    """Return the diagram of an execution, ours or others'; what the report proves is marked where it shows."""
    if isinstance(trace, ForeignTrace):
        return of_logs(trace, report, name=name or trace.name)
    return of_run(trace, report, name=name)


def embed(diagram: Diagram, *, identity: str = "diagram", without_script: str = "") -> str:
    """Return the HTML of a diagram, to stand anywhere in a page that also holds SCRIPT (as a module) and STYLE.

    `identity` must be new in the page; `without_script` is HTML that is shown until the module takes its place.
    """
    return (
        f'<div class="space-time" data-source="{identity}-source">{without_script}</div>'
        f'<script type="application/json" id="{identity}-source">{as_json(diagram)}</script>'
    )
