"""What a live cluster suffers beneath its model: relays cut its connections anywhere, and stop its nodes.

Whoever draws the seed draws behind how many bytes each connection is cut, and which node is stopped then.
"""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from random import Random
from typing import Final

from node.model import Model
from orchestrator.labs.live import HOST, LiveRun
from orchestrator.labs.nodes import Node

BYTES_MAX: Final = 3000
"""A connection lives for at most so many bytes in both directions; a greeting and its answer take a tenth."""
CUTS_BETWEEN_STOPS: Final = 8
STOPPED_S: Final = 0.3


class Relays:
    """One for each link of a cluster, between the two nodes."""

    def __init__(self, tasks: asyncio.TaskGroup, *, seed: int) -> None:
        self.cuts = 0
        self.stops = 0
        self._tasks = tasks
        self._chance = Random(seed)
        self._servers: dict[tuple[int, int], asyncio.Server] = {}
        self._nodes: Mapping[int, Node] = {}
        self._stopped: list[asyncio.subprocess.Process] = []

    async def listen(self, machines: Mapping[int, Model]) -> None:
        """Listen for the sender of every link."""
        for sender, model in machines.items():
            for recipient in model.peers:
                accept = partial(self._accept, recipient)
                self._servers[sender, recipient] = await asyncio.start_server(accept, HOST, 0)

    def lead_through(self, live: LiveRun) -> None:
        """Have the nodes of a run, which has just begun, introduced to the relays in place of each other."""

        def introduce(node: Node) -> None:
            links = {recipient: server for (sender, recipient), server in self._servers.items() if sender == node.node}
            node.tell(peers={peer: (HOST, server.sockets[0].getsockname()[1]) for peer, server in links.items()})

        self._nodes = live._nodes
        live._introduce = introduce  # type: ignore[method-assign]

    def close(self) -> None:
        """Listen no more; what is connected ends with its nodes, and a node that is still stopped is killed."""
        for server in self._servers.values():
            server.close()
        for process in self._stopped:
            with suppress(ProcessLookupError):
                process.kill()

    def _accept(self, recipient: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.create_task(self._pass_on(recipient, reader, writer))

    async def _pass_on(self, recipient: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, both ways, until one end closes or there has been enough."""
        try:
            there_reader, there_writer = await asyncio.open_connection(HOST, self._nodes[recipient].port)
        except OSError:
            writer.close()  # The model has it down.
            return
        left, is_abrupt = self._chance.randint(0, BYTES_MAX), self._chance.random() < 0.5

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            nonlocal left
            with suppress(OSError):
                while left and (data := (await source.read(left))[:left]):
                    left -= len(data)
                    target.write(data)
            for one in (writer, there_writer):
                one.close()
                if is_abrupt and not left:
                    one.transport.abort()  # What is under way is lost.

        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))
        if not left:
            self._count_a_cut()

    def _count_a_cut(self) -> None:
        self.cuts += 1
        if self.cuts % CUTS_BETWEEN_STOPS == 0:
            process = self._chance.choice(list(self._nodes.values()))._process
            with suppress(ProcessLookupError):  # It has ended, or the model has it down.
                process.send_signal(signal.SIGSTOP)
                self.stops += 1
                self._stopped.append(process)
                asyncio.get_running_loop().call_later(STOPPED_S, self._resume, process)

    def _resume(self, process: asyncio.subprocess.Process) -> None:
        self._stopped.remove(process)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
