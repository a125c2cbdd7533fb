"""An experiment: what is asked, on which machines, for how long, and what each of its runs is made of.

Never reads a file and never runs anything. Source: design section 5, model section 2.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from node.model import SECOND_NS, SEED_MAX, ClockName, Model
from orchestrator.config.drawing import Column, phases_ns, rates_hz
from orchestrator.config.faults import FAULT_KEYS, Faults, check_faults, machines_of, windows_of
from orchestrator.config.network import ExponentialDelay, LinkSettings, Network, UniformDelay, check_links
from orchestrator.config.settings import (
    NODES_MAX,
    Border,
    DurationNs,
    Name,
    NodeNumber,
    Probability,
    Question,
    Rate,
    RateRange,
    TickRate,
    keyed,
    refused,
    without_defaults,
)
from orchestrator.config.topology import Links, RandomPeers, Topology, check_topology
from orchestrator.config.yamlfile import write_yaml

RUNS_MAX: Final = 1_000_000


class MachineSettings(Border):
    """What is different about one machine; what is not said is as for all."""

    model_config = ConfigDict(json_schema_extra=without_defaults)

    tick_rate: Rate | SkipJsonSchema[None] = None
    """Its ticks a second."""
    internal_probability: Probability | SkipJsonSchema[None] = None
    """How likely a tick of it with an empty queue is an internal event."""


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
    internal_probability: Probability = 0.7
    """How likely a tick with an empty queue is an internal event; the rest splits evenly between the three sends."""
    clock: ClockName = "lamport"
    """The rule for logical time: lamport, or one of its well-known mistakes, which a check must find."""
    overrides: Mapping[NodeNumber, MachineSettings] = Field(
        default={}, alias="machines", json_schema_extra=keyed("^[1-9][0-9]{0,5}$")
    )
    """What is different about single machines, by their numbers."""
    topology: Topology = "full"
    """Whom a machine may send to: full, ring, star, so many drawn peers, or a list for each machine."""
    duration_ns: DurationNs = Field(default=60 * SECOND_NS, alias="duration", json_schema_extra={"default": "60s"})
    """How long a run lasts: every tick that is due before this happens."""
    runs: Annotated[int, Field(ge=1, le=RUNS_MAX)] = 5
    """How many runs there are; run k has the seed `seed + k - 1`."""
    seed: Annotated[int, Field(ge=0, le=SEED_MAX)] = 262
    """The same seed always gives the same events."""
    network: Network = Network()
    """What every message goes through."""
    faults: Faults = ()
    """What happens to machines and links, from when until when."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Experiment":
        if self.seed + self.runs - 1 > SEED_MAX:
            raise refused(f"the last of {self.runs} runs would have a seed above {SEED_MAX}", "seed")
        if isinstance(self.tick_rate, tuple) and len(self.tick_rate) != self.nodes:
            raise refused(f"{len(self.tick_rate)} rates for {self.nodes} machines; give one for each", "tick_rate")
        for node in self.overrides:
            if node > self.nodes:
                why = f"there is no machine {node}; there are {self.nodes}, numbered from 1"
                raise refused(why, "machines", node)
        check_topology(self.topology, self.nodes)
        is_drawn = isinstance(self.topology, RandomPeers)
        check_links(
            self.network, self.nodes, None if is_drawn else Links.of(self.topology, self.nodes, self.seed).peers
        )
        check_faults(self.faults, nodes=self.nodes, duration_ns=self.duration_ns)
        return self

    def seed_of(self, run: int) -> int:
        """Return the seed of run 1, 2, and so on."""
        assert run >= 1, "runs are numbered from 1"
        return self.seed + run - 1

    def machines(self, run: int) -> dict[int, Model]:
        """Return the machines of run 1, 2, and so on, by their numbers."""
        seed = self.seed_of(run)
        links = Links.of(self.topology, self.nodes, seed)
        rate_hz = self._rates_hz(seed)
        phase_ns = self._phases_ns(seed, rate_hz)
        disturbed, common, special = machines_of(self.faults), self.network.common(), self.network.special()
        found: dict[int, Model] = {}
        for node, own_rate_hz, own_phase_ns in zip(links.peers, rate_hz.tolist(), phase_ns.tolist(), strict=True):
            peers, senders = links.peers[node], links.senders[node]
            own = self.overrides.get(node)
            probability = own.internal_probability if own else None
            found[node] = Model(
                node=node,
                seed=seed,
                rate_hz=own_rate_hz,
                phase_ns=own_phase_ns,
                internal_probability=self.internal_probability if probability is None else probability,
                clock=self.clock,
                duration_ns=self.duration_ns,
                peers=peers,
                senders=senders,
                network=common,
                links=tuple(self.network.outgoing(node, peers)) if node in special else (),
                inbound=tuple(self.network.inbound(node, senders)) if node in special else (),
                **(windows_of(self.faults, node, peers) if node in disturbed else {}),
            )
        return found

    def undisturbed(self) -> "Experiment":
        """Return the same experiment without faults: nothing lost, doubled or overtaken, and every link like all."""
        network = Network().model_copy(update={"delay": self.network.delay})
        return self.model_copy(update={"faults": (), "network": network})

    def to_yaml(self) -> str:
        """Return the resolved configuration: every key, in the order of the design; it loads back as an equal one."""
        return write_yaml(self.model_dump(by_alias=True, exclude_none=True))

    def _rates_hz(self, seed: int) -> Column:
        """Return the rate of each machine, in the order of their numbers."""
        if isinstance(self.tick_rate, RateRange):
            rate_hz = rates_hz(seed, np.arange(1, self.nodes + 1), least=self.tick_rate.min, most=self.tick_rate.max)
        else:
            rate_hz = np.array(self.tick_rate, np.int64)
        for node, own in self.overrides.items():
            rate_hz[node - 1] = rate_hz[node - 1] if own.tick_rate is None else own.tick_rate
        return rate_hz

    def _phases_ns(self, seed: int, rate_hz: Column) -> Column:
        if self.phase == "aligned":
            return np.zeros_like(rate_hz)
        return phases_ns(seed, np.arange(1, self.nodes + 1), rate_hz)


_MODELS: Final[dict[tuple[str, ...], type[Border]]] = {
    (): Experiment,
    ("tick_rate",): RateRange,
    ("machines",): MachineSettings,
    ("topology",): RandomPeers,
    ("network",): Network,
    ("network", "links", "*"): LinkSettings,
}
KEYS: Final = {
    trail: tuple(field.alias or name for name, field in model.model_fields.items()) for trail, model in _MODELS.items()
} | {("network", "delay"): (*UniformDelay.model_fields, *ExponentialDelay.model_fields), ("faults",): FAULT_KEYS}
"""The keys that are known at each place."""


def experiment_schema() -> dict[str, Any]:
    """Return the JSON Schema of an experiment's file, for editors."""
    schema = Experiment.model_json_schema(by_alias=True)
    del schema["properties"]["name"]["default"]  # it is the file's name
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema}
