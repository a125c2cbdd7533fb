"""Which message an id names: one of all, one of its sender's, or one of its link's.

Never asks whether the other end names it, too.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from orchestrator.audit.store import INTERNAL, RECEIVE, SEND
from orchestrator.trace.store import Column


def message_numbers(columns: Mapping[str, Column], ids: Literal["all", "sender", "link"]) -> Column:
    """Return a number for each message that a send or a receive names, -1 where it names none."""
    message, kind = columns["message"], columns["kind"]
    is_named = (message >= 0) & (kind != INTERNAL)
    if ids == "all" or not is_named.any():
        return np.where(is_named, message, -1)
    sender = np.where(kind == RECEIVE, columns["sender"], columns["node"])
    recipient = np.where(kind == RECEIVE, columns["node"], columns["to"])
    is_named &= ((kind == SEND) | (kind == RECEIVE)) & (sender >= 0)
    if ids == "link":
        is_named &= recipient >= 0
    names = np.stack([message, sender, recipient if ids == "link" else np.zeros_like(sender)])[:, is_named]
    numbers = np.full(len(message), -1, np.int64)
    numbers[is_named] = np.unique(names, axis=1, return_inverse=True)[1].reshape(-1)
    return numbers
