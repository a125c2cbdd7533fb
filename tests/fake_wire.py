"""A cluster of real machines on a fake wire: bytes in lists, chance from a seed, no socket and no clock.

Whoever draws the seed draws every cut, reconnect, kill, delay of bytes and order of turns.
A machine that the model has down, or that is killed, is lost with all its memory, and made again from its lines.
"""

from collections.abc import Mapping
from random import Random

from node.event import Event
from node.frame import FRAME_BYTES_MAX, Decoder, encode
from node.journal import _render
from node.machine import Machine
from node.model import Model
from node.record import Line, parse_event, parse_line
from node.recovery import recover


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

    def __init__(
        self,
        models: Mapping[int, Model],
        *,
        seed: int,
        cut_probability: float = 0.02,
        kill_probability: float = 0.0,
        kill_at: Mapping[int, int] | None = None,
    ) -> None:
        """Take what is to happen: `kill_at` has a machine killed, once, inside the write of this line."""
        self.chance = Random(seed)
        self.cut_probability = cut_probability
        self.machines = {node: Machine(model, run="fake", pace="fast") for node, model in models.items()}
        self.lines: dict[int, list[Line]] = {node: [] for node in models}
        self.cuts = 0
        self.kills = 0
        self.downs = 0
        self._kill_probability = kill_probability
        self._kill_at = dict(kill_at or {})
        self._dead: set[int] = set()
        self._links = [(node, peer) for node, model in models.items() for peer in model.peers]
        self._pipes: dict[tuple[int, int], Pipe] = {}

    def run(self, steps: int = 200_000) -> bool:
        """Return whether every machine has stopped."""
        for _ in range(steps):
            if all(machine.has_stopped and node not in self._dead for node, machine in self.machines.items()):
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
            node = self.chance.choice(list(self.machines))
            if node not in self._dead:
                self._turn(node)
            elif self.chance.random() < 0.1:  # The others go on meanwhile.
                self._bring_back(node)
            return
        link = self.chance.choice(self._links)
        pipe = self._pipes.get(link)
        if pipe is None:
            if not self._dead & {*link}:
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
        if machine.may_go_down:
            machine.go_down(wall=0)
        if self._die_in_the_write(node, machine.take_lines()) or machine.is_down:
            self._kill(node)
        else:
            self._flush(node)

    def _flush(self, node: int) -> None:
        machine = self.machines[node]
        for (sender, recipient), pipe in self._pipes.items():
            if sender == node and pipe.is_welcomed:
                pipe.there += map(encode, machine.take_frames(recipient))
            if recipient == node and pipe.is_greeted:
                pipe.back += map(encode, machine.take_answers(sender))

    def _die_in_the_write(self, node: int, new: list[Line]) -> bool:
        """Write lines, or only the first of them; return whether the machine was killed."""
        kept = self.lines[node]
        place = self._kill_at.get(node, 0)
        if 0 < place <= len(kept) + len(new):
            del self._kill_at[node]
            kept += new[: place - len(kept)]
        elif self._kill_probability and kept and self.chance.random() < self._kill_probability:
            kept += new[: self.chance.randint(0, len(new))]
        else:
            kept += new
            return False
        self.kills += 1
        return True

    def _kill(self, node: int) -> None:
        """Lose a machine and its connections; what it wrote to them may still come."""
        self._dead.add(node)
        for link in [link for link in self._pipes if node in link]:
            pipe, (sender, recipient) = self._pipes[link], link
            if node == sender:
                self._carry_there(link, pipe)
                if pipe.is_greeted:
                    self.machines[recipient].lose_sender(sender, wall=0)
            else:
                self._carry_back(link, pipe)
                if pipe.is_welcomed:
                    self.machines[sender].lose_recipient(recipient, wall=0)
            del self._pipes[link]

    def _bring_back(self, node: int) -> None:
        """Make a machine again, from nothing but the bytes of its lines."""
        self._dead.remove(node)
        lost, lines = self.machines[node], self.lines[node]
        self.downs += lost.is_down
        written = [parse_line(_render(None, "", dict(line))) for line in lines]  # type: ignore[call-overload]
        past = recover(written, lost.model, run="fake", pace="fast", name=f"events-{node}.jsonl")
        self.machines[node] = Machine(lost.model, run="fake", pace="fast", past=past)
        self.machines[node].boot(wall=0)

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
        self._carry_there(link, pipe)
        self._carry_back(link, pipe)

    def _carry_there(self, link: tuple[int, int], pipe: Pipe) -> None:
        sender, recipient = link
        for frame in pipe.at_recipient.feed(self._some(pipe.there)):
            if frame["type"] == "hello":
                pipe.back.append(encode(self.machines[recipient].greet(frame, wall=0)))
                pipe.is_greeted = True
            else:
                self.machines[recipient].receive(sender, frame)

    def _carry_back(self, link: tuple[int, int], pipe: Pipe) -> None:
        sender, recipient = link
        for frame in pipe.at_sender.feed(self._some(pipe.back)):
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
