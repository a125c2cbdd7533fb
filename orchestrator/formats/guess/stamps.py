"""Which number of a receive is the stamp of its message: the clock of a send elsewhere, below the receive's own.

Never takes the machine's own clock before the receive for it.
"""

from typing import Final

import numpy as np

from orchestrator.formats.guess.evidence import Floats, correlation, membership, share
from orchestrator.formats.guess.study import Choice, Study
from orchestrator.trace.store import Column

ENOUGH: Final = 1.8
ROWS_MIN: Final = 11
_IN_WORDS: Final = 0.4
"""So much less is enough of a number that words call the stamp: a program may break every law of it."""


def find_stamp(study: Study) -> None:
    """Find the slot that holds the stamp, in each group of receives."""
    if study.clock not in ("scalar", "fractional"):
        return
    choice: Choice = {}
    clock = study.column(study.roles["clock"])
    sent = study.rows.keyed(clock)[study.rows_of(study.of_kind("send"))]
    before = study.rows.before(clock)
    for at in study.of_kind("receive"):
        found = [
            (score, key)
            for key, slot in study.slots(at).items()
            if slot.type != "time"
            and study.is_whole(at, key, share_min=0.9)
            and (score := _score(study, at, key, clock, before=before, sent=sent)) > 0
        ]
        if found:
            choice[at] = max(found)[1]
    if choice:
        study.roles["stamp"] = choice


def _score(study: Study, at: int, key: str, clock: Floats, *, before: Floats, sent: Floats) -> float:
    """Return how surely a number is the stamp, 0 if it is not: what it does and what words say, each alone enough."""
    rows = study.groups[at].rows
    stamps = study.column({at: key})
    is_there = ~np.isnan(stamps[rows])
    said = max(-2.0, min(2.2, study.slot(at, key).label.said("stamp")))
    known = membership(study.rows.keyed(stamps)[rows], sent) if len(sent) else 0.0
    below = share((stamps <= clock)[rows][is_there])
    is_before = share((stamps == before)[rows][is_there]) > 0.9
    is_same = share((stamps == clock)[rows][is_there]) > 0.98
    together = _together(study, rows, stamps, clock) if len(rows) > ROWS_MIN else 0.7
    if (
        (below < 0.6 and said < 1 and known < 0.9)
        or (is_before and known < 0.9)
        or together < (0.7 if said < 1 and known < 0.98 else 0.4 if known < 0.6 or said < 1 else 0.0)
        or (is_same and said < 1)
    ):
        return 0.0
    law = _law(clock[rows], stamps[rows], before[rows])
    score = 1.0 * law + 1.2 * known + 0.8 * below + 0.6 * said + 0.4 * together - 1.0 * is_before
    is_sure = said >= 1 or (known > 0.98 and together > 0.6)
    return score if score > ENOUGH - _IN_WORDS * is_sure else 0.0


def _together(study: Study, rows: Column, stamps: Floats, clock: Floats) -> float:
    """Return how much stamps and clocks rise together, over all machines or in the mean of them."""
    own = [rows[study.node[rows] == at] for at in range(len(study.names))]
    means = [correlation(stamps[some], clock[some]) for some in own if len(some) > ROWS_MIN]
    return max(correlation(stamps[rows], clock[rows]), float(np.mean(means)) if means else 0.0)


def _law(clock: Floats, stamps: Floats, before: Floats) -> float:
    """Return how far receives obey a rule: where the stamp is above the clock before, it decides the clock."""
    is_there = ~np.isnan(before) & ~np.isnan(stamps) & (stamps > before + 1)
    if is_there.sum() < 3:
        return 0.0
    return max(share((clock == stamps + more)[is_there]) for more in (0, 1, 2))
