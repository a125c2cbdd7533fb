"""Whether a broadcast is logged as a line for each recipient: then nothing else keeps a clock from rising.

Never takes a program whose sends do not count for one: its clock would stand still before a single send, too.
"""

import numpy as np

from orchestrator.formats.guess.study import Study

TIMES_MIN = 3
"""What happens fewer times proves nothing."""


def is_in_lines(study: Study) -> bool:
    """Whether wherever a clock stands still, a send to another machine stands behind a send."""
    if study.clock not in ("scalar", "fractional") or "to" not in study.roles:
        return False
    clock, order = study.column(study.roles["clock"]), study.rows.order
    order = order[~np.isnan(clock[order])]
    before, row = order[:-1], order[1:]
    is_still = (study.rows.node[before] == study.rows.node[row]) & (clock[before] == clock[row])
    if np.count_nonzero(is_still) < TIMES_MIN:
        return False
    to, is_send = study.texts(study.roles["to"]), study.rows_of(study.of_kind("send"))
    return all(
        is_send[one] and is_send[other] and to[one] is not None and to[other] not in (None, to[one])
        for one, other in zip(before[is_still].tolist(), row[is_still].tolist(), strict=True)
    )
