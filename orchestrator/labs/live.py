"""The live lab: one operating-system process per machine, led over its stdin and stdout, talking TCP.

Never imports the daemon: a node is a command. A node ends when its stdin does, so no orphan outlives the orchestrator.
Source: model section 6.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from node.errors import ScaleModelError, first_of
from node.model import MODEL_JSON, SECOND_NS, Model, Pace
from orchestrator.labs.observer import FaultNotes, Observer
from orchestrator.labs.outcome import Outcome
from orchestrator.labs.progress import Progress, Watcher, nobody
from orchestrator.labs.stopwatch import Stopwatch
from orchestrator.rundir import Run
from orchestrator.trace.bands import bands_of

HOST: Final = "127.0.0.1"
LEAD_NS: Final = 50_000_000
"""How far ahead the common epoch is, so that every node has heard of it when it comes."""
RETURN_NS: Final = 1_500_000_000
"""How long before the end of a crash its node is started again, so that it listens, and is heard, in time."""
SEAL_S_MAX: Final = 5.0
NODE_COMMAND: Final = (sys.executable, "-P", "-m", "node")  # -P: never somebody's own node.py


class _Over(Exception):  # noqa: N818  # nothing is wrong: this is how a TaskGroup is ended
    """Every node has stopped."""


class _Interrupted(Exception):  # noqa: N818  # nothing is wrong
    """Somebody wants the run to end now."""


class NodeDiedError(ScaleModelError):
    """A node ended before it was told to."""

    def __init__(self, node: int, code: int, words: str) -> None:
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        super().__init__(f"machine {node} ended {how}" + (f": {words}" if words else ""))
        self.code = code


class Node:
    """One node as a process; it says and hears JSON lines."""

    def __init__(
        self, node: int, process: asyncio.subprocess.Process, *, stderr_path: Path, observer: Observer
    ) -> None:
        self.node = node
        self.port = 0
        self._process = process
        self._stderr_path = stderr_path
        self._observer = observer
        self._has_ended = False

    async def hear(self, key: str) -> Any:
        """Return what the node says next, under `key`.

        Raises NodeDiedError if it says nothing more.
        """
        return (await self.words())[key]

    async def words(self) -> dict[str, Any]:
        """Return what the node says next.

        Raises NodeDiedError if it says nothing more.
        """
        assert self._process.stdout is not None, "stdout is a pipe"
        line = await self._process.stdout.readline()
        if not line:
            raise NodeDiedError(self.node, await self._process.wait(), self._last_words())
        words: dict[str, Any] = orjson.loads(line)
        return words

    def tell(self, **words: object) -> None:
        """Send the node one line."""
        assert self._process.stdin is not None, "stdin is a pipe"
        self._process.stdin.write(orjson.dumps(words, option=orjson.OPT_NON_STR_KEYS) + b"\n")

    def dismiss(self) -> None:
        """End the node's stdin: it seals its log if need be, and exits."""
        assert self._process.stdin is not None, "stdin is a pipe"
        self._process.stdin.close()

    async def ended(self) -> None:
        """Return when the node has exited; one that takes too long is killed."""
        if self._has_ended:
            return
        try:
            async with asyncio.timeout(SEAL_S_MAX):
                code = await self._process.wait()
        except TimeoutError:
            self.kill()
            code = await self._process.wait()
        self._has_ended = True
        self._observer.note("exit", node=self.node, code=code, wall=time.time_ns())

    def kill(self) -> None:
        """Kill the node, which may be stopped and never hear that its stdin has ended."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def _last_words(self) -> str:
        _, error, words = self._stderr_path.read_text(errors="replace").rpartition("error: ")
        return words.strip() if error else ""


class LiveRun:
    """One run of a live cluster, from its first process to its last."""

    def __init__(
        self, run: Run, machines: Mapping[int, Model], *, name: str, pace: Pace, command: Sequence[str]
    ) -> None:
        self._run = run
        self._machines = machines
        self._name = name
        self._pace: Pace = pace
        self._command = command
        self._observer = Observer(run.observer_path)
        self._bands = bands_of(machines)
        # A crash is noted when it has happened: the node is gone then.
        self._faults = FaultNotes(self._observer, (band for band in self._bands if band.kind != "crash"))
        self._nodes: dict[int, Node] = {}
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
            await _all(self._see_through(number) for number in self._machines)
            faults.cancel()
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

    async def _note_faults(self) -> None:
        """Note each fault when it begins by the wall clock; at the pace fast, which has none, all of them at once."""
        if self._pace == "fast":
            self._faults.note_all(time.time_ns())
        while (from_ns := self._faults.next_ns) is not None:
            await _until(self._epoch_ns + from_ns)
            self._faults.note_until(from_ns, time.time_ns())

    async def _see_through(self, number: int) -> None:
        """Return when there is a stop record of a machine, which is restarted whenever the model lets it crash."""
        crashes = [band for band in self._bands if band.machine == number and band.kind == "crash"]
        while "down" in await self._nodes[number].words():
            crash = crashes.pop(0)
            await self._nodes[number].ended()
            self._observer.note("fault", **crash.as_json(), wall=time.time_ns())
            await self._until_return(number, crash.to_ns)
            await self._restart(number)

    async def _until_return(self, number: int, to_ns: int) -> None:
        """Wait until a machine must be started again: at the latest when the run is over, to write its stop record."""
        if self._pace == "fast":
            return
        await _until(self._epoch_ns + min(to_ns, self._machines[number].duration_ns) - RETURN_NS)

    async def _restart(self, number: int) -> None:
        """Start a node again, where its peers look for it; it goes on where its log ends."""
        port = self._nodes[number].port
        node = await self._spawn(number, port=port, continues=True)
        node.port = port  # Known before the node says so: others may be introduced meanwhile.
        self._nodes[number] = node
        await node.hear("port")
        self._introduce(node)

    def _introduce(self, node: Node) -> None:
        node.tell(peers={peer: (HOST, self._nodes[peer].port) for peer in self._machines[node.node].peers})

    async def _spawn(self, node: int, *, port: int = 0, continues: bool = False) -> Node:
        path = self._run.model_path(node)
        model = orjson.Fragment(MODEL_JSON.dump_json(self._machines[node]))
        path.write_bytes(orjson.dumps({"run": self._name, "pace": self._pace, "model": model}) + b"\n")
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
) -> Outcome:
    """Run a cluster of processes and return how it went; its record is in the directory of `run`.

    A node that dies ends the run: what is there stays, and the outcome names it.
    """
    live = LiveRun(run, machines, name=name, pace=pace, command=node_command)
    begun(live)
    stopwatch = Stopwatch()
    is_interrupted, failure = False, None
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
