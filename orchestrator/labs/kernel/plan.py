"""From the machines of a cluster to the columns that the compiled runs read.

Never simulates. Machines are counted from 0 here, in the order of their numbers; an edge is a link that may be used.
"""

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from node.dice import CERTAIN, threshold
from node.limits import SECOND_NS
from node.model import Model
from node.network import Exponential, Network, Uniform
from orchestrator.config.drawing import mixed
from orchestrator.trace.proof.cluster import segments_of

NO_INCREMENT: Final = "lamport-no-increment"
LITERAL: Final = "lamport-literal"

Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """A cluster as columns: `columns` for every run, `delay_ns` only where the plain run suffices."""

    number: npt.NDArray[np.uint32]
    rate_hz: npt.NDArray[np.uint32]
    phase_ns: npt.NDArray[np.int64]
    duration_ns: int
    events: int
    slots: Columns
    links: Columns
    delay_ns: int | None
    lift: int
    less: npt.NDArray[np.int64]
    messages: int
    faults: Columns

    @property
    def seconds(self) -> int:
        """The number of seconds that the run begins."""
        return -(-self.duration_ns // SECOND_NS)

    @property
    def is_plain(self) -> bool:
        """Whether the plain run suffices."""
        return self.delay_ns is not None


def plan_of(machines: Mapping[int, Model]) -> Plan:
    """Return the plan of a cluster."""
    models = [model for _, model in sorted(machines.items())]
    number = np.array([model.node for model in models], np.uint32)
    rate_hz = np.array([model.rate_hz for model in models], np.uint32)
    phase_ns = np.array([model.phase_ns for model in models], np.int64)
    duration_ns = max((model.duration_ns for model in models), default=0)
    delay_ns = _plain_delay_ns(models)
    return Plan(
        number=number,
        rate_hz=rate_hz,
        phase_ns=phase_ns,
        duration_ns=duration_ns,
        events=events_of(models),
        slots=slots_of(rate_hz, phase_ns, duration_ns),
        links=_links(models, number),
        delay_ns=delay_ns,
        lift=1 if models and models[0].clock == "lamport" else 0,
        less=np.array([model.clock == LITERAL for model in models], np.int64),
        messages=messages_expected(models),
        faults=_faults(models) if delay_ns is None else {},
    )


def slots_of(rate_hz: npt.NDArray[Any], phase_ns: npt.NDArray[Any], duration_ns: int) -> Columns:
    """Return the ticks of any second, in the order of (due, node): `tick` is what the number in second 0 would be."""
    # In a run of less than a second there is no more than its part of the pattern.
    within_ns = np.clip(min(duration_ns, 2 * SECOND_NS) - phase_ns, 0, None)
    rates = rate_hz.astype(np.int64)
    counts = np.minimum(rates, within_ns * rates // SECOND_NS + 1)
    machine = np.repeat(np.arange(len(rates)), counts)
    tick = np.arange(len(machine)) - np.repeat(np.cumsum(counts) - counts, counts)
    due_ns = phase_ns[machine] + tick * SECOND_NS // rates[machine]
    is_next = due_ns >= SECOND_NS
    due_ns -= SECOND_NS * is_next
    order = np.argsort(due_ns, kind="stable")
    order = order[due_ns[order] < duration_ns]
    return {
        "slot_machine": machine[order].astype(np.uint32),
        "slot_due_ns": due_ns[order].astype(np.uint32),
        "slot_tick": (tick - rates[machine] * is_next)[order],
    }


def chances(probability: float, *, has_peers: bool) -> list[int]:
    """Return from where on a roll is a send-one, a send-next, a send-all: what is not internal splits evenly."""
    below = threshold(probability) if has_peers else CERTAIN
    rest = CERTAIN - below
    return [below, below - -rest // 3, below - -2 * rest // 3] if rest else [CERTAIN] * 3


def _links(models: Sequence[Model], number: npt.NDArray[Any]) -> Columns:
    degree = np.array([len(model.peers) for model in models], np.int64)
    first = np.cumsum(degree) - degree
    peers = np.fromiter(chain.from_iterable(model.peers for model in models), np.int64, int(degree.sum()))
    # The next peer by number, or else the smallest.
    following = [bisect(model.peers, model.node) % (len(model.peers) or 1) for model in models]
    known = cache(chances)
    return {
        "rate_hz": np.array([model.rate_hz for model in models], np.uint32),
        "start": _starts(models),
        "chances": np.array(
            [known(model.internal_probability, has_peers=bool(model.peers)) for model in models], np.uint64
        ).reshape(-1, 3),
        "first": first.astype(np.uint32),
        "degree": degree.astype(np.uint32),
        "following": (first + np.array(following, np.int64)).astype(np.uint32),
        "peer": np.searchsorted(number, peers).astype(np.uint32),
    }


def _starts(models: Sequence[Model]) -> npt.NDArray[np.uint64]:
    seeds = np.array([model.seed for model in models], np.uint64)
    return mixed(mixed(seeds) ^ np.array([model.node for model in models], np.uint64))


def events_of(models: Iterable[Model]) -> int:
    """Return how many events a run has."""
    return sum(model.tick_count for model in models)


def messages_expected(models: Iterable[Model]) -> int:
    """Return about how many messages are sent at most, so that there is room for them.

    Whoever sends has an empty queue, so that what reaches one machine is little more than the fastest can take.
    """
    models = list(models)
    seconds = max((model.duration_ns for model in models), default=0) / SECOND_NS
    received = 2 * max((model.rate_hz for model in models), default=0) * len(models) * seconds
    sent = sum(
        model.tick_count * (1 - model.internal_probability) * (len(model.peers) + 2) / 3
        for model in models
        if model.peers
    )
    return int(min(received, sent)) + len(models)


def is_plain(models: Iterable[Model]) -> bool:
    """Return whether the plain run suffices."""
    return _plain_delay_ns(list(models)) is not None


def _plain_delay_ns(models: Sequence[Model]) -> int | None:
    """Return how long every message takes; None unless that is all there is to say of the network and the machines."""
    if any(model.pauses or model.slow_downs or model.crashes or model.cuts or model.links for model in models):
        return None
    if any(model.phase_ns >= SECOND_NS // model.rate_hz for model in models):
        return None
    same = {(model.network, model.clock, model.duration_ns) for model in models}
    if len(same) != 1:
        return None
    ((network, _, _),) = same
    is_plain = isinstance(network.delay_ns, int) and not network.loss and not network.duplicate
    return network.delay_ns if is_plain and isinstance(network.delay_ns, int) else None


def _faults(models: Sequence[Model]) -> Columns:
    """Return what only the general run reads."""
    networks: dict[tuple[int, ...], int] = {}
    network_of: list[int] = []
    cuts: list[tuple[int, int, int]] = []
    cut_counts: list[int] = []
    for model in models:
        own = {link.peer: _network(link) for link in model.links}
        of_all = _network(model.network)
        for peer in model.peers:
            network_of.append(networks.setdefault(own.get(peer, of_all), len(networks)))
            before = len(cuts)
            cuts += [(cut.from_ns, cut.to_ns, cut.messages == "lose") for cut in model.cuts if peer in cut.peers]
            cut_counts.append(len(cuts) - before)
    segments = [segments_of(model) for model in models]
    return {
        "network_of": np.array(network_of, np.uint32),
        "networks": np.array(list(networks), np.int64).reshape(-1, 6),
        "first_cut": _firsts(cut_counts),
        "cuts": np.array(cuts, np.int64).reshape(-1, 3),
        "first_segment": _firsts(map(len, segments))[:-1],
        "segments": np.array([one for own in segments for one in own], np.int64).reshape(-1, 3),
        "bump": np.array([model.clock != NO_INCREMENT for model in models], np.int64),
    }


def _firsts(counts: Iterable[int]) -> npt.NDArray[np.uint32]:
    return np.cumsum([0, *counts]).astype(np.uint32)


def _network(network: Network) -> tuple[int, ...]:
    """Return a network as the general run reads it."""
    match network.delay_ns:
        case Uniform(least_ns=least_ns, most_ns=most_ns):
            delay = (0, least_ns, most_ns - least_ns + 1)
        case Exponential(mean_ns=mean_ns):
            delay = (1, mean_ns, 0)
        case delay_ns:
            delay = (0, delay_ns, 1)
    return *delay, threshold(network.loss), threshold(network.duplicate), int(network.fifo)
