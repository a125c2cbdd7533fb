"""Where runs came from: what was asked, the command that gives them again, and what their manifest says.

Never fails because of what it finds: what cannot be read is left out.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.errors import ConfigurationError
from orchestrator.config.place import Source
from orchestrator.config.yamlfile import read_yaml
from orchestrator.rundir import RunDirectory
from orchestrator.rundir.layout import EXPERIMENT, MANIFEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a run directory says of its runs; empty for logs made by hand, and those of others.

    `provenance` are term, label and value; `links` the names and addresses of the files.
    """

    name: str = ""
    question: str = ""
    duration: str = ""
    where: str = ""
    experiment: str = ""
    command: str = ""
    provenance: tuple[tuple[str, str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()


def origin_of(directory: RunDirectory | None, address: Callable[[Path], str]) -> Origin:
    """Return where the runs of a directory came from."""
    if directory is None:
        return Origin()
    experiment, manifest = directory.experiment(), directory.manifest()
    asked = _asked(experiment)
    pace = f" at the pace {manifest['pace']}" if manifest.get("pace") else ""
    files = [path for path in (directory.path / EXPERIMENT, directory.path / MANIFEST) if path.exists()]
    return Origin(
        name=asked.get("name", ""),
        question=asked.get("question", ""),
        duration=asked.get("duration", ""),
        where=f"{manifest.get('lab', '')}{pace}",
        experiment=experiment,
        command=_command(manifest),
        provenance=tuple(_provenance(manifest)),
        links=tuple((path.name, address(path)) for path in files),
    )


def _asked(experiment: str) -> dict[str, str]:
    """Return what an experiment's file says in words; a key that only another version knows hides nothing."""
    try:
        found = read_yaml(Source(EXPERIMENT, experiment)).data if experiment else {}
    except ConfigurationError:
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {str(key): value for key, value in pairs if isinstance(value, str)}


def _command(manifest: Mapping[str, Any]) -> str:
    command = str(manifest.get("command", ""))
    try:
        return shlex.join(shlex.split(command))
    except ValueError:
        return command


def _provenance(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    said = manifest.get
    if not manifest:
        return
    yield "lab", "lab", str(said("lab"))
    if said("pace"):
        yield "pace", "pace", str(said("pace"))
    yield "seed", "seed", str(said("seed"))
    yield "", "begun", str(said("created"))
    yield "", "model, log format", f"{said('model_version')}, {said('format_version')}"
    yield "", "program", str(said("git_commit") or "no commit known")[:19]
    versions, host = (one if isinstance(one, dict) else {} for one in (said("versions"), said("host")))
    yield "", "Python", str(versions.get("python"))
    yield "", "computer", f"{host.get('platform')}, {host.get('cpus')} processors"
