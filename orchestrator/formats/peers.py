"""Who a record names: the sender of a receive, the recipients of a send.

Never knows which machines there are; that is settled when all is read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from orchestrator.audit.store import ALL, MANY, ONE, RECEIVE, SEND
from orchestrator.formats.kinds import SEND_ALL, SEND_SOME
from orchestrator.formats.names import Names, clean, everyone_in
from orchestrator.trace.store import Column


class Peers:
    """Gives numbers to the names of peers, and to the lists of several."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = aliases
        self.names = Names()
        self.lists: list[tuple[int, ...]] = []
        """Several recipients; the column `to` holds MANY - 1 - their position until all names are known."""
        self._codes: dict[tuple[bool, str], int] = {}

    def of(self, values: Mapping[str, list[Any]], kinds: Column) -> tuple[Column, Column]:
        """Return each record's sender, -1 where it is not named, and whom it is to."""
        peers = values.get("peer")
        sender, to = np.full(len(kinds), -1, np.int64), np.full(len(kinds), ONE, np.int64)
        for place in np.flatnonzero(kinds == RECEIVE).tolist() if "from" in values or peers else ():
            sender[place] = self._sender(_first(values.get("from"), peers, place))
        for kind in (SEND, SEND_ALL, SEND_SOME):
            for place in np.flatnonzero(kinds == kind).tolist() if "to" in values or peers or kind != SEND else ():
                to[place] = self._recipients(_first(values.get("to"), peers, place), is_all=kind != SEND)
        return sender, to

    def _sender(self, value: Any) -> int:
        if isinstance(value, list):
            value = value[0] if value else ""
        name = "" if value is None else clean(value)
        return self._number(name) if name else -1

    def _recipients(self, value: Any, *, is_all: bool) -> int:
        key = is_all, str(value)
        if key not in self._codes:
            self._codes[key] = self._code(value, is_all=is_all)
        return self._codes[key]

    def _code(self, value: Any, *, is_all: bool) -> int:
        names = everyone_in(value)
        if names is None or (is_all and not names):
            return ALL
        if len(names) <= 1:
            return self._number(names[0]) if names else ONE
        self.lists.append(tuple(map(self._number, names)))
        return MANY - len(self.lists)

    def _number(self, name: str) -> int:
        return self.names.number(self._aliases.get(name, name))


def _first(column: Sequence[Any] | None, other: Sequence[Any] | None, place: int) -> Any:
    value = column[place] if column else None
    return other[place] if other and value in (None, "", []) else value
