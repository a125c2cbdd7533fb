"""What a study found out, as the keys of a format file.

Never writes a key that says what is so anyway.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from orchestrator.formats.format import FIELDS, KINDS, LogFormat, compiled
from orchestrator.formats.guess.broadcasts import is_in_lines
from orchestrator.formats.guess.expression import joined, parts_of, shared, slot_expression, widest
from orchestrator.formats.guess.files import Naming, escaped
from orchestrator.formats.guess.study import Study
from orchestrator.formats.guess.words import meaning
from orchestrator.formats.names import natural

EXPRESSIONS_MAX: Final = 10
"""With more than so many, the words that tell the kinds must do."""
_ORDER: Final = ("receive", "send-all", "send-some", "send", "internal", "ignore")
_ROLES: Final = ("time", "node", "clock", "stamp", "queue", "from", "to", "message")


def keys_of(study: Study, naming: Naming, *, is_short: bool = True) -> dict[str, Any]:
    """Return the keys of the format file that says what was found out; if `is_short`, what is common only once."""
    keys: dict[str, Any] = {}
    if naming.expression:
        keys["files"] = naming.expression
    keys |= {"layout": study.frame.layout} if study.frame.layout != "text" else {}
    keys |= study.frame.keys
    keys |= _of_text(study, is_short=is_short) if study.frame.layout == "text" else _of_columns(study)
    if study.clock != "scalar":
        keys["clock"] = study.clock
    if "time" in study.roles and study.time != "auto":
        keys["time"] = study.time
    if "message" in study.roles and study.ids != "all":
        keys["ids"] = study.ids
    if is_in_lines(study):
        keys["broadcast"] = "lines"
    if study.aliases:
        keys["aliases"] = dict(sorted(study.aliases.items(), key=lambda one: natural(one[0])))
    if study.order:
        keys["nodes"] = study.order
    return keys


def _roles(study: Study, at: int) -> dict[str, str]:
    """Return the fields of a group by their slots."""
    return {choice[at]: role for role, choice in study.roles.items() if at in choice}


# Text.


def _of_text(study: Study, *, is_short: bool) -> dict[str, Any]:
    events = [at for at, group in enumerate(study.groups) if group.is_event]
    wide = _wide(study, events)
    parts = {
        at: parts_of(template, _roles(study, at), wide) for at in events if (template := study.groups[at].template)
    }
    lines = {at: [study.frame.lines[row] for row in study.groups[at].rows[:200].tolist()] for at in events}
    whole = {"kinds": _by_kind(study, {at: joined(parts[at], lines[at]) for at in events})}
    if len(parts) < 2 or not is_short:
        return whole
    first = next(iter(parts.values()))
    start = shared(list(parts.values()))
    end = shared([each[start:] for each in parts.values()], at_end=True)
    before, behind = "".join(first[:start]), "".join(first[len(first) - end :])
    if "(?<clock>" not in before + behind:
        return whole
    some = [line for each in lines.values() for line in each]
    rests = {at: each[start : len(each) - end] for at, each in parts.items()}
    if any(r"\n" in rest for rest in rests.values()):
        return whole
    record = joined([before, "(?<event>.*?)" if behind else "(?<event>.*)", behind], some)
    return {"record": record, "kinds": _of_rests(study, rests)}


def _wide(study: Study, events: Sequence[int]) -> dict[str, str]:
    found = {}
    for role in ("node", "time", "clock"):
        slots = [study.slot(at, key) for at, key in study.roles.get(role, {}).items() if at in events]
        if slots and (expression := widest(role, slots)):
            found[role] = expression
    return found


def _of_rests(study: Study, rests: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    """Return what tells kinds in the part of a record in which records differ."""
    expressions = {at: "^" + "".join(parts).replace(".+?)", ".+)") for at, parts in rests.items()}
    has_fields = any("(?<" in text for text in expressions.values()) and study.clock != "vector"
    if len(set(expressions.values())) <= EXPRESSIONS_MAX or has_fields:
        return _by_kind(study, expressions)
    kinds: dict[str, list[str]] = defaultdict(list)
    for at, expression in expressions.items():
        words = re.findall(r"[A-Za-z]+", study.groups[at].words)
        telling = next((word for word in words if meaning(word).kind == study.groups[at].kind != ""), None)
        kinds[study.groups[at].format_kind].append(rf"\b{telling}" if telling else expression)
    several = {kind: list(dict.fromkeys(kinds[kind])) for kind in _ORDER if kind in kinds and kind != "internal"}
    found: dict[str, list[str]] = {
        kind: [
            r"\b(?:" + "|".join(text[2:] for text in texts if text.startswith(r"\b")) + ")",
            *(text for text in texts if not text.startswith(r"\b")),
        ]
        if any(text.startswith(r"\b") for text in texts)
        else texts
        for kind, texts in several.items()
    }
    if "internal" in kinds:
        found["internal"] = [""]
    return (
        {kind: _one_or_more(texts) for kind, texts in found.items()}
        if _agrees(study, found)
        else _by_kind(study, expressions)
    )


def _agrees(study: Study, kinds: Mapping[str, Sequence[str]]) -> bool:
    """Return whether expressions tell nearly all kinds as the study does."""
    compiled_kinds = [(kind, compiled(text, re.IGNORECASE)) for kind, texts in kinds.items() for text in texts]
    wrong = 0
    for at in study.of_kind("receive", "send", "internal", ""):
        group = study.groups[at]
        line = study.frame.lines[int(group.rows[0])]
        told = next((kind for kind, expression in compiled_kinds if expression.search(line)), None)
        wrong += len(group) * (told != group.format_kind)
    return wrong <= 0.02 * len(study.frame)


def _by_kind(study: Study, expressions: Mapping[int, str]) -> dict[str, Any]:
    kinds: dict[str, list[str]] = defaultdict(list)
    for at, expression in expressions.items():
        if expression not in kinds[study.groups[at].format_kind]:
            kinds[study.groups[at].format_kind].append(expression)
    return {kind: _one_or_more(kinds[kind]) for kind in _ORDER if kind in kinds}


def _one_or_more(texts: Sequence[str]) -> Any:
    return texts[0] if len(texts) == 1 else list(texts)


# Columns.


def _of_columns(study: Study) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    fields = _fields(study)
    if record := _record(study):
        keys["record"] = record
    names = [*study.frame.columns, *compiled(record).groupindex] if record else list(study.frame.columns)
    names += [name.partition(".")[0] for name in names if "." in name and study.frame.layout == "json"]
    is_auto = LogFormat(layout="json").sources(dict.fromkeys(name for name in names if not name.startswith("^")))
    wanted = {role: sources for role, sources in fields.items() if is_auto.get(role) != sources}
    unwanted: dict[str, list[str]] = {role: [] for role in is_auto if role not in fields and _matters(study, role)}
    if wanted or unwanted:
        keys["fields"] = {role: _one_or_more(some) if some else [] for role, some in {**wanted, **unwanted}.items()}
    keys |= _kinds(study, fields)
    return keys


def _matters(study: Study, role: str) -> bool:
    """Return whether a field would be taken for what a column of its name says."""
    return role in FIELDS and not (role == "event" and study.frame.kind_source) and role != "kind"


def _fields(study: Study) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    source = study.frame.kind_source
    if study.frame.text_source:
        fields["event"] = [study.frame.text_source]
    elif source:
        parts = re.findall(r"\{([^{}]+)\}", source)
        fields["kind"] = [source, parts[0]] if parts else [source]
    for role in _ROLES:
        keys = dict.fromkeys(key for key in study.roles.get(role, {}).values() if "#" not in key)
        if keys:
            fields[role] = list(keys)
    if fields.get("from") and fields.get("from") == fields.get("to"):
        fields["peer"] = fields.pop("from")
        del fields["to"]
    # What stands before pairs or objects is a group that is called as its field.
    return {role: [role if key.startswith("^") else key for key in keys] for role, keys in fields.items()}


def _record(study: Study) -> str:
    """Return the expression of what stands before pairs or objects, if anything there says something."""
    prefix = study.frame.prefix
    roles = {key[1:]: role for role, choice in study.roles.items() for key in choice.values() if key.startswith("^")}
    if study.frame.kind_source.startswith("^"):
        roles[study.frame.kind_source[1:]] = "kind"
    if prefix is None or not roles:
        return ""
    parts = parts_of(prefix, roles)
    while parts and not parts[-1].startswith("(?<"):
        parts.pop()
    return "^" + "".join(parts) + (r"\b" if parts[-1].endswith(r"\w+)") else "")


def _kinds(study: Study, fields: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    if study.frame.text_source:
        return {"kinds": _by_text(study)}
    if not study.frame.kind_source:
        return {"kinds": _by_presence(study)} if len(study.groups) > 1 else {}
    kinds: dict[str, list[str]] = defaultdict(list)
    for group in study.groups:
        if not group.is_event or group.kind:
            kinds[group.format_kind if group.is_event else "ignore"].append(group.value or "")
    usual = {kind: compiled(text, re.IGNORECASE) for kind, text in KINDS.items()}
    is_usual = all(
        next((one for one, expression in usual.items() if expression.fullmatch(value)), None) == kind
        for kind, values in kinds.items()
        for value in values
    )
    if is_usual:
        return {}
    return {"kinds": {kind: "|".join(map(escaped, kinds[kind])) for kind in _ORDER if kind in kinds}}


def _by_text(study: Study) -> dict[str, Any]:
    expressions: dict[int, str] = {}
    ignored: list[str] = []
    for at, group in enumerate(study.groups):
        if group.template is None:
            continue
        roles = {key.rpartition("#")[2]: role for key, role in _roles(study, at).items() if "#" in key}
        expression = joined(parts_of(group.template, roles), [])
        if group.is_event:
            expressions[at] = expression
        else:
            ignored.append(expression)
    kinds = _by_kind(study, expressions)
    return {**kinds, "ignore": _one_or_more(ignored)} if ignored else kinds


def _by_presence(study: Study) -> dict[str, Any]:
    """Return what tells kinds in a whole line: which columns are filled."""
    kinds: dict[str, list[str]] = defaultdict(list)
    by_kind: dict[str, set[str]] = defaultdict(set)
    for group in study.groups:
        by_kind[group.format_kind] |= set(group.slots)
    for group in sorted(study.groups, key=lambda group: -len(group.slots)):
        others = set().union(*(names for kind, names in by_kind.items() if kind != group.format_kind))
        own = [name for name in group.slots if name not in others]
        expression = _is_filled(study, own[0]) if own else ""
        if expression not in kinds[group.format_kind]:
            kinds[group.format_kind].append(expression)
    return {kind: _one_or_more(kinds[kind]) for kind in _ORDER if kind in kinds}


def _is_filled(study: Study, name: str) -> str:
    """Return an expression for lines in which a column holds something."""
    match study.frame.layout:
        case "table":
            delimiter = escaped({"tab": r"\t"}.get(study.frame.keys.get("delimiter", ","), ","))
            place = list(study.frame.columns).index(name)
            return rf"^(?:[^{delimiter}]*{delimiter}){{{place}}}\s*[^{delimiter}\s]"
        case "json":
            return rf'"{escaped(name.rpartition(".")[2])}":\s*(?!null|""|\[\])'
        case _:
            return rf"\b{escaped(name)}=\S"


__all__ = ["keys_of", "slot_expression"]
