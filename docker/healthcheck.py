"""Is this node well? Exit 0 if its log has ended, or its last record is young enough; else 1, and a line that says why.

Never needs more than the standard library, and never writes.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

AGE_S_MAX: Final = 5
"""The slowest machine ticks once a second."""
TAIL_BYTES: Final = 64 * 1024
"""More than the longest record has."""


def complaint(log: Path, *, now_ns: int) -> str | None:
    """Return what is wrong with a node that writes this log; None if nothing is."""
    record = last_record(log)
    if record is None:
        return "its run has not begun: it waits for its peers"
    if has_ended(record):
        return None
    age_s = (now_ns - record["wall"]) / 1e9
    return f"its last record is {age_s:.0f} s old" if age_s > AGE_S_MAX else None


def has_ended(record: dict[str, Any]) -> bool:
    """Return whether no tick follows this record: all are done, or somebody interrupted the node."""
    return record["event"] in ("end", "stop")


def last_record(log: Path) -> dict[str, Any] | None:
    """Return the last whole line of a log; None if there is none yet."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return None
    return json.loads(lines[-2]) if len(lines) > 1 else None


def main() -> int:
    """Judge the node that the environment describes."""
    log = Path(os.environ["SCALE_MODEL_LOG_DIR"], f"events-{os.environ['SCALE_MODEL_ID']}.jsonl")
    words = complaint(log, now_ns=time.time_ns())
    sys.stdout.write(f"{words or 'well'}\n")
    return 1 if words else 0


if __name__ == "__main__":
    sys.exit(main())
