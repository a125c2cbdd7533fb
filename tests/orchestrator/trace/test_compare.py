"""Agreement: events matched by place, and the earliest that differ."""

from dataclasses import replace
from importlib import import_module
from typing import Final

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from node.event import Delivery, Event
from orchestrator.trace import compare, trace_of
from orchestrator.trace.alike import Alike
from orchestrator.trace.compare import differences, together
from orchestrator.trace.store import KINDS
from orchestrator.twin import simulated
from tests.clusters import cluster
from tests.fault_mixes import machines_of
from tests.logs_on_disk import simulated_run

module: Final = import_module("orchestrator.trace.compare")  # the package has a function of that name
MACHINES = cluster(3, seconds=5, internal_probability=0.3)
EVENTS, _ = simulated_run(MACHINES)
TRACE = trace_of(MACHINES, EVENTS)


def changed(number: int, **fields: object) -> list[Event]:
    return [*EVENTS[:number], replace(EVENTS[number], **fields), *EVENTS[number + 1 :]]  # type: ignore[arg-type]


def test_a_run_agrees_with_itself() -> None:
    """Fidelity is exactly 1.0, with nothing rounded."""
    found = compare(TRACE, trace_of(MACHINES, EVENTS))

    assert found.as_json() == {
        "places": len(EVENTS),
        "equal": len(EVENTS),
        "fidelity": 1.0,
        "same_action": 1.0,
        "first_divergence": None,
    }


def test_another_clock_is_the_same_action() -> None:
    """What was done is one thing, what the clocks said another."""
    found = compare(TRACE, trace_of(MACHINES, changed(4, clock=99)))

    assert found.equal == found.same_actions - 1 == len(EVENTS) - 1
    assert found.first_divergence is not None
    assert found.first_divergence["differs"] == ["clock"]
    assert found.first_divergence["b"]["clock"] == 99


def test_an_arrival_or_a_loss_is_a_difference_of_the_recipients() -> None:
    """Equal are the recipients with arrival or lost, not the send alone."""
    number, send = next((number, event) for number, event in enumerate(EVENTS) if event.to)
    lost = tuple(Delivery(one.recipient, None, None) for one in send.to)

    found = compare(TRACE, trace_of(MACHINES, changed(number, to=lost)))

    assert found.first_divergence is not None
    assert found.first_divergence["differs"] == ["to"]


def test_events_match_by_place_not_by_position() -> None:
    """One event more or less does not shift those after it."""
    found = compare(TRACE, trace_of(MACHINES, EVENTS[:7] + EVENTS[8:]))

    assert (found.places, found.equal) == (len(EVENTS), len(EVENTS) - 1)
    assert found.first_divergence is not None
    assert found.first_divergence["b"] is None
    assert found.first_divergence["differs"] == ["missing"]
    assert found.first_divergence["a"]["event"] == str(EVENTS[7].name)


def test_a_second_event_at_a_tick_is_a_place_of_its_own() -> None:
    """A doubled event is a difference, not a match."""
    found = compare(trace_of(MACHINES, [*EVENTS, EVENTS[-1]]), TRACE)

    assert found.places == found.equal + 1 == len(EVENTS) + 1


def test_the_first_divergence_is_the_earliest_due() -> None:
    """Where two runs part is asked in time, not by machine."""
    events = [
        replace(event, clock=event.clock + 1) if number in (9, 20) else event for number, event in enumerate(EVENTS)
    ]

    found = compare(TRACE, trace_of(MACHINES, events))

    assert found.first_divergence is not None
    assert found.first_divergence["a"]["event"] == str(EVENTS[9].name)


def test_two_runs_without_events_agree() -> None:
    """Nothing differs where there is nothing."""
    assert compare(trace_of({}, []), trace_of({}, [])).fidelity == 1.0


def test_several_pairs_are_one_agreement() -> None:
    """Runs pair by number: places add up."""
    pair = compare(TRACE, trace_of(MACHINES, changed(4, clock=99)))

    found = together([compare(TRACE, TRACE), pair])

    assert found.places == 2 * len(EVENTS)
    assert found.equal == 2 * len(EVENTS) - 1
    assert found.first_divergence == pair.first_divergence


def test_equal_events_are_not_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two runs of millions of events that differ in one, that one is looked at."""
    looked_at = []
    look = module._content
    monkeypatch.setattr(module, "_content", lambda trace, row: looked_at.append(row) or look(trace, row))

    compare(TRACE, trace_of(MACHINES, changed(4, clock=99)))

    assert looked_at == [4, 4]


DAMAGED = simulated(machines_of({"duration": "3s", "internal_probability": 0.3, "network": {"duplicate": 0.2}}))
OF_EVENTS = [name for name, value in vars(DAMAGED).items() if isinstance(value, np.ndarray)]
OF_MESSAGES = ("recipient", "number", "arrival_ns", "copy")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([*OF_EVENTS, *OF_MESSAGES]), st.integers(0, len(DAMAGED) - 1), st.sampled_from([-1, 0, 1, 2, 7]))
def test_what_differs_is_what_a_look_at_every_event_finds(name: str, row: int, value: int) -> None:
    """Whatever is changed, and if it makes two events of one place."""
    assume(name != "node" or value in DAMAGED.machines)
    assume(name != "kind" or 0 <= value < len(KINDS))
    table = DAMAGED if name in OF_EVENTS else DAMAGED.messages
    column = getattr(table, name).copy()
    column[row % len(column)] = value
    change = {name: column} if name in OF_EVENTS else {"messages": replace(DAMAGED.messages, **{name: column})}
    other = replace(DAMAGED, **change)

    found = [differences(DAMAGED, other), differences(other, DAMAGED)]
    agreement = compare(DAMAGED, other)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "alike", lambda a, b: Alike(np.empty(0, np.int64), np.empty(0, np.int64)))
        assert [differences(DAMAGED, other), differences(other, DAMAGED)] == found
        assert compare(DAMAGED, other) == agreement
