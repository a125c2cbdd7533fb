"""The lines of an event log: written, and read back."""

from typing import Any, cast

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.errors import LogError
from node.event import Delivery, Event, Message, MessageId
from node.model import MODEL_VERSION, SECOND_NS, Model, Network
from node.record import (
    FORMAT_VERSION,
    InternalLine,
    Line,
    ReceiveLine,
    SendLine,
    end_line,
    event_line,
    link_line,
    parse_event,
    parse_line,
    start_line,
    stop_line,
)

law = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

COUNTS = st.integers(0, 2**53 - 1)
POSITIONS = st.integers(1, 2**53 - 1)
NODES = st.integers(1, 2**31 - 1)
TIMES_NS = st.integers(-(2**62), 2**62)
COPIES = st.integers(0, 1)
WALLS = st.none() | TIMES_NS
DELIVERIES = st.builds(Delivery, NODES, POSITIONS, TIMES_NS, COPIES) | st.builds(
    Delivery, NODES, st.none(), st.none(), COPIES
)
PLACE = {
    "node": NODES,
    "incarnation": COUNTS,
    "index": POSITIONS,
    "tick": COUNTS,
    "due_ns": COUNTS,
    "clock": COUNTS,
    "queue": COUNTS,
}
EVENTS = st.one_of(
    st.builds(Event, kind=st.just("internal"), **PLACE),
    st.builds(
        Event,
        kind=st.sampled_from(["send-one", "send-next", "send-all"]),
        to=st.lists(DELIVERIES, min_size=1, max_size=4).map(tuple),
        **PLACE,
    ),
    st.builds(
        Event,
        kind=st.just("receive"),
        cause=st.builds(MessageId, NODES, COUNTS, POSITIONS, COPIES),
        number=POSITIONS,
        stamp=COUNTS,
        arrival_ns=TIMES_NS,
        seen_ns=st.none() | TIMES_NS,
        **PLACE,
    ),
)

MODEL = Model(
    node=2,
    seed=262,
    rate_hz=6,
    phase_ns=5,
    internal_probability=0.7,
    duration_ns=SECOND_NS,
    peers=(3,),
    senders=(1, 3),
    network=Network(delay_ns=4),
)
PLACE_OF_SAMPLE = {"node": 2, "incarnation": 0, "index": 4, "tick": 9, "due_ns": 1_500, "clock": 7, "queue": 1}


def bytes_of(line: Line) -> bytes:
    """Return a line as the journal writes it, without its end."""
    return orjson.dumps(line)


def message(arrival_ns: int, sender: int) -> Message:
    """Return a message that was never received."""
    return Message(arrival_ns=arrival_ns, sender=sender, tick=6, copy=1, incarnation=2, index=5, stamp=3, number=8)


LINES: dict[str, Line] = {
    "start": start_line(MODEL, run="demo", incarnation=0, pace="exact", epoch_ns=77, wall=88),
    "internal": event_line(Event(kind="internal", **PLACE_OF_SAMPLE), 99),
    "send": event_line(
        Event(kind="send-all", to=(Delivery(1, 3, 1_600), Delivery(3, None, None, 1)), **PLACE_OF_SAMPLE), None
    ),
    "receive": event_line(
        Event(
            kind="receive",
            cause=MessageId(3, 0, 2, 0),
            number=5,
            stamp=6,
            arrival_ns=1_400,
            seen_ns=1_500,
            **PLACE_OF_SAMPLE,
        ),
        99,
    ),
    "link": link_line(MODEL, incarnation=0, peer=3, direction="from", state="down", wall=99),
    "end": end_line(MODEL, incarnation=0, events=6, interrupted=False, wall=None),
    "stop": stop_line(
        MODEL,
        incarnation=0,
        events=6,
        unreceived=[(message(5, 1), None), (message(6, 3), 700)],
        held_back={"ticks": 1, "total_ns": 2, "max_ns": 2},
        wall=99,
    ),
}


# Round trips.


@law
@given(EVENTS, WALLS)
def test_an_event_is_read_back_as_it_was_written(event: Event, wall: int | None) -> None:
    """The log is the state: nothing of an event is lost or changed in its line."""
    line = cast(InternalLine | SendLine | ReceiveLine, parse_line(bytes_of(event_line(event, wall))))

    assert (parse_event(line), line["wall"]) == (event, wall)


@pytest.mark.parametrize("kind", LINES)
def test_every_kind_of_line_is_read_back_as_it_was_written(kind: str) -> None:
    """Nothing of a line is lost or changed by reading it."""
    line = bytes_of(LINES[kind])

    assert orjson.loads(bytes_of(parse_line(line))) == orjson.loads(line)
    assert parse_line(line)["event"] == kind


def test_the_start_line_gives_the_configuration_back() -> None:
    """The first line says whose log this is and under which model; a reader needs no other file."""
    line = parse_line(bytes_of(LINES["start"]))
    assert line["event"] == "start"

    assert line["model"] == MODEL
    assert line["configuration"] == MODEL.digest()
    assert (line["format_version"], line["model_version"]) == (FORMAT_VERSION, MODEL_VERSION)
    assert (line["run"], line["node"], line["incarnation"], line["pace"]) == ("demo", 2, 0, "exact")
    assert (line["epoch_ns"], line["wall"]) == (77, 88)


# The keys that other tools rely on.


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("internal", {"event": "internal", **PLACE_OF_SAMPLE, "wall": 99}),
        (
            "send",
            {
                "event": "send",
                **PLACE_OF_SAMPLE,
                "wall": None,
                "kind": "send-all",
                "to": [[1, 3, 1_600, 0], [3, None, None, 1]],
            },
        ),
        (
            "receive",
            {
                "event": "receive",
                **PLACE_OF_SAMPLE,
                "wall": 99,
                "from": [3, 0, 2, 0],
                "number": 5,
                "stamp": 6,
                "arrival_ns": 1_400,
                "seen_ns": 1_500,
            },
        ),
        (
            "link",
            {
                "event": "link",
                "node": 2,
                "incarnation": 0,
                "peer": 3,
                "direction": "from",
                "state": "down",
                "wall": 99,
            },
        ),
        ("end", {"event": "end", "node": 2, "incarnation": 0, "events": 6, "interrupted": False, "wall": None}),
    ],
)
def test_a_line_has_the_keys_of_the_contract(kind: str, expected: dict[str, Any]) -> None:
    """Design section 4, "Event line"; null where a message is lost, no `seen_ns` where none was late."""
    assert orjson.loads(bytes_of(LINES[kind])) == expected


def test_a_receive_in_time_has_no_key_for_lateness() -> None:
    """`seen_ns` if late, and only then."""
    event = Event(kind="receive", cause=MessageId(3, 0, 2), number=5, stamp=6, arrival_ns=1, **PLACE_OF_SAMPLE)

    assert "seen_ns" not in event_line(event, None)


def test_the_stop_record_counts_what_is_left_by_sender() -> None:
    """arrival < duration waits in the queue, the rest is in flight; every sender is named, also with nothing."""
    unreceived: list[tuple[Message, int | None]] = [
        (message(5, 1), None),
        (message(SECOND_NS - 1, 1), 900),
        (message(SECOND_NS, 1), None),
    ]
    line = stop_line(MODEL, incarnation=0, events=6, unreceived=unreceived, held_back=None, wall=None)

    assert line == {
        "event": "stop",
        "node": 2,
        "incarnation": 0,
        "events": 6,
        "incoming": [(1, 2, 1), (3, 0, 0)],
        "late": [(1, 2, 5, 1, 900)],
        "held_back": None,
        "wall": None,
    }


def test_a_receive_without_a_cause_is_a_mistake_of_ours() -> None:
    """Happened-before could not be computed."""
    with pytest.raises(AssertionError, match="names its cause"):
        event_line(Event(kind="receive", **PLACE_OF_SAMPLE), None)


# What is no line.


def words_about(line: bytes) -> str:
    """Return what is said about a line that is none."""
    with pytest.raises(LogError) as damage:
        parse_line(line)
    return str(damage.value)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b"{",
        b"null",
        b"[]",
        b"7",
        b"\x00" * 64,
        b"\xff\xfe",
        b"node 1 says hello",
        b'{"event":"internal"}',
        b'{"event":"party","node":1}',
        b'{"event":7}',
        b"{}",
        bytes_of(LINES["send"])[:-1],
        bytes_of(LINES["send"])[1:],
        bytes_of(LINES["end"]) + bytes_of(LINES["end"]),
        b"[" * 100_000,
        b'{"event":"send","to":[' + b"[]," * 50_000 + b"[]]}",
    ],
    ids=lambda line: repr(line[:40]),
)
def test_a_line_that_is_none_is_named_in_one_short_line(line: bytes) -> None:
    """A reader adds the file and the line number; a traceback would help nobody."""
    words = words_about(line)

    assert 0 < len(words) < 200
    assert len(words.splitlines()) == 1


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("internal", "clock", "7"),
        ("internal", "clock", True),
        ("internal", "clock", 7.0),
        ("internal", "clock", None),
        ("internal", "clock", -1),
        ("internal", "clock", 2**53),
        ("internal", "index", 0),
        ("internal", "node", 0),
        ("internal", "due_ns", -1),
        ("internal", "queue", None),
        ("internal", "colour", "red"),
        ("internal", "kind", "internal"),
        ("internal", "wall", "now"),
        ("send", "kind", "send-some"),
        ("send", "to", None),
        ("send", "to", [[1, 3, 1_600]]),
        ("send", "to", [[1, 3, 1_600, 2]]),
        ("send", "to", [[1, 0, 1_600, 0]]),
        ("receive", "from", None),
        ("receive", "from", [3, 0, 0, 0]),
        ("receive", "from", [3, 0, 2]),
        ("receive", "number", None),
        ("receive", "stamp", 2**60),
        ("receive", "seen_ns", None),
        ("start", "pace", "slow"),
        ("start", "model", {}),
        ("link", "direction", "up"),
        ("link", "state", "lost"),
        ("end", "interrupted", 1),
        ("stop", "incoming", [[1, 2]]),
        ("stop", "held_back", {"ticks": 1}),
    ],
)
def test_a_line_with_a_wrong_value_says_where_it_is(kind: str, field: str, value: object) -> None:
    """Strict: a damaged number must not become another one."""
    words = words_about(orjson.dumps({**LINES[kind], field: value}))

    assert words.startswith(field)
    assert len(words) < 200


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in LINES for field in LINES[kind]])
def test_a_line_that_lacks_a_key_is_refused(kind: str, field: str) -> None:
    """Only `seen_ns` may be absent."""
    line = bytes_of(cast(Line, {key: value for key, value in LINES[kind].items() if key != field}))

    if field == "seen_ns":
        assert "seen_ns" not in parse_line(line)
    else:
        assert words_about(line) in (f"{field}: Field required", "Unable to extract tag using discriminator 'event'")


@pytest.mark.parametrize(
    "line",
    [b'{"event":"a\\nb"}', b'{"event":"' + b"x" * 100_000 + b'"}', orjson.dumps({"event": "a\u2028b"})],
    ids=["two lines", "100 KB", "U+2028"],
)
def test_a_foreign_event_kind_is_named_in_one_short_line(line: bytes) -> None:
    """What stands in a damaged line is shown short, printable and on one line."""
    with pytest.raises(LogError) as damage:
        parse_line(line)
    assert len(str(damage.value)) < 200
    assert len(str(damage.value).splitlines()) == 1


def test_a_foreign_key_is_named_in_one_short_line() -> None:
    """A key is foreign text, too."""
    line = {"event": "end", "node": 1, "incarnation": 0, "events": 0, "interrupted": False, "wall": None}
    with pytest.raises(LogError) as damage:
        parse_line(orjson.dumps({**line, "k\n" * 5_000: 1}))
    assert len(str(damage.value)) < 200
    assert len(str(damage.value).splitlines()) == 1
