"""A page from a document: one file that asks nobody for anything, and says so to the browser.

Never lets a word of a log be more than a word: everything that a template prints is made visible, then escaped.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from orchestrator.report.diagram import SCRIPT, STYLE
from orchestrator.report.document import Document
from orchestrator.report.glossary import CHECKS, EVIDENCE, TERMS, VERDICTS
from orchestrator.report.visible import visible
from orchestrator.version import program_version

MARK: Final = "A report of Scale Model: made from a record, and made again as often as one likes."
"""By this a report of ours is known, and may be replaced."""
FOLDER: Final = Path(__file__).with_name("page")


def page_of(document: Document) -> bytes:
    """Return the page; the same document gives the same bytes."""
    style = "\n".join([_text("page.css"), _dark(), STYLE])
    scripts = (SCRIPT, _text("page.js"))
    allowed = " ".join(map(_hash, scripts))
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {allowed}; base-uri 'none'; form-action 'none'"
    text = _template().render(
        page=document,
        mark=MARK,
        policy=_safe(policy),
        style=_safe(style),
        scripts=[_safe(script) for script in scripts],
        terms=TERMS | EVIDENCE | CHECKS,
        checks=CHECKS,
        verdicts=VERDICTS,
        version=program_version(),
    )
    return str(text).encode("utf-8", "replace")


def _dark() -> str:
    """Return the dark colours for whoever prefers them, and for whoever asks for them; paper is light."""
    dark = _text("dark.css")
    preferred = f'@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}'
    return f'{preferred}\n@media screen {{ :root[data-theme="dark"] {{ {dark} }} }}'


def _text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _safe(text: str) -> Markup:
    assert "</script" not in text and "</style" not in text, "neither a style nor a script ends itself"
    return Markup(text)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(FOLDER, encoding="utf-8"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _visible(value: Any) -> Any:
    return visible(value) if type(value) is str else value
