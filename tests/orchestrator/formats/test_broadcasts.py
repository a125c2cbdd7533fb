"""Broadcasts that are logged as a line for each recipient are one event, where the format says so."""

from pathlib import Path

import pytest

from orchestrator.audit.check import check
from orchestrator.audit.store import MANY
from tests.orchestrator.formats.reading import trace_of

LAYOUT = (
    "record: '^(?<node>\\w) (?<clock>\\d+) (?<event>.*)$'\n"
    "kinds: {receive: 'got(?: (?<message>#\\w+))? from (?<from>\\w)', "
    "send: 'sent(?: (?<message>#\\w+))? to (?<to>\\w)', internal: .}\n"
)
ONE = "a 1 sent{} to b\na 1 sent{} to c\na 2 work\nb 2 got{} from a\nc 2 got{} from a\n"
WITHOUT, ONE_ID, EACH_ID = ONE.format("", "", "", ""), ONE.format(*[" #7"] * 4), ONE.format(" #7", " #8", " #7", " #8")


@pytest.mark.parametrize(
    ("log", "edges"), [(WITHOUT, 0), (ONE_ID, 2), (EACH_ID, 2)], ids=["no ids", "one id", "an id each"]
)
def test_the_lines_of_a_broadcast_are_one_event(log: str, edges: int, tmp_path: Path) -> None:
    """To both, and each receive that names its message is of it."""
    trace = trace_of(tmp_path, log, LAYOUT + "broadcast: lines\n")

    report = check(trace)

    assert (4, 1, 2) == (report.events, report.sends, report.receives)
    assert MANY == trace.to[0]
    assert {0: (1, 2)} == dict(trace.recipients)
    assert 0 == sum(one.violations or 0 for one in report.checks)
    assert edges == report.edges


def test_without_being_told_two_lines_are_two_events(tmp_path: Path) -> None:
    """Then the clock stood still, and the violation says what else it may be."""
    report = check(trace_of(tmp_path, WITHOUT, LAYOUT))

    rises = next(one for one in report.checks if one.name == "clock-rises")
    assert "violated" == rises.verdict
    assert "Are these two lines of one broadcast? broadcast: lines in a format says so." in rises.examples[0]


@pytest.mark.parametrize(
    ("log", "sends"),
    [
        ("a 1 sent to b\na 1 sent to b\n", 2),
        ("a 1 sent to b\na 2 sent to c\n", 2),
        ("a 1 sent to b\na 1 work\na 1 sent to c\n", 2),
        ("a 1 sent to b\nb 1 sent to a\na 1 sent to c\n", 2),
        ("a 1 sent to b\na 1 sent to c\na 1 sent to b\n", 2),
    ],
    ids=["the same again", "another clock", "something between", "another machine between", "and the first again"],
)
def test_what_is_no_broadcast_stays_as_it_is(log: str, sends: int, tmp_path: Path) -> None:
    """Two sends to one machine, or of two clocks, are two events; what others log between them is nothing between."""
    report = check(trace_of(tmp_path, log, LAYOUT + "broadcast: lines\n"))

    assert sends == report.sends
