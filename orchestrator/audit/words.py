"""How remarks on the logs of others name machines, events and places: on one line, whatever others called them.

Never judges.
"""

from collections.abc import Sequence
from typing import Final

from node.errors import one_line
from orchestrator.audit.store import ForeignTrace

NAMED_MAX: Final = 3
_NAME_LENGTH_MAX: Final = 40


def machine(trace: ForeignTrace, node: int) -> str:
    """Return a machine's name."""
    return one_line(trace.nodes[node], _NAME_LENGTH_MAX)


def called(trace: ForeignTrace, node: int) -> str:
    """Return a machine's name as the subject of a sentence: `machine b`, and `machine-2` as it is."""
    name = machine(trace, node)
    return name if name.casefold().startswith(("machine", "node", "host", "process", "server")) else f"machine {name}"


def event(trace: ForeignTrace, row: int) -> str:
    """Return an event's name, such as `b:41`."""
    return f"{machine(trace, int(trace.node[row]))}:{trace.position[row]}"


def place(trace: ForeignTrace, row: int) -> str:
    """Return where an event stands, in brackets."""
    return f"({one_line(trace.place_of(row))})"


def machines(trace: ForeignTrace, nodes: Sequence[int]) -> str:
    """Return the names of some machines as the subject of a sentence."""
    return f"{'machine' if len(nodes) == 1 else 'machines'} {listed([machine(trace, node) for node in nodes])}"


def listed(words: Sequence[str]) -> str:
    """Return the first of some words, and how many more there are."""
    shown = words[:NAMED_MAX]
    if len(words) > NAMED_MAX:
        return f"{', '.join(shown)} and {len(words) - NAMED_MAX} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def counted(count: int, noun: str, nouns: str = "") -> str:
    """Return a count with its noun; `nouns` if that takes more than an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {nouns or noun + 's'}"


def percent(part: int, whole: int) -> str:
    """Return a share in percent."""
    return f"{100 * part / whole:.1f} %"
