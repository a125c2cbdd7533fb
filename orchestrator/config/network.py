"""The settings of the network: what every message goes through, and what those of single links do.

Never draws anything: each machine draws for its own messages. Source: model section 3.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, Tag, model_validator
from pydantic.json_schema import SkipJsonSchema

from node import network as node_network
from node.network import delay_ns_min
from orchestrator.config.settings import (
    Border,
    DelayNs,
    Probability,
    by,
    expected,
    keyed,
    refused,
    without_defaults,
)

LINK_PATTERN: Final = r"^([1-9][0-9]{0,5})(<?)->([1-9][0-9]{0,5})$"


class UniformDelay(Border):
    """Every message draws its delay from a range."""

    uniform: Annotated[tuple[DelayNs, ...], Field(min_length=2, max_length=2)]
    """The smallest and the largest delay, both included."""

    @model_validator(mode="after")
    def _rises(self) -> "UniformDelay":
        if self.uniform[0] > self.uniform[1]:
            raise refused("the smaller delay comes first", "uniform", 0)
        return self


class ExponentialDelay(Border):
    """Every message draws its delay from an exponential distribution."""

    exponential: DelayNs
    """The mean delay."""


def _kind_of_delay(value: object) -> str | None:
    match value:
        case UniformDelay() | {"uniform": _}:
            return "from a range"
        case ExponentialDelay() | {"exponential": _}:
            return "by its mean"
        case str() | int() | float():
            return "constant"
        case _:
            return None


Delay: TypeAlias = Annotated[
    Annotated[DelayNs, Tag("constant")]
    | Annotated[UniformDelay, Tag("from a range")]
    | Annotated[ExponentialDelay, Tag("by its mean")],
    by(_kind_of_delay, "a duration such as 10ms, {uniform: [5ms, 20ms]} or {exponential: 10ms}"),
]


class LinkSettings(Border):
    """What is different on one link; what is not said is as on all."""

    model_config = ConfigDict(json_schema_extra=without_defaults)

    delay: Delay | SkipJsonSchema[None] = None
    """How long its messages travel."""
    loss: Probability | SkipJsonSchema[None] = None
    """How likely it loses a message, each copy by itself."""
    duplicate: Probability | SkipJsonSchema[None] = None
    """How likely a message comes twice."""
    fifo: bool | SkipJsonSchema[None] = None
    """Whether it keeps its messages in order."""


def _read_link(value: object) -> object:
    if not isinstance(value, str) or re.fullmatch(LINK_PATTERN, value) is None:
        raise expected("a link such as 1->2, or 1<->2 for both directions")
    return value


LinkName: TypeAlias = Annotated[str, BeforeValidator(_read_link)]


class Network(Border):
    """What every message goes through."""

    delay: Delay = Field(default=0, json_schema_extra={"default": "0ms"})
    """How long every message travels: a constant, or drawn uniformly or exponentially for each."""
    loss: Probability = 0.0
    """How likely a message is lost, each copy by itself."""
    duplicate: Probability = 0.0
    """How likely a message comes twice."""
    fifo: bool = True
    """Whether every link keeps its messages in order, so that none overtakes another."""
    links: Mapping[LinkName, LinkSettings] = Field(default={}, json_schema_extra=keyed(LINK_PATTERN))
    """What is different on single links: 1->2, or 1<->2 for both directions."""

    @model_validator(mode="after")
    def _names_each_link_once(self) -> "Network":
        named: dict[tuple[int, int], str] = {}
        for name in self.links:
            for link in links_of(name):
                if link[0] == link[1]:
                    raise refused(f"machine {link[0]} has no link to itself", "links", name)
                if (first := named.setdefault(link, name)) != name:
                    raise refused(f"{name} and {first} both say what {link[0]}->{link[1]} is like", "links", name)
        return self

    def common(self) -> node_network.Network:
        """Return the network of a link that is as all are."""
        return node_network.Network(
            delay_ns=_delay(self.delay), loss=self.loss, duplicate=self.duplicate, fifo=self.fifo
        )

    def special(self) -> frozenset[int]:
        """Return the machines at either end of a link that is not as all are."""
        return frozenset(node for link in self._own() for node in link)

    def outgoing(self, node: int, peers: tuple[int, ...]) -> Iterator[node_network.Link]:
        """Yield the links of a machine to its peers that are not as all are."""
        own = self._own()
        for peer in peers:
            if (settings := own.get((node, peer))) is not None:
                yield node_network.Link(peer=peer, **(self._common_fields() | _said(settings)))

    def inbound(self, node: int, senders: tuple[int, ...]) -> Iterator[node_network.Inbound]:
        """Yield what a machine must know of the links to it that are not as all are."""
        own = self._own()
        for sender in senders:
            settings = own.get((sender, node))
            if settings is not None and settings.delay is not None:
                yield node_network.Inbound(sender=sender, delay_ns_min=delay_ns_min(_delay(settings.delay)))

    def _own(self) -> dict[tuple[int, int], LinkSettings]:
        return {link: settings for name, settings in self.links.items() for link in links_of(name)}

    def _common_fields(self) -> dict[str, Any]:
        common = self.common()
        return {name: getattr(common, name) for name in ("delay_ns", "loss", "duplicate", "fifo")}


def links_of(name: str) -> Iterator[tuple[int, int]]:
    """Yield the links, as (sender, recipient), that a name stands for: one, or both directions."""
    match = re.fullmatch(LINK_PATTERN, name)
    assert match is not None, "names are validated where they enter"
    left, right = int(match[1]), int(match[3])
    yield left, right
    if match[2]:
        yield right, left


def check_links(network: Network, nodes: int, peers: Mapping[int, tuple[int, ...]] | None) -> None:
    """Return if every link that is named exists; `peers` is None where they are drawn.

    Raises PydanticCustomError.
    """
    for name in network.links:
        for sender, recipient in links_of(name):
            if unknown := [node for node in (sender, recipient) if node > nodes]:
                why = f"there is no machine {unknown[0]}; there are {nodes}, numbered from 1"
                raise refused(why, "network", "links", name)
            if peers is not None and recipient not in peers[sender]:
                why = f"machine {sender} does not send to machine {recipient} in this topology"
                raise refused(why, "network", "links", name)


def _delay(delay: int | UniformDelay | ExponentialDelay) -> node_network.Delay:
    match delay:
        case UniformDelay():
            return node_network.Uniform(least_ns=delay.uniform[0], most_ns=delay.uniform[1])
        case ExponentialDelay():
            return node_network.Exponential(mean_ns=delay.exponential)
        case _:
            return delay


def _said(settings: LinkSettings) -> dict[str, Any]:
    said = {name: getattr(settings, name) for name in ("loss", "duplicate", "fifo")}
    said["delay_ns"] = None if settings.delay is None else _delay(settings.delay)
    return {name: value for name, value in said.items() if value is not None}
