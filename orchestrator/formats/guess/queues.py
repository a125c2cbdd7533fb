"""Which number is the length of the queue: small, never negative, up and down, with neighbours alike.

Never takes a number for it that words call something else.
"""

import numpy as np

from orchestrator.formats.guess.evidence import autocorrelation, is_even, share
from orchestrator.formats.guess.study import Choice, Study
from orchestrator.formats.guess.templates import Slot

LENGTH_MAX = 100_000


def find_queue(study: Study) -> None:
    """Find the slot that holds the length of the queue."""
    choice: Choice = {}
    for at in study.of_kind("receive", "send", "internal", ""):
        found = [
            (slot.label.said("queue"), key)
            for key, slot in study.slots(at).items()
            if slot.type in ("number", "name") and study.is_whole(at, key, share_min=0.5)
        ]
        if found and max(found)[0] > 1.4:
            choice[at] = max(found)[1]
    choice = choice or _by_behaviour(study)
    if choice:
        study.roles["queue"] = choice


def _by_behaviour(study: Study) -> Choice:
    """Return slots that nothing names but that behave as a queue does; none if two do."""
    found: dict[tuple[str, ...], Choice] = {}
    for at in study.of_kind("receive", "send", "internal", ""):
        for key, slot in study.slots(at).items():
            if (
                slot.type == "number"
                and study.is_whole(at, key)
                and not _is_padded(slot)
                and slot.label.said("queue") > -1
            ):
                found.setdefault((key,) if study.frame.columns else slot.label.left[:2], {})[at] = key
    likely = [choice for choice in found.values() if _is_queue(study, choice)]
    return likely[0] if len(likely) == 1 else {}


def _is_padded(slot: Slot) -> bool:
    """Return whether numbers begin with zeros, as names do and lengths do not."""
    return any(str(value)[:1] == "0" < str(value) for value in slot.values[:50])


def _is_queue(study: Study, choice: Choice) -> bool:
    values = study.column(choice)
    some = values[~np.isnan(values)]
    steps = study.rows.steps(values)
    if (
        len(some) < 8
        or some.min() > 0
        or some.max() > LENGTH_MAX
        or some.max() == 0
        or (is_even(steps) and np.nanmedian(steps) != 0)
    ):
        return False
    if not set(study.of_kind("receive")) <= choice.keys():
        return False
    risen = steps[~np.isnan(steps)]
    if not risen.any() or (risen < 0).sum() < 0.3 * (risen > 0).sum() or share(risen > 0) > 0.6:
        return False
    empty = share(some == 0)
    return empty > 0.02 and (autocorrelation(study.rows, values) > 0.3 or (empty > 0.5 and some.max() <= 20))
