"""The wire: bytes in, frames out, and nothing else in."""

from itertools import pairwise
from typing import Any, cast

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.errors import RemoteProtocolError
from node.frame import (
    ARRIVAL_NS_MAX,
    EPOCH_NS_MAX,
    FRAME_BYTES_MAX,
    GREETING_BYTES_MAX,
    LENGTH_BYTES,
    ROWS_MAX,
    STAMP_MAX,
    TOKEN_MAX,
    Decoder,
    Frame,
    encode,
)

law = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

COUNT_MAX = 2**53 - 1
LOGGED_NS_MAX = 2**62
DUE_NS_MAX = 2**53 - 1
NODE_MAX = 2**31 - 1

COUNTS = st.integers(0, COUNT_MAX)
POSITIONS = st.integers(1, COUNT_MAX)
NODES = st.integers(1, NODE_MAX)
STAMPS = st.integers(0, STAMP_MAX)
EPOCHS_NS = st.integers(0, EPOCH_NS_MAX)
ARRIVALS_NS = st.integers(0, ARRIVAL_NS_MAX)
DUES_NS = st.integers(0, DUE_NS_MAX)
# Every character that JSON can carry, line separators and emoji among them.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)

HELLOS = st.fixed_dictionaries(
    {
        "type": st.just("hello"),
        "version": COUNTS,
        "run": TEXTS,
        "sender": NODES,
        "recipient": NODES,
        "incarnation": COUNTS,
        "epoch_ns": st.none() | EPOCHS_NS,
        "base": POSITIONS,
    },
    optional={"token": st.text(st.characters(exclude_categories=["Cs"]), max_size=TOKEN_MAX)},
)
WELCOMES = st.fixed_dictionaries({"type": st.just("welcome"), "incarnation": COUNTS, "have": COUNTS, "done": COUNTS})
REFUSALS = st.fixed_dictionaries({"type": st.just("refusal"), "reason": TEXTS})
EPOCHS = st.fixed_dictionaries({"type": st.just("epoch"), "epoch_ns": EPOCHS_NS})
DATA = st.fixed_dictionaries(
    {
        "type": st.just("data"),
        "first": POSITIONS,
        "messages": st.lists(st.tuples(COUNTS, POSITIONS, st.integers(0, 1), STAMPS, ARRIVALS_NS), max_size=4),
        "promise": st.none() | st.tuples(st.none() | DUES_NS, COUNTS),
    }
)
ACKS = st.fixed_dictionaries({"type": st.just("ack"), "done": COUNTS, "stopped": st.booleans()})
PINGS = st.just({"type": "ping"})
FRAMES: st.SearchStrategy[Frame] = st.one_of(HELLOS, WELCOMES, REFUSALS, EPOCHS, DATA, ACKS, PINGS)

ROW = (7, 3, 0, 12, 1_000)
SAMPLES: dict[str, dict[str, Any]] = {
    "hello": {"version": 1, "run": "r", "sender": 1, "recipient": 2, "incarnation": 0, "epoch_ns": 5, "base": 1},
    "welcome": {"incarnation": 0, "have": 2, "done": 1},
    "refusal": {"reason": "no"},
    "epoch": {"epoch_ns": 5},
    "data": {"first": 1, "messages": [ROW], "promise": (2_000, 1)},
    "ack": {"done": 1, "stopped": False},
}


def sample(kind: str, **changes: object) -> bytes:
    """Return the JSON of a frame, changed."""
    return orjson.dumps({"type": kind, **SAMPLES[kind], **changes})


def framed(body: bytes) -> bytes:
    """Return a body behind its length."""
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def refuse(stream: bytes, bytes_max: int = FRAME_BYTES_MAX) -> str:
    """Return the words with which a stream is refused."""
    with pytest.raises(RemoteProtocolError) as refusal:
        Decoder(bytes_max).feed(stream)
    return str(refusal.value)


# What is let in.


@law
@given(FRAMES)
def test_a_frame_is_read_as_it_was_written(frame: Frame) -> None:
    """Every value of every field that a frame may have survives the wire."""
    assert Decoder().feed(encode(frame)) == [frame]


def test_the_bytes_of_a_frame_are_its_length_and_its_json() -> None:
    """Four bytes, the most significant first: what docs/protocol.md promises to other implementations."""
    expected = b'\x00\x00\x00\x27{"type":"ack","done":3,"stopped":false}'

    assert encode({"type": "ack", "done": 3, "stopped": False}) == expected


@law
@given(st.lists(FRAMES, max_size=5), st.lists(st.integers(0, 3_000), max_size=10))
def test_it_does_not_matter_how_a_stream_is_cut(frames: list[Frame], cuts: list[int]) -> None:
    """Any pieces of a stream give the frames of the whole, in order."""
    stream = b"".join(map(encode, frames))
    borders = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    decoder = Decoder()
    pieces = [decoder.feed(stream[start:end]) for start, end in pairwise(borders)]

    assert [frame for piece in pieces for frame in piece] == frames
    assert not decoder.has_rest


@settings(law, max_examples=40)
@given(st.lists(FRAMES, max_size=3))
def test_a_stream_fed_byte_by_byte_gives_the_same_frames(frames: list[Frame]) -> None:
    """Each frame comes out with its last byte, and not before."""
    decoder, after = Decoder(), list[tuple[int, Frame]]()
    stream = b"".join(map(encode, frames))
    for position in range(len(stream)):
        after += [(position + 1, frame) for frame in decoder.feed(stream[position : position + 1])]
    ends = [sum(len(encode(each)) for each in frames[: count + 1]) for count in range(len(frames))]

    assert after == list(zip(ends, frames, strict=True))


@law
@given(FRAMES, st.data())
def test_a_stream_that_ends_inside_a_frame_is_known_to(frame: Frame, data: st.DataObject) -> None:
    """A truncated frame gives no frame, and leaves a rest: the connection was cut."""
    stream = encode(frame)
    decoder = Decoder()
    frames = decoder.feed(stream[: data.draw(st.integers(1, len(stream) - 1))])

    assert (frames, decoder.has_rest) == ([], True)


def test_a_stream_that_ends_between_frames_has_no_rest() -> None:
    """Neither before its first byte, nor after its last frame."""
    fresh, used = Decoder(), Decoder()
    used.feed(framed(sample("ack")))

    assert (fresh.has_rest, used.has_rest) == (False, False)


# Sizes.


def test_the_largest_frame_that_we_ever_build_fits() -> None:
    """ROWS_MAX rows of the longest integers that are allowed, and the longest promise."""
    row = (COUNT_MAX, COUNT_MAX, 1, STAMP_MAX, ARRIVAL_NS_MAX)
    frame: Frame = {
        "type": "data",
        "first": COUNT_MAX,
        "messages": [row] * ROWS_MAX,
        "promise": (DUE_NS_MAX, COUNT_MAX),
    }
    stream = encode(frame)

    assert len(stream) - LENGTH_BYTES <= FRAME_BYTES_MAX
    assert Decoder(FRAME_BYTES_MAX).feed(stream) == [frame]


@pytest.mark.parametrize("character", ["r", "\x00", "\\", "ü", "\u2028", "😀"])
def test_the_longest_greeting_and_refusal_fit_into_the_limit_for_strangers(character: str) -> None:
    """Whatever characters a name has, and however JSON writes them."""
    hello = {
        "type": "hello",
        "version": COUNT_MAX,
        "run": character * 200,
        "token": character * TOKEN_MAX,
        "sender": NODE_MAX,
        "recipient": NODE_MAX,
        "incarnation": COUNT_MAX,
        "epoch_ns": EPOCH_NS_MAX,
        "base": COUNT_MAX,
    }
    greetings = [cast(Frame, hello), cast(Frame, {"type": "refusal", "reason": character * 500})]

    assert [Decoder(GREETING_BYTES_MAX).feed(encode(each)) for each in greetings] == [[each] for each in greetings]


def test_an_arrival_of_any_epoch_can_be_logged_in_any_other() -> None:
    """What a log line cannot hold must not come in: a log that cannot be read back is lost."""
    assert ARRIVAL_NS_MAX + EPOCH_NS_MAX <= LOGGED_NS_MAX


@pytest.mark.parametrize("bytes_max", [GREETING_BYTES_MAX, FRAME_BYTES_MAX])
@pytest.mark.parametrize("excess", [0, 1])
def test_a_frame_may_be_as_long_as_its_limit_and_no_longer(bytes_max: int, excess: int) -> None:
    """4 KiB before the greeting, 16 KiB after it; JSON may have spaces."""
    body = sample("ack")
    stream = framed(body + b" " * (bytes_max + excess - len(body)))
    decoder = Decoder(bytes_max)

    if excess:
        with pytest.raises(RemoteProtocolError, match=f"^a frame of {bytes_max + 1} bytes; at most {bytes_max} are"):
            decoder.feed(stream)
    else:
        assert decoder.feed(stream) == [{"type": "ack", "done": 1, "stopped": False}]


def test_a_stranger_has_the_small_limit_and_a_friend_the_large_one() -> None:
    """The limit is 4 KiB until somebody raises it."""
    decoder = Decoder()
    body = sample("ack")
    before = decoder.bytes_max
    decoder.bytes_max = FRAME_BYTES_MAX

    assert (before, GREETING_BYTES_MAX, FRAME_BYTES_MAX) == (4096, 4096, 16384)
    assert decoder.feed(framed(body + b" " * 5_000)) == [{"type": "ack", "done": 1, "stopped": False}]


@pytest.mark.parametrize("length", [FRAME_BYTES_MAX + 1, 2**31, 2**32 - 1])
def test_a_frame_that_is_too_long_is_refused_by_its_length_alone(length: int) -> None:
    """Nobody waits for 4 GB."""
    words = refuse(length.to_bytes(LENGTH_BYTES, "big"))

    assert words == f"a frame of {length} bytes; at most {FRAME_BYTES_MAX} are allowed"


def test_good_frames_before_a_bad_one_do_not_save_the_connection() -> None:
    """What came in the same read is lost with it; a sender has it in its window."""
    assert refuse(framed(sample("ack")) + framed(b"junk")).startswith("a frame that is none of ours")


# What is not let in.


def field_of(kind: str, field: str, *texts: str) -> list[tuple[str, str, str]]:
    """Return a field of a frame with each of these JSON texts for a value."""
    return [(kind, field, text) for text in texts]


LAX = ['"2"', "true", "1.0", "1e0", "NaN", "Infinity", "null", "[]", "{}", "9" * 3_000, "-" + "9" * 3_000]
MISTYPED = [
    *field_of("ack", "done", *LAX, "-1", str(2**53)),
    *field_of("ack", "stopped", "1", "0", '"true"', "null"),
    *field_of("welcome", "have", *LAX, "-1", str(2**53)),
    *field_of("welcome", "done", *LAX, "-1", str(2**53)),
    *field_of("welcome", "incarnation", *LAX, "-1", str(2**53)),
    *field_of("refusal", "reason", "null", "7", "[]", '"' + "x" * 501 + '"', '"\\ud800"'),
    *field_of("epoch", "epoch_ns", *LAX, "-1", str(EPOCH_NS_MAX + 1)),
    *field_of("hello", "version", *LAX),
    *field_of("hello", "run", "null", "7", '"' + "x" * 201 + '"'),
    *field_of("hello", "sender", *LAX, "0", str(2**31)),
    *field_of("hello", "recipient", *LAX, "0", str(2**31)),
    *field_of("hello", "incarnation", *LAX, "-1"),
    *field_of("hello", "epoch_ns", '"5"', "true", "5.0", "-1", str(EPOCH_NS_MAX + 1)),
    *field_of("hello", "token", "null", "7", '"' + "x" * (TOKEN_MAX + 1) + '"'),
    *field_of("hello", "base", *LAX, "0", str(2**53)),
    *field_of("data", "first", *LAX, "0", str(2**53)),
    *field_of("data", "messages", "null", "{}", '"x"', "[7]", "[[]]", "[[1,1,0,1]]", "[[1,1,0,1,1,1]]", '["11011"]'),
    *field_of("data", "messages", '[{"0":1,"1":1,"2":0,"3":1,"4":1}]', "[[1,1,0,1,1],null]"),
    *(("data", "messages", f"[[{text},1,0,1,1]]") for text in [*LAX, "-1", str(2**53)]),
    *(("data", "messages", f"[[1,{text},0,1,1]]") for text in [*LAX, "0", str(2**53)]),
    *(("data", "messages", f"[[1,1,{text},1,1]]") for text in [*LAX, "-1", "2"]),
    *(("data", "messages", f"[[1,1,0,{text},1]]") for text in [*LAX, "-1", str(STAMP_MAX + 1)]),
    *(("data", "messages", f"[[1,1,0,1,{text}]]") for text in [*LAX, "-1", str(ARRIVAL_NS_MAX + 1)]),
    *field_of("data", "promise", "[]", "[1]", "[1,1,1]", "[1,null]", "7", "true", "[1,-1]", f"[1,{2**53}]"),
    *(("data", "promise", f"[{text},1]") for text in ['"2"', "true", "1.0", "NaN", "-1", str(DUE_NS_MAX + 1)]),
]


@pytest.mark.parametrize(("kind", "field", "text"), MISTYPED, ids=lambda part: part[:24])
def test_a_mistyped_frame_is_refused(kind: str, field: str, text: str) -> None:
    """Strict: a timestamp of 4000 digits, a text, a truth or a fraction would poison every clock."""
    mark = '"here"'
    body = sample(kind, **{field: "here"}).decode().replace(mark, text)

    assert refuse(framed(body.encode())).startswith("a frame that is none of ours: ")


def test_the_sample_frames_are_good() -> None:
    """So what is refused above is refused for its one changed field."""
    assert [Decoder().feed(framed(sample(kind))) for kind in SAMPLES] == [
        [{"type": kind, **fields}] for kind, fields in SAMPLES.items()
    ]


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_key_too_many_is_refused(kind: str) -> None:
    """A frame of another version says so in its greeting, and nowhere else."""
    assert refuse(framed(sample(kind, colour="red"))) == "a frame that is none of ours: 1 errors, extra_forbidden"


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, fields in SAMPLES.items() for field in fields])
def test_a_key_too_few_is_refused(kind: str, field: str) -> None:
    """There are no defaults on the wire."""
    fields = {"type": kind, **SAMPLES[kind]}
    del fields[field]

    assert refuse(framed(orjson.dumps(fields))) == "a frame that is none of ours: 1 errors, missing"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"type":"ack","done":1,"done":5,"stopped":false}', {"type": "ack", "done": 5, "stopped": False}),
        (b'{"type":"epoch","type":"ack","done":1,"stopped":true}', {"type": "ack", "done": 1, "stopped": True}),
    ],
)
def test_of_a_key_that_comes_twice_every_reader_takes_the_last(body: bytes, expected: Frame) -> None:
    """JSON leaves it open; here the type, too, is that of the last, so that no two readers differ."""
    assert Decoder().feed(framed(body)) == [expected] == [orjson.loads(body)]


def test_an_earlier_value_of_a_key_that_comes_twice_never_decides_what_a_frame_is() -> None:
    """The first type would fit these fields, the last one does not."""
    refuse(framed(b'{"type":"ack","type":"refusal","done":1,"stopped":false}'))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"7",
        b'"ack"',
        b"[]",
        b"{}",
        b"{",
        b'{"type":"ack","done":1,"stopped":false',
        b'{"type":"ack","done":1,"stopped":false}}',
        b'{"type":"ack","done":1,"stopped":false} {}',
        b"{'type':'ack','done':1,'stopped':false}",
        b'{"type":"ack","done":01,"stopped":false}',
        b'{"type":"ack","done":1,"stopped":false,}',
        b'{"type":"ack","done":1,"stopped":false}\x00',
        b'\xef\xbb\xbf{"type":"ack","done":1,"stopped":false}',
        b'{"type":"refusal","reason":"\xff"}',
        b'{"type":"refusal","reason":"a\nb"}',
        b'{"type":"pong"}',
        b'{"type":null}',
        b'{"type":["ack"]}',
        b'{"TYPE":"ack","done":1,"stopped":false}',
        b'[{"type":"ack","done":1,"stopped":false}]',
        b"\xff\xfe\x00\x01",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=repr,
)
def test_what_is_no_frame_of_ours_is_refused(body: bytes) -> None:
    """Truncated, unknown, or no JSON at all."""
    assert refuse(framed(body)).startswith("a frame that is none of ours: 1 errors, ")


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"' + b"x" * (FRAME_BYTES_MAX - 11) + b'"}',
        b"[" * FRAME_BYTES_MAX,
        b'{"type":"data","first":1,"promise":null,"messages":[' + b"{}," * 5_000 + b"{}]}",
        b'{"type":"data","first":1,"promise":null,"messages":[' + b'["a","b"],' * 1_600 + b"[]]}",
        b'{"type":"ack",' + b",".join(b'"k\\n%d":0' % number for number in range(1_000)) + b"}",
        b'{"type":"ack","done":"' + b"\\n" * 8_000 + b'"}',
        b"\xf0" * FRAME_BYTES_MAX,
        b"9" * FRAME_BYTES_MAX,
    ],
    ids=lambda body: repr(body[:48]),
)
def test_a_hostile_frame_is_refused_in_one_short_line(body: bytes) -> None:
    """Design trap 4: the text of such an error can be a thousand times its frame."""
    words = refuse(framed(body))

    assert len(words) < 200
    assert "\n" not in words


@law
@given(st.binary(max_size=300))
def test_whatever_comes_is_frames_or_one_short_line(stream: bytes) -> None:
    """No other exception, and nothing of the peer's own words in it."""
    for data in (stream, framed(stream)):
        words = ""
        try:
            Decoder().feed(data)
        except RemoteProtocolError as error:
            words = str(error)

        assert len(words) < 200


@law
@given(FRAMES, st.data())
def test_one_wrong_byte_never_gets_past_as_anything_but_a_frame(frame: Frame, data: st.DataObject) -> None:
    """A changed byte is a refusal, a frame of ours, or an incomplete one; never another exception."""
    stream = bytearray(encode(frame))
    stream[data.draw(st.integers(0, len(stream) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        frames = Decoder().feed(bytes(stream))
    except RemoteProtocolError:
        return

    assert [Decoder().feed(encode(each)) for each in frames] == [[each] for each in frames]


def test_we_never_build_a_frame_too_large() -> None:
    """That would be a mistake of ours, and the peer would hang up."""
    row = (COUNT_MAX, COUNT_MAX, 1, STAMP_MAX, ARRIVAL_NS_MAX)

    with pytest.raises(AssertionError, match="too large"):
        encode({"type": "data", "first": 1, "messages": [row] * 2 * ROWS_MAX, "promise": None})


def test_a_frame_of_more_rows_than_allowed_is_refused() -> None:
    """Even if it fits into 16 KiB."""
    frame = {"type": "data", "first": 1, "messages": [ROW] * (ROWS_MAX + 1), "promise": None}

    assert refuse(framed(orjson.dumps(frame))) == "a frame that is none of ours: 1 errors, too_long"
