"""A page in a browser for tests and benches: opened from its file, with everything that goes wrong in it noted."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.report.diagram import SCRIPT, STYLE, Diagram, embed

NAMES = ("chromium", "chromium-browser", "google-chrome")
WHY_NOT = "there is no chromium (Debian: apt install chromium), or `lab.py test` was not run since there is one"
EXPORTED = "search, relation, path, chain, depth, past, future, cut, rowOf, nameOf, visible, describe, ticks"


def chromium() -> str | None:
    """Return where the browser is, and nothing if it cannot be driven."""
    try:
        import playwright  # noqa: F401, PLC0415
    except ImportError:
        return None
    named = os.environ.get("SCALE_MODEL_BROWSER")
    return next(filter(None, map(shutil.which, NAMES if named is None else (named,))), None)


def page_of(*diagrams: Diagram, more: str = "") -> str:
    """Return a page as strict as a report: nothing but what is in it, and no script or style without the nonce."""
    shown = "".join(embed(diagram, identity=f"run-{number}") for number, diagram in enumerate(diagrams, start=1))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Diagrams</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'nonce-n'; style-src 'nonce-n'">
<style nonce="n">body {{ margin: 8px }} {STYLE}</style></head>
<body>{shown}{more}
<script type="module" nonce="n">{SCRIPT}
globalThis.spaceTime = {{ {EXPORTED} }};
</script></body></html>
"""


@dataclass
class Opened:
    """A page, and what went wrong in it: console errors, exceptions, and requests for anything but the file."""

    page: Any
    problems: list[str] = field(default_factory=list)
    _metrics: Any = None

    def diagram(self, expression: str, argument: object = None) -> Any:
        """Return what an expression is of `d`, the first diagram, and the argument `a`."""
        return self.page.evaluate(
            f"(a) => {{ const d = document.querySelector('.space-time').diagram; return {expression}; }}", argument
        )

    def drawn(self) -> None:
        """Wait until what was asked for has been drawn."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def script_s(self) -> float:
        """Return how much CPU time the scripts of the page have had."""
        if self._metrics is None:
            self._metrics = self.page.context.new_cdp_session(self.page)
            self._metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
        found = self._metrics.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in found if one["name"] == "ScriptDuration"))

    def words(self) -> str:
        """Return what is said of the selected events."""
        return str(self.page.inner_text(".st-words"))


@contextmanager
def browser() -> Iterator[Any]:
    """Start the browser."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        try:
            yield started
        finally:
            started.close()


@contextmanager
def opened(started: Any, file: Path, *, width: int = 1200, height: int = 800, **context: Any) -> Iterator[Opened]:
    """Open a file in a fresh context."""
    fresh = started.new_context(viewport={"width": width, "height": height}, **context)
    try:
        found = Opened(fresh.new_page())
        found.page.on("console", lambda said: found.problems.append(said.text) if said.type == "error" else None)
        found.page.on("pageerror", lambda error: found.problems.append(str(error)))
        found.page.on("request", lambda one: None if one.url == file.as_uri() else found.problems.append(one.url))
        found.page.goto(file.as_uri())
        if context.get("java_script_enabled", True):
            found.drawn()
        yield found
    finally:
        fresh.close()
