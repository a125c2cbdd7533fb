"""Whom a node accepts as a sender."""

from typing import Any, cast

import pytest

from node.errors import RefusedError, RemoteProtocolError
from node.frame import GREETING_BYTES_MAX, STAMP_MAX, WIRE_VERSION, Data, Decoder, Hello, Row, encode
from node.greeting import JUMP_MAX, refusal, refuse_jumps, refuse_strangers
from node.model import SECOND_NS, Model

MODEL = Model(
    node=2,
    seed=262,
    rate_hz=6,
    phase_ns=0,
    internal_probability=0.7,
    duration_ns=SECOND_NS,
    peers=(3,),
    senders=(1, 3),
)


def greet(**changes: Any) -> None:
    """Greet machine 2 of the run `demo`, at which incarnation 4 of the sender was last."""
    hello = {
        "type": "hello",
        "version": WIRE_VERSION,
        "run": "demo",
        "token": "ours",
        "sender": 1,
        "recipient": 2,
        "incarnation": 4,
        "epoch_ns": None,
        "base": 1,
        **changes,
    }
    refuse_strangers(cast(Hello, hello), MODEL, run="demo", token="ours", incarnation_min=4)


@pytest.mark.parametrize(
    "changes",
    [{}, {"sender": 3}, {"incarnation": 5}, {"epoch_ns": 7, "base": 9}],
    ids=repr,
)
def test_a_sender_of_ours_is_accepted(changes: dict[str, Any]) -> None:
    """Also again, also as a later incarnation, also if it is no peer of ours."""
    greet(**changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": 2}, "it speaks version 2 of the wire, this node version 1"),
        ({"run": "other"}, "it belongs to the run 'other', this node to 'demo'"),
        ({"token": "theirs"}, "its run has the same name and another token"),
        ({"token": ""}, "its run has the same name and another token"),
        ({"recipient": 5}, "it looks for node 5, and this is node 2"),
        ({"incarnation": 3}, "it is incarnation 3, and incarnation 4 was here already"),
    ],
    ids=["version", "run", "token", "no token", "recipient", "incarnation"],
)
def test_a_stranger_is_told_why(changes: dict[str, Any], reason: str) -> None:
    """Expected and found, in one line."""
    with pytest.raises(RefusedError) as refused:
        greet(**changes)

    assert str(refused.value) == f"node 1 is refused: {reason}"


@pytest.mark.parametrize("sender", [2, 4])
def test_only_machines_that_send_to_us_may_greet(sender: int) -> None:
    """The topology is directed; nobody sends to itself."""
    with pytest.raises(RefusedError) as refused:
        greet(sender=sender)

    assert str(refused.value) == f"node {sender} is refused: no machine {sender} sends to machine 2"


def test_a_refusal_is_for_good() -> None:
    """It ends the node with 74, as a log of another run does."""
    assert RefusedError.exit_code == 74


def test_the_first_difference_is_the_reason() -> None:
    """A node of another version may mean something else by everything that follows."""
    with pytest.raises(RefusedError, match="version 9"):
        greet(version=9, run="other", recipient=5, sender=4, incarnation=0)


@pytest.mark.parametrize("character", ["x", "\x00", "'", "\\", "ü", "\u2028", "😀"])
def test_a_refusal_of_the_longest_name_fits_on_one_line_into_a_small_frame(character: str) -> None:
    """Whatever name a stranger brings, it hears the answer, and no log line is broken by it."""
    with pytest.raises(RefusedError) as refused:
        greet(run=character * 200)
    answer = refusal(refused.value)

    assert Decoder(GREETING_BYTES_MAX).feed(encode(answer)) == [answer]
    assert len(answer["reason"].splitlines()) == 1
    assert answer["reason"].startswith("node 1 is refused: it belongs to the run ")


def test_a_refusal_says_at_most_500_characters() -> None:
    """That is what the wire allows."""
    assert refusal(RefusedError("x" * 600)) == {"type": "refusal", "reason": "x" * 500}


def data(*stamps: int) -> Data:
    """Return messages that carry these timestamps."""
    rows: list[Row] = [(tick, tick + 1, 0, stamp, 1) for tick, stamp in enumerate(stamps)]
    return {"type": "data", "first": 1, "messages": rows, "promise": None}


@pytest.mark.parametrize("clock", [0, 7, STAMP_MAX])
def test_a_timestamp_may_be_any_that_honest_events_lead_to(clock: int) -> None:
    """Smaller than our clock, too: a message may have waited for long."""
    refuse_jumps(data(), clock=clock)
    refuse_jumps(data(0, clock, clock + JUMP_MAX), clock=clock)


def test_a_jump_further_than_that_is_refused() -> None:
    """Wherever it stands in the frame."""
    with pytest.raises(RemoteProtocolError) as refused:
        refuse_jumps(data(1, 5 + JUMP_MAX + 1, 2), clock=5)

    assert str(refused.value) == f"a message with the timestamp {5 + JUMP_MAX + 1}, more than 2^40 above our clock 5"
