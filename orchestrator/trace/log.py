"""One log, read from disk: its events, the facts about its machine, and what is wrong with it.

Never raises for a bad line: it is kept as damage. Source: model section 6, "Restart"; design section 4.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from node.errors import LogError, NoInputError, NoLogError
from node.model import MODEL_VERSION
from node.record import FORMAT_VERSION, EndLine, Line, StartLine, StopLine, parse_event, parse_line
from orchestrator.trace.build import Recorded

DAMAGED_LINES_NAMED_MAX: Final = 3
_FIRST_BYTES: Final = b'{"event":"'


@dataclass(slots=True)
class Log:
    """What one file says."""

    node: int
    path: Path
    start: StartLine | None = None
    end: EndLine | None = None
    stop: StopLine | None = None
    recorded: list[Recorded] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    bad_lines: int = 0
    is_ours: bool = False  # at least one line is a line of ours, of whatever machine

    @property
    def has_holes(self) -> bool:
        """Whether a line could not be used, whatever it said."""
        return self.bad_lines > 0


def read_log(node: int, path: Path) -> Log:
    """Read the log of `node`.

    Raises NoInputError if it cannot be read, NoLogError if not one line of it is a log's.
    """
    log = Log(node, path)
    first = b""
    for number, line in _lines(path):
        first = first or line
        if line.endswith(b"\n"):
            _take(log, number, line)
        else:
            log.damage.append(f"{path.name}:{number}: the last line is cut short after {len(line)} bytes")
    _refuse_junk(log, first)
    _judge_ends(log)
    return log


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:  # binary: a line ends at \n and nowhere else
            yield from enumerate(file, 1)
    except OSError as error:
        raise NoInputError(f"{path}: cannot read this log: {error.strerror}") from error


def _take(log: Log, number: int, text: bytes) -> None:
    try:
        line = parse_line(text)
    except LogError as error:
        _reject(log, number, str(error))
        return
    log.is_ours = True
    if line["node"] != log.node:
        _reject(log, number, f"a line of machine {line['node']} in the log of machine {log.node}")
        return
    if (complaint := _out_of_place(log, line)) is not None:
        log.damage.append(f"{log.path.name}:{number}: {complaint}")
    _keep(log, number, line)


def _reject(log: Log, number: int, why: str) -> None:
    log.bad_lines += 1
    if log.bad_lines <= DAMAGED_LINES_NAMED_MAX:
        log.damage.append(f"{log.path.name}:{number}: {why}")


def _out_of_place(log: Log, line: Line) -> str | None:
    kind = line["event"]
    if kind == "start":
        if log.start:
            return "a second start line"
        return "the start line is not the first" if log.recorded or log.end or log.stop else None
    if line["event"] == "end":
        if log.stop:
            return "the end line after the stop record"
        # A node that is interrupted after its last tick still has to seal its log.
        is_seal = log.end is not None and line["interrupted"] and not log.end["interrupted"]
        return "a second end line" if log.end and not is_seal else None
    if kind == "stop":
        return "a second stop record" if log.stop else None if log.end else "a stop record before any end line"
    is_event = kind not in ("link", "boot", "down")
    return "an event after the end" if is_event and (log.end or log.stop) else None


def _keep(log: Log, number: int, line: Line) -> None:
    match line["event"]:
        case "start":
            log.start = log.start or line
        case "end":
            log.end = log.end or line
        case "stop":
            log.stop = log.stop or line
        case "internal" | "send" | "receive":
            log.recorded.append(Recorded(parse_event(line), line["wall"], number))


def _refuse_junk(log: Log, first: bytes) -> None:
    is_torn = not first.endswith(b"\n") and first[: len(_FIRST_BYTES)] == _FIRST_BYTES[: len(first)]
    if first and not log.is_ours and not is_torn:
        raise NoLogError(
            f"{log.path}: not a log of ours: it starts with {_shown(first[:24])}, a log with {_shown(_FIRST_BYTES)}"
        )
    if not first:
        log.damage.append(f"{log.path.name}: the file is empty")


def _shown(data: bytes) -> str:
    return repr(data)[1:]


def _judge_ends(log: Log) -> None:
    name, more = log.path.name, log.bad_lines - DAMAGED_LINES_NAMED_MAX
    if more > 0:
        log.damage.append(f"{name}: {more} more lines that are not this log's")
    if log.start is None:
        log.damage.append(f"{name}: no start line; whose epoch and which configuration is not known")
    else:
        log.damage += [f"{name}:1: {complaint}" for complaint in _oddities(log.start)]
    for line in (log.end, log.stop):
        if line and not log.has_holes and line["events"] != (known := _count(log, line["incarnation"])):
            log.damage.append(f"{name}: its {line['event']} line counts {line['events']} events, {known} are here")


def _count(log: Log, incarnation: int) -> int:
    return sum(one.event.incarnation == incarnation for one in log.recorded)


def _oddities(start: StartLine) -> Iterator[str]:
    if start["format_version"] != FORMAT_VERSION:
        yield f"written in format {start['format_version']}; this program reads format {FORMAT_VERSION}"
    if start["model_version"] != MODEL_VERSION:
        yield f"written by model version {start['model_version']}; this program simulates version {MODEL_VERSION}"
    if start["configuration"] != start["model"].digest() or start["model"].node != start["node"]:
        yield "the configuration in the start line is not the one whose hash stands beside it"
