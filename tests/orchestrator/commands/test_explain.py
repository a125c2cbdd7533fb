"""`explain` as people and scripts meet it: what it shows, its one object, and one line for each mistake."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.__main__ import main
from orchestrator.commands import explain as explain_command
from orchestrator.export import FORMATS
from orchestrator.trace import read_trace
from tests.clusters import cluster
from tests.logs_on_disk import rewrite, write_logs

ROOT = Path(__file__).parents[3]
KEYS = [
    *("run", "event", "clock", "kind", "machine", "place", "time_ns", "length", "is_exact", "longest_chain"),
    *("longest_chain_is_known", "begins", "unnamed_clock_max", "evidence", "misfits", "hops", "chain"),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory, on a screen of 80 columns without colours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture
def logs(here: Path) -> Path:
    """Return a folder of logs as of nodes started by hand."""
    (here / "logs").mkdir()
    write_logs(here / "logs", cluster(3, seconds=60, delay_ms=10))
    return here / "logs"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return what says what a command prints, with exit code 0."""

    def say(*arguments: str) -> str:
        assert main(list(arguments)) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return say


def test_a_clock_is_as_many_events_as_it_says(logs: Path, said: Callable[..., str]) -> None:
    """Issue 4: 87 events force clock 87, in hops, and the rule that applies."""
    shown = said("explain", "logs", "2:100")
    clock = re.search(r"2:100, [a-z-]+, clock (\d+), at [\d.]+ s \(events-2\.jsonl:101\)", shown)

    assert clock is not None
    assert f"{clock[1]} events force clock {clock[1]}: each happened before the next, and adds 1." in shown
    assert "(Lamport's IR1 and IR2)" in shown
    assert "ms in the network, " in shown
    assert "10 ms" in shown


def test_the_object_has_the_chain_and_its_hops(logs: Path, said: Callable[..., str]) -> None:
    """Issue 4: one object, oldest first, an event a clock."""
    data = json.loads(said("explain", "logs", "2:100", "--json"))

    assert KEYS == list(data)
    assert (True, data["clock"]) == (data["is_exact"], data["length"])
    assert list(range(1, data["clock"] + 1)) == [event["clock"] for event in data["chain"]]
    assert ["2:100", data["hops"][-1]["last"]] == [data["chain"][-1]["event"], "2:100"]
    assert sum(hop["events"] for hop in data["hops"]) == data["length"]


def test_an_event_is_found_by_its_line_too(logs: Path, said: Callable[..., str]) -> None:
    """Issue 4: EVENT is 2:41 or file:line."""
    assert said("explain", "logs", "2:41") == said("explain", "logs", "events-2.jsonl:42")
    assert said("explain", "logs", "2:41") == said("explain", "logs", "logs/events-2.jsonl:42")


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("clock", ["lamport", "lamport-literal", "lamport-no-increment"])
def test_it_fits_the_screen(
    here: Path, said: Callable[..., str], monkeypatch: pytest.MonkeyPatch, clock: str, columns: str
) -> None:
    """80 columns where there are 80, and never more than 100: of many hops the first and the last."""
    monkeypatch.setenv("COLUMNS", columns)
    (here / "many").mkdir()
    write_logs(here / "many", cluster(3, seconds=300, clock=clock, delay_ms=10))  # type: ignore[arg-type]

    for event in ("1:1", "1:200", "2:890"):
        lines = said("explain", "many", event).splitlines()
        assert max(map(len, lines)) <= min(int(columns), 100)
        assert len(lines) < 70


def test_a_mistake_is_shown_where_it_is(here: Path, said: Callable[..., str]) -> None:
    """Issue 4: where it does not come out, at which hop and by how much; the exit code is 0 all the same."""
    (here / "bad").mkdir()
    write_logs(here / "bad", cluster(3, seconds=60, clock="lamport-literal"))
    shown = said("explain", "bad", "2:100")
    data = json.loads(said("explain", "bad", "2:100", "--json"))

    assert "IT DOES NOT COME OUT: the clock says" in shown
    assert "  - 1 too small: " in shown
    assert "lamport-literal, breaks it" in shown
    assert (False, data["length"] - len(data["misfits"])) == (data["is_exact"], data["clock"])


def test_a_log_that_is_absent_is_where_the_chain_ends(logs: Path, said: Callable[..., str]) -> None:
    """Nothing is guessed: the send is named as the receive names it, with the clock that its message carried."""
    (logs / "events-3.jsonl").unlink()
    shown = said("explain", "logs", "2:100")

    assert "NOT ALL IS KNOWN: the chain leads back to" in shown
    assert "the record does not hold its send, 3:" in " ".join(shown.split())
    assert "no log of machine 3, which others name" in shown


def test_a_hole_is_shown_where_it_is(logs: Path, said: Callable[..., str]) -> None:
    """A line that was deleted leaves a clock that the chain cannot reach."""
    rewrite(logs / "events-2.jsonl", lambda lines: [lines[0], *lines[2:]])
    data = json.loads(said("explain", "logs", "2:2", "--json"))

    assert "the record lacks 1 event of machine 2 before 2:2" in data["misfits"][0]["why"]
    assert (False, False) == (data["is_exact"], data["longest_chain_is_known"])


def test_logs_of_others_are_explained_as_far_as_they_say(logs: Path, here: Path, said: Callable[..., str]) -> None:
    """The table of `export` names every send: the same chain; its text logs name none: it ends at a receive."""
    trace = read_trace({node: logs / f"events-{node}.jsonl" for node in (1, 2, 3)})
    for name in ("csv", "classic"):
        (here / f"as-{name}").mkdir()
        for file, pieces in FORMATS[name].export(trace).files.items():
            (here / f"as-{name}" / (file or "run.csv")).write_text("".join(pieces), newline="")
    ours = json.loads(said("explain", "logs", "2:100", "--json"))
    table = json.loads(said("explain", "as-csv", "2:100", "--json"))
    text = json.loads(said("explain", "as-classic", "machine-2:100", "--json"))

    assert [event["event"] for event in ours["chain"]] == [event["event"] for event in table["chain"]]
    assert ("unnamed-send", False) == (text["begins"], text["is_exact"])
    assert text["unnamed_clock_max"] == text["chain"][0]["clock"] - 1


def test_one_of_several_executions_is_named_behind_the_path(
    here: Path, said: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What an ambiguous TRACE is answered with can be typed."""
    record, split = r"^(?<host>\w+) (?<clock>\{.*\})$", r"^= (?<run>\w+)"
    (here / "my.format.yaml").write_text(f"record: '{record}'\nclock: vector\nsplit: '{split}'\n")
    (here / "both.log").write_text('= first\na {"a":1}\n= second\na {"a":1}\nb {"b":1,"a":1}\n')
    flags = ["--log-format", "my.format.yaml", "--json"]

    assert main(["explain", "both.log", "b:1", *flags]) == 64
    assert capsys.readouterr().err.endswith("here are 2; name one: both.log/first, both.log/second\n")
    data = json.loads(said("explain", "both.log/second", "b:1", *flags))
    assert (["a:1", "b:1"], None, "{a: 1, b: 1}") == (
        [event["event"] for event in data["chain"]],
        data["is_exact"],
        data["clock"],
    )


@pytest.fixture
def two(here: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Record an experiment of two runs, and make a folder of nothing."""
    (here / "two.yaml").write_text("duration: 5s\nruns: 2\n")
    (here / "nothing").mkdir()
    assert main(["run", "two.yaml", "--lab", "simulated", "--out", "two"]) == 0
    capsys.readouterr()
    return here / "two"


@pytest.mark.usefixtures("logs", "two")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["logs"], 64, "EVENT"),
        (["logs", "2-41"], 64, "2-41: an event is MACHINE:NUMBER, such as "),
        (["two", "2:41"], 64, "two: this takes one run, and here are 2; name one: two/run-1, two/run-2"),
        (["logs", "2:100000"], 66, "2:100000: no such event in logs; machine 2 has events 2:1 to 2:"),
        (["logs", "events-2.jsonl:1"], 66, "no event begins in this line; the nearest: events-2.jsonl:2 (2:1)"),
        (["absent", "2:41"], 66, "absent: no such file"),
        (["nothing", "2:41"], 65, "nothing: no event log in it"),
        (["logs", "2:41", "--log-fromat", "csv"], 64, "unknown flag --log-fromat; did you mean --log-format?"),
    ],
)
def test_a_mistake_is_answered_in_one_line_with_its_own_exit_code(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: what, where, what to do; stdout is empty."""
    assert main(["explain", *arguments]) == code
    out, err = capsys.readouterr()

    assert (out, len(err.splitlines())) == ("", 1)
    assert says in err


def test_interrupted_it_has_explained_nothing(
    logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: one object, also at 130."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(explain_command, "one_history", interrupt)

    assert main(["explain", "logs", "2:41", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["chain"] == []


@pytest.mark.usefixtures("here")
def test_the_document_shows_what_is_printed(said: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    """docs/explain.md is compared line by line, but for when the run was made."""
    words = ["run", str(ROOT / "configs" / "exercise.yaml"), "--lab", "simulated", "--runs", "1"]
    main(words)
    main([*words, "--set", "clock=lamport-literal", "--out", "literal"])
    capsys.readouterr()
    blocks = re.findall(r"```\n\$ python3 lab\.py (.*)\n((?:.*\n)*?)```", (ROOT / "docs" / "explain.md").read_text())
    assert [words.split()[0] for words, _ in blocks] == ["explain", "explain", "order", "order"]

    for command, shown in blocks:
        assert _without_time(shown) == _without_time(said(*command.split())), command


def _without_time(text: str) -> list[str]:
    return [re.sub(r"\d{8}T\d{6}Z", "TIME", line).rstrip() for line in text.splitlines()]
