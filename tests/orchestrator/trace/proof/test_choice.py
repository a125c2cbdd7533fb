"""Whether machine code is asked at all: the choice changes no word, and a short run never pays for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.trace.proof import choice

ROOT = Path(__file__).parents[4]

CHECK = """
import sys
from orchestrator.trace import check, trace_of
from orchestrator.trace.proof import choice
from tests.clusters import cluster
from tests.logs_on_disk import simulated_run
choice.EVENTS_MIN = choice.EVENTS_MIN_COLD = 0
trace = trace_of(cluster(3), *simulated_run(cluster(3)))
for _ in range(2):
    print(check(trace, trace).verdict, "numba" in sys.modules)
"""


def run(script: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a fresh process."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (*paths, ROOT)))}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)


def test_a_short_run_never_imports_numba() -> None:
    """It would cost more than the check."""
    done = run(CHECK.replace("choice.EVENTS_MIN = choice.EVENTS_MIN_COLD = 0", ""))

    assert done.stdout.splitlines() == ["valid False"] * 2
    assert done.stderr == ""


def test_without_numba_the_plain_checks_judge_and_say_so_once(tmp_path: Path) -> None:
    """It only takes longer."""
    Path(tmp_path, "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'numba' else found(name, *rest)\n"
    )
    done = run(CHECK, tmp_path)

    assert done.stdout.splitlines() == ["valid False"] * 2
    assert done.stderr.count("\n") == 1
    assert "numba is not installed" in done.stderr


def test_what_must_be_compiled_first_pays_for_longer_runs_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check is never slower for it."""
    between = (choice.EVENTS_MIN + choice.EVENTS_MIN_COLD) // 2
    monkeypatch.setattr(choice, "holds", lambda function: False)

    assert not choice.is_worth_compiling(between)
    assert choice.is_worth_compiling(choice.EVENTS_MIN_COLD)
    monkeypatch.setattr(choice, "holds", lambda function: True)
    assert choice.is_worth_compiling(between)
    assert not choice.is_worth_compiling(choice.EVENTS_MIN - 1)
