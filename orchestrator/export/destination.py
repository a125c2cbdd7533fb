"""Where an export goes: never over something that exists, and never into the record of a run.

Never looks at what is written.
"""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from node.errors import OutputError
from orchestrator.export.formats import FORMATS
from orchestrator.rundir import Run
from orchestrator.rundir.files import write_file
from orchestrator.rundir.layout import EXPERIMENT, MANIFEST, STAMP


def destinations(runs: Sequence[Run], out: Path | None, *, format_name: str) -> list[Path]:
    """Return where the export of each run goes: to `out`, or below it if there are several.

    Without `out` it is named after the runs and lies here.
    Raises OutputError if that exists, or lies in a run directory, whose manifest knows every file.
    """
    suffix, is_several = FORMATS[format_name].suffix, len(runs) > 1
    if out is None:
        name = _name(runs[0], is_several=is_several)
        out = Path(f"{name}{suffix}" if suffix and not is_several else f"{name}-{format_name}")
    if os.path.lexists(out):
        raise OutputError(f"{out}: exists already; name another with --out")
    for parent in out.resolve().parents:
        if (parent / MANIFEST).exists() and (parent / EXPERIMENT).exists():
            raise OutputError(f"{out}: the record in {parent} would no longer be what its manifest says; go outside it")
    return [out / f"{run.name}{suffix}" for run in runs] if is_several else [out]


def write(target: Path, files: Mapping[str, Iterable[str]]) -> None:
    """Write an export's files: as `target`, or below it if they have names.

    Raises OutputError.
    """
    # The one file without a name is the target itself.
    directory = target.parent if "" in files else target
    try:
        directory.mkdir(parents=True, exist_ok=directory != target)
    except OSError as error:
        raise OutputError(f"{directory}: cannot create this directory: {error.strerror}") from error
    with ExitStack() as undo:
        if directory == target:
            # Half an export looks like a whole one.
            undo.callback(shutil.rmtree, target, ignore_errors=True)
        for name, pieces in files.items():
            write_file(target / name, "".join(pieces).encode("ascii"))
        undo.pop_all()


def _name(run: Run, *, is_several: bool) -> str:
    """Return `exercise-20260412T093000Z-run-1`, or the name of the directory that somebody chose."""
    if run.directory is None:
        return run.name or "run"
    directory = run.directory.path
    name = f"{directory.parent.name}-{directory.name}" if STAMP.fullmatch(directory.name) else directory.name
    return name if is_several else f"{name}-{run.name}"
