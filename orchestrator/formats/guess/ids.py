"""Which slot names the message: what stands there at a send stands there again at its receives.

Never takes the stamp for it: that is a clock.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, TypeAlias

from orchestrator.formats.guess.frame import is_said
from orchestrator.formats.guess.peers import senders
from orchestrator.formats.guess.study import Choice, Study
from orchestrator.formats.guess.templates import Slot
from orchestrator.formats.names import everyone_in

Scope: TypeAlias = Literal["all", "sender", "link"]
_TYPES: Final = frozenset(("number", "name", "id", "quote", "list", "names", "word"))
FOUND_MIN: Final = 0.75
FOUND_MIN_IN_WORDS: Final = 0.5
"""Where words call a name a message's, a program may lose messages, and may send or receive them twice."""
FEW_MAX: Final = 2
ONCE_MIN: Final = 0.9
ONCE_MIN_IN_WORDS: Final = 0.6


def find_ids(study: Study, scopes: Sequence[Scope]) -> None:
    """Find the slots that name messages, among all of them or among those of one sender or link."""
    if "message" in study.roles:
        return
    sends, receives = study.of_kind("send"), study.of_kind("receive")
    best: tuple[float, str, Choice] = (0.0, "all", {})
    for at_sends in _choices(study, sends):
        for at_receives in _choices(study, receives):
            for scope in scopes:
                score = _score(study, at_sends, at_receives, scope)
                if score > best[0] + 0.02:
                    best = score, scope, {**at_sends, **at_receives}
    if best[0] > 0:
        study.roles["message"], study.ids = best[2], best[1]  # type: ignore[assignment]
        study.facts["message"] = min(1.0, best[0])


def _choices(study: Study, groups: Sequence[int]) -> Iterator[Choice]:
    """Yield slots that may belong together: those with the same words beside them."""
    found: dict[tuple[str, ...], Choice] = {}
    called: dict[tuple[str, ...], Choice] = {}
    elsewhere = {
        signature
        for at in study.of_kind("internal")
        for key, slot in study.slots(at).items()
        if sum(map(is_said, slot.values)) > 0.5 * len(slot.values)
        for signature in [_signature(study, at, key)]
    }
    for at in groups:
        for key, slot in study.slots(at).items():
            if slot.type in _TYPES and len(set(map(str, slot.values))) > 1 and not _is_prose(slot):
                signature = _signature(study, at, key)
                if signature not in elsewhere:
                    found.setdefault(signature, {}).setdefault(at, key)
                    if slot.label.said("message") > 1:
                        called.setdefault(slot.label.left[:1], {}).setdefault(at, key)
                    elif slot.type != "number":
                        called.setdefault((slot.prefix, slot.type), {}).setdefault(at, key)
    yield from found.values()
    yield from (choice for choice in called.values() if choice not in found.values())


def _signature(study: Study, at: int, key: str) -> tuple[str, ...]:
    """Return what slots have in common that may say the same: a column, or the words beside them."""
    slot = study.slot(at, key)
    is_own = study.groups[at].template is not None and not key.startswith("^") and "#" not in key
    return (slot.prefix, slot.type, *slot.label.left[:2]) if is_own else (key,)


def _is_prose(slot: Slot) -> bool:
    return any(" " in str(value) for value in slot.values[:20]) and slot.label.said("message") < 2


def _score(study: Study, at_sends: Choice, at_receives: Choice, scope: Scope) -> float:
    """Return how surely slots name messages: sends name each one once, and receives name what was sent."""
    if scope != "all" and "from" not in study.roles:
        return 0.0
    sent = list(_names(study, at_sends, scope, is_send=True))
    received = list(_names(study, at_receives, scope, is_send=False))
    counts = Counter(sent)
    said = sum(_said(study, choice) for choice in (at_sends, at_receives)) / 2
    if len(sent) < 2 or len(received) < 2 or len(counts) < (0.9 if said > 1 else 1.0) * len(sent):
        return 0.0
    found = sum(name in counts for name in received) / len(received)
    lost = {name[1] for name in received if name not in counts}
    found_min, once_min = (FOUND_MIN_IN_WORDS, ONCE_MIN_IN_WORDS) if said > 1 else (FOUND_MIN, ONCE_MIN)
    is_once = _received_once(study, at_receives, scope) >= once_min
    if found < found_min or not is_once or _are_elsewhere(study, at_sends, lost):
        return 0.0
    numeric = all(study.is_whole(at, key) for at, key in at_receives.items())
    if numeric and said < 0.5 and (scope != "all" or found < 0.98):
        return 0.0  # small numbers meet by chance
    covered = len(received) / max(1, study.total(study.of_kind("receive")))
    if said < 1 and (covered < 0.5 or len(counts) < 4):
        return 0.0
    return found * covered + 0.1 * said - {"all": 0.0, "sender": 0.05, "link": 0.1}[scope]


def _are_elsewhere(study: Study, choice: Choice, names: set[Any]) -> bool:
    """Return whether sends name some messages in another place, as one does that has an id for each recipient."""
    return any(
        len(names.intersection(map(str, slot.values))) > FEW_MAX
        for at in study.of_kind("send")
        for key, slot in study.slots(at).items()
        if key != choice.get(at) and slot.type in _TYPES - {"number"}
    )


def _received_once(study: Study, choice: Choice, scope: Scope) -> float:
    """Return the share of receives that are not of a message which their machine has received before."""
    times = Counter(_received_where(study, choice, scope))
    return len(times) / max(1, times.total())


def _said(study: Study, choice: Choice) -> float:
    return sum(study.slot(at, key).label.said("message") for at, key in choice.items()) / len(choice)


def _names(study: Study, choice: Choice, scope: Scope, *, is_send: bool) -> Iterator[tuple[Any, ...]]:
    """Yield what each record calls its message, with what else the scope needs."""
    values, runs = study.texts(choice), study.frame.runs.tolist()
    sender = study.node if is_send else senders(study)
    to = study.texts(study.roles.get("to", {})) if scope == "link" and is_send else []
    for row in study.rows_of(choice).nonzero()[0].tolist():
        if not is_said(values[row]) or (sender[row] < 0 and scope != "all"):
            continue
        name: tuple[Any, ...] = runs[row], str(values[row])
        if scope != "all":
            name = *name, int(sender[row])
        if scope != "link":
            yield name
        elif not is_send:
            yield *name, int(study.node[row])
        else:
            recipients = everyone_in(to[row])
            for recipient in recipients or ():
                yield *name, study.machine_of(recipient)


def _received_where(study: Study, choice: Choice, scope: Scope) -> Iterator[tuple[Any, int]]:
    nodes = [int(study.node[row]) for row in study.rows_of(choice).nonzero()[0].tolist()]
    return zip(_names(study, choice, scope, is_send=False), nodes, strict=False)
