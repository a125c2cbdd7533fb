"""What a kill puts at risk, and how soon a machine goes on: read from the logs when all is over.

A message is at risk at a kill if it is under way to the killed machine or from it, sent and not received: it stands in
nobody's memory but that of its sender, and the log from which that memory comes back.
"""

from collections.abc import Iterable, Mapping, Sequence

from node.record import Line

Logs = Mapping[int, Sequence[Line]]


def messages_at_risk(logs: Logs, kills: Iterable[tuple[int, int]]) -> int:
    """Return how many messages were under way to or from each (machine, Unix ns) of `kills`, all in all."""
    messages = list(_messages(logs))
    return sum(
        node in (sender, recipient) and sent_ns <= wall_ns and (received_ns is None or received_ns > wall_ns)
        for node, wall_ns in kills
        for sender, recipient, sent_ns, received_ns in messages
    )


def resumed_s(lines: Sequence[Line]) -> list[float]:
    """Return, for each restart in a log, how long its first tick came after it could: it listened, and was due."""
    epoch_ns = next(line["epoch_ns"] for line in lines if line["event"] == "start")
    spans, booted_ns = [], None
    for line in lines:
        if line["event"] == "boot":
            booted_ns = line["wall"]
        elif booted_ns is not None and line["event"] in ("internal", "send", "receive"):
            spans.append((line["wall"] - max(booted_ns, epoch_ns + line["due_ns"])) / 1e9)  # type: ignore[typeddict-item]
            booted_ns = None
    return spans


def percentile(spans: Sequence[float], share: float) -> float:
    """Return the smallest value that so many do not exceed."""
    ordered = sorted(spans)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _messages(logs: Logs) -> Iterable[tuple[int, int, int, int | None]]:
    """Yield sender, recipient, when sent and when received of each message that the wire had to carry."""
    received = {
        (node, *line["from"]): line["wall"]
        for node, lines in logs.items()
        for line in lines
        if line["event"] == "receive"
    }
    for sender, lines in logs.items():
        for line in lines:
            if line["event"] == "send":
                for recipient, number, _, copy in line["to"]:
                    if number is not None:
                        name = (recipient, sender, line["incarnation"], line["index"], copy)
                        yield sender, recipient, line["wall"], received.get(name)  # type: ignore[misc]
