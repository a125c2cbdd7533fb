"""Which vectors are the clock: their own machine's entry rises by 1 at each of its records.

Never takes a mapping for one that has no entry of its own machine.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from orchestrator.formats.clocks import read_vector
from orchestrator.formats.guess.evidence import Floats, share
from orchestrator.formats.guess.frame import is_said
from orchestrator.formats.guess.study import Choice, Study
from orchestrator.formats.guess.words import meaning
from orchestrator.formats.names import resolve


def find_vector(study: Study) -> float:
    """Find the vector clock: its machine's own entry rises by 1."""
    candidates = {at: found for at in range(len(study.groups)) if (found := _vectors(study, at))}
    choice = _grown(study, candidates)
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


def _vectors(study: Study, at: int) -> list[str]:
    """Return the slots of a group that may be its vector clock."""
    rows = study.groups[at].rows.tolist()
    return [
        key
        for key, slot in study.slots(at).items()
        if slot.type in ("vector", "list", "name", "text")
        and _are_vectors(slot.values)
        and _have_own(slot.values, [study.nodes[row] for row in rows])
    ]


def _have_own(values: Sequence[object], nodes: Sequence[str]) -> bool:
    """Return whether vectors have an entry of their own machine, mostly: `{rtt_ms: 6}` is none."""
    some = list(zip(values, nodes, strict=True))[:: max(1, len(values) // 50)]
    read = [(read_vector(value), node) for value, node in some]
    own = [not isinstance(vector, dict) or not np.isnan(_own_entry(vector, node)) for vector, node in read]
    return sum(own) > len(own) / 2


def _grown(study: Study, candidates: dict[int, list[str]]) -> Choice:
    """Return the vectors of all groups that rise together best, begun with each of those of the largest group."""
    largest_first = sorted(candidates, key=lambda at: -len(study.groups[at]))
    best: tuple[float, Choice] = (0.0, {})
    for start in candidates[largest_first[0]] if largest_first else ():
        choice = {largest_first[0]: start}
        for at in largest_first[1:]:
            tries = [{**choice, at: key} for key in candidates[at]]
            choice = max(tries, key=lambda one: _own_steps(study, one)[0])
        best = max(best, (_own_steps(study, choice)[0], choice), key=lambda one: one[0])
    return best[1]


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
        nameless = sum(vector is not None for vector in vectors) - int((~np.isnan(own)).sum())
        return float((some == 1).sum()) / max(1, len(some) + nameless), []
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
