"""Logs in which machines are called by addresses, in which numbers stand side by side, and that chat between events."""

import json
from typing import Any

from tests.orchestrator.formats.dialect import Files, dialect, letter, lines, per_machine
from tests.orchestrator.formats.prose import both
from tests.orchestrator.formats.world import Happened, World


@dialect("clock, stamp, from, to, time, queue-at-receives", name=str, unit_ns=1_000_000)
def ports_as_peers(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{e.iso()} INTERNAL clock={e.clock}",
            "send": f"{e.iso()} SEND to={'all' if e.is_all else 5000 + e.to[0] if e.to else 0} clock={e.clock}",
            "receive": f"{e.iso()} RECEIVE from={5000 + e.sender} ts={e.stamp} clock={e.clock} queue={e.queue}",
        }[e.kind]

    return {
        f"machine{n}.log": f"listening on port {5000 + n}\nticks: {n + 1}\n" + lines(world, line, n)
        for n in world.machines
    }


@dialect("clock, stamp, from, to, time", name=letter, unit_ns=1_000_000)
def addresses_for_letters(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{e.s:.3f} internal L{e.clock}",
            "send": f"{e.s:.3f} sent to {'everyone' if e.is_all else f'10.0.0.{e.to[0]}:9000' if e.to else 0} L{e.clock}",
            "receive": f"{e.s:.3f} got L{e.stamp} from 10.0.0.{e.sender}:9000 L{e.clock}",
        }[e.kind]

    return {
        f"vm_{letter(n)}.log": f"vm {letter(n)} bound to 10.0.0.{n}:9000\n" + lines(world, line, n) + "bye\n"
        for n in world.machines
    }


@dialect("clock, stamp, from, to, time, queue", name=str, unit_ns=1_000_000)
def many_numbers_in_columns(world: World) -> Files:
    def line(e: Happened) -> str:
        return f"{e.index},{e.epoch_ns // 1_000_000},{e.n},{e.kind},{'' if not e.to else ';'.join(map(str, e.to))},{e.sender or ''},{e.stamp if e.sender else ''},{e.clock},{e.queue},{e.index % 10 + 1}"

    return {
        "all.csv": "seq,ts_ms,machine_id,event_type,recipients,sender,received_clock,local_clock,queue_size,die\n"
        + lines(world, line)
    }


@dialect("clock, stamp, from, to, time, ids", name=lambda n: f"node{n}", unit_ns=1_000_000)
def json_with_hash_comments(world: World) -> Files:
    def rec(e: Happened) -> str:
        d: dict[str, Any] = {
            "time": e.iso("milliseconds", "T") + "Z",
            "node": f"node{e.n}",
            "kind": {"internal": "LOCAL", "send": "SEND", "receive": "RECEIVE"}[e.kind],
            "lamport": e.clock,
        }
        if e.to:
            d |= {"dst": [f"node{t}" for t in e.to], "msgId": f"{e.n}-{e.seq}"}
        if e.sender:
            d |= {"src": f"node{e.sender}", "msgId": f"{e.sender}-{e.seq}", "msgLamport": e.stamp}
        return json.dumps(d)

    return per_machine(
        world,
        lambda n: f"out/node{n}.jsonl",
        rec,
        "# node log, JSON lines\n" + '{"kind": "META", "version": 3, "config": {"rate": 4, "peers": ["a", "b"]}}\n',
        '# closed\n{"kind": "META", "events": 100, "lamport": 999}\n',
    )


@dialect("clock, stamp, from, time", name=str, unit_ns=1_000_000_000)
def sentences_with_asides(world: World) -> Files:
    def line(e: Happened) -> str:
        aside = "    (nobody had written)\n" if e.kind == "internal" and e.index % 5 == 0 else ""
        return {
            "internal": f"At {e.wall:%H:%M:%S} machine {e.n} did something on its own; its clock shows {e.clock}.",
            "send": f"At {e.wall:%H:%M:%S} machine {e.n} sent its clock away; its clock shows {e.clock}.",
            "receive": f"At {e.wall:%H:%M:%S} machine {e.n} received {e.stamp} from machine {e.sender}; its clock shows {e.clock}.",
        }[e.kind] + ("\n" + aside.rstrip("\n") if aside else "")

    return {"diary.txt": "The diary of three machines\n===========================\n\n" + lines(world, line)}


@dialect("clock, stamp, from, to, queue-at-receives, time", name=letter, unit_ns=1_000_000)
def tuple_reprs(world: World) -> Files:
    def line(e: Happened) -> str:
        return str(
            (
                round(e.s, 3),
                letter(e.n),
                e.kind,
                e.clock,
                [letter(t) for t in e.to] if e.to else None,
                letter(e.sender) if e.sender else None,
                e.stamp if e.sender else None,
                e.queue if e.sender else None,
            )
        )

    return {"events.txt": lines(world, line)}


@dialect("clock, stamp, from, to, time, queue-at-receives", name=lambda n: f"node{n}", unit_ns=1_000_000)
def before_and_after(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{e.iso()} [node{e.n}]"
        return {
            "internal": f"{head} local op: {e.before} => {e.clock}",
            "send": f"{head} msg out to {both(e, f'node{e.to[0]}' if e.to else '', 'all')}: {e.before} => {e.clock}",
            "receive": f"{head} msg in from node{e.sender} (clock {e.stamp}): {e.before} => {e.clock}, inbox {e.queue}",
        }[e.kind]

    return per_machine(world, lambda n: f"node{n}.out", line, "== node ready ==\nclock = 0\n", "== node done ==\n")


@dialect("clock, stamp, from, to, time", name=lambda n: f"Machine{n}", unit_ns=1_000_000)
def key_values_over_lines(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"--- {e.iso()} ---\nmachine = Machine{e.n}\naction = {e.kind}\n"
            + (f"to = {', '.join(f'Machine{t}' for t in e.to)}\n" if e.to else "")
            + (f"from = Machine{e.sender}\nreceived = {e.stamp}\n" if e.sender else "")
            + f"clock = {e.clock}\n"
        )

    return {"all.txt": "settings: 3 machines\n\n" + lines(world, line)}


@dialect("clock, stamp, from, to, time", name=lambda n: f"VM-{n}", unit_ns=1_000_000)
def retries_and_acks(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{e.iso()} VM-{e.n}"
        more = (
            f"{head} connection to VM-{e.n % 3 + 1} lost, retrying in {e.index} ms\n{head} reconnected to VM-{e.n % 3 + 1}\n"
            if e.index % 21 == 0
            else ""
        )
        return (
            more
            + {
                "internal": f"{head} internal event ({e.clock})",
                "send": f"{head} sent message to {both(e, f'VM-{e.to[0]}' if e.to else '', 'all')} ({e.clock})",
                "receive": f"{head} received message from VM-{e.sender} [{e.stamp}] ({e.clock})",
            }[e.kind]
        )

    head = "".join(f"2024-02-12 09:41:07.000 VM-{n} waiting for connections on port 60{n}\n" for n in world.machines)
    return {"sim.log": head + lines(world, line)}


@dialect("clock, stamp, from, to, time", name=lambda n: ("alpha", "beta", "gamma")[n - 1], unit_ns=1_000_000)
def words_as_names(world: World) -> Files:
    names = ("alpha", "beta", "gamma")

    def line(e: Happened) -> str:
        return (
            f"[{e.s:8.3f}] "
            + {
                "internal": f"{names[e.n - 1]}: internal event, lamport {e.clock}",
                "send": f"{names[e.n - 1]}: broadcast to {' and '.join(names[t - 1] for t in e.to)}, lamport {e.clock}"
                if e.is_all
                else f"{names[e.n - 1]}: unicast to {names[e.to[0] - 1] if e.to else ''}, lamport {e.clock}",
                "receive": f"{names[e.n - 1]}: delivery from {names[e.sender - 1]} ({e.stamp}), lamport {e.clock}",
            }[e.kind]
        )

    head = "".join(
        f"[   0.000] {x}: starting at {r} Hz\n[   0.001] {x}: peers are {', '.join(y for y in names if y != x)}\n"
        for r, x in enumerate(names, 2)
    )
    tail = "[  25.000] alpha: stopping, 33 sent, 40 received\n[  25.000] beta: stopping, 33 sent, 40 received\n[  25.000] gamma: stopping, 33 sent, 40 received\nall done\n"
    return {"run.log": head + lines(world, line) + tail}


@dialect("clock, stamp, from, to, time, queue", name=str, unit_ns=1_000_000)
def json_array_like(world: World) -> Files:
    def rec(e: Happened) -> str:
        return (
            "  "
            + json.dumps(
                {
                    "id": e.n,
                    "ev": {"internal": "I", "send": "S", "receive": "R"}[e.kind],
                    "lc": e.clock,
                    "t": round(e.s, 3),
                    "to": list(e.to),
                    "frm": e.sender or None,
                    "ts": e.stamp if e.sender else None,
                    "q": e.queue,
                }
            )
            + ","
        )

    return {"trace.json": "[\n" + lines(world, rec).rstrip(",\n") + "\n]\n"}


@dialect("clock, from, to, ids, time", name=lambda n: f"site{n}", unit_ns=1_000_000)
def mutex_messages(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{e.iso()} site{e.n} [T={e.clock}] enters critical section"
            if e.index % 2
            else f"{e.iso()} site{e.n} [T={e.clock}] leaves critical section",
            "send": f"{e.iso()} site{e.n} [T={e.clock}] SEND REQUEST #{e.id} to {', '.join(f'site{t}' for t in e.to)}",
            "receive": f"{e.iso()} site{e.n} [T={e.clock}] RECV REQUEST #{e.id} from site{e.sender}",
        }[e.kind]

    return {"mutex.log": "ricart-agrawala, 3 sites\n" + lines(world, line) + "no deadlock\n"}
