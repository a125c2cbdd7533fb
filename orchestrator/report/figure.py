"""A figure as text for a page and as a picture for slides: one drawing, whose colours a page may change.

Never draws anything of its own, and never writes a byte that depends on when or where it was drawn.
"""

import logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, GRID = "#1f2530", "#5b6472", "#dfdcd5"
MACHINES: Final = ("#0072b2", "#d55e00", "#009e73", "#b65a94", "#b87a00", "#3d9bd1", "#7f4f24", "#707070")
"""Okabe and Ito's colours, which the colour-blind tell apart too, those that are too light on paper darkened."""
KINDS: Final = ("#b9bec7", "#7fb2d9", "#3f82b8", "#1f4f82", "#e08a3c")
"""Internal, the sends to one, to the next and to all, and receive."""
MARK: Final = "#c2184b"

VARIABLES: Final[Mapping[str, str]] = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    MARK: "--mark",
    **{colour: f"--machine-{number}" for number, colour in enumerate(MACHINES, 1)},
    **{colour: f"--kind-{number}" for number, colour in enumerate(KINDS, 1)},
}
"""The variable of the page's style sheet that takes the place of each colour."""

_STYLE: Final[dict[str, Any]] = {
    "axes.edgecolor": GRID,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,  # a dollar in the name of a machine is a dollar
    "xtick.color": MUTED,
    "xtick.labelsize": 8.5,
    "xtick.major.size": 0,
    "ytick.color": MUTED,
    "ytick.labelsize": 8.5,
    "ytick.major.size": 0,
}
_WIDTH_IN: Final = 5.4
_DOTS_PER_IN: Final = 200
_LONG_NUMBER: Final = re.compile(r"-?\d+\.\d{2,}")
_PLACES: Final = {"d", "x", "y", "width", "height", "transform"}
_KEPT: Final = {"font-size", "text-anchor", "fill-rule", "opacity", "fill-opacity"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing: `svg` to stand in a page, `png` a file's content."""

    svg: str
    png: bytes


def picture(draw: Callable[["Axes"], None], *, name: str, title: str, height_in: float = 2.5) -> Picture:
    """Return what `draw` draws into one pair of axes; `name` must be new in the page."""
    mpl = _matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # half a second, for pictures only
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(_WIDTH_IN, height_in))
        draw(figure.add_subplot())
        FigureCanvasAgg(figure)
        svg, png = BytesIO(), BytesIO()
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, color=INK)
        figure.savefig(png, format="png", dpi=_DOTS_PER_IN, metadata={"Software": None})
    return Picture(svg=themed(svg.getvalue(), label=title), png=png.getvalue())


def themed(svg: bytes, *, label: str) -> str:
    """Return a drawing without a style of its own, which the page's policy would refuse: colours are variables."""
    root = ET.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if _bare(child.tag) in ("metadata", "style"):
                parent.remove(child)
    text = ET.tostring(root, encoding="unicode")
    referenced = set(re.findall(r"#([\w-]+)", text))
    for element in root.iter():
        _plain(element, referenced)
    _unwrap(root)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib.update({"role": "img", "aria-label": label})
    for element in root.iter():
        element.tail = ""
        element.text = element.text if element.tag in ("text", "tspan") else ""
    return ET.tostring(root, encoding="unicode")


def _unwrap(parent: ET.Element) -> None:
    """Leave out the groups that say nothing."""
    children = list(parent)
    for child in children:
        _unwrap(child)
    parent[:] = [
        kept
        for child in children
        for kept in (list(child) if child.tag == "g" and not child.attrib else [child])
        if len(kept) or kept.attrib or kept.text
    ]


def _plain(element: ET.Element, referenced: set[str]) -> None:
    element.tag = _bare(element.tag)
    found = {}
    for name, value in element.attrib.items():
        if name == "id" and value not in referenced:
            continue
        found[_bare(name)] = _shorter(value) if name in _PLACES else value
    if found.get("transform", "").startswith("rotate(-0 "):
        del found["transform"]
    for name, value in _declarations(found.pop("style", "")):
        found[name] = f"var({VARIABLES[value]})" if value in VARIABLES else value
    element.attrib.clear()
    element.attrib.update(found)


def _declarations(style: str) -> list[tuple[str, str]]:
    """Return what a style attribute declares, as attributes; the font is the page's."""
    pairs = [(name.strip(), value.strip()) for name, _, value in (part.partition(":") for part in style.split(";"))]
    found = []
    for name, value in pairs:
        if name == "font" and (size := re.search(r"([\d.]+)px", value)):
            found.append(("font-size", size[1]))
        elif name in _KEPT or name.startswith(("fill", "stroke")):
            found.append((name, value.removesuffix("px")))
    return found


def _shorter(places: str) -> str:
    """Return places to a tenth of a point; a line after a line needs no letter."""
    rounded = " ".join(_LONG_NUMBER.sub(_rounded, places).split())
    return rounded if "C" in rounded or "Q" in rounded else rounded.replace(" L ", " ")


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def _bare(name: str) -> str:
    return name.rpartition("}")[2]


def _matplotlib() -> Any:
    """Import matplotlib, its cache in .venv where that can be written, and its advice on fonts kept from users."""
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        os.environ.setdefault("MPLCONFIGDIR", str(Path(sys.prefix, "matplotlib")))
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    import matplotlib as mpl  # noqa: PLC0415  # half a second, and what is set above must be there

    return mpl
