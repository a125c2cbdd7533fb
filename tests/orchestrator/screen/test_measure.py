"""What `measure` shows of others' logs: all that they say, nothing that they do not, and no more than fits."""

import io
from dataclasses import replace

import numpy as np
import pytest

from orchestrator.audit.measure import measure
from orchestrator.audit.store import ForeignTrace
from orchestrator.screen.measure import LINKS_MAX, MACHINES_MAX, show_measures
from orchestrator.screen.parts import Screen
from orchestrator.trace.order import Edges
from tests.clusters import cluster
from tests.foreign_runs import NOTHING, foreign_run, less
from tests.foreign_traces import foreign_trace


@pytest.fixture(autouse=True, params=[80, 120])
def columns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Work on a narrow screen and on a wide one."""
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def shown(trace: ForeignTrace, edges: Edges) -> list[str]:
    stream = io.StringIO()
    show_measures(Screen(stream), [{"name": trace.name, "measures": measure(trace, edges)}])
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_machines_have_their_names_and_links_their_numbers() -> None:
    """One table of measures, one of links."""
    lines = shown(*foreign_run(cluster(3, seconds=20)))

    (machines,) = [line for line in lines if line.lstrip().startswith("all ")]
    assert machines.split() == ["all", "a", "b", "c"]
    links = lines[lines.index("from  to  sent  received  left over") + 2 :]
    assert [line.split()[:2] for line in links[:6]] == [
        [a, b] for a in "abc" for b in "abc" if a != b and [a, b] in [line.split()[:2] for line in links]
    ]


def test_names_that_are_numbers_are_told_from_numbers() -> None:
    """A column called 0 could be anything."""
    trace, edges = foreign_run(cluster(3, seconds=20))

    lines = shown(replace(trace, nodes=("0", "1", "2")), edges)

    assert any(line.split() == ["all", "machine", "0", "machine", "1", "machine", "2"] for line in lines)


def test_what_a_log_does_not_say_has_no_row() -> None:
    """A column of dashes tells nobody anything; why a number of links is missing stands below."""
    trace, _ = foreign_run(cluster(3, seconds=20))

    whole = shown(trace, NOTHING)
    lines = shown(less(replace(trace, to=np.minimum(trace.to, -1)), "time_ns", "sender", "message"), NOTHING)

    assert [line for line in whole if line.startswith("drift, mean")] != []
    assert [line for line in lines if line.startswith(("drift, mean", "queue, mean", "  send to the next"))] == []
    assert [line for line in lines if line.startswith("from ")] == []
    assert len([line for line in lines if "not name the recipient" in line or "not name the sender" in line]) == 2


def test_of_vectors_only_links_are_shown() -> None:
    """There is no clock to measure; what is counted instead is said."""
    trace = foreign_trace([0, 1, 1], vectors=[(1, 0), (1, 1), (1, 2)])

    lines = shown(trace, Edges(np.array([0]), np.array([1])))

    assert lines[:4] == ["test", "from  to  received", lines[2], "a     b          1"]
    assert [line for line in lines if line.startswith("received: the events that heard something new")]


def test_however_many_machines_with_whatever_names_fit(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long name is folded, not cut where it differs; of many links the busiest are shown."""
    names = [f"client-number-{place}-of-the-\x1b[31mtest-bench" for place in range(30)]
    monkeypatch.setattr("tests.foreign_traces.NAMES", names)

    lines = shown(*foreign_run(cluster(30, seconds=5)))

    assert max(map(len, lines)) <= columns
    assert not [line for line in lines if "\x1b" in line]
    assert any(line.startswith("and ") and "more machines" in line for line in lines)
    (header,) = (place for place, line in enumerate(lines) if line.startswith("from "))
    assert len([line for line in lines[header + 2 : lines.index("", header)] if line[-1].isdigit()]) == LINKS_MAX
    assert [line for line in lines if line.startswith("and ") and line.endswith("more")]


def test_of_ten_thousand_machines_some_are_shown() -> None:
    """Nobody reads a table for each six of them; how many more there are is said."""
    machines = {str(node): {} for node in range(1, MACHINES_MAX + 3)}
    stream = io.StringIO()

    show_measures(Screen(stream), [{"name": "run-1", "measures": {"machines": machines, "faults": [], "links": []}}])

    assert f" m. {MACHINES_MAX}\n" in stream.getvalue()
    assert f"m. {MACHINES_MAX + 1}" not in stream.getvalue()
    assert "and 2 more machines; --json has all of them\n" in stream.getvalue()
