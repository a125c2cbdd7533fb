"""The witness: sees every byte that reaches a disk or leaves a process, and says what should not have been.

Never acts on the world. What a log must say comes from the simulation of the same cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from node.frame import LENGTH_BYTES
from node.model import Model
from node.record import event_line
from orchestrator.trace import Trace, trace_of
from tests.logs_on_disk import simulated_run

EVENTS = ("internal", "send", "receive")


class Violation(Exception):  # noqa: N818  # what a run is judged by, not an error of a program
    """Something that must never happen; `kind` is its name."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(f"{kind}: {words}")
        self.kind = kind


class Ledger:
    """What one log says so far."""

    def __init__(self) -> None:
        self.rest = b""
        self.events = 0
        self.differs = False
        self.kinds: set[str] = set()
        self.sends: set[tuple[int, int]] = set()
        self.received: dict[tuple[int, int], set[int]] = {}

    def done(self, sender: int, incarnation: int) -> int:
        """Return the number up to which all messages of a sender are received."""
        received, done = self.received.get((sender, incarnation), set()), 0
        while done + 1 in received:
            done += 1
        return done


@dataclass(frozen=True, slots=True)
class Expected:
    """What logs must say: the trace, and by machine the lines of its events and its stop record."""

    twin: Trace
    lines: Mapping[int, list[dict[str, Any]]]
    stops: Mapping[int, dict[str, Any]]


def expected_of(machines: Mapping[int, Model]) -> Expected:
    """Simulate a cluster."""
    events, stops = simulated_run(machines)
    lines: dict[int, list[dict[str, Any]]] = {node: [] for node in machines}
    for event in events:
        lines[event.node].append(_read_back(event_line(event, None)))
    return Expected(trace_of(machines, events, stops), lines, {node: _read_back(stop) for node, stop in stops.items()})


class Witness:
    """One ledger a log, and what each must become."""

    def __init__(self, expected: Expected) -> None:
        self.has_lost = False
        self.stopped: set[int] = set()
        self.twin = expected.twin
        self.expected = expected.lines
        self._stops = expected.stops
        self._ledgers = {node: Ledger() for node in expected.lines}

    def lose(self, node: int) -> None:
        """Note that a log is gone: from now on the run must say so, and need not be right."""
        self.has_lost = True
        self.read_again(node, b"")

    def read_again(self, node: int, content: bytes) -> None:
        """Begin again with what a process will find when it begins."""
        self._ledgers[node] = Ledger()
        self.stopped.discard(node)
        whole, _, _ = content.rpartition(b"\n")
        if whole:
            self.written(node, whole + b"\n")

    def written(self, node: int, data: bytes) -> None:
        """See bytes that have reached a disk."""
        ledger = self._ledgers[node]
        *lines, ledger.rest = (ledger.rest + data).split(b"\n")
        for text in lines:
            try:
                line = orjson.loads(text)
            except orjson.JSONDecodeError:
                raise Violation("a torn line kept", f"machine {node}: {text[:80]!r}") from None
            self._take(node, ledger, line)

    def _take(self, node: int, ledger: Ledger, line: dict[str, Any]) -> None:
        kind = line["event"]
        ledger.kinds.add(kind)
        if kind == "stop":
            self.stopped.add(node)
            self._compare(node, self._stops[node]["incoming"], line["incoming"], "the stop record differs")
        if kind not in EVENTS:
            return
        place, ledger.events = ledger.events, ledger.events + 1
        if kind == "receive":
            sender, incarnation, *_ = line["from"]
            received = ledger.received.setdefault((sender, incarnation), set())
            if line["number"] in received:
                raise Violation("received twice", f"machine {node}: {line}")
            received.add(line["number"])
        if kind == "send":
            ledger.sends.add((line["incarnation"], line["index"]))
        expected = self.expected[node][place] if place < len(self.expected[node]) else None
        line["wall"] = None
        self._compare(node, expected, line, "the trace differs")

    def _compare(self, node: int, expected: object, found: object, kind: str) -> None:
        if expected == found:
            return
        self._ledgers[node].differs = True
        if not self.has_lost:
            raise Violation(kind, f"machine {node}: {found} in place of {expected}")

    def sent(self, node: int, peer: int | None, data: bytes) -> None:
        """See bytes that leave a process: all that they say must be on its disk."""
        if self.has_lost:
            return
        ledger = self._ledgers[node]
        for frame in _frames(data):
            match frame["type"]:
                case "data":
                    incarnation = frame.get("incarnation", 0)
                    sent = [(incarnation, index) for _, index, *_ in frame["messages"]]
                    self._demand(set(sent) <= ledger.sends, "a message left before its line", node, frame)
                    if frame["promise"] is not None:
                        self._judge_promise(node, ledger, frame)
                case "ack":
                    done = ledger.done(peer or 0, frame.get("incarnation", 0))
                    self._demand(frame["done"] <= done, "acknowledged before its line", node, frame)
                    self._demand(not frame["stopped"] or node in self.stopped, "stopped before its line", node, frame)
                case "hello" | "epoch":
                    is_known = frame["epoch_ns"] is None or "start" in ledger.kinds
                    self._demand(is_known, "an epoch left before its line", node, frame)

    def _judge_promise(self, node: int, ledger: Ledger, frame: dict[str, Any]) -> None:
        due_ns, _ = frame["promise"]
        if due_ns is None:
            self._demand("end" in ledger.kinds, "a promise left before its line", node, frame)
            return
        expected = self.expected[node]
        is_kept = ledger.events < len(expected) and due_ns <= expected[ledger.events]["due_ns"]
        self._demand(is_kept, "a promise left before its line", node, frame)

    def _demand(self, is_right: object, kind: str, node: int, frame: dict[str, Any]) -> None:
        if not is_right:
            raise Violation(kind, f"machine {node}: {frame}")

    @property
    def is_as_simulated(self) -> bool:
        """Whether every log says what the simulation says, and all of it."""
        return all(
            ledger.events == len(self.expected[node]) and not ledger.differs for node, ledger in self._ledgers.items()
        )


def _frames(data: bytes) -> Iterator[dict[str, Any]]:
    start = 0
    while start < len(data):
        end = start + LENGTH_BYTES + int.from_bytes(data[start : start + LENGTH_BYTES], "big")
        yield orjson.loads(data[start + LENGTH_BYTES : end])
        start = end


def _read_back(line: object) -> dict[str, Any]:
    """Return a line as it comes from a file."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(line))
    return found
