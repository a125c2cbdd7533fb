"""The configuration of one machine: when it ticks, and what is no configuration."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from node.model import (
    DURATION_NS_MAX,
    MODEL_JSON,
    RATE_HZ_MAX,
    SECOND_NS,
    SEED_MAX,
    Model,
    Network,
    draw_phase_ns,
    draw_rate_hz,
    everyone_else,
)
from node.network import Exponential, Inbound, Link, Uniform
from node.window import Crash, Cut, Pause, SlowDown

law = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SEEDS = st.integers(0, SEED_MAX)
NODES = st.integers(1, 2**31 - 1)
RATES = st.integers(1, RATE_HZ_MAX)

MODEL = Model(
    node=1,
    seed=262,
    rate_hz=6,
    phase_ns=1_000,
    internal_probability=0.7,
    duration_ns=60 * SECOND_NS,
    peers=(2, 3),
    senders=(2, 3),
)


@law
@given(RATES, st.integers(0, SECOND_NS - 1), st.integers(0, 10**9))
def test_a_tick_is_due_at_its_phase_plus_its_share_of_seconds(rate_hz: int, phase_ns: int, tick: int) -> None:
    """Model section 2: phase + (k * 10^9) // r, in whole nanoseconds."""
    model = replace(MODEL, rate_hz=rate_hz, phase_ns=phase_ns)

    assert model.due_ns(tick) == phase_ns + (tick * 10**9) // rate_hz


@law
@given(RATES, st.integers(0, 10**9), st.integers(1, 1000))
def test_the_pattern_of_ticks_repeats_every_second(rate_hz: int, tick: int, seconds: int) -> None:
    """No rate drifts, not even one that divides no second."""
    model = replace(MODEL, rate_hz=rate_hz)

    assert model.due_ns(tick + seconds * rate_hz) == model.due_ns(tick) + seconds * SECOND_NS


def test_three_ticks_a_second_are_not_a_third_of_a_second_apart() -> None:
    """Each is rounded by itself, so that the error never adds up."""
    model = replace(MODEL, rate_hz=3, phase_ns=0)

    assert [model.due_ns(tick) for tick in range(5)] == [0, 333333333, 666666666, 1000000000, 1333333333]


@law
@given(st.integers(1, 50), st.integers(0, SECOND_NS - 1), st.integers(1, 3 * SECOND_NS))
@example(rate_hz=3, phase_ns=0, duration_ns=333333333)
@example(rate_hz=3, phase_ns=0, duration_ns=333333334)
@example(rate_hz=1, phase_ns=999_999_999, duration_ns=1)
def test_a_run_has_every_tick_that_is_due_before_its_duration(rate_hz: int, phase_ns: int, duration_ns: int) -> None:
    """`due < duration`, strictly: tick_count, exists and next_tick agree with counting."""
    model = replace(MODEL, rate_hz=rate_hz, phase_ns=phase_ns, duration_ns=duration_ns)
    ticks = [tick for tick in range(200) if phase_ns + tick * 10**9 // rate_hz < duration_ns]

    assert model.tick_count == len(ticks)
    assert [tick for tick in range(200) if model.exists(tick)] == ticks
    assert [model.next_tick(tick) for tick in (-1, *ticks)] == [*ticks, None]


def test_nothing_exists_before_the_first_tick() -> None:
    """Ticks are numbered from 0."""
    assert not MODEL.exists(-1)
    assert MODEL.next_tick(-1) == 0


def test_a_machine_whose_phase_is_beyond_the_run_never_ticks() -> None:
    """Such a machine is silent, not wrong."""
    model = replace(MODEL, phase_ns=500, duration_ns=500)

    assert (model.tick_count, model.next_tick(-1)) == (0, None)


def test_rates_and_phases_are_those_of_the_conformance_traces() -> None:
    """c1: the exercise with the seed 262, as two independent programs drew it."""
    rates_hz = {node: draw_rate_hz(262, node, least=1, most=6) for node in (1, 2, 3)}

    assert rates_hz == {1: 5, 2: 3, 3: 6}
    assert {node: draw_phase_ns(262, node, rate_hz=rate_hz) for node, rate_hz in rates_hz.items()} == {
        1: 61656533,
        2: 131186329,
        3: 71812366,
    }


@law
@given(SEEDS, NODES, RATES, st.integers(0, 1000))
def test_a_drawn_rate_is_in_its_range_and_a_drawn_phase_within_its_period(
    seed: int, node: int, least: int, width: int
) -> None:
    """Rates are from [least, most], phases from [0, 10^9 // r)."""
    rate_hz = draw_rate_hz(seed, node, least=least, most=least + width)

    assert least <= rate_hz <= least + width
    assert 0 <= draw_phase_ns(seed, node, rate_hz=rate_hz) < SECOND_NS // rate_hz


@pytest.mark.parametrize("rate_hz", range(1, 7))
def test_every_rate_of_a_range_is_drawn(rate_hz: int) -> None:
    """The ends of the range, too."""
    assert rate_hz in {draw_rate_hz(seed, 1, least=1, most=6) for seed in range(100)}


def test_in_a_full_topology_everybody_sends_to_everybody_else() -> None:
    """Ascending, whatever the order in which they were named."""
    assert everyone_else(2, [3, 1, 2, 10]) == (1, 3, 10)


def test_a_model_is_read_back_as_it_was_written() -> None:
    """What the orchestrator hands over is what the node runs."""
    model = replace(
        MODEL,
        clock="lamport-literal",
        network=Network(delay_ns=Uniform(least_ns=5, most_ns=6), loss=0.5, duplicate=0.25, fifo=False),
        links=(Link(peer=3, delay_ns=Exponential(mean_ns=9)),),
        inbound=(Inbound(sender=3, delay_ns_min=4),),
        pauses=(Pause(from_ns=0, to_ns=1),),
        slow_downs=(SlowDown(from_ns=1, to_ns=2, factor=3),),
        crashes=(Crash(from_ns=2, to_ns=3, amnesia=True),),
        cuts=(Cut(from_ns=0, to_ns=9, peers=(2,), messages="hold"),),
    )

    assert MODEL_JSON.validate_json(MODEL_JSON.dump_json(model)) == model


def test_a_configuration_without_faults_has_the_digest_that_it_had_before_there_were_any() -> None:
    """A log of an older program is still that of its configuration."""
    before = (
        b'{"node":1,"seed":262,"rate_hz":6,"phase_ns":1000,"internal_probability":0.7,"clock":"lamport",'
        b'"duration_ns":60000000000,"peers":[2,3],"senders":[2,3],"network":{"delay_ns":0}}'
    )

    assert MODEL_JSON.dump_json(MODEL) == before
    assert MODEL.digest() == sha256(before).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"links": (Link(peer=4),)},
        {"links": (Link(peer=2), Link(peer=2))},
        {"inbound": (Inbound(sender=4, delay_ns_min=0),)},
    ],
    ids=str,
)
def test_links_are_those_of_the_machine(change: dict[str, Any]) -> None:
    """A network for a link that does not exist would be a mistake that nobody sees."""
    with pytest.raises(ValueError, match=r"links are to peers|inbound is of senders"):
        replace(MODEL, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"node": 4},
        {"seed": 263},
        {"rate_hz": 5},
        {"phase_ns": 1_001},
        {"internal_probability": 0.5},
        {"clock": "lamport-literal"},
        {"duration_ns": 61 * SECOND_NS},
        {"peers": (2,)},
        {"senders": (3,)},
        {"network": Network(delay_ns=1)},
        {"network": Network(loss=0.5)},
        {"network": Network(duplicate=0.5)},
        {"network": Network(fifo=False)},
        {"network": Network(delay_ns=Uniform(least_ns=0, most_ns=1))},
        {"network": Network(delay_ns=Exponential(mean_ns=1))},
        {"links": (Link(peer=2, loss=0.5),)},
        {"inbound": (Inbound(sender=2, delay_ns_min=1),)},
        {"pauses": (Pause(from_ns=0, to_ns=1),)},
        {"slow_downs": (SlowDown(from_ns=0, to_ns=1, factor=2),)},
        {"crashes": (Crash(from_ns=0, to_ns=1),)},
        {"crashes": (Crash(from_ns=0, to_ns=1, amnesia=True),)},
        {"cuts": (Cut(from_ns=0, to_ns=1, peers=(2,), messages="hold"),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_no_two_configurations_have_the_same_digest(change: dict[str, Any]) -> None:
    """A log is continued only under the configuration that began it."""
    assert replace(MODEL, **change).digest() != MODEL.digest() == replace(MODEL).digest()


WRONG: list[tuple[str, Any]] = [
    ("node", 0),
    ("node", -1),
    ("node", 2**31),
    ("node", "1"),
    ("node", True),
    ("node", 1.0),
    ("seed", -1),
    ("seed", SEED_MAX + 1),
    ("seed", None),
    ("rate_hz", 0),
    ("rate_hz", RATE_HZ_MAX + 1),
    ("rate_hz", 2.5),
    ("phase_ns", -1),
    ("phase_ns", SECOND_NS),
    ("internal_probability", -0.1),
    ("internal_probability", 1.1),
    ("internal_probability", "0.7"),
    ("internal_probability", None),
    ("clock", "vector"),
    ("duration_ns", 0),
    ("duration_ns", DURATION_NS_MAX + 1),
    ("peers", [0]),
    ("peers", ["2"]),
    ("peers", 2),
    ("senders", [True]),
    ("network", {"delay_ns": -1}),
    ("network", {"delay_ns": 0, "los": 0.5}),
    ("network", {"delay_ns": 0, "loss": 1.5}),
    ("links", [{"peer": 0}]),
    ("inbound", [{"sender": 2}]),
    ("pauses", [{"from_ns": 2, "to_ns": 1}]),
    ("slow_downs", [{"from_ns": 1, "to_ns": 2, "factor": 0}]),
    ("crashes", [{"from_ns": 1}]),
    ("cuts", [{"from_ns": 1, "to_ns": 2, "peers": [2], "messages": "drop"}]),
    ("colour", "red"),
]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=str)
def test_what_is_no_configuration_is_refused_where_it_enters(field: str, value: object) -> None:
    """Strict: no text for a number, no truth for 1, no key that nobody knows, nothing out of range."""
    fields = orjson.loads(MODEL_JSON.dump_json(MODEL))

    with pytest.raises(ValidationError) as refusal:
        MODEL_JSON.validate_json(orjson.dumps({**fields, field: value}))

    assert refusal.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize(
    "field", ["node", "seed", "rate_hz", "phase_ns", "internal_probability", "duration_ns", "peers", "senders"]
)
def test_what_a_machine_must_be_told_has_no_default(field: str) -> None:
    """A rate that a machine would choose itself could not be repeated."""
    fields = orjson.loads(MODEL_JSON.dump_json(MODEL))
    del fields[field]

    with pytest.raises(ValidationError, match="missing"):
        MODEL_JSON.validate_json(orjson.dumps(fields))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_a_probability_is_a_number(text: str) -> None:
    """Python's JSON would take NaN."""
    line = MODEL_JSON.dump_json(MODEL).replace(b"0.7", text.encode())

    with pytest.raises(ValidationError):
        MODEL_JSON.validate_json(line)
