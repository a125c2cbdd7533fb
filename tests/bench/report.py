"""The report: how large its page is, and what it takes to write one, by the command.

The exercise's five simulated runs, then one run of 10^3, 10^4 and 10^5 events; to record them is not measured.
Peer: `check` of the same run, which a report does, too, before it draws.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.figures import Below, Bench, Limit, Row, Sample, interleave, row, seconds, spread
from tests.bench.table import table

ROOT = Path(__file__).parents[2]
EXERCISE = str(ROOT / "configs" / "exercise.yaml")
SIZES = {"1,000 events": 71, "10,000 events": 715, "100,000 events": 7150}
"""How many seconds the first run of the exercise takes to have so many events: 14 a second."""
SIZES_QUICK = {"100 events": 7}
FAMILY_BYTES, LARGE_BYTES, BYTES_AN_EVENT = 1_500_000, 4_000_000, 25


def run(rounds: int, quick: bool) -> list[Row]:
    """Return the size of each page, and the time of the command beside that of `check`."""
    sizes = SIZES_QUICK if quick else SIZES
    with TemporaryDirectory(prefix="scale-model-bench-") as folder:
        recorded = {name: _recorded(Path(folder) / str(length_s), length_s) for name, length_s in sizes.items()}
        recorded["the exercise, 5 runs"] = _recorded(Path(folder) / "exercise", 5 if quick else 60, runs=5)
        contenders: dict[str, Callable[[], Sample]] = {}
        for name, path in recorded.items():
            contenders[name] = partial(_taken, "report", path)
            contenders[f"{name}, check"] = partial(_taken, "check", path)
        samples = interleave(contenders, rounds)
        rows = []
        for name, path in recorded.items():
            rows += [
                *_sizes(name, path),
                row("  report", "s", samples[name], seconds),
                row("  peer: check", "s", samples[f"{name}, check"], seconds),
            ]
    return rows


def _sizes(name: str, path: Path) -> list[Row]:
    size = (path / "report.html").stat().st_size
    events = sum(json.loads(one.read_text())["events"] for one in path.glob("run-*/results.json"))
    is_family, is_large = name.startswith("the exercise"), events > 90_000
    most = FAMILY_BYTES if is_family else LARGE_BYTES if is_large else None
    rows = [_size(f"{name}: the page", size, most)]
    return [*rows, _size("  an event", size / events, BYTES_AN_EVENT)] if is_large else rows


def _size(name: str, size: float, most: int | None) -> Row:
    limit: Limit | None = None if most is None else Below(most)
    return Row(name, "B", spread([size]), None, limit)


def _recorded(path: Path, length_s: int, *, runs: int = 1) -> Path:
    words = ["run", EXERCISE, "--lab", "simulated", "--runs", str(runs), "--duration", f"{length_s}s"]
    subprocess.run(_command(*words, "--out", str(path)), check=True, capture_output=True)
    return path


def _taken(command: str, path: Path) -> Sample:
    """Perform a command once, from outside."""
    started_s = time.perf_counter()
    process = subprocess.Popen(_command(command, str(path)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started_s
    process.returncode = os.waitstatus_to_exitcode(status)

    assert process.returncode == 0
    return Sample(1, wall_s, usage.ru_utime + usage.ru_stime)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "orchestrator", *words]


BENCH = Bench("report", "the size of a report, and what it takes to write one", rounds=3, run=run, table=table)
