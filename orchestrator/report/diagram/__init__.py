"""The space-time diagram: what happened where and when, as data, as a module that draws it, and as pictures."""

from pathlib import Path
from typing import Final

from orchestrator.audit.store import ForeignTrace
from orchestrator.report.diagram.encode import as_json
from orchestrator.report.diagram.others import of_logs
from orchestrator.report.diagram.ours import of_run
from orchestrator.report.diagram.part import EVENTS_SHOWN, between, part_of
from orchestrator.report.diagram.store import Diagram
from orchestrator.report.diagram.svg import OF_PAGE, svg
from orchestrator.trace.check import Report
from orchestrator.trace.store import Trace

__all__ = ["SCRIPT", "STYLE", "Diagram", "as_json", "diagram_of", "embed"]

STILL_LANES_MAX: Final = 12

SCRIPT: Final = Path(__file__).with_name("diagram.js").read_text("utf-8")
"""The text of the ES module; where a page holds it inline, it mounts every diagram that `embed` left there."""

STYLE: Final = Path(__file__).with_name("diagram.css").read_text("utf-8")
"""What a page's style sheet must hold; the variables of `.space-time` are its colours, light and dark."""


def diagram_of(trace: Trace | ForeignTrace, report: Report | None = None, *, name: str = "") -> Diagram:
    """Return the diagram of an execution, ours or others'; what the report proves is marked where it shows."""
    if isinstance(trace, ForeignTrace):
        return of_logs(trace, report, name=name or trace.name)
    return of_run(trace, report, name=name)


def embed(diagram: Diagram, *, identity: str = "diagram") -> str:
    """Return the HTML of a diagram, to stand anywhere in a page that also holds SCRIPT (as a module) and STYLE.

    `identity` must be new in the page; a link to `#IDENTITY/2:41` leads to that event. Until the module takes its
    place, and where scripts are not allowed, there is a drawing of the first events.
    """
    assert identity.replace("-", "").isalnum(), "an identity stands in the page as it is"
    return (
        f'<div class="space-time" data-source="{identity}-source">{_still(diagram)}</div>'
        f'<script type="application/json" id="{identity}-source">{as_json(diagram)}</script>'
    )


def _still(diagram: Diagram) -> str:
    lanes = range(min(len(diagram.lanes), STILL_LANES_MAX))
    return svg(between(part_of(diagram, lanes), 0, EVENTS_SHOWN), title=diagram.name, colours=OF_PAGE)
