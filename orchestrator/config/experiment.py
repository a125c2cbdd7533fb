"""An experiment: what is asked, on which machines, for how long, and what each of its runs is made of.

Never reads a file and never runs anything. Source: design section 5, model section 2.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from node.model import SECOND_NS, SEED_MAX, ClockName, Model, draw_phase_ns, draw_rate_hz, everyone_else
from node.model import Network as MachineNetwork
from orchestrator.config.settings import (
    NODES_MAX,
    Border,
    DurationNs,
    Name,
    Network,
    Question,
    RateRange,
    TickRate,
    Topology,
    refused,
)
from orchestrator.config.yamlfile import write_yaml

RUNS_MAX: Final = 1_000_000


class Experiment(Border):
    """An experiment of Scale Model."""

    name: Name = "experiment"
    """Names the directory of its runs; the file's name unless given."""
    question: Question = ""
    """What the experiment is to answer, in one sentence."""
    nodes: Annotated[int, Field(ge=2, le=NODES_MAX)] = 3
    """How many machines there are; they are numbered from 1."""
    tick_rate: TickRate = RateRange()
    """Ticks a second: a range from which each machine draws, or one whole number per machine."""
    phase: Literal["random", "aligned"] = "random"
    """When the first tick is due: drawn within the machine's period, or at the very start for all."""
    internal_probability: Annotated[float, Field(ge=0, le=1)] = 0.7
    """How likely a tick with an empty queue is an internal event; the rest splits evenly between the three sends."""
    clock: ClockName = "lamport"
    """The rule for logical time: lamport, or one of its well-known mistakes, which a check must find."""
    topology: Topology = "full"
    """Whom a machine may send to: full, or a list for each machine; without a list it has no peers."""
    duration_ns: DurationNs = Field(default=60 * SECOND_NS, alias="duration", json_schema_extra={"default": "60s"})
    """How long a run lasts: every tick that is due before this happens."""
    runs: Annotated[int, Field(ge=1, le=RUNS_MAX)] = 5
    """How many runs there are; run k has the seed `seed + k - 1`."""
    seed: Annotated[int, Field(ge=0, le=SEED_MAX)] = 262
    """The same seed always gives the same events."""
    network: Network = Network()
    """What every message goes through."""
    faults: Annotated[tuple[Any, ...], Field(max_length=0)] = ()
    """None are built yet: []."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Experiment":
        if self.seed + self.runs - 1 > SEED_MAX:
            raise refused(f"the last of {self.runs} runs would have a seed above {SEED_MAX}", "seed")
        if isinstance(self.tick_rate, tuple) and len(self.tick_rate) != self.nodes:
            raise refused(f"{len(self.tick_rate)} rates for {self.nodes} machines; give one for each", "tick_rate")
        if not isinstance(self.topology, str):
            for node, peers in self.topology.items():
                self._check_peers(node, peers)
        return self

    def _check_peers(self, node: int, peers: tuple[int, ...]) -> None:
        there_are = f"there are {self.nodes}, numbered from 1"
        if node > self.nodes:
            raise refused(f"there is no machine {node}; {there_are}", "topology", node)
        for position, peer in enumerate(peers):
            trail = ("topology", node, position)
            if peer > self.nodes:
                raise refused(f"machine {node} cannot send to machine {peer}; {there_are}", *trail)
            if peer == node:
                raise refused(f"machine {node} cannot send to itself", *trail)
            if peer in peers[:position]:
                raise refused(f"machine {node} lists machine {peer} twice", *trail)

    def seed_of(self, run: int) -> int:
        """Return the seed of run 1, 2, and so on."""
        assert run >= 1, "runs are numbered from 1"
        return self.seed + run - 1

    def machines(self, run: int) -> dict[int, Model]:
        """Return the machines of run 1, 2, and so on, by their numbers."""
        seed, peers = self.seed_of(run), self._peers()
        senders = _turned(peers)
        return {node: self._machine(node, seed, peers=peers[node], senders=senders[node]) for node in peers}

    def to_yaml(self) -> str:
        """Return the resolved configuration: every key, in the order of the design; it loads back as an equal one."""
        return write_yaml(self.model_dump(by_alias=True))

    def _machine(self, node: int, seed: int, *, peers: tuple[int, ...], senders: tuple[int, ...]) -> Model:
        rate_hz = self._rate_hz(node, seed)
        return Model(
            node=node,
            seed=seed,
            rate_hz=rate_hz,
            phase_ns=draw_phase_ns(seed, node, rate_hz=rate_hz) if self.phase == "random" else 0,
            internal_probability=self.internal_probability,
            clock=self.clock,
            duration_ns=self.duration_ns,
            peers=peers,
            senders=senders,
            network=MachineNetwork(delay_ns=self.network.delay_ns),
        )

    def _rate_hz(self, node: int, seed: int) -> int:
        if isinstance(self.tick_rate, RateRange):
            return draw_rate_hz(seed, node, least=self.tick_rate.min, most=self.tick_rate.max)
        return self.tick_rate[node - 1]

    def _peers(self) -> dict[int, tuple[int, ...]]:
        nodes = range(1, self.nodes + 1)
        if isinstance(self.topology, str):
            return {node: everyone_else(node, nodes) for node in nodes}
        # Ascending: the dice choose a peer by its position in id order.
        return {node: tuple(sorted(self.topology.get(node, ()))) for node in nodes}


_MODELS: Final[dict[tuple[str, ...], type[Border]]] = {
    (): Experiment,
    ("tick_rate",): RateRange,
    ("network",): Network,
}
KEYS: Final = {
    trail: tuple(field.alias or name for name, field in model.model_fields.items()) for trail, model in _MODELS.items()
}
"""The keys that are known at each place."""


def experiment_schema() -> dict[str, Any]:
    """Return the JSON Schema of an experiment's file, for editors."""
    schema = Experiment.model_json_schema(by_alias=True)
    del schema["properties"]["name"]["default"]  # it is the file's name
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema}


def _turned(peers: Mapping[int, Iterable[int]]) -> dict[int, tuple[int, ...]]:
    """Return who sends to each machine, ascending, from whom each machine sends to."""
    senders: dict[int, list[int]] = {node: [] for node in peers}
    for sender in sorted(peers):
        for recipient in peers[sender]:
            senders[recipient].append(sender)
    return {node: tuple(those) for node, those in senders.items()}
