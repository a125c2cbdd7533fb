"""The live lab: one operating-system process per machine, led over its stdin and stdout, talking TCP.

Never imports the daemon: a node is a command. A node ends when its stdin does, so no orphan outlives the orchestrator.
Source: model section 6.
"""

import asyncio
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

from node.errors import first_of
from node.model import MODEL_JSON, SECOND_NS, Model, Pace
from orchestrator.labs.nodes import Node, NodeDiedError
from orchestrator.labs.observer import FaultNotes, Observer
from orchestrator.labs.outcome import Outcome
from orchestrator.labs.progress import Progress, Watcher, nobody
from orchestrator.labs.stopwatch import Stopwatch
from orchestrator.rundir import Run
from orchestrator.trace.bands import Band, bands_of

HOST: Final = "127.0.0.1"
LEAD_NS: Final = 50_000_000
"""How far ahead the common epoch is, so that every node has heard of it when it comes."""
RETURN_NS: Final = 1_500_000_000
"""How long before the end of a crash its node is started again, so that it listens, and is heard, in time."""
RESTARTS_MAX: Final = 32
"""So often a node is started again that dies though the model does not have it die; more often is no accident."""
NODE_COMMAND: Final = (sys.executable, "-P", "-m", "node")  # -P: never somebody's own node.py


class _Over(Exception):  # noqa: N818  # nothing is wrong: this is how a TaskGroup is ended
    """Every node has stopped."""


class _Interrupted(Exception):  # noqa: N818  # nothing is wrong
    """Somebody wants the run to end now."""


class LiveRun:
    """One run of a live cluster, from its first process to its last."""

    def __init__(
        self,
        run: Run,
        machines: Mapping[int, Model],
        *,
        name: str,
        pace: Pace,
        command: Sequence[str],
        restarts_max: int = RESTARTS_MAX,
    ) -> None:
        self.restarts: Counter[int] = Counter()
        self._run = run
        self._machines = machines
        self._name = name
        self._token = secrets.token_hex(16)  # Another run may have the same name, and a port that was ours.
        self._pace: Pace = pace
        self._command = command
        self._restarts_max = restarts_max
        self._observer = Observer(run.observer_path)
        self._bands = bands_of(machines)
        # A crash is noted when it has happened: the node is gone then.
        self._faults = FaultNotes(self._observer, (band for band in self._bands if band.kind != "crash"))
        self._nodes: dict[int, Node] = {}
        self._crashes = {
            node: [band for band in self._bands if band.machine == node and band.kind == "crash"] for node in machines
        }
        self._stopped: set[int] = set()
        self._have_all_stopped = asyncio.Event()
        self._epoch_ns = 0

    async def assemble(self) -> None:
        """Start every node, and introduce them; return when the mesh is complete."""
        for number in self._machines:
            self._nodes[number] = await self._spawn(number)
        for node in self._nodes.values():
            node.port = await node.hear("port")
        for node in self._nodes.values():
            self._introduce(node)
        await _all(node.hear("ready") for node in self._nodes.values())

    async def go(self) -> None:
        """Give the common epoch, and return when there is a stop record of every node."""
        self._epoch_ns = time.time_ns() + (0 if self._pace == "fast" else LEAD_NS)
        for node in self._nodes.values():
            node.tell(epoch_ns=self._epoch_ns)
        async with asyncio.TaskGroup() as tasks:
            faults = tasks.create_task(self._note_faults())
            watches = [tasks.create_task(self._watch(number)) for number in self._machines]
            await self._have_all_stopped.wait()
            for task in (faults, *watches):
                task.cancel()
        self._faults.note_all(time.time_ns())

    async def dismiss(self) -> None:
        """End every node that is still there."""
        for node in self._nodes.values():
            node.dismiss()
        await _all(node.ended() for node in self._nodes.values())

    def kill(self) -> None:
        """Kill every node that is still there; a signal handler may call this."""
        for node in self._nodes.values():
            node.kill()

    async def _watch(self, number: int) -> None:
        """Heed what a machine says, and start it again if it dies: others may need it even after its stop record."""
        while True:
            try:
                await self._heed(number, await self._nodes[number].words())
            except NodeDiedError as death:
                await self._nodes[number].ended()
                self._refuse_to_restart(number, death)
                self.restarts[number] += 1
                await self._restart(number)

    async def _heed(self, number: int, words: Mapping[str, Any]) -> None:
        node = self._nodes[number]
        match words:
            case {"port": _}:
                self._introduce(node)
            case {"ready": _}:  # Killed before its first line was written, it begins anew.
                node.tell(epoch_ns=self._epoch_ns)
            case {"down": _}:
                await node.ended()
                await self._sit_out(number, self._crashes[number].pop(0))
                await self._restart(number)
            case {"stopped": _}:
                self._stopped.add(number)
                if len(self._stopped) == len(self._machines):
                    self._have_all_stopped.set()

    def _refuse_to_restart(self, number: int, death: NodeDiedError) -> None:
        """Return if a machine that died can go on as if it had not.

        Raises NodeDiedError, or what is known beyond that.
        """
        if self._pace == "free" or not death.is_accident:
            raise death  # At the pace free nobody waits for it.
        if not self._run.events_path(number).exists():
            raise NodeDiedError(number, death.code, "its log is gone, and so it is unknown what it has sent")
        if self.restarts[number] >= self._restarts_max:
            raise NodeDiedError(
                number, death.code, f"restarted {self._restarts_max} times already; this is no accident"
            )

    async def _sit_out(self, number: int, crash: Band) -> None:
        self._observer.note("fault", **crash.as_json(), wall=time.time_ns())
        await self._until_return(number, crash.to_ns)

    async def _note_faults(self) -> None:
        """Note each fault when it begins by the wall clock; at the pace fast, which has none, all of them at once."""
        if self._pace == "fast":
            self._faults.note_all(time.time_ns())
        while (from_ns := self._faults.next_ns) is not None:
            await _until(self._epoch_ns + from_ns)
            self._faults.note_until(from_ns, time.time_ns())

    async def _until_return(self, number: int, to_ns: int) -> None:
        """Wait until a machine must be started again: at the latest when the run is over, to write its stop record."""
        if self._pace == "fast":
            return
        await _until(self._epoch_ns + min(to_ns, self._machines[number].duration_ns) - RETURN_NS)

    async def _restart(self, number: int) -> None:
        """Start a node again, where its peers look for it; it goes on where its log ends."""
        port = self._nodes[number].port
        node = self._nodes[number] = await self._spawn(number, port=port, continues=True)
        node.port = port  # Known before the node says so: others may be introduced meanwhile.

    def _introduce(self, node: Node) -> None:
        node.tell(peers={peer: (HOST, self._nodes[peer].port) for peer in self._machines[node.node].peers})

    async def _spawn(self, node: int, *, port: int = 0, continues: bool = False) -> Node:
        path = self._run.model_path(node)
        if not continues:
            model = orjson.Fragment(MODEL_JSON.dump_json(self._machines[node]))
            told = {"run": self._name, "token": self._token, "pace": self._pace, "model": model}
            path.write_bytes(orjson.dumps(told) + b"\n")
        arguments = ["--control", "--port", str(port), "--model", str(path), "--log-dir", str(self._run.path)]
        stderr_path = self._run.stderr_path(node)
        with stderr_path.open("ab" if continues else "wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *arguments,
                *(["--continue"] if continues else []),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                # Ctrl-C is for the orchestrator; it tells the nodes.
                start_new_session=True,
            )
        self._observer.note("restart" if continues else "start", node=node, pid=process.pid, wall=time.time_ns())
        return Node(node, process, stderr_path=stderr_path, observer=self._observer)


async def run_live(
    run: Run,
    machines: Mapping[int, Model],
    *,
    name: str,
    pace: Pace,
    node_command: Sequence[str] = NODE_COMMAND,
    progress: Watcher = nobody,
    interrupted: asyncio.Event | None = None,
    begun: Callable[[LiveRun], None] = lambda live: None,
    restarts_max: int = RESTARTS_MAX,
) -> Outcome:
    """Run a cluster of processes and return how it went; its record is in the directory of `run`.

    A node that is killed at the paces exact and fast is started again, at most `restarts_max` times.
    One that ends in another way ends the run: what is there stays, and the outcome names it.
    """
    live = LiveRun(run, machines, name=name, pace=pace, command=node_command, restarts_max=restarts_max)
    begun(live)
    stopwatch, is_interrupted, failure = Stopwatch(), False, None
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_raise_once(interrupted))
            progress(Progress("starting"))
            await live.assemble()
            stopwatch.tick()
            progress(Progress("ticking"))
            await live.go()
            raise _Over
    except* _Over:
        pass
    except* _Interrupted:
        is_interrupted = True
    except* NodeDiedError as group:
        failure = first_of(group)
    finally:
        stopwatch.end()
        progress(Progress("ending"))
        await live.dismiss()
    return stopwatch.outcome(
        interrupted=is_interrupted,
        restarts=live.restarts,
        failure=str(failure) if failure else None,
        exit_code=max(failure.code, 0) if failure else 0,
    )


async def _raise_once(interrupted: asyncio.Event | None) -> None:
    if interrupted is not None:
        await interrupted.wait()
        raise _Interrupted


async def _until(wall_ns: int) -> None:
    """Return when the wall clock has come to a time."""
    loop = asyncio.get_running_loop()
    come = asyncio.Event()
    timer = loop.call_later(max(0, wall_ns - time.time_ns()) / SECOND_NS, come.set)
    try:
        await come.wait()
    finally:
        timer.cancel()


async def _all(work: Iterable[Coroutine[Any, Any, object]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for coroutine in work:
            tasks.create_task(coroutine)
