"""Whatever comes in, over the wire, from a log or from an experiment's file: only the documented errors."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from node.errors import ConfigurationError, LogError, RemoteProtocolError, ScaleModelError
from node.frame import FRAME_BYTES_MAX, Decoder, encode
from node.journal import read_whole_lines
from node.recovery import recover
from orchestrator.config import parse_experiment
from tests.clusters import cluster
from tests.fake_wire import FakeCluster
from tests.node.test_daemon import HELLO, HOSTILE
from tests.node.test_frame import SAMPLES, sample
from tests.promises import Lane, record

ROOT = Path(__file__).parents[1]
JUNK = (
    b"",
    b"\x00",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"-",
    b"9" * 40,
    b"1e999",
    b"NaN",
    b"null",
    b"\xff",
    b"\n",
)
MACHINES = cluster(2, seconds=3)
MILLIONS = 50
"""So many times more, in the soak lane: five million inputs, which takes 15 minutes."""

Try = Callable[[bytes], None]


def frames() -> list[bytes]:
    """Return streams of frames, good ones and bad ones."""
    good = [len(body).to_bytes(4, "big") + body for body in map(sample, SAMPLES)]
    return [b"".join(good), HELLO, encode({"type": "ping"}), *good, *HOSTILE.values()]


def logs() -> list[bytes]:
    """Return pieces of real logs: what stands at their beginning, in the middle and at the end."""
    from node.journal import _render  # noqa: PLC0415

    fake = FakeCluster(MACHINES, seed=1)
    assert fake.run()
    lines = [_render(None, "", dict(line)) for line in fake.lines[1]]  # type: ignore[call-overload]
    return [b"".join(lines[:6]), *lines[1:4], lines[-2], lines[-1]]


def experiments() -> list[bytes]:
    """Return the shipped experiments, in pieces short enough to be fuzzed often."""
    texts = [path.read_bytes() for path in sorted((ROOT / "configs").glob("*.yaml"))]
    return [text[-400:] for text in texts] + [b"nodes: 3\nnetwork: {delay: 10ms}\n"]


def decode(data: bytes) -> None:
    """Bring the bytes in two pieces, as a connection may."""
    decoder = Decoder(FRAME_BYTES_MAX)
    decoder.feed(data[: len(data) // 2])
    decoder.feed(data[len(data) // 2 :])


def read_log(data: bytes) -> None:
    """Read a log, and go on from it."""
    recover(read_whole_lines(data, name="log").lines, MACHINES[1], run="fake", pace="fast", name="log")


def read_experiment(data: bytes) -> None:
    """Read an experiment."""
    parse_experiment(data.decode(errors="replace"), name="fuzzed.yaml")


def mutated(seed: bytes, chance: Random) -> bytes:
    """Return some bytes changed in a few places: flipped, cut, doubled, or with junk between."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 3)):
        at = chance.randint(0, len(data))
        match chance.randrange(5):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1:
                del data[at : at + chance.randint(1, 20)]
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 40)]
            case 3:
                data[at:at] = chance.choice(JUNK)
            case _:
                data[at : at + 1] = chance.randbytes(1)
    return bytes(data)


INPUTS: dict[str, tuple[Try, Callable[[], list[bytes]], type[ScaleModelError], int]] = {
    "frames": (decode, frames, RemoteProtocolError, 70_000),
    "logs": (read_log, logs, LogError, 27_000),
    "experiments": (read_experiment, experiments, ConfigurationError, 3_000),
}


def fuzz(name: str, times: int, lane: Lane) -> None:
    """Try mutated inputs of one kind; what fails is shown as it came in."""
    attempt, seeds, expected, count = INPUTS[name]
    chance, known = Random(1), seeds()
    refused = 0
    for _ in range(count * times):
        data = mutated(chance.choice(known), chance)
        try:
            attempt(data)
        except expected:
            refused += 1
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} for {data!r}") from error

    assert count * times > refused > count * times // 20
    record(f"broken {name}", lane, f"{count * times:,} inputs, {refused:,} refused")


@pytest.mark.parametrize("name", INPUTS)
def test_a_hundred_thousand_broken_inputs_give_only_the_documented_errors(name: str) -> None:
    """No other exception, whatever was changed."""
    fuzz(name, 1, "test")


@pytest.mark.soak
@pytest.mark.parametrize("name", INPUTS)
def test_five_million_broken_inputs_give_only_the_documented_errors(name: str) -> None:
    """Takes 15 minutes."""
    fuzz(name, MILLIONS, "soak")
