"""`order` as people and scripts meet it: each relation in words, its one object, and what clocks cannot say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.model import Model
from orchestrator.__main__ import main
from orchestrator.commands import order as order_command
from orchestrator.labs.simulated import run_simulated
from orchestrator.rundir import Run
from tests.clusters import cluster
from tests.fault_mixes import HALF_A_SECOND, machines_of
from tests.logs_on_disk import write_logs

KEYS = ["run", "a", "b", "relation", "known_to_a", "known_to_b", "evidence", "length", "hops", "path"]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return what asks about a run of the exercise, or of a mistaken clock, and says what is shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    for name, clock in (("logs", "lamport"), ("literal", "lamport-literal")):
        (tmp_path / name).mkdir()
        write_logs(tmp_path / name, cluster(3, seconds=60, clock=clock))  # type: ignore[arg-type]

    def say(*arguments: str, run: str = "logs") -> str:
        assert main(["order", run, *arguments]) == 0
        out, err = capsys.readouterr()
        assert (err, max(map(len, out.splitlines())) <= 80) == ("", True)
        return " ".join(out.split()) if "--json" not in arguments else out

    return say


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        ("1:4", "2:41", ["1:4 happened before 2:41: over 1 message, and no way has fewer:", "The clocks agree, 5 and"]),
        ("2:41", "1:4", ["2:41 happened after 1:4: over 1 message, and no way has fewer:", "The clocks agree, 5 and"]),
        ("2:41", "2:50", ["2:41 happened before 2:50: on one machine, 9 events later."]),
        ("2:41", "events-2.jsonl:42", ["2:41 is one event, and neither before nor after itself."]),
        (
            "2:41",
            "3:80",
            [
                "2:41 and 3:80 are concurrent: neither happened before the other.",
                "- 2:41 knows machine 3 up to 3:75, not 3:80 - 3:80 knows machine 2 up to 2:34, not 2:41",
                "3:80 has the smaller clock, 82 and not 83.",
                "a smaller clock does not mean before.",
            ],
        ),
        (
            "1:1",
            "2:1",
            [
                "- 1:1 knows nothing of machine 2 - 2:1 knows nothing of machine 1",
            ],
        ),
    ],
)
def test_each_relation_is_told_in_words(ask: Callable[..., str], a: str, b: str, says: list[str]) -> None:
    """Issue 4: before, after, concurrent, the same; the way, or what each knows; and what clocks cannot say."""
    shown = ask(a, b)

    for part in says:
        assert part in shown


def test_the_object_has_the_relation_and_the_path(ask: Callable[..., str]) -> None:
    """One object; where neither was before the other there is no path, but what each knows."""
    before = json.loads(ask("1:4", "2:41", "--json"))
    concurrent = json.loads(ask("2:41", "3:80", "--json"))

    assert KEYS == list(before) == list(concurrent)
    assert ("before", None, None) == (before["relation"], before["known_to_a"], before["known_to_b"])
    assert [before["a"]["event"], before["b"]["event"]] == ["1:4", "2:41"]
    assert [before["path"][0]["event"], before["path"][-1]["event"]] == ["1:4", "2:41"]
    assert before["length"] == len(before["path"]) == sum(hop["events"] for hop in before["hops"])
    assert ("concurrent", 0, []) == (concurrent["relation"], concurrent["length"], concurrent["path"])
    assert ("3:75", "2:34") == (concurrent["known_to_a"], concurrent["known_to_b"])


def test_a_clock_that_contradicts_the_order_is_a_proof(ask: Callable[..., str]) -> None:
    """Happened-before never looks at a clock, so that a clock can be wrong and be caught."""
    shown = ask("1:68", "2:41", run="literal")

    assert "1:68 happened before 2:41" in shown
    assert (
        "The clocks do not agree, 79 and then 79: before must mean a smaller clock, and this proves a mistake." in shown
    )


def test_without_the_log_between_them_two_events_cannot_be_called_concurrent(ask: Callable[..., str]) -> None:
    """What is absent may have been the way; what is proved without it stays proved."""
    Path("logs/events-1.jsonl").unlink()

    assert "CANNOT TELL: nothing in the record orders them" in ask("2:41", "3:80")
    assert "2:41 happened before 2:50" in ask("2:41", "2:50")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["logs", "2:41"], 64, "B"),
        (["logs", "2:41", "4:1"], 66, "4:1: nothing is called 4; there are the machines 1, 2, 3; the files"),
        (["logs", "2:4100", "3:1"], 66, "2:4100: no such event in logs; machine 2 has events 2:1 to 2:180"),
        (["absent", "2:41", "3:1"], 66, "absent: no such file"),
    ],
)
def test_a_mistake_is_answered_in_one_line_with_its_own_exit_code(
    ask: Callable[..., str], arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: what, where, what to do; stdout is empty."""
    assert main(["order", *arguments]) == code
    out, err = capsys.readouterr()

    assert (out, len(err.splitlines())) == ("", 1)
    assert says in err


def test_interrupted_it_knows_of_no_relation(
    ask: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 5: one object, also at 130."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(order_command, "one_history", interrupt)

    assert main(["order", "logs", "2:41", "3:80", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["relation"] is None


def test_two_lives_of_a_machine_are_ordered_by_messages_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a machine forgot did not happen before what it did then, unless a message told it again."""
    monkeypatch.setenv("COLUMNS", "200")
    forgets = {"from": "150ms", "to": "300ms", "crash": 2, "amnesia": True}
    logs = run_simulated_at(tmp_path, machines_of(HALF_A_SECOND | {"faults": (forgets,)}))
    last = max(line["index"] for line in logs if line.get("incarnation") == 0 and "index" in line)
    because = "2 and 2.1 are one machine before and after a crash with amnesia"
    for a, b, relation, has_reason in (
        (f"2:{last}", "2.1:1", "are concurrent", True),
        ("2:1", "2.1:7", "happened before", True),
        ("2.1:1", "2.1:2", "happened before", False),
    ):
        assert main(["order", str(tmp_path), a, b]) == 0
        shown = capsys.readouterr().out
        assert relation in shown
        assert (because in shown) == has_reason


def run_simulated_at(directory: Path, machines: dict[int, Model]) -> list[dict[str, Any]]:
    """Simulate a run and return the lines of machine 2."""
    run = Run(directory)
    run_simulated(run, machines, name="test")
    return [json.loads(line) for line in run.events_path(2).read_bytes().split(b"\n")[:-1]]
