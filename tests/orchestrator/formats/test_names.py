"""Which names mean the same machine, and who is meant by several."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.formats.names import everyone_in, natural, resolve


@pytest.mark.parametrize(
    ("peer", "known", "found"),
    [
        ("a", ["a", "A"], "a"),
        ("B", ["a", "b"], "b"),
        ("Node 1", ["node-1", "node-2"], "node-1"),
        ("machine 2", ["1", "2", "3"], "2"),
        ("localhost:5002", ["5001", "5002"], "5002"),
        ("node A", ["A", "B"], "A"),
        ("vm02", ["VM_1", "VM_2"], "VM_2"),
        ("user/node0", ["node0", "node1"], "node0"),
        ("7", ["1", "2"], "7"),
        ("1", ["a1", "b1"], "1"),
        ("x", [], "x"),
    ],
)
def test_a_peer_is_found_by_its_name_its_last_word_or_its_last_number(peer: str, known: list[str], found: str) -> None:
    """Never where two machines could be meant."""
    assert found == resolve(peer, known)


@given(st.lists(st.text("ab1", min_size=1, max_size=3), max_size=5, unique=True), st.text("ab1", max_size=3))
def test_a_machine_is_itself(known: list[str], peer: str) -> None:
    assert known == [resolve(name, known) for name in known]
    assert resolve(peer, known) in {*known, peer}


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("1", ("1",)),
        ("1, 2 and 3", ("1", "2", "3")),
        ("machines 1 and 2", ("1", "2")),
        ("machine 1 and machine 2", ("1", "2")),
        ("[a, b]", ("a", "b")),
        ("a;b|c&d+e", ("a", "b", "c", "d", "e")),
        (["a", "b", "a"], ("a", "b")),
        ([["a", 5], ["b", 6]], ("a", "b")),
        ("2#14@1500 3#lost", ("2", "3")),
        ("all", None),
        ("both other machines", None),
        ("*", None),
        ("ALL", None),
        ("-", ()),
        (None, ()),
        ("", ()),
    ],
)
def test_several_recipients_are_named_in_many_ways(value: object, names: tuple[str, ...] | None) -> None:
    assert names == everyone_in(value)


def test_machine_ten_comes_after_machine_nine() -> None:
    assert ["n1", "n2", "n10"] == sorted(["n10", "n1", "n2"], key=natural)
