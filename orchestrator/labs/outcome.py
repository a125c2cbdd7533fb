"""What a lab tells its caller of one run; the record itself is in the run's directory."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one run went.

    `setup_s` until the epoch, `ticking_s` from the epoch to the last stop record.
    `cpu_s` is that of the lab and of every process it started.
    `restarts` says how often each machine was started again that died though nobody meant it to.
    `failure` is one line if a machine could not start or died, with the exit code that it deserves.
    """

    setup_s: float
    ticking_s: float
    cpu_s: float
    interrupted: bool = False
    restarts: Mapping[int, int] = field(default_factory=dict)
    failure: str | None = None
    exit_code: int = 0
