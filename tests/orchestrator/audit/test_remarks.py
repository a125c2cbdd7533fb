"""Remarks: none on clean runs of what a clean run cannot show, and each where its oddity is planted."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from node.model import Model
from orchestrator.audit.dice import dice_remarks
from orchestrator.audit.remarks import remarks
from orchestrator.audit.store import ALL, INTERNAL, ONE, RECEIVE, SEND, ForeignTrace
from orchestrator.trace.order import Edges
from tests.clusters import cluster
from tests.foreign_runs import NOTHING, foreign_run, kept, less
from tests.foreign_traces import foreign_trace
from tests.mistakes import MISTAKES

A, B, C = 0, 1, 2
TOPOLOGIES: tuple[dict[int, tuple[int, ...]] | None, ...] = (
    None,
    {1: (2,), 2: (3,), 3: (1,)},
    {1: (2, 3), 2: (1,), 3: (1,)},
    {1: (2,), 2: (1, 3), 3: ()},
)
ABOUT_MESSAGES = ("never received", "nobody sends to", "never receives", "never receive anything")


def clean_runs(count: int) -> Iterator[tuple[int, dict[int, Model]]]:
    for seed in range(count):
        yield (
            seed,
            cluster(
                2 + seed % 2 if seed % 4 == 0 else 3,
                seed=seed,
                seconds=(5, 20, 60)[seed % 3],
                delay_ms=(0, 50)[seed % 2],
                topology=TOPOLOGIES[seed % 4],
            ),
        )


def test_a_clean_run_deserves_no_remark_but_on_messages_that_wait_in_the_end() -> None:
    """Steps, queue lengths, dice and ticks are in order, by the best log and by one that names nobody."""
    for seed, machines in clean_runs(300):
        trace, edges = foreign_run(machines)
        nameless = less(replace(trace, to=np.minimum(trace.to, ONE)), "sender", "message", "stamp", "index")
        for run, messages in ((trace, edges), (nameless, NOTHING)):
            odd = [remark for remark in remarks(run, messages) if not any(part in remark for part in ABOUT_MESSAGES)]
            assert (seed, []) == (seed, odd)


def planted(name: str) -> Callable[[pytest.MonkeyPatch, dict[int, Model]], tuple[ForeignTrace, Edges]]:
    """Return how a run goes in which a student made a mistake."""

    def run(patch: pytest.MonkeyPatch, machines: dict[int, Model]) -> tuple[ForeignTrace, Edges]:
        MISTAKES[name].plant(patch)
        return foreign_run(machines)

    return run


def with_another_die(_: pytest.MonkeyPatch, machines: dict[int, Model]) -> tuple[ForeignTrace, Edges]:
    return foreign_run(machines | {2: replace(machines[2], internal_probability=0.2)})


def with_times(change: Callable[[np.ndarray], np.ndarray]) -> Callable[..., tuple[ForeignTrace, Edges]]:
    def run(_: pytest.MonkeyPatch, machines: dict[int, Model]) -> tuple[ForeignTrace, Edges]:
        trace, edges = foreign_run(machines)
        return replace(trace, time_ns=trace.time_ns + change(trace.position)), edges

    return run


def with_lengths(change: Callable[[ForeignTrace], np.ndarray]) -> Callable[..., tuple[ForeignTrace, Edges]]:
    def run(_: pytest.MonkeyPatch, machines: dict[int, Model]) -> tuple[ForeignTrace, Edges]:
        trace, edges = foreign_run(machines)
        return replace(trace, queue=change(trace)), edges

    return run


def every_ninth(trace: ForeignTrace) -> np.ndarray:
    return trace.position % 9 == 0


@pytest.mark.parametrize(
    ("run", "beginning", "part"),
    [
        (planted("broadcast_counted_for_each_recipient"), "", "sends raised the clock by more than 1, up to 2, which"),
        (planted("merge_on_arrival"), "", "raised the clock by more than 1, up to"),
        (with_lengths(lambda trace: np.where(every_ninth(trace), 9, trace.queue)), "recorded queue lengths do not", ""),
        (with_lengths(lambda trace: trace.queue + every_ninth(trace)), "", "did something else while a message waited"),
        (
            with_lengths(lambda trace: trace.queue + 9999),
            "",
            "recorded more messages than there can be: first a:1, with",
        ),
        (with_another_die, "the machines do not roll one die: of the", "of machine b"),
        (
            with_times(lambda position: position * 5_000_000),
            "the ticks of machines a, b and c come ever later",
            "sleep",
        ),
        (with_times(lambda position: position * -2_000_000), "the ticks of machines a, b and c come ever earlier", ""),
        (
            with_times(lambda position: (position > 30) * 10**10),
            "the ticks of machines a, b and c have 3 gaps: the",
            "",
        ),
    ],
)
def test_what_is_odd_is_remarked(
    run: Callable[..., tuple[ForeignTrace, Edges]], beginning: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each oddity, planted into a clean run, is one sentence that no clean run gets."""
    clean = list(remarks(*foreign_run(cluster(3, seconds=60))))

    found = [
        remark for remark in remarks(*run(monkeypatch, cluster(3, seconds=60, delay_ms=50))) if remark not in clean
    ]

    assert len([remark for remark in found if remark.startswith(beginning) and part in remark]) == 1
    assert not [remark for remark in found if "\n" in remark or remark.endswith(".")]


def test_a_remark_says_how_often_and_where_first() -> None:
    """Figures and a place, so that one need not search."""
    trace = replace(
        foreign_trace([A, A, B, A, B]),
        clock_kind="scalar",
        clock=np.array([1, 3, 1, 7, 2]),
        kind=np.array([INTERNAL, SEND, RECEIVE, INTERNAL, RECEIVE]),
        to=np.array([ONE, B, ONE, ONE, ONE]),
        sender=np.array([-1, -1, A, -1, A]),
    )

    steps, unsent = remarks(trace, NOTHING)
    assert steps == (
        "1 send and 1 internal event raised the clock by more than 1, up to 4, which only a receive has a reason for: "
        "first a:2, by 2 (t.log:2)"
    )
    assert unsent == "nobody sends to machine a"


def test_steps_where_lines_are_missing_are_not_odd() -> None:
    """What lies between explains them: lines that could not be read, or an index that leaps."""
    columns: dict[str, Any] = {
        "clock_kind": "scalar",
        "clock": np.array([1, 2, 5, 6]),
        "kind": np.array([INTERNAL, INTERNAL, INTERNAL, SEND]),
    }
    trace = replace(foreign_trace([A] * 4), **columns)
    steps = [len([remark for remark in remarks(each, NOTHING) if "raised the clock" in remark]) for each in (
        trace,
        replace(trace, index=np.array([1, 2, 3, 4])),
        replace(trace, index=np.array([1, 2, 5, 6])),
        replace(trace, line=np.array([1, 2, 4, 5]), unread_file=np.array([0]), unread_line=np.array([3])),
        replace(trace, clock_kind="fractional", clock_scale=10),
        replace(trace, clock_kind="none"),
        replace(trace, kind=np.full(4, RECEIVE)),
    )]  # fmt: skip

    assert steps == [1, 1, 0, 0, 0, 0, 0]


def told(kinds: list[int], to: list[int], sender: list[int]) -> ForeignTrace:
    trace = foreign_trace([A, A, B, C], nodes=3)
    return replace(trace, kind=np.array(kinds), to=np.array(to), sender=np.array(sender))


def test_machines_that_messages_do_not_reach_are_named() -> None:
    """Nobody sends to the one, the other never takes what was sent to it."""
    trace = told([SEND, SEND, RECEIVE, SEND], [B, C, ONE, B], [-1, -1, A, -1])

    assert list(remarks(trace, NOTHING)) == [
        "nobody sends to machine a",
        "machine c never receives anything",
        "2 of 3 messages sent (66.7 %) were never received: 1 from machine c to b and 1 from machine a to c",
    ]


def test_a_log_without_receives_is_odd_as_a_whole() -> None:
    """It need not be the machines' fault."""
    assert list(remarks(told([SEND, SEND, INTERNAL, SEND], [B, C, ONE, ALL], [-1] * 4), NOTHING)) == [
        "no event is a receive, though there are 3 sends: nothing was ever received, or receives are not logged"
    ]


def test_vectors_tell_who_never_heard_of_another() -> None:
    """The only remark that a log with nothing but vectors can deserve."""
    trace = foreign_trace([A, B, C], vectors=[(1, 0, 0), (1, 1, 0), (0, 0, 1)])

    assert list(remarks(trace, Edges(np.array([0]), np.array([1])))) == [
        "machines a and c never heard of another machine, by the vector clocks"
    ]


def test_messages_left_over_come_with_what_the_queues_hold_and_the_first() -> None:
    """Those in a queue at the end only wait; the first that is missing is where to look for one that was lost."""
    trace = told([SEND, SEND, RECEIVE, RECEIVE], [B, B, ONE, ONE], [-1, -1, A, A])
    trace = replace(trace, queue=np.array([0, 0, 1, 0]), to=np.array([ALL, B, ONE, ONE]))

    found = list(remarks(trace, Edges(np.array([0, 0]), np.array([2, 3]))))

    assert found[-1] == (
        "1 of 3 messages sent (33.3 %) was never received: 1 from machine a to b; the last recorded queues hold 1; "
        "the first is of a:2 (t.log:2)"
    )


def test_names_of_others_cannot_break_a_line() -> None:
    """Nor fill the screen."""
    trace = told([SEND, SEND, RECEIVE, SEND], [B, C, ONE, B], [-1, -1, A, -1])
    trace = replace(trace, nodes=("a\n\x1b[31m", "b" * 5000, "c"))

    found = list(remarks(trace, NOTHING))

    assert len(found) == 3
    assert all(remark.isprintable() and len(remark) < 300 for remark in found)


def test_a_trace_without_events_deserves_no_remark() -> None:
    """Nor one of a single machine that talks to nobody."""
    assert list(remarks(foreign_trace([], nodes=2), NOTHING)) == []
    alone = replace(foreign_trace([A, A]), kind=np.array([INTERNAL, INTERNAL]))
    assert list(remarks(alone, NOTHING)) == []


def test_machines_that_do_not_tick_are_not_asked_for_one_die() -> None:
    """A client and a server differ by what they are."""
    trace, _ = foreign_run(cluster(3, seconds=60))
    trace = replace(trace, kind=np.where((trace.node == B) & (trace.kind == INTERNAL), SEND, trace.kind))

    assert len(list(dice_remarks(trace))) == 1
    assert list(dice_remarks(kept(trace, np.flatnonzero(np.arange(len(trace)) % 3 != 0)))) == []
