"""The faults of an experiment, as data: what happens to which machines or links, from when until when.

Never makes anything happen: each machine is told its own windows. Source: model section 3.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field, Tag, model_validator

from node import window
from node.limits import FACTOR_MAX
from orchestrator.config.duration import format_duration
from orchestrator.config.settings import NODES_MAX, Border, DelayNs, NodeNumber, by, refused

FAULTS_MAX: Final = 1_000


class Window(Border):
    """When a fault is: the due times from its start until before its end."""

    from_ns: DelayNs = Field(alias="from")
    """When it begins."""
    to_ns: DelayNs = Field(alias="to")
    """When it is over."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Window":
        if self.to_ns <= self.from_ns:
            raise refused(f"it would be over before it begins, at {format_duration(self.from_ns)}", "to")
        return self

    @property
    def ends(self) -> dict[str, int]:
        """Both ends, as a window of the model has them."""
        return {"from_ns": self.from_ns, "to_ns": self.to_ns}


Group: TypeAlias = Annotated[tuple[NodeNumber, ...], Field(min_length=1, max_length=NODES_MAX)]


class Partition(Window):
    """Machines of different groups cannot reach each other; a machine in no group reaches everybody."""

    partition: Annotated[tuple[Group, ...], Field(min_length=2, max_length=NODES_MAX)]
    """The groups."""
    messages: window.Fate = "hold"
    """What becomes of a message between two groups: lost, or held until the partition is over."""
    one_way: bool = False
    """Whether only what an earlier group sends to a later one is stopped."""

    def cut_from(self, node: int, peers: Sequence[int]) -> tuple[int, ...]:
        """Return the peers to which a machine's messages do not come through."""
        groups = {member: place for place, group in enumerate(self.partition) for member in group}
        own = groups.get(node)
        if own is None:
            return ()
        others = {peer: groups[peer] for peer in peers if groups.get(peer, own) != own}
        return tuple(peer for peer, group in others.items() if group > own or not self.one_way)


class Pause(Window):
    """A machine does nothing; its messages wait."""

    pause: NodeNumber
    """The machine."""


class SlowDown(Window):
    """A machine has only one of so many of its ticks."""

    slow: NodeNumber
    """The machine."""
    factor: Annotated[int, Field(ge=1, le=FACTOR_MAX)]
    """How many times as slow."""


class Crash(Window):
    """A machine dies, and comes back at the end."""

    crash: NodeNumber
    """The machine."""
    amnesia: bool = False
    """Whether it comes back without its log, as a new incarnation that remembers nothing."""


_KINDS: Final[dict[str, type[Window]]] = {"partition": Partition, "pause": Pause, "slow": SlowDown, "crash": Crash}


def _kind_of_fault(value: object) -> str | None:
    # A tag is no key: the place of an error is found by the keys that lead to it.
    for kind, fault in _KINDS.items():
        if isinstance(value, fault) or (isinstance(value, dict) and kind in value):
            return f"a {kind}"
    return None


Fault: TypeAlias = Annotated[
    Annotated[Partition, Tag("a partition")]
    | Annotated[Pause, Tag("a pause")]
    | Annotated[SlowDown, Tag("a slow")]
    | Annotated[Crash, Tag("a crash")],
    by(_kind_of_fault, "a partition, pause, slow or crash, such as {from: 10s, to: 20s, pause: 2}"),
]
Faults: TypeAlias = Annotated[tuple[Fault, ...], Field(max_length=FAULTS_MAX)]

FAULT_KEYS: Final = tuple(
    dict.fromkeys(field.alias or name for fault in _KINDS.values() for name, field in fault.model_fields.items())
)


def check_faults(faults: Faults, *, nodes: int, duration_ns: int) -> None:
    """Return if the faults are possible, one by one and together.

    Raises PydanticCustomError.
    """
    resting: dict[int, list[Window]] = {}
    for place, fault in enumerate(faults):
        if isinstance(fault, Partition):
            _check_partition(fault, place, nodes=nodes, duration_ns=duration_ns)
            continue
        node = _machine(fault)
        if node > nodes:
            raise refused(_no_machine(node, nodes), "faults", place, _key(fault))
        for other in resting.setdefault(node, []):
            if fault.from_ns < other.to_ns and other.from_ns < fault.to_ns:
                raise refused(
                    f"machine {node} would have this {_name(fault)} during its {_name(other)} from "
                    f"{format_duration(other.from_ns)} to {format_duration(other.to_ns)}",
                    *("faults", place, "from"),
                )
        resting[node].append(fault)


def machines_of(faults: Faults) -> frozenset[int]:
    """Return the machines that some fault concerns; of no other there is a window."""
    groups = (group for fault in faults if isinstance(fault, Partition) for group in fault.partition)
    alone = (_machine(fault) for fault in faults if not isinstance(fault, Partition))
    return frozenset(alone).union(*groups)


def windows_of(faults: Faults, node: int, peers: Sequence[int]) -> dict[str, Any]:
    """Return the windows of one machine, as its model has them: nothing that concerns only others."""
    own = [fault for fault in faults if not isinstance(fault, Partition) and _machine(fault) == node]
    return {
        "pauses": tuple(window.Pause(**fault.ends) for fault in own if isinstance(fault, Pause)),
        "slow_downs": tuple(
            window.SlowDown(**fault.ends, factor=fault.factor) for fault in own if isinstance(fault, SlowDown)
        ),
        "crashes": tuple(
            window.Crash(**fault.ends, amnesia=fault.amnesia) for fault in own if isinstance(fault, Crash)
        ),
        "cuts": tuple(_cuts(faults, node, peers)),
    }


def _cuts(faults: Faults, node: int, peers: Sequence[int]) -> Iterator[window.Cut]:
    for fault in faults:
        if isinstance(fault, Partition) and (cut_from := fault.cut_from(node, peers)):
            yield window.Cut(**fault.ends, peers=cut_from, messages=fault.messages)


def _check_partition(fault: Partition, place: int, *, nodes: int, duration_ns: int) -> None:
    seen: set[int] = set()
    for group, members in enumerate(fault.partition):
        for position, node in enumerate(members):
            trail = ("faults", place, "partition", group, position)
            if node > nodes:
                raise refused(_no_machine(node, nodes), *trail)
            if node in seen:
                raise refused(f"machine {node} stands twice in this partition", *trail)
            seen.add(node)
    if fault.messages == "hold" and fault.to_ns > duration_ns:
        why = f"messages would be held beyond the end of the run, at {format_duration(duration_ns)}"
        raise refused(f"{why}; end it there, or lose them", *("faults", place, "to"))


def _machine(fault: Pause | SlowDown | Crash) -> int:
    match fault:
        case Pause():
            return fault.pause
        case SlowDown():
            return fault.slow
        case Crash():
            return fault.crash


def _key(fault: Window) -> str:
    return next(kind for kind, model in _KINDS.items() if isinstance(fault, model))


def _name(fault: Window) -> str:
    """Return what people call it."""
    return "slow-down" if isinstance(fault, SlowDown) else _key(fault)


def _no_machine(node: int, nodes: int) -> str:
    return f"there is no machine {node}; there are {nodes}, numbered from 1"
