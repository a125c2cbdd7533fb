"""`draw` as people meet it: the golden drawings of the stories, as wide as the terminal, and what is no part of a run.

`python3 lab.py draw examples/stories/NAME.story > tests/golden/stories/NAME.txt` writes a golden drawing again, and
with `--svg` the slide beside it.
"""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from orchestrator.__main__ import main
from tests.clusters import cluster
from tests.logs_on_disk import write_logs

ROOT = Path(__file__).parents[3]
STORIES = sorted((ROOT / "examples" / "stories").glob("*.story"))
GOLDEN = ROOT / "tests" / "golden" / "stories"

Draw = Callable[..., str]


@pytest.fixture
def draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Draw:
    """Return what draws, beside a run of three machines in `logs` and one of twelve in `many`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    for name, machines in (("logs", 3), ("many", 12)):
        (tmp_path / name).mkdir()
        write_logs(tmp_path / name, cluster(machines, seconds=20))

    def say(*words: str) -> str:
        assert main(["draw", *words]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return say


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_each_story_has_its_golden_drawing_and_slide(draw: Draw, story: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    name = str(story.relative_to(ROOT))

    assert (GOLDEN / f"{story.stem}.txt").read_text() == draw(name)
    assert (GOLDEN / f"{story.stem}.svg").read_text() == draw(name, "--svg")


@pytest.mark.parametrize("columns", [40, 80, 137])
@pytest.mark.parametrize("run", ["logs", "many"])
def test_a_drawing_is_no_wider_than_the_terminal(
    draw: Draw, run: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = draw(run).splitlines()

    assert max(map(len, lines)) <= columns
    assert sum(line.count("◆") + line.count("●") + line.count("○") for line in lines[:52]) == 50


def test_a_run_is_drawn_in_parts(draw: Draw) -> None:
    """By times or by events, from the first to the last; what is left out is said."""
    shown = draw("logs", "--from", "2s", "--to", "2:12").splitlines()

    assert shown[2].split()[0] == "2.062"
    assert "#12" in [line for line in shown if "." in line[:9]][-1]
    assert draw("logs").endswith("50 of 280 events are drawn; --from 2:11 goes on.\n")
    assert "drawn" not in draw("logs", "--from", "19s")


def test_a_message_is_led_from_its_send_over_its_wait_to_its_receive(draw: Draw) -> None:
    """At 0.798 s machine 3 sends, machine 2 is busy, and receives at 1.131 s."""
    lines = [line for line in draw("logs").splitlines() if line[:9].strip().startswith(("0.9", "1.0", "1.1"))]

    assert lines == [
        "   0.905  │                         │            ╭────────────● #6 6",
        "   1.062  ○ #6 7                    │            ┃            │",
        "   1.072  │                         │            ┃            ○ #7 7",
        "   1.131  │                         ◆ #4 7 +3 ◀──╯            │",
    ]


def test_machines_can_be_chosen(draw: Draw) -> None:
    shown = draw("many", "--machines", "7,2")

    assert shown.splitlines()[0].split() == ["7", "2"]
    assert "2 of 12 machines are drawn" in " ".join(shown.split())


def test_no_letter_need_be_more_than_ascii(draw: Draw) -> None:
    assert draw("logs", "--ascii").isascii()
    assert draw("many", "--ascii").isascii()


def test_a_slide_is_well_formed_and_the_same_each_time(draw: Draw) -> None:
    text = draw("logs", "--svg")

    assert ET.fromstring(text).attrib["viewBox"] == "0 0 1600 900"
    assert text == draw("logs", "--svg")
    assert "<script" not in text
    assert "style=" not in text


def test_a_slide_escapes_what_strangers_call_their_machines(draw: Draw, tmp_path: Path) -> None:
    (tmp_path / "odd.story").write_text("<b&\"' local\nq\u202ep local\n")
    text = draw("odd.story", "--svg")

    assert ET.fromstring(text) is not None
    assert "\u202e" not in text
    assert "\u202e" not in draw("odd.story")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["logs", "--from", "soon"], 66, "soon: expected a time such as 2.5s or an event such as 2:41 in logs"),
        (["logs", "--from", "2:4100"], 66, "2:4100: no such event is drawn in logs"),
        (["logs", "--from", "1.5.5s"], 64, "1.5.5s: expected a number and a unit"),
        (["logs", "--from", "3s", "--to", "2s"], 64, "--to 2s: nothing is between it and 3s"),
        (["logs", "--machines", "4"], 66, "4: no such machine in logs; there are 1, 2, 3"),
        (["logs", "--machines", "1,1"], 64, "--machines takes names, each once"),
        (["story.story", "--from", "2s"], 64, "2s: the record says no time; name an event, such as p:1"),
        (["absent"], 66, "absent: no such file or directory"),
    ],
)
def test_a_mistake_is_answered_in_one_line(
    draw: Draw, words: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("story.story").write_text("p local\n")

    assert main(["draw", *words]) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert says in err
