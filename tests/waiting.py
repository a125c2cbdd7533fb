"""Waiting for a condition that nobody announces, with a deadline."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], bool], *, deadline_s: float = 30) -> None:
    """Return once the condition holds; looked at often, for what another process does has no callback."""
    end_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end_s, "waited too long"
        time.sleep(0.01)
