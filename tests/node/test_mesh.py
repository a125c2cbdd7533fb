"""What the mesh knows of a connection, also once it is gone."""

import asyncio
from contextlib import suppress

import pytest
import uvloop

from node.mesh import Wire

LOOPBACK = "127.0.0.1"


@pytest.mark.parametrize("new_event_loop", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def test_whose_a_connection_was_is_known_when_it_is_gone(new_event_loop: object) -> None:
    """A peer that resets it is complained of by its host; of one that was never seen alive nothing is known."""

    async def hosts() -> tuple[str, str]:
        def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        async with await asyncio.start_server(reset, LOOPBACK, 0) as server, asyncio.TaskGroup() as tasks:
            reader, writer = await asyncio.open_connection(LOOPBACK, server.sockets[0].getsockname()[1])
            before = Wire(reader, writer, tasks, wake=lambda: None)
            with suppress(OSError):
                await reader.read()
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()
            return before.host, Wire(reader, writer, tasks, wake=lambda: None).host

    with asyncio.Runner(loop_factory=new_event_loop) as runner:  # type: ignore[arg-type]
        assert (LOOPBACK, "somewhere") == runner.run(hosts())
