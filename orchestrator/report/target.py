"""Where a page goes: into the record of a run of ours, else where the user stands.

Never over a file that is no report of ours, and never so that a manifest would find a file that it does not know.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from node.errors import OutputError
from orchestrator.executions import Execution
from orchestrator.formats.sources import STDIN
from orchestrator.report.page import MARK
from orchestrator.rundir import Run, RunDirectory
from orchestrator.rundir.layout import EXPERIMENT, MANIFEST, REPORT


def target_of(runs: Sequence[Run], directory: RunDirectory | None, paths: Sequence[Path]) -> Path:
    """Return where the page of these runs goes; without any, it is of the logs of others in `paths`."""
    if directory is not None and (len(runs) > 1 or len(directory.runs()) < 2):
        return directory.path / REPORT
    if len(runs) == 1:
        return runs[0].report_path
    named = next((path for path in paths if path != STDIN), Path("stdin"))
    name = named.stem if named.is_file() else named.resolve().name
    return Path.cwd() / f"{plain(name)}-report.html"


def target_of_two(a: Execution, b: Execution) -> Path:
    """Return where the page of two runs side by side goes."""
    names = [plain("-".join(one.run.path.parts[-2:])) for one in (a, b)]
    return Path.cwd() / f"{names[0]}-beside-{names[1]}.html"


def plain(name: str) -> str:
    """Return a name without what means something to a shell or a browser."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "logs"


def refuse_if_taken(target: Path) -> None:
    """Return if a report may be written there.

    Raises OutputError if something else is there, or a manifest knows every file beside it.
    """
    try:
        if os.path.lexists(target) and not _is_report(target):
            raise OutputError(f"{target}: exists already and is no report of ours; name another file with --out")
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}") from error
    for parent in target.resolve().parents:
        if not target.name.startswith("report") and (parent / MANIFEST).exists() and (parent / EXPERIMENT).exists():
            raise OutputError(f"{target}: in the record {parent} a report is called {REPORT}; go outside it")


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return MARK.encode() in file.read(4096)
