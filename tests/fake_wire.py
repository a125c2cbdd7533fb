"""A cluster of real machines on a fake wire: bytes in lists, chance from a seed, no socket and no clock.

Whoever draws the seed draws every cut, reconnect, delay of bytes and order of turns.
"""

from collections.abc import Mapping
from random import Random

from node.event import Event
from node.frame import FRAME_BYTES_MAX, Decoder, encode
from node.machine import Machine
from node.model import Model
from node.record import Line, parse_event


class Pipe:
    """One connection, dialled by `sender`: bytes under way in both directions."""

    def __init__(self) -> None:
        self.there: list[bytes] = []
        self.back: list[bytes] = []
        self.at_recipient = Decoder(FRAME_BYTES_MAX)
        self.at_sender = Decoder(FRAME_BYTES_MAX)
        self.is_greeted = False
        self.is_welcomed = False


class FakeCluster:
    """Machines at the pace fast; `run` plays until every machine has stopped or the steps are over."""

    def __init__(self, models: Mapping[int, Model], *, seed: int, cut_probability: float = 0.02) -> None:
        self.chance = Random(seed)
        self.cut_probability = cut_probability
        self.machines = {node: Machine(model, run="fake", pace="fast") for node, model in models.items()}
        self.lines: dict[int, list[Line]] = {node: [] for node in models}
        self.cuts = 0
        self._links = [(node, peer) for node, model in models.items() for peer in model.peers]
        self._pipes: dict[tuple[int, int], Pipe] = {}

    def run(self, steps: int = 200_000) -> bool:
        """Return whether every machine has stopped."""
        for _ in range(steps):
            if all(machine.has_stopped for machine in self.machines.values()):
                return True
            self._step()
        return False

    def events(self) -> dict[int, list[Event]]:
        """Return the events in the logs, machine by machine."""
        return {
            node: [
                parse_event(line)
                for line in lines
                if line["event"] in ("internal", "send", "receive")  # type: ignore[arg-type]
            ]
            for node, lines in self.lines.items()
        }

    def _step(self) -> None:
        if not self._links or self.chance.random() < 0.3:
            self._turn(self.chance.choice(list(self.machines)))
            return
        link = self.chance.choice(self._links)
        pipe = self._pipes.get(link)
        if pipe is None:
            self._dial(link)
        elif self.chance.random() < self.cut_probability:
            self._cut(link)
        else:
            self._carry(link, pipe)

    def _turn(self, node: int) -> None:
        """One turn of a node's loop: act, write the lines, then send the frames."""
        machine = self.machines[node]
        if machine.epoch_ns is None and not machine.missing:
            machine.start(0, wall=0)
        for _ in range(self.chance.randint(1, 4)):
            if machine.may_tick(0):
                machine.tick(0, wall=0)
        if machine.may_stop:
            machine.stop(wall=0)
        self.lines[node] += machine.take_lines()
        for (sender, recipient), pipe in self._pipes.items():
            if sender == node and pipe.is_welcomed:
                pipe.there += map(encode, machine.take_frames(recipient))
            if recipient == node and pipe.is_greeted:
                pipe.back += map(encode, machine.take_answers(sender))

    def _dial(self, link: tuple[int, int]) -> None:
        sender, recipient = link
        pipe = self._pipes[link] = Pipe()
        pipe.there.append(encode(self.machines[sender].hello(recipient)))

    def _cut(self, link: tuple[int, int]) -> None:
        """Lose the connection, and a suffix of what is under way; a frame may be cut in two."""
        pipe = self._pipes[link]
        self.cuts += 1
        for chunks in (pipe.there, pipe.back):
            data = b"".join(chunks)
            chunks[:] = [data[: self.chance.randint(0, len(data))]]
        self._carry(link, pipe)
        del self._pipes[link]
        sender, recipient = link
        if pipe.is_welcomed:
            self.machines[sender].lose_recipient(recipient, wall=0)
        if pipe.is_greeted:
            self.machines[recipient].lose_sender(sender, wall=0)

    def _carry(self, link: tuple[int, int], pipe: Pipe) -> None:
        """Bring some of the bytes under way to their end."""
        sender, recipient = link
        there, back = self._some(pipe.there), self._some(pipe.back)
        for frame in pipe.at_recipient.feed(there):
            if frame["type"] == "hello":
                pipe.back.append(encode(self.machines[recipient].greet(frame, wall=0)))
                pipe.is_greeted = True
            else:
                self.machines[recipient].receive(sender, frame)
        for frame in pipe.at_sender.feed(back):
            if frame["type"] == "welcome":
                self.machines[sender].welcome(recipient, frame, wall=0)
                pipe.is_welcomed = True
            else:
                self.machines[sender].acknowledge(recipient, frame)

    def _some(self, chunks: list[bytes]) -> bytes:
        data = b"".join(chunks)
        size = self.chance.choice((len(data), self.chance.randint(0, len(data))))
        chunks[:] = [data[size:]] if data[size:] else []
        return data[:size]
