"""What pydantic finds wrong, in our words: what was expected, what came, and what may have been meant.

Never shows more than a few words of what came.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, TypeAlias

from pydantic_core import ErrorDetails

SHOWN_LENGTH_MAX: Final = 40

UNKNOWN_KEY: Final = ("extra_forbidden", "invalid_key")
"""What pydantic calls a key that it does not know: a word, or a number where words are."""

# What pydantic calls an error, and what it expected, with the facts of the error filled in.
_EXPECTED: Final = {
    "expected": "{what}",
    "expected_kind": "{msg}",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "model_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_long": "at most {max_length} characters",
}


Keys: TypeAlias = Mapping[tuple[str, ...], Iterable[str]]
"""The keys that are known at each place."""


def say(error: ErrorDetails, trail: tuple[str | int, ...], keys: Keys) -> str:
    """Return the sentence for an error at `trail`."""
    if error["type"] in UNKNOWN_KEY:
        return _unknown_key(trail, keys)
    name = ".".join(_until_number(trail))
    return f"{name}: {_what(error, name)}" if name else _what(error, name)


def shown(value: object) -> str:
    """Say what a value is, in few words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'the text "{value if len(value) <= SHOWN_LENGTH_MAX else value[:SHOWN_LENGTH_MAX] + "…"}"'
        case int() | float():
            return f"the number {value}"
        case dict():
            return "a mapping"
        case _:
            return "a list" if value else "an empty list"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question that names what is nearest to `word`, or nothing."""
    near = get_close_matches(word, list(known), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _what(error: ErrorDetails, name: str) -> str:
    facts: dict[str, Any] = error.get("ctx", {})
    came = shown(error["input"])
    match error["type"]:
        case "refused":
            return str(facts["why"])
        case "literal_error":
            known = re.findall("'([^']*)'", facts["expected"])
            hint = did_you_mean(error["input"], known) if isinstance(error["input"], str) else ""
            return f"expected {', '.join(known[:-1])} or {known[-1]}, got {came}{hint}"
        case "string_pattern_mismatch":
            return f"expected a letter or digit, then at most 63 letters, digits, '.', '_' and '-', got {came}"
        case "missing":
            return f'the key "{error["loc"][-1]}" is missing'
        case kind if kind in _EXPECTED:
            what = _EXPECTED[kind].format(msg=error["msg"], **facts).removesuffix(".0")  # a limit of 1.0 reads as 1
            came = f"one of {facts['actual_length']}" if facts.get("actual_length") else came
            return f"expected {what}, got {came}"
        case _:
            return f"{error['msg']}, got {came}"


def _unknown_key(trail: tuple[str | int, ...], all_keys: Keys) -> str:
    key, parent = str(trail[-1]), _until_number(trail[:-1])
    known = all_keys.get(parent) or all_keys.get((*parent[:-1], "*"), ())
    if key in known:
        return f'the key "{key}" does not go with the others here: they are of another kind'
    if hint := did_you_mean(key, known):
        return f'unknown key "{key}"{hint}'
    elsewhere = [".".join((*place, key)) for place, keys in all_keys.items() if key in keys]
    if elsewhere:
        return f'unknown key "{key}" here; did you mean "{elsewhere[0]}"?'
    return f'unknown key "{key}"; known here: {", ".join(known)}'


def _until_number(trail: tuple[str | int, ...]) -> tuple[str, ...]:
    """Return the keys that lead to a setting; the caret says which entry of it is meant."""
    keys: list[str] = []
    for part in trail:
        if not isinstance(part, str):
            break
        keys.append(part)
    return tuple(keys)
