"""What the logs of a lab without processes say of crashes: the lines that a node writes."""

import json
from pathlib import Path
from typing import Any

from orchestrator.labs.logs import Logs
from orchestrator.labs.simulated import Simulation, run_simulated
from orchestrator.rundir import Run
from orchestrator.trace import check, read_trace
from tests.fault_mixes import HALF_A_SECOND, half_a_second, machines_of

CRASHES = {
    "machines": {2: {"tick_rate": 200}},  # quick enough to send something in each of its lives
    "faults": (
        {"from": "0ms", "to": "40ms", "crash": 1},
        {"from": "100ms", "to": "101ms", "crash": 2, "amnesia": True},
        {"from": "101ms", "to": "160ms", "crash": 2, "amnesia": True},
        {"from": "400ms", "to": "900ms", "crash": 3},
        {"from": "900ms", "to": "950ms", "crash": 3},
    ),
}
"""One before the first tick, two that touch, one till the end, and one that never comes."""

OF_CRASHES = ("start", "down", "boot", "end", "stop")


def lines_of(directory: Path, node: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Run(directory).events_path(node).read_bytes().split(b"\n")[:-1]]


def kinds_of(directory: Path, node: int) -> list[str]:
    return [line["event"] for line in lines_of(directory, node) if line["event"] in OF_CRASHES]


def test_each_crash_is_a_down_line_and_a_boot_line(tmp_path: Path) -> None:
    """`down` follows the last tick before the crash, `boot` comes before the next, or the stop record."""
    run_simulated(Run(tmp_path), machines_of(HALF_A_SECOND | CRASHES), name="test")

    assert kinds_of(tmp_path, 1) == ["start", "down", "boot", "end", "stop"]
    assert kinds_of(tmp_path, 2) == ["start", "down", "boot", "down", "boot", "end", "stop"]
    assert kinds_of(tmp_path, 3) == ["start", "end", "down", "boot", "stop"]
    assert read_trace(Run(tmp_path).event_logs()).damage == ()
    for node, from_ns, to_ns in ((1, 0, 40_000_000), (2, 100_000_000, 160_000_000), (3, 400_000_000, 900_000_000)):
        lines = lines_of(tmp_path, node)
        places = [place for place, line in enumerate(lines) if line["event"] in ("down", "boot")]
        assert all(line["due_ns"] < from_ns for line in lines[: places[0]] if "due_ns" in line)
        assert all(line["due_ns"] >= to_ns for line in lines[places[-1] :] if "due_ns" in line)


def test_a_machine_comes_back_as_who_it_was_and_then_forgets(tmp_path: Path) -> None:
    """As a node does: the new incarnation begins with its first event, not with the line that says it is back."""
    run_simulated(Run(tmp_path), half_a_second("amnesia"), name="test")
    lines = lines_of(tmp_path, 2)
    place = next(place for place, line in enumerate(lines) if line["event"] == "boot")

    assert [line["incarnation"] for line in lines[place - 1 : place + 2]] == [0, 0, 1]
    assert lines[place]["torn_bytes"] == 0


def test_a_down_line_says_what_had_come(tmp_path: Path) -> None:
    """`have` is, by sender and incarnation, the number of the last message that was sent before the crash."""
    run_simulated(Run(tmp_path), machines_of(HALF_A_SECOND | CRASHES), name="test")
    trace = read_trace(Run(tmp_path).event_logs())
    for node in (1, 2, 3):
        lines = lines_of(tmp_path, node)
        downs = [place for place, line in enumerate(lines) if line["event"] == "down"]
        for place in downs:
            previous = max((line["due_ns"] for line in lines[:place] if "due_ns" in line), default=-1)
            expected = {(sender, 0): 0 for sender in (1, 2, 3) if sender != node}
            for message, recipient in enumerate(trace.messages.recipient.tolist()):
                send = int(trace.messages.send_row[message])
                sender = int(trace.node[send])
                is_before = (int(trace.due_ns[send]), sender) < (previous, node)
                if recipient == node and is_before:
                    expected[sender, int(trace.incarnation[send])] = int(trace.messages.number[message])
            assert {(sender, life): have for sender, life, have in lines[place]["have"]} == expected
    assert [2, 2] in [link[:2] for line in lines if line["event"] == "down" for link in line["have"]]


def test_a_run_that_is_interrupted_while_a_machine_is_down_is_sealed(tmp_path: Path) -> None:
    """The last line is the seal, and the check can tell why there is nothing more."""
    machines = half_a_second("crash")
    simulation, run = Simulation(machines), Run(tmp_path)
    logs = Logs(run, simulation.processes, name="test", pace=None, epoch_ns=0)
    while simulation.next_due_ns is not None and simulation.next_due_ns < 200_000_000:
        logs.record(simulation.tick(), None)
    logs.seal(None, interrupted=True)

    assert kinds_of(tmp_path, 2) == ["start", "down", "end"]
    assert check(read_trace(run.event_logs())).verdict == "unknown"
