"""The compiled runs from a plan to a record: columns are made, filled second by second, and made longer when need be.

Never decides whether a run is worth it. Imports numba: only whoever wants a compiled run imports this.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from orchestrator.labs.kernel import general, plain
from orchestrator.labs.kernel.heap import NONE
from orchestrator.labs.kernel.plan import Columns, Plan
from orchestrator.labs.kernel.record import Record
from orchestrator.labs.kernel.room import ROWS_MAX, too_many_messages

EVENTS_BETWEEN: Final = 1_000_000
"""About how many events a run goes on for before it asks whether it may go on."""


def run_plan(plan: Plan, *, go_on: Callable[[], bool] = lambda: True) -> Record | None:
    """Run a cluster to its end; None if `go_on`, asked every now and then, says no."""
    run = _Plain(plan) if plan.is_plain else _General(plan)
    second, step = 0, 1 + plan.seconds * EVENTS_BETWEEN // (plan.events + 1)
    while second < plan.seconds:
        second = min(second + step, plan.seconds)
        while not run.advance(second):
            run.lengthen()
        if not go_on():
            return None
    return run.record()


class _Run:
    """What both runs have in common."""

    events: Columns
    messages: Columns
    cursors: Any

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.machines = len(plan.number)
        self.room = self.machines + plan.messages + 2 * int(plan.links["degree"].max(initial=0)) + 1

    def lengthen(self) -> None:
        """Make room for twice as many messages.

        Raises ConfigurationError where there is no more memory.
        """
        before, self.room = self.room, 2 * self.room
        if self.room > ROWS_MAX:
            raise too_many_messages(before)
        try:
            for name, column in self.messages.items():
                longer = np.empty((self.room, *column.shape[1:]), column.dtype)
                longer[: len(column)] = column
                self.messages[name] = longer
        except MemoryError:
            raise too_many_messages(before) from None


class _Plain(_Run):
    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        assert plan.delay_ns is not None, "a plain run has one delay"
        links, slots = plan.links, plan.slots
        self.cursors = np.zeros(plain.CURSORS, np.int64)
        own_rates_hz = plan.rate_hz[slots["slot_machine"]]
        columns = (slots["slot_machine"], slots["slot_due_ns"], slots["slot_tick"], own_rates_hz)
        self.count = len(own_rates_hz)
        lap = plain.seconds_of_lap(self.count, plan.seconds)
        self.slots = np.empty((lap * self.count, plain.SLOT_WORDS), np.uint32)
        self.slots[: self.count] = np.stack(columns, axis=1, dtype=np.uint32, casting="unsafe")
        self.lags = np.zeros(len(self.slots) + 1, np.uint32)
        plain.find_lags(self.slots[: self.count], plan.delay_ns, self.lags)
        plain.repeat(self.count, lap, self.slots, self.lags)
        self.actions = np.empty((len(self.slots), plain.AHEAD), np.uint8)
        self.state = np.zeros((self.machines, plain.STATE_WORDS), np.uint32)
        for word, name in ((plain.FIRST, "first"), (plain.DEGREE, "degree"), (plain.FOLLOWING, "following")):
            self.state[:, word] = links[name]
        for word in (plain.HEAD, plain.TAIL):
            self.state[:, word] = np.arange(self.machines)
        self.sent = np.zeros(len(links["peer"]), np.uint32)
        self.events = {"events": np.empty((plan.events, plain.EVENT_WORDS), np.uint32)}
        self.messages = {"copies": np.empty((self.room, plain.COPY_WORDS), np.uint32)}
        self.messages["places"] = np.empty((self.room, plain.PLACE_WORDS), np.uint32)

    def advance(self, until: int) -> bool:
        """Go on; False if there must be room for more messages first."""
        plan = self.plan
        columns: list[Any] = [self.slots, self.lags, *(plan.links[name] for name in ("start", "chances"))]
        columns += [self.actions, plan.links["peer"], int(plan.links["degree"].max(initial=0)), plan.lift]
        columns += [self.state, self.sent, self.events["events"], *self.messages.values()]
        return plain.run_plain(min(until * self.count, plan.events), self.cursors, *columns)

    def record(self) -> Record:
        """Return what the finished run leaves."""
        events, copies = self.events["events"], self.messages["copies"][: self.cursors[plain.MESSAGES]]
        return Record(
            plan=self.plan,
            kind=events[:, plain.KIND],
            clock=events[:, plain.TIME],
            queue=events[:, plain.QUEUE],
            message=events[:, plain.MESSAGE],
            m_send=copies[:, plain.SENT],
            m_to=copies[:, plain.TO],
            m_number=copies[:, plain.NUMBER],
        )


class _General(_Run):
    """The columns of messages begin with one for each machine that is none."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.cursors = np.zeros(general.CURSORS, np.int64)
        self.cursors[general.MESSAGES] = self.machines
        self.state = np.zeros((self.machines, general.STATE_TIMES), np.int64)
        self.state[:, general.LAST] = self.state[:, general.TAIL] = np.arange(self.machines)
        self.state[:, general.COMING] = NONE
        links = len(plan.links["peer"])
        self.sent, self.latest_ns = np.zeros(links, np.int64), np.zeros(links, np.int64)
        names: dict[str, type[Any]] = {
            "machine": np.uint32,
            "tick": np.int64,
            "life": np.uint32,
            "index": np.uint32,
            "kind": np.uint8,
        }
        names |= dict.fromkeys(("clock", "queue", "message"), np.uint32)
        self.events = {name: np.empty(plan.events, kind) for name, kind in names.items()}
        kinds: dict[str, type[Any]] = dict.fromkeys(("m_send", "m_to", "m_number"), np.uint32)
        kinds |= {"m_arrival_ns": np.int64, "m_copy": np.uint8, "m_sender": np.uint32}
        kinds |= {"m_next": np.int64, "m_child": np.int64}
        self.messages = {name: np.empty(self.room, kind) for name, kind in kinds.items()}

    def advance(self, until: int) -> bool:
        """Go on; False if there must be room for more messages first."""
        plan = self.plan
        columns: list[Any] = [plan.number, *plan.slots.values(), *plan.links.values(), *plan.faults.values()]
        columns += [plan.less, self.state, self.sent, self.latest_ns]
        return general.run_general(until, self.cursors, *columns, *self.events.values(), *self.messages.values())

    def record(self) -> Record:
        """Return what the finished run leaves."""
        events = self.events
        return Record(
            plan=self.plan,
            own_machine=events["machine"],
            own_tick=events["tick"],
            kind=events["kind"],
            clock=events["clock"],
            queue=events["queue"],
            message=self.taken(),
            m_send=self.kept("m_send"),
            m_to=self.kept("m_to"),
            m_number=self.kept("m_number"),
            life=events["life"],
            own_index=events["index"],
            own_arrival_ns=self.kept("m_arrival_ns"),
            own_copy=self.kept("m_copy"),
        )

    def kept(self, name: str) -> Any:
        """Return what is kept of a column of messages."""
        return self.messages[name][self.machines : self.cursors[general.MESSAGES]]

    def taken(self) -> Any:
        """Return, by event, the position of its message among those that are kept."""
        self.events["message"] -= np.uint32(self.machines)
        return self.events["message"]
