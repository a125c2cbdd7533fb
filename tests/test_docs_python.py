"""The examples of docs/python.md run, and print what is shown below them."""

import re
from pathlib import Path

import pytest

import orchestrator

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "python.md").read_text()
EXAMPLE = re.compile(r"^## ([^\n]*)\n(?:(?!^## ).)*?```python\n(.*?)```\n\n```\n(.*?)```\n", re.MULTILINE | re.DOTALL)
EXAMPLES = EXAMPLE.findall(DOCUMENT)


def test_there_are_five_examples_and_each_is_found() -> None:
    assert len(EXAMPLES) == DOCUMENT.count("```python\n") == 5


@pytest.mark.parametrize(("code", "shown"), [rest for _, *rest in EXAMPLES], ids=[title for title, *_ in EXAMPLES])
def test_an_example_prints_what_is_shown(
    code: str, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(code, "docs/python.md", "exec"), {})

    assert capsys.readouterr().out == shown


def test_every_function_of_the_face_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `(\w+)\(", DOCUMENT, re.MULTILINE)) == set(orchestrator.__all__)


def test_a_line_of_code_fits_a_terminal() -> None:
    assert [] == [line for _, *blocks in EXAMPLES for line in "".join(blocks).splitlines() if len(line) > 100]
