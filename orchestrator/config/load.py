"""An experiment from its file and the settings of the command line; an error names file, line and column.

Never runs anything.
Source: design section 5.
"""

import os
import re
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from node.errors import NoInputError, ScaleModelError
from orchestrator.config.experiment import KEYS, Experiment
from orchestrator.config.override import Override
from orchestrator.config.place import Source, printable, shorten
from orchestrator.config.validated import read_text, validated

CONFIGS: Final = Path(__file__).parents[2] / "configs"


def load_experiment(
    path: Path,
    overrides: Sequence[str] = (),
    *,
    seed: str | int | None = None,
    duration: str | None = None,
    runs: str | int | None = None,
) -> Experiment:
    """Return the experiment in a file, with each override `a.b=VALUE` put in its place.

    `seed`, `duration` and `runs` are overrides with flags of their own, and come last.
    Raises NoInputError, UsageError for an override without `=`, else ConfigurationError, with the place.
    """
    flags = {"seed": seed, "duration": duration, "runs": runs}
    return parse_experiment(
        _read(path),
        name=str(path),
        overrides=[
            *(Override.of_set(text) for text in overrides),
            *(Override.of_flag(name, str(value)) for name, value in flags.items() if value is not None),
        ],
    )


def parse_experiment(text: str, *, name: str, overrides: Sequence[Override] = ()) -> Experiment:
    """Return the experiment that `text`, read from a file called `name`, describes.

    Raises ConfigurationError, with the place.
    """
    return validated(
        Experiment,
        Source(name, text),
        keys=KEYS,
        example="an experiment has keys such as nodes: 3",
        overrides=overrides,
        defaults={"name": _name_from(name)},
    )


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except FileNotFoundError:
        raise NoInputError(f"{printable(str(path))}: no such file{_near(path)}{_listing()}") from None
    except IsADirectoryError:
        raise NoInputError(f"{printable(str(path))}: a directory; name an experiment's file in it") from None


def _near(path: Path) -> str:
    """Return a question that names the experiment that was probably meant, if there is one."""
    files = {file.stem: file for place in (_configs(), path.parent) for file in sorted(place.glob("*.yaml"))}
    near = get_close_matches(path.stem, list(files), n=1)
    return f"; did you mean {printable(str(files[near[0]]))}?" if near else ""


def _configs() -> Path:
    """Return the folder of experiments that is meant here: one of the user's own, or that of the checkout."""
    here = Path("configs")
    return here if here.is_dir() else CONFIGS


def _listing() -> str:
    """Return lines that name each experiment of that folder, with its question; nothing if there is none."""
    folder = _configs()
    files = sorted(folder.glob("*.yaml"))
    width = max((len(file.stem) for file in files), default=0)
    lines = [shorten(f"  {printable(file.stem):<{width}}  {_question(file)}".rstrip()) for file in files]
    return "".join(f"\n{line}" for line in (f"the experiments in {printable(str(folder))}{os.sep}:", *lines) if files)


def _question(file: Path) -> str:
    try:
        return printable(parse_experiment(_read(file), name=str(file)).question)
    except ScaleModelError:
        return "(no experiment: run says why)"


def _name_from(path: str) -> str:
    """Return a name for an experiment that has none: that of its file, without what a directory should not have."""
    plain = unicodedata.normalize("NFKD", Path(path).stem)
    kept = re.sub("[^A-Za-z0-9._]+", "-", "".join(c for c in plain if not unicodedata.combining(c)))
    return kept.strip("._-")[:64] or "experiment"
