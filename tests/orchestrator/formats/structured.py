"""Logs in JSON and in pairs of keys and values."""

import json
from typing import Any

from tests.orchestrator.formats.dialect import Files, dialect, letter, lines, per_machine, word
from tests.orchestrator.formats.world import Happened, World


@dialect("clock, stamp, from, to, time", name=letter)
def nested_objects(world: World) -> Files:
    def line(e: Happened) -> str:
        event: dict[str, Any] = {"type": {"internal": "local", "send": "send", "receive": "recv"}[e.kind]}
        if e.kind == "send":
            event["message"] = {"to": [letter(t) for t in e.to], "lamport": e.clock}
        if e.kind == "receive":
            event["message"] = {"from": letter(e.sender), "lamport": e.stamp}
        return json.dumps(
            {"ts": e.iso("microseconds", "T") + "Z", "svc": letter(e.n), "event": event, "state": {"lamport": e.clock}}
        )

    return {"trace.jsonl": lines(world, line)}


@dialect("clock, stamp, from, to, queue-at-receives, time", name=str)
def words_in_a_message(world: World) -> Files:
    def line(e: Happened) -> str:
        what = {
            "internal": "internal event",
            "send": f"sent message to {'all' if e.is_all else e.to[0] if e.to else ''}",
            "receive": f"received message from {e.sender}",
        }[e.kind]
        extra = {"sender_clock": e.stamp, "queue_size": e.queue} if e.kind == "receive" else {}
        return json.dumps(
            {
                "level": "info",
                "time": e.epoch_ns / 1e9,
                "message": what,
                "node_id": e.n,
                "logical_clock": e.clock,
                **extra,
            }
        )

    return per_machine(world, lambda n: f"node{n}.json", line)


@dialect("clock, stamp, from, to, queue, time", name=lambda n: f"vm{n}")
def one_list_over_many_lines(world: World) -> Files:
    def one(e: Happened) -> dict[str, Any]:
        return {
            "vm": f"vm{e.n}",
            "systemTime": e.epoch_ns // 1_000_000,
            "event": {"internal": "INTERNAL", "send": "SEND", "receive": "RECEIVE"}[e.kind],
            "peer": f"vm{e.sender}" if e.sender else ["all"] if e.is_all else [f"vm{t}" for t in e.to] or None,
            "msgClock": e.stamp or None,
            "logicalClock": e.clock,
            "queueLength": e.queue,
        }

    return {"events.json": json.dumps([one(e) for e in world.events], indent=2)}


@dialect("vector, from, to, ids", name=letter)
def vectors_in_objects(world: World) -> Files:
    def line(e: Happened) -> str:
        vector = {letter(n): count for n, count in zip(world.machines, e.vector, strict=True)}
        return json.dumps(
            {"pid": letter(e.n), "kind": e.kind, "vclock": vector}
            | ({"dst": [letter(t) for t in e.to], "mid": f"{e.id:x}"} if e.to else {})
            | ({"src": letter(e.sender), "mid": f"{e.id:x}"} if e.sender else {})
        )

    return {"vc.ndjson": lines(world, line)}


@dialect("ids, to, time", name=word, nodes=4)
def service_pairs(world: World) -> Files:
    def line(e: Happened) -> str:
        head = f"ts={e.iso('milliseconds', 'T')}Z level=info svc={word(e.n)}"
        return {
            "internal": f'{head} event=job.done took_ms={e.index % 17} note="all good"',
            "send": f"{head} event=msg.sent msg_id={e.id * 40503 % 1_000_003:06d} dest={','.join(map(word, e.to))}",
            "receive": f"{head} event=msg.received msg_id={e.id * 40503 % 1_000_003:06d} took_ms={e.index % 5}",
        }[e.kind]

    return {"all.log": lines(world, line)}


@dialect("ids, from, to, time", name=word)
def numbers_of_each_sender(world: World) -> Files:
    """The id counts each sender's own messages."""

    def line(e: Happened) -> str:
        head = f"{e.iso('milliseconds', 'T')} {word(e.n)}"
        return {
            "internal": f"{head} event=compute",
            "send": f"{head} event=send seq={e.seq} to={','.join(map(word, e.to))}",
            "receive": f"{head} event=deliver seq={e.seq} from={word(e.sender)}",
        }[e.kind]

    return {"bus.log": lines(world, line)}


@dialect("clock, stamp, from, to, queue, time", name=str)
def pairs_in_any_order(world: World) -> Files:
    def line(e: Happened) -> str:
        pairs = [f"t={e.s:.3f}", f"ev={e.kind}", f"lc={e.clock}", f"q={e.queue}"]
        pairs += [f"dst={'all' if e.is_all else e.to[0]}"] if e.to else []
        pairs += [f"src={e.sender}", f"mlc={e.stamp}"] if e.sender else []
        turn = e.index % len(pairs)
        return " ".join(pairs[turn:] + pairs[:turn])

    return per_machine(world, lambda n: f"n{n}.kv", line, "# clock demo\n")


@dialect("clock, stamp, from, to, time, queue", name=letter)
def an_object_behind_words(world: World) -> Files:
    def line(e: Happened) -> str:
        body: dict[str, Any] = {"clock": e.clock, "queue": e.queue}
        body |= {"to": letter(e.to[0]) if not e.is_all else "ALL"} if e.to else {}
        body |= {"from": letter(e.sender), "sent_clock": e.stamp} if e.sender else {}
        return f"{e.iso('milliseconds', ' ')} {letter(e.n)} {e.kind.upper()} {json.dumps(body)}"

    return {"mixed.log": lines(world, line)}
