"""How the examples of the checks name an event: what a student reads.

Never judges.
"""

from orchestrator.trace.store import INTERNAL, KINDS, NULL, RECEIVE, Trace


def name(trace: Trace, row: int) -> str:
    """Return an event's name, such as `2:41`."""
    return str(trace.name(row))


def cause(trace: Trace, row: int) -> str:
    """Return the name of the send that a receive names, whether it exists or not."""
    incarnation = int(trace.cause_incarnation[row])
    copy = ", copy 1" if trace.cause_copy[row] == 1 else ""
    return f"{trace.cause_node[row]}{f'.{incarnation}' if incarnation else ''}:{trace.cause_index[row]}{copy}"


def receipt(trace: Trace, row: int) -> str:
    """Return who received what where, as the beginning of a sentence."""
    return f"machine {trace.node[row]} received {cause(trace, row)} at {name(trace, row)}"


def where(trace: Trace, *rows: int) -> str:
    """Return where these events stand, in brackets after a space; nothing if there are no files."""
    places = []
    for row in rows:
        path = trace.machines[int(trace.node[row])].path
        if path is not None:
            places.append(f"{path.name}:{trace.line[row]}")
    return f" ({', '.join(places)})" if places else ""


def message(trace: Trace, number: int) -> str:
    """Return a message's name: its send, and which copy if there are two."""
    copy = ", copy 1" if trace.messages.copy[number] == 1 else ""
    return name(trace, int(trace.messages.send_row[number])) + copy


def did(trace: Trace, row: int) -> str:
    """Return what an event was, as the end of a sentence about its machine."""
    kind = int(trace.kind[row])
    if kind == RECEIVE:
        return f"received {cause(trace, row)}"
    return f"did {'an internal event' if kind == INTERNAL else 'a ' + KINDS[kind]}"


def milliseconds(time_ns: int) -> str:
    """Return a time since the run's start."""
    return "never" if time_ns == NULL else f"{time_ns / 1e6:.3f} ms"
