"""What kind of event each group is: by its words, by whom it names, and by clocks that jump only at receives.

Never calls a line an event that has no clock where the others have one.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from orchestrator.formats.guess.evidence import Floats, correlation, membership, objective, share
from orchestrator.formats.guess.frame import is_said
from orchestrator.formats.guess.study import Study
from orchestrator.formats.guess.words import Kind, Meaning, meaning
from orchestrator.formats.names import everyone_in

_FRAMED: Final = re.compile(r"\s*[-=*#+~<>_]{2,}.*[-=*#+~<>_]{2,}\s*\Z|[-=*#]{3,}")
_WARNING: Final = re.compile(r"\b(WARN(ING)?|ERROR|FATAL|CRITICAL|TRACE)\b")
JUMPS_MIN: Final = 0.08
STRAY_MAX: Final = 0.05
_DIE: Final[dict[str, tuple[Kind, bool]]] = {
    "1": ("send", False),
    "2": ("send", False),
    "3": ("send", True),
    "0": ("receive", False),
    "-1": ("receive", False),
    **{str(roll): ("internal", False) for roll in range(4, 11)},
}
"""What the die of the exercise means, where only its number is logged."""


def decide_kinds(study: Study) -> None:
    """Decide the kind of each group, and whether it is an event at all."""
    told = [meaning(group.words) for group in study.groups]
    jumps = _jumps(study)
    is_unruly = _is_unruly(study, told, jumps)
    if is_unruly and study.clock != "vector":
        jumps = [0.0] * len(jumps)
    for at, group in enumerate(study.groups):
        group.kind, group.is_all = _kind(study, at, told[at], jumps)
        group.is_event = _is_event(study, at, told[at])
        is_told = told[at].strength > 1 and is_unruly
        is_vector = study.clock == "vector" and at in study.roles["clock"] and not is_told
        if is_vector and (jumps[at] > 0.5) != (group.kind == "receive"):
            # A vector says itself whether something was received, whatever the words say.
            group.kind = "receive" if jumps[at] > 0.9 and group.kind != "send" else ""
    _find_receives(study, told, jumps)
    _find_sends(study, told)


def _jumps(study: Study) -> list[float]:
    """Return the share of each group's records at which the clock jumps: where something was received."""
    if study.clock == "none":
        return [0.0] * len(study.groups)
    steps = study.gains if study.clock == "vector" else study.rows.steps(study.column(study.roles["clock"]))
    found = []
    for group in study.groups:
        some = steps[group.rows]
        some = some[~np.isnan(some)]
        found.append(share(some > 1) if len(some) else 0.0)
    return found


def _is_unruly(study: Study, told: Sequence[Meaning], jumps: Sequence[float]) -> bool:
    """Return whether clocks jump where words surely tell of no receive, or never at receives: words alone count."""
    sure = [at for at, one in enumerate(told) if one.strength > 1]
    others = [at for at in sure if told[at].kind != "receive"]
    receives = [at for at in sure if told[at].kind == "receive"]
    stray, landed = (_mean(study, groups, jumps) for groups in (others, receives))
    return (stray or 0.0) > STRAY_MAX or (landed is not None and landed < JUMPS_MIN)


def _mean(study: Study, groups: Sequence[int], jumps: Sequence[float]) -> float | None:
    """Return the share of jumps over the records of some groups."""
    total = study.total(groups)
    return sum(jumps[at] * len(study.groups[at]) for at in groups) / total if total else None


def _kind(study: Study, at: int, told: Meaning, jumps: list[float]) -> tuple[Kind, bool]:
    if told.strength > 1:
        return told.kind, told.is_all
    group = study.groups[at]
    names_sender, names_recipient = (_names_machines(study, at, role) for role in ("from", "to"))
    if jumps[at] > 2 * JUMPS_MIN and len(group) > 5 and not names_recipient:
        return "receive", False
    if told.strength:
        return told.kind, told.is_all
    if names_sender and not names_recipient and (jumps[at] > 0 or study.clock == "none" or not any(jumps)):
        return "receive", False
    if names_recipient and not names_sender and jumps[at] == 0:
        return "send", told.is_all
    return "", False


def _names_machines(study: Study, at: int, role: str) -> bool:
    """Return whether words say that a slot names a peer, and it does name machines."""
    for slot in study.groups[at].slots.values():
        if slot.type != "time" and slot.label.said(role) > 1.6:
            some = [everyone_in(value) for value in slot.values[:50] if is_said(value)]
            known = [names is None or all(study.machine_of(name) >= 0 for name in names) for names in some]
            if known and sum(known) > 0.8 * len(known):
                return True
    return False


def _is_event(study: Study, at: int, told: Meaning) -> bool:
    return _has_happened(study, at, told) if study.clock == "none" else _is_clocked(study, at, told)


def _has_happened(study: Study, at: int, told: Meaning) -> bool:
    """Return whether words alone say that a group is of events."""
    group, is_rare = study.groups[at], study.is_rare(at)
    if _WARNING.search(group.words) and told.strength < 2:
        return False
    is_known = bool(group.kind and told.strength and not (told.is_lifecycle and is_rare))
    return is_known or not (told.is_lifecycle or (is_rare and group.value is None))


def _is_clocked(study: Study, at: int, told: Meaning) -> bool:
    """Return whether a group has a clock as events have it."""
    group, is_rare = study.groups[at], study.is_rare(at)
    if at not in study.roles["clock"] or (study.node[group.rows] < 0).all():
        return False
    if study.clock == "vector":
        return True
    if is_rare and _is_at_the_edge(study, at):
        is_odd = told.is_lifecycle or _disturbs(study, at) or _is_called_otherwise(study, at)
        if is_odd or not told.strength:
            return False
    steps = study.rows.steps(study.column(study.roles["clock"]))[group.rows]
    steps = steps[~np.isnan(steps)]
    if group.kind and told.strength:
        is_repeated = len(steps) > 5 and share(steps == 0) > 0.9
        is_still = is_rare and len(steps) > 0 and not (steps > 0).any()
        has_other = any(
            other.kind == group.kind and _counts(study, place)
            for place, other in enumerate(study.groups)
            if other is not group
        )
        return not ((is_repeated or is_still) and has_other)
    return not (told.is_lifecycle and is_rare) and (not len(steps) or share(steps > 0) > 0.5)


def _counts(study: Study, at: int) -> bool:
    """Return whether the clock rises at some of a group's records: a program may not count its sends at all."""
    if at not in study.roles["clock"]:
        return False
    steps = study.rows.steps(study.column(study.roles["clock"]))[study.groups[at].rows]
    return share(steps[~np.isnan(steps)] > 0) > 0.1


def _is_at_the_edge(study: Study, at: int) -> bool:
    """Return whether a group's lines stand above the first or below the last of the known events, or framed."""
    group = study.groups[at]
    if all(_FRAMED.match(study.frame.lines[row]) for row in group.rows.tolist()):
        return True
    known = [meaning(other.words).strength > 0 and len(other) > len(group) for other in study.groups]
    is_known = study.rows_of([place for place, each in enumerate(known) if each])
    for row in group.rows.tolist():
        same = np.flatnonzero(is_known & (study.frame.files == study.frame.files[row]))
        if len(same) and same[0] < row < same[-1]:
            return False
    return True


def _is_called_otherwise(study: Study, at: int) -> bool:
    """Return whether the words before a group's clock stand before no other: `RECEIVED MESSAGES: 140` at the end."""
    before = {other: study.slot(other, key).label.left[:1] for other, key in study.roles["clock"].items()}
    return before[at] not in {words for other, words in before.items() if other != at and not study.is_rare(other)}


def _disturbs(study: Study, at: int) -> bool:
    """Return whether clocks rise better without a group: `rate 5` before the first event is no clock."""
    choice = study.roles["clock"]
    rest = {other: key for other, key in choice.items() if other != at}
    return objective(study.rows.steps(study.column(rest))) >= objective(study.rows.steps(study.column(choice)))


def _find_receives(study: Study, told: list[Meaning], jumps: list[float]) -> None:
    """Where no words tell of a receive, take the groups at which clocks jump."""
    if study.of_kind("receive") or study.clock not in ("scalar", "fractional"):
        return
    for at, group in enumerate(study.groups):
        if group.is_event and told[at].strength < 2 and jumps[at] > JUMPS_MIN:
            group.kind = "receive"


def _find_sends(study: Study, told: list[Meaning]) -> None:
    """Where no words tell of a send, ask the die's numbers, or which clocks the receives name."""
    groups = study.groups
    if any(group.value is not None for group in groups) and all(
        group.value in _DIE for group in groups if group.is_event and group.kind != "receive"
    ):
        for group in groups:
            if group.is_event and group.kind != "receive":
                group.kind, group.is_all = _DIE[group.value or ""]
    if study.of_kind("receive") and study.clock in ("scalar", "fractional"):
        _send_by_stamps(study, told)
    for at, group in enumerate(groups):
        if group.is_event and not group.kind and told[at].strength == 0 and study.of_kind("send"):
            group.kind = "internal"


def _send_by_stamps(study: Study, told: list[Meaning]) -> None:
    """Take for sends the groups without which the receives' numbers would not be clocks of others."""
    clocks = study.rows.keyed(study.column(study.roles["clock"]))
    sends = study.of_kind("send")
    others = [at for at in study.of_kind("internal", "") if told[at].strength < (1 if sends else 2)]
    if sends and any(_fits(study, at, clocks, sends) for at in study.of_kind("receive")):
        return
    best: tuple[float, int, list[int]] = (0.0, 0, [])
    for at in study.of_kind("receive"):
        for key in study.slots(at):
            if study.is_whole(at, key):
                values = study.rows.keyed(study.column({at: key}))
                is_id = bool(sends) and study.slot(at, key).label.said("message") > 1
                if is_id or not _may_be_stamps(study, at, key):
                    continue
                for some in _subsets(others):
                    found = membership(values, clocks[study.rows_of([*sends, *some])])
                    best = max(best, (round(found, 2), -study.total(some), some))
    if best[0] > 0.9:
        for at in best[2]:
            study.groups[at].kind = "send"


def _fits(study: Study, at: int, clocks: Floats, sends: list[int]) -> bool:
    """Return whether a number of these receives is nearly always the clock of a send."""
    known = clocks[study.rows_of(sends)]
    return any(
        membership(study.rows.keyed(study.column({at: key})), known) > 0.95
        for key in study.slots(at)
        if study.is_whole(at, key) and _may_be_stamps(study, at, key)
    )


def _may_be_stamps(study: Study, at: int, key: str) -> bool:
    """Return whether numbers are below the clock and rise with it."""
    rows = study.groups[at].rows
    clock = study.column(study.roles["clock"])[rows]
    values = study.numbers(at, key)
    return share(values <= clock) > 0.8 and correlation(values, clock) > 0.5


def _subsets(groups: list[int]) -> list[list[int]]:
    few = groups[:8]
    return [[at for bit, at in enumerate(few) if mask >> bit & 1] for mask in range(1, 1 << len(few))]
