"""The lab book says what is seen: each table is made anew, and each figure of the text stands in one of them."""

import re

import pytest

from tests.notebook import NOTEBOOK, TABLES, filled

TEXT = NOTEBOOK.read_text()


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_notebook_is_what_its_runs_show(name: str) -> None:
    """No number without its run."""
    table = "\n".join(TABLES[name]())

    assert TEXT == filled(TEXT, name, table)


def test_no_figure_of_the_text_is_missing_from_the_tables() -> None:
    """Small numbers are words of the language, and what is in a code block is a command."""
    text = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
    tables = " ".join(line for line in text.splitlines() if line.startswith("|"))
    prose = "\n".join(line for line in text.splitlines() if not line.startswith(("|", "<!--", "#")))
    asked = {"60", "75", "360", "261", "55", "0.3", "0.7", "12"}  # what was asked, or follows from it alone
    figures = set(re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-]|\.\d)", re.sub(r"`[^`]*`", "", prose)))

    assert {one for one in figures if len(one) > 1} - asked <= set(re.findall(r"\d+(?:\.\d+)?", tables))
