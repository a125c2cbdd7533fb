"""The wire: messages a second through frame, link and loopback, validated and reliable.

Both ends are tasks of one loop (uvloop) in every row, so that the CPU of a message is that of both its ends.
Peers: plain streams, with the same codec and with json, and raw bytes. The plain ones only deliver what ours also
validates, numbers, keeps until it is acknowledged, and makes into messages.
"""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from node.frame import ROWS_MAX
from node.run import new_event_loop  # type: ignore[attr-defined]  # uvloop's, or asyncio's where there is none
from tests.bench import ways
from tests.bench.figures import AtLeast, Bench, Row, Sample, Stopwatch, interleave, per_second, ratio, row
from tests.bench.table import table
from tests.bench.ways import Way

MESSAGES, MESSAGES_QUICK = 40_000, 300
HOST = "127.0.0.1"
SECONDS_MAX = 60


def run(rounds: int, quick: bool) -> list[Row]:
    """Return messages a second of every way, and how many times as fast as its peers ours is."""
    count = MESSAGES_QUICK if quick else MESSAGES
    sent = ways.messages(count)
    contenders: dict[str, Callable[[], Sample]] = {
        name: partial(_time, way, count)
        for name, way in {
            f"ours, {ROWS_MAX} messages a turn": ways.ours(sent),
            "ours, 1 message a turn": ways.ours(sent, rows_per_turn=1),
            "plain streams, same codec": ways.plain(sent, ways.OURS),
            "plain streams, json": ways.plain(sent, ways.JSON),
            "plain, same codec, gathered": ways.plain(sent, ways.OURS, is_gathered=True),
            "raw bytes": ways.raw(sent),
        }.items()
    }
    samples = interleave(contenders, rounds)
    full, single, same_codec, json, gathered, raw = samples.values()
    return [
        *(row(name, "/s", taken, per_second) for name, taken in samples.items()),
        ratio("ours : plain, same codec", full, same_codec, AtLeast(4)),
        ratio("ours : plain, json", full, json),
        ratio("ours : plain, same, gathered", full, gathered),
        ratio("ours, 1 a turn : plain, same", single, same_codec),
        ratio("ours : raw bytes", full, raw),
    ]


def _time(way: Way, count: int) -> Sample:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_bring(way, count))


async def _bring(way: Way, count: int) -> Sample:
    """Bring the messages from one end to the other; see that every one is there, once and in order."""
    accepted: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Future()
    server = await asyncio.start_server(lambda *end: accepted.set_result(end), HOST, 0)
    near = await asyncio.open_connection(*server.sockets[0].getsockname())
    far = await accepted
    with _closing(server, near[1], far[1]), _all_garbage_kept():
        stopwatch = Stopwatch()
        async with asyncio.timeout(SECONDS_MAX):
            _, received = await asyncio.gather(way.send(*near), way.receive(*far))
        sample = stopwatch.sample(count)

    assert way.expected == received
    return sample


@contextmanager
def _closing(*ends: asyncio.Server | asyncio.StreamWriter) -> Iterator[None]:
    try:
        yield
    finally:
        for end in ends:
            end.close()


@contextmanager
def _all_garbage_kept() -> Iterator[None]:
    """Switch the collector off: it would search, again and again, what is kept only to prove that it came."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


BENCH = Bench("wire", "messages through a connection, both ends on one loop", rounds=9, run=run, table=table)
