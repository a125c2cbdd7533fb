"""The benches run, in a tiny size, and say what they found in one JSON object."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench import evidence, simulated
from tests.bench.figures import AtLeast, Below, Sample, per_second, ratio, row, seconds, spread
from tests.bench.publish import BEGIN, END, OF_SIMULATION
from tests.bench.table import table
from tests.browser import WHY_NOT, chromium

ROOT = Path(__file__).parents[1]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m tests.bench`."""
    command = [sys.executable, "-m", "tests.bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def answer(name: str, rounds: int = 2) -> dict[str, Any]:
    """Return what a bench says of a tiny run."""
    done = bench(name, "--quick", "--rounds", str(rounds), "--json")

    assert done.returncode == 0, done.stderr
    whole: dict[str, Any] = json.loads(done.stdout)
    assert whole["context"]["cores"] >= 1
    (only,) = whole["benches"]
    assert (only["bench"], only["rounds"]) == (name, rounds)
    return {row["name"]: row for row in only["rows"]}


@pytest.mark.parametrize("name", ["process", "wire", "faults"])
def test_a_bench_gives_figures_and_judges_no_tiny_size(name: str) -> None:
    """Every figure has a median inside its interval, and CPU beside the wall."""
    for found in answer(name).values():
        assert 0 < found["wall"]["low"] <= found["wall"]["median"] <= found["wall"]["high"]
        assert found["cpu"]["median"] > 0
        assert found["limit"] is found["met"] is None


def test_the_bench_of_audits_gives_time_and_memory_of_the_command() -> None:
    """Each kind of log has its own peak, its lines a second and its peer; the bench itself looks at the verdicts."""
    found = answer("audit", rounds=1)

    for name in ("by id: check 2,000 lines", "by order: check 2,000 lines"):
        assert found[name]["cpu"]["median"] > 0
        assert found[name]["judged"] == "cpu"
    assert 10 < found["  peak memory"]["wall"]["median"] < 1000
    assert found["  re alone : check"]["wall"]["median"] > 1


def test_the_bench_of_evidence_says_what_each_kind_of_log_shows() -> None:
    """A row for each setting, mistake and kind of log; a share is not more than all."""
    done = bench("evidence", "--quick", "--json")
    (only,) = json.loads(done.stdout)["benches"]

    assert done.returncode == 0, done.stderr
    assert len(only["rows"]) == len(evidence.INTERNAL) * len(evidence.PLANTS) * len(evidence.KINDS)
    assert all(0 <= row["violated"] + row["unknown"] <= row["runs"] == 1 for row in only["rows"])


def test_a_mistake_of_order_is_always_found_by_id_and_by_order_and_nothing_in_a_clean_log() -> None:
    """The limits of the bench, of a few seeds; `python3 lab.py bench evidence` looks at many."""
    judged = [row for row in evidence.run(2, quick=False) if row.is_met is not None]

    assert [] == [row for row in judged if not row.is_met]
    assert {(row.kind.grade, row.must_be) for row in judged} >= {("by-id", 2), ("by-order", 2), ("by-counting", 0)}


def test_a_limit_may_be_on_the_cpu() -> None:
    """Where others are busy, too, the wall clock measures them."""
    sample = Sample(1, 30, 10)

    assert row("by CPU", "s", [sample], seconds, Below(20), judged="cpu").is_met
    assert not row("by wall", "s", [sample], seconds, Below(20)).is_met
    assert row("untold", "s", [Sample(1, 30, None)], seconds, Below(20), judged="cpu").is_met is None


def test_the_bench_of_the_compiled_simulation_compares_bits_and_gives_figures() -> None:
    """The bench itself asserts that C gives the same bits and SimPy the same events; one row for each size."""
    done = bench("simulated", "--quick", "--json")

    assert done.returncode == 0, done.stderr
    for found in json.loads(done.stdout)["rows"]:
        for figure in ("ns_per_event", "simpy_ns_per_event", "c_ns_per_event", "bytes_per_event"):
            assert found[figure] > 0
        assert simulated.from_json(found).as_json() == found
        assert found["limits"] == {}


def test_the_document_of_the_simulation_has_the_row_of_each_size() -> None:
    """`python3 lab.py python -m tests.bench.publish found.json` wrote them."""
    published = OF_SIMULATION.read_text().partition(BEGIN)[2].partition(END)[0]
    cells = [line.split("|")[1].strip() for line in published.splitlines() if line.startswith("|")]

    if cells:  # Nothing stands there before the first publication.
        assert cells == ["machines", "---:", *(f"{size.machines:,}" for size in simulated.SIZES)]
        assert all(head in published for head in simulated.heads())


@pytest.mark.live
def test_the_bench_of_live_clusters_gives_figures() -> None:
    """Real processes, the command line among them; the bench itself compares each run with its simulation."""
    found = answer("fast")

    assert found["3 processes: ticking"]["wall"]["median"] > 0
    assert found["run exercise.yaml, 3 processes"]["wall"]["median"] > 0


@pytest.mark.live
@pytest.mark.skipif(chromium() is None, reason=WHY_NOT)
def test_the_bench_of_the_diagram_gives_figures() -> None:
    """The bench itself asserts that the page has nothing to complain of."""
    found = answer("diagram")

    assert 0 < found["500 events: bytes each"]["wall"]["median"] < 25
    assert 0 < found["500: p95 a frame at 1"]["cpu"]["median"]
    assert found["500: primitives at 1"]["wall"]["median"] <= 5000


def test_an_unknown_bench_is_refused_in_one_line() -> None:
    """A mistyped name must not measure everything."""
    done = bench("wires", "--json")

    assert (done.returncode, done.stdout) == (64, "")
    assert "no bench 'wires'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_interval_of_few_rounds_is_their_range_and_of_many_is_narrower() -> None:
    """Order statistics: of nine values the second to the eighth hold the median with 96 %."""
    assert spread([3, 1, 2]) == (2, 1, 3)
    assert spread(range(9)) == (4, 1, 7)
    assert spread(range(8)) == (3.5, 0, 7)


def test_a_limit_is_judged_by_the_wall_median() -> None:
    """One bad round of three changes nothing."""
    slow, quick = Sample(10, 4, 4), Sample(10, 1, 1)
    kept = ratio("kept", [quick, quick, slow], [slow, slow, slow], AtLeast(4))

    assert kept.is_met
    assert not ratio("missed", [quick, slow, slow], [slow, slow, slow], AtLeast(4)).is_met
    assert not row("as much", "/s", [slow], per_second, Below(2.5)).is_met


def test_a_table_fits_80_columns() -> None:
    """However large or small the figures are."""
    samples = [Sample(10**9, 1.0, None), Sample(1, 1.0, None)]
    lines = list(table([row("x" * 30, "/s", samples, per_second, AtLeast(1000))]))
    lines += table([row("x" * 30, "s", [Sample(1, 30.0, 30.0)], seconds, Below(20), judged="cpu")])

    assert max(map(len, lines)) <= 80
    assert lines[-1].endswith("CPU < 20 MISSED")
    assert "MISSED" not in lines[1]
