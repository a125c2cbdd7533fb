"""Complaints: one a second of each source, and how many were not said."""

from node.complaints import OTHERS, PERIOD_NS, SOURCES_MAX, Complaints


def test_the_first_complaint_is_said() -> None:
    """Of each source."""
    complaints = Complaints()

    assert all(complaints.admit(source, 5) for source in ("a", "b", "c"))


def test_within_a_second_of_one_source_no_other_is_said() -> None:
    """And another source is another."""
    complaints = Complaints()
    complaints.admit("a", 0)

    assert not complaints.admit("a", PERIOD_NS - 1)
    assert complaints.admit("b", PERIOD_NS - 1)
    assert complaints.admit("a", PERIOD_NS)


def test_what_was_not_said_is_counted() -> None:
    """Told once its second is over, and then forgotten."""
    complaints = Complaints()
    for now_ns in range(4):
        complaints.admit("a", now_ns)
    complaints.admit("b", 0)

    assert [] == list(complaints.overdue(PERIOD_NS - 1))
    assert [("a", 3)] == list(complaints.overdue(PERIOD_NS))
    assert [] == list(complaints.overdue(3 * PERIOD_NS))


def test_the_count_itself_is_said_once_a_second_at_most() -> None:
    """It is a line like any other."""
    complaints = Complaints()
    said = 0
    for now_ns in range(0, 10 * PERIOD_NS, PERIOD_NS // 20):
        said += complaints.admit("a", now_ns)
        said += len(list(complaints.overdue(now_ns)))

    assert said <= 10


def test_a_flood_of_sources_is_one() -> None:
    """Whoever has many addresses must fill neither the memory nor the disk."""
    complaints = Complaints()
    said = sum(complaints.admit(str(number), 0) for number in range(10_000))

    assert SOURCES_MAX + 1 == said
    assert [(OTHERS, 10_000 - said)] == list(complaints.overdue(PERIOD_NS))
