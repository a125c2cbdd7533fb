"""A run in the formats of other programs: what they can draw, count and question, they need not learn from us."""

from orchestrator.export.exported import Exported
from orchestrator.export.formats import FORMATS, Format

__all__ = ["FORMATS", "Exported", "Format"]
