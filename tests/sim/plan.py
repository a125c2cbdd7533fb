"""What a seed draws: a small cluster, as an experiment describes it, and what the world does to it.

Never acts: the world does what is planned here, and draws the rest (latencies, pieces, turns) from `chance`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Literal, TypeAlias

from node.model import Model, Pace
from orchestrator.config import Experiment
from orchestrator.config.duration import format_duration

MS: Final = 1_000_000
SECOND: Final = 1_000 * MS
MEETING_NS: Final = 150 * MS
"""About as long as it takes until all have met, and the run begins."""
FAST_MS: Final = 300
"""About as long as a run takes that nobody waits for."""

Moment: TypeAlias = Literal["before", "torn", "behind"]


@dataclass(frozen=True, slots=True)
class Kill:
    """A node dies before, inside or behind the effect (a write or a send) that is so many away; its log may go, too."""

    at_ns: int
    node: int
    effects: int
    moment: Moment
    tear: float
    back_ns: int
    loses_log: bool = False


@dataclass(frozen=True, slots=True)
class Break:
    """A connection dies, with a suffix of what is under way in each direction; each end is told of it, or is not."""

    at_ns: int
    sender: int
    recipient: int
    keeps: tuple[float, float]
    is_told: tuple[bool, bool]


@dataclass(frozen=True, slots=True)
class OneWay:
    """No byte goes from one node to another, and the other way they do; nobody can dial."""

    at_ns: int
    sender: int
    recipient: int
    for_ns: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing runs on a node, which is not dead: its connections are accepted, and bytes pile up."""

    at_ns: int
    node: int
    for_ns: int


@dataclass(frozen=True, slots=True)
class Deaf:
    """A node refuses whoever dials it."""

    at_ns: int
    node: int
    for_ns: int


Fault: TypeAlias = Kill | Break | OneWay | Stop | Deaf


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: its machines, and what happens to them; nothing happens any more once everything heals."""

    seed: int
    machines: Mapping[int, Model]
    faults: tuple[Fault, ...] = ()
    pace: Pace = "exact"
    rows_max: int = 128
    turn_ns: int = 0
    replays: float = 0.0
    congested_bytes: int = 1 << 20
    exits_alone: bool = False
    heals_ns: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)


def draw(seed: int) -> Plan:
    """Return the plan of a seed."""
    chance = Random(seed)
    fields = _cluster(chance, seed)
    pace: Pace = chance.choice(("exact", "exact", "exact", "fast"))
    heals_ns = round(chance.uniform(0.6, 1.3) * (fields["duration_ms"] if pace == "exact" else FAST_MS)) * MS
    shown = _experiment(fields)
    links = _links(machines := Experiment.model_validate(shown).machines(1))
    faults = list(_faults(chance, machines, links, heals_ns))
    for crash, peers in [(crash, model.peers) for model in machines.values() for crash in model.crashes]:
        # Behind a crash of the model it matters who has what was sent before.
        from_ns = MEETING_NS + (crash.to_ns if pace == "exact" else 0)
        faults += [_kill(chance, from_ns + chance.randrange(100, 900) * MS, peer) for peer in peers]
        heals_ns = max(heals_ns, from_ns + 900 * MS)
    return Plan(
        seed=seed,
        machines=machines,
        faults=tuple(sorted(faults, key=lambda fault: fault.at_ns)),
        pace=pace,
        rows_max=chance.choice((1, 2, 128)),
        turn_ns=chance.choice((0, 900_000)),
        replays=chance.choice((0.0, 0.7, 0.7)),
        congested_bytes=chance.choice((200, 1 << 20)),
        exits_alone=chance.random() < 0.3,
        heals_ns=heals_ns,
        fields=shown,
    )


def _cluster(chance: Random, seed: int) -> dict[str, Any]:
    rate = chance.randint(3, 12)
    return {
        "nodes": chance.choice((2, 3, 3, 4)),
        "seed": seed,
        "duration_ms": chance.randrange(700, 1700, 10),
        "tick_rate": {"min": rate, "max": rate + chance.randint(0, 24)},
        "phase": chance.choice(("random", "random", "aligned")),
        "internal_probability": chance.choice((0.0, 0.1, 0.4)),
        "topology": chance.choice(("full", "full", "full", "ring", "star")),
        "network": _network(chance),
        "faults": [],
        "crash": chance.random() < 0.35,
        "chance": chance.randrange(1 << 30),
    }


def _network(chance: Random) -> dict[str, Any]:
    least = chance.randrange(20)
    most = least + chance.randrange(600)
    delays = ("0ms", "5ms", {"uniform": (f"{least}ms", f"{most}ms")}, {"exponential": "150ms"})
    return {
        "delay": chance.choices(delays, (1, 1, 3, 2))[0],
        "loss": chance.choice((0, 0, 0.2)),
        "duplicate": chance.choice((0, 0, 0.3)),
        "fifo": chance.random() < 0.6,
    }


def _experiment(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an experiment, with a crash of the model or a pause in it if one was drawn."""
    chance, with_crash, duration_ms = Random(fields["chance"]), fields["crash"], fields["duration_ms"]
    faults = []
    if with_crash:
        from_ms = chance.randrange(duration_ms // 5, duration_ms // 2)
        to_ms = from_ms + chance.choice((50, 50, 200, duration_ms))
        window = {"from": format_duration(from_ms * MS), "to": format_duration(to_ms * MS)}
        node = chance.randint(1, fields["nodes"])
        faults = [window | {"crash": node, "amnesia": chance.random() < 0.8}]
    kept = {name: value for name, value in fields.items() if name not in ("crash", "chance", "duration_ms", "faults")}
    return kept | {"duration": f"{duration_ms}ms", "faults": tuple(faults)}


def _links(machines: Mapping[int, Model]) -> list[tuple[int, int]]:
    return [(node, peer) for node, model in machines.items() for peer in model.peers]


def _faults(
    chance: Random, machines: Mapping[int, Model], links: list[tuple[int, int]], heals_ns: int
) -> Iterator[Fault]:
    nodes = list(machines)
    loses_log = chance.random() < 0.08
    for _ in range(chance.randint(4, 12)):
        # Some while everybody still greets.
        at_ns = chance.randrange(heals_ns if chance.random() < 0.85 else 60 * MS)
        kind = chance.random()
        if kind < 0.45:
            yield _kill(chance, at_ns, chance.choice(nodes), loses_log=loses_log)
            loses_log = False
        elif kind < 0.77:
            yield _break(chance, at_ns, *chance.choice(links))
        elif kind < 0.85:
            yield OneWay(at_ns, *chance.choice(links), _span(chance))
        elif kind < 0.94:
            yield Stop(at_ns, chance.choice(nodes), _span(chance))
        else:
            yield Deaf(at_ns, chance.choice(nodes), _span(chance))


def _kill(chance: Random, at_ns: int, node: int, *, loses_log: bool = False) -> Kill:
    return Kill(
        at_ns,
        node,
        effects=chance.randrange(6),
        moment=chance.choice(("before", "torn", "behind")),
        tear=chance.random(),
        back_ns=chance.choice((1, 40, 300, 1200)) * MS,
        loses_log=loses_log,
    )


def _break(chance: Random, at_ns: int, sender: int, recipient: int) -> Break:
    is_clean = chance.random() < 0.65
    told = [is_clean or chance.random() < 0.3 for _ in range(2)]
    return Break(
        at_ns,
        sender,
        recipient,
        keeps=(chance.choice((0.0, 1.0, chance.random())), chance.choice((0.0, 1.0, chance.random()))),
        is_told=(told[0], told[1]),
    )


def _span(chance: Random) -> int:
    return chance.choice((5, 50, 300, 800)) * MS
