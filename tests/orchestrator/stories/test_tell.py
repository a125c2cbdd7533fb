"""A story as an execution: its clocks, and what each command makes of it."""

import json
from pathlib import Path

import pytest

from orchestrator.__main__ import main
from orchestrator.formats import read_logs
from orchestrator.stories import parse_story, told
from orchestrator.trace.store import NULL

ROOT = Path(__file__).parents[3]
STORIES = sorted((ROOT / "examples" / "stories").glob("*.story"))
EXCHANGE = "p send m -> q\nq local\nq receive m\nq send n -> p\np receive n\n"


@pytest.mark.parametrize(
    ("clock", "clocks", "stamps"),
    [
        ("lamport", [1, 1, 2, 3, 4], [NULL, NULL, 1, NULL, 3]),
        ("lamport-literal", [1, 1, 2, 3, 3], [NULL, NULL, 0, NULL, 2]),
        ("lamport-no-increment", [1, 1, 2, 3, 3], [NULL, NULL, 1, NULL, 3]),
    ],
)
def test_clocks_are_computed_by_the_rule_that_the_story_names(clock: str, clocks: list[int], stamps: list[int]) -> None:
    trace = told(parse_story(f"clock {clock}\n{EXCHANGE}", name="s"), name="s", file="s")

    assert (trace.clock.tolist(), trace.stamp.tolist()) == (clocks, stamps)


def test_there_are_the_six_stories_of_the_collection() -> None:
    assert [story.stem for story in STORIES] == [
        *("concurrent-yet-smaller", "equal-clocks", "inconsistent-cut", "lamport-1978", "literal-wording"),
        "overtaking",
    ]


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_check_judges_a_story_by_its_clocks(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the exercise's literal wording breaks the clock condition."""
    is_broken = story.stem == "literal-wording"

    assert main(["check", str(story), "--json"]) == int(is_broken)
    (execution,) = json.loads(capsys.readouterr().out)["executions"]
    assert execution["verdict"] == ("violated" if is_broken else "valid")
    assert (execution["format"], execution["checks"][0]["evidence"]) == ("story", "by-id")


@pytest.mark.parametrize(
    ("story", "a", "b", "relation"),
    [
        ("lamport-1978", "p:1", "r:4", "before"),
        ("lamport-1978", "p:3", "q:3", "concurrent"),
        ("lamport-1978", "q:3", "p:4", "before"),
        ("concurrent-yet-smaller", "p:1", "q:3", "concurrent"),
        ("equal-clocks", "p:2", "q:2", "concurrent"),
    ],
)
def test_what_the_stories_say_of_their_events_is_so(
    story: str, a: str, b: str, relation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The comments on top of each file."""
    assert main(["order", str(ROOT / "examples" / "stories" / f"{story}.story"), a, b, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert found["relation"] == relation
    if story != "lamport-1978":
        assert found["a"]["clock"] <= found["b"]["clock"]


def test_stories_and_logs_lie_in_one_folder(tmp_path: Path) -> None:
    (tmp_path / "one.story").write_text("p local\n")
    (tmp_path / "two.story").write_text("p local\nq local\n")
    (tmp_path / "log.csv").write_text("name,node,kind,clock,from\na:1,a,send,1,\nb:1,b,receive,2,a:1\n")

    assert sorted(trace.format_name for trace in read_logs([tmp_path])) == ["csv", "story", "story"]


def test_any_file_is_a_story_if_the_format_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "told.txt").write_text(EXCHANGE)

    assert main(["check", str(tmp_path / "told.txt"), "--log-format", "story"]) == 0
    assert "a story of 2 machines and 5 events" in capsys.readouterr().out


def test_a_story_that_cannot_have_happened_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue 8: a receive before its send, with the line and what is wrong."""
    (tmp_path / "early.story").write_text("q receive m\np send m -> q\n")
    for words in (["check"], ["draw"], ["order"], ["explain"]):
        events = {"order": ["p:1", "q:1"], "explain": ["p:1"]}.get(words[0], [])

        assert main([*words, str(tmp_path / "early.story"), *events]) == 65
        out, err = capsys.readouterr()
        assert out == ""
        assert err == f"error: {tmp_path}/early.story:1: q receives m, which nobody has sent before this line\n"
