"""The machines of an execution: those whose events were read, and behind them those that are only named.

Never takes two machines for one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.audit.store import MANY
from orchestrator.formats.format import LogFormat
from orchestrator.formats.names import Names, natural, resolve
from orchestrator.trace.store import Column


@dataclass(frozen=True, slots=True)
class Machines:
    """All machines; the last `absent` have no events. What was numbered while reading gets its place among them."""

    names: tuple[str, ...]
    absent: int
    _place_of_node: Column
    _place_of_peer: Column
    place_of_name: Mapping[str, int]
    """Where each machine stands in `names`, by every name that it is called by."""

    @classmethod
    def of(cls, layout: LogFormat, nodes: Names, peers: Names, named: Iterable[str]) -> "Machines":
        """Return the machines; `named` are those that vector clocks name."""
        known = sorted(nodes.numbers, key=natural)
        resolved = {name: resolve(name, [*known, *layout.nodes]) for name in (*peers.numbers, *named)}
        others = {*layout.nodes, *resolved.values()} - set(known)
        names = (*known, *sorted(others, key=natural))
        place = {name: position for position, name in enumerate(names)}
        return cls(
            names=names,
            absent=len(others),
            _place_of_node=np.array([place[name] for name in nodes.numbers] or [0], np.int64),
            _place_of_peer=np.array([place[resolved[peer]] for peer in peers.numbers] or [0], np.int64),
            place_of_name={name: place[found] for name, found in resolved.items()} | place,
        )

    def of_nodes(self, column: Column) -> Column:
        """Return the machines of a column of numbered nodes."""
        return self._place_of_node[column]

    def of_peers(self, column: Column) -> Column:
        """Return the machines of a column of numbered peers; what is no number stays."""
        return np.where(column >= 0, self._place_of_peer[np.maximum(column, 0)], column)

    def recipients(self, lists: Sequence[tuple[int, ...]], to: Column) -> Mapping[int, tuple[int, ...]]:
        """Return the recipients of each send to several, by its row, and mark it MANY in `to`."""
        rows = np.flatnonzero(to < MANY)
        many = [tuple(int(self._place_of_peer[peer]) for peer in peers) for peers in lists]
        recipients = {row: many[MANY - 1 - int(to[row])] for row in rows.tolist()}
        to[rows] = MANY
        return recipients
