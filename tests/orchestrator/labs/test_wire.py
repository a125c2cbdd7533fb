"""A live cluster whose every connection leads through a proxy: however bad the wire, no event differs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, nullcontext
from pathlib import Path
from random import Random
from typing import Final

import pytest

from node.liveness import DEAD_S, PING_S
from node.record import Line
from orchestrator.labs.live import HOST, LiveRun, run_live
from orchestrator.labs.nodes import Node
from orchestrator.labs.outcome import Outcome
from orchestrator.rundir import Run
from tests.at_risk import percentile
from tests.clusters import cluster
from tests.live_runs import DEADLINE_S, busy_loops, judged, until
from tests.orchestrator.labs.test_kills import begun, logs_of
from tests.promises import record
from tests.proxy import Proxy

pytestmark = pytest.mark.live

Link = tuple[int, int]
SOON_S = 2.0
"""Within this a half-open connection is found, and after healing the run is on time again."""


class Wires:
    """A proxy for each link of a cluster; they are made when the nodes' ports are known."""

    def __init__(self) -> None:
        self.stack = AsyncExitStack()
        self.proxies: dict[Link, Proxy] = {}

    @contextmanager
    def between(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Have nodes introduced to each other by the addresses of proxies."""

        def introduce(live: LiveRun, node: Node) -> None:
            asyncio.get_running_loop().create_task(self._introduce(live, node))

        monkeypatch.setattr(LiveRun, "_introduce", introduce)
        yield
        monkeypatch.undo()

    async def _introduce(self, live: LiveRun, node: Node) -> None:
        peers = live._machines[node.node].peers
        for peer in peers:
            if (node.node, peer) not in self.proxies:
                proxy = Proxy(live._nodes[peer].port)
                self.proxies[node.node, peer] = await self.stack.enter_async_context(proxy)
        node.tell(peers={peer: (HOST, self.proxies[node.node, peer].port) for peer in peers})


async def pass_s(span_s: float) -> None:
    """Return when so much time has passed: a fault of the wire has a length."""
    end_s = time.monotonic() + span_s
    await until(lambda: time.monotonic() >= end_s)


def live_by_proxy(
    directory: Path,
    seconds: float,
    mischief: Callable[[Wires], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    delay_ms: int = 0,
) -> Outcome:
    """Run three machines at exact, with some mischief on the wires between them."""
    machines, wires = cluster(3, seconds=seconds, rates=(3, 8), delay_ms=delay_ms), Wires()

    async def trouble() -> None:
        await until(lambda: all(begun(directory, node, lines=2) for node in machines))
        await mischief(wires)

    async def run() -> Outcome:
        async with wires.stack, asyncio.timeout(DEADLINE_S + seconds), asyncio.TaskGroup() as tasks:
            beside = tasks.create_task(trouble())
            outcome = await run_live(Run(directory), machines, name="live", pace="exact")
            beside.cancel()
        return outcome

    with wires.between(monkeypatch):
        outcome = asyncio.run(run())
    _, report, fidelity = judged(directory, machines)

    assert (None, {}, "valid", 1.0) == (outcome.failure, outcome.restarts, report.verdict, fidelity)
    return outcome


def lost_ns(lines: list[Line], peer: int, since_ns: int) -> int:
    """Return when a machine gave up its connection to a peer, first of all since then; Unix ns."""
    return min(
        line["wall"]
        for line in lines
        if line["event"] == "link" and (line["peer"], line["direction"], line["state"]) == (peer, "to", "down")
        if line["wall"] >= since_ns
    )


def on_time_ns(lines: list[Line], since_ns: int) -> int:
    """Return when a machine first executed a tick in time again, since then; Unix ns."""
    epoch_ns = next(line["epoch_ns"] for line in lines if line["event"] == "start")
    return min(
        line["wall"]
        for line in lines
        if line["event"] in ("internal", "send", "receive")
        if since_ns <= line["wall"] <= epoch_ns + line["due_ns"] + 100_000_000
    )


BAD: Final = ({"delay_s": 0.03}, {"bytes_s": 5000.0}, {"piece_bytes": 1}, {}, {"delay_s": 0.01, "piece_bytes": 7}, {})
FAIR: Final = ({"delay_s": 0.03}, {"bytes_s": 20000.0}, {"piece_bytes": 1}, {}, {"delay_s": 0.01}, {})
"""How slow each of the six links is. In bad weather no run can be on time, whose model has no delay; in fair weather
it is on time if its model's delay is some of theirs."""


def give(weather: Iterable[Mapping[str, float]], wires: Wires) -> None:
    """Give each link its own way to be slow."""
    for (_, proxy), way in zip(sorted(wires.proxies.items()), weather, strict=True):
        for name, value in way.items():
            setattr(proxy, name, value)


def test_a_bad_wire_leaves_no_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delayed, throttled, crumbled, cut, flapping, one-way and half-open: fidelity exactly 1."""
    silenced_ns: list[int] = []

    async def mischief(wires: Wires) -> None:
        give(BAD, wires)
        for _ in range(5):
            wires.proxies[2, 1].is_shut = not wires.proxies[2, 1].is_shut
            for link in ((1, 2), (2, 1)):
                wires.proxies[link].cut()
            await pass_s(0.15)
        wires.proxies[2, 1].is_shut = False
        silenced_ns.append(time.time_ns())
        wires.proxies[2, 3].silent = frozenset({"there", "back"})
        wires.proxies[3, 1].silent = frozenset({"back"})
        await pass_s(1.5 * SOON_S)
        for proxy in wires.proxies.values():
            proxy.silent = frozenset()

    live_by_proxy(tmp_path, 6, mischief, monkeypatch)
    logs = logs_of(tmp_path)
    found_s = [(lost_ns(logs[a], b, silenced_ns[0]) - silenced_ns[0]) / 1e9 for a, b in ((2, 3), (3, 1))]
    record("a bad wire", "test", "silent connections given up after " + " and ".join(f"{s:.2f} s" for s in found_s))


@pytest.mark.soak
@pytest.mark.parametrize("load", [False, True], ids=["quiet", "beside busy loops"])
def test_half_open_connections_are_found_and_healed(
    load: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Takes 3 minutes each: found within 2 s, on time within 2 s of healing, both p95 of 24; also beside busy loops."""
    chance, silences = Random(1), list[tuple[Link, int, int]]()

    async def mischief(wires: Wires) -> None:
        give(FAIR, wires)
        links = sorted(wires.proxies)
        for number in range(24):
            link = links[number % len(links)]
            began_ns = time.time_ns()
            wires.proxies[link].silent = frozenset(
                {"there", "back"} if number % 2 else {chance.choice(("there", "back"))}
            )
            await pass_s(3)
            wires.proxies[link].silent = frozenset()
            silences.append((link, began_ns, time.time_ns()))
            await pass_s(3.5)

    with busy_loops() if load else nullcontext():
        live_by_proxy(tmp_path, 165, mischief, monkeypatch, delay_ms=100)
    logs = logs_of(tmp_path)
    found_s = [(lost_ns(logs[a], b, began_ns) - began_ns) / 1e9 for (a, b), began_ns, _ in silences]
    healed_s = [
        (max(on_time_ns(lines, healed_ns) for lines in logs.values()) - healed_ns) / 1e9 for *_, healed_ns in silences
    ]
    figure = (
        f"{len(silences)} silences: found in {percentile(found_s, 0.95):.2f} s, "
        f"on time {percentile(healed_s, 0.95):.2f} s after healing (p95)"
    )
    print(figure)

    assert len(silences) >= 20
    assert DEAD_S - 2 * PING_S <= min(found_s)  # The last word was heard before it fell silent.
    assert load or percentile(found_s, 0.95) <= SOON_S
    assert load or percentile(healed_s, 0.95) <= SOON_S
    record("half-open beside busy loops" if load else "half-open", "soak", figure)
