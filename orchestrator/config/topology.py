"""Topologies: whom each machine may send to, from a name, a number of random peers, or lists.

Never reads a file. Source: model section 3, "Topology"; `docs/faults.md` defines each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, Tag, WithJsonSchema

from node.model import everyone_else
from orchestrator.config.drawing import peers_drawn, senders_of_drawn
from orchestrator.config.settings import LINKS_MAX, NODES_MAX, Border, NodeNumber, by, expected, refused

HUB: Final = 1
"""The machine in the middle of a star."""


class RandomPeers(Border):
    """Each machine draws so many peers of its own."""

    random: Annotated[int, Field(ge=1, le=NODES_MAX - 1)]
    """How many other machines each machine may send to; drawn anew for each run."""


def _kind_of_topology(value: object) -> str | None:
    if isinstance(value, str):
        return "named"
    if isinstance(value, RandomPeers) or (isinstance(value, dict) and value.keys() == {"random"}):
        return "drawn"
    return "lists" if isinstance(value, dict) else None


def _refuse_bare_random(value: object) -> object:
    if value == "random":
        raise expected("how many peers each machine draws, such as {random: 2}")
    return value


_LISTS: Final = {
    "type": "object",
    "patternProperties": {
        "^[1-9][0-9]{0,5}$": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": NODES_MAX}}
    },
    "additionalProperties": False,
    "examples": [{"1": [2], "2": [3], "3": [1]}],
}
Lists: TypeAlias = Annotated[Mapping[NodeNumber, tuple[NodeNumber, ...]], WithJsonSchema(_LISTS)]
Topology: TypeAlias = Annotated[
    Annotated[Literal["full", "ring", "star"], Tag("named")]
    | Annotated[RandomPeers, Tag("drawn")]
    | Annotated[Lists, Tag("lists")],
    by(_kind_of_topology, "full, ring, star, {random: 2}, or whom each machine sends to, such as {1: [2], 2: [3]}"),
    BeforeValidator(_refuse_bare_random),
]


@dataclass(frozen=True, slots=True)
class Links:
    """Whom each machine may send to, and who may send to it: by its number, ascending."""

    peers: Mapping[int, tuple[int, ...]]
    senders: Mapping[int, tuple[int, ...]]

    @classmethod
    def of(cls, topology: Topology, nodes: int, seed: int) -> Self:
        """Return the links of a topology; the dice choose a peer by its position in id order."""
        numbers = range(1, nodes + 1)
        if isinstance(topology, RandomPeers):
            drawn = peers_drawn(seed, nodes, topology.random)
            peers = dict(zip(numbers, map(tuple, drawn.tolist()), strict=True))
            return cls(peers, dict(zip(numbers, senders_of_drawn(drawn), strict=True)))
        peers = {node: tuple(sorted(set(_peers(topology, node, nodes)))) for node in numbers}
        return cls(peers, senders_of(peers))


def check_topology(topology: Topology, nodes: int) -> None:
    """Return if the machines are there that the topology names, and not too many links.

    Raises PydanticCustomError.
    """
    if isinstance(topology, RandomPeers) and topology.random >= nodes:
        raise refused(f"a machine has only {nodes - 1} others to send to", "topology", "random")
    if isinstance(topology, Mapping):
        for node, peers in topology.items():
            _check_list(node, peers, nodes)
        return
    each = topology.random if isinstance(topology, RandomPeers) else nodes - 1 if topology == "full" else 2
    if nodes * each > LINKS_MAX:
        raise refused(
            f"{nodes:,} machines would have {nodes * each:,} links, and at most {LINKS_MAX:,} fit; "
            "bound the fan-out, such as topology: {random: 3}",
            "topology",
        )


def senders_of(peers: Mapping[int, Iterable[int]]) -> dict[int, tuple[int, ...]]:
    """Return who sends to each machine, ascending, from whom each machine sends to."""
    senders: dict[int, list[int]] = {node: [] for node in peers}
    for sender in sorted(peers):
        for recipient in peers[sender]:
            senders[recipient].append(sender)
    return {node: tuple(those) for node, those in senders.items()}


def _check_list(node: int, peers: tuple[int, ...], nodes: int) -> None:
    there_are = f"there are {nodes}, numbered from 1"
    if node > nodes:
        raise refused(f"there is no machine {node}; {there_are}", "topology", node)
    for position, peer in enumerate(peers):
        trail = ("topology", node, position)
        if peer > nodes:
            raise refused(f"machine {node} cannot send to machine {peer}; {there_are}", *trail)
        if peer == node:
            raise refused(f"machine {node} cannot send to itself", *trail)
        if peer in peers[:position]:
            raise refused(f"machine {node} lists machine {peer} twice", *trail)


def _peers(topology: Topology, node: int, nodes: int) -> Iterable[int]:
    match topology:
        case "full":
            return everyone_else(node, range(1, nodes + 1))
        case "ring":
            return (node - 2) % nodes + 1, node % nodes + 1
        case "star":
            return everyone_else(node, range(1, nodes + 1)) if node == HUB else (HUB,)
        case Mapping():
            return topology.get(node, ())
    raise AssertionError("peers that are drawn are drawn for all at once")
