"""Logs with much beside the events: banners, echoes of a configuration, heartbeats, warnings, summaries."""

import json
from typing import Any

from tests.orchestrator.formats.dialect import Files, dialect, letter, lines, per_machine, word
from tests.orchestrator.formats.prose import both
from tests.orchestrator.formats.world import Happened, World


def clock_time(e: Happened) -> str:
    """The time of day to the millisecond."""
    return f"{e.wall:%H:%M:%S}.{e.wall.microsecond // 1000:03d}"


def everyone(e: Happened, name: str) -> str:
    """The one recipient, or all."""
    return "ALL" if e.is_all else name


@dialect("clock, stamp, from, to, time, queue-at-receives", name=letter)
def a_banner_of_rules(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"[{clock_time(e)}] "
        return {
            "internal": f"{head}INTERNAL | logical clock = {e.clock}",
            "send": f"{head}SENT to {', '.join(map(letter, e.to))} | logical clock = {e.clock}",
            "receive": f"{head}RECEIVED from {letter(e.sender)} | msg clock = {e.stamp} | queue length = {e.queue} | "
            f"logical clock = {e.clock}",
        }[e.kind]

    files = {}
    for n in world.machines:
        peers = ", ".join(letter(one) for one in world.machines if one != n)
        head = (
            f"=== VM {letter(n)} log ===\nStarted at 2024-02-12 09:41:07\nClock rate: {n + 1} instructions/second\n"
            f"Peers: {peers}\n{'=' * 25}\n\n"
        )
        files[f"vm_{letter(n)}.txt"] = (
            head + lines(world, line, n) + f"--- end of log ({len(world.of(n))} events) ---\n"
        )
    return files


@dialect("clock, stamp, from, to, time, queue", unit_ns=1000)
def tabs_and_comments(world: World) -> Files:
    def line(e: Happened) -> str:
        peer = "*" if e.is_all else str(e.to[0]) if e.to else str(e.sender) if e.sender else "-"
        kind = {"internal": "INT", "send": "SND", "receive": "RCV"}[e.kind]
        note = "# checkpoint\n" if e.index % 20 == 0 else ""
        return note + "\t".join(map(str, (f"{e.s:.6f}", kind, e.clock, peer, e.stamp if e.sender else "-", e.queue)))

    return per_machine(
        world,
        lambda n: f"node{n}.tsv",
        line,
        "# lab 2, run 7\n# columns: t kind lc peer mlc qlen\n",
        "# bye\n",
    )


@dialect("clock, stamp, from, to, time, queue", name=lambda n: f"node-{n}")
def objects_of_a_life(world: World) -> Files:
    def record(e: Happened) -> str:
        event: dict[str, Any] = {"type": {"internal": "internal", "send": "send", "receive": "recv"}[e.kind]}
        if e.to:
            event["peers"] = [f"node-{t}" for t in e.to]
        if e.sender:
            event["peer"] = f"node-{e.sender}"
            event["lamport_of_message"] = e.stamp
        one = {
            "ts": e.iso("milliseconds", "T") + "Z",
            "level": "INFO",
            "logger": f"node-{e.n}",
            "event": event,
            "lamport": e.clock,
            "queue": {"depth": e.queue},
        }
        beat = {"ts": e.iso("milliseconds", "T") + "Z", "level": "DEBUG", "logger": f"node-{e.n}", "msg": "heartbeat"}
        return json.dumps(one) + (f"\n{json.dumps(beat)}" if e.index % 9 == 0 else "")

    def start(n: int, what: str) -> str:
        return json.dumps(
            {"ts": "2024-02-12T09:41:07.000Z", "level": "INFO", "logger": f"node-{n}", "event": {"type": what}}
        )

    head = "".join(start(n, "startup") + "\n" for n in world.machines)
    return {"cluster.jsonl": head + lines(world, record)}


@dialect("ids, time", name=word)
def health_checks_between(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"ts={e.epoch_ns / 1e9:.3f} svc={word(e.n)} level=info"
        health = f"ts={e.epoch_ns / 1e9:.3f} svc={word(e.n)} level=debug action=healthcheck status=ok\n"
        return (health if e.index % 11 == 0 else "") + {
            "internal": f"{head} action=db.write rows={e.index % 4}",
            "send": f"{head} action=publish msg_id=m-{e.id * 7919 % 100003:05d} topic=events",
            "receive": f"{head} action=consume msg_id=m-{e.id * 7919 % 100003:05d} topic=events",
        }[e.kind]

    head = "".join(f"ts=1707730867.000 svc={word(n)} level=info action=boot version=1.4.{n}\n" for n in world.machines)
    return {"services.log": head + lines(world, line)}


@dialect("clock, stamp, from, to, time, queue-at-receives", name=lambda n: f"n{n}", unit_ns=1_000_000)
def calls_with_results(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"work() -> L={e.clock}",
            "send": f"send(to={'all' if e.is_all else f'n{e.to[0] if e.to else 0}'}) -> L={e.clock}",
            "receive": f"recv(from=n{e.sender}, L={e.stamp}) -> L={e.clock} q={e.queue}",
        }[e.kind]
        return f"[n{e.n}] {e.s:8.3f} {what}"

    head = "".join(f"[n{n}]    0.000 boot(rate={n + 1})\n" for n in world.machines)
    tail = "".join(f"[n{n}]   25.000 halt(sent={n * 9}, received={n * 8})\n" for n in world.machines)
    return {"out.txt": head + lines(world, line) + tail}


@dialect("vector, from, to, ids", name=lambda n: f"P{n}")
def vectors_and_a_title(world: World) -> Files:
    def line(e: Happened) -> str:
        vector = f"VC = <{', '.join(map(str, e.vector))}>"
        return {
            "internal": f"P{e.n} | local step | {vector}",
            "send": f"P{e.n} | send m{e.id} to {', '.join(f'P{t}' for t in e.to)} | {vector}",
            "receive": f"P{e.n} | recv m{e.id} from P{e.sender} | {vector}",
        }[e.kind]

    return {
        "trace.txt": "Vector clock demo, 3 processes\nall clocks start at <0, 0, 0>\n\n"
        + lines(world, line)
        + "\nDone.\n"
    }


@dialect("clock, stamp, from, to, time, queue-at-receives", name=lambda n: f"node-{n}")
def levels_and_warnings(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{e.iso().replace('.', ',')} "
        more = f"{head}[DEBUG] node-{e.n}: {e.queue} messages in queue\n" if e.index % 6 == 0 else ""
        more += (
            f"{head}[WARNING] node-{e.n}: tick took {e.index % 50} ms longer than expected\n"
            if e.index % 17 == 0
            else ""
        )
        return (
            more
            + {
                "internal": f"{head}[INFO] node-{e.n}: Internal event (lamport={e.clock})",
                "send": f"{head}[INFO] node-{e.n}: Sent message to {both(e, f'node-{e.to[0] if e.to else 0}', 'all')} (lamport={e.clock})",
                "receive": f"{head}[INFO] node-{e.n}: Received message from node-{e.sender} with lamport={e.stamp}, "
                f"queue={e.queue} (lamport={e.clock})",
            }[e.kind]
        )

    files = {}
    for n in world.machines:
        first = world.of(n)[0].iso().replace(".", ",")
        files[f"node-{n}.log"] = (
            f"{first} [INFO] node-{n}: Node node-{n} initialised with rate {n + 2}\n"
            f"{first} [INFO] node-{n}: Listening on 127.0.0.1:{5000 + n}\n"
            + lines(world, line, n)
            + f"{world.of(n)[-1].iso().replace('.', ',')} [INFO] node-{n}: Shutting down, final lamport={world.of(n)[-1].clock}\n"
        )
    return files


@dialect("clock, stamp, from, to, time", name=letter)
def threads_of_java(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{clock_time(e)} [node-{letter(e.n)}] "
        net = f"{head}TRACE d.e.Network - bytes read: {100 + e.index}\n" if e.index % 5 == 0 else ""
        return (
            net
            + {
                "internal": f"{head}DEBUG d.e.Node - Local computation, clock={e.clock}",
                "send": f"{head}INFO  d.e.Node - Message sent to {both(e, f'node-{letter(e.to[0] if e.to else 1)}', 'all nodes')}, clock={e.clock}",
                "receive": f"{head}INFO  d.e.Node - Message received from node-{letter(e.sender)} [ts={e.stamp}], clock={e.clock}",
            }[e.kind]
        )

    return {"application.log": "09:41:07.000 [main] INFO  d.e.Main - Starting 3 nodes\n" + lines(world, line)}


@dialect("clock, to, from, time", name=lambda n: f"node{n}", unit_ns=1_000_000_000)
def lines_of_syslog(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{e.wall:%b %d %H:%M:%S} lab-host node{e.n}[{4000 + e.n}]: "
        return (
            head
            + {
                "internal": f"TICK lc={e.clock}",
                "send": f"SEND dst={'all' if e.is_all else f'node{e.to[0] if e.to else 0}'} lc={e.clock}",
                "receive": f"RECV src=node{e.sender} lc={e.clock}",
            }[e.kind]
        )

    head = "Feb 12 09:41:06 lab-host systemd[1]: Started lamport lab.\n"
    return {"syslog": head + lines(world, line) + "Feb 12 09:41:40 lab-host systemd[1]: lab.service: Succeeded.\n"}


@dialect("clock, stamp, from, to, queue", name=letter)
def a_markdown_table(world: World) -> Files:
    def line(e: Happened) -> str:
        peer = "all" if e.is_all else letter(e.to[0]) if e.to else letter(e.sender) if e.sender else ""
        cells = (e.index, letter(e.n), e.kind, peer, e.stamp or "", e.clock, e.queue)
        return "| " + " | ".join(map(str, cells)) + " |"

    head = "# Trace\n\n| # | Node | Event | Peer | Msg clock | Clock | Queue |\n|---|------|-------|------|-----------|-------|-------|\n"
    return {"trace.txt": head + lines(world, line) + "\n_end of trace_\n"}


@dialect("clock, stamp, from, to, time, queue", unit_ns=1_000_000)
def aligned_columns(world: World) -> Files:
    def line(e: Happened) -> str:
        peer = "all" if e.is_all else str(e.to[0]) if e.to else str(e.sender) if e.sender else "-"
        return f"{e.s:>9.3f}  {e.kind:<9}  {e.clock:>5}  {peer:>4}  {e.stamp if e.sender else '-':>6}  {e.queue:>5}"

    head = "     time  event      clock  peer  msg_ts  queue\n---------  ---------  -----  ----  ------  -----\n"
    return per_machine(world, lambda n: f"machine{n}.log", line, head)


@dialect("clock, stamp, from, to, time, queue")
def units_in_the_header(world: World) -> Files:
    def line(e: Happened) -> str:
        details = {
            "internal": "-",
            "send": f"to {' & '.join(f'Machine {t}' for t in e.to)}",
            "receive": f"from Machine {e.sender} (logical time {e.stamp})",
        }[e.kind]
        kind = {"internal": "Internal", "send": "Send", "receive": "Receive"}[e.kind]
        return f"{e.s:.3f},{kind},{e.clock},{details},{e.queue}"

    return per_machine(
        world, lambda n: f"machine_{n}.csv", line, "Time (s),Event Type,Logical Clock,Details,Queue Size\n"
    )


@dialect("clock, stamp, from, to", name=lambda n: f"n{n}")
def terms_of_erlang(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{{n{e.n},internal,{{clock,{e.clock}}}}}.",
            "send": f"{{n{e.n},send,[{','.join(f'n{t}' for t in e.to)}],{{clock,{e.clock}}}}}.",
            "receive": f"{{n{e.n},recv,n{e.sender},{{stamp,{e.stamp}}},{{clock,{e.clock}}}}}.",
        }[e.kind]

    return {"trace.terms": "%% trace of 3 nodes\n" + lines(world, line)}


@dialect("clock, stamp, from, to, time", unit_ns=1000)
def log_of_go(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{e.wall:%Y/%m/%d %H:%M:%S.%f} node {e.n}: "
        return (
            head
            + {
                "internal": f"internal, clock {e.before} -> {e.clock}",
                "send": f"send to {'all' if e.is_all else e.to[0] if e.to else 0}, clock {e.before} -> {e.clock}",
                "receive": f"recv from {e.sender} (ts={e.stamp}), clock {e.before} -> {e.clock}",
            }[e.kind]
        )

    head = "".join(f"2024/02/12 09:41:07.000000 node {n}: up, {n + 1} ticks per second\n" for n in world.machines)
    return {"run.log": head + lines(world, line) + "2024/02/12 09:41:59.000000 all nodes stopped\n"}


@dialect("clock, stamp, from, to, time, queue-at-receives", unit_ns=1000)
def spans_of_rust(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{e.iso('microseconds', 'T')}Z  INFO node{{id={e.n}}}: lab: "
        return (
            head
            + {
                "internal": f"internal event lamport={e.clock}",
                "send": f"message sent to={'all' if e.is_all else e.to[0] if e.to else 0} lamport={e.clock}",
                "receive": f"message received from={e.sender} lamport={e.clock} stamp={e.stamp} queue_len={e.queue}",
            }[e.kind]
        )

    head = "2024-02-12T09:41:07.000001Z  INFO lab: configuration loaded path=lab.toml nodes=3\n"
    return {"lab.log": head + lines(world, line) + "2024-02-12T09:41:59.000001Z  WARN lab: runtime dropped\n"}


@dialect("clock, stamp, from, to, time, queue-at-receives", name=lambda n: "abc"[n - 1])
def logfmt_with_msg(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"time={e.iso('milliseconds', 'T')}Z level=info"
        node = "abc"[e.n - 1]
        return {
            "internal": f'{head} msg="internal event" node={node} lamport={e.clock}',
            "send": f'{head} msg="sent message" node={node} to={"all" if e.is_all else "abc"[(e.to[0] if e.to else 1) - 1]} lamport={e.clock}',
            "receive": f'{head} msg="received message" node={node} from={"abc"[e.sender - 1]} lamport={e.clock} '
            f"msg_lamport={e.stamp} backlog={e.queue}",
        }[e.kind]

    head = 'time=2024-02-12T09:41:07.000Z level=info msg="starting" nodes=3 config="lab.yaml"\n'
    return {"lab.log": head + lines(world, line) + 'time=2024-02-12T09:41:50.000Z level=info msg="all done"\n'}


@dialect("clock, stamp, from, to", name=letter)
def elements_of_xml(world: World) -> Files:
    def line(e: Happened) -> str:
        more = {
            "internal": "",
            "send": f' to="{",".join(map(letter, e.to))}"',
            "receive": f' from="{letter(e.sender)}" stamp="{e.stamp}"',
        }[e.kind]
        return f'  <event node="{letter(e.n)}" type="{e.kind}" clock="{e.clock}"{more}/>'

    return {"trace.xml": '<?xml version="1.0"?>\n<trace nodes="3">\n' + lines(world, line) + "</trace>\n"}


@dialect("clock, stamp, from, to, time, ids", name=lambda n: f"node-{letter(n).lower()}")
def actors_of_akka(world: World) -> Files:
    def node(n: int) -> str:
        return f"node-{letter(n).lower()}"

    def line(e: Happened) -> str:
        head = f"[INFO] [{clock_time(e)}] [akka://lab/user/{node(e.n)}] "
        return (
            head
            + {
                "internal": f"Internal event, my clock is now {e.clock}",
                "send": f"Sending Msg(id={e.id:04x}, clock={e.clock}) to {', '.join(map(node, e.to))}",
                "receive": f"Received Msg(id={e.id:04x}, clock={e.stamp}) from {node(e.sender)}, my clock is now {e.clock}",
            }[e.kind]
        )

    return {"akka.log": "[INFO] [09:41:07.000] [akka://lab/system] Remoting started\n" + lines(world, line)}


@dialect("clock, from, to", name=lambda n: str(n - 1))
def ranks_of_mpi(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"(rank {e.n - 1}) [{e.clock:5d}] COMPUTE",
            "send": f"(rank {e.n - 1}) [{e.clock:5d}] SEND -> {', '.join(str(t - 1) for t in e.to)}",
            "receive": f"(rank {e.n - 1}) [{e.clock:5d}] RECV <- {e.sender - 1}",
        }[e.kind]

    return {
        "mpi.out": "MPI size: 3\n" + lines(world, line) + "(rank 0) finalize\n(rank 1) finalize\n(rank 2) finalize\n"
    }


@dialect("clock, stamp, from, to, time", name=letter)
def folders_of_machines(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{e.iso()} INTERNAL clock:{e.clock}",
            "send": f"{e.iso()} SEND to:{everyone(e, letter(e.to[0] if e.to else 1))} clock:{e.clock}",
            "receive": f"{e.iso()} RECEIVE from:{letter(e.sender)} ts:{e.stamp} clock:{e.clock}",
        }[e.kind]

    return per_machine(world, lambda n: f"node-{letter(n)}/app.log", line, "log opened\n", "log closed\n")


@dialect("ids, time", name=word)
def dotted_events_and_caches(world: World) -> Files:
    def uuid(e: Happened) -> str:
        return f"{e.id * 2654435761 % 2**32:08x}-0000-4000-8000-{e.id:012x}"

    def line(e: Happened) -> str:
        head = {"time": e.iso("milliseconds", "T"), "service": word(e.n)}
        return json.dumps(
            {
                "internal": {**head, "event": "cache.hit", "key": f"k{e.index % 7}"},
                "send": {**head, "event": "msg.sent", "message": {"id": uuid(e), "bytes": 10 + e.id % 90}},
                "receive": {**head, "event": "msg.received", "message": {"id": uuid(e), "bytes": 10 + e.id % 90}},
            }[e.kind]
        )

    return {"events.ndjson": lines(world, line)}


@dialect("clock, stamp, from, to, queue", name=lambda n: f"node{n}")
def prefixes_of_compose(world: World) -> Files:
    def line(e: Happened) -> str:
        one: dict[str, Any] = {"evt": e.kind, "lc": e.clock, "q": e.queue}
        if e.to:
            one["to"] = [f"node{t}" for t in e.to]
        if e.sender:
            one |= {"from": f"node{e.sender}", "mlc": e.stamp}
        return f"node{e.n}-1  | {json.dumps(one)}"

    head = "".join(f"node{n}-1  | Python 3.11, lab 0.3\n" for n in world.machines)
    return {"compose.log": "Attaching to node1-1, node2-1, node3-1\n" + head + lines(world, line)}


@dialect("clock, stamp, from, to, queue-at-receives", name=letter)
def colours(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"\x1b[36m[{letter(e.n)}]\x1b[0m "
        return (
            head
            + {
                "internal": f"\x1b[90minternal\x1b[0m clock={e.clock}",
                "send": f"\x1b[32msent\x1b[0m to {', '.join(map(letter, e.to))} clock={e.clock}",
                "receive": f"\x1b[33mreceived\x1b[0m from {letter(e.sender)} ts={e.stamp} clock={e.clock} queue={e.queue}",
            }[e.kind]
        )

    return {"tty.log": "\x1b[1mLamport lab\x1b[0m\n" + lines(world, line)}


@dialect("clock, stamp, from, to, time, queue-at-receives")
def windows_and_prose(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{e.wall:%m/%d/%Y %I:%M:%S}.{e.wall.microsecond // 1000:03d} {e.wall:%p} - "
        return (
            head
            + {
                "internal": f"Internal event happened. Logical clock: {e.clock}",
                "send": f"Message sent to {both(e, f'Machine {e.to[0] if e.to else 0}', 'all machines')}. Logical clock: {e.clock}",
                "receive": f"Message received from Machine {e.sender}. Message clock: {e.stamp}. Queue length: {e.queue}. "
                f"Logical clock: {e.clock}",
            }[e.kind]
        )

    files = per_machine(world, lambda n: f"Machine {n}.log", line, "Log of the machine\nSpeed: 4\n\n")
    return {name: "\ufeff" + text.replace("\n", "\r\n") for name, text in files.items()}


@dialect("clock, stamp, from, to, queue-at-receives")
def status_lines_between(world: World) -> Files:
    def line(e: Happened) -> str:
        status = (
            f"[{e.n}] STATUS clock={e.clock} queue={e.queue} sent={e.seq} events={e.index}" if e.index % 10 == 0 else ""
        )
        text = {
            "internal": f"[{e.n}] INTERNAL clock={e.clock}",
            "send": f"[{e.n}] SEND clock={e.clock} to={'|'.join(map(str, e.to))}",
            "receive": f"[{e.n}] RECEIVE clock={e.clock} from={e.sender} stamp={e.stamp} queue={e.queue}",
        }[e.kind]
        return f"{text}\n{status}" if status else text

    return {"all.log": lines(world, line)}


@dialect("clock, stamp, from, to, time, queue-at-receives", name=letter)
def arrivals_and_receives(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{clock_time(e)} "
        arrived = f"{head}[net] message arrived from {letter(e.sender)}, added to queue\n" if e.sender else ""
        return (
            arrived
            + {
                "internal": f"{head}[main] internal event, clock now {e.clock}",
                "send": f"{head}[main] sent clock {e.clock} to {' and '.join(map(letter, e.to))}",
                "receive": f"{head}[main] received {e.stamp} from {letter(e.sender)} ({e.queue} left in queue), clock now {e.clock}",
            }[e.kind]
        )

    return per_machine(world, lambda n: f"log{letter(n)}.txt", line)


@dialect("clock, stamp, from, to", name=letter)
def a_summary_of_numbers(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{letter(e.n)}: Internal event occurred. Clock: {e.clock}",
            "send": f"{letter(e.n)}: Sent message to {', '.join(map(letter, e.to))}. Clock: {e.clock}",
            "receive": f"{letter(e.n)}: Received message from {letter(e.sender)} (clock {e.stamp}). Clock: {e.clock}",
        }[e.kind]

    tail = "\nSUMMARY\n" + "".join(
        f"{letter(n)}: sent {len(world.of(n)) // 3} received {len(world.of(n)) // 3} internal {len(world.of(n)) // 3} "
        f"final clock {world.of(n)[-1].clock}\n"
        for n in world.machines
    )
    return {"console.txt": lines(world, line) + tail}


@dialect("clock, stamp, from, to, time, queue-at-receives", unit_ns=1_000_000)
def where_at_says_the_machine(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"t={e.s:.3f} "
        return (
            head
            + {
                "internal": f"event=INTERNAL at={e.n} lc={e.clock}",
                "send": f"event=SEND at={e.n} to={','.join(map(str, e.to))} lc={e.clock}",
                "receive": f"event=RECV at={e.n} from={e.sender} lc={e.clock} mlc={e.stamp} inbox={e.queue}",
            }[e.kind]
        )

    return {"trace.log": "t=0.000 event=CONFIG nodes=3 seed=262\n" + lines(world, line)}
