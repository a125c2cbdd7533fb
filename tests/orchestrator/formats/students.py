"""Logs of the exercise as twelve students would write them, each with what its program says beside the events."""

import json

from tests.orchestrator.formats.dialect import Files, dialect, letter, lines, per_machine
from tests.orchestrator.formats.prose import both
from tests.orchestrator.formats.world import Happened, World


def last(world: World, n: int) -> Happened:
    """The last event of a machine."""
    return world.of(n)[-1]


@dialect("clock, stamp, queue-at-receives, time, to", name=lambda n: f"VM{n}", unit_ns=1_000_000_000)
def banner_with_a_rate_and_a_summary(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "Internal event",
            "send": f"Sent message to {both(e, f'VM{e.to[0] if e.to else 0}', 'both VMs')}",
            "receive": f"Received message ({e.stamp}), queue length {e.queue}",
        }[e.kind]
        return f"[{e.wall:%H:%M:%S}] {what} | Logical clock: {e.clock}"

    files = {}
    for n in world.machines:
        head = (
            f"VM{n} initialized with clock rate {n + 1}\nListening on localhost:500{n}\n"
            + "".join(f"Connected to VM{m} on port 500{m}\n" for m in world.machines if m != n)
            + "-" * 40
            + "\n"
        )
        tail = (
            f"\n{'-' * 40}\nVM{n} shutting down\nFinal logical clock: {last(world, n).clock}\n"
            f"Total events: {len(world.of(n))}\nMessages sent: {sum(e.kind == 'send' for e in world.of(n))}\n"
        )
        files[f"VM{n}.log"] = head + lines(world, line, n) + tail
    return files


@dialect("clock, stamp, from, time, queue-at-receives", name=str, unit_ns=1000)
def printed_by_python(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{e.iso('microseconds')} - INFO - "
        return (
            head
            + {
                "internal": f"INTERNAL EVENT - Logical Clock: {e.clock}",
                "send": f"SENT {'TO BOTH' if e.is_all else 'TO ONE'} - Logical Clock: {e.clock}",
                "receive": f"RECEIVED from {e.sender} - Message Clock: {e.stamp}, Queue Length: {e.queue} - Logical Clock: {e.clock}",
            }[e.kind]
        )

    def head(n: int) -> str:
        start = f"2024-02-12 09:41:07.10000{n} - INFO - "
        return (
            f"{start}Machine {n} starting: clock_rate={n + 2}, port={8000 + n}, peers={[m for m in world.machines if m != n]}\n"
            f"{start}Server socket bound to port {8000 + n}\n{start}Waiting for peers...\n{start}All peers connected\n"
        )

    return {f"logs/machine_{n}.log": head(n) + lines(world, line, n) for n in world.machines}


@dialect("clock, stamp, from, to, queue", name=lambda n: f"machine{n}")
def csv_with_comments_and_totals(world: World) -> Files:
    def line(e: Happened) -> str:
        peer = "all" if e.is_all else f"machine{e.to[0]}" if e.to else f"machine{e.sender}" if e.sender else ""
        kind = {"internal": "internal", "send": "send", "receive": "receive"}[e.kind]
        return f"{e.n},{kind},{e.clock},{peer},{e.stamp if e.sender else ''},{e.queue}".replace(
            f"{e.n},", f"machine{e.n},", 1
        )

    return per_machine(
        world,
        lambda n: f"results/machine{n}.csv",
        line,
        "# run started Mon Feb 12 09:41:07 2024\n# tick rates drawn from 1..6\nmachine,event,clock,peer,msg_clock,queue\n",
        "# total events written, goodbye\n",
    )


@dialect("clock, stamp, from, to, time, queue", name=lambda n: f"p{n}", unit_ns=1000)
def json_with_notes(world: World) -> Files:
    def line(e: Happened) -> str:
        one = {"t": round(e.s, 6), "node": f"p{e.n}", "evt": e.kind, "lc": e.clock, "qlen": e.queue}
        if e.to:
            one["to"] = [f"p{t}" for t in e.to]
        if e.sender:
            one |= {"from": f"p{e.sender}", "msg_lc": e.stamp}
        note = json.dumps({"t": round(e.s, 6), "node": f"p{e.n}", "evt": "warn", "text": "queue is growing"})
        return json.dumps(one) + (f"\n{note}" if e.index % 15 == 0 else "")

    head = "".join(
        json.dumps({"node": f"p{n}", "evt": "init", "rate": n + 1, "peers": 2}) + "\n" for n in world.machines
    )
    tail = json.dumps({"evt": "summary", "duration": 25, "total": len(world.events)}) + "\n"
    return {"run.json": "// run 12\n" + head + lines(world, line) + tail}


@dialect("clock, stamp, time", name=str, unit_ns=1_000_000)
def terse_letters(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{e.s:.3f} I {e.clock}",
            "send": f"{e.s:.3f} S {e.clock}",
            "receive": f"{e.s:.3f} R {e.clock} {e.stamp}",
        }[e.kind]

    return per_machine(world, lambda n: f"m{n}.txt", line, "# lamport v1\nrate 4\n\n", "\nEND\n")


@dialect("clock, stamp, from, to, queue-at-receives", name=lambda n: f"127.0.0.1:500{n}")
def addresses_of_peers(world: World) -> Files:
    def line(e: Happened) -> str:
        to = "all peers" if e.is_all else f"127.0.0.1:500{e.to[0]}" if e.to else ""
        return {
            "internal": f"tick: internal, clock={e.clock}",
            "send": f"tick: send -> {to}, clock={e.clock}",
            "receive": f"tick: recv <- 127.0.0.1:500{e.sender}, ts={e.stamp}, clock={e.clock}, backlog={e.queue}",
        }[e.kind]

    files = {}
    for n in world.machines:
        head = f"server up on 127.0.0.1:500{n}\n" + "".join(
            f"accepted connection from 127.0.0.1:{50_000 + m}\ndialed 127.0.0.1:500{m}: ok\n"
            for m in world.machines
            if m != n
        )
        files[f"500{n}.log"] = head + lines(world, line, n) + "interrupt received, closing sockets\n"
    return files


@dialect("clock, stamp, from, to, time, queue-at-receives", name=letter, unit_ns=1_000_000_000)
def sections_and_headings(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"{e.wall:%Y-%m-%d %H:%M:%S} "
        beat = f"{'-' * 12} 10 events later {'-' * 12}\n" if e.index % 10 == 0 else ""
        return (
            beat
            + head
            + {
                "internal": f"({e.clock}) internal",
                "send": f"({e.clock}) message sent to {both(e, letter(e.to[0]) if e.to else '', 'everyone')}",
                "receive": f"({e.clock}) message received from {letter(e.sender)} carrying {e.stamp}, {e.queue} left in queue",
            }[e.kind]
        )

    return per_machine(
        world,
        lambda n: f"machine-{letter(n)}.log",
        line,
        "##############################\n#   LAMPORT CLOCK MACHINE    #\n##############################\nspeed: 3 ticks/s\n\n",
        "\n*** STATISTICS ***\naverage queue length: 1.32\nmax queue length: 7\nclock jumps: 41\n",
    )


@dialect("clock, stamp, from, to, time, queue", name=str, unit_ns=1000)
def columns_by_spaces(world: World) -> Files:
    def line(e: Happened) -> str:
        to = "1+2+3" if e.is_all else str(e.to[0]) if e.to else "-"
        to = ",".join(map(str, e.to)) if e.to else "-"
        return f"{e.s:.6f} {e.n} {e.kind.upper():8s} {e.clock:4d} {to} {e.sender or '-'} {e.stamp if e.sender else '-'} {e.queue}"

    head = "simulation of 3 machines, seed 262\ntime machine event clock to from stamp queue\n"
    return {"output.txt": head + lines(world, line) + "3 machines stopped\n"}


@dialect("clock, stamp, from, to, time", name=lambda n: f"Node-{n}", unit_ns=1_000_000)
def java_util_logging(world: World) -> Files:
    def line(e: Happened) -> str:
        late = (
            f"{e.iso()} WARNING [Node-{e.n}] Tick delayed by {e.index % 30} ms (clock={e.before})\n"
            if e.index % 14 == 0
            else ""
        )
        what = {
            "internal": f"Internal event (clock={e.clock})",
            "send": f"Sending to {', '.join(f'Node-{t}' for t in e.to)} (clock={e.clock})",
            "receive": f"Delivered message from Node-{e.sender} with timestamp {e.stamp} (clock={e.clock})",
        }[e.kind]
        return late + f"{e.iso()} FINE [Node-{e.n}] {what}"

    head = "".join(
        f"2024-02-12 09:41:07.000 CONFIG [Node-{n}] Rate set to {n + 1} (clock=0)\n"
        f"2024-02-12 09:41:07.001 INFO [Node-{n}] Connected to {2} peers (clock=0)\n"
        for n in world.machines
    )
    tail = "".join(
        f"2024-02-12 09:41:59.000 INFO [Node-{n}] Stopped (clock={last(world, n).clock})\n" for n in world.machines
    )
    return {"all.log": head + lines(world, line) + tail}


@dialect("clock, stamp, queue-at-receives, time", name=str, unit_ns=1_000_000)
def global_time_first(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{e.epoch_ns // 1_000_000} | INTERNAL | LC {e.clock}",
            "send": f"{e.epoch_ns // 1_000_000} | SEND {'BOTH' if e.is_all else 'ONE'} | LC {e.clock}",
            "receive": f"{e.epoch_ns // 1_000_000} | RECEIVE | LC {e.clock} | FROM LC {e.stamp} | QUEUE {e.queue}",
        }[e.kind]

    return {
        f"trial_3/vm_{n}.log": f"=== VM {n} === rate: {n} ticks/s === started 2024-02-12T09:41:07 ===\n"
        + lines(world, line, n)
        for n in world.machines
    }


@dialect("clock, stamp, from, to", name=lambda n: f"worker{n}")
def debug_prints_between(world: World) -> Files:
    def line(e: Happened) -> str:
        dump = (
            f"[worker{e.n}] queue = [{', '.join(str(e.stamp + k) for k in range(e.queue))}]\n"
            if e.kind == "receive"
            else ""
        )
        roll = f"[worker{e.n}] rolled {e.index % 10 + 1}\n" if e.kind != "receive" else ""
        return (
            dump
            + roll
            + f"[worker{e.n}] "
            + {
                "internal": f"INTERNAL lc:{e.clock}",
                "send": f"SEND to:{'all' if e.is_all else f'worker{e.to[0] if e.to else 0}'} lc:{e.clock}",
                "receive": f"RECV from:worker{e.sender} ts:{e.stamp} lc:{e.clock}",
            }[e.kind]
        )

    return {"stdout.log": "starting 3 workers\n" + lines(world, line) + "joined all threads\n"}


@dialect("clock, stamp, from, to, ids, time", name=lambda n: f"n{n}", unit_ns=1_000_000)
def pairs_and_plain_words(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"t={e.s:.3f} node=n{e.n}"
        more = f"{head} event=retry attempt=1 queue=2\n" if e.index % 19 == 0 else ""
        return (
            more
            + {
                "internal": f"{head} event=internal clock={e.clock}",
                "send": f"{head} event=send clock={e.clock} to={','.join(f'n{t}' for t in e.to)} id=n{e.n}-{e.seq}",
                "receive": f"{head} event=recv clock={e.clock} from=n{e.sender} id=n{e.sender}-{e.seq} stamp={e.stamp}",
            }[e.kind]
        )

    head = "".join(
        f"t=0.000 node=n{n} event=start rate={n + 1} port=700{n}\nt=0.001 node=n{n} event=connect peers=2\n"
        for n in world.machines
    )
    tail = "".join(
        f"t=25.000 node=n{n} event=stop clock={last(world, n).clock} events={len(world.of(n))}\n"
        for n in world.machines
    )
    return {"run.log": "lamport run of 3 nodes\n" + head + lines(world, line) + tail}


@dialect("clock, stamp, from, to, time, queue-at-receives", name=letter, unit_ns=1000)
def arrivals_beside_events(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"[{e.iso('microseconds')}]"
        arrival = f"{head} [net] incoming message from {letter(e.sender)} (ts={e.stamp}) queued\n" if e.sender else ""
        return (
            arrival
            + {
                "internal": f"{head} [main] internal event -> clock {e.clock}",
                "send": f"{head} [main] send to {','.join(map(letter, e.to))} -> clock {e.clock}",
                "receive": f"{head} [main] process message from {letter(e.sender)} (ts={e.stamp}) -> clock {e.clock}, {e.queue} pending",
            }[e.kind]
        )

    def head(n: int) -> str:
        start = "[2024-02-12 09:41:07.000001]"
        return f"{start} [main] I am machine {letter(n)}, I will tick {n + 1} times a second and send with probability 0.3\n{start} [net] receive thread started\n"

    return {f"{letter(n)}.log": head(n) + lines(world, line, n) for n in world.machines}


@dialect("clock, stamp, from, to, queue-at-receives", name=str)
def status_lines_with_clocks(world: World) -> Files:
    def line(e: Happened) -> str:
        status = (
            f"STATUS node={e.n} clock={e.before} queue={e.queue} uptime={e.s:.1f}\n"
            if e.index % 8 == 1 and e.index > 1
            else ""
        )
        return (
            status
            + {
                "internal": f"EVENT INTERNAL node={e.n} clock={e.clock}",
                "send": f"EVENT SEND node={e.n} to={'*' if e.is_all else e.to[0] if e.to else 0} clock={e.clock}",
                "receive": f"EVENT RECV node={e.n} from={e.sender} msg={e.stamp} clock={e.clock} queue={e.queue}",
            }[e.kind]
        )

    head = "CONFIG seed=262 nodes=3 duration=25 send_prob=0.6\n" + "".join(
        f"CONFIG node={n} rate={n + 1} port=500{n}\n" for n in world.machines
    )
    tail = "".join(f"SUMMARY node={n} clock={last(world, n).clock} sent=12 received=14\n" for n in world.machines)
    return {"log.txt": head + lines(world, line) + tail}


@dialect("clock, stamp, from, to, time", name=lambda n: f"Machine {n}", unit_ns=1_000_000)
def event_type_and_details(world: World) -> Files:
    def line(e: Happened) -> str:
        details = {
            "internal": "EVENT TYPE: INTERNAL",
            "send": f"EVENT TYPE: SEND; TO: {' and '.join(f'Machine {t}' for t in e.to)}",
            "receive": f"EVENT TYPE: RECEIVE; FROM: Machine {e.sender}; MSG TIME: {e.stamp}",
        }[e.kind]
        return f"SYSTEM TIME: {e.iso()}; {details}; LOGICAL CLOCK: {e.clock}"

    return per_machine(
        world,
        lambda n: f"machine{n}_log.txt",
        line,
        "LOG OF ONE MACHINE\nCLOCK SPEED: 3\nPORT: 5050\nSYSTEM START: 2024-02-12 09:41:07.000\n",
        "INTERNAL EVENTS: 54\nSENT MESSAGES: 71\nRECEIVED MESSAGES: 140\nFINAL CLOCK: 1000\nSYSTEM END: 2024-02-12 09:42:07.000\n",
    )


@dialect("clock, stamp, from, to, time, queue", name=str, unit_ns=1_000_000)
def blocks_of_keys(world: World) -> Files:
    def line(e: Happened) -> str:
        return (
            f"Event: {e.kind}\n  time: {e.s:.3f}\n  machine: {e.n}\n  clock: {e.clock}\n"
            + (f"  to: {', '.join(map(str, e.to))}\n" if e.to else "")
            + (f"  from: {e.sender}\n  message clock: {e.stamp}\n" if e.sender else "")
            + f"  queue: {e.queue}\n"
        )

    return {"run.out": "Simulation\n  machines: 3\n  seed: 262\n\n" + lines(world, line) + "Done\n  events: 250\n"}


@dialect("clock, stamp, from, to", name=letter)
def tuples_of_messages(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{letter(e.n)}: internal ({e.clock})",
            "send": f"{letter(e.n)}: sent ('hello', {e.clock}) to {both(e, letter(e.to[0]) if e.to else '', 'all')} ({e.clock})",
            "receive": f"{letter(e.n)}: got ('hello', {e.stamp}) from {letter(e.sender)} ({e.clock})",
        }[e.kind]

    head = "Spawning A (rate 2)\nSpawning B (rate 5)\nSpawning C (rate 3)\nRunning for 25 seconds...\n\n"
    return {"output": head + lines(world, line) + "\nA: exit code 0\nB: exit code 0\nC: exit code 0\n"}


@dialect("clock, stamp, time, queue-at-receives", name=str, unit_ns=1_000_000)
def numbers_of_the_die(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"[{e.s:7.3f}s] rolled {e.index % 7 + 4}: internal event, clock is {e.clock}",
            "send": f"[{e.s:7.3f}s] rolled {3 if e.is_all else e.index % 2 + 1}: sent clock to {'both others' if e.is_all else 'one other'}, clock is {e.clock}",
            "receive": f"[{e.s:7.3f}s] popped message with clock {e.stamp}, {e.queue} more in queue, clock is {e.clock}",
        }[e.kind]

    return per_machine(
        world,
        lambda n: f"vm-{n}-log.txt",
        line,
        "Virtual machine, 3 ticks per second, queue is empty, clock is 0\n",
        "clock is final\n",
    )


@dialect("clock, stamp, from, to, time", name=lambda n: f"peer{n}", unit_ns=1_000_000)
def tabs_and_repeated_headers(world: World) -> Files:
    def line(e: Happened) -> str:
        head = "ts\tpeer\top\tremote\tremote_ts\tlamport\n" if e.index % 30 == 0 and e.n == 1 else ""
        remote = "ALL" if e.is_all else f"peer{e.to[0]}" if e.to else f"peer{e.sender}" if e.sender else ""
        op = {"internal": "WORK", "send": "SEND", "receive": "RECV"}[e.kind]
        return head + f"{e.epoch_ns // 1_000_000}\tpeer{e.n}\t{op}\t{remote}\t{e.stamp if e.sender else ''}\t{e.clock}"

    return {
        "events.tsv": "Lamport lab\tgroup 7\nts\tpeer\top\tremote\tremote_ts\tlamport\n"
        + lines(world, line)
        + "# eof\n"
    }


@dialect("clock, stamp, from, to, time", name=lambda n: f"S{n}", unit_ns=1_000_000_000)
def a_dialogue(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"{e.wall:%H:%M:%S} S{e.n} thinks. [{e.before} -> {e.clock}]",
            "send": f'{e.wall:%H:%M:%S} S{e.n} writes to {", ".join(f"S{t}" for t in e.to)}: "my clock is {e.clock}". [{e.before} -> {e.clock}]',
            "receive": f'{e.wall:%H:%M:%S} S{e.n} reads from S{e.sender}: "my clock is {e.stamp}". [{e.before} -> {e.clock}]',
        }[e.kind]

    return {"talk.log": "Three servers meet.\n" + lines(world, line) + "The servers part.\n"}


@dialect("clock, stamp, from, to, queue", name=lambda n: f"vm{n}")
def fixed_fields_without_words(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "INT ---- ----",
            "send": f"SND {'ALL' if e.is_all else f'vm{e.to[0]}' if e.to else '':4s} ----",
            "receive": f"RCV vm{e.sender:<2d} {e.stamp:04d}",
        }[e.kind]
        return f"vm{e.n} {e.clock:06d} {what} {e.queue:02d}"

    head = "node clock  evt peer mclk q\n==== ====== === ==== ==== ==\n"
    return {"trace.dat": head + lines(world, line) + "==== ====== === ==== ==== ==\n"}


@dialect("clock, stamp, to, time, queue-at-receives", name=str, unit_ns=1_000_000)
def a_csv_for_people(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "Internal Event,",
            "send": f'Message Sent,"to {", ".join(map(str, e.to))}"',
            "receive": f'Message Received,"ts {e.stamp}, queue {e.queue}"',
        }[e.kind]
        return f"{e.iso()},{what},{e.clock}"

    return per_machine(
        world,
        lambda n: f"data/m{n}.csv",
        line,
        "Machine log\nTick rate,4\nSystem Time,Event,Details,Logical Clock\n",
        "Total,251\n",
    )


@dialect("vector, from, to, time", name=lambda n: f"P{n}", unit_ns=1_000_000)
def vectors_of_one_file_each(world: World) -> Files:
    def line(e: Happened) -> str:
        vector = f"[{', '.join(map(str, e.vector))}]"
        return {
            "internal": f"{e.s:.3f} LOCAL {vector}",
            "send": f"{e.s:.3f} SEND P{e.to[0] if len(e.to) == 1 else '*'} {vector}",
            "receive": f"{e.s:.3f} RECV P{e.sender} {vector}",
        }[e.kind].replace("P*", "*")

    return per_machine(
        world, lambda n: f"P{n}.log", line, "vector clock process, start [0, 0, 0]\nrate=3\n", "final [99, 99, 99]\n"
    )


@dialect("ids, from, to, time", name=lambda n: ("gate", "cart", "bank")[n - 1], unit_ns=1_000_000)
def requests_of_a_service(world: World) -> Files:
    def name(n: int) -> str:
        return ("gate", "cart", "bank")[n - 1]

    def line(e: Happened) -> str:
        head = f"{e.iso('milliseconds', 'T')}Z {name(e.n)}"
        noise = f"{head} WARN slow disk, {e.index} ms\n" if e.index % 13 == 0 else ""
        return (
            noise
            + {
                "internal": f"{head} INFO cache updated",
                "send": f"{head} INFO message sent to={','.join(map(name, e.to))} id={e.id:08x}-{e.seq}",
                "receive": f"{head} INFO message received from={name(e.sender)} id={e.id:08x}-{e.seq}",
            }[e.kind]
        )

    return {"service.log": lines(world, line)}


def each_recipient(e: Happened, line: str) -> str:
    """A broadcast as a line for each of its recipients, `{to}` and `{copy}` in it."""
    return "\n".join(line.format(to=to, copy=copy) for copy, to in enumerate(e.to))


@dialect("clock, stamp, from, to, queue-at-receives", nodes=4)
def broadcasts_in_lines(world: World) -> Files:
    def line(e: Happened) -> str:
        return {
            "internal": f"[L={e.clock}] internal",
            "send": each_recipient(e, f"[L={e.clock}] sent to {{to}}"),
            "receive": f"[L={e.clock}] received {e.stamp} from {e.sender}, {e.queue} left",
        }[e.kind]

    return per_machine(world, lambda n: f"machine{n}.log", line)


@dialect("clock, from, to, ids, time", name=lambda n: f"n{n}")
def broadcasts_in_lines_with_ids(world: World) -> Files:
    """Each copy has an id of its own."""

    def line(e: Happened) -> str:
        head = f'{{"at": "{e.iso(sep="T")}", "node": "n{e.n}", "lamport": {e.clock}'
        copy = sorted(world_sends(world)[e.cause].to).index(e.n) if e.cause else 0
        return {
            "internal": head + ', "event": "work"}',
            "send": "\n".join(
                head + f', "event": "send", "to": "n{to}", "msg": "{e.id}-{place}"}}' for place, to in enumerate(e.to)
            ),
            "receive": head + f', "event": "recv", "from": "n{e.sender}", "msg": "{e.id}-{copy}"}}',
        }[e.kind]

    return {"all.jsonl": lines(world, line)}


def world_sends(world: World) -> dict[object, Happened]:
    """The sends of a run by their names."""
    return {event.name: event for event in world.events if event.kind == "send"}
