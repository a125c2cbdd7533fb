"""How much memory a compiled run needs, and how much there is: what would not fit is refused before it starts.

Never runs anything. Where the system does not say how much is free, there is room.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from node.errors import ConfigurationError
from node.model import Model
from orchestrator.labs.kernel.plan import events_of, messages_expected

ROWS_MAX: Final = 2**32 - 2**24
"""Rows are counted in 32 bits."""
EVENT_BYTES: Final = 37
MESSAGE_BYTES: Final = 49
"""At most, while a run goes on."""
TRACE_EVENT_BYTES: Final = 176
TRACE_MESSAGE_BYTES: Final = 64
"""What a trace takes on top, with what is needed while it is made."""
MACHINE_BYTES: Final = 14_000
"""What is known of a machine besides: its model, its stop records, its measures."""

_CGROUP: Final = Path("/sys/fs/cgroup")


def refuse_if_too_large(machines: Mapping[int, Model], *, traces: int) -> None:
    """Return if there is memory for the run of these machines, and for so many traces of it.

    Raises ConfigurationError, with both figures.
    """
    events, messages = events_of(machines.values()), messages_expected(machines.values())
    needed = events * EVENT_BYTES + messages * MESSAGE_BYTES + len(machines) * MACHINE_BYTES
    needed += traces * (events * TRACE_EVENT_BYTES + messages * TRACE_MESSAGE_BYTES)
    free = free_bytes()
    if max(events, messages) > ROWS_MAX:
        raise ConfigurationError(f"a run of {events:,} events and about {messages:,} messages is too long; {_ADVICE}")
    if free is not None and needed > free:
        raise ConfigurationError(
            f"a run of {events:,} events needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are "
            f"free; {_ADVICE}"
        )


_ADVICE: Final = "ask for a shorter duration or for fewer machines"


def too_many_messages(messages: int) -> ConfigurationError:
    """Return the error of a run whose messages, so many, outgrew what there is."""
    return ConfigurationError(f"there is no memory left for more than {messages:,} messages; {_ADVICE}")


def free_bytes() -> int | None:
    """Return how much memory may still be taken; None where nobody says."""
    found = [free for free in (_of_system(), _of_group()) if free is not None]
    return min(found, default=None)


def _of_system() -> int | None:
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _of_group() -> int | None:
    """Return what the limit of our container leaves."""
    with suppress(OSError, ValueError):  # "max" is no number: there is no limit
        most, taken = (int((_CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        return max(0, most - taken)
    return None
