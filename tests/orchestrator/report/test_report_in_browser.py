"""Reports as people open them: from the file, with no complaint of the browser and no question to anybody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.report.glossary import CHECKS
from tests import foreign_logs
from tests.browser import WHY_NOT, browser, chromium, opened
from tests.clusters import cluster
from tests.reports import ROOT, report, run
from tests.shipped import RUN_BY_TESTS

pytestmark = [pytest.mark.live, pytest.mark.skipif(chromium() is None, reason=WHY_NOT)]

FAMILY = (
    *("exercise", "low-internal", "rates-1-12", "rates-4-6", "rates-1-3", "fixed-3-5-2", "fixed-4-2-6", "fixed-11-3-8"),
    *("fixed-5-4-6", "extended", "five-machines"),
)
"""The eleven configurations of the exercise."""


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    """Start the browser once."""
    with browser() as found:
        yield found


def _look(started: Any, page: str, **how: Any) -> None:
    """Open a page, unfold everything in it, and see that nothing went wrong and nothing is wider than the window."""
    with opened(started, Path(page), **how) as found:
        found.page.evaluate("() => { for (const one of document.querySelectorAll('details')) one.open = true; }")
        found.drawn()
        width = found.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")

        assert found.problems == []
        assert width <= 0


def test_a_wrong_run_can_be_followed_from_its_verdict_into_the_diagram(
    started: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A link to an event selects it there; the switch turns the page dark; a phone shows all of it."""
    wrong = run(tmp_path / "wrong", "--set", "clock=lamport-literal", code=1)
    page = report(capsys, str(wrong))["report"]

    with opened(started, Path(page), color_scheme="light") as found:
        found.page.click(".verdict a.event")
        found.drawn()
        link = found.page.inner_text(".verdict a.event >> nth=0")

        assert link in found.words()
        found.page.hover("#checks .term >> nth=0")
        assert found.page.locator(".tip:visible").all_inner_texts() == [CHECKS["clock-condition"]]
        found.page.click(".switch")
        assert found.page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"
        assert found.problems == []
    _look(started, page, width=390, height=844, color_scheme="dark")


def test_without_javascript_verdict_plots_and_tables_are_there(
    started: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = report(capsys, str(run(tmp_path / "run", "--duration", "3s")))["report"]

    with opened(started, Path(page), java_script_enabled=False) as found:
        assert found.page.is_visible(".verdict .word")
        assert found.page.locator("figure.plot svg:visible").count() == 5
        assert found.page.locator("table:visible").count() >= 3
        assert found.page.is_hidden(".switch")


def test_pages_of_others_and_of_two_runs_open_without_complaint(
    started: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Logs without receives that name anything, vectors without time, a story, a pair."""
    monkeypatch.chdir(tmp_path)
    machines = cluster(3, seconds=4)
    foreign_logs.write(tmp_path / "beta", foreign_logs.beta(machines))
    foreign_logs.write(tmp_path / "vectors", {"log.txt": foreign_logs.shiviz(foreign_logs.vectors(machines))})
    story = str(ROOT / "examples" / "stories" / "lamport-1978.story")
    a, b = (str(run(tmp_path / f"seed-{seed}", "--duration", "3s", "--seed", seed)) for seed in "12")

    for words in (["beta"], ["vectors"], [story], [a, "--compare", b]):
        _look(started, report(capsys, *words)["report"], width=1280, height=720, color_scheme="dark")


@pytest.mark.soak
@pytest.mark.parametrize("name", FAMILY)
def test_every_configuration_of_the_exercise_has_a_page_without_complaint(
    started: Any, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The five runs of each, whole: about 7 s of CPU each."""
    config = str(ROOT / "configs" / f"{name}.yaml")
    answer = report(capsys, str(run(tmp_path / name, "--duration", "60s", "--runs", "5", config=config)))

    assert answer["bytes"] < 1_500_000
    _look(started, answer["report"], width=1600, height=900)


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(path.stem for path in RUN_BY_TESTS if path.stem not in FAMILY))
def test_every_question_about_faults_has_a_page_without_complaint(
    started: Any, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run of each: about 2 s of CPU each."""
    config = str(ROOT / "configs" / f"{name}.yaml")

    _look(started, report(capsys, str(run(tmp_path / name, "--duration", "60s", config=config)))["report"])
