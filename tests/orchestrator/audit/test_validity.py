"""Whether vector clocks can be true: the law against a dumb search for what may have stood in the holes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from math import prod

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.audit.validity import vector_valid
from orchestrator.trace.findings import Check
from tests.executions import Execution, Vector, executions
from tests.foreign_traces import foreign_trace

COMPLETIONS_MAX = 400

Record = list[tuple[int, Vector]]
"""The machine and the vector of each event."""


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Draw some events of a small execution, of which some are told wrong; lines stand in any order."""
    execution = draw(executions(machines_max=3, events_max=7))
    events = list(zip(execution.node, execution.vectors, strict=True))
    lines = draw(st.permutations(events))
    lines = lines[: draw(st.integers(max(0, len(lines) - 3), len(lines)))]
    for _ in range(draw(st.integers(0, 2)) if lines else 0):
        place, machine = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, execution.machines - 1))
        node, vector = lines[place]
        told = list(vector)
        told[machine] = max(0, told[machine] + draw(st.integers(-2, 2)))
        lines[place] = (node, tuple(told))
    return lines


def can_happen(events: Mapping[tuple[int, int], Vector]) -> bool:
    """Execute events by the rule, each as soon as it can be: what it knows is its machine's and some others', merged.

    Source: Fidge (1988), rules 2 and 3; Mattern (1988), section 5.
    """
    done: dict[tuple[int, int], Vector] = {}
    while len(done) < len(events):
        for (machine, number), vector in events.items():
            previous = done.get((machine, number - 1))
            if (machine, number) in done or (number > 1 and previous is None):
                continue
            known = [previous or (0,) * len(vector), *(one for one in done.values() if is_within(one, vector))]
            merged = [max(entries) for entries in zip(*known, strict=True)]
            merged[machine] = number
            if tuple(merged) == vector and (previous is None or is_within(previous, vector)):
                done[machine, number] = vector
                break
        else:
            return False
    return True


def is_within(smaller: Vector, larger: Vector) -> bool:
    return all(one <= other for one, other in zip(smaller, larger, strict=True))


def numbers_named(record: Record) -> list[int]:
    """Return how many events each machine has had at least."""
    return [max(entries) for entries in zip(*(vector for _, vector in record), strict=True)]


def missing(record: Record) -> list[tuple[int, int]]:
    """Return the events that must have been there and are not in the record: machine and number."""
    there = {(machine, vector[machine]) for machine, vector in record}
    most = enumerate(numbers_named(record))
    return [
        (machine, number) for machine, count in most for number in range(1, count + 1) if (machine, number) not in there
    ]


def completions(record: Record) -> Iterator[dict[tuple[int, int], Vector]]:
    """Yield the record with everything that may have stood in its holes."""
    there = {(machine, vector[machine]): vector for machine, vector in record}
    holes = missing(record)
    most = numbers_named(record)
    ranges = [
        [range(count + 1) if place != machine else (number,) for place, count in enumerate(most)]
        for machine, number in holes
    ]
    for filled in product(*(list(product(*entries)) for entries in ranges)):
        yield there | dict(zip(holes, filled, strict=True))


def is_few(record: Record) -> bool:
    """Return whether the dumb search ends soon."""
    sizes = [count + 1 for count in numbers_named(record)]
    return prod(prod(sizes) // sizes[machine] for machine, _ in missing(record)) <= COMPLETIONS_MAX


def can_be_true(record: Record) -> bool:
    """Return whether some execution has left this record, whatever is missing in it."""
    numbers = [(machine, vector[machine]) for machine, vector in record]
    if len(set(numbers)) < len(numbers) or any(number == 0 for _, number in numbers):
        return False
    return any(can_happen(events) for events in completions(record))


def check(record: Record, *, machines: int = 3, is_complete: bool = False) -> Check:
    node, vectors = [machine for machine, _ in record], [vector for _, vector in record]
    return vector_valid(
        foreign_trace(node, nodes=len(vectors[0]) if vectors else machines, vectors=vectors, is_complete=is_complete)
    )


@settings(max_examples=300)
@given(records())
def test_the_law_is_that_no_completion_exists(record: Record) -> None:
    """Violated iff nothing that can stand in the holes gives what can happen; else unknown iff there are any."""
    assume(record and is_few(record) and not is_called_otherwise(record))
    expected = "violated" if not can_be_true(record) else "unknown" if missing(record) else "valid"

    assert expected == check(record).verdict


@given(records())
def test_where_no_line_is_missing_a_hole_is_a_violation(record: Record) -> None:
    """A log that is declared complete has no holes, so that nothing is unknown; but a machine without a log may be."""
    assume(record and not is_called_otherwise(record))
    has_log = {machine for machine, _ in record}
    absent = [(machine, number) for machine, number in missing(record) if machine not in has_log]
    assume(not absent)
    expected = "violated" if missing(record) or not can_be_true(record) else "valid"

    assert expected == check(record, is_complete=True).verdict


def is_called_otherwise(record: Record) -> bool:
    """Return whether a machine has no entry of its own in any vector, and another has no log."""
    logs = {machine: [vector[machine] for node, vector in record if node == machine] for machine, _ in record}
    return len(logs) < len(record[0][1]) and any(not any(own) for own in logs.values())


@given(executions(machines_max=5, events_max=40), st.data())
def test_what_happened_is_never_broken(execution: Execution, data: st.DataObject) -> None:
    """A record of an execution is valid; without some of its lines, in any order, it is never violated."""
    record = list(zip(execution.node, execution.vectors, strict=True))
    lines = data.draw(st.permutations(record))
    some = lines[: data.draw(st.integers(0, len(lines)))]

    assert check(lines, is_complete=True).verdict == ("valid" if lines else "unknown")
    assert check(lines).verdict == ("valid" if lines else "unknown")
    assert check(some).violations in (0, None)
    assert check(some).verdict == ("unknown" if not some or missing(some) else "valid")


BROKEN: dict[str, tuple[int, Record, str]] = {
    "no-number": (
        1,
        [(0, (0, 0)), (1, (0, 1))],
        """
        a:1 (t.log:1) has no entry of its own in its vector. That is the event's number: 1 at a machine's first event,
        and 1 more at each.
        """,
    ),
    "number-again": (
        2,
        [(0, (1, 0)), (1, (0, 1)), (0, (1, 1)), (1, (0, 1))],
        """
        a:2 (t.log:3) is number 1 of its machine, and so is a:1 (t.log:1), with another vector.
        A machine counts each of its events: no two have one number.
        b:2 (t.log:4) is number 1 of its machine, and so is b:1 (t.log:2), with the same vector.
        A machine counts each of its events: no two have one number.
        """,
    ),
    "backwards": (
        1,
        [(1, (0, 1)), (1, (0, 2)), (0, (2, 1)), (0, (1, 2))],
        """
        a:2 (t.log:3) knows 1 event of b; a:1 (t.log:4), before it, knew 2.
        A machine never knows less than it knew: at least 2.
        """,
    ),
    "circle": (
        2,
        [(0, (1, 1)), (1, (1, 1))],
        """
        a:1 (t.log:1) knows 1 event of b, b:1 (t.log:2) among them; but that knew 1 event of a, a:1 (t.log:1) among
        them. Two events cannot each happen before the other: either the first knows at most 0 of b, or the second at
        most 0 of a.
        b:1 (t.log:2) knows 1 event of a, a:1 (t.log:1) among them; but that knew 1 event of b, b:1 (t.log:2) among
        them. Two events cannot each happen before the other: either the first knows at most 0 of a, or the second at
        most 0 of b.
        """,
    ),
    "not-contained": (
        1,
        [(2, (0, 0, 1)), (1, (0, 1, 1)), (0, (1, 1, 0))],
        """
        a:1 (t.log:3) knows 1 event of b, b:1 (t.log:2) among them, but 0 events of c, of which that knew 1.
        Who knows of an event knows all that it knew: at least 1.
        """,
    ),
    "not-contained-across-a-hole": (
        1,
        [(2, (0, 0, 1)), (1, (0, 1, 1)), (0, (1, 3, 0))],
        """
        a:1 (t.log:3) knows 3 events of b, b:1 (t.log:2) among them, but 0 events of c, of which that knew 1.
        Who knows of an event knows all that it knew: at least 1.
        """,
    ),
}


@pytest.mark.parametrize(("violations", "record", "words"), BROKEN.values(), ids=BROKEN)
def test_a_violation_says_what_stood_there_and_what_must(violations: int, record: Record, words: str) -> None:
    """A person reads which event it is, where it stands, what is wrong with it, and the least that would do."""
    found = check(record)

    assert (found.verdict, found.evidence, found.violations) == ("violated", "by-id", violations)
    assert " ".join(found.examples) == " ".join(words.split())


HOLES: dict[str, tuple[Record, str]] = {
    "first": ([(0, (2,))], "number 1 is missing in the log of a, before number 2 (t.log:1)."),
    "between": (
        [(0, (1,)), (0, (4,)), (0, (6,))],
        """
        the numbers 2 to 3 are missing in the log of a, before number 4 (t.log:2).
        number 5 is missing in the log of a, before number 6 (t.log:3).
        """,
    ),
    "behind-the-last": (
        [(0, (1, 2)), (1, (0, 1)), (0, (2, 4)), (0, (3, 4))],
        """
        a:2 (t.log:3) knows 4 events of b, whose log ends with number 1: what those that are missing knew cannot be
        told.
        """,
    ),
    "no-log": (
        [(0, (1, 2))],
        "a:1 (t.log:1) knows 2 events of b, whose log is not there: what those that are missing knew cannot be told.",
    ),
    "another-name": (
        [(0, (0, 1)), (0, (0, 2))],
        "no vector of a has an entry of its own: is it called something else there?",
    ),
    "another-name-among-others": (
        [(0, (0, 1, 1)), (0, (0, 1, 2)), (1, (0, 1, 0)), (1, (0, 2, 2))],
        """
        no vector of a has an entry of its own: is it called something else there?
        b:2 (t.log:4) knows 2 events of c, whose log is not there: what those that are missing knew cannot be told.
        """,
    ),
}


@pytest.mark.parametrize(("record", "words"), HOLES.values(), ids=HOLES)
def test_a_hole_is_no_violation(record: Record, words: str) -> None:
    """What is missing is said machine by machine, and nothing is rejected for it."""
    found = check(record)

    assert (found.verdict, found.violations) == ("unknown", 0)
    assert " ".join(found.examples) == " ".join(words.split())


def test_a_hole_in_a_complete_log_is_a_violation() -> None:
    """Where somebody says that no line is missing, a number that is not there does not exist."""
    found = check([(0, (1, 2)), (0, (3, 4)), (1, (0, 1)), (1, (0, 3))], is_complete=True)

    assert found.violations == 3
    assert found.examples == (
        "a:1 (t.log:1) knows 2 events of b, whose log has no number 2, and no line of it is missing.",
        "a:2 (t.log:2) comes after 1 event of its machine, and no line is missing: its own entry must be 2.",
        "b:2 (t.log:4) comes after 1 event of its machine, and no line is missing: its own entry must be 2.",
    )


def test_a_complete_log_ends_with_its_last_number() -> None:
    """Nobody can know more events of a machine than it had."""
    found = check([(0, (1, 2)), (1, (0, 1))], is_complete=True)

    assert found.examples == (
        "a:1 (t.log:1) knows 2 events of b, whose log ends with number 1, and no line of it is missing.",
    )


def test_a_line_that_cannot_be_read_may_be_what_is_missing() -> None:
    """Whoever says that no line is missing cannot know which of them we cannot read."""
    trace = foreign_trace([0, 0], vectors=[(1,), (3,)], is_complete=True, unread_lines=[2])

    assert vector_valid(trace).verdict == "unknown"


def test_a_vector_that_cannot_be_read_is_not_judged() -> None:
    """All that is there may hold; what is not known is said."""
    found = vector_valid(foreign_trace([0], vectors=[(1,)], doubts=("t.log:2: no vector clock: '{a'",)))

    assert found.verdict == "unknown"
    assert found.examples == ("nobody knows the vector of t.log:2: no vector clock: '{a'.",)


def test_names_that_others_chose_stay_on_one_line() -> None:
    """What stands in a log never moves a cursor, and never breaks a line."""
    trace = replace(foreign_trace([0], vectors=[(0,)]), nodes=("\x1b[2J\u2028a",), files=("x\n.log",))

    assert vector_valid(trace).examples[0].startswith("?[2J?a:1 (x?.log:1) has no entry")


def test_a_log_without_vectors_is_not_subject_to_the_law() -> None:
    """It is not valid for it either."""
    assert vector_valid(foreign_trace([0, 1])).verdict == "not-applicable"
