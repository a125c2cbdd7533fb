"""The healthcheck of a node in a container: what its log says of it."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tests.docker.files import ROOT

SECOND_NS = 1_000_000_000


@pytest.fixture
def healthcheck(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program, as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "docker"))
    return import_module("healthcheck")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of machine 1."""
    return tmp_path / "events-1.jsonl"


def line(event: str, wall_s: float) -> bytes:
    """Return a record of that second."""
    return json.dumps({"event": event, "wall": int(wall_s * SECOND_NS)}).encode() + b"\n"


@pytest.mark.parametrize("content", [None, b"", b'{"event":"start"'])
def test_a_node_without_a_record_has_not_begun(healthcheck: ModuleType, log: Path, content: bytes | None) -> None:
    """Not well yet: within its start period that is "starting", and after it "unhealthy"."""
    if content is not None:
        log.write_bytes(content)

    assert "its run has not begun: it waits for its peers" == healthcheck.complaint(log, now_ns=0)


@pytest.mark.parametrize(("now_s", "expected"), [(13, None), (18, None), (18.6, "its last record is 6 s old")])
def test_a_node_is_well_while_it_writes(healthcheck: ModuleType, log: Path, now_s: float, expected: str | None) -> None:
    """The age is that of the last record, whatever stands before it; a torn line is none."""
    log.write_bytes(line("start", 1) + line("internal", 13) + b'{"event":"inte')

    assert expected == healthcheck.complaint(log, now_ns=int(now_s * SECOND_NS))


@pytest.mark.parametrize("last", ["end", "stop"])
def test_a_node_whose_log_has_ended_is_well(healthcheck: ModuleType, log: Path, last: str) -> None:
    """It serves its peers, and writes nothing more."""
    log.write_bytes(line("start", 1) + line(last, 2))

    assert healthcheck.complaint(log, now_ns=1000 * SECOND_NS) is None


def test_a_long_log_is_read_at_its_end(healthcheck: ModuleType, log: Path) -> None:
    """Every few seconds, for hours."""
    log.write_bytes(line("internal", 1) * 10_000 + line("send", 2))

    assert {"event": "send", "wall": 2 * SECOND_NS} == healthcheck.last_record(log)


@pytest.mark.parametrize(("last", "expected"), [("internal", (1, "its last record is ")), ("stop", (0, "well"))])
def test_the_program_needs_the_standard_library_alone(log: Path, last: str, expected: tuple[int, str]) -> None:
    """As Docker calls it: without a site, and with the node's own environment."""
    log.write_bytes(line(last, 2))
    environment = {"SCALE_MODEL_LOG_DIR": str(log.parent), "SCALE_MODEL_ID": "1"}
    command = [sys.executable, "-IS", str(ROOT / "docker" / "healthcheck.py")]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, timeout=10, check=False)

    assert expected == (done.returncode, done.stdout[: len(expected[1])])
