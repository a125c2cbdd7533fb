"""A YAML file against its schema: what pydantic finds wrong is said with file, line and column.

Never knows what the file is about.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from node.errors import ConfigurationError, NoInputError
from orchestrator.config.override import Override
from orchestrator.config.place import Place, Source, printable
from orchestrator.config.wording import UNKNOWN_KEY, Keys, say, shown
from orchestrator.config.yamlfile import Document, Trail, read_yaml

Schema = TypeVar("Schema", bound=BaseModel)

FILE_BYTES_MAX: Final = 1 << 20


def read_text(path: Path) -> str:
    """Return the text of a YAML file.

    Raises FileNotFoundError, IsADirectoryError, NoInputError for a file that cannot be read, and ConfigurationError for
    one that is too large or no UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except (FileNotFoundError, IsADirectoryError):
        raise
    except OSError as error:
        raise NoInputError(f"{printable(str(path))}: cannot be read: {error.strerror or error}") from None
    if len(data) > FILE_BYTES_MAX:
        raise ConfigurationError(f"{printable(str(path))}: larger than 1 MiB; it should be a page of text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        known = Source(str(path), data.decode("utf-8", "replace"))
        place = known.at(len(data[: error.start].decode("utf-8")))
        raise place.error(f"not UTF-8: it holds the byte 0x{data[error.start]:02x}; save it as UTF-8") from None


def validated(
    schema: type[Schema],
    file: Source,
    *,
    keys: Keys,
    example: str,
    overrides: Sequence[Override] = (),
    defaults: Mapping[str, Any] | None = None,
) -> Schema:
    """Return what a file describes; `example` is said of an empty one, `defaults` fill what it leaves out.

    Raises ConfigurationError, with the place.
    """
    document = read_yaml(file)
    if document.data is None:
        raise ConfigurationError(f"{printable(file.name)}: the file is empty; {example}")
    if not isinstance(document.data, dict):
        of = example.rpartition(" such as ")[2]
        raise document.values[()].error(f"expected keys and values such as {of}, got {shown(document.data)}")
    for override in overrides:
        override.put_into(document)
    for key, value in (defaults or {}).items():
        document.data.setdefault(key, value)
    try:
        return schema.model_validate(document.data)
    except ValidationError as error:
        raise _explain(error, document, [file, *(override.source for override in overrides)], keys) from None


def _explain(error: ValidationError, document: Document, sources: Sequence[Source], keys: Keys) -> ConfigurationError:
    """Return the first error in the order of what was written, and how many there are besides."""

    def order(place: Place) -> tuple[int, int, int]:
        return sources.index(place.source), place.line, place.column

    every = error.errors(include_url=False)
    errors = [(_find(details, document), details) for details in every if not _follows(details, every)]
    (place, trail), first = min(errors, key=lambda found: order(found[0][0]))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return place.error(printable(say(first, trail, keys)) + more)


def _follows(error: ErrorDetails, every: Sequence[ErrorDetails]) -> bool:
    """Return whether a list is too short only because something in it is wrong, or a value might be absent as well."""
    loc = error["loc"]
    if error["type"] == "none_required":
        return any(other is not error and other["loc"][:-1] == loc[:-1] for other in every)
    return error["type"] == "too_short" and any(other["loc"][: len(loc)] == loc != other["loc"] for other in every)


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
