"""`--guess` on logs in formats that nobody described: what it prints reads them as what they say."""

from pathlib import Path

import pytest

from node.errors import NoLogError
from orchestrator.formats import read_logs
from orchestrator.formats.guess import guess
from orchestrator.formats.read import readable
from tests.orchestrator.formats import addresses, more, noise, prose, still, structured, students, tables
from tests.orchestrator.formats.dialect import DIALECTS, world_of
from tests.orchestrator.formats.world import differences

MODULES = (addresses, more, noise, prose, still, structured, students, tables)  # each registers its dialects

NOT_YET: dict[str, str] = {}
"""Dialects that are not guessed right, and why."""


def written(dialect: str, folder: Path) -> Path:
    """Write a run in a dialect, and return its folder."""
    its = DIALECTS[dialect]
    for name, text in its.render(world_of(tuple(its.world.items()))).items():
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
