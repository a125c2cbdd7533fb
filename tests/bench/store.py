"""A run in columns: bytes an event, and nanoseconds of CPU an event to write and to read, at 3 to 100,000 machines.

Peers: pyarrow, which reads the same columns of the same files, and event logs, written and read for a shorter time.
What is read are the narrow columns of a long run; beside it the plain way to the columns of any, which is not judged.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from node.model import Model
from orchestrator.config import Experiment
from orchestrator.labs.columns import run_in_columns
from orchestrator.labs.kernel.plan import plan_of
from orchestrator.labs.kernel.run import run_plan
from orchestrator.labs.kernel.telling import columns_of
from orchestrator.labs.simulated import run_simulated
from orchestrator.rundir import Run
from orchestrator.trace import parquet
from orchestrator.trace.archive import Tables, read_columns
from orchestrator.trace.columns import rhythm_of, stored
from orchestrator.trace.proof.unpack import unpacked
from orchestrator.trace.read import read_trace
from tests.bench.figures import Bench, Sample, Spread, Stopwatch, find_memory, interleave, spread

BYTES_MAX: Final = 5
READ_MAX: Final = 1.5
DELAY: Final = "10ms"


@dataclass(frozen=True)
class Size:
    """A row: so many machines for so long, who send to so many others; the smaller ones to all."""

    machines: int
    duration: str
    fan_out: int | None
    rounds: int


SIZES: Final = (
    Size(3, "20h", None, 9),
    Size(100, "10m", None, 9),
    Size(10_000, "20s", 3, 5),
    Size(100_000, "10s", 3, 3),
)
SIZES_QUICK: Final = (Size(3, "10m", None, 1), Size(2_000, "1s", 3, 1))
OF_LINES: Final = Size(3, "10m", None, 1)


@dataclass(frozen=True)
class Kept:
    """What was found at one size; nanoseconds are of CPU, an event."""

    machines: int
    events: int
    messages: int
    fan_out: str
    bytes_per_event: float
    write_ns_per_event: float
    read_ns_per_event: float
    pyarrow_ns_per_event: float
    plain_ns_per_event: float
    to_pyarrow: Spread
    limits: Mapping[str, bool]
    """Each limit, and whether it is kept."""

    @property
    def is_met(self) -> bool | None:
        """Whether every limit is kept; None if there is none."""
        return all(self.limits.values()) if self.limits else None

    def without_limit(self) -> "Kept":
        return replace(self, limits={})

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "to_pyarrow": self.to_pyarrow._asdict(), "met": self.is_met}


@dataclass(frozen=True)
class Lines:
    """The same as event logs."""

    machines: int
    events: int
    bytes_per_event: float
    write_ns_per_event: float
    read_ns_per_event: float
    is_met: bool | None = None

    def without_limit(self) -> "Lines":
        return self

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "format": "jsonl"}


def run(rounds: int, quick: bool) -> list[Kept | Lines]:
    """Return a row for each size; the larger ones take fewer rounds."""
    pa.set_cpu_count(1)
    parquet.connection().execute("SET threads = 1")
    kept = [_measured(size, min(rounds, size.rounds)) for size in (SIZES_QUICK if quick else SIZES)]
    return [*kept, _as_lines(OF_LINES)]


def _measured(size: Size, rounds: int) -> Kept:
    with TemporaryDirectory() as directory:
        run_in_columns(Run(Path(directory)), _machines(size), name="bench")
        tables = Tables(*Run(Path(directory)).tables)
        written = sum(path.stat().st_size for path in Path(directory).iterdir())
        again = Path(directory, "again.parquet")
        columns, rhythm = _columns(size)
        events, messages = len(columns), len(columns.send)

        def write() -> None:
            for table in stored(columns, rhythm):
                parquet.write(again, table)

        number = np.arange(1, size.machines + 1)

        def read() -> None:
            assert unpacked(tables.events, tables.messages, number, rhythm) is not None

        contenders: dict[str, Callable[[], object]] = {
            "read": read,
            "pyarrow": lambda: _by_pyarrow(tables),
            "plain": lambda: read_columns(tables),
            "write": write,
        }
        samples = interleave({name: _timed(work, events) for name, work in contenders.items()}, rounds)
    ns = {name: [_cpu_ns(sample) for sample in taken] for name, taken in samples.items()}
    found = Kept(
        machines=size.machines,
        events=events,
        messages=messages,
        fan_out="full" if size.fan_out is None else str(size.fan_out),
        bytes_per_event=written / events,
        write_ns_per_event=spread(ns["write"]).median,
        read_ns_per_event=spread(ns["read"]).median,
        pyarrow_ns_per_event=spread(ns["pyarrow"]).median,
        plain_ns_per_event=spread(ns["plain"]).median,
        to_pyarrow=spread([a / b for a, b in zip(ns["read"], ns["pyarrow"], strict=True)]),
        limits={},
    )
    limits = {
        f"at most {BYTES_MAX} bytes an event": found.bytes_per_event <= BYTES_MAX,
        f"at most {READ_MAX} times pyarrow": found.to_pyarrow.median <= READ_MAX,
    }
    return replace(found, limits=limits)


def _machines(size: Size) -> dict[int, Model]:
    topology = "full" if size.fan_out is None else {"random": size.fan_out}
    fields = {"nodes": size.machines, "duration": size.duration, "topology": topology, "network": {"delay": DELAY}}
    return Experiment.model_validate(fields).machines(1)


def _columns(size: Size) -> tuple[Any, Any]:
    machines = _machines(size)
    record = run_plan(plan_of(machines))
    assert record is not None
    return columns_of(record), rhythm_of(machines)


def _by_pyarrow(tables: Tables) -> None:
    """Read the same columns into numpy arrays."""
    for path in (tables.events, tables.messages):
        table = pq.read_table(path, use_threads=False)  # type: ignore[no-untyped-call]
        for name in table.column_names:
            table[name].to_numpy()


def _timed(work: Callable[[], object], events: int) -> Callable[[], Sample]:
    def sample() -> Sample:
        find_memory()
        stopwatch = Stopwatch()
        work()
        return stopwatch.sample(events)

    return sample


def _cpu_ns(sample: Sample) -> float:
    assert sample.cpu_s is not None
    return sample.cpu_s * 1e9 / sample.count


def _as_lines(size: Size) -> Lines:
    with TemporaryDirectory() as directory:
        run_ = Run(Path(directory))
        machines = _machines(size)
        stopwatch = Stopwatch()
        run_simulated(run_, machines, name="bench")
        events = sum(model.tick_count for model in machines.values())
        write = stopwatch.sample(events)
        written = sum(path.stat().st_size for path in Path(directory).iterdir())
        stopwatch = Stopwatch()
        assert len(read_trace(run_.event_logs())) == events
        read = stopwatch.sample(events)
    return Lines(size.machines, events, written / events, _cpu_ns(write), _cpu_ns(read))


def table(rows: Sequence[Kept | Lines]) -> Iterator[str]:
    """Yield the lines of a table."""
    heads = ("machines", "events", "fan-out", "bytes", "write ns", "read ns", "pyarrow ns", "ratio", "plain ns")
    lines = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    for line in lines:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
    for row in rows:
        for limit, is_met in getattr(row, "limits", {}).items():
            yield f"{row.machines:,} machines: {limit} {'met' if is_met else 'MISSED'}"


def _cells(row: Kept | Lines) -> tuple[str, ...]:
    first = (f"{row.machines:,}", f"{row.events:,}")
    cost = (f"{row.bytes_per_event:.2f}", f"{row.write_ns_per_event:.0f}", f"{row.read_ns_per_event:.0f}")
    if isinstance(row, Lines):
        return *first, "as lines", *cost, "", "", ""
    ratio = f"{row.to_pyarrow.median:.2f} ({row.to_pyarrow.low:.2f}-{row.to_pyarrow.high:.2f})"
    return *first, row.fan_out, *cost, f"{row.pyarrow_ns_per_event:.0f}", ratio, f"{row.plain_ns_per_event:.0f}"


BENCH = Bench("store", "a run in columns: size, writing, reading; pyarrow and lines", rounds=9, run=run, table=table)
