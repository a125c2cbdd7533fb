"""The measures in machine code equal the plain formulas bit for bit, and what is not sound is left to those."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from node.model import DURATION_NS_MAX, Model
from node.window import Pause
from orchestrator.labs.kernel.batch import one_run
from orchestrator.trace.compiled import figures
from orchestrator.trace.compiled.totals import MACHINE_TOTALS, PAIRS_HIGH, RUN_TOTALS, WAITED_HIGH
from orchestrator.trace.measured import OF_MACHINE, OF_RUN, empty
from orchestrator.trace.store import Trace
from tests.clusters import cluster
from tests.fault_mixes import EACH, half_a_second, machines_of
from tests.golden_runs import ALL
from tests.golden_runs import machines as golden_machines
from tests.measuring import MODULE, compiled, plainly, reference


def of_record(machines: Mapping[int, Model]) -> dict[str, Any]:
    """Return the measures of a compiled run, from its narrow columns."""
    totals = one_run(machines)
    assert totals is not None
    (length_ns,) = {model.duration_ns for model in machines.values()}
    measured = empty(sorted(machines), np.zeros(1, np.int64))
    windows_ns = np.array([(0, length_ns)] * len(machines))
    figures.fill(measured, slice(0, 1), *totals, windows_ns=windows_ns, length_ns=length_ns)
    return measured.run(1)


def assert_equal(machines: Mapping[int, Model]) -> None:
    """Assert that the columns of a trace and those of a compiled run give what the formulas do, in their order."""
    trace = reference(machines)
    expected = plainly(trace)

    assert list(expected) == [*OF_RUN, "machines"]
    assert all(list(one) == list(OF_MACHINE) for one in expected["machines"].values())
    for found in (compiled(trace), of_record(machines)):
        assert expected == found
        assert repr(expected) == repr(found)  # 1 is not 1.0


@pytest.mark.parametrize("name", ALL)
def test_a_golden_run_is_measured_to_the_bit(name: str) -> None:
    assert_equal(golden_machines(name))


@pytest.mark.parametrize("name", EACH)
def test_each_fault_is_measured_to_the_bit(name: str) -> None:
    assert_equal(half_a_second(name))


@pytest.mark.parametrize("nodes", [2, 3, 4, 30])
def test_few_machines_and_many_are_measured_to_the_bit(nodes: int) -> None:
    """Up to three are compared with each other, more are counted by their clocks."""
    assert_equal(cluster(nodes, seconds=20, internal_probability=0.3))
    assert_equal({node: replace(model, phase_ns=0) for node, model in cluster(nodes, rates=(2, 4)).items()})


@pytest.mark.parametrize("nodes", [3, 5])
def test_sums_beyond_64_bits_are_exact(nodes: int) -> None:
    """Whoever is sent to rests for 104 days, with hundreds of messages in its queue, and so do its senders."""
    topology = dict.fromkeys(range(2, nodes + 1), (1,))
    rest = (Pause(from_ns=300 * 10**9, to_ns=DURATION_NS_MAX - 10**9),)
    machines = {
        node: replace(model, rate_hz=1 if node == 1 else 3, duration_ns=DURATION_NS_MAX, pauses=rest)
        for node, model in cluster(nodes, rates=(3, 3), internal_probability=0.0, topology=topology).items()
    }
    totals = one_run(machines)

    assert totals is not None
    assert totals[0][0, 0, WAITED_HIGH] > 0
    assert totals[1][0, PAIRS_HIGH] > 0
    assert of_record(machines) == plainly(reference(machines))


def test_a_long_trace_is_measured_in_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = reference(cluster(3))
    monkeypatch.setattr(MODULE, "_by_formulas", lambda *_: pytest.fail("by the formulas"))

    with pytest.raises(pytest.fail.Exception):
        MODULE.measure(trace)
    monkeypatch.setattr(MODULE, "EVENTS_MIN", 0)
    monkeypatch.setattr(MODULE, "EVENTS_MIN_COLD", 0)
    assert MODULE.measure(trace)["queue_max"] is not None
    monkeypatch.setattr(MODULE, "find_spec", lambda name: None)
    with pytest.raises(pytest.fail.Exception):
        MODULE.measure(trace)


def test_who_measures_depends_on_what_must_be_done_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba may be in use, or be imported for this, or have to compile."""

    def is_worth() -> list[bool]:
        return [MODULE._is_worth_compiling(events, 3) for events in (49_999, 50_000, 150_000, 700_000)]

    monkeypatch.setattr(MODULE, "holds", "measure.is_sound".__eq__)
    assert is_worth() == [False, True, True, True]
    monkeypatch.delitem(sys.modules, "numba")
    assert is_worth() == [False, False, True, True]
    monkeypatch.setattr(MODULE, "holds", lambda _: False)
    assert is_worth() == [False, False, False, True]
    assert MODULE._is_worth_compiling(20_000, 10_000)
    monkeypatch.setattr(MODULE, "find_spec", lambda name: None)
    assert not MODULE._is_worth_compiling(20_000, 10_000)


def test_a_run_that_was_cut_is_measured_until_its_last_event() -> None:
    """Whatever machines have not come to their end."""
    for machines in (cluster(4, delay_ms=300, internal_probability=0.2), half_a_second("amnesia")):
        trace = reference(machines)
        open_ended = {node: replace(one, is_in_memory=False, stop=None) for node, one in trace.machines.items()}
        cut = replace(trace, machines=open_ended)

        assert compiled(cut) == plainly(cut) != plainly(trace)


def test_machines_of_different_epochs_have_their_own_windows() -> None:
    machines = {node: replace(one, duration_ns=node * 10**9) for node, one in cluster(3, seconds=3).items()}
    trace = reference(machines)
    late = {node: replace(one, shift_ns=(3 - node) * 400_000_000) for node, one in trace.machines.items()}
    shifted = replace(trace, machines=late)

    assert compiled(shifted) == plainly(shifted)
    assert compiled(trace) == plainly(trace)


DAMAGED = reference(machines_of({"duration": "4s", "internal_probability": 0.3, "network": {"duplicate": 0.2}}))
COLUMNS = [name for name, value in vars(DAMAGED).items() if isinstance(value, np.ndarray)]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(COLUMNS),
    st.integers(0, len(DAMAGED) - 1),
    st.one_of(st.integers(-3, 12), st.sampled_from([-(2**63), 2**31, 2**33, 10**9, 2**62])),
)
@example("clock", 5, 2**33)
@example("incarnation", 2, -1)
@example("kind", 3, 4)
@example("kind", 3, 9)
@example("message", 7, 10**9)
def test_whatever_is_changed_in_a_trace_it_is_measured_the_same(name: str, row: int, value: int) -> None:
    """Either the pass can do it, or it leaves it to the formulas."""
    column = getattr(DAMAGED, name).copy()
    column[row] = value
    damaged = replace(DAMAGED, **{name: column})

    assert _outcome(compiled, damaged) == _outcome(plainly, damaged)


def _outcome(measure: Any, trace: Trace) -> Any:
    """Return the measures, or the error: no log gives a trace that names a machine which is not there."""
    with np.errstate(all="ignore"):
        try:
            return repr(measure(trace))
        except (IndexError, KeyError, ValueError, OverflowError, MemoryError) as error:
            return type(error)


@pytest.mark.parametrize("machines", [1, 2, 3, 5])
@pytest.mark.parametrize("length_ns", [0, 1_000_000_000])
def test_every_figure_is_filled_in(machines: int, length_ns: int) -> None:
    """Also of a run that took no time: nothing is left of what was in the memory before."""
    measured = empty(range(1, machines + 1), np.zeros(1, np.int64))
    columns = [measured.events, *measured.of_run.values(), *measured.of_machines.values()]
    for column in columns:
        column[:] = 7
    totals, of_run = np.zeros((1, machines, MACHINE_TOTALS), np.int64), np.zeros((1, RUN_TOTALS), np.int64)
    windows_ns = np.array([(0, length_ns)] * machines)
    figures.fill(measured, slice(0, 1), totals, of_run, windows_ns=windows_ns, length_ns=length_ns)

    assert not any((column == 7).any() for column in columns)
