"""Records of lines of `key=value` pairs."""

from tests.orchestrator.formats.reading import records, values

PAIRS = "layout: pairs"


def test_keys_are_fields_in_any_order() -> None:
    text = "clock=1 kind=send\nkind=receive clock=2 from=b\n"

    assert (["1", "2"], [None, "b"]) == (values(text, PAIRS, "clock"), values(text, PAIRS, "from"))


def test_values_may_be_quoted_or_lists_and_end_at_signs() -> None:
    text = """event="a b" to=a,b,c clock=[1, 2] (queue=3, from='x y'), node=n1; kind=send\n"""

    assert ["a b"] == values(text, PAIRS, "event")
    assert ["a,b,c"] == values(text, PAIRS, "to")
    assert ["[1, 2]"] == values(text, PAIRS, "clock")
    assert (["3"], ["x y"], ["n1"]) == tuple(values(text, PAIRS, field) for field in ("queue", "from", "node"))


def test_pairs_with_commas_between_them_are_several() -> None:
    assert (["1"], ["2"]) == (values("clock=1,queue=2\n", PAIRS, "clock"), values("clock=1,queue=2\n", PAIRS, "queue"))


def test_of_two_pairs_with_one_key_the_first_counts() -> None:
    assert ["1"] == values("clock=1 clock=2\n", PAIRS, "clock")


def test_what_stands_before_the_pairs_may_be_fields() -> None:
    assert ["INFO"] == values("INFO clock=1\n", r"{layout: pairs, record: '^(?<event>\w+)'}", "event")


def test_a_line_without_a_pair_is_counted() -> None:
    assert [2] == records("clock=1\nstarting\n", PAIRS)[1].unmatched
