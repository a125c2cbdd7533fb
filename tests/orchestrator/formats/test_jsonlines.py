"""Records of JSON: an object a line, or a list of objects; a path leads to each field."""

import json

import pytest

from tests.orchestrator.formats.reading import records, values

JSON = "layout: json"


def test_a_path_leads_to_each_field() -> None:
    text = '{"m": {"from": ["a", 5]}, "lc": {"value": 7}}\n'
    layout = "{layout: json, fields: {from: m.from.0, stamp: m.from.1, clock: lc.value}}"

    assert (["a"], [5], [7]) == tuple(values(text, layout, field) for field in ("from", "stamp", "clock"))


def test_of_several_sources_the_first_that_is_there_counts() -> None:
    text = '{"a": 1}\n{"b": 2}\n{"a": 3, "b": 4}\n'

    assert [1, 2, 3] == values(text, "{layout: json, fields: {clock: [a, b]}}", "clock")


def test_braces_put_values_together_and_a_mark_lets_one_be_absent() -> None:
    text = '{"a": 1, "b": 2}\n{"a": 3}\n'

    assert ["1-2", None] == values(text, "{layout: json, fields: {message: '{a}-{b}'}}", "message")
    assert ["1 2", "3"] == values(text, "{layout: json, fields: {event: '{a} {b?}'}}", "event")


@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_of_objects_is_read_however_it_is_laid_out(indent: int | None) -> None:
    objects = [{"clock": clock, "to": ["a", "b"]} for clock in range(1, 5)]
    batches, lines = records(json.dumps(objects, indent=indent), JSON)

    assert [1, 2, 3, 4] == batches[0].values["clock"]
    assert [] == lines.unmatched


def test_objects_with_commas_between_lines_are_read() -> None:
    assert [1, 2] == values('[\n{"clock": 1},\n{"clock": 2}\n]\n', JSON, "clock")


def test_the_line_of_an_object_is_the_one_where_it_begins() -> None:
    text = "[\n" + ",\n".join(json.dumps({"clock": clock}, indent=2) for clock in (1, 2)) + "\n]\n"

    assert [2, 5] == records(text, JSON)[0][0].lines


def test_what_stands_before_an_object_may_be_fields() -> None:
    text = '09:00 a {"clock": 1}\n09:01 b {"clock": 2}\n'
    layout = r"{layout: json, record: '^(?<time>\S+) (?<node>\w+)'}"

    assert (["09:00", "09:01"], ["a", "b"]) == (values(text, layout, "time"), values(text, layout, "node"))


def test_what_is_no_object_is_counted() -> None:
    text = '{"clock": 1}\n7\n"text"\n[1]\n{"clock": \n' + '{"a":' * 3000 + "\n"
    _, lines = records(text, JSON)

    assert [2, 3, 4, 5, 6] == lines.unmatched


def test_a_number_that_is_too_large_for_a_clock_is_no_reason_to_fail() -> None:
    assert 1 == len(values(f'{{"clock": 1{"0" * 4000}}}\n{{"clock": 2}}\n', JSON, "clock")[:1])
