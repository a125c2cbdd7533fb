"""Reports for tests: what the command answers, and what stands in the page that it writes."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from orchestrator.__main__ import main

ROOT = Path(__file__).parents[1]
EXERCISE = str(ROOT / "configs" / "exercise.yaml")


def run(out: Path, *flags: str, config: str = EXERCISE, code: int = 0) -> Path:
    """Record a short simulated run."""
    words = ["run", config, "--lab", "simulated", "--runs", "1", "--duration", "8s", "--out", str(out)]

    assert main([*words, *flags]) == code
    return out


def report(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """Write a report and return the answer."""
    capsys.readouterr()
    assert main(["report", *words, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@dataclass
class Page(HTMLParser):
    """A page taken apart as a browser without scripts would: `words` are what it shows."""

    html: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    words: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._inside = ""
        self.feed(self.html)

    @classmethod
    def of(cls, path: str | Path) -> "Page":
        """Read a page."""
        return cls(Path(path).read_text("utf-8"))

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    @override
    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    @override
    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside == "style":
            self.styles.append(data)
        elif self._inside != "title":
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of this name."""
        return [attributes for name, attributes in self.tags if name == tag]

    def titles(self) -> list[str]:
        """Return the labels of the plots."""
        return [label for one in self.all("svg") if (label := one.get("aria-label"))]
