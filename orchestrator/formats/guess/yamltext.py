"""A format's keys as the text of a YAML file, short and easy to change.

Never looks at what the keys mean.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

WIDTH: Final = 110
_PLAIN: Final = re.compile(r"[A-Za-z][\w./^-]*( [A-Za-z][\w./-]*)*\Z")
_SPECIAL: Final = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))


def yaml_of(keys: Mapping[str, Any]) -> str:
    """Return keys as YAML: short ones in a line, long ones below each other."""
    return "".join(_entry(key, value, "") for key, value in keys.items())


def _entry(key: str, value: Any, indent: str) -> str:
    short = _flow(value)
    if len(indent + key + short) + 2 <= WIDTH or isinstance(value, str):
        return f"{indent}{_scalar(key)}: {short}\n"
    if isinstance(value, Mapping):
        return f"{indent}{_scalar(key)}:\n" + "".join(_entry(name, one, indent + "  ") for name, one in value.items())
    return f"{indent}{_scalar(key)}:\n" + "".join(f"{indent}  - {_scalar(one)}\n" for one in value)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(name)}: {_flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_scalar, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    text = str(value)
    if _PLAIN.match(text) and text.lower() not in _SPECIAL:
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escape(letter) for letter in text) + '"'


def _escape(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
