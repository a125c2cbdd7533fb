"""`python -m node` as a person types it: three terminals, Ctrl-C, and what is wrong in one line each."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.mesh import Address
from tests.waiting import wait_for

pytestmark = pytest.mark.live

DEADLINE_S = 30
LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago."""
    sockets = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def command(node: int, ports: list[int], *flags: str) -> list[str]:
    """Return what a person types to start one of the nodes."""
    peers = [f"{other}={LOOPBACK}:{port}" for other, port in enumerate(ports, start=1) if other != node]
    own = ["--id", str(node), "--port", str(ports[node - 1]), "--peers", *peers]
    return [sys.executable, "-m", "node", *own, *flags]


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start nodes; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start_one(arguments: list[str]) -> "subprocess.Popen[str]":
        process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def words(process: "subprocess.Popen[str]") -> str:
    """Wait for the end of a node and return what it said."""
    return process.communicate(timeout=DEADLINE_S)[1]


def last_event(log: Path) -> dict[str, object]:
    """Return the last line of a log."""
    return dict(json.loads(log.read_bytes().split(b"\n")[-2]))


def listens(port: int) -> bool:
    """Whether somebody accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
def test_three_terminals_in_any_order_are_a_cluster(order: tuple[int, ...], start: Start, tmp_path: Path) -> None:
    """Each node is started only when the one before listens; the logs are sealed, and the last line says what to do."""
    ports = free_ports(3)
    nodes = []
    for node in order:
        nodes.append(start(command(node, ports, "--duration", "1", "--log-dir", str(tmp_path))))
        wait_for(lambda port=ports[node - 1]: listens(port))  # type: ignore[misc]
    said = [words(node) for node in nodes]

    assert [0, 0, 0] == [node.returncode for node in nodes]
    assert all(last_event(tmp_path / f"events-{node}.jsonl")["event"] == "stop" for node in (1, 2, 3))
    for node, text in zip(order, said, strict=True):
        assert text.endswith(
            f"its log is {tmp_path}/events-{node}.jsonl\ncheck all nodes as one run: python3 lab.py check {tmp_path}\n"
        )


def test_ctrl_c_seals_the_log_and_lets_the_others_finish(start: Start, tmp_path: Path) -> None:
    """The interrupted node exits with 130; the others reach their end without it."""
    ports = free_ports(3)
    nodes = [start(command(node, ports, "--duration", "4", "--log-dir", str(tmp_path))) for node in (1, 2, 3)]
    log = tmp_path / "events-2.jsonl"
    wait_for(lambda: log.exists() and log.read_bytes().count(b"\n") > 6)
    nodes[1].send_signal(signal.SIGINT)
    said = [words(node) for node in nodes]

    assert [0, 130, 0] == [node.returncode for node in nodes], said
    assert ("end", True) == (last_event(log)["event"], last_event(log)["interrupted"])
    assert "its log is" in said[1]
    assert "stop" == last_event(tmp_path / "events-1.jsonl")["event"]


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", "localhost"])
def test_who_listens_beyond_this_host_is_warned_in_one_line(host: str, start: Start, tmp_path: Path) -> None:
    """Issue 3: nothing is encrypted or authenticated yet; on the loopback that needs no word."""
    flags = ("--host", host, "--duration", "0.1", "--log-dir", str(tmp_path))
    said = words(start([sys.executable, "-m", "node", "--id", "1", *flags]))
    warnings = [line for line in said.splitlines() if "warning" in line]
    expected = f"node 1: warning: listens on {host}: nothing is encrypted or authenticated yet; "

    assert len(warnings) == (host == "0.0.0.0")
    assert all(line.startswith(expected) for line in warnings)


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.1", True), ("127.3.2.1", True), ("::1", True), ("localhost", True)]
    + [(host, False) for host in ("0.0.0.0", "::", "", "192.168.1.5", "node-1", "localhost.example.org")],
)
def test_only_a_loopback_address_is_one(host: str, is_loopback: bool) -> None:
    """A name may lead anywhere, and an empty one means every address."""
    assert Address(host, 5001).is_loopback is is_loopback


def test_a_peer_that_is_killed_is_named(start: Start, tmp_path: Path) -> None:
    """Who waits in vain for the end of a killed peer says so, and exits with 69."""
    ports = free_ports(2)
    nodes = [start(command(node, ports, "--duration", "1.5", "--log-dir", str(tmp_path))) for node in (1, 2)]
    log = tmp_path / "events-2.jsonl"
    wait_for(lambda: log.exists() and log.read_bytes().count(b"\n") > 4)
    nodes[1].kill()
    said = words(nodes[0])

    assert 69 == nodes[0].returncode
    assert "error: node 2 went away before its end" in said
    last = last_event(tmp_path / "events-1.jsonl")
    assert ("end", True) == (last["event"], last["interrupted"])


def test_a_second_run_renames_sealed_logs_and_keeps_unsealed_ones(start: Start, tmp_path: Path) -> None:
    """A sealed log moves aside; one that nobody sealed is not touched (73)."""
    ports = free_ports(2)
    (tmp_path / "events-1.jsonl").write_text('{"event":"internal"')
    sealed = tmp_path / "events-2.jsonl"
    sealed.write_text('{"event":"end","node":2,"incarnation":0,"events":0,"interrupted":true,"wall":1}\n')
    first, second = (start(command(node, ports, "--duration", "1", "--log-dir", str(tmp_path))) for node in (1, 2))
    said = words(first)
    wait_for(lambda: not sealed.exists() or sealed.stat().st_size == 0)
    second.terminate()
    words(second)

    assert 73 == first.returncode
    assert "was never sealed" in said
    assert (tmp_path / "events-2.1.sealed").exists()


BAD_FLAGS = {
    "an unknown flag": (["--ratio", "3"], 64, "unrecognized arguments: --ratio"),
    "no id": ([], 64, "--id is missing"),
    "a rate of 0": (["--id", "1", "--tick-rate", "0"], 64, "rates are from 1"),
    "a probability of 1.2": (["--id", "1", "--internal-probability", "1.2"], 64, "--internal-probability"),
    "a peer without a port": (["--id", "1", "--peers", "2"], 64, "write it like 2=127.0.0.1:5002"),
    "exact without an epoch": (["--id", "1", "--pace", "exact"], 64, "--epoch-ns"),
    "an absent model": (["--model", "absent.json"], 66, "absent.json"),
}


@pytest.mark.parametrize("name", BAD_FLAGS)
def test_bad_flags_are_one_line(name: str, tmp_path: Path) -> None:
    """What, where and what to do; no traceback, and nothing on stdout."""
    flags, code, text = BAD_FLAGS[name]
    done = run([sys.executable, "-m", "node", *flags], tmp_path)

    assert (code, "") == (done.returncode, done.stdout)
    assert text in done.stderr
    assert 1 == done.stderr.count("\n")


def test_a_missing_peer_is_named_at_the_deadline(tmp_path: Path) -> None:
    """Exit 69, with the number and the address of who is missing."""
    (port,) = free_ports(1)
    flags = ["--id", "1", "--peers", f"2={LOOPBACK}:{port}", "--start-deadline", "0.3", "--log-dir", str(tmp_path)]
    done = run([sys.executable, "-m", "node", *flags], tmp_path)

    assert 69 == done.returncode
    assert f"node 2 ({LOOPBACK}:{port})" in done.stderr
    assert [] == list(tmp_path.iterdir())


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    """Exit 75, with the port and what to do."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        done = run(
            [sys.executable, "-m", "node", "--id", "1", "--port", str(port), "--log-dir", str(tmp_path)], tmp_path
        )

    assert 75 == done.returncode
    assert f"port {port} on {LOOPBACK} is taken; choose another --port" in done.stderr


def test_without_its_packages_a_node_says_how_to_run_it(tmp_path: Path) -> None:
    """A bare Python gets one line that names the front door."""
    done = run([sys.executable, "-S", "-m", "node", "--id", "1"], tmp_path)

    assert 69 == done.returncode
    assert "python3 lab.py python -m node" in done.stderr
    assert 1 == done.stderr.count("\n")


def run(arguments: list[str], directory: Path) -> "subprocess.CompletedProcess[str]":
    """Run a node to its end."""
    checkout = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": checkout}
    return subprocess.run(
        arguments, cwd=directory, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
