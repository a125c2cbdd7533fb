"""The version of this program: it stands in pyproject.toml, and in the metadata of what was installed from there."""

import tomllib
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def program_version() -> str:
    """Return the version of the checkout that this code is, else that of the installed package."""
    try:
        text = PROJECT.read_text(encoding="utf-8")
    except FileNotFoundError:
        return version("scale-model")
    return str(tomllib.loads(text)["project"]["version"])
