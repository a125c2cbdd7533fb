"""The text of a story: what each line says, and which line is wrong, and how."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import NoLogError
from orchestrator.stories import parse_story


def test_a_story_is_a_line_an_event() -> None:
    """Comments, empty lines and spaces say nothing; machines stand in the order in which they are named."""
    story = parse_story(
        "# a title\nmachines q p\n\n  p send m -> q, r   # a comment\nr local\nq   receive   m\ncut p:1 q:1\n",
        name="s.story",
    )

    assert story.machines == ("q", "p", "r")
    assert [(one.machine, one.act, one.message, one.line, one.cause) for one in story.events] == [
        ("p", "send", "m", 4, -1),
        ("r", "local", "", 5, -1),
        ("q", "receive", "m", 6, 0),
    ]
    assert story.events[0].recipients == ("q", "r")
    assert (story.clock, story.cuts) == ("lamport", ({"p": 1, "q": 1},))


def test_a_machine_may_be_called_like_a_head() -> None:
    assert parse_story("clock send m -> cut\ncut receive m\n", name="s").machines == ("clock", "cut")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("q receive m\np send m -> q", "s:1: q receives m, which nobody has sent before this line"),
        (
            "p send move -> q\nq receive mvoe",
            "s:2: q receives mvoe, which nobody has sent before this line; did you mean move?",
        ),
        ("p send m -> q\nq receive m\nq receive m", "s:3: q receives m a second time; it did in line 2"),
        ("p send m -> q\nr receive m", "s:2: r receives m, which line 1 sends to q"),
        ("p send m -> q\np send m -> q", "s:2: m was sent before, in line 1; call this one by another name"),
        ("p send m -> p", "s:1: p sends m to itself; what a machine does for itself is `p local`"),
        ("p send m -> q q", "s:1: m names a recipient twice"),
        ("p send m", "s:1: a send names its message and who is to have it: `p send m -> q`"),
        ("p receive", "s:1: a receive names its message: `p receive m`"),
        ("p local now", "s:1: 'now' says nothing behind `local`; what is to be said goes behind a #"),
        ("p recieve m", "s:1: 'p recieve m' is no event, which is"),
        ("p recieve m", "; did you mean receive?"),
        ("p", "s:1: 'p' is no event"),
        ("p\u202e local\nq loc\u202eal", "s:2: 'q loc?al' is no event"),
        (
            "clock vector\np local",
            "s:1: a clock is one of lamport, lamport-literal, lamport-no-increment, not 'vector'",
        ),
        ("p local\nmachines p q", "s:2: `machines p q r` says, before the first event, in which order they are drawn"),
        ("machines p:q", "s:1: 'p:q' cannot be the name of a machine"),
        ("p local\ncut p", "s:2: a cut names the last event inside of some machines: `cut p:2 q:3`"),
        ("p local\ncut p:1 p:0", "s:2: a cut names a machine twice"),
        ("p local\ncut p:2", "the cut names p:2, but p has 1 events"),
        ("# nothing\n", "s: no event in it; a story has lines such as"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(NoLogError) as error:
        parse_story(text, name="s")

    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


@given(st.text(st.sampled_from("pqm->:#\n \u202e,12sendlocreiv"), max_size=80))
def test_whatever_it_is_told_it_returns_a_story_or_one_line(text: str) -> None:
    try:
        story = parse_story(text, name="s")
    except NoLogError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert story.events
