"""From the text of a story to its events: `p send m -> q`, `q receive m`, `r local`, a line each.

Never computes a clock, and never guesses what was meant: the line that is wrong is named, with what is wrong.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from node.clock import CLOCKS
from node.errors import NoLogError, one_line
from node.model import ClockName

STORY: Final = "story"
"""What a story is called as a log format, and how the name of its file ends."""
EVENTS_MAX: Final = 100_000
MACHINES_MAX: Final = 1_000

Act: TypeAlias = Literal["local", "send", "receive"]

_NAME: Final = r"[^\s:,#>]+"
_EVENT: Final = re.compile(rf"({_NAME})\s+(\w+)(?:\s+(.*))?$")
_SEND: Final = re.compile(rf"({_NAME})\s*->\s*({_NAME}(?:[\s,]+{_NAME})*)$")
_INSIDE: Final = re.compile(rf"({_NAME}):(\d{{1,9}})$")
_HEADS: Final = ("machines", "clock", "cut")
_ACTS: Final = ("local", "send", "receive")
_FORMS: Final = "`p send m -> q`, `q receive m` or `r local`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event of a story; `cause` is the position of the send that a receive received, -1 for none."""

    machine: str
    act: Act
    line: int
    message: str = ""
    recipients: tuple[str, ...] = ()
    cause: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The events in the order in which they were told, by machines in the order in which they were named.

    Each of `cuts` says, by machine, how many of its events are inside.
    """

    machines: tuple[str, ...]
    clock: ClockName
    events: tuple[Told, ...]
    cuts: tuple[Mapping[str, int], ...] = ()


@dataclass(slots=True)
class _Reader:
    """What has been read so far."""

    say: Callable[[str], NoLogError]
    machines: list[str] = field(default_factory=list)
    clock: ClockName = "lamport"
    events: list[Told] = field(default_factory=list)
    sends: dict[str, int] = field(default_factory=dict)
    received: dict[tuple[str, str], int] = field(default_factory=dict)
    cuts: list[dict[str, int]] = field(default_factory=list)
    line: int = 0


def is_story(path: Path) -> bool:
    """Return whether a file's name says that it holds a story."""
    return path.suffix == f".{STORY}"


def parse_story(text: str, *, name: str) -> Story:
    """Return a story.

    Raises NoLogError, with the line, for what is no event, and for a receive of what was not sent before.
    """
    reader = _Reader(say=NoLogError)
    for number, whole in enumerate(text.split("\n"), start=1):
        line = whole.partition("#")[0].strip()
        reader.line = number
        reader.say = _complaint(name, number)
        if line:
            _read(reader, line)
    if not reader.events:
        raise NoLogError(f"{name}: no event in it; a story has lines such as {_FORMS}")
    _check_cuts(reader)
    return Story(
        machines=tuple(reader.machines),
        clock=reader.clock,
        events=tuple(reader.events),
        cuts=tuple(reader.cuts),
    )


def _complaint(name: str, number: int) -> Callable[[str], NoLogError]:
    return lambda words: NoLogError(f"{name}:{number}: {words}")


def _read(reader: _Reader, line: str) -> None:
    word, _, rest = line.partition(" ")
    if word in _HEADS and not re.match(r"(send|receive|local)\b", rest.strip()):
        _READERS[word](reader, rest.split())
        return
    match = _EVENT.match(line)
    if match is None or match[2] not in _ACTS:
        near = get_close_matches(match[2], _ACTS, n=1) if match else []
        hint = f"; did you mean {near[0]}?" if near else ""
        raise reader.say(f"{one_line(line, 60)!r} is no event, which is {_FORMS}{hint}")
    machine, act, rest = match[1], cast(Act, match[2]), (match[3] or "").strip()
    _name(reader, machine)
    if len(reader.events) >= EVENTS_MAX:
        raise reader.say(f"more than {EVENTS_MAX} events; a story is told by hand, logs are for `check`")
    reader.events.append(_TOLD[act](reader, machine, rest))


def _name(reader: _Reader, machine: str) -> None:
    if machine in reader.machines:
        return
    if len(reader.machines) >= MACHINES_MAX:
        raise reader.say(f"more than {MACHINES_MAX} machines")
    reader.machines.append(machine)


def _local(reader: _Reader, machine: str, rest: str) -> Told:
    if rest:
        raise reader.say(f"{one_line(rest, 40)!r} says nothing behind `local`; what is to be said goes behind a #")
    return Told(machine=machine, act="local", line=reader.line)


def _send(reader: _Reader, machine: str, rest: str) -> Told:
    match = _SEND.match(rest)
    if match is None:
        raise reader.say(f"a send names its message and who is to have it: `{machine} send m -> q`")
    message, recipients = match[1], tuple(re.split(r"[\s,]+", match[2]))
    if message in reader.sends:
        first = reader.events[reader.sends[message]]
        raise reader.say(f"{message} was sent before, in line {first.line}; call this one by another name")
    if machine in recipients:
        raise reader.say(f"{machine} sends {message} to itself; what a machine does for itself is `{machine} local`")
    if len(set(recipients)) < len(recipients):
        raise reader.say(f"{message} names a recipient twice")
    for recipient in recipients:
        _name(reader, recipient)
    reader.sends[message] = len(reader.events)
    return Told(machine=machine, act="send", line=reader.line, message=message, recipients=recipients)


def _receive(reader: _Reader, machine: str, rest: str) -> Told:
    if not re.fullmatch(_NAME, rest):
        raise reader.say(f"a receive names its message: `{machine} receive m`")
    if rest not in reader.sends:
        near = get_close_matches(rest, reader.sends, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise reader.say(f"{machine} receives {rest}, which nobody has sent before this line{hint}")
    cause = reader.sends[rest]
    send = reader.events[cause]
    if machine not in send.recipients:
        raise reader.say(f"{machine} receives {rest}, which line {send.line} sends to {', '.join(send.recipients)}")
    if (first := reader.received.setdefault((machine, rest), reader.line)) != reader.line:
        raise reader.say(f"{machine} receives {rest} a second time; it did in line {first}")
    return Told(machine=machine, act="receive", line=reader.line, message=rest, cause=cause)


_TOLD: Final = {"local": _local, "send": _send, "receive": _receive}


def _machines(reader: _Reader, names: list[str]) -> None:
    if reader.events or not names:
        raise reader.say("`machines p q r` says, before the first event, in which order they are drawn")
    for name in names:
        if not re.fullmatch(_NAME, name):
            raise reader.say(f"{one_line(name, 40)!r} cannot be the name of a machine")
        _name(reader, name)


def _clock(reader: _Reader, names: list[str]) -> None:
    if len(names) != 1 or names[0] not in CLOCKS:
        raise reader.say(f"a clock is one of {', '.join(CLOCKS)}, not {one_line(' '.join(names), 40)!r}")
    reader.clock = next(name for name in CLOCKS if name == names[0])


def _cut(reader: _Reader, words: list[str]) -> None:
    matches = [_INSIDE.match(word) for word in words]
    if not words or None in matches:
        raise reader.say("a cut names the last event inside of some machines: `cut p:2 q:3`")
    found = {match[1]: int(match[2]) for match in matches if match}
    if len(found) < len(words):
        raise reader.say("a cut names a machine twice")
    reader.cuts.append(found)


_READERS: Final = {"machines": _machines, "clock": _clock, "cut": _cut}


def _check_cuts(reader: _Reader) -> None:
    for found in reader.cuts:
        for machine, count in found.items():
            has = sum(event.machine == machine for event in reader.events)
            if count > has:
                raise reader.say(f"the cut names {machine}:{count}, but {machine} has {has} events")
