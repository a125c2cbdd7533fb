"""The law of the balance: on every link, what was sent or doubled is received, in the queue, in flight, or lost.

Never believes the counts of a stop record: they come from the machine's memory, and must equal what the logs say.
Source: model section 7.
"""

from collections import Counter
from dataclasses import dataclass, fields

from orchestrator.trace import words
from orchestrator.trace.bands import at_the_end
from orchestrator.trace.findings import Check, Findings, not_judged
from orchestrator.trace.store import NULL, Trace


@dataclass(slots=True)
class Account:
    """The messages of one link; `duplicated` counts the second copies, lost ones too."""

    sent: int = 0
    duplicated: int = 0
    lost: int = 0
    received: int = 0
    in_queue: int = 0
    in_flight: int = 0


def accounts(trace: Trace) -> dict[tuple[int, int], Account]:
    """Return, by sender and recipient, what the logs say has become of every message; needs the recipients' models."""
    links: dict[tuple[int, int], Account] = {}
    messages = trace.messages
    for message, (recipient, copy) in enumerate(zip(messages.recipient.tolist(), messages.copy.tolist(), strict=True)):
        link = int(trace.node[messages.send_row[message]]), recipient
        account = links.setdefault(link, Account())
        account.sent += copy == 0
        account.duplicated += copy != 0
        if messages.number[message] == NULL:
            account.lost += 1
        elif messages.receive_row[message] < 0:
            machine = trace.machines.get(recipient)
            end_ns = machine.end_ns if machine else None
            has_arrived = end_ns is not None and bool(messages.arrival_ns[message] < end_ns)
            account.in_queue += has_arrived
            account.in_flight += not has_arrived
    received = zip(trace.cause_node[trace.is_receive].tolist(), trace.node[trace.is_receive].tolist(), strict=True)
    for link, count in Counter(received).items():
        links.setdefault(link, Account()).received += count
    return links


def balance(trace: Trace) -> list[dict[str, int | None]]:
    """Return the account of every link, `from` and `to` its ends; what is left is None where an end did not finish."""
    settled = _settled(trace) if trace.is_timed else set()
    names = [field.name for field in fields(Account)]  # one by one: asdict copies what it finds, slowly
    return [
        {"from": sender, "to": recipient, **{name: getattr(account, name) for name in names}}
        | ({} if {sender, recipient} <= settled else {"in_queue": None, "in_flight": None})
        for (sender, recipient), account in sorted(accounts(trace).items())
    ]


def every_message_accounted(trace: Trace) -> Check:
    """Balance the accounts of every link of which both ends have finished (model section 7)."""
    if not trace.is_timed:
        return not_judged("every-message-accounted", "without every machine's epoch their times cannot be compared.")
    findings = Findings("every-message-accounted", "by-id")
    links, memories = accounts(trace), _memories(trace)
    settled = _settled(trace)
    ends = at_the_end(trace)
    for node in sorted((trace.machines.keys() | trace.absent) - settled):
        findings.unknown(f"machine {node} wrote no stop record, or lines of its log are missing{ends.get(node, '')}.")
    for sender, recipient in sorted(links.keys() | memories.keys()):
        if sender in settled and recipient in settled:
            account = links.get((sender, recipient), Account())
            # What a stop record does not name it does not remember; without one nothing is to be compared.
            unnamed = (0, 0) if trace.machines[recipient].stop else (account.in_queue, account.in_flight)
            complaint = _complaint(account, memories.get((sender, recipient), unnamed))
            if complaint is not None:
                findings.violated(f"from machine {sender} to machine {recipient}: {complaint}.")
    for complaint in _wrongly_late(trace):
        findings.violated(complaint)
    return findings.check()


def _settled(trace: Trace) -> set[int]:
    """Return the machines of which every message is known: they finished, and no line of their logs is missing."""
    return {
        node
        for node, machine in trace.machines.items()
        if machine.is_finished and not machine.has_holes and machine.model is not None
    }


def _memories(trace: Trace) -> dict[tuple[int, int], tuple[int, int]]:
    """Return, by sender and recipient, what waits and what is in flight by the stop records."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for node, machine in trace.machines.items():
        for sender, in_queue, in_flight in machine.stop["incoming"] if machine.stop else ():
            before = found.get((sender, node), (0, 0))
            found[sender, node] = before[0] + in_queue, before[1] + in_flight
    return found


def _complaint(account: Account, memory: tuple[int, int]) -> str | None:
    in_queue, in_flight = memory
    if account.sent + account.duplicated != account.received + in_queue + in_flight + account.lost:
        doubled = f" and {account.duplicated} duplicated" if account.duplicated else ""
        return (
            f"{account.sent} sent{doubled}, but {account.received} received, {in_queue} in the queue, {in_flight} in "
            f"flight and {account.lost} lost"
        )
    if memory != (account.in_queue, account.in_flight):
        return (
            f"the stop record counts {in_queue} in the queue and {in_flight} in flight; by the logs they are "
            f"{account.in_queue} and {account.in_flight}"
        )
    return None


def _wrongly_late(trace: Trace) -> list[str]:
    received = (message for message in trace.late_unreceived if trace.messages.receive_row[message] >= 0)
    return [
        f"the stop record of machine {trace.messages.recipient[message]} says that {words.message(trace, message)} was "
        f"never received, but it was, at {words.name(trace, int(trace.messages.receive_row[message]))}."
        for message in received
    ]
