"""The model's network as a sender sees it: which copies of a message there are, and when each arrives, or is lost.

Never sends anything: it only says what the network will do. Source: model section 3.
"""

from node.dice import DELAY, DUPLICATE, LOSS, Dice, between, threshold
from node.event import Delivery
from node.exponential import INDEX_BITS, TABLE, UNIT_BITS
from node.model import Model
from node.network import Delay, Exponential, Network, Uniform


class Channel:
    """All links out of one incarnation of a machine."""

    def __init__(self, model: Model) -> None:
        self._dice = Dice(model.seed, model.node)
        self._cuts = model.cuts
        self._links = {peer: _Link(model.link(peer)) for peer in model.peers}

    def carry(self, tick: int, sent_ns: int, recipient: int) -> tuple[Delivery, ...]:
        """Return what becomes of each copy of the message of this tick, due at `sent_ns`, to `recipient`."""
        link = self._links[recipient]
        cuts = [cut for cut in self._cuts if cut.holds(sent_ns) and recipient in cut.peers] if self._cuts else ()
        is_lost = any(cut.messages == "lose" for cut in cuts)
        # What is held sets out when the last of the windows closes that were open when it was sent.
        from_ns = max((cut.to_ns for cut in cuts), default=sent_ns)
        # Rolled once for both copies, whether the first is lost or not.
        is_doubled = self._happens(link.duplicate_below, tick, DUPLICATE, recipient * 2)
        return tuple(
            Delivery(recipient, None, None, copy)
            if is_lost or self._happens(link.loss_below, tick, LOSS, recipient * 2 + copy)
            else link.deliver(recipient, from_ns + self._delay_ns(link.delay, tick, recipient * 2 + copy), copy)
            for copy in ((0, 1) if is_doubled else (0,))
        )

    def replay(self, delivery: Delivery) -> None:
        """Remember what became of a message before a restart; nothing is rolled again.

        Raises ValueError if this is not the next message of one of our links.
        """
        if delivery.recipient not in self._links:
            raise ValueError(f"there is no link to machine {delivery.recipient}")
        if delivery.number is not None and delivery.arrival_ns is not None:
            self._links[delivery.recipient].replay(delivery.number, delivery.arrival_ns)

    def _happens(self, below: int, tick: int, purpose: int, other: int) -> bool:
        return below > 0 and self._dice.roll(tick, purpose, other) >> 11 < below

    def _delay_ns(self, delay: Delay, tick: int, other: int) -> int:
        return delay if isinstance(delay, int) else draw_delay_ns(delay, self._dice.roll(tick, DELAY, other))


class _Link:
    """What a sender remembers of one link: how many messages it has numbered, and the largest arrival."""

    def __init__(self, network: Network) -> None:
        self.delay = network.delay_ns
        self.loss_below = threshold(network.loss)
        self.duplicate_below = threshold(network.duplicate)
        self._is_fifo = network.fifo
        self._number = 0
        self._arrival_ns_max = 0

    def deliver(self, recipient: int, arrival_ns: int, copy: int) -> Delivery:
        self._number += 1
        if self._is_fifo:
            arrival_ns = self._arrival_ns_max = max(arrival_ns, self._arrival_ns_max)
        return Delivery(recipient, self._number, arrival_ns, copy)

    def replay(self, number: int, arrival_ns: int) -> None:
        if number != self._number + 1:
            raise ValueError(f"message {number} comes where message {self._number + 1} of its link is next")
        self._number = number
        self._arrival_ns_max = max(arrival_ns, self._arrival_ns_max)


def draw_delay_ns(delay: Uniform | Exponential, bits: int) -> int:
    """Return the delay that a roll stands for."""
    match delay:
        case Uniform():
            return between(bits, delay.least_ns, delay.most_ns)
        case Exponential():
            return delay.mean_ns * TABLE[bits >> 64 - INDEX_BITS] >> UNIT_BITS
