"""Logs in sentences, as students and services write them."""

from tests.orchestrator.formats.dialect import Files, dialect, letter, lines, per_machine, word, zero
from tests.orchestrator.formats.world import Happened, World


def both(event: Happened, one: str, everyone: str) -> str:
    """What a send says of its recipients."""
    return everyone if event.is_all else one


@dialect("clock, stamp, queue-at-receives, to, time", name=zero, rule="maximum after the increment")
def python_logging_of_the_exercise(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "Internal event occurred.",
            "send": both(
                e, f"Sent a message to machine {e.to[0] - 1 if e.to else ''}.", "Sent a message to both other machines."
            ),
            "receive": f"Received a message with logical time {e.stamp}. Current queue length is {e.queue}.",
        }[e.kind]
        return f"{e.iso().replace('.', ',')} : (Logical Clock Time {e.clock}) {what}"

    head = "2024-02-12 09:41:07,480 : Clock rate: 3\n"
    return per_machine(world, lambda n: f"1678239498.147712_machine_{n - 1}.log", line, head)


@dialect("clock, stamp, from, to, queue-at-receives, time", name=lambda n: f"node-{n}")
def bracketed_level_and_node(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"Internal event. Clock: {e.clock}",
            "send": f"Sent message to {both(e, f'node-{e.to[0] if e.to else 0}', 'all nodes')}. Clock: {e.clock}",
            "receive": f"Received message from node-{e.sender} (timestamp: {e.stamp}). Clock: {e.clock}, Queue: {e.queue}",
        }[e.kind]
        return f"{e.iso().replace('.', ',')} [INFO] node-{e.n}: {what}"

    return {"cluster.log": lines(world, line)}


@dialect("clock, stamp, from, to", name=lambda n: f"P{n}", nodes=4)
def updated_its_clock(world: World) -> Files:
    def line(e: Happened) -> str:
        to = "all" if e.is_all else f"P{e.to[0]}" if e.to else ""
        return {
            "internal": f"P{e.n}: local event, clock is now {e.clock}",
            "send": f"P{e.n}: sending message to {to} at clock {e.clock}",
            "receive": f"P{e.n}: got message from P{e.sender} stamped {e.stamp}, updated clock to {e.clock}",
        }[e.kind]

    return {"output.txt": "*** Lamport demo, 4 processes ***\n\n" + lines(world, line) + "\nAll processes finished.\n"}


@dialect("clock, stamp, from, to, queue-at-receives, time", name=lambda n: f"VM {n}", unit_ns=1000)
def go_log_package(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"internal event: local clock {e.clock}",
            "send": f"send to {both(e, f'VM {e.to[0] if e.to else 0}', 'both')}: local clock {e.clock}",
            "receive": f"recv from VM {e.sender}: msg clock {e.stamp}, local clock {e.clock}, queue len {e.queue}",
        }[e.kind]
        return f"{e.wall:%Y/%m/%d %H:%M:%S.%f} [VM {e.n}] {what}"

    def head(n: int) -> str:
        return f"2024/02/12 09:41:07.400000 [VM {n}] listening on :500{n}, clock rate 3 ticks/s\n"

    return {f"vm{n}.out": head(n) + lines(world, line, n) for n in world.machines}


@dialect("clock, stamp, from, to, queue-at-receives, time", name=letter)
def three_numbers_at_a_receive(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"Internal event. Logical clock: {e.clock}",
            "send": f"Sent message to {both(e, letter(e.to[0] if e.to else 1), 'everyone')}. Logical clock: {e.clock}",
            "receive": f"Received message {e.stamp} from {letter(e.sender)}. Clock before: {e.before}, "
            f"clock after: {e.clock}. Messages left in queue: {e.queue}",
        }[e.kind]
        return f"[{e.iso('microseconds', 'T')}] {what}"

    return per_machine(world, lambda n: f"{letter(n)}.log", line)


@dialect("clock, queue-at-receives, time, to", name=str)
def banners_and_summaries(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "INTERNAL EVENT",
            "send": both(e, f"SENT MESSAGE TO {e.to[0] if e.to else ''}", "SENT MESSAGE TO BOTH"),
            "receive": f"RECEIVED MESSAGE - Queue length: {e.queue}",
        }[e.kind]
        return f"{what} - System time: {e.epoch_ns / 1e9:.6f} - Logical clock: {e.clock}"

    def text(n: int) -> str:
        count = len(world.of(n))
        return (
            f"==== Machine {n} ====\nClock rate: {n + 1} ticks per second\nStarting at {world.of(n)[0].iso()}\n\n"
            + lines(world, line, n)
            + f"\n==== Summary ====\nTotal events: {count}\nFinal logical clock: {world.of(n)[-1].clock}\n"
            + "Messages left in the queue: 0\n"
        )

    return {f"machine{n}_log.txt": text(n) for n in world.machines}


@dialect("clock, stamp, from, to", name=lambda n: str(5000 + n))
def ports_for_names(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{e.clock} - no message, internal event",
            "send": f"{e.clock} - message sent to "
            + both(
                e, f"localhost:{5000 + (e.to[0] if e.to else 0)}", " and ".join(f"localhost:{5000 + t}" for t in e.to)
            ),
            "receive": f"{e.clock} - message received from localhost:{5000 + e.sender}, it said {e.stamp}",
        }[e.kind]

    return per_machine(world, lambda n: f"log_{5000 + n}.txt", line)


@dialect("clock, stamp, from, to, queue-at-receives", name=str)
def message_comes_first(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"Nothing to do, tick at logical time {e.clock}",
            "send": f"Message sent to machine{both(e, f' {e.to[0] if e.to else 0}', 's ' + ' and '.join(map(str, e.to)))}"
            f" at logical time {e.clock}",
            "receive": f"Message from machine {e.sender} received at logical time {e.clock} "
            f"(sent at {e.stamp}, {e.queue} still waiting)",
        }[e.kind]

    return per_machine(world, lambda n: f"machine-{n}.log", line, "Connected to all other machines\n")


@dialect("clock, stamp, from, to, queue-at-receives, time", name=str, unit_ns=1_000_000)
def dequeued_with_parentheses(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"{e.wall:%H:%M:%S}.{e.wall.microsecond // 1000:03d} "
            + {
                "internal": f"Local computation (lamport={e.clock})",
                "send": f"Transmitted to {both(e, str(e.to[0] if e.to else 0), str(list(e.to)))} (lamport={e.clock})",
                "receive": f"Dequeued (sender={e.sender}, their_lamport={e.stamp}, lamport={e.clock}, remaining={e.queue})",
            }[e.kind]
        )

    return per_machine(world, lambda n: f"proc_{n}.log", line)


@dialect("ids, time", name=word)
def requests_without_a_clock(world: World) -> Files:
    def line(e: Happened) -> str:
        id_ = f"{0x17F3A0 + e.id * 7919:08x}-req"
        what = {
            "internal": "cache refreshed",
            "send": f"sent request {id_}",
            "receive": f"received request {id_}",
        }[e.kind]
        return f"{e.iso('milliseconds', 'T')}Z INFO  [{word(e.n)}] {what}"

    return {"services.log": lines(world, line)}


@dialect("ids, from, to, time", name=word, nodes=5)
def requests_with_peers(world: World) -> Files:
    def line(e: Happened) -> str:
        id_ = f"{e.id * 2654435761 % 2**32:08x}-{e.id:04x}-4a7b-9c1d-{e.id * 48271 % 2**48:012x}"
        to = ", ".join(map(word, e.to))
        what = {
            "internal": "refreshed the cache",
            "send": f"--> publishing message {id_} to {to}",
            "receive": f"<-- consumed message {id_} from {word(e.sender)}",
        }[e.kind]
        return f"{e.iso('milliseconds', 'T')}+01:00 DEBUG {what}"

    return per_machine(world, lambda n: f"{word(n)}.log", line)


@dialect("clock, from, to, stamp, queue-at-receives, time", name=str, unit_ns=10_000_000)
def arrows_and_short_names(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"[{e.s:.2f}s] L={e.clock} "
            + {
                "internal": ".",
                "send": f"-> {'*' if e.is_all else ','.join(map(str, e.to))}",
                "receive": f"<- {e.sender} (L={e.stamp}) q={e.queue}",
            }[e.kind]
        )

    return per_machine(world, lambda n: f"p{n}.log", line)


@dialect("clock, stamp, from, to, time", name=lambda n: f"Node {n}")
def logback(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"Node {e.n} performs internal step at logical time {e.clock}",
            "send": f"Node {e.n} broadcasts Msg{{from={e.n}, ts={e.clock}}} at logical time {e.clock}"
            if e.is_all
            else f"Node {e.n} sends Msg{{from={e.n}, ts={e.clock}}} to Node {e.to[0] if e.to else 0} at logical time {e.clock}",
            "receive": f"Node {e.n} received Msg{{from={e.sender}, ts={e.stamp}}} at logical time {e.clock}",
        }[e.kind]
        return f"{e.wall:%H:%M:%S}.{e.wall.microsecond // 1000:03d} [Thread-{e.n}] INFO  c.e.lamport.Node - {what}"

    head = "09:41:07.100 [main] INFO  c.e.lamport.Main - Starting 3 nodes\n"
    return {"app.log": head + lines(world, line)}


@dialect("clock, stamp, queue-at-receives, time, to", name=str)
def runs_in_folders(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "internal event",
            "send": both(e, f"message sent to VM{e.to[0] if e.to else 0}", "message sent to both VMs"),
            "receive": f"message received (received clock {e.stamp}), queue size {e.queue}",
        }[e.kind]
        return f"{e.wall:%m/%d/%Y %I:%M:%S}.{e.wall.microsecond // 1000:03d} {e.wall:%p} | LC {e.clock} | {what}"

    return {f"trial_{run}/vm_{n}.log": lines(world, line, n) for run in (1, 2, 3) for n in world.machines}


@dialect("clock, stamp, queue-at-receives, time, to", name=str)
def runs_in_file_names(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "internal event",
            "send": f"sent {both(e, f'to process {e.to[0] if e.to else 0}', 'to both processes')}",
            "receive": f"received message with clock {e.stamp}, {e.queue} in queue",
        }[e.kind]
        return f"System time: {e.iso('microseconds')} Logical clock: {e.clock} Event: {what}"

    return {f"run_{run}_process_{n}.log": lines(world, line, n) for run in (1, 2) for n in world.machines}


@dialect("clock, stamp, from, to, queue-at-receives, time", name=str, unit_ns=1_000_000)
def keys_with_colons(world: World) -> Files:
    def line(e: Happened) -> str:
        time = f"System Time: {e.epoch_ns / 1e9:.3f}"
        return {
            "internal": f"Event: INTERNAL, Local Time: {e.clock}, {time}",
            "send": f"Event: SEND, Receiver: {both(e, str(e.to[0] if e.to else 0), 'ALL')}, Local Time: {e.clock}, {time}",
            "receive": f"Event: RECEIVE, Sender: {e.sender}, Message Time: {e.stamp}, Local Time: {e.clock}, {time}, "
            f"Queue Length: {e.queue}",
        }[e.kind]

    return per_machine(world, lambda n: f"vm_{n}_events.txt", line)


@dialect("clock, stamp, from, to, queue-at-receives, time", name=lambda n: f"host{letter(n)}", unit_ns=1_000_000_000)
def syslog(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"event: internal lc={e.clock}",
            "send": f"event: send dst={both(e, f'host{letter(e.to[0] if e.to else 1)}', 'all')} lc={e.clock}",
            "receive": f"event: receive src=host{letter(e.sender)} ts={e.stamp} lc={e.clock} backlog={e.queue}",
        }[e.kind]
        return f"{e.wall:%b %d %H:%M:%S} host{letter(e.n)} lamportd[{4000 + e.n}]: {what}"

    return {"syslog": lines(world, line)}


@dialect("clock, stamp, from, to, queue-at-receives, time", name=lambda n: f"node{n}")
def arrivals_are_no_events(world: World) -> Files:
    def line(e: Happened) -> str:
        time = f"{e.s:.3f}"
        if e.kind == "receive":
            return (
                f"{time} node{e.n} network thread: message from node{e.sender} queued\n"
                f"{time} node{e.n} Processing message from node{e.sender} with timestamp {e.stamp}, "
                f"clock={e.clock} (queue length {e.queue})"
            )
        return (
            f"{time} node{e.n} "
            + {
                "internal": f"Internal event, clock={e.clock}",
                "send": f"Sending message to {both(e, f'node{e.to[0] if e.to else 0}', 'all')}, clock={e.clock}",
            }[e.kind]
        )

    return {"simulation.log": lines(world, line)}


@dialect("vector, from, to", name=letter)
def vectors_as_lists(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"Process {letter(e.n)} {list(e.vector)}: "
            + {
                "internal": "internal event",
                "send": f"send to {' and '.join(map(letter, e.to))}",
                "receive": f"receive from {letter(e.sender)}",
            }[e.kind]
        )

    return {"vector_clock_run.txt": lines(world, line)}


@dialect("vector, from, to, time", name=word, nodes=4)
def vectors_as_text(world: World) -> Files:
    def line(e: Happened) -> str:
        vector = ", ".join(f"{word(n)}:{count}" for n, count in zip(world.machines, e.vector, strict=True) if count)
        what = {
            "internal": "did some work",
            "send": f"sent a message to {', '.join(map(word, e.to))}",
            "receive": f"received a message from {word(e.sender)}",
        }[e.kind]
        return f"{e.iso('milliseconds', 'T')} {what} VC={{{vector}}}"

    return per_machine(world, lambda n: f"{word(n)}.txt", line)


@dialect("vector", name=lambda n: f"node{n - 1}")
def shiviz_two_lines(world: World) -> Files:
    def line(e: Happened) -> str:
        vector = ", ".join(f'"node{n - 1}":{count}' for n, count in zip(world.machines, e.vector, strict=True) if count)
        what = {"internal": "Checkpoint", "send": "Sending ping", "receive": "Received ping"}[e.kind]
        return f"node{e.n - 1} {{{vector}}}\n{what}"

    return {"govector.log": lines(world, line)}


@dialect("clock, stamp, from, to", name=str)
def payloads_and_quotes(world: World) -> Files:
    words = ("apple", "banana", "cherry", "date", "elderberry", "fig", "grape", "honeydew", "kiwi", "lemon")

    def line(e: Happened) -> str:
        payload = f"{words[e.id % 10]} {words[e.id // 10 % 10]}"
        return {
            "internal": f"[{e.clock}] thinking about {words[e.index % 10]}",
            "send": f'[{e.clock}] SEND "{payload}" to {both(e, f"peer {e.to[0] if e.to else 0}", "all peers")}',
            "receive": f'[{e.clock}] RECV "{payload}" from peer {e.sender} (their clock: {e.stamp})',
        }[e.kind]

    return per_machine(world, lambda n: f"peer{n}.log", line)


@dialect("clock, stamp, queue-at-receives", name=letter)
def unknown_words(world: World) -> Files:
    """German; only behaviour tells the kinds."""

    def line(e: Happened) -> str:
        return {
            "internal": f"Zeit {e.clock}: intern",
            "send": f"Zeit {e.clock}: Nachricht verschickt",
            "receive": f"Zeit {e.clock}: Nachricht erhalten mit Zeit {e.stamp}, noch {e.queue} wartend",
        }[e.kind]

    return per_machine(world, lambda n: f"rechner_{letter(n)}.log", line)


@dialect("clock, stamp, from, to, time", name=str)
def sent_by_and_delivered(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": f"executed local operation, timestamp {e.clock}",
            "send": f"multicast message, timestamp {e.clock}"
            if e.is_all
            else f"unicast message to process {e.to[0] if e.to else 0}, timestamp {e.clock}",
            "receive": f"delivered message sent by process {e.sender} with timestamp {e.stamp}, timestamp {e.clock}",
        }[e.kind]
        return f"{int(e.s * 1000):>6} ms | process {e.n} | {what}"

    return {"trace.txt": lines(world, line)}


@dialect("clock, from, to, time, stamp", name=lambda n: f"node-{letter(n).lower()}")
def docker_compose(world: World) -> Files:
    def line(e: Happened) -> str:
        node = f"node-{letter(e.n).lower()}"
        what = {
            "internal": f"INTERNAL ts={e.clock}",
            "send": f"SEND ts={e.clock} to={','.join(f'node-{letter(t).lower()}' for t in e.to)}",
            "receive": f"RECEIVE ts={e.clock} from=node-{letter(e.sender).lower()} msg_ts={e.stamp}",
        }[e.kind]
        return f"{node}  | {e.iso('milliseconds', 'T')}Z {what}"

    head = "Attaching to node-a, node-b, node-c\nnode-a  | ready\nnode-b  | ready\nnode-c  | ready\n"
    return {"compose.log": head + lines(world, line)}


@dialect("clock, queue-at-receives, time, stamp, from, to", name=str, rule="maximum alone")
def die_rolls_and_a_wrong_rule(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"<{e.epoch_ns // 1_000_000}> clock {e.clock:4d}: "
        return (
            head
            + {
                "internal": f"rolled {e.index % 7 + 4}, internal",
                "send": f"rolled {3 if e.is_all else 1 + e.index % 2}, sending to {' & '.join(map(str, e.to))}",
                "receive": f"popped message [{e.stamp}] from {e.sender}, {e.queue} left",
            }[e.kind]
        )

    return per_machine(world, lambda n: f"log{n}", line)


@dialect("clock, stamp, to, time, queue-at-receives", name=zero)
def windows_and_byte_order_mark(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "INTERNAL",
            "send": f"SEND({both(e, str(e.to[0] - 1 if e.to else 0), 'all')})",
            "receive": f"RECV({e.stamp}) Q={e.queue}",
        }[e.kind]
        return f"{e.wall:%d.%m.%Y %H:%M:%S},{e.wall.microsecond // 1000:03d}; T{e.clock}; {what}\r"

    return {name: "\ufeff" + text for name, text in per_machine(world, lambda n: f"Rechner{n - 1}.txt", line).items()}


@dialect("clock, from, to", name=letter)
def receives_without_a_stamp(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"({e.clock}) "
            + {
                "internal": f"{letter(e.n)} internal",
                "send": f"{letter(e.n)} ---> {','.join(map(letter, e.to))}",
                "receive": f"{letter(e.n)} <--- {letter(e.sender)}",
            }[e.kind]
        )

    return {"diagram.txt": lines(world, line)}


@dialect("clock, stamp, from, to, ids", name=str)
def tuples_of_a_functional_language(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{{{e.n}, internal, {e.clock}}}",
            "send": f"{{{e.n}, send, {e.clock}, to, [{','.join(map(str, e.to))}], msg_{e.id}}}",
            "receive": f"{{{e.n}, recv, {e.clock}, from, {e.sender}, {e.stamp}, msg_{e.id}}}",
        }[e.kind]

    return {"erl.log": lines(world, line)}
