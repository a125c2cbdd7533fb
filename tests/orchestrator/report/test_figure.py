"""A drawing takes its colours from the page, and says nothing of when and where it was drawn."""

import re
from typing import TYPE_CHECKING

from orchestrator.report.figure import VARIABLES, picture
from orchestrator.report.linked import address
from orchestrator.report.page import FOLDER

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _draw(axes: "Axes") -> None:
    axes.plot([0, 1, 2], [0, 2, 1], color="#0072b2", marker="o")
    axes.set_title("a $dollar$ & a <tag>")


def test_a_drawing_has_no_style_of_its_own_and_no_colour_but_variables() -> None:
    """A policy that forbids styles would refuse it, and a dark page would show ink on ink."""
    svg = picture(_draw, name="run-1-test", title="A test").svg

    assert "style=" not in svg and "<style" not in svg
    assert re.findall(r'(?:fill|stroke)="#[0-9a-f]{6}"', svg) == []
    assert 'stroke="var(--machine-1)"' in svg
    assert "a $dollar$ &amp; a &lt;tag&gt;" in svg
    assert "http" not in svg and "Matplotlib" not in svg


def test_two_drawings_in_a_page_share_no_name() -> None:
    a, b = (set(re.findall(r' id="([^"]+)"', picture(_draw, name=name, title="").svg)) for name in ("a", "b"))

    assert a and b and not a & b


def test_the_same_drawing_has_the_same_bytes() -> None:
    assert picture(_draw, name="a", title="A") == picture(_draw, name="a", title="A")


def test_the_page_on_paper_has_the_colours_of_the_pictures() -> None:
    """Else the PNG of a plot would not be the plot."""
    style = (FOLDER / "page.css").read_text()
    light = dict(re.findall(r"(--[a-z0-9-]+): (#[0-9a-f]{6});", style))
    dark = dict(re.findall(r"(--[a-z0-9-]+): (#[0-9a-f]{6});", (FOLDER / "dark.css").read_text()))

    assert {variable: colour for colour, variable in VARIABLES.items()}.items() <= light.items()
    assert dark.keys() == light.keys()


def test_a_file_is_linked_whatever_it_is_called() -> None:
    """No name is a scheme, and none ends the address early."""
    assert "./javascript%3Aalert(1)" == address("javascript:alert(1)").replace("%28", "(").replace("%29", ")")
    assert "./a%3Fb%23c%20d.log" == address("a?b#c d.log")
    assert "../logs/x.log" == address("../logs/x.log")
