"""What each kind of log reveals: the common mistakes, planted in the shipped code, in simulated runs of the exercise.

Counts verdicts and measures no time: a round is one seed, and the same seeds always give the same counts.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product, zip_longest
from typing import Any, Final, NamedTuple, TypeAlias

import pytest

from node.clock import CLOCKS, LamportNoIncrement
from node.event import Event, Message
from node.process import Process, Step
from orchestrator.audit import check
from orchestrator.audit.revealed import share
from orchestrator.labs.simulated import simulate
from orchestrator.trace.check import Report
from orchestrator.trace.verdict import Evidence
from tests.bench.figures import Bench
from tests.clusters import cluster
from tests.foreign import foreign
from tests.mistakes import MISTAKES

FIRST_SEED = 262
SECONDS, SECONDS_QUICK = 60, 5
INTERNAL: Final = (0.7, 0.3)
"""The share of internal events: the exercise's, and one with more messages."""
TIME_UNIT_NS = 1000
WIDTH, NAME_WIDTH, CELL_WIDTH_MAX = 80, 36, 11


GRADES: Final[Mapping[Evidence, str]] = {
    "by-id": "id",
    "by-order": "order",
    "by-stamp": "stamp",
    "by-counting": "count",
}
"""By what, in a word."""


class Kind(NamedTuple):
    """A kind of log: what a receive names, whether a send names its recipients, whether every event has a time."""

    grade: Evidence
    names_recipients: bool
    has_times: bool

    @property
    def head(self) -> str:
        """The kind as the head of a column."""
        return f"{GRADES[self.grade]}{'' if self.names_recipients else ', to ?'}"


KINDS: Final = tuple(
    Kind(grade, names_recipients, has_times)
    for has_times in (True, False)
    for grade in GRADES
    for names_recipients in ((True,) if grade == "by-id" else (True, False))
)
REMARKED: Final = (KINDS[0], Kind("by-counting", names_recipients=False, has_times=True))
"""The kinds of which remarks are counted: the best, and the one that the exercise asks for."""

TOPICS: Final = {
    "steps": re.compile("raised the clock by more than 1"),
    "queue": re.compile("queue lengths do not add up|by the recorded queue|recorded more messages than"),
    "ticks": re.compile("^the ticks of "),
    "die": re.compile("do not roll one die"),
}
"""What remarks are about, and the words by which they are known."""


Plant: TypeAlias = Callable[[pytest.MonkeyPatch], None]


def increment_then_maximum(patch: pytest.MonkeyPatch) -> None:
    """Increment, then take the maximum, and forget that a receive comes after its send."""
    patch.setitem(CLOCKS, "lamport", LamportNoIncrement())


def message_received_twice(patch: pytest.MonkeyPatch) -> None:
    """Take in each tenth message of a link twice, as if it had been sent again and nobody noticed."""
    deliver = Process.deliver

    def planted(self: Process, message: Message) -> None:
        for _ in range(2 if message.number % 10 == 0 else 1):
            deliver(self, message)

    patch.setattr(Process, "deliver", planted)


def message_to_one_sent_to_all(patch: pytest.MonkeyPatch) -> None:
    """Broadcast what was meant, and logged, for one."""
    act = Process._act

    def planted(self: Process, tick: int, due_ns: int) -> Step:
        step = act(self, tick, due_ns)
        messages = [message for _, message in step.sent[:1]]
        return Step(step.event, tuple((peer, message) for peer in self.model.peers for message in messages))

    patch.setattr(Process, "_act", planted)


def no_mistake(patch: pytest.MonkeyPatch) -> None:
    """Leave all as it is."""


MUST_BE_FOUND: Final = (
    *(one.plant for one in MISTAKES.values() if one.named_by in ("clock-condition", "exactly-once")),
    *(increment_then_maximum, message_received_twice, message_to_one_sent_to_all),
)
"""They break what happened before what; the other mistakes only what the exercise asks for."""
PLANTS: Final = (no_mistake, *dict.fromkeys((*MUST_BE_FOUND, *(one.plant for one in MISTAKES.values()))))


@dataclass(frozen=True, slots=True)
class Found:
    """In how many of some runs a kind of log with a mistake is BROKEN, or CANNOT TELL, and what remarks were on."""

    internal: float
    kind: Kind
    mistake: str
    runs: int
    violated: int
    unknown: int
    remarked: Mapping[str, int]
    must_be: int | None
    """How many runs must be BROKEN."""

    @property
    def is_met(self) -> bool | None:
        """Whether the limit is kept; None if there is none."""
        return None if self.must_be is None else self.violated == self.must_be

    def without_limit(self) -> "Found":
        return replace(self, must_be=None)

    def as_json(self) -> dict[str, Any]:
        return {
            "internal": self.internal,
            **self.kind._asdict(),
            "mistake": self.mistake,
            "runs": self.runs,
            "violated": self.violated,
            "unknown": self.unknown,
            "remarked": dict(self.remarked),
            "must_be": self.must_be,
            "met": self.is_met,
        }


def run(rounds: int, quick: bool) -> list[Found]:
    """Return what is found in so many runs of each setting, with each mistake, in each kind of log."""
    duration_s = SECONDS_QUICK if quick else SECONDS
    rows: list[Found] = []
    for internal, plant in product(INTERNAL, PLANTS):
        counts: dict[Kind, Counter[str]] = {kind: Counter() for kind in KINDS}
        for seed in range(FIRST_SEED, FIRST_SEED + rounds):
            events = _planted(plant, seed, internal, duration_s)
            for kind, count in counts.items():
                count.update(_said(audited(events, kind)))
        rows += [_found(internal, kind, plant, rounds, count) for kind, count in counts.items()]
    return rows


def audited(events: Sequence[Event], kind: Kind) -> Report:
    """Return what the audit says of a run that was logged in this way."""
    return check(foreign(events, **kind._asdict(), has_index=False, unit_ns=TIME_UNIT_NS))


def _planted(plant: Plant, seed: int, internal: float, duration_s: int) -> list[Event]:
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        return list(simulate(cluster(seed=seed, seconds=duration_s, internal_probability=internal)))


def _said(report: Report) -> Iterator[str]:
    """Yield the verdict, and each topic on which there is a remark."""
    yield report.verdict
    for topic, words in TOPICS.items():
        if any(words.search(remark) for remark in report.remarks):
            yield topic


def _found(internal: float, kind: Kind, plant: Plant, runs: int, count: Mapping[str, int]) -> Found:
    is_always = kind.grade == "by-id" or (kind.grade == "by-order" and kind.names_recipients and kind.has_times)
    must_be = 0 if plant == no_mistake else runs if is_always and plant in MUST_BE_FOUND else None
    remarked = {topic: count[topic] for topic in TOPICS}
    return Found(internal, kind, plant.__name__, runs, count["violated"], count["unknown"], remarked, must_be)


class Grid(NamedTuple):
    """A table before it is written: heads without the first, and lines that begin with a mistake."""

    title: str
    heads: Sequence[str]
    lines: Sequence[Sequence[str]]


def grids(rows: Sequence[Found]) -> Iterator[Grid]:
    """Yield a table of verdicts for each setting with times and without, then one of remarks."""
    for internal, has_times in product(INTERNAL, (True, False)):
        some = [row for row in rows if row.internal == internal and row.kind.has_times == has_times]
        heads = [kind.head for kind in KINDS if kind.has_times == has_times]
        yield Grid(
            f"{_setting(internal)} internal, {'times' if has_times else 'no times'}", heads, _lines(some, _verdict)
        )
    some = [row for row in rows if row.kind in REMARKED]
    heads = [f"{kind.head}, {_setting(internal)}" for internal in INTERNAL for kind in REMARKED]
    yield Grid("Remarks, times", heads, _lines(some, _remarks))


def table(rows: Sequence[Found]) -> Iterator[str]:
    """Yield all tables for a terminal."""
    yield "percent of the runs that are BROKEN; behind a + those that are CANNOT TELL"
    for title, heads, lines in grids(rows):
        width = min(CELL_WIDTH_MAX, (WIDTH - NAME_WIDTH) // len(heads))
        yield f"\n{title}"
        for line in (*zip_longest([""], *(head.split(", ") for head in heads), fillvalue=""), *lines):
            yield (f"{line[0]:<{NAME_WIDTH}}" + "".join(f"{cell:>{width}}" for cell in line[1:])).rstrip()


def _lines(rows: Sequence[Found], cell: Callable[[Found], str]) -> list[Sequence[str]]:
    """Return a line for each mistake."""
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row.mistake.replace("_", " "), []).append(cell(row))
    return [(name, *line) for name, line in lines.items()]


def _verdict(row: Found) -> str:
    unknown = f"+{share(row.unknown, row.runs)}" if row.unknown else ""
    return f"{share(row.violated, row.runs)}{unknown}"


def _remarks(row: Found) -> str:
    return ", ".join(f"{topic} {share(count, row.runs)}" for topic, count in row.remarked.items() if count) or "-"


def _setting(internal: float) -> str:
    return f"{100 * internal:.0f} %"


BENCH = Bench("evidence", "what each kind of log reveals", rounds=100, run=run, table=table)
