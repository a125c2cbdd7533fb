"""Clean runs, logged in every way and with every kind of hole: nobody is ever accused of anything.

10,000 traces at each of the four grades, in parts that can be tested side by side.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from node.event import Event
from orchestrator.audit.pairing import GRADES, pair
from orchestrator.audit.store import ALL, ONE, ForeignTrace
from tests.clusters import cluster
from tests.foreign import foreign, unreadable, without, without_machine
from tests.logs_on_disk import simulated_run

PARTS, CLUSTERS, TRACES = 10, 250, 4
"""Parts of the test, clusters in a part, and traces of each cluster at each grade."""
UNITS_NS = (1, 1, 1_000_000, 1_000_000_000)

Hole = Callable[[Random, ForeignTrace], ForeignTrace]


def run_of(random: Random) -> list[Event]:
    """Simulate a small cluster: any rates, delays and topology, and sometimes all machines in step."""
    nodes = random.randint(2, 5)
    others = {node: [other for other in range(1, nodes + 1) if other != node] for node in range(1, nodes + 1)}
    some = {node: tuple(sorted(random.sample(peers, random.randint(0, nodes - 1)))) for node, peers in others.items()}
    machines = cluster(
        nodes,
        seed=random.randrange(2**63),
        seconds=random.choice([1, 2, 4, 6, 10]),
        rates=random.choice([(1, 6), (1, 1), (4, 12), (2, 3)]),
        internal_probability=random.choice([0.0, 0.2, 0.5, 0.7]),
        delay_ms=random.choice([0, 0, 50, 300, 2000]),
        topology=some if random.random() < 0.4 else None,
    )
    if random.random() < 0.2:
        machines = {node: replace(model, phase_ns=0) for node, model in machines.items()}
    return simulated_run(machines)[0]


def what_logs_say(random: Random) -> dict[str, Any]:
    """Draw what a log says beside the grade; times may be in whole milliseconds or seconds."""
    return {
        "names_recipients": random.random() < 0.5,
        "has_stamps": random.random() < 0.3,
        "has_times": random.random() < 0.7,
        "has_index": random.random() < 0.4,
        "unit_ns": random.choice(UNITS_NS),
    }


def a_log(random: Random, trace: ForeignTrace) -> list[int]:
    """Return the rows of one of the logs."""
    return list(trace.programs[random.randrange(len(trace.nodes) - trace.absent)].tolist())


def a_head(random: Random, trace: ForeignTrace) -> ForeignTrace:
    rows = a_log(random, trace)
    return without(trace, rows[: random.choice([1, 1, 2, random.randint(1, len(rows))])])


def a_tail(random: Random, trace: ForeignTrace) -> ForeignTrace:
    rows = a_log(random, trace)
    return without(trace, rows[-random.choice([1, 1, 2, random.randint(1, len(rows))]) :])


def a_block(random: Random, trace: ForeignTrace) -> ForeignTrace:
    rows = a_log(random, trace)
    first = random.randrange(len(rows))
    return without(trace, rows[first : first + random.randint(1, 6)])


def some_lines(random: Random, trace: ForeignTrace) -> ForeignTrace:
    count = random.randint(1, max(1, len(trace) // random.choice([2, 5, 20])))
    return without(trace, random.sample(range(len(trace)), count))


def both_ends_of_all(random: Random, trace: ForeignTrace) -> ForeignTrace:
    """Keep what came within some time, as if all logs were rotated, each a little later or earlier."""
    return without(trace, [row for rows in trace.programs for row in rows.tolist() if is_cut(random, trace, row)])


def is_cut(random: Random, trace: ForeignTrace, row: int) -> bool:
    share = trace.position[row] / len(trace.programs[trace.node[row]])
    return bool(share < 0.2 + random.random() / 5 or share > 0.9)


def lines_that_cannot_be_read(random: Random, trace: ForeignTrace) -> ForeignTrace:
    """Spoil some lines of logs of which somebody may well know that no line is missing."""
    lost = random.sample(range(len(trace)), random.randint(1, max(1, len(trace) // 5)))
    return replace(unreadable(trace, lost), is_declared_complete=random.random() < 0.5)


HOLES: Mapping[str, Hole] = {
    "nothing": lambda random, trace: trace,
    "a line": lambda random, trace: without(trace, [random.randrange(len(trace))]),
    "some lines": some_lines,
    "a head": a_head,
    "a tail": a_tail,
    "a block": a_block,
    "both ends of all": both_ends_of_all,
    "a machine": lambda random, trace: without_machine(trace, int(trace.node[random.randrange(len(trace))])),
    "lines that cannot be read": lines_that_cannot_be_read,
}


def is_fair(whole: ForeignTrace, trace: ForeignTrace) -> bool:
    """Whether no machine has lost its whole log, or one that somebody can know of.

    It is named, or has a file; or its number alone is missing in a row; or one is left, or two that tell one from all.
    """
    lost = {whole.nodes[node] for node in whole.node} - {trace.nodes[node] for node in trace.node}
    if len(lost) != 1 or lost <= set(trace.nodes) or len(trace.unread_file):
        return len(lost) < 2
    numbers = set(map(int, trace.nodes))
    to = set(trace.to[trace.is_send].tolist())
    is_missed = set(range(1, max(numbers))) - numbers == set(map(int, lost))
    return is_missed or len(numbers) == 1 or (len(numbers) == 2 and {ONE, ALL} <= to)


def judged(trace: ForeignTrace) -> tuple[str, str]:
    found = pair(trace)
    return found.clock_condition.verdict, found.exactly_once.verdict


@pytest.mark.parametrize("part", range(PARTS))
def test_a_clean_run_is_never_found_broken(part: int) -> None:
    """Whatever its logs say, and whatever of them is lost, some pairing violates nothing."""
    counts = dict.fromkeys(GRADES, 0)
    for seed in range(part * CLUSTERS, (part + 1) * CLUSTERS):
        random = Random(seed)
        events = run_of(random)
        for grade in GRADES:
            for _ in range(TRACES):
                whole = foreign(events, grade=grade, **what_logs_say(random))
                hole = random.choice(list(HOLES))
                trace = HOLES[hole](random, whole)
                if not is_fair(whole, trace):
                    hole, trace = "nothing", whole
                assert (seed, grade, hole, "clean") == (
                    *(seed, grade, hole),
                    "broken" if "violated" in judged(trace) else "clean",
                )
                counts[grade] += 1

    assert dict.fromkeys(GRADES, 10_000 // PARTS) == counts


@pytest.mark.parametrize("part", range(2))
def test_a_whole_clean_run_is_valid_by_id_and_else_consistent(part: int) -> None:
    """Where nothing is missing nothing is unknown, whether anybody declares it or not."""
    for seed in range(part * 150, part * 150 + 150):
        random = Random(seed)
        events = run_of(random)
        for grade in GRADES:
            said = what_logs_say(random)
            expected = "valid" if grade == "by-id" or not any(event.cause for event in events) else "consistent"
            for is_complete in (False, True):
                trace = foreign(events, grade=grade, is_complete=is_complete, **said)

                assert (seed, grade, expected, expected) == (seed, grade, *judged(trace))
