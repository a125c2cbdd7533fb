"""Windows of model time, and which of a machine's ticks they leave."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from node.model import SECOND_NS, Model
from node.window import Crash, Cut, Pause, SlowDown

law = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TIMES = st.integers(0, 6 * SECOND_NS)
ENDS = st.tuples(TIMES, TIMES).filter(lambda ends: ends[0] != ends[1]).map(lambda ends: (min(ends), max(ends)))
RESTS = st.one_of(
    ENDS.map(lambda ends: Pause(from_ns=ends[0], to_ns=ends[1])),
    ENDS.map(lambda ends: Crash(from_ns=ends[0], to_ns=ends[1], amnesia=True)),
    st.tuples(ENDS, st.integers(1, 7)).map(
        lambda drawn: SlowDown(from_ns=drawn[0][0], to_ns=drawn[0][1], factor=drawn[1])
    ),
)


def model(*rests: Pause | SlowDown | Crash, **changes: Any) -> Model:
    """Return a machine that ticks ten times a second for three seconds, but for these windows."""
    fields: dict[str, Any] = {
        "node": 1, "seed": 262, "rate_hz": 10, "phase_ns": 0, "internal_probability": 0.7,
        "duration_ns": 3 * SECOND_NS, "peers": (2,), "senders": (2,),
    }  # fmt: skip
    kinds = {"pauses": Pause, "slow_downs": SlowDown, "crashes": Crash}
    windows = {name: tuple(rest for rest in rests if isinstance(rest, kind)) for name, kind in kinds.items()}
    return Model(**fields | windows | changes)


def ticks_of(machine: Model) -> list[int]:
    """Return the ticks of a machine, one after the other."""
    ticks: list[int] = []
    while (tick := machine.next_tick(ticks[-1] if ticks else -1)) is not None:
        ticks.append(tick)
    return ticks


def test_a_pause_takes_the_ticks_due_from_its_start_until_before_its_end() -> None:
    """from <= due < to: both ends are looked at."""
    machine = model(Pause(from_ns=SECOND_NS, to_ns=2 * SECOND_NS))

    assert ticks_of(machine) == [*range(10), *range(20, 30)]


def test_a_slow_down_leaves_the_multiples_of_its_factor() -> None:
    """k counts from the run's start, not from the window's."""
    machine = model(SlowDown(from_ns=SECOND_NS, to_ns=2 * SECOND_NS, factor=4))

    assert ticks_of(machine) == [*range(10), 12, 16, *range(20, 30)]


def test_several_slow_downs_must_all_allow_a_tick() -> None:
    """Twice and three times as slow is six times as slow."""
    whole = {"from_ns": 0, "to_ns": 3 * SECOND_NS}
    machine = model(SlowDown(**whole, factor=2), SlowDown(**whole, factor=3))

    assert ticks_of(machine) == [0, 6, 12, 18, 24]


def test_a_machine_that_is_down_for_the_whole_run_has_no_tick() -> None:
    """Nor has it one after the run."""
    machine = model(Crash(from_ns=0, to_ns=3 * SECOND_NS))

    assert (ticks_of(machine), machine.tick_count, machine.exists(30)) == ([], 0, False)


def test_a_million_ticks_of_a_pause_are_not_looked_at_one_by_one() -> None:
    """The next tick is found at once, also from the middle."""
    machine = model(
        Pause(from_ns=SECOND_NS, to_ns=100_000 * SECOND_NS), rate_hz=1_000_000, duration_ns=200_000 * SECOND_NS
    )

    assert machine.next_tick(1_000_005) == 100_000 * 1_000_000


@law
@given(st.lists(RESTS, max_size=4), st.integers(1, 13), st.integers(0, SECOND_NS - 1), st.integers(1, 5 * SECOND_NS))
@example([SlowDown(from_ns=0, to_ns=SECOND_NS, factor=7)], 3, 0, 2 * SECOND_NS)
def test_exactly_the_ticks_exist_that_every_window_allows(
    rests: list[Pause | SlowDown | Crash], rate_hz: int, phase_ns: int, duration_ns: int
) -> None:
    """next_tick, exists and tick_count agree with looking at every tick, however the windows overlap."""
    machine = model(*rests, rate_hz=rate_hz, phase_ns=phase_ns, duration_ns=duration_ns)

    def is_allowed(tick: int) -> bool:
        due_ns = phase_ns + tick * SECOND_NS // rate_hz
        return due_ns < duration_ns and not any(
            rest.from_ns <= due_ns < rest.to_ns and not (isinstance(rest, SlowDown) and tick % rest.factor == 0)
            for rest in rests
        )

    expected = [tick for tick in range(100) if is_allowed(tick)]

    assert ticks_of(machine) == expected
    assert [tick for tick in range(100) if machine.exists(tick)] == expected
    assert machine.tick_count == len(expected)


def test_a_crash_with_amnesia_begins_an_incarnation_at_its_end_and_one_without_does_not() -> None:
    """A new incarnation from due >= to."""
    machine = model(
        Crash(from_ns=5, to_ns=10, amnesia=True), Crash(from_ns=15, to_ns=20), Crash(from_ns=25, to_ns=30, amnesia=True)
    )

    assert [machine.incarnation(due_ns) for due_ns in (0, 5, 9, 10, 20, 29, 30)] == [0, 0, 0, 1, 1, 1, 2]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Pause, {"from_ns": 5, "to_ns": 5}),
        (Pause, {"from_ns": 5, "to_ns": 4}),
        (Pause, {"from_ns": -1, "to_ns": 4}),
        (Pause, {"from_ns": 0}),
        (Pause, {"from_ns": 0, "to_ns": 2**53}),
        (Pause, {"from_ns": 0, "to_ns": "4"}),
        (SlowDown, {"from_ns": 0, "to_ns": 4, "factor": 0}),
        (SlowDown, {"from_ns": 0, "to_ns": 4}),
        (Crash, {"from_ns": 0, "to_ns": 4, "amnesia": 1}),
        (Cut, {"from_ns": 0, "to_ns": 4, "peers": [2], "messages": "drop"}),
        (Cut, {"from_ns": 0, "to_ns": 4, "peers": [0], "messages": "lose"}),
        (Cut, {"from_ns": 0, "to_ns": 4, "peers": [2], "messages": "lose", "colour": "red"}),
    ],
    ids=str,
)
def test_what_is_no_window_is_refused_where_it_enters(kind: Any, fields: dict[str, Any]) -> None:
    """Strictly, as a model file is read; the window that it was made from is one."""
    right = {
        Pause: {},
        SlowDown: {"factor": 2},
        Crash: {"amnesia": True},
        Cut: {"peers": [2], "messages": "lose"},
    }[kind]
    adapter = TypeAdapter(kind)

    assert adapter.validate_json(orjson.dumps({"from_ns": 0, "to_ns": 4} | right)).to_ns == 4
    with pytest.raises(ValidationError):
        adapter.validate_json(orjson.dumps(fields))
