"""Which complaints are said: of one source, one a second, and then how many were not.

Never says anything itself, and never remembers more than a few sources: whoever floods us must not fill the disk.
"""

from collections.abc import Iterator
from typing import Final

PERIOD_NS: Final = 1_000_000_000
SOURCES_MAX: Final = 256
OTHERS: Final = "others"
"""The source that stands for all, once there are too many to tell apart."""


class Complaints:
    """When each source was last complained of, and how often since without a word."""

    def __init__(self) -> None:
        self._said_ns: dict[str, int] = {}
        self._unsaid: dict[str, int] = {}

    def admit(self, source: str, now_ns: int) -> bool:
        """Return whether to complain of this source now; if not, it is counted."""
        if source not in self._said_ns and len(self._said_ns) >= SOURCES_MAX:
            source = OTHERS
        if now_ns - self._said_ns.get(source, now_ns - PERIOD_NS) >= PERIOD_NS:
            self._said_ns[source] = now_ns
            return True
        self._unsaid[source] = self._unsaid.get(source, 0) + 1
        return False

    def overdue(self, now_ns: int) -> Iterator[tuple[str, int]]:
        """Yield the sources whose second is over, with how many complaints were not said; call it now and then."""
        for source, said_ns in list(self._said_ns.items()):
            if now_ns - said_ns < PERIOD_NS:
                continue
            if count := self._unsaid.pop(source, 0):
                self._said_ns[source] = now_ns
                yield source, count
            else:
                del self._said_ns[source]
