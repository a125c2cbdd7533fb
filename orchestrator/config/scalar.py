"""What a plain scalar of YAML means, and which ones are refused because they mean what one does not see.

YAML 1.1 reads `yes` as true, `010` as 8 and `1:30` as 90; an editor, by YAML 1.2, does not. Here they are errors.
"""

import re
from math import isfinite
from typing import Final, TypeAlias

import yaml

Key: TypeAlias = str | int
Plain: TypeAlias = "bool | int | float | str | tuple[Plain, ...] | dict[Key, Plain] | None"

INTEGER_MAX: Final = 2**63 - 1

_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
# YAML 1.2, as an editor reads it: 1e-3 is a number too, which PyYAML alone takes for text.
FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_SHOWN_LENGTH_MAX: Final = 40


def read_scalar(text: str) -> Plain:
    """Return what a plain scalar means.

    Raises ValueError where YAML 1.1 makes something of it that one does not see.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > len(str(INTEGER_MAX)) + 1 or abs(int(text)) > INTEGER_MAX:
            raise ValueError(f"a number of {len(text.lstrip('+-'))} digits is too large; at most {INTEGER_MAX}")
        return int(text)
    if FLOAT.fullmatch(text):
        if not isfinite(number := float(text)):
            raise ValueError("this number is too large")
        return number
    tag = yaml.resolver.Resolver().resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    if tag != "tag:yaml.org,2002:str":
        raise ValueError(_surprise(text))
    return text


def _surprise(text: str) -> str:
    shown = text if len(text) <= _SHOWN_LENGTH_MAX else f"{text[:_SHOWN_LENGTH_MAX]}…"
    quoted = f'"{shown}" in quotes if text is meant'
    try:
        value = yaml.safe_load(text) if shown == text else None
    except (ValueError, yaml.YAMLError):
        value = None
    if isinstance(value, float) and not isfinite(value):
        return f"{shown} is not a finite number"
    if isinstance(value, bool | int | float):
        read = str(value).lower()
        return f"YAML reads {shown} as {read}; write {read}, or {quoted}"
    return f"YAML makes something else of {shown}; write {quoted}"
