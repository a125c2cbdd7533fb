"""The nine checks on the columns of a long run beside its twin, in events a second; and the same from its tables.

Peers: a bare scan, the compiled sum over every column of both runs, and pyarrow, which only reads the same columns of
the same tables; both on one core. Scans on both cores say how free the second is. In a loop pyarrow works in memory
that it kept from the round before, and numpy's goes back to the system; `check RUN` reads once. So both are measured
once more with what they kept handed back, which is said beside the limit and is not judged.
"""

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from node.model import Model
from node.record import StopLine
from orchestrator import rundir
from orchestrator.labs.columns import run_in_columns
from orchestrator.labs.kernel.handing import columns_of
from orchestrator.labs.kernel.plan import plan_of
from orchestrator.labs.kernel.record import Record
from orchestrator.labs.kernel.run import run_plan
from orchestrator.labs.kernel.telling import stops_of
from orchestrator.native.compiled import compiled
from orchestrator.native.threads import on_cores
from orchestrator.trace import parquet
from orchestrator.trace.archive import Tables
from orchestrator.trace.check import CHECKS
from orchestrator.trace.columns import rhythm_of
from orchestrator.trace.proof.cluster import Cluster, cluster_of
from orchestrator.trace.proof.columns import Columns
from orchestrator.trace.proof.judge import Judging, prove
from orchestrator.trace.proof.unpack import unpacked
from tests.bench.figures import (
    AtLeast,
    Below,
    Bench,
    Row,
    Sample,
    Stopwatch,
    find_memory,
    interleave,
    per_second,
    ratio,
    row,
)
from tests.bench.table import table
from tests.clusters import cluster

SIZES: Final = ((3, 300_000), (100, 12_000))
"""Machines and seconds: about four million events each."""
SIZES_QUICK: Final = ((3, 300),)
EVENTS_A_SECOND_MIN: Final = 60e6
SCANS_MAX: Final = 6
READS_MAX: Final = 1.5
CORES: Final = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A run and its twin as columns, and what else a check must know."""

    machines: Mapping[int, Model]
    tables: Tables
    columns: Columns
    twin: Columns
    cluster: Cluster
    stops: Mapping[int, StopLine]


def prepared(machines: Mapping[int, Model], directory: Path) -> Run:
    """Return a run of these machines and its twin; nothing wider than columns is left of it."""
    run_in_columns(rundir.Run(directory), machines, name="bench")
    record, known = _record(machines), cluster_of(machines)
    assert known is not None
    stops = stops_of(record, machines)
    columns = columns_of(record)
    del record
    return Run(
        machines=machines,
        tables=Tables(*rundir.Run(directory).tables),
        columns=columns,
        twin=columns_of(_record(machines)),
        cluster=known,
        stops=stops,
    )


def check(run: Run, workers: int) -> None:
    """Judge a run by all nine laws, and see that all of them hold."""
    _check(run, run.columns, workers)


def check_tables(run: Run) -> None:
    """Read a run and judge it, on one core."""
    rhythm, number = rhythm_of(run.machines), np.array(list(run.machines), np.int64)
    columns = unpacked(run.tables.events, run.tables.messages, number, rhythm)

    assert columns is not None
    _check(run, columns, 1)


def read_by_pyarrow(run: Run) -> None:
    """Read every column of both tables into a numpy array, on one core."""
    for path in (run.tables.events, run.tables.messages):
        for column in pq.read_table(path, use_threads=False).columns:  # type: ignore[no-untyped-call]
            column.to_numpy()


def hand_back() -> None:
    """Give to the system what pyarrow and the allocator of this process keep for later."""
    pa.default_memory_pool().release_unused()
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _check(run: Run, columns: Columns, workers: int) -> None:
    judging = Judging(run.cluster, workers=workers)
    judging.go_on(columns, run.twin)

    assert set(CHECKS) == judging.valid(run.stops)


def run(rounds: int, quick: bool) -> list[Row]:
    """Return the rows of each size."""
    return [
        found for machines, seconds in (SIZES_QUICK if quick else SIZES) for found in _rows(machines, seconds, rounds)
    ]


def _rows(machines: int, seconds: float, rounds: int) -> list[Row]:
    pa.set_cpu_count(1)
    parquet.connection().execute("SET threads = 1")
    with TemporaryDirectory() as directory:
        return _rows_of(prepared(cluster(machines, seconds=seconds), Path(directory)), rounds)


def _rows_of(one: Run, rounds: int) -> list[Row]:
    contenders: dict[str, Callable[[], Sample]] = {
        "scan": partial(_sample, one, lambda: scan(one, 1)),
        "scans": partial(_sample, one, lambda: scan(one, CORES)),
        "one": partial(_sample, one, lambda: check(one, 1)),
        "two": partial(_sample, one, lambda: check(one, CORES)),
        "order": partial(_sample, one, lambda: _prove(one)),
        "pyarrow": partial(_sample, one, lambda: read_by_pyarrow(one)),
        "tables": partial(_sample, one, lambda: check_tables(one)),
        "pyarrow, once": partial(_sample, one, lambda: read_by_pyarrow(one), before=hand_back),
        "tables, once": partial(_sample, one, lambda: check_tables(one), before=hand_back),
    }
    samples = interleave(contenders, rounds)
    least, most = AtLeast(EVENTS_A_SECOND_MIN), Below(SCANS_MAX)
    return [
        row(f"{len(one.machines)} machines: bare scan", "/s", samples["scan"], per_second),
        row("  the same, two cores", "/s", samples["scans"], per_second),
        row("  all nine, one core", "/s", samples["one"], per_second),
        replace(ratio("  times a bare scan", samples["scan"], samples["one"], most), judged="cpu"),
        row("  all nine, two cores", "/s", samples["two"], per_second, least),
        row("  with the numbers of the order", "/s", samples["order"], per_second),
        row("  tables: read by pyarrow", "/s", samples["pyarrow"], per_second),
        row("  tables: read, and all nine", "/s", samples["tables"], per_second),
        replace(
            ratio("  times pyarrow's reading", samples["pyarrow"], samples["tables"], Below(READS_MAX)), judged="cpu"
        ),
        ratio("  the same, no memory kept", samples["pyarrow, once"], samples["tables, once"]),
    ]


def _sample(one: Run, work: Callable[[], Any], before: Callable[[], None] = lambda: None) -> Sample:
    before()
    find_memory()
    stopwatch = Stopwatch()
    work()
    return stopwatch.sample(len(one.columns))


def _prove(one: Run) -> None:
    proof = prove(one.columns, one.cluster, one.twin, stops=one.stops, workers=CORES)

    assert proof.numbers is not None


def scan(run: Run, workers: int) -> int:
    """Return the sum over every column of both runs."""
    columns = [getattr(columns, one.name) for columns in (run.columns, run.twin) for one in fields(columns)]
    with on_cores(workers) as pool:
        return sum(map(int, pool.map(_sum, columns)))


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


BENCH = Bench("check", "the nine checks, on columns and from tables", rounds=9, run=run, table=table)
