"""Every arrival in the logs of a run, drawn again from the dice: the same integers in every lab (model section 3)."""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from node.channel import draw_delay_ns
from node.dice import DELAY, roll
from node.model import Model
from node.record import SendLine
from orchestrator.rundir import Run
from tests.balance import lines_of

WITH_DRAWN_DELAYS: Final = ("uniform delay", "exponential delay", "duplicates", "reordering", "a far machine")
"""Those of the faults under which an arrival depends on the dice and on the order of its link alone."""

Copy: TypeAlias = tuple[int, int, int, int, int]
"""A message: its sender, incarnation, index and copy, and its recipient."""


def strays(run: Run, machines: Mapping[int, Model]) -> set[Copy]:
    """Return the messages that were sent or received with another arrival than the dice say."""
    drawn: dict[Copy, int] = {}
    logged: set[tuple[Copy, int]] = set()
    for node, model in machines.items():
        latest_ns: dict[int, int] = {}
        for line in lines_of(run, node):
            if line["event"] == "receive":
                logged.add(((*line["from"], node), line["arrival_ns"]))
            elif line["event"] == "send":
                for name, arrival_ns in _sent(line):
                    drawn[name] = _drawn_ns(model, line, name, latest_ns)
                    logged.add((name, arrival_ns))
    assert drawn, "there is something to compare"
    return {name for name, arrival_ns in logged if drawn.get(name) != arrival_ns}


def _sent(line: SendLine) -> Iterator[tuple[Copy, int]]:
    for recipient, number, arrival_ns, copy in line["to"]:
        if number is not None and arrival_ns is not None:
            yield (line["node"], line["incarnation"], line["index"], copy, recipient), arrival_ns


def _drawn_ns(model: Model, line: SendLine, name: Copy, latest_ns: dict[int, int]) -> int:
    *_, copy, recipient = name
    network = model.link(recipient)
    delay, bits = network.delay_ns, roll(model.seed, model.node, line["tick"], DELAY, recipient * 2 + copy)
    arrival_ns = line["due_ns"] + (delay if isinstance(delay, int) else draw_delay_ns(delay, bits))
    latest_ns[recipient] = max(arrival_ns, latest_ns.get(recipient, 0))
    return latest_ns[recipient] if network.fifo else arrival_ns
