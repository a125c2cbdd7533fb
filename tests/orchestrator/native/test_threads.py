"""Threads for machine code: each begins on a core of its own, and may go where the system wants."""

import os
from threading import Barrier
from typing import Any

import pytest

from orchestrator.native.threads import cores, on_cores

DEADLINE_S = 10


def at_the_same_time(number: int) -> list[int]:
    """Return how many cores each of so many threads may use; none is done before all have begun."""
    together = Barrier(number)

    def work(_: int) -> int:
        together.wait(DEADLINE_S)
        return cores()

    with on_cores(number) as pool:
        return list(pool.map(work, range(number)))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
def test_each_begins_on_a_core_of_its_own_and_may_leave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[set[int]] = []
    choose = os.sched_setaffinity

    def note(who: int, among: Any) -> None:
        choose(who, among)
        chosen.append(os.sched_getaffinity(who))

    monkeypatch.setattr(os, "sched_setaffinity", note)
    every = os.sched_getaffinity(0)

    assert at_the_same_time(len(every)) == [len(every)] * len(every)
    assert sorted(map(sorted, chosen)) == sorted([[core] for core in every] + [sorted(every)] * len(every))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
def test_where_cores_must_not_be_chosen_threads_work_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_who: int, _among: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse)

    assert at_the_same_time(2) == [cores()] * 2


def test_where_cores_cannot_be_chosen_threads_work_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sched_setaffinity", "sched_getaffinity"):
        monkeypatch.delattr(os, name, raising=False)

    assert at_the_same_time(2) == [os.cpu_count()] * 2
