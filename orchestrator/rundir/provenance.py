"""Where a run came from: the code's commit, the versions, the machine; what a manifest says beside its hashes.

Never names a user or a host, and never fails: what cannot be found out is null.
"""

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

PACKAGES: Final = ("duckdb", "numba", "numpy", "orjson", "pydantic", "pyyaml", "rich", "structlog", "uvloop")
PROJECT: Final = Path(__file__).parents[2]
GIT_SECONDS_MAX: Final = 10


def git_commit(project: Path = PROJECT) -> str | None:
    """Return the commit of the checkout that this code is, with `-dirty` if files differ; None if it is none."""
    if not (project / ".git").exists():
        return None
    # Another repository's variables would answer for it, and to look must not write.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(project), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(
            command,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS_MAX,
            check=True,
        )
    except (OSError, UnicodeError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of each of these packages that is installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def host() -> dict[str, Any]:
    """Return what the speed of a run depends on."""
    return {"platform": platform.platform(), "cpus": os.cpu_count()}
