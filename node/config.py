"""What a node is told: flags, environment (`SCALE_MODEL_<FLAG>`), and a model file.

Never starts anything.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from node.errors import ConfigurationError, NoInputError, UsageError
from node.mesh import Address
from node.model import (
    CLOCK_NAMES,
    DURATION_NS_MAX,
    MODEL_JSON,
    PACES,
    RATE_HZ_MAX,
    SECOND_NS,
    Model,
    Pace,
    draw_phase_ns,
    draw_rate_hz,
    everyone_else,
)

ENVIRONMENT: Final = "SCALE_MODEL_"
ORCHESTRATED_START_DEADLINE_S: Final = 30.0
BY_HAND: Final = "by-hand"
PORT_MAX: Final = 65535


@with_config(ConfigDict(extra="forbid", strict=True))
class ModelFile(TypedDict):
    """The content of `--model FILE`: a machine as an orchestrator describes it."""

    run: str
    pace: Pace
    model: Model


MODEL_FILE: Final[TypeAdapter[ModelFile]] = TypeAdapter(ModelFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """Everything a node is told; every default is in `parser`."""

    run: str
    model: Model
    pace: Pace
    listen: Address
    peers: dict[int, Address]
    epoch_ns: int | None
    epoch_file: Path | None
    start_deadline_s: float
    log_dir: Path
    is_controlled: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse would exit with 2, which is our word for "unknown".
        raise UsageError(f"python -m node: {message}; --help lists the flags")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the node's command line."""
    flags = _Parser(
        prog="python -m node",
        description="One machine of a scale model: start one per terminal, in any order.",
        epilog="Every flag may also be given by the environment, as SCALE_MODEL_<FLAG>, for example SCALE_MODEL_PORT.",
    )
    add = flags.add_argument
    add("--id", type=int, metavar="N", help="this machine's number, from 1")
    add("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    add("--port", type=_port, default="0", help="the port to listen on (default: one of the system's choice)")
    add("--peers", nargs="*", type=_peer, default=[], metavar="N=HOST:PORT", help="the other machines")
    add(
        "--tick-rate",
        type=_rates,
        default="1-6",
        metavar="MIN-MAX|N",
        help="ticks a second, drawn or given (default: %(default)s)",
    )
    add("--phase", choices=("random", "aligned"), default="random", help="when the first tick is due")
    add("--internal-probability", type=float, default=0.7, metavar="P", help="default: %(default)s")
    add("--clock", choices=CLOCK_NAMES, default="lamport", help="the rule, or a well-known mistake")
    add("--delay-ms", type=int, default=0, metavar="MS", help="delay of every message (default: %(default)s)")
    add("--seed", type=int, default=262, metavar="N", help="default: %(default)s")
    add("--duration", type=_seconds, default="60", metavar="S", help="seconds (default: %(default)s)")
    add("--pace", choices=PACES, default="free", help="exact and fast need a common epoch (default: %(default)s)")
    add("--epoch-ns", type=int, metavar="N", help="begin at this Unix time (default: once all peers are there)")
    add("--epoch-file", type=Path, metavar="FILE", help="begin when the first node does that names this file")
    add("--start-deadline", type=_seconds, metavar="S", help="how long to wait for the peers (default: 600)")
    add("--log-dir", type=Path, default=Path("logs"), metavar="DIR", help="where the event log goes (default: logs)")
    add("--run", default=BY_HAND, metavar="NAME", help="nodes of different runs refuse each other")
    add("--model", type=Path, metavar="FILE", help="the machine, described by an orchestrator")
    add("--control", action="store_true", help="be led by JSON lines on stdin")
    return flags


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> NodeConfig:
    """Return what the node is told.

    Raises UsageError, ConfigurationError or NoInputError.
    """
    flags = parser()
    given = flags.parse_args([*_from_environment(flags, environment), *arguments])
    peers = dict(given.peers)
    if given.model is not None:
        run, pace, model = _read_model(given.model)
    else:
        run, pace, model = given.run, given.pace, _model(given, peers)
        _refuse_no_epoch(pace, given.epoch_ns, given.epoch_file)
    deadline_s = given.start_deadline or (ORCHESTRATED_START_DEADLINE_S if given.control else 600.0)
    return NodeConfig(
        run=run,
        model=model,
        pace=pace,
        listen=Address(given.host, given.port),
        peers=peers,
        epoch_ns=given.epoch_ns,
        epoch_file=given.epoch_file,
        start_deadline_s=deadline_s,
        log_dir=given.log_dir,
        is_controlled=given.control,
    )


def _from_environment(flags: argparse.ArgumentParser, environment: Mapping[str, str]) -> list[str]:
    arguments: list[str] = []
    for action in flags._actions:  # noqa: SLF001  # argparse has no other way to list its flags
        flag = action.option_strings[-1]
        value = environment.get(ENVIRONMENT + flag.removeprefix("--").replace("-", "_").upper())
        if value is None or flag == "--help":
            continue
        if action.nargs == 0:
            arguments += [flag] if value.lower() in ("1", "true", "yes") else []
        elif action.nargs == "*":
            arguments += [flag, *value.replace(",", " ").split()]
        else:
            arguments += [f"{flag}={value}"]
    return arguments


def _model(given: argparse.Namespace, peers: dict[int, Address]) -> Model:
    if given.id is None:
        raise UsageError("--id is missing: this machine's number, from 1")
    if given.id in peers:
        raise UsageError(f"--peers: machine {given.id} is this one itself")
    least, most = given.tick_rate
    rate_hz = draw_rate_hz(given.seed, given.id, least=least, most=most)
    others = everyone_else(given.id, peers)
    return _valid(
        {
            "node": given.id,
            "seed": given.seed,
            "rate_hz": rate_hz,
            "phase_ns": 0 if given.phase == "aligned" else draw_phase_ns(given.seed, given.id, rate_hz=rate_hz),
            "internal_probability": given.internal_probability,
            "clock": given.clock,
            "duration_ns": round(given.duration * 1e9),
            "peers": others,
            "senders": others,
            "network": {"delay_ns": given.delay_ms * 1_000_000},
        }
    )


def _refuse_no_epoch(pace: Pace, epoch_ns: int | None, epoch_file: Path | None) -> None:
    """Return if the machines can begin as this pace needs it: together, and at one moment."""
    if epoch_ns is not None and epoch_file is not None:
        raise UsageError("--epoch-ns and --epoch-file both say when the run begins: give one of them")
    if pace != "free" and epoch_ns is None and epoch_file is None:
        raise UsageError(
            f"--pace {pace} needs the same --epoch-ns at every node: the Unix time in ns at which the run begins; "
            "or the same --epoch-file, through which they agree on it"
        )


def _valid(fields: dict[str, Any]) -> Model:
    try:
        return MODEL_JSON.validate_json(orjson.dumps(fields))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = str(first["loc"][0])
        raise UsageError(f"{_FLAG_OF.get(field, field)}: {first['msg']}, not {first['input']!r}") from None


_FLAG_OF: Final = {
    "node": "--id",
    "seed": "--seed",
    "internal_probability": "--internal-probability",
    "duration_ns": "--duration (in ns)",
    "network": "--delay-ms (in ns)",
    "peers": "--peers",
}


def _read_model(path: Path) -> tuple[str, Pace, Model]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NoInputError(f"{path}: cannot read this model: {error.strerror}") from None
    try:
        file = MODEL_FILE.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {place}: {first['msg']}") from None
    return file["run"], file["pace"], file["model"]


def _rates(text: str) -> tuple[int, int]:
    least, _, most = text.partition("-")
    try:
        rates = int(least), int(most or least)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor a range like 1-6") from None
    if not 1 <= rates[0] <= rates[1] <= RATE_HZ_MAX:
        raise argparse.ArgumentTypeError(f"{text!r}: rates are from 1 to {RATE_HZ_MAX}, the smaller first")
    return rates


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= DURATION_NS_MAX / SECOND_NS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to {PORT_MAX}")
    return int(text)


def _peer(text: str) -> tuple[int, Address]:
    node, _, place = text.partition("=")
    host, _, port = place.rpartition(":")
    if not (node.isdecimal() and host and port.isdecimal() and 0 < int(port) <= PORT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no peer: write it like 2=127.0.0.1:5002")
    return int(node), Address(host.strip("[]"), int(port))
