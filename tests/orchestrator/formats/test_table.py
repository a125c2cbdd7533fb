"""Records of a table: a line each, by the header or by the columns that the format names."""

import pytest

from tests.orchestrator.formats.reading import records, values

TABLE = "layout: table"


def test_the_first_line_names_the_columns() -> None:
    text = "clock,kind\n1,send\n2,receive\n"

    assert ["1", "2"] == values(text, TABLE, "clock")
    assert [2, 3] == records(text, TABLE)[0][0].lines


def test_columns_name_themselves_where_there_is_no_header() -> None:
    assert ["1", "2"] == values(
        "1;send\n2;receive\n", "{layout: table, delimiter: semicolon, columns: [clock, kind]}", "clock"
    )


@pytest.mark.parametrize(
    ("name", "sign"), [("tab", "\t"), ("comma", ","), ("semicolon", ";"), ("pipe", "|"), ("space", " ")]
)
def test_a_delimiter_has_a_name(name: str, sign: str) -> None:
    assert ["7"] == values(f"kind{sign}clock\nsend{sign}7\n", f"{{layout: table, delimiter: {name}}}", "clock")


def test_cells_are_stripped_and_aligned_columns_are_read() -> None:
    assert ["7"] == values("kind   clock\nsend       7\n", "{layout: table, delimiter: space}", "clock")
    assert ["7"] == values("| kind | clock |\n| send |  7    |\n", "{layout: table, delimiter: pipe}", "clock")


def test_a_cell_in_quotes_may_hold_the_delimiter() -> None:
    assert ["a, b", 'say "x"'] == values('event,clock\n"a, b",1\n"say ""x""",2\n', TABLE, "event")


def test_a_quote_that_never_ends_spoils_one_line() -> None:
    _, lines = records('clock,kind\n1,"send\n2,receive\n', TABLE)

    assert 2 == lines.records + len(lines.unmatched)
    assert 1 <= lines.records


def test_a_row_with_too_few_or_too_many_cells_is_counted() -> None:
    batches, lines = records("clock,kind\n1,send\n2\n3,send,x\n4,send\n", TABLE)

    assert ["1", "4"] == batches[0].values["clock"]
    assert [3, 4] == lines.unmatched


def test_a_header_that_comes_again_is_no_row() -> None:
    """As in files that were joined."""
    batches, lines = records("clock,kind\n1,send\nclock,kind\n2,send\n", TABLE)

    assert ["1", "2"] == batches[0].values["clock"]
    assert 1 == lines.ignored
    assert [] == lines.unmatched


def test_of_two_columns_with_one_name_the_first_counts_and_it_is_said() -> None:
    batches, lines = records("clock,clock,kind\n1,9,send\n", TABLE)

    assert ["1"] == batches[0].values["clock"]
    assert ["several columns are called 'clock'; the first counts"] == lines.notes


def test_a_line_to_be_ignored_is_no_header() -> None:
    assert ["1"] == values("# made by a program\nclock,kind\n1,send\n", "{layout: table, ignore: '^#'}", "clock")


def test_a_table_of_a_header_alone_has_no_records() -> None:
    assert 0 == records("clock,kind\n", TABLE)[1].records


def test_kinds_may_be_told_by_the_whole_line() -> None:
    """Where neither a kind nor an event is a column: here by which cells are filled."""
    layout = "{layout: table, kinds: {receive: '^[^,]*,[^,]+', internal: ''}}"

    assert ["1,2", "2,"] == values("clock,from\n1,2\n2,\n", layout, "event")
