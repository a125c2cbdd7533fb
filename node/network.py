"""What the model's network does to the messages of one link: how long they travel, which are lost, which come twice.

Never rolls the dice: the channel does. Source: model section 3.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import ConfigDict, Field

from node.exponential import LEAST, UNIT_BITS
from node.limits import NodeNumber, Probability, SpanNs

STRICT = ConfigDict(extra="forbid", strict=True)


def is_absent(value: object) -> bool:
    """Return whether a setting says nothing, so that a configuration without it is written as before there was one."""
    return not value


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform:
    """A delay drawn from [least_ns, most_ns], both included."""

    __pydantic_config__ = STRICT

    least_ns: SpanNs
    most_ns: SpanNs

    def __post_init__(self) -> None:
        if self.least_ns > self.most_ns:
            raise ValueError("a uniform delay is drawn from [least_ns, most_ns], the smaller first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential:
    """A delay drawn from the exponential distribution of this mean."""

    __pydantic_config__ = STRICT

    mean_ns: SpanNs


Delay: TypeAlias = SpanNs | Uniform | Exponential
"""A constant, or how it is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What every message of a link goes through; a FIFO link never lets one overtake another."""

    __pydantic_config__ = STRICT

    delay_ns: Delay = 0
    loss: Annotated[Probability, Field(exclude_if=is_absent)] = 0.0
    duplicate: Annotated[Probability, Field(exclude_if=is_absent)] = 0.0
    fifo: Annotated[bool, Field(exclude_if=bool)] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Network):
    """The whole network of the one link to `peer`."""

    peer: NodeNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """The least that a message of `sender` travels, if its link is not like our own."""

    __pydantic_config__ = STRICT

    sender: NodeNumber
    delay_ns_min: SpanNs


def delay_ns_min(delay: Delay) -> int:
    """Return the smallest delay that can be drawn; a receiver may rely on it."""
    match delay:
        case Uniform():
            return delay.least_ns
        case Exponential():
            return delay.mean_ns * LEAST >> UNIT_BITS
        case _:
            return delay
