"""The flags of a node, each with its default and its limits, and their other home, the environment.

Never makes sense of them together: the configuration does.
"""

import argparse
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NoReturn

from node.errors import UsageError, one_line
from node.frame import EPOCH_NS_MAX, RUN_NAME_MAX, TOKEN_MAX
from node.mesh import Address
from node.model import CLOCK_NAMES, DURATION_NS_MAX, NODE_MAX, PACES, RATE_HZ_MAX, SECOND_NS, SEED_MAX

ENVIRONMENT: Final = "SCALE_MODEL_"
ON: Final = ("1", "true", "yes", "on")
OFF: Final = ("", "0", "false", "no", "off")
BY_HAND: Final = "by-hand"
PORT_MAX: Final = 65535
MS_NS: Final = 1_000_000
DIGITS_MAX: Final = 40


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse would exit with 2, which is our word for "unknown".
        raise UsageError(f"python -m node: {one_line(message)}; --help lists the flags")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the node's command line."""
    flags = _Parser(
        prog="python -m node",
        description="One machine of a scale model: start one per terminal, in any order.",
        epilog="Every flag may also be given by the environment, as SCALE_MODEL_<FLAG>, for example SCALE_MODEL_PORT.",
    )
    _add_flags_of_machine(flags)
    _add_flags_of_node(flags)
    _add_flags_of_run(flags)
    return flags


def _add_flags_of_machine(flags: argparse.ArgumentParser) -> None:
    add = flags.add_argument
    add("--id", type=_integer(1, NODE_MAX), metavar="N", help="this machine's number, from 1")
    add(
        "--tick-rate",
        type=_rates,
        default="1-6",
        metavar="MIN-MAX|N",
        help="ticks a second, drawn or given (default: %(default)s)",
    )
    add("--phase", choices=("random", "aligned"), default="random", help="when the first tick is due")
    add("--internal-probability", type=_number(0, 1), default=0.7, metavar="P", help="default: %(default)s")
    add("--clock", choices=CLOCK_NAMES, default="lamport", help="the rule, or a well-known mistake")
    add(
        "--delay-ms",
        type=_integer(0, DURATION_NS_MAX // MS_NS),
        default=0,
        metavar="MS",
        help="delay of every message (default: %(default)s)",
    )
    add("--seed", type=_integer(0, SEED_MAX), default=262, metavar="N", help="default: %(default)s")
    add(
        "--duration",
        type=_number(1 / SECOND_NS, DURATION_NS_MAX / SECOND_NS),
        default="60",
        metavar="S",
        help="seconds (default: %(default)s)",
    )


def _add_flags_of_node(flags: argparse.ArgumentParser) -> None:
    add = flags.add_argument
    add("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    add("--port", type=_port, default="0", help="the port to listen on (default: one of the system's choice)")
    add("--peers", nargs="*", type=_peer, default=[], metavar="N=HOST:PORT", help="the other machines")
    add("--log-dir", type=Path, default=Path("logs"), metavar="DIR", help="where the event log goes (default: logs)")
    add("--model", type=Path, metavar="FILE", help="the machine, described by an orchestrator")
    add("--control", action="store_true", help="be led by JSON lines on stdin")
    add("--continue", dest="continues", action="store_true", help="with --control: go on where the event log ends")


def _add_flags_of_run(flags: argparse.ArgumentParser) -> None:
    add = flags.add_argument
    add("--pace", choices=PACES, default="free", help="exact and fast need a common epoch (default: %(default)s)")
    add(
        "--epoch-ns",
        type=_integer(0, EPOCH_NS_MAX),
        metavar="N",
        help="begin at this Unix time (default: once all peers are there)",
    )
    add("--epoch-file", type=Path, metavar="FILE", help="begin when the first node does that names this file")
    add(
        "--start-deadline",
        type=_number(1 / SECOND_NS, DURATION_NS_MAX / SECOND_NS),
        metavar="S",
        help="how long to wait for the peers (default: 600)",
    )
    add("--run", type=_run_name, default=BY_HAND, metavar="NAME", help="nodes of different runs refuse each other")
    add(
        "--token",
        type=_token,
        default="",
        metavar="TEXT",
        help="nodes with different tokens refuse each other, though their runs have the same name (default: none)",
    )


def from_environment(flags: argparse.ArgumentParser, environment: Mapping[str, str]) -> list[str]:
    """Return the arguments that the environment stands for.

    Raises UsageError for a switch that is neither on nor off, and for a flag in the place of a value.
    """
    arguments: list[str] = []
    for action in flags._actions:  # noqa: SLF001  # argparse has no other way to list its flags
        flag = action.option_strings[-1]
        name = ENVIRONMENT + flag.removeprefix("--").replace("-", "_").upper()
        value = environment.get(name)
        if value is None or flag == "--help":
            continue
        if action.nargs == 0:
            arguments += [flag] if _is_on(name, value) else []
        elif action.nargs == "*":
            words = value.replace(",", " ").split()
            if any(word.startswith("-") for word in words):
                raise UsageError(f"{name}: {one_line(value)!r} holds a flag; only values can stand here")
            arguments += [flag, *words]
        else:
            arguments += [f"{flag}={value}"]
    return arguments


def _is_on(name: str, value: str) -> bool:
    if value.lower() in ON:
        return True
    if value.lower() in OFF:
        return False
    raise UsageError(f"{name}: {one_line(value)!r} is neither on nor off; write 1 or 0")


def _integer(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = int(text) if len(text) <= DIGITS_MAX else most + 1
        except ValueError:
            raise argparse.ArgumentTypeError(f"{one_line(text, 40)!r} is no integer") from None
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{one_line(text, 40)}: from {least} to {most}")
        return number

    return read


def _number(least: float, most: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{one_line(text, 40)!r} is no number from {least:g} to {most:g}")
        return number

    return read


def _run_name(text: str) -> str:
    if not text.isprintable() or not 0 < len(text) <= RUN_NAME_MAX:
        raise argparse.ArgumentTypeError(f"{one_line(text, 40)!r} is no name: 1 to {RUN_NAME_MAX} printable characters")
    return text


def _token(text: str) -> str:
    if not text.isprintable() or len(text) > TOKEN_MAX:
        raise argparse.ArgumentTypeError(f"this is no token: at most {TOKEN_MAX} printable characters")
    return text


def _rates(text: str) -> tuple[int, int]:
    least, _, most = text.partition("-")
    if not (least.isdecimal() and (most or least).isdecimal() and len(text) <= DIGITS_MAX):
        raise argparse.ArgumentTypeError(f"{one_line(text, 40)!r} is neither a number nor a range like 1-6")
    rates = int(least), int(most or least)
    if not 1 <= rates[0] <= rates[1] <= RATE_HZ_MAX:
        raise argparse.ArgumentTypeError(
            f"{one_line(text, 40)!r}: rates are from 1 to {RATE_HZ_MAX}, the smaller first"
        )
    return rates


def _port(text: str) -> int:
    if not text.isdecimal() or len(text) > DIGITS_MAX or int(text) > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{one_line(text, 40)!r} is no port: 0 to {PORT_MAX}")
    return int(text)


def _peer(text: str) -> tuple[int, Address]:
    node, _, place = text.partition("=")
    host, _, port = place.rpartition(":")
    is_short = len(node) <= DIGITS_MAX >= len(port)
    is_whole = is_short and node.isdecimal() and bool(host) and port.isdecimal()
    if not is_whole or not 1 <= int(node) <= NODE_MAX or not 1 <= int(port) <= PORT_MAX:
        raise argparse.ArgumentTypeError(f"{one_line(text, 40)!r} is no peer: write it like 2=127.0.0.1:5002")
    return int(node), Address(host.strip("[]"), int(port))
