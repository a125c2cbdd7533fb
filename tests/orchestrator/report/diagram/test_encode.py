"""The JSON of a diagram: every number comes back, nothing ends a script element, and it is small."""

import json
from base64 import b64decode

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.report.diagram import SCRIPT, as_json, diagram_of, embed
from orchestrator.report.diagram.encode import packed
from orchestrator.twin import simulated
from tests.clusters import cluster
from tests.foreign_traces import foreign_trace

BYTES_AN_EVENT_MAX = 25


def unpacked(text: str, count: int) -> list[int]:
    """Read what `packed` wrote, the plain way; `decode` in the module is tested in a browser."""
    values, value, shift = [], 0, 0
    for octet in b64decode(text):
        value |= (octet & 127) << shift
        shift += 7
        if octet < 128:
            values.append(value >> 1 if not value & 1 else -(value + 1 >> 1))
            value = shift = 0
    return values or [0] * count


@given(st.lists(st.integers(-(2**62), 2**62), max_size=20))
@example([0, 0])
@example([63, 64, -64, -65, 2**53])
def test_every_number_comes_back(values: list[int]) -> None:
    assert unpacked(packed(np.array(values, np.int64)), len(values)) == values


def test_small_numbers_take_a_byte_and_zeros_nothing() -> None:
    assert len(b64decode(packed(np.array([1, -1, 63, -64])))) == 4
    assert packed(np.zeros(1000, np.int64)) == ""


@pytest.mark.parametrize("machines", [3, 10])
def test_an_event_takes_few_bytes(machines: int) -> None:
    """Issue 8: at most 25 bytes an event, of long runs; `lab.py bench diagram` measures 10^5 events."""
    diagram = diagram_of(simulated(cluster(machines, seconds=300)))

    assert len(as_json(diagram)) < BYTES_AN_EVENT_MAX * len(diagram)


def test_the_same_run_has_the_same_bytes() -> None:
    machines = cluster(3, seconds=20)

    assert as_json(diagram_of(simulated(machines))) == as_json(diagram_of(simulated(machines)))


def test_no_name_ends_the_element_that_it_stands_in() -> None:
    """Nor begins another one; a script element knows no escapes but those of JSON."""
    trace = foreign_trace([0, 1])
    object.__setattr__(trace, "nodes", ("</script><script>alert(1)//", "<!--&\u2028"))
    text = as_json(diagram_of(trace, name="<b>"))

    assert not set("<>&\u2028") & set(text)
    assert json.loads(text)["lanes"][0] == "</script><script>alert(1)//"
    assert "<script>alert" not in embed(diagram_of(trace, name="<b>"))


def test_the_module_makes_no_html_of_a_text_and_asks_nobody() -> None:
    """Names come from strangers; and it is read by people, as everything here."""
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "import ", "</"):
        assert word not in SCRIPT.replace("</g>", "").replace("</text>", "").replace("</svg>", ""), word
    assert max(map(len, SCRIPT.splitlines())) <= 120
