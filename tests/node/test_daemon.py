"""The daemon and the mesh: real sockets on the loopback, several daemons on one loop."""

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

import node.mesh
from node.connections import Connection
from node.daemon import Daemon
from node.errors import LogError, PortTakenError, RefusedError, UnavailableError
from node.frame import FRAME_BYTES_MAX, Frame, Welcome, encode
from node.link import Outgoing
from node.machine import Machine
from node.mesh import Address, Wire
from node.model import Pace
from node.process import Process, Step
from tests.clusters import cluster, simulated
from tests.daemons import LOOPBACK, Guest, Meeting, Party

pytestmark = pytest.mark.asyncio

# A connection that is accepted while its server closes is left open by asyncio before 3.13 (an assertion in
# Server._attach), and found by the collector; uvloop, which nodes run on, has no such gap.
redials_to_the_end = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

# Every wait in here has a deadline; the loop is asyncio's own, which shows more mistakes than uvloop.


async def beside(party: Party, mischief: Callable[[], Awaitable[None]]) -> None:
    """Run a party, with some mischief beside it."""
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(mischief())
        await party.run()
        work.cancel()


async def cut_for_ever(party: Party) -> AsyncIterator[int]:
    """Cut one connection after another, one every few events."""
    count = 0
    pairs = [(a, b) for a in party.daemons for b in party.daemons if a != b]
    while True:
        sender, recipient = pairs[count % len(pairs)]
        machine = party.daemons[sender].machine
        await party.begun(sender, events=min(machine.process.index + 3, machine.model.tick_count))
        party.cut(sender, recipient)
        await asyncio.sleep(0)
        count += 1
        yield count


async def test_daemons_on_sockets_do_what_the_simulation_does(tmp_path: Path) -> None:
    """At the pace fast the logs of three daemons are those of the simulation, event for event."""
    machines = cluster(seconds=30)
    party = Party(machines, tmp_path)
    await party.run()

    assert simulated(machines) == party.events()


async def test_a_directed_cluster_does_what_the_simulation_does(tmp_path: Path) -> None:
    """Where nobody answers over a link of his own, promises and ends still come through."""
    machines = cluster(4, seconds=20, topology={1: (2, 4), 2: (3,), 3: (1,)})
    party = Party(machines, tmp_path)
    await party.run()

    assert simulated(machines) == party.events()


async def test_every_log_is_sealed_by_a_stop_record(tmp_path: Path) -> None:
    """Start first, end after the last event, stop last."""
    party = Party(cluster(seconds=5), tmp_path)
    await party.run()

    assert [("start", "stop")] * 3 == [
        (lines[0]["event"], lines[-1]["event"]) for lines in map(party.lines, party.daemons)
    ]


@redials_to_the_end
async def test_connections_that_are_cut_leave_no_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut, redialled, resent: the logs are still those of the simulation."""
    monkeypatch.setattr(node.mesh, "BACKOFF_S_MIN", 0.001)
    machines = cluster(seconds=60)
    party = Party(machines, tmp_path)
    cuts = 0

    async def cut() -> None:
        nonlocal cuts
        async for count in cut_for_ever(party):
            cuts = count

    await beside(party, cut)

    assert simulated(machines) == party.events()
    assert cuts >= 10
    assert sum(line["event"] == "link" and line["state"] == "down" for line in party.lines(1)) >= 2


HELLO = encode(
    {
        "type": "hello",
        "version": 1,
        "run": "party",
        "sender": 2,
        "recipient": 1,
        "incarnation": 0,
        "epoch_ns": None,
        "base": 1,
    }
)


def framed(body: bytes) -> bytes:
    """Put a length before some bytes."""
    return len(body).to_bytes(4, "big") + body


HOSTILE = {
    "oversized": (FRAME_BYTES_MAX + 1).to_bytes(4, "big") + b"{",
    "truncated": framed(b'{"type":"ack"')[:-3],
    "no JSON": framed(b"\xff\x00 this is no JSON"),
    "mistyped": framed(b'{"type":"data","first":"1","messages":[],"promise":null}'),
    "unknown": framed(b'{"type":"shutdown"}'),
    "out of place": framed(b'{"type":"welcome","incarnation":0,"have":0,"done":0}'),
    "a gap": framed(b'{"type":"data","first":900,"messages":[[1,1,0,1,1]],"promise":null}'),
}


@pytest.mark.parametrize("greeting", [b"", HELLO], ids=["a stranger", "a sender"])
@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_frame_ends_its_connection_and_nothing_else(name: str, greeting: bytes, tmp_path: Path) -> None:
    """One log line, the end of that connection, and a trace equal to the simulated one."""
    machines = cluster(seconds=1.2)
    party = Party(machines, tmp_path, pace="exact")

    async def attack() -> None:
        await party.begun(1)
        reader, writer = await asyncio.open_connection(LOOPBACK, party.meeting.ports[1])
        async with asyncio.timeout(5):
            if greeting:
                writer.write(greeting)
                assert b'"welcome"' in await reader.read(4096)
            writer.write(HOSTILE[name])
            writer.write_eof()
            with suppress(ConnectionResetError):  # So ends a connection on which more came than was read.
                while await reader.read(4096):
                    pass
                writer.close()
                await writer.wait_closed()
        attacked.set()

    attacked = asyncio.Event()
    with structlog.testing.capture_logs() as words:
        await beside(party, attack)

    assert attacked.is_set()
    assert simulated(machines) == party.events()
    # On a busy machine a node may say that it is behind, and machine 2 that its own connection to 1 was reset.
    ended = [line["peer"] for line in words if line["event"] == "connection ended" and line["peer"] != 1]
    assert [2 if greeting else None] == ended


async def test_what_is_sent_has_been_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No message leaves a node before its send event is on the disk, no acknowledgement before its receive."""
    send = Connection.send
    checked = 0

    def send_what_is_written(self: Connection, frames: Iterable[Frame]) -> None:
        nonlocal checked
        kept = list(frames)
        written = {node: len(party.lines(node)) for node in party.daemons}
        for frame in kept:
            if frame["type"] == "data" and frame["messages"]:
                # All machines of this cluster send from their first event on; the greatest index must be there.
                assert any(frame["messages"][-1][1] <= count for count in written.values())
                checked += 1
        send(self, kept)

    monkeypatch.setattr(Connection, "send", send_what_is_written)
    party = Party(cluster(2, seconds=10, internal_probability=0.0), tmp_path)
    await party.run()

    assert checked > 10


@pytest.mark.parametrize("pace", ["exact", "free"])
@pytest.mark.parametrize("work_s", [0.005, 0.2])
async def test_every_tick_is_executed_however_much_work_it_is(
    work_s: float, pace: Pace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ticks that come late come all the same, exactly as many as are due before the end; growing lateness is said."""
    tick = Process.tick

    def tick_with_work(self: Process) -> Step:
        done = time.perf_counter() + work_s
        while time.perf_counter() < done:
            pass
        return tick(self)

    monkeypatch.setattr(Process, "tick", tick_with_work)
    machines = cluster(2, seconds=1.1, rates=(8, 8))
    party = Party(machines, tmp_path, pace=pace)
    with structlog.testing.capture_logs() as words:
        await party.run()
    events = party.events()

    assert {node: list(range(model.tick_count)) for node, model in machines.items()} == {
        node: [event.tick for event in its] for node, its in events.items()
    }
    assert (work_s == 0.2) == any(line["event"] == "behind its ticks" for line in words)


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """Two nodes on one port: 75, the port, and what to do."""
    server = await asyncio.start_server(lambda *_: None, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(PortTakenError, match=f"port {port} on {LOOPBACK} is taken; choose another"):
            await lonely(tmp_path).run(Address(LOOPBACK, port))

    assert [] == logs(tmp_path)


async def test_missing_peers_are_named_at_the_deadline(tmp_path: Path) -> None:
    """Nobody waits for ever; who is missing is said with its address, and no log is left behind."""
    with pytest.raises(UnavailableError, match=r"not there within 0\.2 s: node 2 \(127\.0\.0\.1:1\)"):
        await lonely(tmp_path, peers={2: Address(LOOPBACK, 1)}, start_deadline_s=0.2).run(Address(LOOPBACK, 0))

    assert [] == logs(tmp_path)


async def test_a_full_disk_ends_the_node_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written ends the node, with the reason."""

    def write(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("node.journal.os.write", write)
    with pytest.raises(LogError, match="No space left on device"):
        await lonely(tmp_path).run(Address(LOOPBACK, 0))


async def test_a_node_of_another_run_ends(tmp_path: Path) -> None:
    """Refused by one peer, a node ends, says by whom and why, and leaves no log."""
    machines = cluster(2, seconds=2)
    party = Party(machines, tmp_path)
    party.daemons[2].machine.run = "another"

    with pytest.raises(ExceptionGroup) as failures:
        await party.run()

    assert failures.group_contains(RefusedError, match="it belongs to the run 'another', this node to 'party'") or (
        failures.group_contains(RefusedError, match="it belongs to the run 'party', this node to 'another'")
    )
    assert [] == logs(tmp_path)


async def test_an_interrupted_daemon_seals_its_log(tmp_path: Path) -> None:
    """Ctrl-C: the last line says that somebody interrupted the node."""
    machines = cluster(2, seconds=600)
    party = Party(machines, tmp_path, pace="free")

    async def interrupt() -> None:
        for number in party.daemons:
            await party.begun(number, events=2)
        for daemon in party.daemons.values():
            daemon.interrupt()

    await beside(party, interrupt)

    assert [("end", True)] * 2 == [
        (lines[-1]["event"], lines[-1].get("interrupted")) for lines in map(party.lines, party.daemons)
    ]


def cut_while_sending(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """Break every tenth connection at the moment when it should carry data; return those that were broken."""
    monkeypatch.setattr(node.mesh, "BACKOFF_S_MIN", 0.001)
    send = Connection.send
    sent: list[Connection] = []
    broken: list[Connection] = []

    def send_or_break(self: Connection, frames: Iterable[Frame]) -> None:
        frames = list(frames)
        sent.extend([self] * any(frame["type"] == "data" for frame in frames))
        if len(sent) == 10:
            sent.clear()
            broken.append(self)
            assert isinstance(self.transport, Wire)
            self.transport._writer.transport.abort()
        else:
            send(self, frames)

    monkeypatch.setattr(Connection, "send", send_or_break)
    return broken


@redials_to_the_end
async def test_data_lost_with_its_connection_comes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was handed to a connection that broke is sent again, and so is the promise behind it."""
    machines = cluster(seconds=30)
    broken = cut_while_sending(monkeypatch)
    party = Party(machines, tmp_path)
    await party.run()

    assert simulated(machines) == party.events()
    assert len(broken) >= 10


@redials_to_the_end
async def test_a_daemon_that_forgets_its_promise_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted in running daemons: without a repeated promise a broken connection makes the run hang."""
    cut_while_sending(monkeypatch)
    connect = Outgoing.connect

    def connect_and_remember(self: Outgoing, welcome: Welcome) -> None:
        promise_sent = self._promise_sent
        connect(self, welcome)
        self._promise_sent = promise_sent

    monkeypatch.setattr(Outgoing, "connect", connect_and_remember)

    with pytest.raises(TimeoutError):
        await Party(cluster(seconds=30), tmp_path).run(deadline_s=5)


def logs(directory: Path) -> list[Path]:
    """Return what the daemons have left behind."""
    return list(directory.iterdir())


def lonely(
    directory: Path, *, peers: dict[int, Address] | None = None, start_deadline_s: float = 5, seconds: float = 0.5
) -> Daemon:
    """Return a daemon whose peers, if any, will never come."""
    nodes = 1 + len(peers or {})
    model = cluster(nodes, seconds=seconds)[1]

    class Alone(Guest):
        async def addresses(self, port: int) -> dict[int, Address]:
            return peers or {}

    return Daemon(
        Machine(model, run="lonely", pace="free"),
        Alone(Meeting(1), 1),
        log_path=directory / "events-1.jsonl",
        start_deadline_s=start_deadline_s,
    )


async def test_a_tick_that_becomes_due_while_nobody_looks_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the question whether a tick is due and the timer for it time goes by; at exact nobody else would wake."""
    party = Party(cluster(2, seconds=1), tmp_path, pace="exact")
    plain = Machine.may_tick

    def ask_and_be_slow(machine: Machine, now_ns: int) -> bool:
        may_tick, due_ns = plain(machine, now_ns), machine.next_due_ns
        daemon = party.daemons[machine.model.node]
        if due_ns is not None and now_ns < due_ns < now_ns + 20_000_000:
            while daemon._now_ns() < due_ns:
                pass
        return may_tick

    monkeypatch.setattr(Machine, "may_tick", ask_and_be_slow)
    await party.run(deadline_s=10)

    assert simulated(cluster(2, seconds=1)) == party.events()
