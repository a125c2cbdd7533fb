"""From the lines of a log to the machine that wrote them: the log is the state.

Never opens a file, and never rolls the dice: what was decided stands in the lines.
Source: model sections 5 and 6, "Restart".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from node.errors import LogError
from node.event import Event, MessageId
from node.lives import Inlet, Outlet
from node.model import Model, Pace
from node.pace import Waits
from node.process import Process
from node.record import DownLine, Line, StartLine, parse_event


@dataclass(slots=True)
class Past:
    """What a machine knows when it begins: nothing, or what it has written.

    `had` is, by sender and incarnation, the number of the last message that was here when the machine went down.
    """

    process: Process
    outgoing: dict[int, Outlet]
    incoming: dict[int, Inlet]
    epoch_ns: int | None = None
    downs: int = 0
    had: dict[tuple[int, int], int] = field(default_factory=dict)
    waits: Waits = field(default_factory=Waits)
    has_ended: bool = False
    has_stopped: bool = False


def no_past(model: Model) -> Past:
    """Return what a machine knows before its first line."""
    return Past(
        process=Process(model),
        outgoing={peer: Outlet(peer) for peer in model.peers},
        incoming={sender: Inlet(sender) for sender in model.senders},
    )


def recover(lines: Iterable[Line], model: Model, *, run: str, pace: Pace, name: str) -> Past:
    """Return what a machine knows by its log, which is called `name`.

    Raises LogError, with the line, if the log is not that of this machine, configuration and run, or is sealed.
    """
    past = no_past(model)
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            _take(past, line, model, run=run, pace=pace)
        except ValueError as error:
            raise LogError(f"{name}:{number}: {error}; so it cannot be continued: move it away") from None
    if number == 0:
        raise LogError(f"{name}:1: not one whole line; only a log that was begun can be continued")
    for inlet in past.incoming.values():
        inlet.rewind()
    return past


def _take(past: Past, line: Line, model: Model, *, run: str, pace: Pace) -> None:
    if (line["event"] == "start") != (past.epoch_ns is None):
        raise ValueError("a log begins with its one start line")
    if line["node"] != model.node:
        raise ValueError(f"a line of machine {line['node']}, and this is machine {model.node}")
    if past.has_stopped and line["event"] not in ("boot", "link"):
        raise ValueError("a line behind the stop record")
    match line["event"]:
        case "start":
            _refuse_others(line, model, run=run, pace=pace)
            past.epoch_ns = line["epoch_ns"]
        case "internal" | "send" | "receive":
            _replay(past, parse_event(line))
        case "down":
            _go_down(past, line)
        case "end":
            if line["interrupted"]:
                raise ValueError("the log is sealed: somebody interrupted this node")
            past.has_ended = True
        case "stop":
            past.has_stopped = True


def _refuse_others(start: StartLine, model: Model, *, run: str, pace: Pace) -> None:
    if start["run"] != run:
        raise ValueError(f"a log of the run {start['run']!r}, and this is {run!r}")
    if start["pace"] != pace:
        raise ValueError(f"a log at the pace {start['pace']}, and this is {pace}")
    if start["model"].seed != model.seed:
        raise ValueError(f"a log of the seed {start['model'].seed}, and this is {model.seed}")
    if start["configuration"] != model.digest():
        raise ValueError("a log of another configuration")


def _replay(past: Past, event: Event) -> None:
    if event.cause is not None and event.number is not None:
        inlet = past.incoming.get(event.cause.node)
        if inlet is None:
            raise ValueError(f"no machine {event.cause.node} sends to this one")
        if inlet.is_received(event.cause, event.number):
            raise ValueError(f"message {event.number} of machine {event.cause.node} was received before")
        inlet.receive(event.cause, event.number)
    for recipient, message in past.process.replay(event).sent:
        past.outgoing[recipient].push(message)


def _go_down(past: Past, line: DownLine) -> None:
    past.downs += 1
    past.had = {(sender, incarnation): have for sender, incarnation, have in line["have"]}
    for *message, seen_ns in line["late"]:
        past.process.remember_late(MessageId(*message), seen_ns)
    held_back = line["held_back"]
    past.waits = Waits(held_back["ticks"], total_ns=held_back["total_ns"], max_ns=held_back["max_ns"])
