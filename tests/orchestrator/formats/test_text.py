"""Records of a text: whatever the expressions, every line is a record's, known to be none, or counted."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.orchestrator.formats.reading import records, values

HOST_FIRST = r"record: '^(?<host>\S+) (?<clock>\{.*\})\n(?<event>.*)'"


def test_a_record_may_have_several_lines() -> None:
    text = 'a {"a":1}\nsend ping\nb {"b":1}\nreceive ping\n'
    batches, lines = records(text, HOST_FIRST)

    assert ["send ping", "receive ping"] == batches[0].values["event"]
    assert [1, 3] == batches[0].lines
    assert [] == lines.unmatched


def test_lines_that_match_nothing_are_counted_and_the_first_are_kept() -> None:
    text = "banner\n\n1 send\nnoise\n2 send\nmore\nend\n"
    _, lines = records(text, r"record: '^(?<clock>\d+) (?<kind>\w+)$'")

    assert [1, 4, 6, 7] == lines.unmatched
    assert [(1, "banner"), (4, "noise"), (6, "more")] == lines.examples


def test_a_record_that_begins_in_a_line_to_be_ignored_is_none() -> None:
    text = "1 send\n2 send # test\n3 send\n"
    batches, lines = records(text, r"{record: '^(?<clock>\d+) (?<kind>\w+)', ignore: '# test'}")

    assert ["1", "3"] == batches[0].values["clock"]
    assert 1 == lines.ignored
    assert [] == lines.unmatched


def test_an_expression_that_can_be_empty_makes_no_records_of_nothing() -> None:
    batches, lines = records("a\n\nb\n", r"record: '(?<kind>\w*)'")

    assert [["a", "b"]] == [batch.values["kind"] for batch in batches]
    assert 2 == lines.records


def test_without_record_the_expressions_of_kinds_find_the_events() -> None:
    """What none of them finds is no event, and is counted."""
    batches, lines = records(
        "(1) got 5\n(2) sent to b\nbye\n",
        r"kinds: {receive: '^\((?<clock>\d+)\) got (?<stamp>\d+)$', send: '^\((?<clock>\d+)\) sent to (?<to>\w+)$'}",
    )

    assert ["receive", "send"] == batches[0].kinds
    assert ["1", "2"] == batches[0].values["clock"]
    assert ["5", None] == batches[0].values["stamp"]
    assert [None, "b"] == batches[0].values["to"]
    assert [3] == lines.unmatched


@pytest.mark.parametrize("backreference", ["", r"(?:(?<x>q)(?P=x))?"])
def test_of_expressions_that_match_at_one_place_the_first_wins(backreference: str) -> None:
    """Whether or not they can be joined into one."""
    layout = rf"record: ['^(?<kind>a\w) {backreference}(?<clock>\d+)$', '^(?<kind>\w+) (?<clock>\d+)$']"
    text = "ab 1\nbc 2\nabc 3\n"

    assert ["ab", "bc", "abc"] == values(text, layout, "kind")
    assert ["1", "2", "3"] == values(text, layout, "clock")


def test_lines_end_at_newlines_alone() -> None:
    """What other programs take for the end of a line stays within."""
    text = "1 a\u2028b\n2 c\x0bd\x1c\n3 e\x85\n"
    batches, lines = records(text, r"record: '^(?<clock>\d) (?<event>.*)$'")

    assert [1, 2, 3] == batches[0].lines
    assert "a\u2028b" == batches[0].values["event"][0]
    assert [] == lines.unmatched


LINES = st.lists(st.sampled_from(["1 send", "22 receive", "ä ö", "", "   ", "banner", "3 send x", "4 😀"]), max_size=30)


@given(LINES, st.sampled_from(["", "\n"]))
def test_every_line_that_is_not_blank_is_counted_once(rows: list[str], end: str) -> None:
    text = "\n".join(rows) + end
    batches, lines = records(text, r"{record: '^(?<clock>\d+) (?<kind>\w+)$', ignore: banner}")
    matching = [number for number, row in enumerate(rows, 1) if re.fullmatch(r"\d+ \w+", row)]

    assert matching == [number for batch in batches for number in batch.lines]
    assert rows.count("banner") == lines.ignored
    assert len([row for row in rows if row.strip()]) == lines.records + lines.ignored + len(lines.unmatched)


@given(LINES)
def test_joined_expressions_find_what_each_finds_alone(rows: list[str]) -> None:
    """An expression that cannot be joined is searched by itself; the answer is the same."""
    text = "\n".join(rows)
    plain = [r"'^(?<clock>\d+) send$'", r"'^(?<clock>\d+) (?<event>\w+)$'"]
    alone = [r"'^(?<clock>\d+) send(?:(?<y>q)(?P=y))?$'", r"'^(?<clock>\d+) (?<event>\w+)$'"]
    found = [records(text, f"record: [{', '.join(some)}]") for some in (plain, alone)]

    assert found[0][1] == found[1][1]
    for field in ("clock", "event"):
        one, other = ([batch.values[field] for batch in batches] for batches, _ in found)
        assert one == other
