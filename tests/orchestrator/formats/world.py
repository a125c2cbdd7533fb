"""What really happened in a small run, for logs that strangers would write of it, and what reading must find again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from node.event import Event, EventId
from orchestrator.audit.store import ALL, INTERNAL, MANY, NULL, ONE, RECEIVE, SEND, ForeignTrace
from orchestrator.formats.names import resolve
from orchestrator.labs.simulated import simulate
from tests.clusters import cluster

START = datetime(2024, 2, 12, 9, 41, 7, 503_000, UTC)
KINDS = {"internal": INTERNAL, "send": SEND, "receive": RECEIVE}


@dataclass(frozen=True)
class Happened:
    """One event, with everything that anybody could write about it; machines are numbers from 1."""

    n: int
    kind: str
    clock: int
    before: int
    queue: int
    ns: int
    index: int
    to: tuple[int, ...] = ()
    is_all: bool = False
    sender: int = 0
    stamp: int = 0
    id: int = 0
    """Which message, counted over the run."""
    seq: int = 0
    """Which of its sender's messages."""
    link: int = 0
    """Which of its link's messages."""
    cause: EventId | None = None
    name: EventId | None = None
    vector: tuple[int, ...] = ()

    @property
    def s(self) -> float:
        """Seconds since the start."""
        return self.ns / 1e9

    @property
    def wall(self) -> datetime:
        """The time on the wall."""
        return START + timedelta(microseconds=self.ns // 1000)

    def iso(self, timespec: str = "milliseconds", sep: str = " ") -> str:
        """The time on the wall without its zone."""
        return self.wall.replace(tzinfo=None).isoformat(sep, timespec)

    @property
    def epoch_ns(self) -> int:
        """The time on the wall since 1970."""
        return int(START.timestamp() * 1000) * 1_000_000 + self.ns


Rule = Callable[[int, int], int]
RULES: Mapping[str, Rule] = {
    "lamport": lambda own, stamp: max(own, stamp) + 1,
    "maximum after the increment": lambda own, stamp: max(own + 1, stamp),
    "maximum alone": max,
}


@dataclass(frozen=True)
class World:
    """A run: all events in the order of their times."""

    events: Sequence[Happened]
    nodes: int

    @property
    def machines(self) -> range:
        """All machines."""
        return range(1, self.nodes + 1)

    def of(self, machine: int) -> list[Happened]:
        """The events of a machine."""
        return [event for event in self.events if event.n == machine]


def world(
    nodes: int = 3,
    *,
    seed: int = 262,
    seconds: float = 25,
    rule: str = "lamport",
    internal_probability: float = 0.4,
    delay_ms: int = 20,
) -> World:
    """Return a run; clocks follow a rule, which need not be right."""
    machines = cluster(
        nodes, seed=seed, seconds=seconds, internal_probability=internal_probability, delay_ms=delay_ms, rates=(2, 5)
    )
    run = sorted(simulate(machines), key=lambda event: (event.due_ns, event.node))
    teller = _Teller(nodes, RULES[rule])
    return World([teller.tell(event) for event in run], nodes)


@dataclass
class _Teller:
    nodes: int
    rule: Rule
    clocks: dict[int, int] = field(default_factory=dict)
    sent: dict[EventId, Happened] = field(default_factory=dict)
    vectors: dict[int, list[int]] = field(default_factory=dict)
    indexes: dict[int, int] = field(default_factory=dict)
    seqs: dict[int, int] = field(default_factory=dict)
    links: dict[tuple[int, int], int] = field(default_factory=dict)

    def tell(self, event: Event) -> Happened:
        n, before = event.node, self.clocks.get(event.node, 0)
        kind = event.kind.partition("-")[0]
        self.indexes[n] = self.indexes.get(n, 0) + 1
        told = Happened(n, kind, before + 1, before, event.queue, event.due_ns, self.indexes[n], name=event.name)
        vector = self.vectors.setdefault(n, [0] * self.nodes)
        if kind == "send":
            told = self._send(told, event)
        elif kind == "receive":
            assert event.cause
            told = self._receive(told, event.cause.send, vector)
        vector[n - 1] += 1
        told = replace(told, vector=tuple(vector))
        self.clocks[n] = told.clock
        if kind == "send":
            self.sent[event.name] = told
        return told

    def _send(self, told: Happened, event: Event) -> Happened:
        to = tuple(sorted(one.recipient for one in event.to))
        self.seqs[told.n] = self.seqs.get(told.n, 0) + 1
        for recipient in to:
            self.links[told.n, recipient] = self.links.get((told.n, recipient), 0) + 1
        return replace(
            told,
            to=to,
            is_all=len(to) == self.nodes - 1 and self.nodes > 2,
            id=sum(self.seqs.values()),
            seq=self.seqs[told.n],
            link=self.links[told.n, to[0]],
        )

    def _receive(self, told: Happened, cause: EventId, vector: list[int]) -> Happened:
        send = self.sent[cause]
        for place, count in enumerate(send.vector):
            vector[place] = max(vector[place], count)
        return replace(
            told,
            clock=self.rule(told.before, send.clock),
            sender=send.n,
            stamp=send.clock,
            id=send.id,
            seq=send.seq,
            link=send.link,
            cause=cause,
        )


@dataclass(frozen=True)
class Said:
    """What a dialect says of its events: names of fields; `name` gives a machine's name."""

    fields: frozenset[str]
    name: Callable[[int], str]
    unit_ns: int = 1_000_000
    unmatched: int = 0
    """How many lines nothing needs to be made of."""


def differences(world: World, said: Said, trace: ForeignTrace) -> Iterable[str]:
    """Yield how a trace differs from what its log says, a line each."""
    names = {machine: resolve(said.name(machine), trace.nodes) for machine in world.machines}
    if sorted(names.values()) != sorted(trace.nodes) or trace.absent:
        yield f"machines {trace.nodes} ({trace.absent} absent), not {[said.name(one) for one in world.machines]}"
        return
    place = {machine: trace.nodes.index(name) for machine, name in names.items()}
    row_of = {}
    for machine in world.machines:
        rows = trace.programs[place[machine]].tolist()
        events = world.of(machine)
        if len(rows) != len(events):
            yield f"{said.name(machine)} has {len(rows)} events, not {len(events)}"
            return
        row_of |= {event.name: row for event, row in zip(events, rows, strict=True)}
    for column in _COLUMNS:
        yield from _differences_of(column, world, said, trace=trace, row_of=row_of, place=place)
    if trace.doubts:
        yield f"doubts: {trace.doubts[0]}"


_COLUMNS = ("kind", "clock", "stamp", "queue", "from", "to", "time", "ids", "vector")


def _differences_of(
    column: str,
    world: World,
    said: Said,
    *,
    trace: ForeignTrace,
    row_of: Mapping[EventId | None, int],
    place: Mapping[int, int],
) -> Iterable[str]:
    first = min(world.events, key=lambda event: event.ns)
    start = int(trace.time_ns[row_of[first.name]]) - first.ns
    wrong = []
    for event in world.events:
        row = row_of[event.name]
        expected, actual = _both(column, event, row, said, trace=trace, row_of=row_of, place=place, start=start)
        if expected != actual:
            wrong.append(f"{event.kind} {said.name(event.n)}:{event.index} {column} {actual}, not {expected}")
    if wrong:
        yield f"{len(wrong)} of {len(world.events)}: {wrong[0]}"


def _both(  # noqa: C901, PLR0911, PLR0912  # one case for each column
    column: str,
    event: Happened,
    row: int,
    said: Said,
    *,
    trace: ForeignTrace,
    row_of: Mapping[EventId | None, int],
    place: Mapping[int, int],
    start: int,
) -> tuple[object, object]:
    """Return what a log says in one column, and what was read."""
    is_said = column in said.fields
    match column:
        case "kind":
            return (KINDS[event.kind], trace.kind[row]) if "kind" in said.fields else (None, None)
        case "clock":
            return event.clock if is_said else NULL, trace.clock[row]
        case "stamp":
            if event.kind != "receive":
                return (None, None)
            return event.stamp if is_said else NULL, trace.stamp[row]
        case "queue":
            is_said = is_said or ("queue at receives" in said.fields and event.kind == "receive")
            return event.queue if is_said else NULL, trace.queue[row]
        case "from" if event.kind == "receive":
            return place[event.sender] if is_said else -1, trace.sender[row]
        case "to" if event.kind == "send":
            if not is_said:
                return (True, True) if trace.to[row] in (ONE, ALL) else (ONE, trace.to[row])
            return sorted(place[one] for one in event.to), sorted(trace.possible_recipients(row))
        case "time":
            if not is_said:
                return NULL, trace.time_ns[row]
            return True, bool(abs(int(trace.time_ns[row]) - start - event.ns) <= said.unit_ns)
        case "ids" if event.kind == "receive":
            if not is_said:
                return -1, trace.message[row]
            same = [one for one in (trace.message == trace.message[row]).nonzero()[0] if trace.kind[one] == SEND]
            return [row_of[event.cause]], same
        case "vector":
            if not is_said or trace.vector is None:
                return event.vector if is_said else None, trace.vector
            machines = sorted(place)
            return event.vector, tuple(int(trace.vector[row, place[one]]) for one in machines)  # type: ignore[index]
    return (None, None)


assert MANY < ALL < ONE, "a machine is no code"
