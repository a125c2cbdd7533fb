"""Clocks and other numbers, as people write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.formats.clocks import CLOCK_MAX, read_numbers, read_vector
from orchestrator.trace.store import NULL


def test_numbers_are_read_from_texts_and_from_json() -> None:
    assert [1, 22, NULL, NULL] == read_numbers(["1", "22", "", None], 4).column.tolist()
    assert [1, 22, NULL] == read_numbers([1, 22, None], 3).column.tolist()
    assert [1, 2] == read_numbers(["1.0", 2.0], 2).column.tolist()


@pytest.mark.parametrize("word", ["-", "--", "None", "null", "N/A", "nan"])
def test_a_word_for_nothing_is_no_number_and_no_mistake(word: str) -> None:
    numbers = read_numbers(["1", word], 2)

    assert ([1, NULL], {}) == (numbers.column.tolist(), numbers.bad)


@pytest.mark.parametrize("value", ["9" * 4000, str(CLOCK_MAX + 1), "1.5", "one", "1_000", "٣", True, [1], {"a": 1}])
def test_what_no_clock_can_be_is_said_with_its_position(value: object) -> None:
    numbers = read_numbers(["1", value, "3"], 3)

    assert [1, NULL, 3] == numbers.column.tolist()
    assert {1: "no number that a clock can be"} == numbers.bad


def test_fractional_clocks_keep_every_digit() -> None:
    numbers = read_numbers(["1.5", "2", "2.125"], 3, is_fractional=True)

    assert ([1500, 2000, 2125], 1000) == (numbers.column.tolist(), numbers.scale)


@given(st.lists(st.one_of(st.integers(-5, 10**12), st.none()), max_size=40))
def test_the_fast_way_reads_what_the_plain_way_reads(given_: list[int | None]) -> None:
    """A number of 16 digits is read by the plain way, and with it all of its column."""
    texts = ["" if number is None else str(number) for number in given_]
    fast, plain = read_numbers(texts, len(texts)), read_numbers([*texts, "1" * 16], len(texts) + 1)

    assert np.array_equal(fast.column, plain.column[:-1])


@pytest.mark.parametrize(
    ("text", "vector"),
    [
        ('{"a":1, "b":2}', {"a": 1, "b": 2}),
        (r"{\"a\":1, \"b\":2}", {"a": 1, "b": 2}),
        ("{'a': 1, 'b': 2}", {"a": 1, "b": 2}),
        ("{a=1, b=2}", {"a": 1, "b": 2}),
        ("map[a:1 b:2]", {"a": 1, "b": 2}),
        ("a:1,b:2", {"a": 1, "b": 2}),
        ("<a=1,b=2>", {"a": 1, "b": 2}),
        ("host:80=1; host:81=2", {"host:80": 1, "host:81": 2}),
        ("[1, 0, 2]", (1, 0, 2)),
        ("(1,0,2)", (1, 0, 2)),
        ("<1 0 2>", (1, 0, 2)),
        ("1,0,2", (1, 0, 2)),
        ("{}", {}),
        ("", None),
        ("[1, -2]", None),
        ("[1, x]", None),
        ('{"a": "b"}', None),
        ("{a:1, a:2}", None),
        ("soon", None),
    ],
)
def test_a_vector_is_json_pairs_or_a_list(text: str, vector: object) -> None:
    assert vector == read_vector(text)
