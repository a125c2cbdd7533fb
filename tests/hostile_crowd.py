"""A crowd that wishes a run ill: connections that say nothing, noise, or what no node would say.

`python -m tests.hostile_crowd SEED COUNT PORT…` is a process of its own, so that what it does costs the nodes no time.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from random import Random

from node.frame import FRAME_BYTES_MAX, encode
from node.mesh import STRANGERS_MAX
from tests.daemons import DEADLINE_S, LOOPBACK
from tests.node.test_daemon import HELLO, HOSTILE, framed

FOREIGN = HELLO.replace(b'"party"', b'"other"')
KINDS: dict[str, Callable[[Random], bytes]] = {
    "nothing": lambda _: b"",
    "noise": lambda chance: chance.randbytes(chance.randint(1, 8000)),
    "half a frame": lambda chance: HELLO[: chance.randint(1, len(HELLO) - 1)],
    "another run": lambda _: FOREIGN,
    "a crowd of pings": lambda _: encode({"type": "ping"}) * 3000,
    "a long frame": lambda _: framed(b'{"type":"ack","done":' + b"9" * 4000 + b"}"),
    "a frame too long": lambda _: (FRAME_BYTES_MAX + 1).to_bytes(4, "big") + b"{" * 5000,
    "many brackets": lambda _: framed(b"[" * 4000),
    "http": lambda _: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an epoch of nobody's": lambda _: HELLO.replace(b"null", b"%d" % 2**62),
    **{f"no greeting, {name}": lambda _, frame=frame: frame for name, frame in HOSTILE.items()},  # type: ignore[misc]
}


async def attack(port: int, chance: Random) -> None:
    """Be one hostile connection, to its end."""
    name = chance.choice(list(KINDS))
    with suppress(OSError):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            writer.write(KINDS[name](chance))
            if chance.random() < 0.5:
                writer.write_eof()
                async with asyncio.timeout(DEADLINE_S):
                    while await reader.read(4096):
                        pass
        finally:
            writer.transport.abort()


async def attack_all(ports: list[int], count: int, chance: Random) -> None:
    """Attack from many sides at once, and more often than there is room."""

    async def one_after_another() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await attack(chance.choice(ports), chance)

    left = count
    await asyncio.gather(*(one_after_another() for _ in range(2 * STRANGERS_MAX)))


if __name__ == "__main__":
    asyncio.run(attack_all([int(port) for port in sys.argv[3:]], int(sys.argv[2]), Random(int(sys.argv[1]))))
