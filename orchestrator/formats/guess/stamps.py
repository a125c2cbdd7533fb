"""Which number of a receive is the stamp of its message: the clock of a send elsewhere, below the receive's own.

Never takes the machine's own clock before the receive for it.
"""

from typing import Final

import numpy as np

from orchestrator.formats.guess.evidence import Floats, correlation, membership, share
from orchestrator.formats.guess.study import Choice, Study

ENOUGH: Final = 1.8


def find_stamp(study: Study) -> None:
    """Find the slot that holds the stamp, in each group of receives."""
    if study.clock not in ("scalar", "fractional"):
        return
    choice: Choice = {}
    clock = study.column(study.roles["clock"])
    sent = study.rows.keyed(clock)[study.rows_of(study.of_kind("send"))]
    before = study.rows.before(clock)
    for at in study.of_kind("receive"):
        rows = study.groups[at].rows
        found = []
        for key, slot in study.slots(at).items():
            if slot.type == "time" or not study.is_whole(at, key, share_min=0.9):
                continue
            stamps = study.column({at: key})
            is_there = ~np.isnan(stamps[rows])
            below = share((stamps <= clock)[rows][is_there])
            said = max(-2.0, min(2.2, slot.label.said("stamp")))
            is_before = share((stamps == before)[rows][is_there]) > 0.9
            known = membership(study.rows.keyed(stamps)[rows], sent) if len(sent) else 0.0
            together = correlation(stamps[rows], clock[rows]) if len(rows) > 11 else 0.7
            is_same = share((stamps == clock)[rows][is_there]) > 0.98
            if (
                below < 0.6
                or (is_before and known < 0.9)
                or together < (0.4 if said >= 2 else 0.7)
                or (is_same and said < 1)
            ):
                continue
            law = _law(clock[rows], stamps[rows], before[rows])
            score = 1.0 * law + 1.2 * known + 0.8 * below + 0.6 * said + 0.4 * together - 1.0 * is_before
            if score > ENOUGH:
                found.append((score, key))
        if found:
            choice[at] = max(found)[1]
    if choice:
        study.roles["stamp"] = choice


def _law(clock: Floats, stamps: Floats, before: Floats) -> float:
    """Return how far receives obey a rule: where the stamp is above the clock before, it decides the clock."""
    is_there = ~np.isnan(before) & ~np.isnan(stamps) & (stamps > before + 1)
    if is_there.sum() < 3:
        return 0.0
    return max(share((clock == stamps + more)[is_there]) for more in (0, 1, 2))
