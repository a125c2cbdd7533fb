"""The table of a bench: plain text, 80 columns, the limit beside its figure.

Never prints.
"""

from collections.abc import Iterator, Sequence

from tests.bench.figures import Row

COLUMNS = "{:<30}  {:>8}  {:>11}  {:>8}  {}"


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield COLUMNS.format("", "wall", "interval", "CPU", "limit").rstrip()
    for row in rows:
        wall = row.wall
        interval = f"{_short(wall.low)}-{_short(wall.high)}"
        cpu = "" if row.cpu is None else _with_unit(row.cpu.median, row.unit)
        yield COLUMNS.format(row.name, _with_unit(wall.median, row.unit), interval, cpu, _limit(row)).rstrip()


def _limit(row: Row) -> str:
    if row.limit is None:
        return ""
    return f"{'CPU ' if row.judged == 'cpu' else ''}{row.limit} {'met' if row.is_met else 'MISSED'}"


def _with_unit(value: float, unit: str) -> str:
    """Return `123 k/s`, `0.123 s`, `4.56x`."""
    short = _short(value)
    is_apart = unit != "x" and short[-1].isdigit()
    return f"{short} {unit}" if is_apart and unit != "/s" else f"{short}{unit}"


def _short(value: float) -> str:
    """Return a number in three digits, with k or M where it is large."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size * 0.9995:
            return _digits(value / size) + letter
    return _digits(value)


def _digits(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{3 if value < 0.9995 else decimals}f}"
