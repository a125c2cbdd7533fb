"""More logs, as still other people write them."""

import json
from typing import Any

from tests.orchestrator.formats.dialect import Files, dialect, letter, lines, per_machine, word, zero
from tests.orchestrator.formats.prose import both
from tests.orchestrator.formats.world import Happened, World


@dialect("clock, queue, time, to, from", name=str, unit_ns=1_000_000_000)
def process_and_bars(world: World) -> Files:
    def line(e: Happened) -> str:
        event = {
            "internal": "internal",
            "send": both(e, f"sent to {e.to[0] if e.to else 0}", "sent to both"),
            "receive": f"received from {e.sender}",
        }[e.kind]
        return (
            f"{e.n}> Event: {event} | System Time: {e.wall:%Y-%m-%d %H:%M:%S} | "
            f"Logical Clock: {e.clock} | Queue Length: {e.queue}"
        )

    return {f"run_7/process_{n}.log": lines(world, line, n) for n in world.machines}


@dialect("clock, time, to, from, stamp", name=lambda n: f"VM_{n}")
def logger_adapter(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "Internal event",
            "send": f"Sent message to {both(e, f'VM_{e.to[0] if e.to else 0}', 'all other VMs')}",
            "receive": f"Received message from VM_{e.sender} with clock {e.stamp}",
        }[e.kind]
        return f"{e.iso().replace('.', ',')} - VM_{e.n} - INFO - [LogicalClock: {e.clock}] {what}"

    def head(n: int) -> str:
        return f"2024-02-12 09:41:07,100 - VM_{n} - INFO - [LogicalClock: 0] VM started with clock rate 4\n"

    return {f"vm_{n}_log.txt": head(n) + lines(world, line, n) for n in world.machines}


@dialect("clock, ids", name=lambda n: ("john", "paul", "ringo", "george")[n - 1], nodes=4)
def erlang_loggy(world: World) -> Files:
    names = ("john", "paul", "ringo", "george")

    def line(e: Happened) -> str:
        what = {
            "internal": "working",
            "send": f"{{sending,{{hello,{e.id}}}}}",
            "receive": f"{{received,{{hello,{e.id}}}}}",
        }
        return f"log: {e.clock} {names[e.n - 1]} {what[e.kind]}"

    return {"loggy.txt": lines(world, line)}


@dialect("clock, to, from", name=lambda n: f"Node {n}")
def details_behind_a_dash(world: World) -> Files:
    def line(e: Happened) -> str:
        kind = {"internal": "INTERNAL", "send": "SEND", "receive": "RECEIVE"}[e.kind]
        details = {"internal": "local work", "send": f"to {', '.join(map(str, e.to))}", "receive": f"from {e.sender}"}[
            e.kind
        ]
        return f" Node {e.n} - {kind} (Clock: {e.clock}) - {details}"

    return {"simulation.log": lines(world, line)}


@dialect("clock, stamp, from, time, to", name=zero)
def operation_table_without_header(world: World) -> Files:
    def line(e: Happened) -> str:
        contents = {
            "internal": "N/A",
            "send": f"to {both(e, str(e.to[0] - 1 if e.to else 0), 'all')}",
            "receive": f"{e.stamp} from {e.sender - 1}",
        }[e.kind]
        return f"{e.kind.upper()},{e.wall:%H:%M:%S}.{e.wall.microsecond // 1000:03d},{e.clock},{contents}"

    return per_machine(world, lambda n: f"machine{n - 1}.csv", line)


@dialect("vector", name=letter)
def vectors_before_and_after(world: World) -> Files:
    before: dict[int, tuple[int, ...]] = {}

    def line(e: Happened) -> str:
        what = {"internal": "Event in proc", "send": "Msg sent from proc", "receive": "Message recv at proc"}[e.kind]
        last = before.get(e.n, (0,) * world.nodes)
        before[e.n] = e.vector
        return f"{what:<24} {letter(e.n)} {list(last)} -> {list(e.vector)}"

    return {"output": lines(world, line)}


@dialect("clock, from, to, stamp, time", name=lambda n: f"node{n}", unit_ns=1000)
def ruby_logger(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"tick, lamport #{e.clock}",
            "send": f"sent msg to {both(e, f'node{e.to[0] if e.to else 0}', 'everyone')}, lamport #{e.clock}",
            "receive": f"got msg from node{e.sender} (sent at ##{e.stamp}), lamport #{e.clock}",
        }[e.kind].replace("##", "")
        return f"I, [{e.iso('microseconds', 'T')} #{4000 + e.n}]  INFO -- node{e.n}: {what}"

    return {
        "production.log": "# Logfile created on 2024-02-12 09:41:07 +0000 by logger.rb/v1.6.0\n" + lines(world, line)
    }


@dialect("clock, from, to, stamp, time", name=str, unit_ns=1000)
def rust_tracing(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"internal step clock={e.clock}",
            "send": f"sending message to={','.join(map(str, e.to))} clock={e.clock}",
            "receive": f"received message from={e.sender} stamp={e.stamp} clock={e.clock}",
        }[e.kind]
        return f"{e.iso('microseconds', 'T')}Z  INFO node{{id={e.n}}}: demo::lamport: {what}"

    return {"tracing.log": lines(world, line)}


@dialect("clock, from, to, stamp, time, queue-at-receives", name=lambda n: f"node-{n}")
def logfmt_with_sentences(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"time={e.iso('milliseconds', 'T')}Z level=debug node=node-{e.n}"
        return {
            "internal": f'{head} msg="internal event" lamport={e.clock}',
            "send": f'{head} msg="sending message" peers={",".join(f"node-{t}" for t in e.to)} lamport={e.clock}',
            "receive": f'{head} msg="received message" peer=node-{e.sender} remote={e.stamp} lamport={e.clock} pending={e.queue}',
        }[e.kind]

    return per_machine(world, lambda n: f"node-{n}.log", line)


@dialect("ids, from, to, time", name=word)
def headers_with_both_ends(world: World) -> Files:
    def line(e: Happened) -> str:
        if e.kind == "internal":
            return json.dumps({"t": e.epoch_ns // 1_000_000, "who": word(e.n), "type": "CPU"})
        src = word(e.sender or e.n)
        dst = [word(t) for t in e.to] or [word(e.n)]
        hdr = {"src": src, "dst": dst, "id": f"{e.id:04x}"}
        return json.dumps({"t": e.epoch_ns // 1_000_000, "who": word(e.n), "type": "TX" if e.to else "RX", "hdr": hdr})

    return {"wire.jsonl": lines(world, line)}


@dialect("clock, from, to, ids, time", name=letter)
def only_the_arrow_names_the_machine(world: World) -> Files:
    def line(e: Happened) -> str:
        if e.kind == "internal":
            return f"t={e.s:.3f} WORK {letter(e.n)} L={e.clock}"
        ends = f"{letter(e.n)}->{'+'.join(map(letter, e.to))}" if e.to else f"{letter(e.sender)}->{letter(e.n)}"
        return f"t={e.s:.3f} {'SEND' if e.to else 'RECV'} {ends} #{e.id} L={e.clock}"

    return {"trace.log": lines(world, line)}


@dialect("clock, from, to, stamp, time", name=str)
def xml_elements(world: World) -> Files:
    def line(e: Happened) -> str:
        more = {
            "internal": "",
            "send": f' to="{" ".join(map(str, e.to))}"',
            "receive": f' from="{e.sender}" stamp="{e.stamp}"',
        }
        return (
            f'<event node="{e.n}" time="{e.iso("milliseconds", "T")}" type="{e.kind}" clock="{e.clock}"{more[e.kind]}/>'
        )

    return {"log.xml": "<log>\n" + lines(world, line) + "</log>\n"}


@dialect("clock, from, to, stamp", name=str)
def python_tuples(world: World) -> Files:
    def line(e: Happened) -> str:
        more: dict[str, Any] = {}
        if e.to:
            more = {"to": list(e.to)}
        if e.sender:
            more = {"from": e.sender, "ts": e.stamp}
        kind = {"internal": "local", "send": "send", "receive": "recv"}[e.kind]
        return str((e.n, kind, e.clock, more))

    return {"events.txt": lines(world, line)}


@dialect("clock, from, to, stamp, queue-at-receives", name=str)
def ticks_of_a_simulator(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "did nothing",
            "send": f"sent (to {' and '.join(map(str, e.to))})",
            "receive": f"received (from {e.sender}, lc {e.stamp}), inbox {e.queue} left",
        }[e.kind]
        return f"tick {e.index}: node {e.n} lc {e.clock} {what}"

    return {"sim.out": lines(world, line)}


@dialect("clock, time, to, from, stamp", name=str)
def date_and_time_apart(world: World) -> Files:
    def line(e: Happened) -> str:
        to = "all" if e.is_all else e.to[0] if e.to else ""
        return (
            f"{e.wall:%d/%m/%Y},{e.wall:%H:%M:%S}.{e.wall.microsecond // 1000:03d},{e.n},{e.kind},{e.clock},"
            f"{e.sender or ''},{to},{e.stamp or ''}"
        )

    return {"export.csv": "Date,Time,Machine,Event,Logical clock,From,To,Message clock\n" + lines(world, line)}


@dialect("clock, time, from, to", name=str)
def aligned_columns_without_a_header(world: World) -> Files:
    def line(e: Happened) -> str:
        peer = e.sender or ("*" if e.is_all else e.to[0] if e.to else "-")
        return f"{e.s:8.3f}  {e.n}  {e.kind:<9}  {e.clock:>4}  {peer}"

    return {"trace.txt": lines(world, line)}


@dialect("clock, from, to, stamp", name=str)
def french(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"événement interne, horloge {e.clock}",
            "send": f"message envoyé à {both(e, str(e.to[0] if e.to else 0), 'tous')}, horloge {e.clock}",
            "receive": f"message reçu de {e.sender} (estampille {e.stamp}), horloge {e.clock}",
        }[e.kind]
        return f"Machine {e.n} : {what}"

    return {"journal.txt": lines(world, line)}


@dialect("clock, from, to, stamp, queue", name=str)
def keys_and_semicolons(world: World) -> Files:
    def line(e: Happened) -> str:
        pairs = [
            f"evt: { ({'internal': 'EVT_LOCAL', 'send': 'EVT_TX', 'receive': 'EVT_RX'}[e.kind]) }",
            f"lc: {e.clock}",
        ]
        pairs += [f"dst: {','.join(map(str, e.to))}"] if e.to else []
        pairs += [f"src: {e.sender}", f"ts: {e.stamp}"] if e.sender else []
        return "; ".join([*pairs, f"q: {e.queue}"])

    return per_machine(world, lambda n: f"p-{n}.txt", line)


@dialect("clock, from, to, stamp, queue-at-receives", name=lambda n: ("alpha", "beta", "gamma")[n - 1])
def greek_names(world: World) -> Files:
    names = ("alpha", "beta", "gamma")

    def line(e: Happened) -> str:
        return (
            f"[{e.clock:>5}] "
            + {
                "internal": "internal",
                "send": f"send -> {both(e, names[e.to[0] - 1].capitalize() if e.to else '', 'Both')}",
                "receive": f"recv <- {names[e.sender - 1].capitalize()} [{e.stamp}] ({e.queue} pending)",
            }[e.kind]
        )

    return per_machine(world, lambda n: f"{names[n - 1]}.log", line)


@dialect("clock, from, to, stamp", name=str)
def blocks_of_lines(world: World) -> Files:
    def line(e: Happened) -> str:
        more = {
            "internal": "peer: none\nstamp: none",
            "send": f"peer: {', '.join(map(str, e.to))}\nstamp: {e.clock}",
            "receive": f"peer: {e.sender}\nstamp: {e.stamp}",
        }[e.kind]
        return f"--- event {e.index} ---\ntype: {e.kind}\nmachine: {e.n}\n{more}\nclock: {e.clock}\n"

    return {"blocks.txt": lines(world, line)}


@dialect("clock, from, to, stamp, queue", name=lambda n: f"P{n - 1}")
def letters_before_numbers(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"[C{e.clock}] [Q{e.queue}] "
            + {
                "internal": "INT",
                "send": f"SND<{','.join(f'P{t - 1}' for t in e.to)}>",
                "receive": f"RCV<P{e.sender - 1}> T{e.stamp}",
            }[e.kind]
        )

    return per_machine(world, lambda n: f"P{n - 1}.log", line)


@dialect("clock, stamp", name=lambda n: ("client", "server")[n - 1], nodes=2)
def client_and_server(world: World) -> Files:
    names = ("client", "server")

    def line(e: Happened) -> str:
        return {
            "internal": f"{names[e.n - 1]}: computing [time {e.clock}]",
            "send": f"{names[e.n - 1]}: sends request [time {e.clock}]",
            "receive": f"{names[e.n - 1]}: receives request sent at {e.stamp} [time {e.clock}]",
        }[e.kind]

    return {"exchange.log": lines(world, line)}


@dialect("clock, from, to", name=lambda n: ("Alice", "Bob", "Carol", "Dave")[n - 1], nodes=4)
def chat(world: World) -> Files:
    names = ("Alice", "Bob", "Carol", "Dave")

    def line(e: Happened) -> str:
        return (
            f"{names[e.n - 1]} ({e.clock}): "
            + {
                "internal": "thinks",
                "send": f"says hello to {both(e, names[e.to[0] - 1] if e.to else '', 'everybody')}",
                "receive": f"hears hello from {names[e.sender - 1]}",
            }[e.kind]
        )

    return {"chat.txt": lines(world, line)}


@dialect("clock, from, to, stamp, time, queue-at-receives", name=str)
def tabs_and_details(world: World) -> Files:
    def line(e: Happened) -> str:
        details = {
            "internal": "",
            "send": f"Recipient: {both(e, str(e.to[0] if e.to else 0), 'all')}",
            "receive": f"Sender: {e.sender}; Sender clock: {e.stamp}; Queue size: {e.queue}",
        }[e.kind]
        return f"{e.epoch_ns / 1e9:.3f}\t{e.clock}\t{e.kind.capitalize()}\t{details}"

    return per_machine(world, lambda n: f"vm{n}.tsv", line, "Global time\tLocal clock\tEvent\tDetails\n")


@dialect("clock, from, to, stamp, time", name=lambda n: f"node{n}")
def json_of_python_logging(world: World) -> Files:
    def line(e: Happened) -> str:
        extra: dict[str, Any] = {"clock": e.clock}
        message = "internal event"
        if e.to:
            message, extra["peer"] = "message sent", "all" if e.is_all else f"node{e.to[0]}"
        if e.sender:
            message, extra["peer"], extra["stamp"] = "message received", f"node{e.sender}", e.stamp
        return json.dumps(
            {
                "asctime": e.iso().replace(".", ","),
                "levelname": "INFO",
                "name": f"node{e.n}",
                "message": message,
                "extra": extra,
            }
        )

    return {"app.json.log": lines(world, line)}


@dialect("clock, from, to, stamp", name=str)
def clocks_before_and_after(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"p{e.n}: "
            + {
                "internal": f"internal, clock {e.before} -> {e.clock}",
                "send": f"send to {both(e, f'p{e.to[0] if e.to else 0}', 'all')}, clock {e.before} -> {e.clock}",
                "receive": f"receive from p{e.sender} (ts {e.stamp}), clock {e.before} -> {e.clock}",
            }[e.kind]
        )

    return {"run.log": lines(world, line)}


@dialect("ids, from, time", name=str)
def delivered_with_numbers(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"[{e.iso()}] DEBUG (node={e.n}) - "
            + {
                "internal": "GC pause",
                "send": f"SEND msg#{e.id}",
                "receive": f"DELIVER msg#{e.id} from {e.sender}",
            }[e.kind]
        )

    return {"nodes.log": lines(world, line)}


@dialect("clock, from, to, stamp", name=lambda n: f"127.0.0.1:{5000 + n}")
def addresses(world: World) -> Files:
    def name(n: int) -> str:
        return f"127.0.0.1:{5000 + n}"

    def line(e: Happened) -> str:
        return {
            "internal": f"{name(e.n)} local event at {e.clock}",
            "send": f"{name(e.n)} sent message to {', '.join(map(name, e.to))} at {e.clock}",
            "receive": f"{name(e.n)} received message from {name(e.sender)} with timestamp {e.stamp} at {e.clock}",
        }[e.kind]

    return {"net.log": lines(world, line)}


@dialect("clock, from, to, stamp", name=lambda n: f"n{n:02d}", nodes=8)
def eight_machines(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"n{e.n:02d} {e.clock} "
            + {
                "internal": "local",
                "send": f"send {'all' if e.is_all else f'n{e.to[0]:02d}' if e.to else ''}",
                "receive": f"recv n{e.sender:02d} {e.stamp}",
            }[e.kind]
        )

    return {"cluster.txt": lines(world, line)}


@dialect("clock, from, to, stamp, time", name=str, internal_probability=0.0)
def no_internal_events(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "",
            "send": f"SEND to={'all' if e.is_all else e.to[0] if e.to else ''} ts={e.clock}",
            "receive": f"RECV from={e.sender} ts={e.stamp} -> {e.clock}",
        }[e.kind]
        return f"{e.epoch_ns // 1000} node{e.n} {what}" if what else ""

    return {"two.log": lines(world, line)}


@dialect("clock, stamp, from, to", name=str)
def clock_first(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{e.clock} INT",
            "send": f"{e.clock} SND {'ALL' if e.is_all else e.to[0] if e.to else ''}",
            "receive": f"{e.clock} RCV {e.sender} {e.stamp}",
        }[e.kind]

    return per_machine(world, lambda n: f"{n}.txt", line)
