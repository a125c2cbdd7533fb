"""The formats that come with us, and those of a user, read from YAML.

Never looks at a log.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Final

from node.errors import NoInputError
from orchestrator.config.place import Source, printable
from orchestrator.config.validated import read_text, validated
from orchestrator.formats.format import KINDS, LogFormat

FOLDER: Final = Path(__file__).parent
KEYS: Final = {(): tuple(LogFormat.model_fields), ("kinds",): (*KINDS, "ignore")}
EXAMPLE: Final = "a log format has keys such as record: '(?<node>\\w+) (?<clock>\\d+) (?<event>.*)'"
ENDINGS: Final = (".format.yaml", ".yaml", ".yml")


def load_format(name: str) -> LogFormat:
    """Return a shipped format by its name, or the one in a file.

    Raises NoInputError if there is neither, ConfigurationError, with the place, for a file that is no format.
    """
    path = Path(name)
    if not path.is_file() and name in names():
        path = _shipped(name)
    try:
        return parse_format(read_text(path), name=name)
    except FileNotFoundError:
        near = get_close_matches(name, names(), n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; shipped are {', '.join(names())}"
        raise NoInputError(f"{printable(name)}: no log format and no such file{hint}") from None
    except IsADirectoryError:
        raise NoInputError(f"{printable(name)}: a directory; name a format's file in it") from None


def parse_format(text: str, *, name: str) -> LogFormat:
    """Return the format that `text`, read from a file called `name`, describes.

    Raises ConfigurationError, with the place.
    """
    return validated(LogFormat, Source(name, text), keys=KEYS, example=EXAMPLE, defaults={"name": _stem(name)})


@lru_cache(1)
def names() -> Sequence[str]:
    """Return the names of the formats that come with us."""
    return [path.stem for path in sorted(FOLDER.glob("*.yaml"))]


@lru_cache(1)
def shipped_formats() -> Sequence[LogFormat]:
    """Return the formats that come with us."""
    return [parse_format(read_text(_shipped(name)), name=name) for name in names()]


def _shipped(name: str) -> Path:
    return FOLDER / f"{name}.yaml"


def _stem(name: str) -> str:
    file = Path(name).name
    return next((file.removesuffix(ending) for ending in ENDINGS if file.endswith(ending)), file)
