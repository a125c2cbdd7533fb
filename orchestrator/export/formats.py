"""The formats that a run can be exported in, by the names that people type.

Never writes a file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from orchestrator.export.chrome import chrome
from orchestrator.export.classic import classic
from orchestrator.export.exported import Exported
from orchestrator.export.lines import lines
from orchestrator.export.shiviz import shiviz
from orchestrator.export.table import table
from orchestrator.trace.store import Trace


@dataclass(frozen=True, slots=True)
class Format:
    """How a run is exported; a run's output is a file that ends with `suffix`, or a directory if that is empty."""

    export: Callable[[Trace], Exported]
    suffix: str
    how_to_open: str

    @property
    def is_directory(self) -> bool:
        """Whether a run's output is several files."""
        return not self.suffix


FORMATS: Final = {
    "classic": Format(classic, "", "a text log for each machine"),
    "csv": Format(table, ".csv", "open it in a spreadsheet, or with pandas.read_csv"),
    "jsonl": Format(lines, "", "an event log for each machine; check and measure read them, too"),
    "shiviz": Format(shiviz, ".shiviz.log", "open it in ShiViz with Choose File"),
    "chrome": Format(chrome, ".trace.json", "open it in Perfetto (ui.perfetto.dev) or in chrome://tracing"),
}
