"""What an export is: one file, or several in a directory, and what its reader must know.

Never opens a file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from orchestrator.trace.store import Trace


@dataclass(frozen=True, slots=True)
class Exported:
    """`files` holds the text of each file, in pieces, by its name below the output; a file that is the output has none.

    All of it is ASCII: every program reads that, whatever it takes for the encoding.
    `remarks` say what the format could not be told.
    """

    files: Mapping[str, Iterable[str]]
    remarks: tuple[str, ...] = ()


def machine(node: int) -> str:
    """Return what every format calls a machine."""
    return f"machine-{node}"


def not_drawn(receives: str, count: int) -> tuple[str, ...]:
    """Return the remark that there are such receives, to which no arrow leads; none if there are none."""
    return (f"{receives}: {count}; no arrow leads there",) if count else ()


def nameless(trace: Trace) -> tuple[str, ...]:
    """Return the remark on receives whose send is not in the record."""
    count = np.count_nonzero(trace.is_receive & (trace.cause_row < 0))
    return not_drawn("receives whose send is not in the record", int(count))
