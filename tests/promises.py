"""What is promised where a fault strikes running nodes, the tests that show it, and the last figure of each.

A test hands its figure to `record`, which keeps it and writes the table of docs/reliability.md anew. In the soak lane
it always does; in the plain lane only where RECORD_FIGURES is set, so that an everyday test changes no file.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from orchestrator.version import program_version

FIGURES: Final = Path(__file__).with_suffix(".json")
DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN: Final = "<!-- by tests.promises: do not edit -->\n"
END: Final = "<!-- end of live -->\n"
HEAD: Final = "| fault of running nodes | what is promised | the tests | the last figure |"

Lane = Literal["test", "soak"]


class Promise(NamedTuple):
    """One row: `shown` are the tests of the plain lane, `soaked` those of the soak lane."""

    words: str
    shown: tuple[str, ...] = ()
    soaked: tuple[str, ...] = ()


_LABS: Final = "tests/orchestrator/labs"
PROMISES: Final = {
    "SIGKILL": Promise(
        "A node killed without warning is started again from its log: valid, fidelity 1.",
        (f"{_LABS}/test_kills.py::test_machines_killed_without_warning_leave_no_mark",),
        (f"{_LABS}/test_kills.py::test_a_hundred_kills_leave_no_mark",),
    ),
    "SIGKILL at fast": Promise(
        "The same where there is no wall clock, at the first line and in the middle.",
        (f"{_LABS}/test_kills.py::test_at_fast_a_kill_at_any_place_leaves_no_mark",),
    ),
    "SIGKILL in the first write": Promise(
        "Nobody has heard of anything yet: the node begins anew.",
        (f"{_LABS}/test_kills.py::test_a_machine_that_is_killed_in_its_first_write_begins_anew",),
    ),
    "SIGKILL again and again": Promise(
        "There is a limit; the run ends, says which node, and claims nothing.",
        (f"{_LABS}/test_kills.py::test_a_machine_that_dies_again_and_again_ends_the_run",),
    ),
    "a bad wire": Promise(
        "Delay, throttle, one byte at a time, cuts, flapping, one-way, half-open: valid, fidelity 1.",
        (f"{_LABS}/test_wire.py::test_a_bad_wire_leaves_no_mark",),
    ),
    "half-open": Promise(
        "Found within 2 s, and on time again within 2 s of healing (p95).",
        soaked=(f"{_LABS}/test_wire.py::test_half_open_connections_are_found_and_healed",),
    ),
    "half-open beside busy loops": Promise(
        "No mark; how soon depends on the load.",
        soaked=(f"{_LABS}/test_wire.py::test_half_open_connections_are_found_and_healed",),
    ),
    "cut anywhere, and stopped": Promise(
        "Beneath each fault of the model: the trace of the simulation, every link balanced.",
        (f"{_LABS}/test_live_faults.py::test_with_each_fault_a_live_cluster_gives_the_simulated_trace",),
    ),
    "SIGSTOP for 2 s": Promise(
        "The others wait for it: valid, fidelity 1, beside busy loops too.",
        (
            f"{_LABS}/test_live.py::test_at_exact_a_loaded_machine_and_a_stopped_node_leave_no_mark",
            f"{_LABS}/test_live.py::test_at_fast_load_and_a_stopped_node_leave_no_mark",
        ),
    ),
    "a million messages wait": Promise(
        "Nothing is dropped, a node takes at most 600 MiB, and says that it is flooded.",
        soaked=(f"{_LABS}/test_flood.py::test_a_million_messages_wait_at_a_slow_machine",),
    ),
    "hostile connections": Promise(
        "The trace of the simulation; no descriptor and no memory is left over, no read takes 10 ms.",
        ("tests/node/test_hostile.py::test_a_thousand_hostile_connections_leave_no_mark",),
        ("tests/node/test_hostile.py::test_a_hundred_thousand_hostile_connections_leave_no_mark",),
    ),
    "a crowd that says nothing": Promise(
        "At most 64 strangers at a time, and a sender that is cut off comes back in.",
        ("tests/node/test_hostile.py::test_a_crowd_that_says_nothing_keeps_nobody_out",),
    ),
    "full disk, short write, EIO": Promise(
        "Exit 74 at once; nothing leaves that was not written; the others go on, and the log is continued.",
        ("tests/node/test_disk.py::test_a_disk_that_fails_a_hundred_times_costs_nothing_but_time",),
    ),
    "damaged log, continued": Promise(
        "Refused with the line, unless it is a torn last one.",
        (
            "tests/node/test_recovery.py::test_a_bad_line_is_named_by_its_number",
            "tests/node/test_recovery.py::test_a_log_that_lacks_a_line_is_refused_where_it_lacks",
            "tests/node/test_recovery.py::test_a_line_that_is_there_twice_is_refused",
        ),
    ),
    "damaged run, judged": Promise(
        "A line deleted, doubled or swapped, or a bit flipped anywhere: never valid.",
        (
            "tests/orchestrator/trace/test_read.py::test_no_damaged_line_goes_unnoticed",
            "tests/orchestrator/test_damage.py::test_no_flipped_bit_leaves_a_run_valid",
        ),
    ),
    "a second process on a log": Promise(
        "Refused before it writes a byte.",
        ("tests/node/test_journal.py::test_a_log_that_is_being_written_cannot_be_continued",),
    ),
    "another configuration": Promise(
        "The log of another run, pace, seed, configuration or machine is refused, with the line.",
        ("tests/node/test_recovery.py::test_the_log_of_another_is_refused",),
    ),
    "lost log": Promise(
        "The run ends, says so, and is unknown.",
        (f"{_LABS}/test_kills.py::test_a_lost_log_ends_the_run_as_unknown",),
    ),
    **{
        f"broken {what}": Promise(
            f"Whatever comes as {what}: only the documented errors.",
            ("tests/test_fuzz.py::test_a_hundred_thousand_broken_inputs_give_only_the_documented_errors",),
            ("tests/test_fuzz.py::test_five_million_broken_inputs_give_only_the_documented_errors",),
        )
        for what in ("frames", "logs", "experiments")
    },
}
"""By fault."""


def record(fault: str, lane: Lane, figure: str) -> None:
    """Keep a figure and show it in the document, beside the day and the version that it is of."""
    print(f"{fault}: {figure}")
    if lane == "test" and "RECORD_FIGURES" not in os.environ:
        return
    assert fault in PROMISES
    figures = _figures()
    day = datetime.now(UTC).date().isoformat()
    figures.setdefault(fault, {})[lane] = f"{figure} ({lane}, {day}, {program_version()})"
    FIGURES.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
    publish()


def publish() -> None:
    """Write the table."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, behind = rest.partition(END)
    table = "".join(f"{line}\n" for line in rows())
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table}\n{END}{behind}")


def rows() -> Iterator[str]:
    """Yield the lines of the table; where no figure is on record, the cell names the lane that shows it."""
    figures = _figures()
    yield HEAD
    yield "|---|---|---|---|"
    for fault, (words, shown, soaked) in PROMISES.items():
        tests = ", ".join(f"`{test}`" for test in (*shown, *soaked))
        found = figures.get(fault, {})
        lanes = [lane for lane, has in (("test", shown), ("soak", soaked)) if has]
        cell = "; ".join(found.get(lane, f"`{lane}`") for lane in lanes)
        yield f"| {fault} | {words} | {tests} | {cell} |"


def _figures() -> dict[str, dict[str, str]]:
    figures: dict[str, dict[str, str]] = json.loads(FIGURES.read_bytes()) if FIGURES.exists() else {}
    return figures


if __name__ == "__main__":
    publish()
