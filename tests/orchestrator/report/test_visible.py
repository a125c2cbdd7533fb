"""What cannot be seen is shown, and everything else stays what it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report.visible import NAME_LENGTH_MAX, short, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("machine-1", "machine-1"),
        ("Zürich 東京", "Zürich 東京"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\x1b[31m", "⟨U+001B⟩[31m"),
        ("\ufeffx\u200b", "⟨U+FEFF⟩x⟨U+200B⟩"),
        ("two\nlines", "two\nlines"),
        ("\ud800", "⟨U+D800⟩"),
    ],
)
def test_a_letter_that_cannot_be_seen_stands_by_its_number(text: str, shown: str) -> None:
    assert shown == visible(text)


@given(st.text())
def test_nothing_turns_a_line_around_or_is_no_letter(text: str) -> None:
    assert not set(visible(text)) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\0\x1b")
    visible(text).encode()


def test_a_long_name_is_cut_and_says_so() -> None:
    assert "x" * (NAME_LENGTH_MAX - 1) + "…" == short("x" * 100)
    assert "two lines" == short("two\nlines")
