"""The document has a row for each fault and each mistake, and names tests that exist."""

import re

from tests.sim.mistakes import MISTAKES
from tests.sim.play import FAULTS
from tests.sim.publish import DOCUMENT, PROMISES, SEEDS_MAX

ROWS = [line.strip("|").split(" | ") for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]


def test_every_fault_has_its_promise_and_its_last_figure() -> None:
    found = {row[0].strip(): row for row in ROWS if len(row) == 5}

    assert set(PROMISES) == set(FAULTS)
    assert [*FAULTS, "killed at every effect"] == list(found)[1:]
    for name in FAULTS:
        assert found[name][1] == PROMISES[name]
        assert int(found[name][3].replace(",", "")) > 0
        assert int(found[name][4]) == 0


def test_every_mistake_was_found_by_a_seed() -> None:
    found = {row[0].strip(): row for row in ROWS if len(row) == 4}

    assert list(MISTAKES) == list(found)[1:]
    assert all(int(found[name][2]) < SEEDS_MAX for name in MISTAKES)


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", DOCUMENT.read_text()))

    assert named
    for path, name in named:
        assert f"def {name}(" in (DOCUMENT.parents[1] / path).read_text()
