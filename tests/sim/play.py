"""One seed from its plan to its judgement: what happened, what was at risk, and what was wrong, if anything.

`python3 lab.py python -m tests.sim SEED` plays a seed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.trace import check
from orchestrator.trace.read import read_trace
from tests.sim.plan import Plan
from tests.sim.witness import Violation
from tests.sim.world import World

FAULTS = (
    "killed before a write",
    "killed inside a write",
    "killed behind a write",
    "killed between sends",
    "killed while greeting",
    "crashed by the model",
    "log lost",
    "cut",
    "left half-open",
    "one way held",
    "stopped",
    "deaf",
    "frames replayed",
)
"""Every class of faults by the name under which the world counts it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: `wrong` and `words` are None where nothing was."""

    seed: int
    counts: Mapping[str, int]
    at_risk: int
    events: int
    wrong: str | None = None
    words: str | None = None

    @property
    def faults(self) -> int:
        """How many faults there were."""
        return sum(self.counts.get(name, 0) for name in FAULTS)

    @property
    def again(self) -> str:
        """The line that replays it."""
        return f"python3 lab.py python -m tests.sim {self.seed}"


def play(plan: Plan) -> Outcome:
    """Play a plan to its end and judge it."""
    world = World(plan)
    wrong: tuple[str, str] | tuple[None, None] = None, None
    try:
        world.run()
        judge(world)
    except Violation as violation:
        wrong = violation.kind, str(violation)
    except AssertionError as error:
        wrong = "an assertion failed", repr(error)
    except (LookupError, TypeError, ValueError) as error:
        wrong = "the program broke", repr(error)
    counts = Counter(world.counts)
    return Outcome(plan.seed, counts, world.at_risk, sum(map(len, world.witness.expected.values())), *wrong)


def judge(world: World) -> None:
    """See what stands in the logs at the end; a run whose log was lost says so, or is right all the same.

    Raises Violation.
    """
    is_equal = world.refusal is None and world.witness.is_as_simulated
    if not is_equal and not world.witness.has_lost:
        raise Violation("events are missing", "a log has fewer events than its simulation")
    verdict, named = judged(world)
    if is_equal and verdict != "valid" and not world.witness.has_lost:
        raise Violation("a check failed", f"{verdict}: {named}")
    if not is_equal and verdict == "valid":
        raise Violation("a lost log unnoticed", "the verdict is valid, and the trace another one")
    if world.witness.has_lost:
        how = "refused" if world.refusal is not None else "harmless" if is_equal else "found by check"
        world.counts[f"lost log {how}"] += 1


def judged(world: World) -> tuple[str, str]:
    """Return the verdict of `check` on the logs, and the first check that is not valid."""
    with TemporaryDirectory() as directory:
        logs = {}
        for node, content in world.disk.items():
            path = logs[node] = Path(directory) / f"events-{node}.jsonl"
            path.write_bytes(content.data)
        report = check(read_trace(logs), world.witness.twin)
    named = next((one for one in report.checks if one.verdict not in ("valid", "not-applicable")), None)
    return report.verdict, str(named or report.remarks)
