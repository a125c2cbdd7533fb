"""The balance of every link (model section 7), counted from the lines of the logs by nothing of ours that judges."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from node.model import Model
from node.record import Line, parse_line
from orchestrator.rundir import Run


class Terms(NamedTuple):
    """What has become of the messages of a link; what is left, its recipient counted in memory."""

    sent: int
    duplicated: int
    received: int
    in_queue: int
    in_flight: int
    lost: int

    @property
    def is_exact(self) -> bool:
        """Whether every message is accounted for, once."""
        return self.sent + self.duplicated == self.received + self.in_queue + self.in_flight + self.lost


def lines_of(run: Run, node: int) -> list[Line]:
    """Return the lines of a machine's log."""
    return [parse_line(line) for line in run.events_path(node).read_bytes().split(b"\n")[:-1]]


def unbalanced(run: Run, machines: Mapping[int, Model]) -> dict[tuple[int, int], Terms]:
    """Return the links that do not balance; every link of the topology is asked."""
    terms = Counter(term for node in machines for line in lines_of(run, node) for term in _terms(line))
    links = [(sender, recipient) for sender, model in machines.items() for recipient in model.peers]
    found = {link: Terms(**{name: terms[(*link, name)] for name in Terms._fields}) for link in links}
    assert {(sender, recipient) for sender, recipient, _ in terms} <= set(links), "nobody else has sent anything"
    assert all(any(line["event"] == "stop" for line in lines_of(run, node)) for node in machines), "all have stopped"
    return {link: each for link, each in found.items() if not each.is_exact}


def _terms(line: Line) -> Iterator[tuple[int, int, str]]:
    node = line["node"]
    match line["event"]:
        case "send":
            for recipient, number, _, copy in line["to"]:
                yield node, recipient, "duplicated" if copy else "sent"
                if number is None:
                    yield node, recipient, "lost"
        case "receive":
            yield line["from"][0], node, "received"
        case "stop":
            for sender, in_queue, in_flight in line["incoming"]:
                yield from [(sender, node, "in_queue")] * in_queue + [(sender, node, "in_flight")] * in_flight
