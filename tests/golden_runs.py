"""The golden runs: their machines, and the events that they must give."""

import gzip
import json
from pathlib import Path
from typing import Any

from node.event import Event
from node.model import Model, Network, draw_phase_ns, draw_rate_hz, everyone_else
from node.network import Uniform
from node.window import Crash, Cut, Pause, SlowDown

GOLDEN = Path(__file__).parent / "golden"

ALL = ("c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9")
WITHOUT_A_CRASH = tuple(name for name in ALL if name != "c5")
"""The runs for which nobody must be restarted."""


def machines(name: str) -> dict[int, Model]:
    """Return the machines of a golden run."""
    given = json.loads((GOLDEN / f"{name}.json").read_text())
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
            network=_network(given["network"]),
            pauses=tuple(Pause(**_window(fault)) for fault in given["faults"] if fault.get("pause") == node),
            slow_downs=tuple(
                SlowDown(**_window(fault), factor=fault["factor"])
                for fault in given["faults"]
                if fault.get("slow") == node
            ),
            crashes=tuple(
                Crash(**_window(fault), amnesia=fault["amnesia"])
                for fault in given["faults"]
                if fault.get("crash") == node
            ),
            cuts=tuple(
                Cut(**_window(fault), peers=cut_from, messages=fault["messages"])
                for fault in given["faults"]
                if (cut_from := _cut_from(fault, node, peers[node]))
            ),
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


def _network(given: dict[str, Any]) -> Network:
    least_ns, most_ns = given["delay_ns"]
    return Network(
        delay_ns=least_ns if least_ns == most_ns else Uniform(least_ns=least_ns, most_ns=most_ns),
        loss=given["loss"],
        duplicate=given["duplicate"],
        fifo=given["fifo"],
    )


def _window(fault: dict[str, Any]) -> dict[str, int]:
    return {"from_ns": fault["from_ns"], "to_ns": fault["to_ns"]}


def _cut_from(fault: dict[str, Any], node: int, peers: tuple[int, ...]) -> tuple[int, ...]:
    """Return the peers from which a fault cuts a machine: those in a group of their own."""
    groups = fault.get("partition", [])
    if not any(node in group for group in groups):
        return ()
    others = {other for group in groups if node not in group for other in group}
    return tuple(peer for peer in peers if peer in others)
