"""The document has a row for each fault and each mistake, and names tests that exist."""

import re
from pathlib import Path

import pytest

from tests import promises
from tests.sim.mistakes import MISTAKES
from tests.sim.play import FAULTS
from tests.sim.publish import DOCUMENT, PROMISES, SEEDS_MAX


def rows_under(head: str) -> dict[str, list[str]]:
    """Return the rows of the table whose head begins so, by their first cells."""
    _, _, rest = DOCUMENT.read_text().partition(f"\n| {head} |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    cells = [line.strip("|").split(" | ") for line in lines]
    return {first.strip(): [first, *others] for first, *others in cells}


def test_every_fault_has_its_promise_and_its_last_figure() -> None:
    found = rows_under("fault")

    assert set(PROMISES) == set(FAULTS)
    assert [*FAULTS, "killed at every effect"] == list(found)
    for name in FAULTS:
        assert found[name][1] == PROMISES[name]
        assert int(found[name][3].replace(",", "")) > 0
        assert int(found[name][4]) == 0


def test_every_mistake_was_found_by_a_seed() -> None:
    found = rows_under("planted mistake")

    assert list(MISTAKES) == list(found)
    assert all(int(found[name][2]) < SEEDS_MAX for name in MISTAKES)


def test_the_table_of_running_nodes_says_what_is_on_record() -> None:
    text = DOCUMENT.read_text()

    assert "\n".join(promises.rows()) in text


def test_a_figure_is_kept_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the plain lane only if somebody asks for it; what no test has found names its lane."""
    document = tmp_path / "reliability.md"
    document.write_text(f"before\n{promises.BEGIN}old\n{promises.END}behind\n")
    monkeypatch.setattr(promises, "DOCUMENT", document)
    monkeypatch.setattr(promises, "FIGURES", tmp_path / "figures.json")
    monkeypatch.delenv("RECORD_FIGURES", raising=False)
    promises.record("SIGKILL", "soak", "100 kills")
    promises.record("SIGKILL", "test", "5 kills")
    (row,) = [line for line in document.read_text().splitlines() if line.startswith("| SIGKILL |")]

    assert re.search(r"\| `test`; 100 kills \(soak, \d{4}-\d\d-\d\d, [\d.]+\) \|$", row)

    monkeypatch.setenv("RECORD_FIGURES", "1")
    promises.record("SIGKILL", "test", "5 kills")
    text = document.read_text()

    assert re.search(r"\| 5 kills \(test, .*\); 100 kills \(soak, .*\) \|\n", text)
    assert text.startswith("before\n")
    assert text.endswith("behind\n")
    assert "old" not in text


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", DOCUMENT.read_text()))

    assert named
    for path, name in named:
        assert f"def {name}(" in (DOCUMENT.parents[1] / path).read_text()
