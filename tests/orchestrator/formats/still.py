"""Still more logs, with what misleads: indexes, ticks, durations, summaries, files that are none."""

import json
from typing import Any

from tests.orchestrator.formats.dialect import Files, dialect, letter, lines, per_machine, word
from tests.orchestrator.formats.prose import both
from tests.orchestrator.formats.world import Happened, World


@dialect("clock, stamp, from, to, queue, time", name=lambda n: f"h{n}", unit_ns=1000)
def many_short_columns(world: World) -> Files:
    rows = ["seq,host,ts,lts,op,peer,mlts,depth"]
    for place, e in enumerate(world.events):
        peer = f"h{e.sender}" if e.sender else "*" if e.is_all else f"h{e.to[0]}" if e.to else ""
        rows.append(f"{place},h{e.n},{e.epoch_ns / 1e9:.6f},{e.clock},{e.kind},{peer},{e.stamp or ''},{e.queue}")
    return {"all.csv": "\n".join(rows) + "\n"}


@dialect("clock, stamp, from, to, time", name=letter)
def timestamps_that_are_logical(world: World) -> Files:
    def line(e: Happened) -> str:
        to = "all" if e.is_all else letter(e.to[0]) if e.to else ""
        return f"{e.wall:%H:%M:%S}.{e.wall.microsecond // 1000:03d};{letter(e.n)};{e.kind};{e.clock};{e.stamp or ''};{letter(e.sender) if e.sender else ''};{to}"

    return {"log.csv": "time;node;event;timestamp;received_timestamp;from;to\n" + lines(world, line)}


@dialect("clock, stamp, from, to, time", name=lambda n: f"n{n}")
def elastic_objects(world: World) -> Files:
    def line(e: Happened) -> str:
        lamport = {"local": e.clock} | ({"received": e.stamp} if e.sender else {})
        action = {"internal": "internal-step", "send": "message-sent", "receive": "message-received"}[e.kind]
        record: dict[str, Any] = {
            "@timestamp": e.iso("milliseconds", "T") + "Z",
            "host": {"name": f"n{e.n}", "ip": f"10.0.0.{e.n}"},
            "event": {"action": action, "sequence": e.index},
            "lamport": lamport,
        }
        if e.sender:
            record["peer"] = {"name": f"n{e.sender}"}
        if e.to:
            record["peer"] = {"name": "all" if e.is_all else f"n{e.to[0]}"}
        return json.dumps(record)

    return {"filebeat.ndjson": lines(world, line)}


@dialect("clock, from, to", name=str)
def single_letters(world: World) -> Files:
    def line(e: Happened) -> str:
        more = {
            "internal": "",
            "send": f" d={'*' if e.is_all else e.to[0] if e.to else ''}",
            "receive": f" s={e.sender}",
        }
        return f"n={e.n} c={e.clock} e={e.kind}{more[e.kind]}"

    return {"x.log": lines(world, line)}


@dialect("ids, time", name=word)
def traces_and_offsets(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{e.iso('milliseconds', 'T')}Z app={word(e.n)} trace={e.id // 3:05x}"
        return {
            "internal": f"{head} action=flush took={e.index % 9}ms",
            "send": f"{head} action=produce topic=t key=k{e.id:05d} bytes={100 + e.id % 50}",
            "receive": f"{head} action=consume topic=t key=k{e.id:05d} lag={e.queue}",
        }[e.kind]

    return {"stream.log": lines(world, line)}


@dialect("clock, stamp, from, to, queue", name=str)
def bars_and_ticks(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "internal event",
            "send": f"sent msg to {both(e, f'Machine {e.to[0] if e.to else 0}', 'all machines')}",
            "receive": f"received msg from Machine {e.sender} with LC={e.stamp}",
        }[e.kind]
        return f"Machine {e.n} (port {50050 + e.n}) | tick {e.index} | LC={e.clock} | {what} | queue={e.queue}"

    return {"run.txt": lines(world, line)}


@dialect("clock, stamp, from, to, time, queue-at-receives", name=letter)
def long_sentences(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"At system time {e.s:.3f} machine {letter(e.n)}'s logical clock reads {e.clock} after "
        return (
            head
            + {
                "internal": "an internal event.",
                "send": f"sending a message to {both(e, f'machine {letter(e.to[0] if e.to else 1)}', 'both other machines')}.",
                "receive": f"receiving a message from machine {letter(e.sender)} sent at {e.stamp}. "
                f"{e.queue} messages remain in its queue.",
            }[e.kind]
        )

    return {"story.txt": lines(world, line)}


@dialect("clock, stamp, from, to", name=letter)
def pictures_and_arrows(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"⚙ [{e.clock}] {letter(e.n)}",
            "send": f"📤 [{e.clock}] {letter(e.n)} → {', '.join(map(letter, e.to))}",
            "receive": f"📨 [{e.clock}] {letter(e.n)} ← {letter(e.sender)} ({e.stamp})",
        }[e.kind]

    return {"emoji.log": lines(world, line)}


@dialect("clock, stamp, from, to", name=lambda n: f"node{n}")
def default_python_logging(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"INFO:node{e.n}:"
            + {
                "internal": f"internal, now {e.clock}",
                "send": f"send to {both(e, f'node{e.to[0] if e.to else 0}', 'all')}, now {e.clock}",
                "receive": f"recv {e.stamp} from node{e.sender}, now {e.clock}",
            }[e.kind]
        )

    return {"out.log": "INFO:root:starting 3 nodes\n" + lines(world, line) + "INFO:root:done\n"}


@dialect("clock, stamp, from, to, ids", name=lambda n: f"P{n}")
def printf(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"P{e.n} EXEC clk={e.clock}",
            "send": f"P{e.n} SEND m{e.id} to {' '.join(f'P{t}' for t in e.to)} clk={e.clock}",
            "receive": f"P{e.n} RECV m{e.id} from P{e.sender} [ts {e.stamp}] clk={e.clock}",
        }[e.kind]

    return {"a.out.txt": lines(world, line)}


@dialect("vector, from, ids, to", name=lambda n: f"n{n}")
def vectors_with_spaces(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"[{' '.join(map(str, e.vector))}] n{e.n} "
            + {
                "internal": "local",
                "send": f"send m{e.id} to {','.join(f'n{t}' for t in e.to)}",
                "receive": f"recv m{e.id} from n{e.sender}",
            }[e.kind]
        )

    return {"vectors.log": lines(world, line)}


@dialect("vector, from, to, time", name=str, nodes=4)
def vectors_in_angles(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "internal event",
            "send": f"sent message to {both(e, f'process {e.to[0] if e.to else 0}', 'everyone')}",
            "receive": f"received message from process {e.sender}",
        }[e.kind]
        return f"{e.wall:%H:%M:%S}.{e.wall.microsecond // 1000:03d} {what}; VC = <{','.join(map(str, e.vector))}>"

    return per_machine(world, lambda n: f"process{n}.log", line)


@dialect("vector, time", name=lambda n: f"svc-{letter(n).lower()}")
def one_line_and_a_time(world: World) -> Files:
    def line(e: Happened) -> str:
        vector = {f"svc-{letter(n).lower()}": count for n, count in zip(world.machines, e.vector, strict=True) if count}
        what = {"internal": "flush cache", "send": "send request", "receive": "receive request"}[e.kind]
        return f"{e.iso('milliseconds', 'T')} svc-{letter(e.n).lower()} {json.dumps(vector)} {what}"

    return {"shiviz.log": lines(world, line)}


@dialect("clock, from, to, time, queue-at-receives", name=lambda n: f"VM{n}")
def titles_with_spaces(world: World) -> Files:
    def line(e: Happened) -> str:
        info = {
            "internal": "",
            "send": f"to {both(e, f'VM{e.to[0] if e.to else 0}', 'all')}",
            "receive": f"from VM{e.sender}",
        }
        queue = str(e.queue) if e.sender else "N/A"
        return f"{e.kind.upper()}\t{e.iso('microseconds')}\t{e.clock}\t{queue}\t{info[e.kind]}"

    head = "Event Type\tSystem Time\tLogical Clock Time\tQueue Length\tInfo\n"
    return per_machine(world, lambda n: f"VM{n}_log.tsv", line, head)


@dialect("clock, stamp, from, to, time", name=str)
def numbered_lines(world: World) -> Files:
    def text(n: int) -> str:
        rows = []
        for place, e in enumerate(world.of(n), 1):
            what = {
                "internal": "internal event",
                "send": f"sending to {both(e, str(e.to[0] if e.to else 0), 'all')}",
                "receive": f"received from {e.sender} (clock {e.stamp})",
            }[e.kind]
            rows.append(f"{place:04d} [{e.s:.3f}] {what}, clock is {e.clock}")
        return "\n".join(rows) + "\n"

    return {f"node_{n}.log": text(n) for n in world.machines}


@dialect("clock, stamp, queue-at-receives, to, time", name=str)
def files_that_are_no_logs(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "INTERNAL",
            "send": f"SEND to {both(e, str(e.to[0] if e.to else 0), 'BOTH')}",
            "receive": f"RECEIVE sent at {e.stamp}, queue {e.queue}",
        }[e.kind]
        return f"{e.epoch_ns / 1e9:.3f} {what} [{e.clock}]"

    logs = {f"exp{run}/machine{n}.log": lines(world, line, n) for run in (1, 2) for n in world.machines}
    return {
        **logs,
        "exp1/config.json": json.dumps({"machines": 3, "rates": [2, 3, 5], "seed": 4}, indent=2),
        "exp1/summary.txt": "Average jump: 1.4\nMaximum queue: 7\nThe end\n",
        "exp2/summary.txt": "Average jump: 1.9\nMaximum queue: 3\nThe end\n",
        "README.md": "# Logs\n",
    }


@dialect("clock, stamp, from, to", name=lambda n: f"10.0.0.{n}")
def addresses_of_files(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"lamport {e.clock}: computation",
            "send": f"lamport {e.clock}: message to {both(e, f'10.0.0.{e.to[0] if e.to else 0}', 'all peers')} sent",
            "receive": f"lamport {e.clock}: message from 10.0.0.{e.sender} received (its lamport was {e.stamp})",
        }[e.kind]

    return per_machine(world, lambda n: f"10.0.0.{n}.log", line)


@dialect("clock, stamp, from, to", name=str)
def mutual_exclusion(world: World) -> Files:
    messages = ("REQUEST", "REPLY", "RELEASE")

    def line(e: Happened) -> str:
        message = messages[e.id % 3]
        return (
            f"[process {e.n}] "
            + {
                "internal": f"enters critical section (clock={e.clock})",
                "send": f"sends {message} to {both(e, str(e.to[0] if e.to else 0), 'all')} (clock={e.clock})",
                "receive": f"receives {message} from {e.sender}, timestamp={e.stamp} (clock={e.clock})",
            }[e.kind]
        )

    return {"mutex.log": lines(world, line)}


@dialect("clock, stamp, from, to, time", name=lambda n: f"node-{3 * n:x}f{n}a")
def upper_case_events(world: World) -> Files:
    def name(n: int) -> str:
        return f"node-{3 * n:x}f{n}a"

    def line(e: Happened) -> str:
        kind = {"internal": "STATE_CHANGED", "send": "MESSAGE_SENT", "receive": "MESSAGE_RECEIVED"}[e.kind]
        more = {
            "internal": "",
            "send": f" target_node={'ALL' if e.is_all else name(e.to[0]) if e.to else ''}",
            "receive": f" source_node={name(e.sender)} source_time={e.stamp}",
        }[e.kind]
        return f"ts={e.epoch_ns // 1_000_000} event_type={kind} node={name(e.n)} logical_time={e.clock}{more}"

    return {"cluster.log": lines(world, line)}


@dialect("clock, stamp, queue-at-receives, to, from", name=str)
def summaries_between(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"internal event, clock={e.clock}",
            "send": f"sent to {both(e, str(e.to[0] if e.to else 0), 'all')}, clock={e.clock}",
            "receive": f"received {e.stamp} from {e.sender}, clock={e.clock}, queue={e.queue}",
        }[e.kind]
        rest = f"\n--- {e.index} events so far, clock {e.clock}, queue {e.queue} ---" if e.index % 10 == 0 else ""
        return f"machine {e.n}: {what}{rest}"

    return per_machine(world, lambda n: f"m{n}.log", line)


@dialect("clock, stamp, to, from, time", name=lambda n: f"n{n}")
def a_line_for_the_clock(world: World) -> Files:
    def line(e: Happened) -> str:
        time = f"{e.wall:%H:%M:%S},{e.wall.microsecond // 1000:03d}"
        what = {
            "internal": f"internal event at {e.clock}",
            "send": f"message sent to {both(e, f'n{e.to[0] if e.to else 0}', 'all')} at {e.clock}",
            "receive": f"message from n{e.sender} (ts={e.stamp}) delivered at {e.clock}",
        }[e.kind]
        rest = f"\n{time} DEBUG n{e.n} clock is now {e.clock}" if e.sender else ""
        return f"{time} INFO n{e.n} {what}{rest}"

    return {"debug.log": lines(world, line)}


@dialect("clock, stamp, from, to, queue, time", name=str)
def a_list_in_an_object(world: World) -> Files:
    def line(e: Happened) -> str:
        record: dict[str, Any] = {"i": e.index, "node": e.n, "t": round(e.s, 3), "op": e.kind[0].upper(), "lc": e.clock}
        record |= {"to": list(e.to)} if e.to else {}
        record |= {"msg": {"from": e.sender, "lc": e.stamp}} if e.sender else {}
        return json.dumps(record | {"q": e.queue})

    return per_machine(world, lambda n: f"log-{n}.jsonl", line)


@dialect("clock, from, to, stamp, time", name=lambda n: f"vm-{n}")
def copies_of_files(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"INTERNAL clock={e.clock}",
            "send": f"SEND clock={e.clock} to={both(e, f'vm-{e.to[0] if e.to else 0}', 'all')}",
            "receive": f"RECEIVE clock={e.clock} from=vm-{e.sender} sent={e.stamp}",
        }[e.kind]
        return f"{e.iso('milliseconds', 'T')} vm-{e.n} {what}"

    return {f"output ({n}).txt": lines(world, line, n) for n in world.machines}


@dialect("clock, queue-at-receives, time", name=str)
def nothing_of_peers(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {"internal": "internal", "send": "send", "receive": f"receive (queue: {e.queue})"}[e.kind]
        return f"{e.epoch_ns / 1e9} {what} {e.clock}"

    return per_machine(world, lambda n: f"log_machine_{n}.txt", line)
