"""Which slot is the time: it looks like one and never falls in a file, or words call it so.

Never takes a logical time for it.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from orchestrator.formats.guess.evidence import share
from orchestrator.formats.guess.frame import is_said
from orchestrator.formats.guess.study import Choice, Study
from orchestrator.formats.times import Times
from orchestrator.trace.store import NULL, Column

_UNITS: Final = {
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds", "millisecond"), "ms"),
    **dict.fromkeys(("us", "usec", "micros", "microseconds", "µs"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), "ns"),
    **dict.fromkeys(("s", "sec", "secs", "seconds", "second"), "s"),
}
_USUAL_GAP_S: Final = 0.3
_EPOCH_DIGITS: Final = 10


def find_time(study: Study) -> None:
    """Find the slots that hold the time, and what it is to be read as; a rare line without one is then no event."""
    best: tuple[float, Choice] = (0.0, {})
    for choice in _choices(study):
        if (score := _score(study, choice)) > best[0]:
            best = score, choice
    if best[1]:
        study.roles["time"] = best[1]
        study.time = _unit(study, best[1])
        form = _form(study, *_largest(study, best[1]))
        for at, group in enumerate(study.groups):
            has_time = at in best[1] and _form(study, at, best[1][at]) == form
            if not has_time and (study.clock == "none" or study.is_rare(at)):
                group.is_event = False
        study.settle()


def _choices(study: Study) -> Iterator[Choice]:
    found: dict[tuple[str, ...], Choice] = {}
    events = [at for at, group in enumerate(study.groups) if group.is_event]
    for at in events:
        for place, (key, slot) in enumerate(study.slots(at).items()):
            if slot.type == "time" or (slot.type in ("number", "name") and _may_be_numeric(slot.values)):
                is_own = study.groups[at].template is not None and "#" not in key and not key.startswith("^")
                signatures = [(slot.type, str(place)), (slot.type, *slot.label.left[:2])] if is_own else [(key,)]
                for signature in signatures:
                    found.setdefault(signature, {}).setdefault(at, key)
    for choice in found.values():
        if study.total(list(choice)) > (0.8 if study.clock == "none" else 0.9) * study.total(events):
            yield choice


def _may_be_numeric(values: Sequence[object]) -> bool:
    some = [value for value in values if is_said(value)][:20]
    return bool(some) and all(re.match(r"-?\d+([.,]\d+)?\s*[a-zµμ]*\Z", str(value)) for value in some)


def _score(study: Study, choice: Choice) -> float:
    """Return how likely slots hold the time: they look so, words say so, and they do not fall."""
    times = _times(study, choice, "auto")
    is_there = times != NULL
    if share(is_there[study.rows_of(choice)]) < 0.95:
        return 0.0
    first = _largest(study, choice)
    looks = study.slot(*first).type == "time"
    falls = [
        share(np.diff(times[(study.rows.node == node) & is_there]) < 0) for node in np.unique(study.rows.node).tolist()
    ]
    said = sum(study.slot(at, key).label.said("time") * len(study.groups[at]) for at, key in choice.items())
    said = said / study.total(list(choice))
    text = str(study.slot(*first).values[0])
    is_unit = bool(re.search(r"\d\s?[a-zµμ]+\Z", text))
    is_decimal = bool(re.search(r"\d[.,]\d", text))
    is_epoch = bool(re.match(r"[12]\d{9}(\d{3}|\d{6}|\d{9})?([.,]\d+)?\Z", text))
    varies = len(np.unique(times[is_there])) > min(8, 0.3 * is_there.sum())
    rises = max(falls, default=0) < 0.05
    if not rises and not looks:
        return 0.0
    score = 2.0 * looks + said + 1.0 * is_unit + 0.6 * is_decimal * varies + 0.5 * rises + 1.2 * is_epoch
    finest = min((len(text.rpartition(".")[2]) if "." in text else 0), 9)
    return score + 0.02 * finest if looks or (varies and score > 1.0) else 0.0


def _form(study: Study, at: int, key: str) -> str:
    """Return what a slot looks like: `9.9s`."""
    slot = study.slot(at, key)
    return slot.type if slot.type == "time" else re.sub(r"\d+", "9", str(next(filter(is_said, slot.values), "")))


def _largest(study: Study, choice: Choice) -> tuple[int, str]:
    """Return the slot of the largest group: a small one may be a banner."""
    return max(choice.items(), key=lambda one: len(study.groups[one[0]]))


def _times(study: Study, choice: Choice, kind: str) -> Column:
    return Times(kind).read(study.texts(choice), len(study.nodes))


def _unit(study: Study, choice: Choice) -> str:
    """Return what the time is to be read as: auto, or a unit that words or its size tell."""
    at, key = _largest(study, choice)
    slot = study.slot(at, key)
    text = str(next(value for value in slot.values if is_said(value)))
    if slot.type == "time" or not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return "auto"
    for word in (*slot.label.right[:1], *slot.label.left[:3]):
        if word in _UNITS and (word != "s" or word in slot.label.right[:1]):
            return _UNITS[word]
    if len(text.partition(".")[0]) >= _EPOCH_DIGITS:
        return "auto"
    return _by_gap(study, choice, is_decimal="." in text)


def _by_gap(study: Study, choice: Choice, *, is_decimal: bool) -> str:
    """Return the unit in which a machine's neighbouring events are about as far apart as people let them be."""
    seconds = study.column(choice)
    gaps = [
        b - a
        for node in np.unique(study.rows.node).tolist()
        for a, b in pairwise(seconds[(study.rows.node == node) & ~np.isnan(seconds)].tolist())
        if b > a
    ]
    gap = float(np.median(gaps)) if gaps else 1.0
    if is_decimal and gap < 30:
        return "auto"
    unit = min(
        ("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), key=lambda one: abs(np.log(gap * one[1] / _USUAL_GAP_S))
    )
    return "auto" if unit[0] == "s" else unit[0]
