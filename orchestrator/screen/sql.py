"""What `sql` shows: a table, its words to the left and its numbers to the right; if that is too wide, row by row."""

from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.measure import Measurement
from rich.table import Table

from orchestrator.query import Found
from orchestrator.screen.parts import Screen, plural

ROWS_MAX: Final = 100
ROWS_ALONE_MAX: Final = 10
WIDTH_MAX: Final = 10_000


def show_found(screen: Screen, found: Found) -> None:
    """Show the rows, or of many the first."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False, show_edge=False)
    for place, column in enumerate(found.columns):
        is_number = all(isinstance(row[place], int | float | None) for row in found.rows)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in found.rows[:ROWS_MAX]:
        table.add_row(*map(_cell, row))
    width = Measurement.get(screen.console, screen.console.options.update(width=WIDTH_MAX), table).maximum
    count = ROWS_MAX
    if width > screen.console.width:
        count = ROWS_ALONE_MAX
        _show_rows(screen, found, count)
    else:
        screen.console.print(table)
    if len(found.rows) > count:
        screen.say(f"and {plural(len(found.rows) - count, 'more row')}; --csv and --json print all", style="dim")


def _show_rows(screen: Screen, found: Found, count: int) -> None:
    width = max(map(len, found.columns))
    for row in found.rows[:count]:
        for column, value in zip(found.columns, row, strict=True):
            screen.say(f"{column:<{width}}  {_cell(value)}".rstrip())
        screen.space()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)
