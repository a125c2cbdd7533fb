"""From a command line to a node's exit code.

Never decides anything about the run: it joins configuration, supervisor and daemon, and says how it ended.
"""

import asyncio
import logging
import os
import shlex
import signal
import sys
import time
from collections.abc import Coroutine, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

try:
    from uvloop import new_event_loop
except ModuleNotFoundError:  # There is no uvloop for Windows.
    from asyncio import new_event_loop  # type: ignore[assignment]  # as good a factory

from node.config import NodeConfig, parse
from node.daemon import Daemon
from node.epoch import EpochFile
from node.errors import OutputError
from node.journal import Reading, read_unsealed, seal_away
from node.machine import Machine
from node.model import SECOND_NS
from node.recovery import Past, recover
from node.supervisor import ByHand, Control

INTERRUPTED = 130

log = structlog.get_logger()


def run(arguments: Sequence[str]) -> int:
    """Run one node; return 0, or 130 if it was interrupted.

    Raises ScaleModelError, whose `exit_code` is the node's.
    """
    config = parse(arguments, os.environ)
    _configure_words(config.model.node)
    if not config.listen.is_loopback:
        log.warning(
            f"listens on {config.listen.host or 'every address'}: nothing is encrypted or authenticated yet; "
            "do so only in a network that you trust"
        )
    return _run(_take_part(config))


async def _take_part(config: NodeConfig) -> int:
    log_path = _log_path(config)
    reading = _read_back(log_path, config)
    past = reading and recover(reading.lines, config.model, run=config.run, pace=config.pace, name=str(log_path))
    if past is not None and not config.is_controlled:
        _refuse_if_over(past, config, log_path)
    supervisor = Control() if config.is_controlled else _by_hand(config, continues=past is not None)
    machine = Machine(config.model, run=config.run, pace=config.pace, token=config.token, past=past)
    daemon = Daemon(machine, supervisor, log_path=log_path, start_deadline_s=config.start_deadline_s, reading=reading)
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows has no such handlers; there Ctrl-C is a KeyboardInterrupt.
            asyncio.get_running_loop().add_signal_handler(number, daemon.interrupt)
    asyncio.get_running_loop().set_exception_handler(_say_in_one_line)
    try:
        await daemon.run(config.listen)
    finally:
        if not config.is_controlled and log_path.exists():
            directory = shlex.quote(str(config.log_dir))
            log.info(f"its log is {log_path}\ncheck all nodes as one run: python3 lab.py check {directory}")
    return INTERRUPTED if daemon.is_interrupted else 0


def _log_path(config: NodeConfig) -> Path:
    try:
        config.log_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{config.log_dir}: cannot create this directory: {error.strerror}") from None
    return config.log_dir / f"events-{config.model.node}.jsonl"


def _read_back(path: Path, config: NodeConfig) -> Reading | None:
    """Return what the log says that is to be continued; None where a new one is to be begun."""
    if not config.continues:
        if (sealed := seal_away(path)) is not None:
            log.info(f"an older log is now {sealed}")
        if not path.exists():
            return None
        if config.is_controlled:
            raise OutputError(f"{path}: this log was never sealed; is its node still running? Else move it away first")
    reading = read_unsealed(path)
    if not reading.lines:
        _remove_stub(path, reading, config)
        return None
    log.warning("goes on where its log ends", log=path, lines=len(reading.lines))
    if reading.torn_bytes:
        log.warning(f"{path}:{len(reading.lines) + 1}: the last line is torn; its {reading.torn_bytes} bytes are cut")
    return reading


def _remove_stub(path: Path, reading: Reading, config: NodeConfig) -> None:
    """Remove a log without one whole line: whoever was killed so early has sent nothing, and begins anew."""
    if reading.torn_bytes and not config.is_controlled:
        raise OutputError(f"{path}: this log was never sealed, and has not one whole line; move it away first")
    assert reading.file is not None, "it was read from the disk"
    reading.file.close()
    path.unlink()


def _refuse_if_over(past: Past, config: NodeConfig, path: Path) -> None:
    """Return if the run that the log is of still lasts: what is over cannot be continued by hand."""
    assert past.epoch_ns is not None, "a log has an epoch"
    over_s = (time.time_ns() - past.epoch_ns - config.model.duration_ns) / SECOND_NS
    if over_s > 0:
        raise OutputError(f"{path}: this log was never sealed, and its run is over for {over_s:.0f} s; move it away")


def _by_hand(config: NodeConfig, *, continues: bool) -> ByHand:
    epoch_file = None
    if config.epoch_file is not None and not continues:
        epoch_file = EpochFile(config.epoch_file)
        epoch_file.clear()
    return ByHand(config.peers, host=config.listen.host, epoch_ns=config.epoch_ns, epoch_file=epoch_file)


def _say_in_one_line(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what nobody waited for, such as the answer to a name look-up that was given up."""
    log.warning("something failed beside the run", reason=str(context.get("exception", context["message"])))


def _run(life: Coroutine[Any, Any, int]) -> int:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(life)


class _Words:
    """The end of structlog's chain: a line on stderr; where the disk takes none, the node goes on without words."""

    def info(self, line: str) -> None:
        with suppress(OSError):
            os.write(sys.stderr.fileno(), f"{line}\n".encode(errors="backslashreplace"))

    warning = info


def _configure_words(node: int) -> None:
    """Send words to stderr, one line each; stdout is the orchestrator's."""

    def render(_: Any, level: str, fields: MutableMapping[str, Any]) -> str:
        words = fields.pop("event")
        mark = "" if level == "info" else f"{level}: "
        return f"node {node}: {mark}{words}" + "".join(f" {name}={value}" for name, value in fields.items())

    structlog.configure(
        processors=[render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Words(),
        cache_logger_on_first_use=True,
    )
