"""The golden runs: their machines, and the events that they must give."""

import gzip
import json
from pathlib import Path
from typing import Any

from node.event import Event
from node.model import Model, Network, draw_phase_ns, draw_rate_hz, everyone_else

GOLDEN = Path(__file__).parent / "golden"

WITHOUT_FAULTS = ("c1", "c2", "c6", "c7", "c8", "c9")
"""The runs that need nothing of the network but a constant delay."""


def machines(name: str) -> dict[int, Model]:
    """Return the machines of a golden run without faults."""
    given = json.loads((GOLDEN / f"{name}.json").read_text())
    assert given["faults"] == []
    numbers = range(1, given["nodes"] + 1)
    peers = {node: _peers(given["topology"], node, numbers) for node in numbers}
    return {
        node: Model(
            node=node,
            seed=given["seed"],
            rate_hz=(rate_hz := _rate_hz(given, node)),
            phase_ns=0 if given["phase"] == "aligned" else draw_phase_ns(given["seed"], node, rate_hz=rate_hz),
            internal_probability=given["internal_probability"],
            clock=given["clock"],
            duration_ns=given["duration_ns"],
            peers=peers[node],
            senders=tuple(other for other in numbers if node in peers[other]),
            network=Network(delay_ns=given["network"]["delay_ns"][0]),
        )
        for node in numbers
    }


def expected(name: str) -> list[list[Any]]:
    """Return the arrays of a golden run."""
    with gzip.open(GOLDEN / f"{name}.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


def as_array(event: Event) -> list[Any]:
    """Return an event as the golden files write it."""
    cause = event.cause
    return [
        *(event.node, event.incarnation, event.index, event.tick, event.due_ns, event.kind, event.clock, event.queue),
        [cause.node, cause.incarnation, cause.index, cause.copy] if cause else None,
        [list(delivery) for delivery in event.to] or None,
    ]


def _rate_hz(given: dict[str, Any], node: int) -> int:
    rates = given["tick_rate"]
    if isinstance(rates, list):
        return int(rates[node - 1])
    return draw_rate_hz(given["seed"], node, least=rates["min"], most=rates["max"])


def _peers(topology: Any, node: int, numbers: range) -> tuple[int, ...]:
    return everyone_else(node, numbers) if topology == "full" else tuple(topology[str(node)])
