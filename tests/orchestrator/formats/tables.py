"""Logs in tables, with and without a header."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from tests.orchestrator.formats.dialect import Files, dialect, letter, lines, per_machine, word, zero
from tests.orchestrator.formats.world import Happened, World


def comma(
    world: World, header: Sequence[str], row: Callable[[Happened], Sequence[Any]], machine: int | None = None
) -> str:
    """A table as Python writes it."""
    text = io.StringIO()
    writer = csv.writer(text)
    if header:
        writer.writerow(header)
    writer.writerows(map(row, world.events if machine is None else world.of(machine)))
    return text.getvalue()


@dialect("clock, queue, time", name=lambda n: str(2620 + n))
def codes_of_a_die(world: World) -> Files:
    codes = {"internal": "4", "send": "1", "receive": "-1"}

    def line(e: Happened) -> str:
        code = "3" if e.is_all else str(1 + e.index % 2) if e.kind == "send" else codes[e.kind]
        return f"{code}\t{e.clock}\t{e.s}\t{e.queue}\t{2620 + e.n}\t{0.25 * e.n}"

    head = "COMMAND\tLOGICAL_TIME\tTRUE_TIME\tQUEUE_SIZE\tSELF_PORT\tSELF_INTERVAL\n"
    return per_machine(world, lambda n: f"Log_{2620 + n}.txt", line, head)


@dialect("clock, from, to, time, queue", name=str)
def comma_without_a_header(world: World) -> Files:
    def row(e: Happened) -> Sequence[Any]:
        peer = e.sender or ("all" if e.is_all else e.to[0] if e.to else "")
        return [e.iso(), e.n, e.kind.upper(), e.clock, peer, e.queue]

    return {"events.csv": comma(world, [], row)}


@dialect("clock, from, to, time, stamp, ids", name=letter)
def comma_with_a_header(world: World) -> Files:
    def row(e: Happened) -> Sequence[Any]:
        to = ";".join(map(letter, e.to))
        mid = f"m{e.id:05d}" if e.id else ""
        return [
            f"{e.s:.4f}",
            letter(e.n),
            e.kind,
            e.clock,
            mid,
            letter(e.sender) if e.sender else "",
            to,
            e.stamp or "",
        ]

    header = ["wall_time", "process", "event_type", "lamport", "msg_id", "sender", "recipients", "recv_lamport"]
    return {"trace.csv": comma(world, header, row)}


@dialect("clock, stamp, from, to, time, queue-at-receives", name=str)
def description_in_a_cell(world: World) -> Files:
    def row(e: Happened) -> Sequence[Any]:
        what = {
            "internal": "Internal event",
            "send": f"Sent to {e.to[0] if e.to else ''}" if not e.is_all else "Sent to all",
            "receive": f"Received from {e.sender}, remote clock {e.stamp}, queue length {e.queue}",
        }[e.kind]
        return [e.iso("microseconds"), e.clock, what]

    return {f"clock_{n}.csv": comma(world, ["timestamp", "clock", "description"], row, n) for n in world.machines}


@dialect("clock, stamp, queue, time, from, to", name=zero)
def letters_for_kinds(world: World) -> Files:
    def line(e: Happened) -> str:
        kind = "B" if e.is_all else e.kind[0].upper()
        peer = e.sender - 1 if e.sender else e.to[0] - 1 if e.to and not e.is_all else "-"
        return f"{e.epoch_ns // 1_000_000}\t{kind}\t{e.clock}\t{peer}\t{e.stamp or '-'}\t{e.queue}"

    return per_machine(world, lambda n: f"{n - 1}.tsv", line)


@dialect("clock, from, to, time", name=str, nodes=4)
def spaces_and_a_commented_header(world: World) -> Files:
    def line(e: Happened) -> str:
        peer = e.sender or ",".join(map(str, e.to)) or "-"
        return f"{e.s:9.3f} {e.n} {e.kind:8} {e.clock:5d} {peer}"

    return {"trace.dat": "# simulation of 4 nodes, seed 7\n# time node event clock peer\n" + lines(world, line)}


@dialect("clock, stamp, from, to, queue, time", name=lambda n: f"N{n}")
def pipes_with_a_frame(world: World) -> Files:
    def line(e: Happened) -> str:
        peer = f"N{e.sender}" if e.sender else "+".join(f"N{t}" for t in e.to)
        kind = {"internal": "LOCAL", "send": "SEND", "receive": "RECV"}[e.kind]
        return f"| {e.iso()} | N{e.n} | {kind} | {peer:8} | {e.stamp or '':6} | {e.clock:6d} | {e.queue} |"

    head = (
        "| Timestamp | Node | Event | Peer | Msg TS | Clock | Queue |\n"
        "|-----------|------|-------|------|--------|-------|-------|\n"
    )
    return {"run.md.txt": head + lines(world, line)}


@dialect("clock, queue, time", name=str)
def numbers_without_names(world: World) -> Files:
    """The queue stands before the clock, and nothing says which is which."""

    def line(e: Happened) -> str:
        return f"{e.s:.6f},{e.kind},{e.queue},{e.clock}"

    return per_machine(world, lambda n: f"machine_{n}.csv", line)


@dialect("clock, stamp, from, to, time", name=str)
def semicolons_and_an_index(world: World) -> Files:
    def line(e: Happened) -> str:
        kind = {"internal": "INT", "send": "SND", "receive": "RCV"}[e.kind]
        return (
            f"{e.index};{e.n};{e.iso('microseconds', 'T')};{kind};{e.clock};{e.sender or ''};"
            f"{'ALL' if e.is_all else e.to[0] if e.to else ''};{e.stamp or ''}"
        )

    head = "id;node;date;op;logical_timestamp;from_node;to_node;msg_timestamp\n"
    return {"log.csv": head + lines(world, line)}


@dialect("vector, from, to", name=str)
def vectors_in_cells(world: World) -> Files:
    def row(e: Happened) -> Sequence[Any]:
        peer = e.sender or " ".join(map(str, e.to))
        return [e.n, e.kind, peer, str(e.vector).replace(" ", "")]

    return {"vc.csv": comma(world, ["pid", "action", "peer", "vc"], row)}


@dialect("ids, from, to, time", name=word)
def messages_without_a_clock(world: World) -> Files:
    def row(e: Happened) -> Sequence[Any]:
        kind = {"internal": "work", "send": "publish", "receive": "consume"}[e.kind]
        return [e.epoch_ns, word(e.n), kind, e.id or "", word(e.sender) if e.sender else "", "|".join(map(word, e.to))]

    return {"bus.csv": comma(world, ["ts_ns", "service", "op", "message_id", "producer", "consumers"], row)}


@dialect("clock, stamp, from, to", name=str)
def empty_cells_tell_the_kind(world: World) -> Files:
    def row(e: Happened) -> Sequence[Any]:
        return [e.n, e.clock, "all" if e.is_all else e.to[0] if e.to else "", e.sender or "", e.stamp or ""]

    return {"ops.csv": comma(world, ["machine", "clock", "sent_to", "received_from", "received_clock"], row)}
