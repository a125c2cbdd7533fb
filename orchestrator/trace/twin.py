"""A run beside its twin, the simulation of the same configuration and seed: must they be equal, and what if not.

Never simulates: whoever can makes the twin and hands it over.
Source: model section 4, "Late" and "Agreement"; design section 5, check 9.
"""

from collections.abc import Mapping
from itertools import compress
from typing import Final

import numpy as np

from orchestrator.trace import words
from orchestrator.trace.bands import at_the_end
from orchestrator.trace.compare import Difference, differences
from orchestrator.trace.findings import EXAMPLES_MAX, Check, Findings, not_applicable, not_judged
from orchestrator.trace.store import NULL, Trace

NAME: Final = "equals-simulated"


def equals_simulated(trace: Trace, twin: Trace | None) -> Check:
    """Every place of either run has the same event in the other, where nothing could be late."""
    if twin is None:
        return not_applicable(NAME, "there was no simulation to compare with.")
    if any(machine.pace == "free" for machine in trace.machines.values()):
        return not_applicable(NAME, "at pace free nobody waits for a late message: a difference is no mistake.")
    if any(machine.start is None and not machine.is_in_memory for machine in trace.machines.values()):
        return not_judged(NAME, "without every start line the configuration is not known.")
    if any(machine.shift_ns for machine in trace.machines.values()):
        return not_applicable(NAME, "the machines had different epochs, the simulation has one.")
    findings, ends = Findings(NAME), at_the_end(trace)
    found, last_ticks = sorted(differences(trace, twin), key=lambda one: (one.due_ns, one.place)), _last_ticks(trace)
    cut_off = [_is_cut_off(trace, last_ticks, difference) for difference in found]
    wrong = [place for place, is_cut_off in enumerate(cut_off) if not is_cut_off]
    findings.all_violated(wrong, lambda place: _in_words(trace, twin, found[place]))
    for difference in list(compress(found, cut_off))[:EXAMPLES_MAX]:
        findings.unknown(_in_words(trace, twin, difference, end=ends.get(difference.place[0], "")))
    return findings.check()


def late_messages(trace: Trace) -> int | None:
    """Return how many messages came too late for a tick that should have seen them; None at fast and simulated."""
    if not _has_wall_clock(trace):
        return None
    return int(np.count_nonzero(trace.seen_ns != NULL)) + len(trace.late_unreceived)


def late_ticks(trace: Trace) -> int | None:
    """Return how many ticks were executed after the next tick's due time; None at fast and simulated."""
    if not _has_wall_clock(trace):
        return None
    late = 0
    for node, rows in trace.logs.items():
        model, shift_ns = trace.machines[node].model, trace.machines[node].shift_ns
        for row in rows.tolist() if model else ():
            tick, wall = int(trace.tick[row]), int(trace.wall[row])
            assert model is not None, "without a model there are no rows"
            # The last tick has until one more would be due.
            following = model.next_tick(tick) or tick + 1
            late += wall != NULL and wall > trace.epoch_ns + shift_ns + model.due_ns(following)
    return late


def unexplained(trace: Trace, twin: Trace) -> list[Difference]:
    """Return the differences that no late message explains: none of a run at pace free without a mistake.

    A late message can change its machine from its arrival on, and whatever that machine sends then, in either run,
    changes its recipients from its arrival on: it counts in their queues before it is received.
    """
    changed = _changed_from_ns(trace, twin)
    return [one for one in differences(trace, twin) if one.due_ns <= changed.get(one.place[0], one.due_ns)]


def _changed_from_ns(trace: Trace, twin: Trace) -> dict[int, int]:
    changed: dict[int, int] = {}

    def change(node: int, from_ns: int) -> None:
        changed[node] = min(from_ns, changed.get(node, from_ns))

    for row in np.flatnonzero(trace.seen_ns != NULL).tolist():
        change(int(trace.node[row]), int(trace.arrival_ns[row]))
    for message in trace.late_unreceived:
        change(int(trace.messages.recipient[message]), int(trace.messages.arrival_ns[message]))
    # A message arrives no earlier than it was sent: in the order of sending one pass suffices.
    for sent_ns, sender, recipient, arrival_ns in sorted({*_sent(trace), *_sent(twin)}):
        if sender in changed and sent_ns > changed[sender]:
            change(recipient, arrival_ns)
    return changed


def _sent(trace: Trace) -> list[tuple[int, int, int, int]]:
    table = trace.messages
    arriving = table.number != NULL
    sends = table.send_row[arriving]
    columns = (trace.due_ns[sends], trace.node[sends], table.recipient[arriving], table.arrival_ns[arriving])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _has_wall_clock(trace: Trace) -> bool:
    return any(machine.pace in ("exact", "free") for machine in trace.machines.values())


def _last_ticks(trace: Trace) -> dict[int, int]:
    return {node: int(trace.tick[rows].max(initial=-1)) for node, rows in trace.logs.items()}


def _is_cut_off(trace: Trace, last_ticks: Mapping[int, int], difference: Difference) -> bool:
    """Whether the place is missing only because the record ends, or has holes."""
    node, _, tick, _ = difference.place
    if difference.a >= 0:
        return False
    machine = trace.machines.get(node)
    if machine is None or machine.has_holes:
        return True
    return not machine.is_finished and tick > last_ticks[node]


def _in_words(trace: Trace, twin: Trace, difference: Difference, *, end: str = "") -> str:
    node, _, tick, _ = difference.place
    if difference.a < 0:
        return f"machine {node}, tick {tick}: missing here{end}; simulated, it {_summary(twin, difference.b)}."
    where = words.where(trace, difference.a)
    here = f"machine {node}, tick {tick}, {words.name(trace, difference.a)}: it {_summary(trace, difference.a)}"
    if difference.b < 0:
        return f"{here}; the simulation has no such event{where}."
    fields = ", ".join(difference.differs)
    return f"{here}; simulated, it {_summary(twin, difference.b)}. What differs: {fields}{where}."


def _summary(trace: Trace, row: int) -> str:
    return f"{words.did(trace, row)} with clock {trace.clock[row]}, {trace.queue[row]} left in the queue"
