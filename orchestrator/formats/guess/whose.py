"""Whose the records are: by the names of the files, or by a slot that every record has.

Never decides alone: clocks that rise along each machine are the proof, and whoever asks looks at them.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.formats.clocks import read_vector
from orchestrator.formats.guess.frame import Frame, is_said
from orchestrator.formats.guess.study import Choice
from orchestrator.formats.guess.words import meaning

MACHINES_MAX: Final = 64
CANDIDATES_MAX: Final = 7


def whose(frame: Frame, of_files: list[str]) -> Iterator[tuple[float, list[str], Choice]]:
    """Yield how likely it is, each record's machine, and the slots that say so; none if it is the file."""
    told = [at for at, group in enumerate(frame.groups) if meaning(group.words).strength > 0]
    by_file = [of_files[file] for file in frame.files.tolist()]
    if len(set(by_file)) > 1:
        yield 1.2, by_file, {}
    found = [(score, choice) for choice in _choices(frame) if (score := _score(frame, choice, told)) > -1]
    for score, choice in sorted(found, key=lambda one: -one[0])[:CANDIDATES_MAX]:
        yield score, _names(frame, choice, by_file), choice
    if choice := _in_vectors(frame):
        yield 0.5, _names(frame, choice, by_file), choice
    if not found and len(set(by_file)) == 1:
        yield -1.0, by_file, {}


def _choices(frame: Frame) -> Iterator[Choice]:
    """Yield slots that may belong together: those with the same words beside them, and the best of each group."""
    by_signature: dict[tuple[object, ...], Choice] = {}
    best: Choice = {}
    for at, group in enumerate(frame.groups):
        seen: Counter[tuple[object, ...]] = Counter()
        for key, slot in group.slots.items():
            if slot.type in ("number", "name", "word", "names", "quote") and not _is_decimal(slot.values):
                signature = (slot.prefix, slot.type, *slot.label.left[:1]) if group.template else (key,)
                seen[signature] += 1
                by_signature.setdefault((*signature, seen[signature]), {}).setdefault(at, key)
                if at not in best or slot.label.said("node") > frame.groups[at].slots[best[at]].label.said("node"):
                    best[at] = key
    for choice in by_signature.values():
        yield choice
        if len(choice) < len(frame.groups) and (more := _extended(frame, choice)) != choice:
            yield more
    if best not in by_signature.values():
        yield best
    yield _ends(frame)


def _is_decimal(values: Sequence[object]) -> bool:
    return any("." in str(value) for value in values[:5]) and all(
        re.fullmatch(r"-?\d+\.\d+", str(value)) for value in values[:5]
    )


def _ends(frame: Frame) -> Choice:
    """Return the sender of a send and the recipient of a receive, where lines name both: `SEND A->B`, `RECV A->B`."""
    choice: Choice = {}
    for at, group in enumerate(frame.groups):
        names = [
            key
            for key, slot in group.slots.items()
            if slot.type in ("name", "names", "word")
            or (slot.type == "number" and slot.label.said("from") + slot.label.said("to") > 1)
        ]
        kind = meaning(group.words).kind
        if group.template and len(names) > 1 and kind in ("send", "receive"):
            choice[at] = names[0] if kind == "send" else names[1]
        elif group.template and names:
            choice[at] = names[0]
    return choice if all(group.template for group in frame.groups) else {}


def _in_vectors(frame: Frame) -> Choice:
    """Return the slots whose names stand in the vector beside them."""
    choice: Choice = {}
    for at, group in enumerate(frame.groups):
        types = [slot.type for slot in group.slots.values()]
        if "vector" not in types:
            continue
        its_place = types.index("vector")
        read = [read_vector(value) for value in list(group.slots.values())[its_place].values]
        found = [
            (slot.label.said("node"), -abs(place - its_place), key)
            for place, (key, slot) in enumerate(group.slots.items())
            if slot.type in ("name", "word", "number")
            and all(isinstance(one, dict) and str(name) in one for one, name in zip(read, slot.values, strict=True))
        ]
        if found:
            choice[at] = max(found)[2]
    return choice


def _extended(frame: Frame, choice: Choice) -> Choice:
    """Return a choice with the slots at the same place of the other groups, whatever the words beside them."""
    places = Counter(choice.values()).most_common(1)[0][0]
    return {
        **{
            at: places
            for at, group in enumerate(frame.groups)
            if group.template and places in group.slots and group.slots[places].type in ("number", "name", "word")
        },
        **choice,
    }


def _score(frame: Frame, choice: Choice, told: list[int]) -> float:
    """Return how likely slots name the machine of their records, -2 if they cannot."""
    names: Counter[str] = Counter()
    said = 0.0
    for at, key in choice.items():
        slot = frame.groups[at].slots[key]
        names.update(str(value) for value in slot.values if is_said(value))
        first = 0.4 if next(iter(frame.groups[at].slots)) == key else 0.2
        said += (slot.label.said("node") + first + 0.3 * (slot.type == "name")) * len(frame.groups[at])
    count = sum(len(frame.groups[at]) for at in choice)
    if not choice:
        return -2.0
    all_told = sum(len(frame.groups[at]) for at in told)
    covered = sum(len(frame.groups[at]) for at in told if at in choice)
    if not 2 <= len(names) <= MACHINES_MAX or covered < 0.9 * all_told or sum(names.values()) < 0.95 * count:
        return -2.0
    return said / count if min(names.values()) > 1 or count < 10 else said / count - 1.0


def _names(frame: Frame, choice: Choice, otherwise: list[str]) -> list[str]:
    names = list(otherwise)
    for at, key in choice.items():
        group = frame.groups[at]
        for row, value in zip(group.rows.tolist(), group.slots[key].values, strict=True):
            if is_said(value):
                names[row] = str(value)
    return names
