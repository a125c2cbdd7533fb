"""How strangers write logs: each dialect renders a run as files, and says which facts its lines hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.orchestrator.formats.world import Happened, Said, World, world

Files = Mapping[str, str]
Render = Callable[[World], Files]


@dataclass(frozen=True)
class Dialect:
    """A way of writing logs; `runs` says how many runs lie side by side."""

    render: Render
    said: Said
    world: Mapping[str, Any] = field(default_factory=dict)


DIALECTS: dict[str, Dialect] = {}


def dialect(
    says: str, *, name: Callable[[int], str] = str, unit_ns: int = 1_000_000, **of_world: Any
) -> Callable[[Render], Render]:
    """Register a dialect that says these facts of its events."""

    def register(render: Render) -> Render:
        said = Said(
            frozenset(["kind", *says.replace("queue-at-receives", "queue at receives").split(", ")]), name, unit_ns
        )
        DIALECTS[render.__name__] = Dialect(render, said, of_world)
        return render

    return register


def letter(machine: int) -> str:
    """A, B, C and so on."""
    return "ABCDEFGHIJ"[machine - 1]


def word(machine: int) -> str:
    """Names that are words."""
    return ("orders", "billing", "stock", "mail", "audit")[machine - 1]


def zero(machine: int) -> str:
    """Machines that count from 0."""
    return str(machine - 1)


def lines(world: World, line: Callable[[Happened], str], machine: int | None = None) -> str:
    """The lines of all events, or of a machine's; an event without a line has an empty one."""
    events = world.events if machine is None else world.of(machine)
    return "".join(f"{text}\n" for event in events if (text := line(event)))


def per_machine(
    world: World, name: Callable[[int], str], line: Callable[[Happened], str], head: str = "", tail: str = ""
) -> Files:
    """A file for each machine."""
    return {name(machine): head + lines(world, line, machine) + tail for machine in world.machines}


@cache
def world_of(options: tuple[tuple[str, Any], ...]) -> World:
    """The run of a dialect."""
    return world(**dict(options))
