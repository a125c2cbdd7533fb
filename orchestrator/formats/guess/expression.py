"""Regular expressions for templates: what all lines say as it stands, slots as what stands in them.

Never makes an expression tighter than what was seen, nor wider than its place.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from orchestrator.formats.guess.files import escaped
from orchestrator.formats.guess.frame import is_said
from orchestrator.formats.guess.templates import OPAQUE, Slot, Template

_PART: Final = re.compile(r"\w+|[^\w\s]|\n +| +|\s")
_NUMBER: Final = re.compile(r"[-+]?\d[\d.]*(?:[eE][-+]\d+)?[a-zµμ]*")
NUMERIC: Final = frozenset(("clock", "stamp", "queue"))
_PLAIN: Final = frozenset(("name", "number", "word"))
_CLOSING: Final = {"[": "]", "(": ")", "{": "}", "<": ">"}


def parts_of(template: Template, roles: Mapping[str, str], wide: Mapping[str, str] | None = None) -> list[str]:
    """Return a template's expression in parts; `roles` are the fields by the slots that say them.

    `wide` are the expressions of fields that are the same in all templates.
    """
    parts: list[str] = []
    for place, piece in enumerate(template.pieces):
        if isinstance(piece, str):
            parts += map(_literal, _PART.findall(piece))
        else:
            is_last, role = place == len(template.pieces) - 1, roles.get(str(piece))
            known = (wide or {}).get(role or "")
            parts.append(known or slot_expression(template.slots[piece], role, is_last=is_last))
    return parts


def _literal(text: str) -> str:
    if text == OPAQUE:
        return ".*"
    if text[0] == "\n":
        return r"\n" if text == "\n" else r"\n[ \t]*"
    if text == "\t":
        return r"\t"
    return " +" if text == "  " else escaped(text)


def slot_expression(slot: Slot, role: str | None, *, is_last: bool = False) -> str:
    """Return the expression of a slot, as a group if it says something."""
    values = [str(value) for value in slot.values if is_said(value)]
    if slot.type == "name" and slot.prefix and role in NUMERIC:
        return rf"{escaped(slot.prefix)}(?<{role}>\d+)"
    inside = _inside(slot, values, is_last=is_last)
    return f"(?<{role}>{inside})" if role else inside


def widest(role: str, slots: Sequence[Slot]) -> str | None:
    """Return one expression for a field that fits all its slots, or None if they are too different."""
    if len({(slot.prefix if role in NUMERIC else "", slot.type in _PLAIN or slot.type) for slot in slots}) > 1:
        return None
    values = [value for slot in slots for value in slot.values]
    return slot_expression(Slot(slots[0].type, slots[0].label, values, slots[0].prefix), role)


def _inside(slot: Slot, values: Sequence[str], *, is_last: bool) -> str:  # noqa: PLR0911  # a case a type
    match slot.type:
        case "time":
            space = " +" if any("  " in value for value in values) else " "
            return space.join([r"\S+"] * max(len(value.split()) for value in values))
        case "number" if all(_NUMBER.fullmatch(value) for value in values):
            return _number(values)
        case "vector" | "list":
            return _bracketed(values)
        case "rest":
            return ".*"
        case "quote":
            return '"[^"]*"'
        case "names" if any(re.search(r"[\s,;|&+]", value) for value in values):
            return _bracketed(values) if all(value[0] in _CLOSING for value in values) else ".+" if is_last else ".+?"
    if all(re.fullmatch(r"\d+", value) for value in values):
        return r"\d+"
    return (
        r"\w+" if all(re.fullmatch(r"\w+", value) for value in values) else r"[\w.-]+" if _are_plain(values) else r"\S+"
    )


def _are_plain(values: Sequence[str]) -> bool:
    return all(re.fullmatch(r"[\w.\-]+", value) for value in values)


def _number(values: Sequence[str]) -> str:
    sign = "-?" if any(value.startswith("-") for value in values) else ""
    if all(re.fullmatch(r"-?\d+", value) for value in values):
        return rf"{sign}\d+"
    if all(re.fullmatch(r"[-+]?[\d.]+", value) for value in values):
        return rf"{sign}[\d.]+"
    return r"[-+\w.]+"


def _bracketed(values: Sequence[str]) -> str:
    first = {value[0] for value in values}
    if len(first) == 1 and (opening := first.pop()) in _CLOSING:
        closing = _CLOSING[opening]
        return rf"{escaped(opening)}[^{escaped(closing) if closing == ']' else closing}]*{escaped(closing)}"
    return r"\S+\[[^\]]*\]" if all("[" in value for value in values) else r"\S+"


def joined(parts: Sequence[str], lines: Sequence[str]) -> str:
    """Return the parts as one expression of whole lines, such as these."""
    start = r"^\s*" if any(line[:1].isspace() for line in lines) else "^"
    end = r"\s*$" if any(line[-1:].isspace() for line in lines) else "$"
    return start + "".join(parts) + end


def shared(all_parts: Sequence[Sequence[str]], *, at_end: bool = False) -> int:
    """Return how many parts all begin or end with, up to the end of a word."""
    step = -1 if at_end else 1
    count = 0
    for parts in zip(*(parts[::step] for parts in all_parts), strict=False):
        if len(set(parts)) > 1:
            break
        count += 1
    while count and re.fullmatch(r"\w+", all_parts[0][::step][count - 1]):
        count -= 1
    return count


def shortest(template: Template, lines: Sequence[str], others: Sequence[str]) -> str:
    """Return a short expression that finds a template's lines and none of the others."""
    start = r"^\s*" if any(line[:1].isspace() for line in lines) else "^"
    literals = [piece.strip() for piece in template.pieces if isinstance(piece, str)]
    first = template.pieces[0]
    tries = []
    if isinstance(first, str) and len(first.strip()) > 2:
        tries.append(start + escaped(first.strip())[:60])
    tries += [escaped(text)[:60] for text in sorted(literals, key=len, reverse=True)[:2] if re.search(r"\w{3}", text)]
    for tried in tries:
        text = re.sub(" {2,}", " +", tried.rstrip("\\"))
        if not any(re.search(text, line) for line in others):
            return text
    return joined(parts_of(template, {}), lines)
