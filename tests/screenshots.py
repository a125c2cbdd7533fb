"""`python -m tests.screenshots [DIR]`: reports as people see them, in four sizes and themes, to be looked at.

Never judges: whoever looks does. With --readme it also makes the three pictures of the README, small ones.
"""

import argparse
import io
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from PIL import Image

from orchestrator.__main__ import main as orchestrator
from tests.browser import browser, opened

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"


class Look(NamedTuple):
    """How somebody looks at a page."""

    name: str
    width: int
    height: int
    theme: str


class Shot(NamedTuple):
    """A picture of the README: which page, seen how, from which element on."""

    name: str
    page: str
    look: Look
    start: str


LOOKS = (
    Look("phone", 390, 844, "dark"),
    Look("tablet", 820, 1180, "light"),
    Look("desk", 1440, 900, "light"),
    Look("projector", 1920, 1080, "dark"),
)
PAGES: dict[str, tuple[list[list[str]], str]] = {
    "exercise": (
        [["run", "{configs}/exercise.yaml", "--lab", "simulated", "--out", "exercise"], ["report", "exercise"]],
        "exercise/report.html",
    ),
    "mistake": (
        [
            [
                "run",
                "{configs}/exercise.yaml",
                "--lab",
                "simulated",
                "--runs",
                "1",
                "--set",
                "clock=lamport-literal",
                "--out",
                "mistake",
            ],
            ["report", "mistake"],
        ],
        "mistake/report.html",
    ),
    "crash": (
        [
            ["run", "{configs}/crash-and-return.yaml", "--lab", "simulated", "--runs", "1", "--out", "crash"],
            ["report", "crash"],
        ],
        "crash/report.html",
    ),
    "logs": ([["export", "mistake", "--format", "classic", "--out", "logs"], ["report", "logs"]], "logs-report.html"),
    "thousand": (
        [
            [
                "run",
                "{configs}/exercise.yaml",
                "--lab",
                "simulated",
                "--runs",
                "1",
                "--duration",
                "2s",
                "--set",
                "nodes=1000",
                "--set",
                "topology=ring",
                "--out",
                "thousand",
            ],
            ["report", "thousand"],
        ],
        "thousand/report.html",
    ),
    "two": ([["report", "exercise/run-1", "--compare", "mistake", "--out", "two.html"]], "two.html"),
}
README = (
    Shot("verdict", "mistake", Look("", 1120, 640, "light"), "body"),
    Shot("diagram", "mistake", Look("", 1120, 560, "dark"), "#run-1-diagram"),
    Shot("plots", "crash", Look("", 1120, 650, "light"), ".plots"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make every page, and every picture of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=Path("screenshots"), metavar="DIR")
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES), metavar="PAGE")
    parser.add_argument("--readme", action="store_true", help="make the pictures of the README alone")
    given = parser.parse_args(arguments)
    out = given.out.resolve()
    with TemporaryDirectory() as folder, browser() as started:
        os.chdir(folder)
        pages = ["mistake", "crash"] if given.readme else given.pages
        for name in PAGES if not given.readme else pages:
            _make(name)
        if given.readme:
            _of_readme(started, Path(folder))
        else:
            _of_all(started, Path(folder), out, pages)


def _make(name: str) -> None:
    for words in PAGES[name][0]:
        assert orchestrator([word.format(configs=ROOT / "configs") for word in words]) in (0, 1)


def _of_all(started: Any, folder: Path, out: Path, pages: Sequence[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name in pages:
        for look in LOOKS:
            with _seen(started, folder / PAGES[name][1], look) as found:
                found.page.screenshot(path=out / f"{name}-{look.name}.png", full_page=True)
                print(f"{name}-{look.name}.png", *found.problems)


def _of_readme(started: Any, folder: Path) -> None:
    PICTURES.mkdir(exist_ok=True)
    for shot in README:
        with _seen(started, folder / PAGES[shot.page][1], shot.look) as found:
            found.page.evaluate("(start) => document.querySelector(start).scrollIntoView()", shot.start)
            found.drawn()
            picture = Image.open(io.BytesIO(found.page.screenshot())).convert("RGB")
        picture.save(PICTURES / f"{shot.name}.png", optimize=True)
        print(PICTURES / f"{shot.name}.png", (PICTURES / f"{shot.name}.png").stat().st_size)


def _seen(started: Any, page: Path, look: Look) -> Any:
    return opened(started, page, width=look.width, height=look.height, color_scheme=look.theme)


if __name__ == "__main__":
    main()
