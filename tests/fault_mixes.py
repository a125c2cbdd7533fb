"""Clusters with faults: each fault by itself, and mixes of them that hypothesis draws."""

from typing import Any

from hypothesis import strategies as st

from node.model import Model
from orchestrator.config import Experiment
from orchestrator.config.duration import format_duration

HALF_A_SECOND: dict[str, Any] = {
    "nodes": 3,
    "tick_rate": {"min": 20, "max": 60},
    "internal_probability": 0.3,
    "duration": "500ms",
    "network": {"delay": "5ms"},
}
"""Short enough to run by the clock, long enough that messages wait in every fault."""

_WINDOW = {"from": "150ms", "to": "300ms"}
_SPLIT = {**_WINDOW, "partition": ((1,), (2, 3))}
_HASTY = {"machines": {2: {"tick_rate": 100}, 3: {"tick_rate": 70}}}
"""Fast enough to receive what has waited, and to do something of one's own after that."""

EACH: dict[str, dict[str, Any]] = {
    "uniform delay": {"network": {"delay": {"uniform": ("1ms", "90ms")}}},
    "exponential delay": {"network": {"delay": {"exponential": "30ms"}}},
    "loss": {"network": {"delay": "5ms", "loss": 0.3}},
    "duplicates": {"network": {"delay": {"uniform": ("1ms", "90ms")}, "duplicate": 0.4}},
    "reordering": {"network": {"delay": {"uniform": ("1ms", "90ms")}, "duplicate": 0.2, "fifo": False}},
    "a far machine": {"network": {"delay": "1ms", "links": {"1<->3": {"delay": {"exponential": "80ms"}, "loss": 0.2}}}},
    "one link out of order": {
        "network": {"delay": {"uniform": ("1ms", "90ms")}, "links": {"2->1": {"fifo": False, "duplicate": 0.5}}}
    },
    "ring": {"nodes": 5, "topology": "ring"},
    "star": {"nodes": 5, "topology": "star"},
    "random peers": {"nodes": 5, "topology": {"random": 2}},
    "a machine that nobody reaches": {"topology": {1: (2,), 2: (1,), 3: (1, 2)}},
    "a slow machine": {"machines": {2: {"tick_rate": 7, "internal_probability": 0.9}}},
    "partition that holds": {"faults": (_SPLIT,)},
    "partition that loses": {"faults": ({**_SPLIT, "messages": "lose"},)},
    "one-way partition": {"faults": ({**_SPLIT, "one_way": True},)},
    "overlapping partitions": {
        "faults": (
            _SPLIT,
            {"from": "200ms", "to": "450ms", "partition": ((1, 2), (3,))},
            {"from": "250ms", "to": "350ms", "partition": ((2,), (3,)), "messages": "lose"},
        )
    },
    "pause": {"faults": ({**_WINDOW, "pause": 2},)},
    "pause to the end": {"faults": ({"from": "150ms", "to": "900ms", "pause": 2},)},
    "slow-down": {"faults": ({**_WINDOW, "slow": 2, "factor": 3},)},
    "crash": {**_HASTY, "faults": ({**_WINDOW, "crash": 2},)},
    "amnesia": {**_HASTY, "faults": ({**_WINDOW, "crash": 2, "amnesia": True},)},
    "amnesia twice": {
        **_HASTY,
        "faults": (
            {**_WINDOW, "crash": 2, "amnesia": True},
            {"from": "300ms", "to": "301ms", "crash": 2, "amnesia": True},
        ),
    },
    "crash to the end": {"faults": ({"from": "300ms", "to": "900ms", "crash": 2, "amnesia": True},)},
}
"""What each fault adds to half a second."""


MIX: dict[str, Any] = {
    "nodes": 4,
    "tick_rate": {"min": 4, "max": 12},
    "internal_probability": 0.3,
    "machines": {3: {"tick_rate": 2}},
    "network": {
        "delay": {"uniform": ("0ms", "200ms")},
        "loss": 0.1,
        "duplicate": 0.1,
        "fifo": False,
        "links": {"1->2": {"fifo": True, "delay": {"exponential": "100ms"}}},
    },
}
"""What each link and machine of a longer run suffers; faults come on top."""


def machines_of(fields: dict[str, Any]) -> dict[int, Model]:
    """Return the machines of an experiment's first run."""
    return Experiment.model_validate(fields).machines(1)


def half_a_second(name: str) -> dict[int, Model]:
    """Return the machines of half a second with the fault of this name."""
    return machines_of(HALF_A_SECOND | EACH[name])


def is_with_a_crash(name: str) -> bool:
    """Return whether a lab must restart a machine for this fault."""
    return any("crash" in fault for fault in EACH[name].get("faults", ()))


_SPANS = st.integers(0, 120).map(lambda ms: f"{ms}ms")
_DELAYS = st.one_of(
    _SPANS,
    st.tuples(st.integers(0, 20), st.integers(0, 120)).map(
        lambda ends: {"uniform": (f"{ends[0]}ms", f"{sum(ends)}ms")}
    ),
    _SPANS.map(lambda mean: {"exponential": mean}),
)
_NETWORKS = st.fixed_dictionaries(
    {"delay": _DELAYS},
    optional={
        "loss": st.sampled_from([0.1, 0.5, 1.0]),
        "duplicate": st.sampled_from([0.2, 1.0]),
        "fifo": st.booleans(),
    },
)


@st.composite
def mixes(draw: st.DrawFn, *, crashes: bool, duration_ms: int = 2000, rate_hz_max: int = 30) -> dict[str, Any]:
    """Draw the fields of an experiment in which several things go wrong at once."""
    nodes = draw(st.integers(2, 5))
    links = draw(st.dictionaries(st.sampled_from(["1->2", "2->1"]), _NETWORKS))
    return {
        "nodes": nodes,
        "seed": draw(st.integers(0, 2**40)),
        "tick_rate": {"min": 1, "max": rate_hz_max},
        "phase": draw(st.sampled_from(["random", "aligned"])),
        "internal_probability": draw(st.sampled_from([0.0, 0.3, 0.7])),
        "duration": f"{duration_ms}ms",
        "topology": draw(st.sampled_from(["full", "star"])),
        "network": {**draw(_NETWORKS), "links": links},
        "faults": (*draw(_partitions(nodes, duration_ms)), *draw(_rests(nodes, duration_ms, crashes=crashes))),
    }


@st.composite
def _partitions(draw: st.DrawFn, nodes: int, duration_ms: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(draw(st.integers(0, 3))):
        order = draw(st.permutations(range(1, nodes + 1)))
        middle = draw(st.integers(1, nodes - 1))
        end = draw(st.integers(middle + 1, nodes))  # whoever stands behind it is in no group
        found.append(
            draw(_windows(0, duration_ms))
            | {"partition": (tuple(order[:middle]), tuple(order[middle:end]))}
            | {"messages": draw(st.sampled_from(["lose", "hold"])), "one_way": draw(st.booleans())}
        )
    return found


@st.composite
def _rests(draw: st.DrawFn, nodes: int, duration_ms: int, *, crashes: bool) -> list[dict[str, Any]]:
    """Draw windows of single machines, one behind the other so that they never overlap."""
    kinds = ["pause", "slow", *(["crash", "amnesia"] if crashes else [])]
    found = []
    for node in range(1, nodes + 1):
        for third in range(3):
            if draw(st.booleans()):
                continue
            kind = draw(st.sampled_from(kinds))
            window = draw(_windows(third * duration_ms // 3, (third + 1) * duration_ms // 3))
            own = {"slow": {"slow": node, "factor": draw(st.integers(1, 5))}, "pause": {"pause": node}}
            found.append(window | own.get(kind, {"crash": node, "amnesia": kind == "amnesia"}))
    return found


@st.composite
def _windows(draw: st.DrawFn, first_ms: int, last_ms: int) -> dict[str, str]:
    from_ms = draw(st.integers(first_ms, last_ms - 1))
    to_ms = draw(st.integers(from_ms + 1, last_ms))
    return {"from": format_duration(from_ms * 10**6), "to": format_duration(to_ms * 10**6)}
