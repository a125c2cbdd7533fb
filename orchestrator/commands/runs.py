"""`runs`: what is recorded below `runs/`, newest first; `runs prune` removes all but the newest of each experiment.

Never judges: the verdicts are those that were recorded; `check` looks again.
"""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.errors import ConfigurationError, OutputError, UsageError
from orchestrator.answer import INTERRUPTED, Answer
from orchestrator.config.place import Source
from orchestrator.config.yamlfile import read_yaml
from orchestrator.interrupt import Interrupt
from orchestrator.rundir.layout import RUNS
from orchestrator.rundir.prune import beyond, remove
from orchestrator.rundir.recorded import Foreign, Recorded, recorded_below
from orchestrator.trace.verdict import WORST_FIRST, worst

if TYPE_CHECKING:
    from orchestrator.screen.parts import Screen


def answer(options: Namespace) -> Answer:
    """List what there is, or prune it.

    Raises UsageError, or NoInputError if the runs cannot be read.
    """
    if options.action is None:
        if options.keep is not None or options.dry_run:
            raise UsageError("--keep and --dry-run belong to prune: runs prune --keep N")
        return _list()
    if options.keep is None:
        raise UsageError("prune needs --keep N: how many of the newest of each experiment stay")
    return _prune(options.keep, is_rehearsal=options.dry_run)


def _list() -> Answer:
    recorded, foreign = recorded_below(RUNS)
    listed = [facts(one) for one in recorded]

    def show(screen: "Screen") -> None:
        from orchestrator.screen.runs import show_runs  # noqa: PLC0415  # rich only where somebody reads

        show_runs(screen, listed, foreign)

    return Answer(data={"root": str(RUNS.resolve()), "runs": listed, "foreign": _left_alone(foreign)}, show=show)


def facts(one: Recorded) -> dict[str, Any]:
    """Return what there is to say of a directory; what its files do not say is null."""
    pace, verdicts = one.manifest.get("pace"), [result.get("verdict") for result in one.results]
    events = [result.get("events") for result in one.results]
    is_finished = one.state == "finished" and all(verdict in WORST_FIRST for verdict in verdicts)
    return {
        "dir": str(one.path.resolve()),
        "name": one.path.parent.name,
        "stamp": one.path.name,
        "question": _question(one.experiment),
        "lab": _text(one.manifest.get("lab")),
        "pace": _text(pace),
        "state": "damaged" if one.state == "finished" and not is_finished else one.state,
        "verdict": worst(verdict for verdict in verdicts if verdict) if is_finished else None,
        "runs": len(one.results),
        "events": sum(count for count in events if isinstance(count, int)),
        "bytes": one.size_bytes,
    }


def _question(experiment: str) -> str | None:
    """Return what was asked; a key that only another version knows does not hide it."""
    try:
        data = read_yaml(Source("experiment.yaml", experiment)).data
    except ConfigurationError:
        return None
    return _text(data.get("question")) if isinstance(data, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _prune(keep: int, *, is_rehearsal: bool) -> Answer:
    recorded, foreign = recorded_below(RUNS)
    doomed = [one for one in beyond(recorded, keep=keep) if one.state != "being-written"]
    removed, problem, code = (doomed, None, 0) if is_rehearsal else _remove(doomed)
    kept = [one for one in recorded if one not in removed]
    data: Mapping[str, Any] = {
        "root": str(RUNS.resolve()),
        "dry_run": is_rehearsal,
        "removed": [{"dir": str(RUNS.resolve() / _below(one.path)), "bytes": one.size_bytes} for one in removed],
        "bytes": sum(one.size_bytes for one in removed),
        "kept": [{"dir": str(one.path.resolve()), "state": one.state} for one in kept],
        "foreign": _left_alone(foreign),
    }

    def show(screen: "Screen") -> None:
        from orchestrator.screen.runs import show_pruned  # noqa: PLC0415  # rich only where somebody reads

        show_pruned(screen, data, foreign)

    return Answer(data=data, show=show, exit_code=code, problem=problem)


def _remove(doomed: Sequence[Recorded]) -> tuple[list[Recorded], str | None, int]:
    """Remove, oldest first, until the end, an error or Ctrl-C; return what is gone, and why that is not all."""
    removed: list[Recorded] = []
    with Interrupt() as interrupt:
        for one in doomed:
            if interrupt.is_set():
                return removed, f"interrupted; {len(doomed) - len(removed)} more would have been removed", INTERRUPTED
            try:
                remove(one.path)
            except OutputError as error:
                return removed, str(error), error.exit_code
            removed.append(one)
    return removed, None, 0


def _below(path: Path) -> Path:
    return path.relative_to(RUNS)


def _left_alone(foreign: Sequence[Foreign]) -> list[dict[str, str]]:
    return [{"path": str(RUNS.resolve() / _below(one.path)), "why": one.why} for one in foreign]
