"""One turn of a node's loop: the machine acts, its lines are written, and only then anything goes out.

Never reads a clock of its own, and never waits. Source: model section 5, "Nothing leaves before it is written".
"""

from collections.abc import Callable
from typing import Final, Protocol

from node.connections import Connections
from node.machine import Machine
from node.record import Line

TURN_NS_MAX: Final = 2_000_000


class Log(Protocol):
    """Where the lines go."""

    def write(self, line: Line) -> None:
        """Add a line."""

    def flush(self) -> None:
        """Write every line added so far, with one call.

        Raises LogError if not all of it was written.
        """


class Turn:
    """What a node does again and again; whoever drives it gives it the time, and kills it when it goes down."""

    def __init__(
        self,
        machine: Machine,
        log: Log,
        connections: Connections,
        *,
        now_ns: Callable[[], int],
        wall: Callable[[], int],
        go_down: Callable[[], None],
    ) -> None:
        """Take what it joins; `now_ns` counts from the epoch, and `go_down` does not return."""
        self._machine = machine
        self._log = log
        self._connections = connections
        self._now_ns = now_ns
        self._wall = wall
        self._go_down = go_down

    def act(self, *, may_go_down: bool) -> int:
        """Execute the ticks that may happen, for a while, and whatever follows them; return when that was.

        However far behind, a node keeps listening: what it does not read comes late.
        """
        machine = self._machine
        now_ns = began_ns = self._now_ns()
        while now_ns - began_ns < TURN_NS_MAX and machine.may_tick(now_ns):
            machine.tick(now_ns, self._wall())
            now_ns = self._now_ns()
        if may_go_down and machine.may_go_down:
            machine.go_down(self._wall())
        if machine.may_stop:
            machine.stop(self._wall())
        return now_ns

    def flush(self) -> None:
        """Write all lines with one call, and only then send what the machine has for its peers."""
        for line in self._machine.take_lines():
            self._log.write(line)
        self._log.flush()
        if self._machine.is_down:
            self._go_down()
        self._connections.flush()
