"""The lines of an event log: what each kind says, and how a line is read back.

Never opens a file. `docs/run-directory.md` describes every field.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, NotRequired, TypeAlias, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from node.errors import LogError, one_line
from node.event import Delivery, Event, Message, MessageId
from node.model import MODEL_VERSION, Model, NodeNumber, Pace

FORMAT_VERSION = 1
"""Rises whenever a line changes its meaning."""

Count: TypeAlias = Annotated[int, Field(ge=0, le=2**53 - 1)]
Position: TypeAlias = Annotated[int, Field(ge=1, le=2**53 - 1)]
TimeNs: TypeAlias = Annotated[int, Field(ge=-(2**62), le=2**62)]
Copy: TypeAlias = Annotated[int, Field(ge=0, le=1)]
Direction: TypeAlias = Literal["to", "from"]
LinkState: TypeAlias = Literal["up", "down"]


class StartLine(TypedDict):
    """The first line of a log: whose it is, and under which configuration."""

    event: Literal["start"]
    format_version: Count
    model_version: Count
    run: str
    node: NodeNumber
    incarnation: Count
    pace: Pace | None
    epoch_ns: TimeNs
    wall: TimeNs | None
    configuration: str
    model: Model


class _EventLine(TypedDict):
    node: NodeNumber
    incarnation: Count
    index: Position
    tick: Count
    due_ns: Count
    wall: TimeNs | None
    clock: Count
    queue: Count


class InternalLine(_EventLine):
    """An internal event."""

    event: Literal["internal"]


class SendLine(_EventLine):
    """A send; a broadcast is one event with several recipients."""

    event: Literal["send"]
    kind: Literal["send-one", "send-next", "send-all"]
    to: list[tuple[NodeNumber, Position | None, TimeNs | None, Copy]]


# "from" is no identifier, hence the other way to write a TypedDict.
_Cause = TypedDict("_Cause", {"from": tuple[NodeNumber, Count, Position, Copy]})


class ReceiveLine(_EventLine, _Cause):
    """A receive; `from` names the message, `seen_ns` is there only if it came late."""

    event: Literal["receive"]
    number: Position
    stamp: Count
    arrival_ns: TimeNs
    seen_ns: NotRequired[TimeNs]


class LinkLine(TypedDict):
    """A connection was made or lost; nothing in the model depends on it."""

    event: Literal["link"]
    node: NodeNumber
    incarnation: Count
    peer: NodeNumber
    direction: Direction
    state: LinkState
    wall: TimeNs | None


class HeldBack(TypedDict):
    """How often and how long ticks that were due by the wall clock waited for a promise."""

    ticks: Count
    total_ns: Count
    max_ns: Count


class DownLine(TypedDict):
    """The machine is about to crash, as the model has it: what its memory holds that its log does not.

    `have` is `[sender, incarnation, number]` of the last message that had come, `late` as in the stop record.
    """

    event: Literal["down"]
    node: NodeNumber
    incarnation: Count
    have: list[tuple[NodeNumber, Count, Count]]
    late: list[tuple[NodeNumber, Count, Position, Copy, TimeNs]]
    held_back: HeldBack
    wall: TimeNs | None


class BootLine(TypedDict):
    """The machine is back, and goes on from what stands above; so many bytes of a torn last line were cut off."""

    event: Literal["boot"]
    node: NodeNumber
    incarnation: Count
    torn_bytes: Count
    wall: TimeNs | None


class EndLine(TypedDict):
    """No further tick will follow: the last was executed, or somebody interrupted the node."""

    event: Literal["end"]
    node: NodeNumber
    incarnation: Count
    events: Count
    interrupted: bool
    wall: TimeNs | None


class StopLine(TypedDict):
    """The stop record: every link has ended, and this is what is left of the messages.

    `incoming` is `[sender, in queue, in flight]`, counted in memory.
    `late` is `[sender, incarnation, index, copy, seen_ns]` of messages that came late and were never received.
    """

    event: Literal["stop"]
    node: NodeNumber
    incarnation: Count
    events: Count
    incoming: list[tuple[NodeNumber, Count, Count]]
    late: list[tuple[NodeNumber, Count, Position, Copy, TimeNs]]
    held_back: HeldBack | None
    wall: TimeNs | None


Line: TypeAlias = (
    StartLine | InternalLine | SendLine | ReceiveLine | LinkLine | DownLine | BootLine | EndLine | StopLine
)
LINE: TypeAdapter[Line] = TypeAdapter(
    Annotated[Line, Field(discriminator="event")],
    config=ConfigDict(extra="forbid", strict=True),
)


def start_line(
    model: Model, *, run: str, incarnation: int, pace: Pace | None, epoch_ns: int, wall: int | None
) -> StartLine:
    """Return the first line of a log."""
    return StartLine(
        event="start",
        format_version=FORMAT_VERSION,
        model_version=MODEL_VERSION,
        run=run,
        node=model.node,
        incarnation=incarnation,
        pace=pace,
        epoch_ns=epoch_ns,
        wall=wall,
        configuration=model.digest(),
        model=model,
    )


def event_line(event: Event, wall: int | None) -> InternalLine | SendLine | ReceiveLine:
    """Return the line that records `event`, executed at `wall` (Unix ns, None if simulated)."""
    line: dict[str, Any] = {
        "event": event.kind if event.kind in ("internal", "receive") else "send",
        "node": event.node,
        "incarnation": event.incarnation,
        "index": event.index,
        "tick": event.tick,
        "due_ns": event.due_ns,
        "wall": wall,
        "clock": event.clock,
        "queue": event.queue,
    }
    if line["event"] == "send":
        line |= {"kind": event.kind, "to": [[*delivery] for delivery in event.to]}
    elif event.kind == "receive":
        cause = event.cause
        assert cause is not None, "a receive names its cause"
        line["from"] = [cause.node, cause.incarnation, cause.index, cause.copy]
        line |= {"number": event.number, "stamp": event.stamp, "arrival_ns": event.arrival_ns}
        if event.seen_ns is not None:
            line["seen_ns"] = event.seen_ns
    return cast(InternalLine | SendLine | ReceiveLine, line)


def link_line(
    model: Model, *, incarnation: int, peer: int, direction: Direction, state: LinkState, wall: int | None
) -> LinkLine:
    """Return the line that says that a connection was made or lost."""
    return LinkLine(
        event="link",
        node=model.node,
        incarnation=incarnation,
        peer=peer,
        direction=direction,
        state=state,
        wall=wall,
    )


def down_line(
    model: Model,
    *,
    incarnation: int,
    have: Sequence[tuple[int, int, int]],
    unreceived: Sequence[tuple[Message, int | None]],
    held_back: HeldBack,
    wall: int | None,
) -> DownLine:
    """Return the line behind which a machine crashes."""
    return DownLine(
        event="down",
        node=model.node,
        incarnation=incarnation,
        have=list(have),
        late=_late(unreceived),
        held_back=held_back,
        wall=wall,
    )


def boot_line(model: Model, *, incarnation: int, torn_bytes: int, wall: int | None) -> BootLine:
    """Return the line that says that a machine is back."""
    return BootLine(event="boot", node=model.node, incarnation=incarnation, torn_bytes=torn_bytes, wall=wall)


def end_line(model: Model, *, incarnation: int, events: int, interrupted: bool, wall: int | None) -> EndLine:
    """Return the line behind a machine's last event."""
    return EndLine(
        event="end", node=model.node, incarnation=incarnation, events=events, interrupted=interrupted, wall=wall
    )


def stop_line(
    model: Model,
    *,
    incarnation: int,
    events: int,
    unreceived: Sequence[tuple[Message, int | None]],
    held_back: HeldBack | None,
    wall: int | None,
) -> StopLine:
    """Return the stop record; `unreceived` is what memory has of messages, and from when late ones were seen."""
    in_queue = Counter(message.sender for message, _ in unreceived if message.arrival_ns < model.duration_ns)
    in_flight = Counter(message.sender for message, _ in unreceived if message.arrival_ns >= model.duration_ns)
    return StopLine(
        event="stop",
        node=model.node,
        incarnation=incarnation,
        events=events,
        incoming=[(sender, in_queue[sender], in_flight[sender]) for sender in model.senders],
        late=_late(unreceived),
        held_back=held_back,
        wall=wall,
    )


def _late(unreceived: Sequence[tuple[Message, int | None]]) -> list[tuple[int, int, int, int, int]]:
    return [
        (message.sender, message.incarnation, message.index, message.copy, seen_ns)
        for message, seen_ns in unreceived
        if seen_ns is not None
    ]


def parse_line(line: bytes) -> Line:
    """Read one line of a log.

    Raises LogError, without the place, if it is not a line that this version writes.
    """
    try:
        return LINE.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        raise LogError(one_line(f"{where}: {first['msg']}" if where else first["msg"])) from None


def parse_event(line: InternalLine | SendLine | ReceiveLine) -> Event:
    """Return the event that a line records."""
    place: dict[str, Any] = {field: line[field] for field in _PLACE}
    if line["event"] == "send":
        return Event(**place, kind=line["kind"], to=tuple(Delivery(*row) for row in line["to"]))
    if line["event"] == "receive":
        return Event(
            **place,
            kind="receive",
            cause=MessageId(*line["from"]),
            number=line["number"],
            stamp=line["stamp"],
            arrival_ns=line["arrival_ns"],
            seen_ns=line.get("seen_ns"),
        )
    return Event(**place, kind="internal")


_PLACE: Final = ("node", "incarnation", "index", "tick", "due_ns", "clock", "queue")
