"""What a guess recognised and what not, in sentences with examples.

Never says more than was seen.
"""

from collections.abc import Iterator
from typing import Final

from node.errors import one_line
from orchestrator.formats.guess.files import Naming
from orchestrator.formats.guess.frame import is_said
from orchestrator.formats.guess.readback import Reading
from orchestrator.formats.guess.study import Study

_SHOWN: Final = 110
EXAMPLES_MAX: Final = 4
"""So many examples of each kind are shown, of lines that say different things."""
NAMED_MAX: Final = 4
_NAMES: Final = {"from": "from", "to": "to", "message": "message", "stamp": "stamp", "clock": "clock", "queue": "queue"}


def recognised(study: Study, naming: Naming, first_name: str, reading: Reading) -> Iterator[str]:
    """Yield what was recognised: files, machines, and each kind of event with its fields in an example."""
    lines, ignored = reading.lines, reading.lines.ignored
    line_count = reading.events + ignored + len(lines.unmatched)
    machines = ", ".join(one_line(name, 20) for name in study.names[:8]) + (", …" if len(study.names) > 8 else "")
    yield (
        f"{_count(len(naming.places), 'file')}, {_count(line_count, 'line')}: {_count(reading.events, 'event')} of "
        f"{_count(len(study.names), 'machine')} ({machines})"
        + (f"; {ignored} other lines are no events" if ignored else "")
    )
    if "node" not in study.roles and any(naming.nodes):
        yield f"the machine is in the file's name: {one_line(first_name, 60)}"
    if len(reading.executions) > 1:
        yield _executions(reading)
    for kind in ("receive", "send", "internal"):
        groups = sorted(
            study.of_kind(kind), key=lambda one: (len(study.groups[one].slots), len(study.groups[one])), reverse=True
        )
        for place, at in enumerate(groups[:EXAMPLES_MAX]):
            count = _count(study.total(groups), kind) if place == 0 else f"of these {len(study.groups[at])} are others"
            more = f"; {len(groups) - EXAMPLES_MAX} more forms" if place + 1 == EXAMPLES_MAX < len(groups) else ""
            yield f"{count}, such as {_example(study, at)}{more}"


def _executions(reading: Reading) -> str:
    names = [one_line(name, 30) for name in reading.executions]
    shown = ", ".join(names[:NAMED_MAX]) + (", …" if len(names) > NAMED_MAX else "")
    why = "by lines that `split` finds" if reading.is_divided else "by folders or names of files"
    return f"{len(names)} executions, told apart {why}, each checked by itself: {shown}"


def unrecognised(study: Study) -> Iterator[str]:  # noqa: C901  # one line for each thing that may be missing
    """Yield what was not recognised, or is not there."""
    receives, sends = study.of_kind("receive"), study.of_kind("send")
    if study.clock == "none":
        yield "there is no logical clock; with this file `check` judges none, only messages"
    if not receives:
        yield "nothing tells which events are receives"
    if not sends:
        yield "nothing tells which events are sends"
    is_named = "message" in study.roles
    if receives and "from" not in study.roles:
        yield "nothing names the sender" + ("; the message's id does" if is_named else "")
    if receives and "stamp" not in study.roles and study.clock in ("scalar", "fractional"):
        yield "nothing says which stamp was received"
    if not is_named:
        yield "nothing names the message"
    if sends and "to" not in study.roles and not all(study.groups[at].is_all for at in sends):
        yield "nothing names the recipient"
    if "time" not in study.roles:
        yield "there is no time"
    if "queue" not in study.roles:
        yield "there is no length of a queue"
    if unknown := [at for at, group in enumerate(study.groups) if group.is_event and not group.kind]:
        example = one_line(study.frame.lines[int(study.groups[unknown[0]].rows[0])], 60)
        yield f"of {_count(study.total(unknown), 'event')} the kind is not clear: {example}"


def _example(study: Study, at: int) -> str:
    group = study.groups[at]
    place = len(group) // 2
    row = int(group.rows[place])
    said = []
    for role in ("time", "node", "clock", "stamp", "from", "to", "message", "queue"):
        choice = study.roles.get(role, {})
        if at in choice and is_said(value := group.slots[choice[at]].values[place]):
            said.append(f"{role} {one_line(str(value), 30)}")
    if group.kind == "send" and group.is_all and at not in study.roles.get("to", {}):
        said.append("to all")
    if group.is_some:
        said.append("to one or several, nothing says to whom")
    line = one_line(study.frame.lines[row], _SHOWN)
    return f"{line!r}: {', '.join(said) or 'nothing but that'}"


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}" if what != "internal" else f"{count} internal"
