"""Our own simulated runs, written as other people would write them: small fixtures in the formats that we ship."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from node.event import Event, EventId, Kind
from node.model import Model
from orchestrator.labs.simulated import simulate
from tests.clusters import by_machine

Vector = dict[str, int]

ALPHA: dict[Kind, str] = {
    "internal": "Internal event occurred.",
    "send-one": "Sent a message to machine {to}.",
    "send-next": "Sent a message to machine {to}.",
    "send-all": "Sent a message to both other machines.",
    "receive": "Received a message with logical time {stamp}. Current queue length is {queue}.",
}
BETA: dict[Kind, str] = {"internal": "4", "send-one": "1", "send-next": "2", "send-all": "3", "receive": "-1"}


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write these files into a folder, which is made, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def alpha(machines: Mapping[int, Model]) -> dict[str, str]:
    """Return prose in which a receive names its stamp; machines count from 0 there."""
    return {
        f"1678239498.1477_machine_{node - 1}.log": "2023-03-08 01:38:18,148 : Clock rate: 3\n"
        + "".join(f"{_moment(event)} : (Logical Clock Time {event.clock}) {_alpha(event)}\n" for event in events)
        for node, events in _programs(machines).items()
    }


def beta(machines: Mapping[int, Model]) -> dict[str, str]:
    """Return tables in which a receive names nothing."""
    header = "COMMAND\tLOGICAL_TIME\tTRUE_TIME\tQUEUE_SIZE\tSELF_PORT\tSELF_INTERVAL\n"
    return {
        f"Log_{2620 + node}.txt": header
        + "".join(
            f"{BETA[event.kind]}\t{event.clock}\t{event.due_ns / 1e9}\t{event.queue}\t{2620 + node}\t"
            f"{1 / machines[node].rate_hz}\n"
            for event in events
        )
        for node, events in _programs(machines).items()
    }


def vectors(machines: Mapping[int, Model]) -> list[tuple[Event, Vector]]:
    """Return every event with its vector clock (Fidge 1988, Mattern 1988), in the order of the run."""
    now: dict[int, Vector] = {node: {} for node in machines}
    sent: dict[EventId, Vector] = {}
    found = []
    for event in simulate(machines):
        vector = dict(now[event.node])
        for name, count in (sent[event.cause.send] if event.cause else {}).items():
            vector[name] = max(count, vector.get(name, 0))
        vector[f"n{event.node}"] = vector.get(f"n{event.node}", 0) + 1
        now[event.node] = sent[event.name] = vector
        found.append((event, vector))
    return found


def govector(clocks: Iterable[tuple[Event, Vector]]) -> str:
    """Return two lines an event, as GoVector writes it."""
    return "".join(f"n{event.node} {json.dumps(vector)}\n{_word(event)}\n" for event, vector in clocks)


def shiviz(clocks: Iterable[tuple[Event, Vector]]) -> str:
    """Return one line an event."""
    return "".join(f"n{event.node} {json.dumps(vector)} {_word(event)}\n" for event, vector in clocks)


def tracechecker(clocks: Iterable[tuple[Event, Vector]]) -> str:
    """Return JSON lines with the vector clock of the tracing library."""
    return "".join(
        json.dumps({"TracerIdentity": f"n{event.node}", "TraceID": 7, "Tag": _word(event), "VectorClock": vector})
        + "\n"
        for event, vector in clocks
    )


def model_checker(clocks: Iterable[tuple[Event, Vector]]) -> str:
    """Return records of several lines, with the clock as JSON in a string, as a model checker prints states."""
    return "".join(
        f"State {place}: <{_word(event)} line 1 of module M>\n/\\ Host = n{event.node}\n"
        f"/\\ Clock = {json.dumps(json.dumps(vector))}\n/\\ active = TRUE\n\n"
        for place, (event, vector) in enumerate(clocks, 2)
    )


MODEL_CHECKER = r"""
record: '^State [0-9]+: <(?<event>\w*) .*>\n\/\\ Host = (?<host>.*)\n\/\\ Clock = "(?<clock>.*)"\n'
clock: vector
split: '^=== (?<trace>.*) ===$'
"""


def _programs(machines: Mapping[int, Model]) -> dict[int, list[Event]]:
    return {node: [] for node in machines} | by_machine(simulate(machines))


def _moment(event: Event) -> str:
    milliseconds = event.due_ns // 1_000_000
    return f"2023-03-08 01:{38 + milliseconds // 60_000:02d}:{milliseconds // 1000 % 60:02d},{milliseconds % 1000:03d}"


def _alpha(event: Event) -> str:
    to = event.to[0].recipient - 1 if event.to else ""
    return ALPHA[event.kind].format(to=to, stamp=event.stamp, queue=event.queue)


def _word(event: Event) -> str:
    return event.kind.replace("-", "_")
