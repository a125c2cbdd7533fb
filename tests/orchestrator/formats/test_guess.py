"""`--guess` on logs in formats that nobody described: what it prints reads them as what they say."""

from pathlib import Path

import numpy as np
import pytest

from node.errors import NoLogError
from orchestrator.audit.store import ForeignTrace
from orchestrator.formats import read_logs
from orchestrator.formats.guess import guess
from orchestrator.formats.guess.alike import generalised
from orchestrator.formats.read import readable
from tests.orchestrator.formats import addresses, more, noise, prose, still, structured, students, tables
from tests.orchestrator.formats.broken import MISTAKES
from tests.orchestrator.formats.dialect import DIALECTS, world_of
from tests.orchestrator.formats.world import World, differences

MODULES = (addresses, more, noise, prose, still, structured, students, tables)  # each registers its dialects

NOT_YET: dict[str, str] = {}
"""Dialects that are not guessed right, and why."""


COLUMNS = ("kind", "clock", "stamp", "queue", "sender", "to", "message", "time_ns", "vector")
BROKEN = [
    *(("addresses_of_peers", mistake) for mistake in MISTAKES),
    *(("json_with_notes", mistake) for mistake in ("the stamp itself", "sent by nobody")),
    *(("csv_with_comments_and_totals", mistake) for mistake in ("no merge", "backwards")),
    *(("printed_by_python", mistake) for mistake in ("maximum alone", "backwards")),
    *(("french", mistake) for mistake in ("no merge", "back to 0")),
    *(("terse_letters", mistake) for mistake in ("no merge", "stamped before it counts")),
    *((dialect, "no merge") for dialect in ("clock_first", "greek_names", "actors_of_akka")),
]
"""Of all dialects with all mistakes, a few: each is two guesses."""
BROKEN_NOT_YET = [
    pytest.param(dialect, mistake, marks=pytest.mark.xfail(strict=True, reason=reason))
    for dialect, mistake, reason in (
        ("printed_by_python", "received twice", "recipients are lost"),
        ("nothing_of_peers", "no merge", "nothing is recognised"),
        ("before_and_after", "no merge", "kinds, stamps and senders are lost"),
    )
]
"""Logs of broken programs that are not guessed yet as those of right ones."""


def written(dialect: str, folder: Path, world: World | None = None) -> Path:
    """Write a run in a dialect, and return its folder."""
    its = DIALECTS[dialect]
    for name, text in its.render(world or world_of(tuple(its.world.items()))).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("dialect", sorted(DIALECTS.keys() - NOT_YET.keys()))
def test_what_is_guessed_reads_every_event_as_what_it_was(dialect: str, tmp_path: Path) -> None:
    """Machines, kinds, clocks, stamps, senders, recipients, ids, queues, times, as far as the dialect says them."""
    logs = written(dialect, tmp_path / "logs")
    (tmp_path / "mine.yaml").write_text(guess(readable([logs])).yaml)
    traces = read_logs([logs], str(tmp_path / "mine.yaml"))
    its = DIALECTS[dialect]
    world = world_of(tuple(its.world.items()))

    assert [] == [what for trace in traces for what in differences(world, its.said, trace)]


def test_a_guess_says_what_it_recognised_and_what_not(tmp_path: Path) -> None:
    """As comments above the format, so that a person can see where it is wrong."""
    found = guess(readable([written("prose_info", tmp_path / "logs")])) if "prose_info" in DIALECTS else None
    first = found or guess(readable([written(min(DIALECTS), tmp_path / "logs")]))

    assert first.yaml.startswith("# ")
    assert first.recognised
    for sentence in (*first.recognised, *first.unrecognised):
        assert sentence.split("\n")[0] in first.yaml


@pytest.mark.parametrize("text", ["It was a dark and stormy night.\n" * 20, "\x1b[31mred\x1b[0m\n" * 20, "1\n2\n3\n"])
def test_what_is_no_log_is_refused(text: str, tmp_path: Path) -> None:
    """One clear error, and no format that means nothing."""
    (tmp_path / "x.log").write_text(text)

    with pytest.raises(NoLogError, match=r"x\.log"):
        guess(readable([tmp_path / "x.log"]))


def guessed(logs: Path, name: str) -> str:
    """Guess a format, write it beside the logs' folder, and return its path."""
    path = logs.parent / name
    path.write_text(guess(readable([logs])).yaml)
    return str(path)


def alike(one: list[ForeignTrace], other: list[ForeignTrace]) -> list[str]:
    """Return how two readings of the same logs differ."""
    if [(trace.nodes, len(trace)) for trace in one] != [(trace.nodes, len(trace)) for trace in other]:
        return ["machines or events"]
    return [
        column
        for first, second in zip(one, other, strict=True)
        for column in COLUMNS
        if not np.array_equal(getattr(first, column), getattr(second, column))
    ]


@pytest.mark.parametrize(("dialect", "mistake"), [*BROKEN, *BROKEN_NOT_YET])
def test_the_log_of_a_broken_program_is_guessed_as_that_of_a_right_one(
    dialect: str, mistake: str, tmp_path: Path
) -> None:
    """What is guessed from either reads the broken one in the same way: words weigh more than laws."""
    right = written(dialect, tmp_path / "right")
    broken = written(dialect, tmp_path / "broken", MISTAKES[mistake](world_of(tuple(DIALECTS[dialect].world.items()))))
    formats = guessed(right, "right.yaml"), guessed(broken, "broken.yaml")

    assert [] == alike(*(read_logs([broken], each) for each in formats))


@pytest.mark.parametrize("dialect", ["printed_by_python", "chat", "actors_of_akka"])
def test_what_is_guessed_from_a_run_reads_another_run(dialect: str, tmp_path: Path) -> None:
    """The format names nothing that varies from run to run, and no line is left."""
    options = DIALECTS[dialect].world
    first = written(dialect, tmp_path / "first")
    second = written(dialect, tmp_path / "second", world_of(tuple({**options, "seed": 1262}.items())))
    traces = read_logs([second], guessed(first, "first.yaml"))

    assert [] == alike(traces, read_logs([second], guessed(second, "second.yaml")))
    assert not [remark for trace in traces for remark in trace.remarks if "match nothing" in remark]


def test_a_word_that_varies_is_no_part_of_a_kind() -> None:
    """Three words at one place are values; two may be two things that are said."""
    assert {"internal": r"^task \w+ done", "send": ["^a", "^b"]} == generalised(
        {"internal": ["^task red done", "^task blue done", "^task green done"], "send": ["^a", "^b"]}
    )


def test_an_id_is_one_though_a_message_came_twice(tmp_path: Path) -> None:
    """Words call it so, and the mistake is what an audit is to find."""
    document = (Path(__file__).parents[3] / "docs/audit.md").read_text()
    start = document.index("2026-03-02 09:14:07.102 web ")
    (tmp_path / "shop.log").write_text(document[start : document.index("```", start)])

    assert 2 == guess(readable([tmp_path])).yaml.count("id=(?<message>")


def test_an_example_is_verbatim_and_each_form_has_one(tmp_path: Path) -> None:
    """Runs of spaces are shown as they are."""
    logs = written("chat", tmp_path / "logs")
    for path in logs.iterdir():
        path.write_text(path.read_text().replace(": thinks", ":   thinks"))
    found = guess(readable([logs]))

    assert any(":   thinks" in sentence for sentence in found.recognised)
    assert 2 == sum("says hello" in sentence for sentence in found.recognised)
