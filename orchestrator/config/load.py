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

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from node.errors import ConfigurationError, NoInputError, ScaleModelError
from orchestrator.config.experiment import Experiment
from orchestrator.config.override import Override
from orchestrator.config.place import Place, Source, printable, shorten
from orchestrator.config.wording import UNKNOWN_KEY, say, shown
from orchestrator.config.yamlfile import Document, Trail, read_yaml

FILE_BYTES_MAX: Final = 1 << 20
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
    file = Source(name, text)
    document = read_yaml(file)
    if document.data is None:
        raise ConfigurationError(f"{printable(name)}: the file is empty; an experiment has keys such as nodes: 3")
    if not isinstance(document.data, dict):
        raise document.values[()].error(f"expected keys and values such as nodes: 3, got {shown(document.data)}")
    for override in overrides:
        override.put_into(document)
    document.data.setdefault("name", _name_from(name))
    try:
        return Experiment.model_validate(document.data)
    except ValidationError as error:
        raise _explain(error, document, [file, *(override.source for override in overrides)]) from None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise NoInputError(f"{printable(str(path))}: no such file{_near(path)}{_listing()}") from None
    except IsADirectoryError:
        raise NoInputError(f"{printable(str(path))}: a directory; name an experiment's file in it") from None
    except OSError as error:
        raise NoInputError(f"{printable(str(path))}: cannot be read: {error.strerror}") from None
    if len(data) > FILE_BYTES_MAX:
        raise ConfigurationError(f"{printable(str(path))}: larger than 1 MiB; an experiment is a page of text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        known = Source(str(path), data.decode("utf-8", "replace"))
        place = known.at(len(data[: error.start].decode("utf-8")))
        raise place.error(f"not UTF-8: it holds the byte 0x{data[error.start]:02x}; save it as UTF-8") from None


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


def _explain(error: ValidationError, document: Document, sources: Sequence[Source]) -> ConfigurationError:
    """Return the first error in the order of what was written, and how many there are besides."""

    def order(place: Place) -> tuple[int, int, int]:
        return sources.index(place.source), place.line, place.column

    errors = [(_find(details, document), details) for details in error.errors(include_url=False)]
    (place, trail), first = min(errors, key=lambda found: order(found[0][0]))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return place.error(printable(say(first, trail)) + more)


def _find(error: ErrorDetails, document: Document) -> tuple[Place, Trail]:
    """Return where an error is: at the key if the key is wrong, else at the value."""
    trail = Trail()
    for part in (*error["loc"], *error.get("ctx", {}).get("trail", ())):
        # Pydantic's trail also names the branch of a union.
        if (*trail, part) in document.values:
            trail = (*trail, part)
    if error["type"] in UNKNOWN_KEY:
        return document.keys[trail], trail
    if error["loc"][-1:] == ("[key]",):
        return document.keys[trail], trail[:-1]
    return document.values[trail], trail
