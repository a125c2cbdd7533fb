"""What `draw` shows: the drawing as wide as the terminal, its signs, and what was left out."""

import shutil
from typing import Final

from rich.text import Text

from orchestrator.report.diagram.part import Part
from orchestrator.report.diagram.text import ASCII, BROKEN, RECEIVE, SEND, draw, remarks
from orchestrator.screen.parts import Screen, plural

COLUMNS: Final = 80
COLUMNS_MIN: Final = 40
COLUMNS_MAX: Final = 400


def columns() -> int:
    """Return how wide a drawing may be: as the terminal; without one, as COLUMNS says, or 80."""
    return min(max(shutil.get_terminal_size((COLUMNS, 24)).columns, COLUMNS_MIN), COLUMNS_MAX)


def show_drawn(screen: Screen, part: Part, *, is_ascii: bool) -> None:
    """Show a drawing."""
    is_plain = is_ascii or not _has_letters(screen)
    for line in draw(part, columns()):
        text = Text(line.translate(ASCII) if is_plain else line)
        for letter, style in ((RECEIVE, "bold blue"), (SEND, "bold green"), (BROKEN, "bold red"), ("┃", "yellow")):
            text.highlight_words([letter], style)
        screen.console.print(text, soft_wrap=True)
    screen.space()
    for remark in (*remarks(part), *_left_out(part)):
        screen.say(remark.translate(ASCII) if is_plain else remark)


def _has_letters(screen: Screen) -> bool:
    """Return whether the stream can write what a drawing is made of."""
    try:
        "".join(map(chr, ASCII)).encode(getattr(screen.console.file, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _left_out(part: Part) -> list[str]:
    diagram = part.diagram
    said = []
    if len(part.lanes) < len(diagram.lanes):
        said.append(f"{len(part.lanes)} of {len(diagram.lanes)} machines are drawn; --machines A,B chooses others.")
    after = part.first + len(part.rows)
    if len(part.lanes) == len(diagram.lanes) and part.rows and after < part.events:
        last = diagram.event(part.rows[-1])
        said.append(f"{len(part.rows)} of {plural(part.events, 'event')} are drawn; --from {last} goes on.")
    return said
