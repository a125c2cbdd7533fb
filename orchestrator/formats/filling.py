"""Templates that put what a record says together: `{node}:{index}`, and `{event} {info?}` where a part may be absent.

Never knows what the parts mean.
"""

import re
from collections.abc import Container, Iterable
from functools import lru_cache
from typing import Any, Final

_PART: Final = re.compile(r"\{([^{}?]+)(\??)\}")


@lru_cache(256)
def parts_of(template: str) -> tuple[tuple[str, bool], ...]:
    """Return the names in a template, and whether each may be absent; none if it is no template."""
    return tuple((name, bool(mark)) for name, mark in _PART.findall(template))


def is_there(source: str, names: Container[str]) -> bool:
    """Return whether a source, a name or a template of some, is among these names."""
    parts = parts_of(source)
    return source in names or (bool(parts) and all(name in names or may_be_absent for name, may_be_absent in parts))


def filled(template: str, parts: Iterable[Any]) -> str | None:
    """Return a template with its parts, or None if one of them says nothing that may not be absent."""
    said = ["" if part is None else str(part) for part in parts]
    if any(not text and not may_be_absent for text, (_, may_be_absent) in zip(said, parts_of(template), strict=True)):
        return None
    return _PART.sub("{}", template).format(*said).strip()
