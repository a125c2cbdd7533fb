"""Logs of other programs: their formats as data, and their events as columns."""

from orchestrator.formats.read import read_logs
from orchestrator.formats.sources import STDIN

__all__ = ["STDIN", "read_logs"]
