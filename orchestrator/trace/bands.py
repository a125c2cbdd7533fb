"""The faults of the model as bands: what was wrong with which machine or link, from when until when.

Never judges. A band is what the configuration says, and the record has it in every start line.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from node.model import SECOND_NS, Model
from node.window import Fate, Window
from orchestrator.trace.store import Mask, Trace

BandKind: TypeAlias = Literal["partition", "pause", "slow-down", "crash"]
_Links: TypeAlias = frozenset[tuple[int, int]]

_FATES: Final[Mapping[Fate, str]] = {"lose": "lost", "hold": "held"}
_NAMES_MAX: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A fault from `from_ns` until before `to_ns`, in ns since the run's epoch: of `machine`, or if None of `links`.

    `links` are (sender, recipient); a partition alone has `messages`, a slow-down `factor`, a crash `amnesia`.
    """

    kind: BandKind
    from_ns: int
    to_ns: int
    machine: int | None = None
    links: _Links = frozenset()
    messages: Fate | None = None
    factor: int | None = None
    amnesia: bool | None = None

    def holds(self, time_ns: int) -> bool:
        """Return whether a time lies in the band."""
        return self.from_ns <= time_ns < self.to_ns

    def concerns(self, machine: int) -> bool:
        """Return whether it is of this machine, or of a link that begins or ends there."""
        return self.machine == machine or any(machine in link for link in self.links)

    @property
    def stops(self) -> bool:
        """Whether the machine has no tick at all meanwhile."""
        return self.kind in ("pause", "crash")

    def delays(self, *, link: tuple[int, int], sent_ns: int, arrival_ns: int, received_ns: int) -> bool:
        """Return whether it held a message of a link, or let it wait in the queue of its recipient."""
        if self.machine is None:
            return self.messages == "hold" and link in self.links and self.holds(sent_ns)
        return self.machine == link[1] and arrival_ns < self.to_ns and self.from_ns < received_ns

    @property
    def words(self) -> str:
        """The band as a noun: what, whose, and from when until when."""
        span = f"from {_seconds(self.from_ns)} to {_seconds(self.to_ns)}"
        match self.kind:
            case "partition":
                assert self.messages is not None, "a partition says what becomes of messages"
                return f"partition {_sides(self.links)} {span}, messages {_FATES[self.messages]}"
            case "slow-down":
                return f"slow-down of machine {self.machine} by {self.factor} {span}"
            case "crash":
                return f"crash of machine {self.machine} {span}{', with amnesia' if self.amnesia else ''}"
            case "pause":
                return f"pause of machine {self.machine} {span}"

    def as_json(self) -> dict[str, Any]:
        """Return it as `observer.jsonl` has it: what does not belong to its kind is left out."""
        own = {"node": self.machine, "messages": self.messages, "factor": self.factor, "amnesia": self.amnesia}
        links = {"links": [list(link) for link in sorted(self.links)]} if self.links else {}
        said = {name: value for name, value in own.items() if value is not None}
        return {"kind": self.kind, "from_ns": self.from_ns, "to_ns": self.to_ns, **said, **links}


def bands(trace: Trace) -> tuple[Band, ...]:
    """Return every fault that a run was to have, by when it begins; a machine without a start line says of none."""
    known = {node: machine for node, machine in trace.machines.items() if machine.model is not None}
    return bands_of(
        {node: machine.model for node, machine in known.items() if machine.model is not None},
        {node: machine.shift_ns for node, machine in known.items()},
    )


def bands_of(machines: Mapping[int, Model], shifts_ns: Mapping[int, int] | None = None) -> tuple[Band, ...]:
    """Return every fault of these machines that begins before their run is over, by when it begins.

    `shifts_ns` is how much later than the common epoch a machine's own is.
    """
    shifts_ns = shifts_ns or {}
    found: list[Band] = []
    cut: dict[tuple[int, int, Fate], set[tuple[int, int]]] = defaultdict(set)
    for node, model in machines.items():
        shift_ns = shifts_ns.get(node, 0)
        found += (band for band in _of_machine(model, shift_ns) if band.from_ns < model.duration_ns + shift_ns)
        for one in model.cuts:
            if one.from_ns < model.duration_ns:
                window = one.from_ns + shift_ns, one.to_ns + shift_ns, one.messages
                cut[window] |= {(node, peer) for peer in one.peers}
    found += (
        Band(kind="partition", from_ns=from_ns, to_ns=to_ns, messages=messages, links=frozenset(links))
        for (from_ns, to_ns, messages), links in cut.items()
    )
    return tuple(sorted(found, key=_order))


def parted(trace: Trace, every: Iterable[Band], fate: Fate) -> Mask:
    """Return which messages were sent over a link while a partition cut it that loses them, or that holds them."""
    sends = trace.messages.send_row
    found = np.zeros(len(sends), np.bool_)
    for band in every:
        if band.messages != fate:
            continue
        is_within = (trace.due_ns[sends] >= band.from_ns) & (trace.due_ns[sends] < band.to_ns)
        for message in np.flatnonzero(is_within & ~found).tolist():
            found[message] = (int(trace.node[sends[message]]), int(trace.messages.recipient[message])) in band.links
    return found


def at_the_end(trace: Trace) -> Mapping[int, str]:
    """Return, by machine without a stop record, in brackets after a space, the faults in which its log ends.

    They do not say why a log was cut, but why there was nothing more to come just then, or not from everybody.
    """
    if not trace.is_timed:
        return {}
    every = bands(trace)
    found = {
        node: [band.words for band in every if _is_open_at_the_end(trace, node, band)]
        for node, machine in trace.machines.items()
        if not machine.is_finished
    }
    return {node: f" (at its end: {'; '.join(words)})" for node, words in found.items() if words}


def _is_open_at_the_end(trace: Trace, node: int, band: Band) -> bool:
    machine, rows = trace.machines[node], trace.logs[node][-1:].tolist()
    if machine.model is None or not band.concerns(node):
        return False
    last_ns = int(trace.due_ns[rows[-1]]) if rows else machine.shift_ns
    if not band.stops:
        return band.holds(last_ns)
    tick = machine.model.next_tick(int(trace.tick[rows[-1]]) if rows else -1)
    next_ns = machine.shift_ns + (machine.model.duration_ns if tick is None else machine.model.due_ns(tick))
    return last_ns < band.to_ns and band.from_ns < next_ns


def _of_machine(model: Model, shift_ns: int) -> Iterator[Band]:
    def band(kind: BandKind, window: Window, *, factor: int | None = None, amnesia: bool | None = None) -> Band:
        from_ns, to_ns = window.from_ns + shift_ns, window.to_ns + shift_ns
        return Band(kind=kind, machine=model.node, from_ns=from_ns, to_ns=to_ns, factor=factor, amnesia=amnesia)

    yield from (band("pause", pause) for pause in model.pauses)
    yield from (band("slow-down", slow, factor=slow.factor) for slow in model.slow_downs)
    yield from (band("crash", crash, amnesia=crash.amnesia) for crash in model.crashes)


def _order(band: Band) -> tuple[int, int, str, int, list[tuple[int, int]]]:
    return band.from_ns, band.to_ns, band.kind, band.machine or 0, sorted(band.links)


def _sides(links: _Links) -> str:
    """Return who cannot reach whom: `1, 2 | 3` if nobody reaches the other side, `1 -> 2, 3` if one may answer."""
    reach: dict[int, set[int]] = defaultdict(set)
    for sender, recipient in links:
        reach[sender].add(recipient)
    senders_of: dict[frozenset[int], list[int]] = defaultdict(list)
    for sender in sorted(reach):
        senders_of[frozenset(reach[sender])].append(sender)
    everyone = set(reach)
    if all(recipients == everyone - set(senders) for recipients, senders in senders_of.items()):
        return " | ".join(_names(senders) for senders in senders_of.values())
    return "; ".join(f"{_names(senders)} -> {_names(sorted(recipients))}" for recipients, senders in senders_of.items())


def _names(machines: Iterable[int]) -> str:
    every = [str(machine) for machine in machines]
    more = len(every) - _NAMES_MAX
    return ", ".join(every) if more <= 0 else f"{', '.join(every[:_NAMES_MAX])} and {more} more"


def _seconds(time_ns: int) -> str:
    return f"{time_ns / SECOND_NS:.9f}".rstrip("0").rstrip(".") + " s"
