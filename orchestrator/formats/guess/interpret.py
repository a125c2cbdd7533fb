"""What everything in a frame means: each finder in its turn, for each way in which the records may be the machines'.

Never reads a log; the best of several readings is the one whose values do what its words say.
"""

from collections.abc import Iterator
from copy import copy

import numpy as np

from orchestrator.formats.guess.aliases import find_aliases
from orchestrator.formats.guess.clock import find_clock
from orchestrator.formats.guess.evidence import share
from orchestrator.formats.guess.frame import Frame
from orchestrator.formats.guess.ids import find_ids
from orchestrator.formats.guess.kinds import decide_kinds
from orchestrator.formats.guess.peers import find_recipients, find_sender
from orchestrator.formats.guess.queues import find_queue
from orchestrator.formats.guess.stamps import find_stamp
from orchestrator.formats.guess.study import Study
from orchestrator.formats.guess.when import find_time
from orchestrator.formats.guess.whose import whose


def interpretations(frame: Frame, of_files: list[str], line_count: int) -> Iterator[Study]:
    """Yield what a frame may mean, with `quality`; `of_files` are the machines that the files' names say."""
    for likely, nodes, choice in whose(frame, of_files):
        found = copy(frame)
        found.groups = [copy(group) for group in frame.groups]
        study = Study(found, nodes)
        if choice:
            study.roles["node"] = choice
        study.call(find_aliases(study))
        clock = find_clock(study)
        decide_kinds(study)
        study.settle()
        find_time(study)
        find_ids(study, ["all"])
        find_stamp(study)
        find_sender(study)
        find_recipients(study)
        find_ids(study, ["sender", "link"])
        find_queue(study)
        _say_some(study)
        study.quality = clock + 0.4 * likely + _quality(study, line_count)
        yield study


def _say_some(study: Study) -> None:
    """Where sends name nobody and there are too few for the receives, some went to several."""
    receives = study.total(study.of_kind("receive"))
    sends = study.of_kind("send")
    copies = sum(len(study.groups[at]) * (len(study.names) - 1 if study.groups[at].is_all else 1) for at in sends)
    unnamed = [at for at in sends if at not in study.roles.get("to", {}) and not study.groups[at].is_all]
    if unnamed and "to" not in study.roles and receives > 1.1 * copies:
        for at in unnamed:
            study.groups[at].is_some = True


def _quality(study: Study, line_count: int) -> float:
    events = [at for at, group in enumerate(study.groups) if group.is_event]
    known = [at for at in events if study.groups[at].kind]
    both = bool(study.of_kind("send")) and bool(study.of_kind("receive"))
    lines = study.frame.lines
    used = sum(lines[row].count("\n") + 1 for row in np.flatnonzero(study.rows_of(events)).tolist())
    quality = 1.5 * min(1.0, used / max(1, line_count)) + 0.7 * both
    quality += 0.5 * study.total(known) / max(1, study.total(events))
    receives, sends = max(1, study.total(study.of_kind("receive"))), max(1, study.total(study.of_kind("send")))
    for role, total, weight in (
        ("stamp", receives, 0.6),
        ("from", receives, 0.8),
        ("to", sends, 0.5),
        ("message", receives + sends, 0.6),
        ("time", study.total(events), 0.3),
        ("queue", receives, 0.1),
    ):
        quality += weight * min(1.0, study.total(list(study.roles.get(role, {}))) / max(1, total))
    quality += 0.5 * _jumps_at_receives(study) - 1.5 * _is_the_machine(study)
    nameless = share(study.node[study.rows_of(events)] < 0)
    return quality - 0.01 * len(events) - 2.0 * _stray_jumps(study) - 2.0 * nameless


def _is_the_machine(study: Study) -> bool:
    """Return whether what tells the kinds is the same in all records of a machine: it tells something else."""
    if not study.frame.kind_source or len(study.names) < 2:
        return False
    group_of = np.full(len(study.nodes), -1, np.int64)
    for at, group in enumerate(study.groups):
        group_of[group.rows] = at
    kinds = [len(set(group_of[study.node == at].tolist())) for at in range(len(study.names))]
    return max(kinds) == 1


def _jumps_at_receives(study: Study) -> float:
    """Return the share of receives at which the clock jumps."""
    if study.clock not in ("scalar", "fractional"):
        return 0.0
    steps = study.rows.steps(study.column(study.roles["clock"]))
    some = steps[study.rows_of(study.of_kind("receive")) & ~np.isnan(steps)]
    return share(some > 1)


def _stray_jumps(study: Study) -> float:
    """Return the share of events other than receives at which the clock jumps: a sign that kinds are wrong."""
    if study.clock not in ("scalar", "fractional"):
        return 0.0
    steps = study.rows.steps(study.column(study.roles["clock"]))
    others = study.rows_of(study.of_kind("send", "internal", ""))
    some = steps[others & ~np.isnan(steps)]
    return share(some > 1) if len(some) else 0.0
