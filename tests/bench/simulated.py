"""The compiled simulation: nanoseconds of CPU an event, the whole trace kept, at 3 to 100,000 machines.

Peers: the same algorithm in C, compiled here, which must give the same bits; and SimPy, with a lean machine that keeps
the same trace and with our own process, the faster of the two.
"""

import ctypes
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pytest

from node.event import Event
from node.model import SECOND_NS, Model, draw_phase_ns, draw_rate_hz
from orchestrator.labs.kernel import plain
from orchestrator.labs.kernel.plan import Plan, plan_of
from orchestrator.labs.kernel.record import Record
from orchestrator.labs.kernel.run import run_plan
from orchestrator.labs.kernel.seeds import run_seeds
from orchestrator.labs.kernel.telling import events_of
from tests.bench.figures import Bench, Sample, Spread, Stopwatch, find_memory, interleave, spread
from tests.bench.simpy_machines import Told, lean, ours
from tests.clusters import cluster

SOURCE: Final = Path(__file__).with_suffix(".c")
COMPILER: Final = ("gcc", "-O3", "-march=native", "-shared", "-fPIC")
FAN_OUT: Final = 3
"""Of each machine in the larger clusters; the smaller are fully connected."""


@dataclass(frozen=True)
class Size:
    """A row: so many machines, 60 s; the smaller in so many runs, one seed after another, as one takes too little time.

    Together they take some milliseconds: before each sample garbage is collected, which leaves the caches cold.
    `simpy_s` is how long a run of SimPy lasts.
    """

    machines: int
    runs: int
    rounds: int
    simpy_s: int
    c_limit: float
    simpy_limit: float | None
    cpu_s_limit: float | None = None
    bytes_limit: float | None = None


SIZES: Final = (
    Size(3, 1000, 21, 600, 1.25, 250),
    Size(100, 40, 21, 20, 1.25, 250),
    Size(10_000, 1, 5, 2, 1.3, None),
    Size(100_000, 1, 3, 1, 1.3, None, 2, 40),
)
SIZES_QUICK: Final = (replace(SIZES[0], runs=2, simpy_s=10), Size(2_500, 1, 1, 1, 1.3, None))


@dataclass(frozen=True)
class Speed:
    """What was found at one size: nanoseconds of CPU an event, and the ratios of each round."""

    machines: int
    events: int
    fan_out: str
    ns_per_event: float
    simpy_ns_per_event: float
    c_ns_per_event: float
    bytes_per_event: float
    run_cpu_s: float
    to_c: Spread
    to_simpy: Spread
    limits: Mapping[str, bool]
    """Each limit, and whether it is kept."""

    @property
    def is_met(self) -> bool | None:
        """Whether every limit is kept; None if there is none."""
        return all(self.limits.values()) if self.limits else None

    def without_limit(self) -> "Speed":
        return replace(self, limits={})

    def as_json(self) -> dict[str, Any]:
        ratios = {"to_c": self.to_c._asdict(), "to_simpy": self.to_simpy._asdict()}
        return {**vars(self), **ratios, "met": self.is_met}


def from_json(row: Mapping[str, Any]) -> Speed:
    """Return what `as_json` made."""
    ratios = {name: Spread(**row[name]) for name in ("to_c", "to_simpy")}
    return Speed(**{name: value for name, value in row.items() if name != "met"} | ratios)


def _judged(size: Size, found: Speed) -> Speed:
    """Return what was found with the limits of its size."""
    limits = {f"at most {size.c_limit:g} times C": found.to_c.median <= size.c_limit}
    if size.simpy_limit is not None:
        limits[f"at least {size.simpy_limit:g} times SimPy"] = found.to_simpy.median >= size.simpy_limit
    if size.cpu_s_limit is not None:
        limits[f"under {size.cpu_s_limit:g} s of CPU"] = found.run_cpu_s < size.cpu_s_limit
    if size.bytes_limit is not None:
        limits[f"under {size.bytes_limit:g} bytes an event"] = found.bytes_per_event < size.bytes_limit
    return replace(found, limits=limits)


def run(rounds: int, quick: bool) -> list[Speed]:
    """Return a row for each size; the larger ones take fewer rounds."""
    return [_measured(size, min(rounds, size.rounds)) for size in (SIZES_QUICK if quick else SIZES)]


def _measured(size: Size, rounds: int) -> Speed:
    with _in_c() as library:
        work = _Batch(size, library) if size.runs > 1 else _Whole(size, library)
        work.compare()
        machines = _cluster(size, size.simpy_s)
        contenders: dict[str, Callable[[], Sample]] = {
            "ours": partial(work.sample, False),
            "C": partial(work.sample, True),
            "SimPy": partial(_simpy, machines, 3 if size.simpy_limit else 1),
        }
        samples = interleave(contenders, rounds)
    own, c, simpy = ([_cpu_ns(sample) for sample in samples[name]] for name in contenders)
    found = Speed(
        machines=size.machines,
        events=work.events,
        fan_out="full" if size.runs > 1 else str(FAN_OUT),
        ns_per_event=spread(own).median,
        simpy_ns_per_event=spread(simpy).median,
        c_ns_per_event=spread(c).median,
        bytes_per_event=work.bytes_kept / work.events,
        run_cpu_s=spread(own).median * work.events / 1e9,
        to_c=spread([a / b for a, b in zip(own, c, strict=True)]),
        to_simpy=spread([a / b for a, b in zip(simpy, own, strict=True)]),
        limits={},
    )
    return _judged(size, found)


def _cpu_ns(sample: Sample) -> float:
    assert sample.cpu_s is not None
    return sample.cpu_s * 1e9 / sample.count


def _simpy(machines: dict[int, Model], times: int) -> Sample:
    """Return the fastest of so many runs of either kind in SimPy."""
    return min((_timed(simulate, machines) for _ in range(times) for simulate in (lean, ours)), key=_cpu_ns)


def _timed(simulate: Callable[[dict[int, Model]], Sequence[Any]], machines: dict[int, Model]) -> Sample:
    stopwatch = Stopwatch()
    return stopwatch.sample(len(simulate(machines)))


def _cluster(size: Size, seconds: float) -> dict[int, Model]:
    """Return the machines of the first run: each of a large cluster sends to the ones behind it, in a circle."""
    if size.runs > 1:
        return cluster(size.machines, seconds=seconds)
    steps = [7**power for power in range(1, FAN_OUT + 1)]
    return {
        node: _machine(
            node, seconds, _away(node, steps, size.machines), _away(node, (-s for s in steps), size.machines)
        )
        for node in range(1, size.machines + 1)
    }


def _away(node: int, steps: Iterable[int], machines: int) -> tuple[int, ...]:
    """Return the machines that stand so many steps further in the circle."""
    return tuple(sorted((node + step - 1) % machines + 1 for step in steps))


def _machine(node: int, seconds: float, peers: tuple[int, ...], senders: tuple[int, ...]) -> Model:
    rate_hz = draw_rate_hz(262, node, least=1, most=6)
    return Model(
        node=node,
        seed=262,
        rate_hz=rate_hz,
        phase_ns=draw_phase_ns(262, node, rate_hz=rate_hz),
        internal_probability=0.7,
        duration_ns=round(seconds * SECOND_NS),
        peers=peers,
        senders=senders,
    )


class _Whole:
    """One run of a large cluster, from its plan to its record."""

    def __init__(self, size: Size, library: ctypes.CDLL) -> None:
        self.plan: Plan = plan_of(_cluster(size, 60))
        self.events = self.plan.events
        self.bytes_kept = 0
        self.last: Record | None = None
        self._in_c = partial(_run_plain_in_c, library)

    def sample(self, in_c: bool) -> Sample:
        """Run once; the record of the run before is dropped, and its memory is at hand."""
        self.last = None
        find_memory()
        with pytest.MonkeyPatch.context() as patch:
            if in_c:
                patch.setattr(plain, "run_plain", self._in_c)
            stopwatch = Stopwatch()
            record = run_plan(self.plan)
            sample = stopwatch.sample(self.events)
        assert record is not None
        self.bytes_kept = record.bytes_kept
        self.last = record
        return sample

    def compare(self) -> None:
        self.sample(in_c=False)
        own = self.last
        self.sample(in_c=True)
        for name, column in vars(own).items():
            if isinstance(column, np.ndarray):
                assert np.array_equal(column, getattr(self.last, name)), name


class _Batch:
    """Runs of a small cluster, one seed after another, with the traces of all kept."""

    def __init__(self, size: Size, library: ctypes.CDLL) -> None:
        self._size, self._library = size, library
        self._seeds = np.arange(262, 262 + size.runs)
        plans = [plan_of(cluster(size.machines, seed=int(seed), seconds=60)) for seed in self._seeds]
        self._plan = plans[0]
        self.events = sum(plan.events for plan in plans)
        self._room = sum(plan.messages + 3 * size.machines for plan in plans)
        self._columns = {in_c: self._new_columns() for in_c in (False, True)}
        self.bytes_kept = 0

    def sample(self, in_c: bool) -> Sample:
        """Run all seeds, into columns that were there before, as when one run follows another."""
        stopwatch = Stopwatch()
        self._run(in_c)
        return stopwatch.sample(self.events)

    def compare(self) -> None:
        (ends, events, copies), (ends_in_c, events_in_c, copies_in_c) = self._run(in_c=False), self._run(in_c=True)
        last = ends[-1, 1]
        assert np.array_equal(ends, ends_in_c) and np.array_equal(events, events_in_c)
        assert np.array_equal(copies[:last], copies_in_c[:last])
        self.bytes_kept = events.nbytes + int(last) * copies.itemsize * plain.COPY_WORDS
        self._compare_with_simpy(events)

    def _new_columns(self) -> list[Any]:
        return [
            np.empty((len(self._seeds), 2), np.int64),
            np.empty((self.events, plain.EVENT_WORDS), np.uint32),
            np.empty((self._room, plain.COPY_WORDS), np.uint32),
        ]

    def _run(self, in_c: bool) -> list[Any]:
        plan, links, count = self._plan, self._plan.links, self._size.machines
        state = np.zeros((count, plain.STATE_WORDS), np.uint32)
        for word, name in ((plain.FIRST, "first"), (plain.DEGREE, "degree"), (plain.FOLLOWING, "following")):
            state[:, word] = links[name]
        found = self._columns[in_c]
        slots = 6 * count
        rows = max(slots, plain.PATTERN)
        arguments = [self._seeds, found[0], plan.number, np.full((count, 2), (1, 6), np.uint32), False]
        arguments += [links["chances"], links["peer"], 0, 60 * SECOND_NS, count - 1, 1, np.empty(count, np.uint64)]
        arguments += [np.empty(shape, np.uint32) for shape in ((slots, 4), slots + 1, (rows, 4), rows + 1)]
        arguments += [np.empty((rows, plain.AHEAD), np.uint8), state, np.zeros(len(links["peer"]), np.uint32)]
        arguments += [np.empty((self._room, plain.PLACE_WORDS), np.uint32), *found[1:], True]
        done = _run_seeds_in_c(self._library, *arguments) if in_c else run_seeds(*arguments)
        assert done == len(self._seeds)
        assert found[0][-1, 0] == self.events
        return found

    def _compare_with_simpy(self, own: Any) -> None:
        machines = cluster(self._size.machines, seconds=60)
        record = run_plan(plan_of(machines))
        assert record is not None
        events = list(events_of(record))
        assert [told(event) for event in events] == lean(machines)
        assert events == ours(machines)
        for word, name in ((plain.KIND, "kind"), (plain.TIME, "clock"), (plain.QUEUE, "queue")):
            assert np.array_equal(getattr(record, name), own[: len(events), word]), name


def told(event: Event) -> Told:
    """Return an event as the lean machine of SimPy tells it."""
    kinds = ("internal", "send-one", "send-next", "send-all", "receive")
    place = event.node, event.index, event.tick, event.due_ns, kinds.index(event.kind), event.clock, event.queue
    if event.cause is not None:
        return *place, (event.cause.node, event.cause.index), event.number, event.stamp, event.arrival_ns
    return *place, [(to.recipient, to.number, to.arrival_ns) for to in event.to]


@contextmanager
def _in_c() -> Iterator[ctypes.CDLL]:
    with TemporaryDirectory(prefix="scale-model-bench-") as directory:
        path = Path(directory, "simulated.so")
        subprocess.run([*COMPILER, "-o", str(path), str(SOURCE)], check=True)
        library = ctypes.CDLL(str(path))
        library.run_plain.restype = library.run_seeds.restype = ctypes.c_int64
        yield library


def _in_c_words(value: Any) -> Any:
    return value.ctypes.data_as(ctypes.c_void_p) if isinstance(value, np.ndarray) else ctypes.c_int64(value)


def _run_plain_in_c(library: ctypes.CDLL, until: int, cursors: Any, slots: Any, *rest: Any) -> bool:
    *before, state, sent, events, copies, places = rest
    arguments = [until, cursors, len(slots), slots, *before, len(state), state, sent, events, len(copies), copies]
    arguments += [len(places), places]
    return bool(library.run_plain(*map(_in_c_words, arguments)))


def _run_seeds_in_c(library: ctypes.CDLL, seeds: Any, ends: Any, number: Any, *rest: Any) -> int:
    *draws, peer = rest[:4]
    *before, places, events, copies, keeps = rest[4:]
    arguments = [len(seeds), seeds, ends, len(number), number, *draws, len(peer), peer, *before]
    arguments += [len(places), places, len(events), events, len(copies), copies, keeps]
    return int(library.run_seeds(*map(_in_c_words, arguments)))


def heads() -> tuple[str, ...]:
    return ("machines", "peers", "events", "ns/event", "C", "ours : C", "SimPy", "SimPy : ours", "bytes", "CPU")


def lines(rows: Sequence[Speed]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each row, for the terminal and for the document."""
    for row in rows:
        yield (
            f"{row.machines:,}",
            row.fan_out,
            f"{row.events:,}",
            f"{row.ns_per_event:.1f}",
            f"{row.c_ns_per_event:.1f}",
            f"{row.to_c.median:.2f} ({row.to_c.low:.2f}-{row.to_c.high:.2f})",
            f"{row.simpy_ns_per_event:,.0f}",
            f"{row.to_simpy.median:.0f} ({row.to_simpy.low:.0f}-{row.to_simpy.high:.0f})",
            f"{row.bytes_per_event:.1f}",
            f"{row.run_cpu_s:.2f} s",
        )


def table(rows: Sequence[Speed]) -> Iterator[str]:
    """Yield the table for a terminal, then each limit."""
    cells = [heads(), *lines(rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
    for row in rows:
        for limit, is_met in row.limits.items():
            yield f"{row.machines:,} machines: {limit} {'met' if is_met else 'MISSED'}"


BENCH = Bench("simulated", "the compiled simulation, C and SimPy", rounds=21, run=run, table=table)
