"""Which numbers are the clock: they rise along each machine's records, mostly by 1, and words may say so.

Never takes a number for a clock that only counts lines, or only ticks.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from orchestrator.formats.clocks import read_vector
from orchestrator.formats.guess.evidence import Floats, is_even, membership, objective, rises, share
from orchestrator.formats.guess.frame import is_said
from orchestrator.formats.guess.study import Choice, Study
from orchestrator.formats.guess.words import meaning
from orchestrator.formats.names import resolve

CANDIDATES_MAX: Final = 5
STARTS_MAX: Final = 3
PASSES_MAX: Final = 6
GROUPS_MAX: Final = 50
"""Of so many groups, the largest, the slots are tried; the others are rare lines."""
_WORDS: Final = 0.6
"""How much words count beside what the values do."""


def find_clock(study: Study) -> float:
    """Find the clock, note it in the study, and return how good it is; 0 if there is none."""
    if (vector := _find_vector(study)) > 0:
        return vector
    largest = sorted(range(len(study.groups)), key=lambda at: -len(study.groups[at]))[:GROUPS_MAX]
    candidates = {at: found for at in sorted(largest) if (found := _candidates(study, at))}
    choice = _after(study, _lawful(study, _best(study, candidates), candidates))
    steps = study.rows.steps(study.column(choice))
    rising, by_one = rises(steps)
    said = _said(study, choice)
    told = [at for at, group in enumerate(study.groups) if meaning(group.words).strength > 0]
    covered = study.total([at for at in told if at in choice]) / max(1, study.total(told)) if told else 1.0
    likely = by_one > 0.25 if said > -0.3 else by_one > 0.6
    is_clock = (
        rising > 0.6
        and (likely or said > 1.0)
        and covered > 0.85
        and not (is_even(steps) and said < (0.5 if by_one > 0.9 else 1.0))
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
    """Return a choice changed group by group until nothing gets better."""
    best = _score(study, choice)
    for _ in range(PASSES_MAX):
        before = best
        for at, keys in candidates.items():
            for key in (*keys, None):
                changed = {**choice, at: key} if key is not None else {k: v for k, v in choice.items() if k != at}
                score = _score(study, changed)
                if score > best + 1e-9 or (key is None and at in choice and score > best - 1e-9):
                    choice, best = changed, score
        if best <= before:
            break
    return choice


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
    said = _said(study, choice)
    told = [at for at, group in enumerate(study.groups) if meaning(group.words).strength > 0]
    covered = study.total([at for at in told if at in choice]) / max(1, study.total(told))
    return 0.8 * covered + objective(steps) / len(study.nodes) + _WORDS * said - 0.8 * (said < 0.5 and is_even(steps))


def _said(study: Study, choice: Choice) -> float:
    """Return how much words speak for a choice, over all records."""
    said = 0.0
    for at, key in choice.items():
        words = max(-2.5, min(2.0, study.slot(at, key).label.said("clock")))
        said += words * len(study.groups[at])
    return said / len(study.nodes)


# Vectors.


def _find_vector(study: Study) -> float:
    """Find the vector clock: its machine's own entry rises by 1."""
    choice: Choice = {}
    for at in range(len(study.groups)):
        for key, slot in study.slots(at).items():
            if slot.type in ("vector", "list", "name", "text") and _are_vectors(slot.values):
                own = _own_steps(study, {at: key})[0]
                if at not in choice or own > _own_steps(study, {at: choice[at]})[0]:
                    choice[at] = key
    choice = _later(study, choice)
    told = [at for at, group in enumerate(study.groups) if meaning(group.words).strength > 1 or at in choice]
    if not choice or study.total(list(choice)) < 0.8 * study.total(told):
        return 0.0
    own, order = _own_steps(study, choice)
    if own < 0.7:
        return 0.0
    study.roles["clock"] = choice
    study.clock, study.order = "vector", order
    study.gains = _gains(study, choice)
    study.facts["clock"] = own
    return 1.0 + own


def _later(study: Study, choice: Choice) -> Choice:
    """Return the vectors after each event, where lines have those before it, too."""
    other = dict(choice)
    for at, key in choice.items():
        for more in list(study.slots(at)):
            slot = study.slot(at, more)
            if more != key and slot.type == study.slot(at, key).type and _are_vectors(slot.values):
                pairs = zip(study.slot(at, key).values, slot.values, strict=True)
                sums = [(_total(first), _total(second)) for first, second in pairs]
                if share(np.array([first < second for first, second in sums])) > 0.9:
                    other[at] = more
    return other if _own_steps(study, other)[0] > 0.7 else choice


def _total(value: object) -> int:
    vector = read_vector(value)
    return sum(vector.values() if isinstance(vector, dict) else vector or ())


def _are_vectors(values: Sequence[object]) -> bool:
    some = [value for value in values if is_said(value)]
    sample = some[:: max(1, len(some) // 50)]
    read = [read_vector(value) for value in sample]
    return len(some) > 0.95 * len(values) and all(
        isinstance(vector, dict) or (vector is not None and len(vector) > 1) for vector in read
    )


def _own_steps(study: Study, choice: Choice) -> tuple[float, list[str]]:
    """Return the share of records in which the machine's own entry rises by 1, and the order of a list's machines."""
    vectors = [read_vector(value) if value is not None else None for value in study.texts(choice)]
    if all(isinstance(vector, dict) for vector in vectors if vector is not None):
        own = np.full(len(vectors), np.nan)
        for row, vector in enumerate(vectors):
            if isinstance(vector, dict):
                own[row] = _own_entry(vector, study.nodes[row])
        steps = study.rows.steps(own)
        some = steps[~np.isnan(steps)]
        return share(some == 1) if len(some) else 0.0, []
    return _own_in_lists(study, vectors)


def _gains(study: Study, choice: Choice) -> Floats:
    """Return 2 where an entry of another machine rises above the machine's previous vector, 1 where none does."""
    gains = np.full(len(study.nodes), np.nan)
    before: dict[int, dict[object, int]] = {}
    vectors = study.texts(choice)
    for row in study.rows.order.tolist():
        vector = read_vector(vectors[row])
        if vector is None:
            continue
        pairs: Iterable[tuple[object, int]] = vector.items() if isinstance(vector, dict) else enumerate(vector)
        entries = dict(pairs)
        last = before.get(int(study.rows.node[row]))
        risen = [name for name, count in entries.items() if last is not None and count > last.get(name, 0)]
        gains[row] = np.nan if last is None else 2.0 if len(risen) > 1 else 1.0
        before[int(study.rows.node[row])] = entries
    return gains


def _own_entry(vector: dict[str, int], node: str) -> float:
    name = node if node in vector else resolve(node, list(vector))
    return float(vector.get(name, np.nan))


def _own_in_lists(study: Study, vectors: Sequence[object]) -> tuple[float, list[str]]:
    length = max((len(vector) for vector in vectors if isinstance(vector, tuple)), default=0)
    best: dict[str, tuple[float, int]] = {}
    for position in range(length):
        column = np.array(
            [vector[position] if isinstance(vector, tuple) and len(vector) > position else np.nan for vector in vectors]
        )
        steps = study.rows.steps(column)
        for at, name in enumerate(study.names):
            some = steps[(study.node == at) & ~np.isnan(steps)]
            own = share(some == 1) if len(some) else 0.0
            best[name] = max(best.get(name, (0.0, position)), (own, position))
    if not best or len({position for _, position in best.values()}) < len(best):
        return 0.0, []
    order = sorted(best, key=lambda name: best[name][1])
    mean = sum(own for own, _ in best.values()) / len(best)
    return mean, order if [best[name][1] for name in order] == list(range(len(order))) else []
