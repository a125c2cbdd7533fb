"""Runs of programs with a mistake: what they write of the same events, for guesses that must not be misled by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from node.event import EventId
from tests.orchestrator.formats.world import Happened, World

EVERY = 23
"""So often comes a mistake that does not come always."""


@dataclass
class _Program:
    """A program with a mistake, told the events of a run one by one; `merge` gives the clock at a receive."""

    merge: Callable[[int, int], int] = lambda own, stamp: max(own, stamp) + 1
    lapse: Callable[[int], int] = lambda own: own
    """What becomes of the clock before it counts, now and then."""
    step: Callable[[str], int] = lambda _kind: 1
    stamp: Callable[[Happened], int] = lambda send: send.clock
    clocks: dict[int, int] = field(default_factory=dict)
    vectors: dict[int, list[int]] = field(default_factory=dict)
    sent: dict[EventId | None, Happened] = field(default_factory=dict)

    def tell(self, event: Happened, nodes: int) -> Happened:
        before = self.clocks.get(event.n, 0)
        vector = self.vectors.setdefault(event.n, [0] * nodes)
        if event.index % EVERY == 0:
            before = self.lapse(before)
            vector[:] = map(self.lapse, vector)
        told = replace(event, before=before, clock=before + self.step(event.kind))
        if event.kind == "receive":
            send = self.sent[event.cause]
            stamp = self.stamp(send)
            told = replace(told, stamp=stamp, clock=self.merge(before, stamp))
            vector[:] = [self.merge(own, its) - 1 for own, its in zip(vector, send.vector, strict=True)]
        vector[event.n - 1] += self.step(event.kind)
        told = replace(told, vector=tuple(max(0, entry) for entry in vector))
        self.clocks[event.n] = told.clock
        if event.kind == "send":
            self.sent[event.name] = told
        return told


def _with(**mistake: Callable[..., int]) -> Callable[[World], World]:
    def broken(world: World) -> World:
        program = _Program(**mistake)  # type: ignore[arg-type]
        return replace(world, events=[program.tell(event, world.nodes) for event in world.events])

    return broken


def _received_twice(world: World) -> World:
    events = []
    for event in world.events:
        events.append(event)
        if event.kind == "receive" and event.id % 5 == 0:
            events.append(event)
    return replace(world, events=events)


def _sent_by_nobody(world: World) -> World:
    return replace(world, events=[e for e in world.events if e.kind != "send" or e.id % 6])


MISTAKES: Mapping[str, Callable[[World], World]] = {
    "no merge": _with(merge=lambda own, _stamp: own + 1),
    "maximum alone": _with(merge=max),
    "the stamp itself": _with(merge=lambda _own, stamp: stamp),
    "the stamp and one": _with(merge=lambda _own, stamp: stamp + 1),
    "back to 0": _with(lapse=lambda _own: 0),
    "backwards": _with(lapse=lambda own: max(0, own - 9)),
    "a send does not count": _with(step=lambda kind: int(kind != "send")),
    "only messages count": _with(step=lambda kind: int(kind != "internal")),
    "stamped before it counts": _with(stamp=lambda send: max(0, send.clock - 1)),
    "received twice": _received_twice,
    "sent by nobody": _sent_by_nobody,
}
"""What programs do wrong, by name."""
