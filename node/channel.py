"""The model's network as a sender sees it: when each message arrives.

Never sends anything: it only says what the network will do. Source: model section 3.
"""

from node.event import Delivery
from node.model import Model


class Channel:
    """All links out of one machine; FIFO, so that no message overtakes an earlier one of its link."""

    def __init__(self, model: Model) -> None:
        self._delay_ns = model.network.delay_ns
        self._number = dict.fromkeys(model.peers, 0)
        self._arrival_ns_max = dict.fromkeys(model.peers, 0)

    def carry(self, sent_ns: int, recipient: int) -> Delivery:
        """Return what becomes of a message sent at `sent_ns` to `recipient`."""
        self._number[recipient] += 1
        arrival_ns = max(sent_ns + self._delay_ns, self._arrival_ns_max[recipient])
        self._arrival_ns_max[recipient] = arrival_ns
        return Delivery(recipient, self._number[recipient], arrival_ns)
