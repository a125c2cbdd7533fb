"""The module as people use it, in a browser: mouse, keyboard, search, cones, export, and names that mean harm.

Every page is closed with nothing said on its console and nothing asked of anybody.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from node.dice import roll
from orchestrator.explain.ours import OwnHistory
from orchestrator.explain.past import longest_chain
from orchestrator.explain.relate import relate
from orchestrator.report.diagram import Diagram, diagram_of
from orchestrator.trace.store import NULL, Trace
from orchestrator.twin import simulated
from tests.browser import WHY_NOT, Opened, browser, chromium, opened, page_of
from tests.clusters import cluster
from tests.fault_mixes import MIX, machines_of
from tests.foreign_traces import foreign_trace

pytestmark = [pytest.mark.live, pytest.mark.skipif(chromium() is None, reason=WHY_NOT)]

Show = Callable[..., Opened]
PAIRS = 1000
FAULTS = (
    {"from": "2s", "to": "4s", "partition": ((1,), (2, 3, 4)), "messages": "lose"},
    {"from": "5s", "to": "6s", "crash": 2, "amnesia": True},
)


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    """Start the browser once."""
    with browser() as found:
        yield found


@pytest.fixture
def show(started: Any, tmp_path: Path) -> Iterator[Show]:
    """Return what opens a page of diagrams; in the end none of them may have complained."""
    contexts = []
    shown: list[Opened] = []

    def open_page(*diagrams: Diagram, more: str = "", **how: Any) -> Opened:
        file = tmp_path / f"{len(shown)}.html"
        file.write_text(page_of(*diagrams, more=more), encoding="utf-8")
        contexts.append(context := opened(started, file, **how))
        shown.append(context.__enter__())
        return shown[-1]

    yield open_page
    for context in contexts:
        context.__exit__(None, None, None)
    assert [problem for one in shown for problem in one.problems] == []


@pytest.fixture(scope="module")
def faulty() -> Trace:
    """A run with loss, duplicates, overtaking, a partition, and a machine that forgets."""
    return simulated(machines_of(MIX | {"duration": "20s", "faults": FAULTS}))


@pytest.fixture(scope="module")
def exercise() -> Trace:
    return simulated(cluster(3, seconds=60))


def test_the_module_reads_every_column_that_was_written(show: Show, faulty: Trace) -> None:
    """`decode` is the other half of `as_json`; of late messages, too, which only a real run has."""
    is_late = faulty.is_receive & (np.arange(len(faulty)) % 7 == 0)
    late = replace(faulty, seen_ns=np.where(is_late, faulty.due_ns, NULL))
    diagram = diagram_of(late, name="faulty")
    page = show(diagram)
    assert page.diagram("d.search('late')") == int(np.count_nonzero(is_late))
    assert "late by" in page.words()
    for name, column in (
        *((name, getattr(diagram, name)) for name in ("time", "number", "kind", "clock", "queue", "lane_of")),
        *((f"messages.{name}", getattr(diagram.messages, name)) for name in ("send", "lane", "receive", "arrival")),
        *((f"messages.{name}", getattr(diagram.messages, name)) for name in ("copy", "seen")),
        ("messages.lost", diagram.messages.is_lost),
    ):
        read = page.diagram(f"Array.from(d.model.{name.replace('lane_of', 'lane')})")
        expected = [None if value == NULL else value for value in column.tolist()]

        assert expected == [None if value is None or value != value else value for value in read], name  # noqa: PLR0124


def test_a_thousand_pairs_are_related_as_order_relates_them(show: Show, faulty: Trace) -> None:
    """Before, after, concurrent, over as few messages; each event of a path is just before the next."""
    history = OwnHistory(faulty, name="faulty")
    names = [history.event(row) for row in range(len(history))]
    pairs = [[roll(262, 1, one, 1, end) * len(names) >> 64 for end in (0, 1)] for one in range(PAIRS)]
    related = [relate(history, a, b) for a, b in pairs]
    found = show(diagram_of(faulty, name="faulty")).page.evaluate(
        """(pairs) => {
            const { model } = document.querySelector('.space-time').diagram;
            return pairs.map((names) => {
                const [a, b] = names.map((name) => spaceTime.rowOf(model, name));
                const relation = spaceTime.relation(model, a, b);
                const way = relation === 'after' ? spaceTime.path(model, b, a) : spaceTime.path(model, a, b);
                return [relation, way.map((row) => spaceTime.nameOf(model, row))];
            });
        }""",
        [[names[a], names[b]] for a, b in pairs],
    )

    assert {one.relation for one in related} == {"before", "after", "concurrent", "same"}
    assert [one.relation for one in related] == [relation for relation, _ in found]
    assert [[names[row] for row in one.way] for one in related] == [way for _, way in found]


def test_a_chain_is_as_long_as_explain_finds_it(show: Show, exercise: Trace) -> None:
    """Of a right clock it counts the clock."""
    page = show(diagram_of(exercise, name="exercise"))
    history = OwnHistory(exercise, name="exercise")
    rows = range(0, len(history), 40)
    lengths = page.diagram(
        "a.map((name) => spaceTime.chain(d.model, spaceTime.rowOf(d.model, name)).length)",
        [history.event(row) for row in rows],
    )

    assert [len(longest_chain(history, row)[0]) for row in rows] == lengths
    assert [history.clock(row) for row in rows] == lengths


def test_mouse_and_keyboard_pan_and_zoom(show: Show, exercise: Trace) -> None:
    page = show(diagram_of(exercise, name="exercise"))
    canvas = page.page.locator("canvas").bounding_box()
    middle = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] - 10

    def view() -> tuple[float, float]:
        found = page.diagram("[d.view.from, d.view.to]")
        return found[0], found[1]

    first = view()
    page.page.mouse.move(*middle)
    page.page.mouse.wheel(0, -300)
    assert view() == first, "over a diagram that nobody touched the page scrolls"
    page.page.mouse.click(*middle)
    page.page.mouse.wheel(0, -300)
    page.drawn()
    near = view()
    assert first[0] < near[0] < near[1] < first[1]
    page.page.mouse.down()
    page.page.mouse.move(middle[0] - 200, middle[1], steps=4)
    page.page.mouse.up()
    panned = view()
    assert panned[0] > near[0]
    assert panned[1] - panned[0] == pytest.approx(near[1] - near[0])
    page.page.keyboard.press("ArrowLeft")
    assert view()[0] < panned[0]
    page.page.keyboard.press("0")
    assert view()[1] - view()[0] > 60e9
    page.page.keyboard.press("+")
    assert view()[1] - view()[0] < 60e9
    page.page.keyboard.press("t")
    assert page.diagram("d.axis") == "logical"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("2:41", lambda trace: (trace.node == 2) & (trace.index == 41)),
        ("jump > 5", lambda trace: trace.is_receive & (trace.clock - trace.clock[trace.before] > 5)),
        ("clock >= 100 and machine 2", lambda trace: (trace.clock >= 100) & (trace.node == 2)),
        ("queue = 3, receive", lambda trace: (trace.queue == 3) & trace.is_receive),
        ("wait > 300 ms", lambda trace: trace.is_receive & (trace.due_ns - trace.arrival_ns > 300e6)),
        ("violations", lambda trace: trace.node < 0),
    ],
)
def test_search_finds_what_the_trace_holds(show: Show, exercise: Trace, question: str, expected: Any) -> None:
    page = show(diagram_of(exercise, name="exercise"))
    page.page.fill("input[type=search]", question)
    page.page.press("input[type=search]", "Enter")
    count = int(np.count_nonzero(expected(exercise)))

    assert page.diagram("d.matches.length") == count
    assert page.page.inner_text(".st-hits") == (f"1 of {count}" if count else "")
    if not count:
        assert page.words() == "No event is like that."


def test_every_violation_is_marked_wherever_it_is(show: Show) -> None:
    """A broken clock breaks the law on every machine; a click on one says which law, and how."""
    trace = simulated(cluster(3, seconds=60, clock="lamport-literal"))
    diagram = diagram_of(trace, name="literal")
    page = show(diagram)

    assert page.diagram("d.search('violation')") == len(diagram.marks) > 50
    assert page.diagram("d.matches.map((row) => row).sort((a, b) => a - b)") == [mark.row for mark in diagram.marks]
    assert "Violation of clock-condition: its clock is not later than that of its send" in page.words()


def test_a_question_that_is_none_is_answered_with_what_can_be_asked(show: Show, exercise: Trace) -> None:
    page = show(diagram_of(exercise, name="exercise"))
    page.diagram("d.search('colour > 5')")

    assert page.words().startswith("colour > 5: no such event, and nothing to look for; 2:41, jump > 5")


def test_a_click_selects_and_a_shift_click_relates(show: Show, exercise: Trace) -> None:
    """What is said of two events is what `order` says."""
    page = show(diagram_of(exercise, name="exercise"))
    page.diagram("d.look(0, 6e9)")
    page.drawn()

    def click(name: str, **how: Any) -> None:
        x, y = page.diagram(
            "(() => { const row = spaceTime.rowOf(d.model, a); const height = (d.height - 50) / 3;"
            "return [d.xOf(d.model.time[row]), 22 + (d.model.lane[row] + 0.5) * height]; })()",
            name,
        )
        page.page.locator("canvas").click(position={"x": x, "y": y}, **how)
        page.drawn()

    click("3:13")
    assert page.words().startswith("3:13, ")
    assert "happened before it" in page.words()
    click("2:14", modifiers=["Shift"])
    assert page.words().startswith("3:13 happened before 2:14: over 1 message, and no way has fewer")
    page.page.keyboard.press("w")
    page.drawn()
    assert "longest chain that ends in 2:14" in page.words()
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("c")
    page.drawn()
    assert page.words().startswith("A consistent cut: ")


def test_the_keyboard_alone_steps_from_event_to_event(show: Show, exercise: Trace) -> None:
    page = show(diagram_of(exercise, name="exercise"))
    page.diagram("d.select('2:14')")
    page.page.focus("canvas")
    for key in (".", "b", "ArrowDown"):
        page.page.keyboard.press(key)
        page.drawn()

    assert page.diagram("d.selected.map((row) => spaceTime.nameOf(d.model, row))")[0] == "2:15"
    assert page.words().startswith("2:15 ")
    assert page.page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("exercise: 3 machines")


def test_the_picture_can_be_saved_as_svg(show: Show, exercise: Trace) -> None:
    """Well formed, without scripts; the same view is the same text."""
    page = show(diagram_of(exercise, name="exercise"))
    for axis in ("time", "logical", "both"):
        page.diagram("d.setAxis(a)", axis)
        page.drawn()
        text = page.diagram("d.exportSVG()")
        tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(text).iter()}

        assert tags == {"svg", "g", "path", "rect", "circle", "text"} - ({"circle"} if axis == "both" else set())
        assert text == page.diagram("d.exportSVG()")
        assert "NaN" not in text


HOSTILE = (
    "<script>globalThis.harm = 1</script>",
    '"><img src=x onerror="harm = 1">',
    "evil\u202egnp.exe",
    "&amp;</style>",
)


def test_names_of_strangers_are_only_shown(show: Show) -> None:
    """Never as HTML, and what turns a line around is written out."""
    trace = foreign_trace([0, 1, 2, 3], vectors=[[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]])
    object.__setattr__(trace, "nodes", HOSTILE)
    page = show(diagram_of(trace, name="</script><b>x"))
    for row in range(4):
        page.diagram("d.select(a)", row)
        page.drawn()

    assert page.page.evaluate("globalThis.harm") is None
    assert page.page.locator("img, b").count() == 0
    assert "\u202e" not in page.page.inner_text("body")
    ET.fromstring(page.diagram("d.exportSVG()"))
    assert page.page.evaluate(r"spaceTime.visible('a\u202eb')") == r"a\u202eb"


def test_without_scripts_there_is_a_drawing_of_the_first_events(show: Show, exercise: Trace) -> None:
    page = show(diagram_of(exercise, name="exercise"), java_script_enabled=False)

    assert page.page.text_content("svg text") == "exercise"
    assert "Drawn: 50 of 840 events." in page.page.text_content("svg")
    assert page.page.locator("svg").bounding_box()["height"] > 100


def test_a_thousand_machines_fold_into_groups_that_unfold(show: Show) -> None:
    topology = {node: (node % 1000 + 1,) for node in range(1, 1001)}
    page = show(diagram_of(simulated(cluster(1000, seconds=2, topology=topology)), name="many"))

    assert page.page.locator(".st-name").count() == 40
    page.page.locator(".st-name").first.click()
    page.drawn()
    assert page.page.locator(".st-name").count() == 64
    assert page.diagram("d.frame.primitives") <= 5000


def test_of_too_many_arrows_the_thinnest_are_left_out_and_counted(show: Show) -> None:
    """Sixty machines that all talk to each other: however coarse the blocks, their arrows are too many."""
    page = show(diagram_of(simulated(cluster(60, seconds=45)), name="all to all"), width=1600, height=900)
    page.diagram("d.fit()")
    page.drawn()

    assert page.diagram("d.frame.primitives") <= 5000
    assert re.search(r"; [\d,]+ messages of thin arrows not drawn", page.page.inner_text(".st-note"))


def test_a_large_run_is_drawn_with_few_primitives_and_every_event_counted(show: Show) -> None:
    """What is merged says how many it is: all blocks in view are all events in view."""
    trace = simulated(cluster(5, seconds=900))
    page = show(diagram_of(trace, name="large"), width=1600, height=900)
    for share in (1, 0.3, 0.02):
        page.diagram("(d.fit(), d.zoom(a))", share)
        page.drawn()
        drawn, counts = page.diagram("[d.frame.primitives, d.scene.level?.blocks.count ?? [d.model.count]]")

        assert drawn <= 5000
        assert sum(counts) == len(trace)


def test_a_link_leads_to_its_event(show: Show, exercise: Trace) -> None:
    """The report links every violation to its place, in the run that it is of."""
    link = '<a id="link" href="#run-2/2:41">2:41</a>'
    page = show(diagram_of(exercise, name="one"), diagram_of(exercise, name="two"), more=link)
    page.page.click("#link")
    page.page.wait_for_function("document.querySelectorAll('.space-time')[1].diagram.selected.length === 1")
    second = page.page.evaluate(
        "(() => { const d = document.querySelectorAll('.space-time')[1].diagram;"
        "return spaceTime.nameOf(d.model, d.selected[0]); })()"
    )

    assert second == "2:41"
    assert page.diagram("d.selected.length") == 0


@pytest.mark.parametrize("events", [[], [0], [0, 0, 0]])
def test_an_execution_of_almost_nothing_is_drawn_too(show: Show, events: list[int]) -> None:
    """No event, or one machine: the canvas is there, and every axis can be chosen."""
    page = show(diagram_of(foreign_trace(events, nodes=1), name="little"))
    for axis in ("logical", "both", "time"):
        page.diagram("d.setAxis(a)", axis)
        page.drawn()

    assert re.match(r"little: 1 machine, \d events?,", page.page.get_attribute("canvas", "aria-label"))
