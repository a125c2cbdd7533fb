"""`python -m tests.notebook`: run the exercise's eleven configurations, and write what was seen into docs/notebook.md.

Never writes prose: it fills the tables between the marks, and leaves everything else as it is.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.config import load_experiment
from orchestrator.config.experiment import Experiment
from orchestrator.trace import check
from orchestrator.twin import simulated

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs" / "notebook.md"
FAMILY = (
    *("exercise", "low-internal", "rates-1-12", "rates-4-6", "rates-1-3", "fixed-3-5-2", "fixed-4-2-6", "fixed-11-3-8"),
    *("fixed-5-4-6", "extended", "five-machines"),
)
"""The eleven configurations of the exercise."""

NOTEBOOK_A = {
    "exercise": ("15-20 / 45", "2-3 / 8", "2-3 / 7"),
    "rates-1-12": ("35-40 / 92", "4-6 / 15", "4-5 / 12"),
    "fixed-3-5-2": ("18 / 42", "2.3 / 7", "2.1 / 6"),
    "fixed-4-2-6": ("25 / 51", "3.8 / 12", "3.4 / 8"),
    "fixed-11-3-8": ("45 / 98", "5.7 / 18", "5.2 / 14"),
    "fixed-5-4-6": ("12 / 28", "1.8 / 5", "1.7 / 4"),
}
"""What one of two earlier notebooks says: drift, queue and jump, the mean and the largest."""

NUMBERS = (
    *("drift_mean", "drift_max", "drift_pair_mean", "queue_mean", "queue_max", "jump_mean", "jump_max"),
    *("final_clock", "clock_rate"),
)
SHARES = ("share_internal", "share_send_one", "share_send_next", "share_send_all", "share_receive")
_TABLE = "<!-- {name}: python3 lab.py python -m tests.notebook -->\n{table}\n<!-- end of {name} -->"


def main() -> None:
    """Fill every table of the notebook."""
    text = NOTEBOOK.read_text()
    for name, make in TABLES.items():
        text = filled(text, name, "\n".join(make()))
    NOTEBOOK.write_text(text)


def filled(text: str, name: str, table: str) -> str:
    """Return a text with the table of that name in its place."""
    place = re.escape(_TABLE.format(name=name, table="TABLE")).replace("TABLE", ".*?")
    found, count = re.subn(place, lambda _: _TABLE.format(name=name, table=table), text, flags=re.DOTALL)
    assert count == 1, f"{NOTEBOOK}: {count} places for the table {name}"
    return found


@cache
def runs(name: str) -> tuple[Experiment, list[dict[str, Any]]]:
    """Return an experiment and the measures of its runs, each proved to be right."""
    experiment = load_experiment(ROOT / "configs" / f"{name}.yaml")
    found = []
    for number in range(1, experiment.runs + 1):
        report = check(simulated(experiment.machines(number)))

        assert {check.verdict for check in report.checks} <= {"valid", "not-applicable"}
        found.append(report.measures | {"events": report.events, "receives": report.receives})
    return experiment, found


def together(name: str, measures: Sequence[dict[str, Any]]) -> str:
    """Return the mean over the runs, or of what is the largest in a run the largest of all."""
    values = [one[name] for one in measures]
    if name.endswith("_max"):
        return str(max(values))
    return (
        f"{100 * sum(values) / len(values):.0f} %" if name.startswith("share_") else f"{sum(values) / len(values):.2f}"
    )


def _head(*titles: str) -> Iterator[str]:
    yield f"| configuration | {' | '.join(titles)} |"
    yield "|---|" + "---:|" * len(titles)


def of_all() -> Iterator[str]:
    """Yield what was seen in each configuration."""
    yield from _head(
        "drift: mean",
        "largest",
        "of a pair",
        "queue: mean",
        "longest",
        "jump: mean",
        "largest",
        "final clock",
        "clock/s",
    )
    for name in FAMILY:
        _, measures = runs(name)
        yield f"| {name} | {' | '.join(together(key, measures) for key in NUMBERS)} |"


def of_kinds() -> Iterator[str]:
    """Yield the mix of events in each configuration."""
    yield from _head("internal", "to one", "to the next", "to all", "receive")
    for name in FAMILY:
        _, measures = runs(name)
        yield f"| {name} | {' | '.join(together(key, measures) for key in SHARES)} |"


def of_runs() -> Iterator[str]:
    """Yield each run with its rates: what one seed gave, and what another."""
    yield from _head(
        "run", "ticks a second", "events", "drift: mean", "queue: longest", "jump: largest", "final clocks"
    )
    for name in FAMILY:
        experiment, measures = runs(name)
        for number, one in enumerate(measures, 1):
            rates = ", ".join(str(machine.rate_hz) for machine in experiment.machines(number).values())
            clocks = ", ".join(str(machine["final_clock"]) for machine in one["machines"].values())
            cells = (
                name,
                number,
                rates,
                one["events"],
                f"{one['drift_mean']:.2f}",
                one["queue_max"],
                one["jump_max"],
                clocks,
            )
            yield f"| {' | '.join(map(str, cells))} |"


def of_machines() -> Iterator[str]:
    """Yield, for rates that are given, what each machine did: means over the runs, the longest queue of all."""
    yield from _head(
        "ticks a second", "that receive", "that send", "queue: mean", "longest", "jump: mean", "final clock"
    )
    for name in FAMILY:
        experiment, measures = runs(name)
        if not name.startswith("fixed"):
            continue
        for node, machine in experiment.machines(1).items():
            mine = [one["machines"][str(node)] for one in measures]
            mine = [one | {"share_send": sum(one[f"share_send_{to}"] for to in ("one", "next", "all"))} for one in mine]
            keys = ("share_receive", "share_send", "queue_mean", "queue_max", "jump_mean", "final_clock")
            yield f"| {name} | {machine.rate_hz} | {' | '.join(together(key, mine) for key in keys)} |"


def of_notebooks() -> Iterator[str]:
    """Yield what an earlier notebook says of each configuration, and what we saw."""
    yield from _head("their drift", "ours", "their queue", "ours", "their jump", "ours")
    for name, theirs in NOTEBOOK_A.items():
        _, measures = runs(name)
        cells = []
        for key, claim in zip(("drift", "queue", "jump"), theirs, strict=True):
            cells += [claim, f"{together(f'{key}_mean', measures)} / {together(f'{key}_max', measures)}"]
        yield f"| {name} | {' | '.join(cells)} |"


TABLES = {"numbers": of_all, "mix": of_kinds, "machines": of_machines, "notebooks": of_notebooks, "runs": of_runs}

if __name__ == "__main__":
    main()
