"""How records with columns fall into groups that say the same: by the column that tells their kinds.

Never decides a kind; it only finds what tells it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from functools import partial
from itertools import product
from typing import Any, Final, TypeAlias

import numpy as np

from orchestrator.formats.guess.frame import Frame, Group, is_said, type_of
from orchestrator.formats.guess.templates import Template, templates_of
from orchestrator.formats.guess.words import Meaning, meaning, split_words

VALUES_MAX: Final = 40
CODES_MAX: Final = 12
ENOUGH: Final = 0.6
_Way: TypeAlias = tuple[float, Callable[[], Frame]]
"""How surely a way of making groups is right, and what makes them."""
_KIND_NAMES: Final = frozenset(
    [
        "event",
        "type",
        "kind",
        "action",
        "op",
        "operation",
        "command",
        "cmd",
        "status",
        "direction",
        "dir",
        "evt",
        "ev",
        "what",
        "activity",
        "eventtype",
        "verb",
    ]
)


def grouped(frame: Frame, known: Iterable[str]) -> Iterator[Frame]:
    """Yield the frame in groups, in each of the ways that may be right."""
    if frame.groups:
        yield frame
        return
    told = sorted(_told(frame, list(known)), key=lambda one: -one[0])
    if told and told[0][0] >= ENOUGH:
        yield told[0][1]()
        return
    yield from (make() for score, make in told[:1] if score > 0)
    codes = [name for name, column in frame.columns.items() if _are_codes(name, column)]
    yield from (_by_value(frame, name, [_text(value) for value in frame.columns[name]]) for name in codes)
    yield _by_presence(frame)


def _told(frame: Frame, known: Sequence[str]) -> Iterator[_Way]:
    """Yield how surely each column, or two of them, tells the kinds, and what makes the groups."""
    texts = {name: [_text(value) for value in column] for name, column in frame.columns.items()}
    few = [name for name, column in texts.items() if _are_few(column)]
    texts |= {
        name: ["" if value is None else str(value) for value in frame.columns[name]] for name in texts.keys() - few
    }
    prose = [name for name, column in texts.items() if name not in few and _are_prose(column)]
    yield from ((_score(name, texts[name]), partial(_by_value, frame, name, texts[name])) for name in few)
    yield from (_by_prose(frame, name, texts[name], known) for name in prose)
    for first, second in product(few, few):
        if first != second and len(set(texts[first])) * len(set(texts[second])) <= VALUES_MAX:
            both = [f"{a} {b}" for a, b in zip(texts[first], texts[second], strict=True)]
            yield _score(first, both) - 0.3, partial(_by_value, frame, f"{{{first}}} {{{second}}}", both)
    for first, second in product(few, prose):
        if (score := _score(first, texts[first])) >= ENOUGH:
            both = [f"{a} {b}".strip() for a, b in zip(texts[first], texts[second], strict=True)]
            _, make = _by_prose(frame, f"{{{first}}} {{{second}?}}", both, known)
            yield score + (0.03 if _says_more(make()) else -0.5), make


def _are_few(texts: Sequence[str]) -> bool:
    """Return whether a column holds the same few words, in nearly every record."""
    distinct = set(texts)
    is_text = any(" " in text and any(map(str.isdigit, text)) for text in distinct)
    return not is_text and 2 <= len(distinct) <= VALUES_MAX and sum(map(bool, texts)) > 0.75 * len(texts)


def _are_prose(texts: Sequence[str]) -> bool:
    """Return whether a column holds several words at once."""
    some = [text for text in texts if text]
    are_many = len(some) > 0.3 * len(texts)
    return are_many and sum(" " in text for text in some) > 0.2 * len(some) and type_of(some) != "time"


def _by_prose(frame: Frame, source: str, texts: Sequence[str], known: Sequence[str]) -> _Way:
    templates = templates_of(texts, known)
    words = [""] * len(texts)
    for template in templates:
        for row in template.rows:
            words[row] = template.words
    return _score(source, words) - 0.05, partial(_by_words, frame, source, templates)


def _says_more(frame: Frame) -> bool:
    """Return whether words beside the kinds name a peer, a stamp or a length."""
    slots = [slot for group in frame.groups for key, slot in group.slots.items() if "#" in key]
    return any(slot.label.said(role) > 1.4 for slot in slots for role in ("from", "to", "stamp", "queue"))


def _score(name: str, texts: Sequence[str]) -> float:
    """Return how surely texts tell kinds: receives and sends must be among them."""
    counts: dict[Meaning, int] = {}
    cache = {text: meaning(text) for text in set(texts)}
    for text in texts:
        counts[cache[text]] = counts.get(cache[text], 0) + 1
    kinds = {told.kind for told in counts}
    if not {"receive", "send"} <= kinds:
        return 0.0
    sure = sum(told.strength / 2 * count for told, count in counts.items()) / len(texts)
    is_exact = all(told.strength for told in counts)
    return min(sure + 0.3 * is_exact, 1.0) + 0.2 * bool(set(split_words(name)) & _KIND_NAMES)


def _text(value: Any) -> str:
    return str(value) if is_said(value) else ""


def _are_codes(name: str, column: Sequence[Any]) -> bool:
    texts = {_text(value) for value in column}
    return 2 <= len(texts) <= CODES_MAX and "" not in texts and all(len(text) <= 8 for text in texts)


def _by_value(frame: Frame, source: str, texts: Sequence[str]) -> Frame:
    found = copy(frame)
    found.kind_source = source
    found.groups = [
        Group(rows, frame.slots_of(rows), value or "", value=value or "") for value, rows in frame.groups_of(texts)
    ]
    return found


def _by_words(frame: Frame, source: str, templates: Sequence[Template]) -> Frame:
    found = copy(frame)
    found.text_source = source
    found.groups = []
    for template in templates:
        rows = np.array(template.rows, np.int64)
        slots = frame.slots_of(rows)
        slots.pop(source, None)
        slots |= {f"{source}#{at}": slot for at, slot in enumerate(template.slots)}
        found.groups.append(Group(rows, slots, template.words, template))
    return found


def _by_presence(frame: Frame) -> Frame:
    """Return the frame in groups of records that fill the same columns."""
    found = copy(frame)
    names = [name for name in frame.columns if not name.startswith("^")]
    keys = ["\0".join(name for name in names if is_said(frame.columns[name][row])) for row in range(len(frame))]
    found.groups = []
    common = set(names).intersection(*(key.split("\0") for key in set(keys)))
    for key, rows in frame.groups_of(keys):
        own = [name for name in (key or "").split("\0") if name not in common]
        found.groups.append(Group(rows, frame.slots_of(rows), " ".join(own), value=None))
    return found
