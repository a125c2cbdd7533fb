"""The columns that many runs take turns in, and what is handed to machine code: seeds in, totals out.

Never divides: figures are made of totals elsewhere. One batch belongs to one thread.
Imports numba: only whoever wants compiled runs imports this.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from node.model import Model
from orchestrator.labs.kernel import general, plain
from orchestrator.labs.kernel.laps import fits
from orchestrator.labs.kernel.many import NEVER, measure_general, measure_plain
from orchestrator.labs.kernel.plan import Columns, Plan, plan_of
from orchestrator.labs.kernel.record import Record
from orchestrator.labs.kernel.room import ROWS_MAX, too_many_messages
from orchestrator.labs.kernel.run import run_plan
from orchestrator.trace.compiled.totals import MACHINE_TOTALS, RUN_TOTALS, add_up
from orchestrator.trace.store import Column

EVENT_BYTES: Final = 45
MESSAGE_BYTES: Final = 41
"""At most, of a batch."""

Totals: TypeAlias = tuple[Column, Column]
"""Of each run: what of each machine, and what of all was added up."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """What a seed decides: a rate for each machine from `rates_hz`, (least, most), and a phase unless it is aligned.

    Each machine draws `fan_out` peers; 0 if the topology is not drawn.
    """

    rates_hz: Column
    is_aligned: bool
    fan_out: int = 0

    def events_max(self, plan: Plan) -> int:
        """Return how many events there are at most."""
        return int(self.rates_hz[:, 1].sum()) * plan.seconds


class Batch:
    """Runs that differ in nothing but what their seeds decide."""

    def __init__(self, plan: Plan, draws: Draws) -> None:
        self._plan, self._draws = plan, draws
        self._machines = len(plan.number)
        self._room = room_of(plan)
        self._events = draws.events_max(plan)
        slots = int(draws.rates_hz[:, 1].sum())
        rows = max(slots, plain.PATTERN)
        words = ((slots, plain.SLOT_WORDS), slots + 1, (rows, plain.SLOT_WORDS))
        self._slots = [np.empty(shape, np.uint32) for shape in words]
        self._windows = (np.zeros(self._machines, np.int64), np.full(self._machines, plan.duration_ns))
        self._above = np.zeros(self._events + 2, np.uint32)
        self._run = self._plainly() if plan.is_plain else self._generally()
        self._messages = self._new_messages()

    def add_up(self, seeds: Column) -> Totals:
        """Run every seed.

        Raises ConfigurationError where there is no memory for the messages of one.
        """
        totals = np.empty((len(seeds), self._machines, MACHINE_TOTALS), np.int64)
        of_run = np.empty((len(seeds), RUN_TOTALS), np.int64)
        done = 0
        while (done := done + self._run(seeds[done:], totals[done:], of_run[done:])) < len(seeds):
            self._lengthen()
        return totals, of_run

    def _lengthen(self) -> None:
        before, self._room = self._room, 2 * self._room
        if self._room > ROWS_MAX:
            raise too_many_messages(before)
        try:
            self._messages = self._new_messages()
        except MemoryError:
            raise too_many_messages(before) from None

    def _new_messages(self) -> Columns:
        if self._plan.is_plain:
            words = {"copies": plain.COPY_WORDS, "places": plain.PLACE_WORDS}
            tables: Columns = {name: np.empty((self._room, count), np.uint32) for name, count in words.items()}
            return tables | {"arrival_ns": np.empty(self._room, np.int64)}
        kinds: dict[str, type[Any]] = dict.fromkeys(("m_send", "m_to", "m_number"), np.uint32)
        kinds |= {"m_arrival_ns": np.int64, "m_copy": np.uint8, "m_sender": np.uint32}
        kinds |= {"m_next": np.int64, "m_child": np.int64}
        return {name: np.empty(self._room, kind) for name, kind in kinds.items()}

    def _plainly(self) -> Callable[[Column, Column, Column], int]:
        plan, draws, links = self._plan, self._draws, self._plan.links
        state = np.zeros((self._machines, plain.STATE_WORDS), np.uint32)
        for word, name in ((plain.FIRST, "first"), (plain.DEGREE, "degree"), (plain.FOLLOWING, "following")):
            state[:, word] = links[name]
        slots = len(self._slots[2])
        given: list[Any] = [plan.number, draws.rates_hz.astype(np.uint32), draws.is_aligned, links["chances"]]
        given += [draws.fan_out, np.empty(self._machines, np.uint32), links["following"].copy(), links["peer"].copy()]
        given += [self._is_small(), plan.delay_ns, plan.duration_ns, int(links["degree"].max(initial=0)), plan.lift]
        given += [np.empty(self._machines, np.uint64), *self._slots, np.empty(slots + 1, np.uint32)]
        given += [np.empty((slots, plain.AHEAD), np.uint8), state, np.zeros(len(links["peer"]), np.uint32)]
        given.append(np.empty((self._events, plain.EVENT_WORDS), np.uint32))
        due_ns, machine = np.empty(self._events, np.int64), np.empty(self._events, np.uint32)
        life = np.empty(0, np.uint32)

        def run(seeds: Column, totals: Column, of_run: Column) -> int:
            copies, places, arrival_ns = self._messages.values()
            rest: list[Any] = [copies, places, due_ns, machine, arrival_ns]
            rest += [life, *self._windows, self._above, totals, of_run]
            return measure_plain(seeds, *given, *rest)

        return run

    def _is_small(self) -> bool:
        plan, copies_max = self._plan, int(self._plan.links["degree"].max(initial=0))
        return fits(
            self._events,
            machines=self._machines,
            copies_max=copies_max,
            lift=plan.lift,
            duration_ns=plan.duration_ns,
        )

    def _generally(self) -> Callable[[Column, Column, Column], int]:
        plan, draws, slots = self._plan, self._draws, len(self._slots[0])
        columns: list[Any] = [plan.number, draws.rates_hz.astype(np.uint32), draws.is_aligned]
        columns += [draws.fan_out, np.empty(self._machines, np.uint32), plan.duration_ns, *self._slots]
        columns += [np.empty(slots, np.uint32), np.empty(slots, np.uint32), np.empty(slots, np.int64)]
        # Rates, dice and peers are the seed's own.
        columns += [column.copy() for column in plan.links.values()] + [*plan.faults.values(), plan.less]
        columns.append(np.zeros((self._machines, general.STATE_TIMES), np.int64))
        columns += [np.zeros(len(plan.links["peer"]), np.int64) for _ in range(2)]
        kinds = (np.uint32, np.int64, np.uint32, np.uint32, np.uint8, np.uint32, np.uint32, np.uint32)
        columns += [np.empty(self._events, kind) for kind in kinds]
        due_ns = np.empty(self._events, np.int64)

        def run(seeds: Column, totals: Column, of_run: Column) -> int:
            rest: list[Any] = [*self._messages.values(), due_ns, *self._windows, self._above, totals, of_run]
            return measure_general(seeds, *columns, *rest)

        return run


def room_of(plan: Plan) -> int:
    """Return for how many messages there is room at first; the fastest machines may send twice as many as these."""
    return len(plan.number) + 2 * plan.messages + 2 * int(plan.links["degree"].max(initial=0)) + 1


def one_run(machines: Mapping[int, Model], *, go_on: Callable[[], bool] = lambda: True) -> Totals | None:
    """Return the totals of one run; None if `go_on`, asked every now and then, says no.

    Raises ConfigurationError if the memory would not suffice.
    """
    record = run_plan(plan_of(machines), go_on=go_on)
    return None if record is None else totals_of(record)


def totals_of(record: Record) -> Totals:
    """Return what a run that is kept adds up to."""
    plan, machines = record.plan, len(record.plan.number)
    totals, of_run = np.empty((1, machines, MACHINE_TOTALS), np.int64), np.empty((1, RUN_TOTALS), np.int64)
    add_up(
        record.due_ns,
        record.machine,
        np.empty(0, np.uint32) if record.life is None else record.life,
        record.kind,
        record.clock,
        record.queue,
        record.m_to,
        np.where(record.m_number == 0, NEVER, record.arrival_ns),
        np.zeros(machines, np.int64),
        np.full(machines, plan.duration_ns),
        plan.duration_ns,
        np.zeros(int(record.clock.max(initial=0)) + 2, np.uint32),
        totals[0],
        of_run[0],
    )
    return totals, of_run
