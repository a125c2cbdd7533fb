"""Each mistake of the exercise, planted where it would be made, is named by the first check that is violated."""

import pytest

from orchestrator.trace import check, trace_of
from tests.clusters import cluster
from tests.logs_on_disk import simulated_run
from tests.mistakes import MISTAKES, maximum_without_the_increment

MACHINES = cluster(3, seconds=20, internal_probability=0.3, delay_ms=200)


@pytest.mark.parametrize("name", MISTAKES)
def test_the_first_violated_check_names_the_mistake(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A student is told the mistake itself, not what follows from it."""
    twin = trace_of(MACHINES, *simulated_run(MACHINES))
    assert check(twin, twin).verdict == "valid"
    MISTAKES[name].plant(monkeypatch)

    report = check(trace_of(MACHINES, *simulated_run(MACHINES)), twin)

    assert report.first_violated is not None
    assert MISTAKES[name].named_by == report.first_violated.name


def test_a_student_reads_which_send_which_receive_and_which_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first example of a broken clock condition names both events, both clocks and the rule."""
    maximum_without_the_increment(monkeypatch)

    report = check(trace_of(MACHINES, *simulated_run(MACHINES)))
    first = report.checks[0].examples[0]

    assert report.checks[0].violations is not None
    assert report.checks[0].violations > 3 == len(report.checks[0].examples)
    for part in ("sent at 3:2 with clock 2", "received it at 2:2 with clock 2", "at least 3 (Lamport's IR2)"):
        assert part in first
