"""Which numbers are the clock: they rise along each machine's records, mostly by 1, and words may say so.

Never takes a number for a clock that only counts lines, or only ticks.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from orchestrator.formats.guess.evidence import Floats, is_even, membership, objective, rises, share
from orchestrator.formats.guess.study import Choice, Study
from orchestrator.formats.guess.vectorclock import find_vector
from orchestrator.formats.guess.words import meaning

CANDIDATES_MAX: Final = 5
STARTS_MAX: Final = 3
PASSES_MAX: Final = 6
CARRIED_MIN: Final = 0.95
GROUPS_MAX: Final = 50
"""Of so many groups, the largest, the slots are tried; the others are rare lines."""
_WORDS: Final = 0.6
"""How much words count beside what the values do."""


def find_clock(study: Study) -> float:
    """Find the clock, note it in the study, and return how good it is; 0 if there is none."""
    if (vector := find_vector(study)) > 0:
        return vector
    largest = sorted(range(len(study.groups)), key=lambda at: -len(study.groups[at]))[:GROUPS_MAX]
    candidates = {at: found for at in sorted(largest) if (found := _candidates(study, at))}
    choice = _after(study, _lawful(study, _in_column(study, _best(study, candidates)), candidates))
    steps = study.rows.steps(study.column(choice))
    rising, by_one = rises(steps)
    said = _said(study, choice)
    covered = _covered(study, choice)
    is_lawful = _is_lawful(study, choice, steps)
    is_clock = (
        rising > 0.6
        and (share(steps[~np.isnan(steps)] < 0) < 0.05 or said >= 1.0)
        and (by_one > (0.25 if said > -0.3 else 0.6) or said > 1.0 or is_lawful)
        and covered > 0.85
        and (said > -1.5 or is_lawful)
        and not (_is_counter(study, choice, steps, candidates) and said < (0.5 if by_one > 0.9 else 1.0))
    )
    is_clock = is_clock and not _are_ids(study, choice)
    if not choice or not is_clock or (~np.isnan(steps)).sum() < 2:
        return 0.0
    study.roles["clock"] = choice
    values = study.column(choice)
    some = values[~np.isnan(values)]
    study.clock = "scalar" if bool((some == np.floor(some)).all()) else "fractional"
    study.facts["clock"] = rising
    return _score(study, choice)


def _candidates(study: Study, at: int) -> list[str]:
    """Return the slots of a group that may be its clock, the likeliest first."""
    found = []
    for key, slot in study.slots(at).items():
        is_odd = slot.type in ("time", "vector", "list") or not study.is_whole(at, key, share_min=0.8)
        if is_odd and not (slot.label.said("clock") > 2.0 and slot.type == "number"):
            continue
        if any(str(value)[-1:].isalpha() for value in slot.values[:3]):
            continue
        own = objective(study.rows.steps(study.column({at: key}))) / max(1, len(study.groups[at]))
        found.append((_WORDS * slot.label.said("clock") + own, key))
    return [key for _, key in sorted(found, reverse=True)[:CANDIDATES_MAX]]


def _best(study: Study, candidates: dict[int, list[str]]) -> Choice:
    """Return the slots that rise together best, from several beginnings."""
    starts = sorted(_starts(study, candidates), key=lambda choice: -_score(study, choice))[:STARTS_MAX]
    return max((_climbed(study, start, candidates) for start in starts), key=lambda one: _score(study, one), default={})


def _starts(study: Study, candidates: dict[int, list[str]]) -> Iterator[Choice]:
    """Yield what may be the clock: the likeliest of each group, and slots at the same place."""
    yield {at: keys[0] for at, keys in candidates.items()}
    yield {at: keys[0] for at, keys in candidates.items() if study.slot(at, keys[0]).label.said("clock") > 0}
    for key in sorted({key for keys in candidates.values() for key in keys}):
        yield {at: key for at, keys in candidates.items() if key in keys}
    yield {at: max(keys, key=lambda key: list(study.groups[at].slots).index(key)) for at, keys in candidates.items()}


def _climbed(study: Study, choice: Choice, candidates: dict[int, list[str]]) -> Choice:
    """Return a choice changed group by group until nothing gets better; leaving some out makes no counter a clock."""
    best = _plain_score(study, choice)
    for _ in range(PASSES_MAX):
        before = best
        for at, keys in candidates.items():
            for key in (*keys, None):
                changed = {**choice, at: key} if key is not None else {k: v for k, v in choice.items() if k != at}
                score = _plain_score(study, changed)
                if score > best + 1e-9 or (key is None and at in choice and score > best - 1e-9):
                    choice, best = changed, score
        if best <= before:
            break
    return choice


def _in_column(study: Study, choice: Choice) -> Choice:
    """Return a choice with all groups that fill the column of the clock: it means the same in each row."""
    if not study.frame.columns or not choice:
        return choice
    column = Counter({key: study.total([at for at in choice if choice[at] == key]) for key in choice.values()})
    key = column.most_common(1)[0][0]
    more = {at: key for at, group in enumerate(study.groups) if key in group.slots and study.is_whole(at, key)}
    return {**more, **choice} if "#" not in key else choice


def _lawful(study: Study, choice: Choice, candidates: dict[int, list[str]]) -> Choice:
    """Return a choice in which a receive's clock is above its machine's clock before and another of its numbers."""
    for at in list(choice):
        if meaning(study.groups[at].words).kind != "receive" and len(candidates) > 1:
            continue
        rest = {other: key for other, key in choice.items() if other != at}
        laws = {key: _law(study, {**rest, at: key}, at, candidates[at]) for key in candidates[at]}
        best = max(laws, key=lambda key: laws[key])
        if laws[best] > 0.9 and laws[choice[at]] < laws[best] - 0.2:
            choice = {**rest, at: best}
    return choice


def _law(study: Study, choice: Choice, at: int, keys: list[str]) -> float:
    """Return the share of a group's records that obey Lamport's rule for a receive, with the stamp that fits best."""
    rows = study.groups[at].rows
    clock = study.column(choice)
    before, clock = study.rows.before(clock)[rows], clock[rows]
    best = 0.0
    for key in keys:
        if key != choice[at]:
            stamp = study.numbers(at, key)
            is_there = ~np.isnan(before) & ~np.isnan(stamp) & (stamp > before)
            if is_there.sum() > 3:
                best = max(best, share((clock == stamp + 1)[is_there]))
    return best


def _after(study: Study, choice: Choice) -> Choice:
    """Return a choice with the clock after each event, where lines say the clock before it, too."""
    clock = study.column(choice)
    other: Choice = {}
    for at, key in choice.items():
        for more in study.slots(at):
            if more != key and study.slot(at, more).type == study.slot(at, key).type and study.is_whole(at, more):
                above = study.numbers(at, more) - study.numbers(at, key)
                if share(above > 0) > 0.9:
                    other[at] = more
    changed = {**choice, **other}
    steps, its = study.rows.steps(clock), study.rows.steps(study.column(changed))
    if other and objective(its) > objective(steps) and rises(its)[1] > rises(steps)[1] - 0.05:
        return changed
    if study.total(list(other)) < 0.9 * study.total(list(choice)):
        return choice
    before = study.rows.before(study.column(other))
    is_there = ~np.isnan(before) & ~np.isnan(clock)
    return changed if share((before == clock)[is_there]) > 0.8 else choice


def _are_ids(study: Study, choice: Choice) -> bool:
    """Return whether numbers name messages: each is sent once, and what is received was sent."""
    kinds = {at: meaning(study.groups[at].words).kind for at in choice}
    if "internal" in kinds.values() or _said(study, choice) > 1:
        return False
    receives = [at for at in choice if kinds[at] == "receive"]
    if any(_law(study, choice, at, list(study.slots(at))) > 0.8 for at in receives):
        return False
    values = study.rows.keyed(study.column(choice))
    sent = values[study.rows_of([at for at in choice if kinds[at] == "send"])]
    received = values[study.rows_of([at for at in choice if kinds[at] == "receive"])]
    return (
        len(sent) > 3
        and len(received) > 3
        and len(set(sent.tolist())) == len(sent)
        and membership(received, sent) > 0.95
    )


def _score(study: Study, choice: Choice) -> float:
    if not choice:
        return 0.0
    steps = study.rows.steps(study.column(choice))
    return _plain_score(study, choice) - 0.8 * (_said(study, choice) < 0.5 and is_even(steps))


def _plain_score(study: Study, choice: Choice) -> float:
    """Return how good a choice is, whether or not it is a counter."""
    if not choice:
        return 0.0
    steps = study.rows.steps(study.column(choice))
    return 0.8 * _covered(study, choice) + objective(steps) / len(study.nodes) + _WORDS * _said(study, choice)


def _is_counter(study: Study, choice: Choice, steps: Floats, candidates: Mapping[int, Sequence[str]]) -> bool:
    """Return whether numbers only count lines: neither do messages carry them, nor are they all that there is."""
    if not is_even(steps):
        return False
    if all(len(keys) == 1 for keys in candidates.values()) and choice.keys() == candidates.keys():
        return any(study.slot(at, key).label.said("index") > 1 for at, key in choice.items())
    kinds = {at: meaning(study.groups[at].words).kind for at in choice}
    values = study.rows.keyed(study.column(choice))
    sent = values[study.rows_of([at for at in choice if kinds[at] == "send"])]
    return not any(
        _is_called_clock(study, at, key)
        or (kinds[at] == "receive" and membership(study.rows.keyed(study.column({at: key})), sent) > CARRIED_MIN)
        for at in choice
        for key in candidates.get(at, ())
        if key != choice[at]
    )


def _is_called_clock(study: Study, at: int, key: str) -> bool:
    """Return whether words call another number a clock: that of a message."""
    label = study.slot(at, key).label
    return label.said("stamp") >= 1 and label.said("clock") > 1


def _is_lawful(study: Study, choice: Choice, steps: Floats) -> bool:
    """Return whether numbers rise by 1 at all events but receives, and jump at some of those: no index does that."""
    receives = [at for at in choice if meaning(study.groups[at].words).kind == "receive"]
    others = steps[study.rows_of([at for at in choice if at not in receives])]
    jumps = steps[study.rows_of(receives)]
    return share(others[~np.isnan(others)] == 1) > 0.97 and share(jumps[~np.isnan(jumps)] > 1) > 0.1


def _covered(study: Study, choice: Choice) -> float:
    """Return the share of the records whose words tell a kind that have a clock; what is told twice counts once."""
    told = {
        at: found
        for at, group in enumerate(study.groups)
        if (found := meaning(group.words)).strength > (found.kind == "internal")
        and (at in choice or not found.is_lifecycle)
    }
    if not told:
        return 1.0
    sure = {
        one.kind: study.total([at for at in told if at in choice and told[at].kind == one.kind])
        for one in told.values()
    }
    twice = [
        at
        for at, one in told.items()
        if at not in choice and abs(len(study.groups[at]) - sure[one.kind]) <= 0.05 * sure[one.kind]
    ]
    return study.total([at for at in told if at in choice]) / max(
        1, study.total([at for at in told if at not in twice])
    )


def _said(study: Study, choice: Choice) -> float:
    """Return how much words speak for a choice, over all records."""
    said = 0.0
    for at, key in choice.items():
        words = max(-2.5, min(2.0, study.slot(at, key).label.said("clock")))
        said += words * len(study.groups[at])
    return said / len(study.nodes)
