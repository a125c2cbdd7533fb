"""What is said beside "consistent": the kind of log, and the figures of the file that we ship."""

from dataclasses import replace

import pytest

from node.model import ClockName
from orchestrator.audit import check
from orchestrator.audit.revealed import MISTAKES, SETTING, Kind, figures, kind_of, revealed, share
from orchestrator.labs.simulated import simulate
from orchestrator.trace.verdict import Evidence
from tests.clusters import cluster
from tests.foreign import foreign

EVENTS = tuple(simulate(cluster(seconds=20)))
WIDTH = 78
"""What a bullet has on a line."""


def figure(mistake: str, kind: Kind) -> str:
    held = figures()
    (line,) = [line for line in held["found"] if (line["internal"], line["mistake"]) == (SETTING, mistake)]
    return f"{share(line['violated'][held['kinds'].index(list(kind))], held['runs'])} %"


@pytest.mark.parametrize("grade", ["by-order", "by-stamp", "by-counting"])
@pytest.mark.parametrize("names_recipients", [True, False])
@pytest.mark.parametrize("has_times", [True, False])
def test_the_kind_of_a_log_is_seen_and_its_figures_are_told(
    grade: Evidence, names_recipients: bool, has_times: bool
) -> None:
    """Each kind has its own column; what is said of it is what the file holds, in two short sentences."""
    trace = foreign(EVENTS, grade=grade, names_recipients=names_recipients, has_times=has_times, has_index=False)
    kind = Kind(grade, names_recipients, is_whole=has_times)
    said = list(revealed(trace, grade))

    assert kind_of(trace, grade) == kind
    assert all(figure(mistake, kind) in said[0] for mistake in MISTAKES)
    assert all(words in said[0] for words in MISTAKES.values())
    assert len(said) == 2
    assert max(map(len, said)) <= 3 * WIDTH


@pytest.mark.parametrize("changed", [{"is_complete": True}, {"has_index": True}])
def test_an_index_and_a_promise_show_that_no_line_is_missing(changed: dict[str, bool]) -> None:
    """Times are not the only way."""
    silent = {"grade": "by-counting", "has_times": False, "has_index": False}

    assert not kind_of(foreign(EVENTS, **silent), "by-counting").is_whole  # type: ignore[arg-type]
    assert kind_of(foreign(EVENTS, **silent | changed), "by-counting").is_whole  # type: ignore[arg-type]


@pytest.mark.parametrize(("clock", "grade"), [("lamport", "by-id"), ("lamport-literal", "by-order")])
def test_only_beside_consistent_is_anything_said(clock: ClockName, grade: Evidence) -> None:
    """A proof needs no comfort, whichever way it goes."""
    consistent = foreign(EVENTS, grade="by-counting")
    report, proof = check(consistent), check(foreign(simulate(cluster(seconds=20, clock=clock)), grade=grade))

    assert report.verdict == "consistent"
    assert set(revealed(consistent, "by-counting")) <= set(report.remarks)
    assert proof.verdict in ("valid", "violated")
    assert not any("a log of this kind" in remark for remark in proof.remarks)


def test_without_a_clock_there_was_nothing_to_reveal() -> None:
    """Nor where nothing is known to be a receive."""
    consistent = foreign(EVENTS, grade="by-counting")

    assert list(revealed(replace(consistent, clock_kind="none"), "by-counting")) == []
    assert list(revealed(consistent, None)) == []


def test_a_share_is_all_or_nothing_only_if_it_is() -> None:
    """499 of 500 is not always, and 1 of 500 is not never."""
    assert [share(count, 500) for count in (0, 1, 250, 499, 500)] == ["0", "0.2", "50", "99.8", "100"]


def test_the_figures_have_a_name_a_command_and_a_column_for_each_kind() -> None:
    """The file says how it was made, and nothing that is told is missing in it."""
    held = figures()

    assert held["made_by"].startswith("python3 lab.py bench evidence")
    assert all(len(line["violated"]) == len(held["kinds"]) for line in held["found"])
