"""Who is named: the sender at a receive, the recipients at a send; names of other machines, never of the own.

Never takes a small number for a name that is a queue's length.
"""

from typing import Any

import numpy as np

from orchestrator.formats.guess.evidence import Floats, membership, share
from orchestrator.formats.guess.frame import is_said
from orchestrator.formats.guess.study import Choice, Study
from orchestrator.formats.guess.templates import Slot
from orchestrator.formats.names import clean, everyone_in
from orchestrator.trace.store import NULL, Column


def find_sender(study: Study) -> None:
    """Find the slot that names the sender, in each group of receives."""
    clocks = _send_clocks(study)
    choice: Choice = {}
    for at in study.of_kind("receive"):
        found = [
            (score, key)
            for key, slot in study.slots(at).items()
            if slot.type in ("number", "name", "names", "word", "list", "quote")
            and (score := _sender_score(study, at, key, slot, clocks)) > 0
        ]
        if found:
            choice[at] = max(found)[1]
    if choice:
        study.roles["from"] = choice


def find_recipients(study: Study) -> None:
    """Find the slot that names the recipients, in each group of sends."""
    choice: Choice = {}
    for at in study.of_kind("send"):
        found = [
            (score, key)
            for key, slot in study.slots(at).items()
            if slot.type in ("number", "name", "names", "word", "list", "quote", "text")
            and (score := _recipients_score(study, at, slot)) > 0
        ]
        if len(found) > 1 and _are_recipients(study, at, [key for score, key in found if score > 2]):
            study.groups[at].is_all = True
            continue  # a field names one place, and these are several
        if found:
            choice[at] = max(found)[1]
    if choice:
        study.roles["to"] = choice


def _are_recipients(study: Study, at: int, keys: list[str]) -> bool:
    """Return whether several slots name a recipient each, never the same one."""
    if len(keys) < 2:
        return False
    first, second = (study.slot(at, key) for key in keys[:2])
    are_alike = first.label.left[:1] == second.label.left[:1] and first.type == second.type
    return are_alike and all(a != b for a, b in zip(first.values, second.values, strict=True))


def senders(study: Study) -> Column:
    """Return each record's sender as a machine, -1 where none is named."""
    return np.array(
        [
            study.machine_of(_first(value)) if value is not None else -1
            for value in study.texts(study.roles.get("from", {}))
        ],
        np.int64,
    )


def _first(value: Any) -> str:
    return clean(value[0] if isinstance(value, list) and value else value)


def _sender_score(study: Study, at: int, key: str, slot: Slot, clocks: dict[int, Floats]) -> float:
    rows = study.groups[at].rows
    values = [_first(value) if is_said(value) else "" for value in slot.values]
    machines = np.array([study.machine_of(value) if value else -1 for value in values], np.int64)
    is_known = machines >= 0
    is_self = machines == study.node[rows]
    said = slot.label.said("from")
    if study.frame.columns and "#" not in key:
        said = max(said, 0.0)  # a column for both: `target`
    if share(is_known) < 0.5 or share(is_self) > 0.02 or len(set(values)) > 64:
        return 0.0
    agrees = _agreement(study, at, key, machines, clocks)
    if said < 1.0 and (share(is_known) < 0.95 or len(rows) < 4 or (len(study.names) > 2 and len(set(values)) < 2)):
        return 0.0
    score = said + share(is_known) + 1.5 * agrees
    return (
        score
        if said >= 1.0 or agrees > 0.3 or (agrees == 0 and said > -1 and _is_spread(study, rows, machines))
        else 0.0
    )


def _is_spread(study: Study, rows: Column, machines: Column) -> bool:
    """Return whether every machine names nearly all others, so that never naming itself is no accident."""
    pairs = set(zip(study.node[rows].tolist(), machines.tolist(), strict=True))
    count = len(study.names)
    return len(pairs) >= 0.6 * count * (count - 1) and len(rows) > 4 * count


def _agreement(study: Study, at: int, key: str, machines: Column, clocks: dict[int, Floats]) -> float:
    """Return how much better the stamps fit the clocks of the named senders than those of the others, about 0 to 1."""
    if "stamp" not in study.roles or study.roles["stamp"].get(at, key) == key:
        return 0.0
    rows = study.groups[at].rows
    stamps = study.rows.keyed(study.column({at: study.roles["stamp"][at]}))[rows]
    ours, theirs = [], []
    for machine, known in clocks.items():
        is_of = machines == machine
        if is_of.any():
            ours.append(membership(stamps[is_of], known) * is_of.sum())
        is_other = (machines != machine) & (machines >= 0) & (study.node[rows] != machine)
        if is_other.any():
            theirs.append(membership(stamps[is_other], known) * is_other.sum() / max(1, is_other.sum()))
    fits = sum(ours) / max(1, int((machines >= 0).sum()))
    chance = sum(theirs) / len(theirs) if theirs else 0.0
    return float(fits - chance)


def _send_clocks(study: Study) -> dict[int, Floats]:
    """Return the clocks of each machine's sends."""
    if study.clock not in ("scalar", "fractional"):
        return {}
    clocks = study.rows.keyed(study.column(study.roles["clock"]))
    is_send = study.rows_of(study.of_kind("send"))
    return {at: clocks[is_send & (study.node == at)] for at in range(len(study.names))}


def _recipients_score(study: Study, at: int, slot: Slot) -> float:
    known = own = count = 0
    rows = study.groups[at].rows.tolist()
    for row, value in zip(rows, slot.values, strict=True):
        if not is_said(value):
            continue
        count += 1
        names = everyone_in(value)
        machines = [study.machine_of(name) for name in names or ()]
        known += names is None or (bool(machines) and min(machines) >= 0)
        own += int(study.node[row]) in machines
    said = slot.label.said("to")
    if not count or known < 0.5 * count or own > 0.02 * count or (count < 0.9 * len(rows) and said < 1):
        return 0.0
    values = {str(value) for value in slot.values}
    if said < 1.0 and (known < 0.95 * count or (len(study.names) > 2 and len(values) < 2) or said < -1):
        return 0.0
    if said < 1.0 and slot.type == "number" and not _is_spread_number(study, at, slot):
        return 0.0
    return said + known / count + 0.1


def _is_spread_number(study: Study, at: int, slot: Slot) -> bool:
    machines = np.array([study.machine_of(str(value)) for value in slot.values], np.int64)
    return _is_spread(study, study.groups[at].rows, machines)


assert NULL < 0, "no machine is NULL"
