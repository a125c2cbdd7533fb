"""What a node is told, by its flags and by a model file, made sense of together.

Never starts anything.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NotRequired

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from node.errors import ConfigurationError, NoInputError, UsageError, one_line
from node.flags import MS_NS, from_environment, parser
from node.frame import RunName, Token
from node.mesh import Address
from node.model import SECOND_NS, Model, Network, Pace, draw_phase_ns, draw_rate_hz, everyone_else

BY_HAND_START_DEADLINE_S: Final = 600.0
ORCHESTRATED_START_DEADLINE_S: Final = 30.0


@with_config(ConfigDict(extra="forbid", strict=True))
class ModelFile(TypedDict):
    """The content of `--model FILE`: a machine as an orchestrator describes it."""

    run: RunName
    token: NotRequired[Token]
    pace: Pace
    model: Model


MODEL_FILE: Final[TypeAdapter[ModelFile]] = TypeAdapter(ModelFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """Everything a node is told; every default is in `flags`."""

    run: str
    token: str
    model: Model
    pace: Pace
    listen: Address
    peers: dict[int, Address]
    epoch_ns: int | None
    epoch_file: Path | None
    start_deadline_s: float
    log_dir: Path
    is_controlled: bool
    continues: bool


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> NodeConfig:
    """Return what the node is told.

    Raises UsageError, ConfigurationError or NoInputError.
    """
    flags = parser()
    given = flags.parse_args([*from_environment(flags, environment), *arguments])
    peers = _addresses(given.peers)
    if given.model is not None:
        file = _read_model(given.model)
        run, token, pace, model = file["run"], file.get("token", ""), file["pace"], file["model"]
    else:
        run, token, pace, model = given.run, given.token, given.pace, _model(given, peers)
    if not given.control:
        _refuse_crashes(model)
        _refuse_to_continue(given.continues)
        _refuse_no_epoch(pace, given.epoch_ns, given.epoch_file)
        _refuse_no_address(model, peers)
    deadline_s = given.start_deadline or (ORCHESTRATED_START_DEADLINE_S if given.control else BY_HAND_START_DEADLINE_S)
    return NodeConfig(
        run=run,
        token=token,
        model=model,
        pace=pace,
        listen=Address(given.host, given.port),
        peers=peers,
        epoch_ns=given.epoch_ns,
        epoch_file=given.epoch_file,
        start_deadline_s=deadline_s,
        log_dir=given.log_dir,
        is_controlled=given.control,
        continues=given.continues,
    )


def _model(given: argparse.Namespace, peers: dict[int, Address]) -> Model:
    if given.id is None:
        raise UsageError("--id is missing: this machine's number, from 1")
    if given.id in peers:
        raise UsageError(f"--peers: machine {given.id} is this one itself")
    least, most = given.tick_rate
    rate_hz = draw_rate_hz(given.seed, given.id, least=least, most=most)
    others = everyone_else(given.id, peers)
    return Model(
        node=given.id,
        seed=given.seed,
        rate_hz=rate_hz,
        phase_ns=0 if given.phase == "aligned" else draw_phase_ns(given.seed, given.id, rate_hz=rate_hz),
        internal_probability=given.internal_probability,
        clock=given.clock,
        duration_ns=round(given.duration * SECOND_NS),
        peers=others,
        senders=others,
        network=Network(delay_ns=given.delay_ms * MS_NS),
    )


def _addresses(peers: Sequence[tuple[int, Address]]) -> dict[int, Address]:
    addresses: dict[int, Address] = {}
    for node, address in peers:
        if node in addresses:
            raise UsageError(f"--peers: machine {node} is named twice")
        addresses[node] = address
    return addresses


def _refuse_crashes(model: Model) -> None:
    """Return if the node need not be restarted: by hand, nobody would."""
    if model.crashes:
        raise ConfigurationError(
            f"machine {model.node} is to crash, and by hand nobody restarts it; "
            "let python3 lab.py run start the cluster"
        )


def _refuse_to_continue(continues: bool) -> None:
    if continues:
        raise UsageError("--continue is for a node under --control; by hand, move the old log away and start anew")


def _refuse_no_address(model: Model, addresses: Mapping[int, Address]) -> None:
    """Return if it is known where every peer listens."""
    if missing := [str(peer) for peer in model.peers if peer not in addresses]:
        raise UsageError(f"--peers: where does machine {', '.join(missing)} listen? Write it like 2=127.0.0.1:5002")


def _refuse_no_epoch(pace: Pace, epoch_ns: int | None, epoch_file: Path | None) -> None:
    """Return if the machines can begin as this pace needs it: together, and at one moment."""
    if epoch_ns is not None and epoch_file is not None:
        raise UsageError("--epoch-ns and --epoch-file both say when the run begins: give one of them")
    if pace != "free" and epoch_ns is None and epoch_file is None:
        raise UsageError(
            f"--pace {pace} needs the same --epoch-ns at every node: the Unix time in ns at which the run begins; "
            "or the same --epoch-file, through which they agree on it"
        )


def _read_model(path: Path) -> ModelFile:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NoInputError(f"{path}: cannot read this model: {error.strerror}") from None
    try:
        return MODEL_FILE.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {one_line(f'{place}: ' * bool(place) + first['msg'])}") from None
