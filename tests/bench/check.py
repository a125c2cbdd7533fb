"""The nine checks on the columns of a long run beside its twin, in events a second.

Peer: a bare scan, the compiled sum over every column of both runs, on one core.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Final

import numpy as np

from node.model import Model
from node.record import StopLine
from orchestrator.labs.kernel.handing import columns_of
from orchestrator.labs.kernel.plan import plan_of
from orchestrator.labs.kernel.record import Record
from orchestrator.labs.kernel.run import run_plan
from orchestrator.labs.kernel.telling import stops_of
from orchestrator.native.compiled import compiled
from orchestrator.trace.check import CHECKS
from orchestrator.trace.proof.cluster import Cluster, cluster_of
from orchestrator.trace.proof.columns import Columns
from orchestrator.trace.proof.judge import Judging, prove
from tests.bench.figures import AtLeast, Below, Bench, Row, Sample, Stopwatch, interleave, per_second, ratio, row
from tests.bench.table import table
from tests.clusters import cluster

SIZES: Final = ((3, 300_000), (100, 12_000))
"""Machines and seconds: about four million events each."""
SIZES_QUICK: Final = ((3, 300),)
EVENTS_A_SECOND_MIN: Final = 60e6
SCANS_MAX: Final = 6
CORES: Final = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A run and its twin as columns, and what else a check must know."""

    columns: Columns
    twin: Columns
    cluster: Cluster
    stops: Mapping[int, StopLine]


def prepared(machines: Mapping[int, Model]) -> Run:
    """Return a run of these machines and its twin; nothing wider than columns is left of it."""
    record, known = _record(machines), cluster_of(machines)
    assert known is not None
    stops = stops_of(record, machines)
    columns = columns_of(record)
    del record
    return Run(columns=columns, twin=columns_of(_record(machines)), cluster=known, stops=stops)


def check(run: Run, workers: int) -> None:
    """Judge a run by all nine laws, and see that all of them hold."""
    judging = Judging(run.cluster, workers=workers)
    judging.go_on(run.columns, run.twin)

    assert set(CHECKS) == judging.valid(run.stops)


def run(rounds: int, quick: bool) -> list[Row]:
    """Return the rows of each size."""
    return [
        found for machines, seconds in (SIZES_QUICK if quick else SIZES) for found in _rows(machines, seconds, rounds)
    ]


def _rows(machines: int, seconds: float, rounds: int) -> list[Row]:
    one = prepared(cluster(machines, seconds=seconds))
    contenders: dict[str, Callable[[], Sample]] = {
        "scan": partial(_sample, one, lambda: scan(one)),
        "one": partial(_sample, one, lambda: check(one, 1)),
        "two": partial(_sample, one, lambda: check(one, CORES)),
        "order": partial(_sample, one, lambda: _prove(one)),
    }
    samples = interleave(contenders, rounds)
    least, most = AtLeast(EVENTS_A_SECOND_MIN), Below(SCANS_MAX)
    return [
        row(f"{machines} machines: bare scan", "/s", samples["scan"], per_second),
        row("  all nine, one core", "/s", samples["one"], per_second),
        replace(ratio("  times a bare scan", samples["scan"], samples["one"], most), judged="cpu"),
        row("  all nine, two cores", "/s", samples["two"], per_second, least),
        row("  with the numbers of the order", "/s", samples["order"], per_second),
    ]


def _sample(one: Run, work: Callable[[], Any]) -> Sample:
    stopwatch = Stopwatch()
    work()
    return stopwatch.sample(len(one.columns))


def _prove(one: Run) -> None:
    proof = prove(one.columns, one.cluster, one.twin, stops=one.stops, workers=CORES)

    assert proof.numbers is not None


def scan(run: Run) -> int:
    """Return the sum over every column of both runs."""
    return sum(int(_sum(getattr(columns, one.name))) for columns in (run.columns, run.twin) for one in fields(columns))


@compiled
def _sum(column: Any) -> Any:
    total = np.int64(0)
    for each in column:
        total += np.int64(each)
    return total


def _record(machines: Mapping[int, Model]) -> Record:
    record = run_plan(plan_of(machines))
    assert record is not None
    return record


BENCH = Bench("check", "the nine checks on columns, beside a bare scan of them", rounds=9, run=run, table=table)
