"""The wire: frames of a four-byte length and JSON, strictly validated; bytes go in, frames come out.

Never touches a socket. Source: model section 5; `docs/protocol.md` describes every frame.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, NotRequired, TypeAlias, cast

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from node.errors import RemoteProtocolError
from node.limits import DURATION_NS_MAX, SpanNs
from node.model import NodeNumber

WIRE_VERSION: Final = 1
LENGTH_BYTES: Final = 4
FRAME_BYTES_MAX: Final = 16 * 1024
GREETING_BYTES_MAX: Final = 4 * 1024
# A row has at most five integers, of 20 characters at most each: 128 rows always fit into a frame.
ROWS_MAX: Final = 128
RUN_NAME_MAX: Final = 200
TOKEN_MAX: Final = 64
# What no honest machine exceeds: every event adds 1, and 2^52 events are more than anybody's cluster has; an arrival is
# at most the end of a run, a delay of nine times that (the longest an exponential delay can be), and a window's end.
STAMP_MAX: Final = 2**52
ARRIVAL_NS_MAX: Final = 11 * (DURATION_NS_MAX + 1)
EPOCH_NS_MAX: Final = 2**62 - ARRIVAL_NS_MAX  # an arrival, shifted from one epoch to another, still fits into a log

Count: TypeAlias = Annotated[int, Field(ge=0, le=2**53 - 1)]
Position: TypeAlias = Annotated[int, Field(ge=1, le=2**53 - 1)]
Stamp: TypeAlias = Annotated[int, Field(ge=0, le=STAMP_MAX)]
ArrivalNs: TypeAlias = Annotated[int, Field(ge=0, le=ARRIVAL_NS_MAX)]
EpochNs: TypeAlias = Annotated[int, Field(ge=0, le=EPOCH_NS_MAX)]
RunName: TypeAlias = Annotated[str, Field(max_length=RUN_NAME_MAX)]
Token: TypeAlias = Annotated[str, Field(max_length=TOKEN_MAX)]
Row: TypeAlias = tuple[Count, Position, Annotated[int, Field(ge=0, le=1)], Stamp, ArrivalNs]
"""One message: the sender's tick, the index of its send event, copy, stamp, arrival."""


WirePromise: TypeAlias = tuple[SpanNs | None, Count]
"""`[due, seq]`; a due of null is for good: nothing more will be sent."""


class Hello(TypedDict):
    """The greeting of a sender that has dialled; `base` is the number of the first message in its window.

    `token` is what all nodes of a run were given; left out where there is none. `older` is, by older incarnation whose
    window is not empty, the number of its last message; left out where every one is.
    """

    type: Literal["hello"]
    version: Count
    run: RunName
    token: NotRequired[Token]
    sender: NodeNumber
    recipient: NodeNumber
    incarnation: Count
    epoch_ns: EpochNs | None
    base: Position
    older: NotRequired[list[tuple[Count, Position]]]


class Welcome(TypedDict):
    """The answer to a greeting: what the receiver has queued (`have`) and what it has received (`done`)."""

    type: Literal["welcome"]
    incarnation: Count
    have: Count
    done: Count


class Refusal(TypedDict):
    """The other answer to a greeting: no, for good."""

    type: Literal["refusal"]
    reason: Annotated[str, Field(max_length=500)]


class Epoch(TypedDict):
    """From now on the sender has an epoch (Unix ns), in which all its times are given."""

    type: Literal["epoch"]
    epoch_ns: EpochNs


class Data(TypedDict):
    """Messages in order, the first with the number `first`, and then perhaps a promise.

    `incarnation` is the one of the sender that sent them; left out where 0.
    """

    type: Literal["data"]
    incarnation: NotRequired[Count]
    first: Position
    messages: Annotated[list[Row], Field(max_length=ROWS_MAX)]
    promise: WirePromise | None


class Leave(TypedDict):
    """The sender will be down in a moment, and asks whether all that it has sent is here."""

    type: Literal["leave"]


class Left(TypedDict):
    """The answer: everything up to `have`, and the promise behind it, is in the receiver's memory."""

    type: Literal["left"]
    have: Count


class Ack(TypedDict):
    """Everything up to `done` is received; `stopped` says that the receiver needs nothing more of this sender.

    `incarnation` is the one of the sender whose messages are meant; left out where 0.
    """

    type: Literal["ack"]
    incarnation: NotRequired[Count]
    done: Count
    stopped: bool


class Ping(TypedDict):
    """The sender of this frame is still there; it says nothing else, and wants no answer."""

    type: Literal["ping"]


Frame: TypeAlias = Hello | Welcome | Refusal | Epoch | Data | Leave | Left | Ack | Ping
FRAME: Final[TypeAdapter[Frame]] = TypeAdapter(
    Annotated[Frame, Field(discriminator="type")],
    config=ConfigDict(extra="forbid", strict=True),
)


def encode(frame: Frame) -> bytes:
    """Return the bytes of a frame."""
    body = orjson.dumps(cast(Mapping[str, object], frame))
    assert len(body) <= FRAME_BYTES_MAX, "we never build a frame too large"
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


class Decoder:
    """The bytes of one connection, cut into frames."""

    def __init__(self, bytes_max: int = GREETING_BYTES_MAX) -> None:
        """Start with the small limit for strangers; raise `bytes_max` once the peer has greeted."""
        self.bytes_max = bytes_max
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes.

        Raises RemoteProtocolError if a frame is too long or is none of ours; the connection is then beyond repair.
        """
        data = self._rest + data
        frames, start = [], 0
        while len(data) - start >= LENGTH_BYTES:
            body_bytes = int.from_bytes(data[start : start + LENGTH_BYTES], "big")
            if body_bytes > self.bytes_max:
                raise RemoteProtocolError(f"a frame of {body_bytes} bytes; at most {self.bytes_max} are allowed")
            end = start + LENGTH_BYTES + body_bytes
            if len(data) < end:
                break
            frames.append(_decode(data[start + LENGTH_BYTES : end]))
            start = end
        self._rest = data[start:]
        return frames

    @property
    def has_rest(self) -> bool:
        """Whether the bytes so far end inside a frame."""
        return bool(self._rest)


def _decode(body: bytes) -> Frame:
    try:
        return FRAME.validate_json(body)
    except ValidationError as error:
        # Only a count and a type: the text of such an error can be a thousand times its frame.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]["type"]
        raise RemoteProtocolError(f"a frame that is none of ours: {error.error_count()} errors, {first}") from None
