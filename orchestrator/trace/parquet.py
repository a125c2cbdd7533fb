"""Tables of numbers on disk: Parquet, written and read by DuckDB, one numpy array a column.

Never knows what a column means. DuckDB is imported at first use, reaches no network and installs no extension.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from node.errors import LogError, NoInputError, NoLogError, UnavailableError, one_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Narrow: TypeAlias = npt.NDArray[Any]

ROWS_OF_A_GROUP: Final = 4_000_000
"""Large enough that what repeats every second, in a cluster of 100,000 machines, is there a dozen times."""
_HOW: Final = (
    f"format parquet, compression zstd, compression_level 6, row_group_size {ROWS_OF_A_GROUP}, "
    # A column with more values than that is more than a dictionary: whole words repeat, and parts of them do not.
    "dictionary_size_limit 4096"
)
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
_MAGIC: Final = b"PAR1"


def is_there() -> bool:
    """Return whether DuckDB is installed."""
    return find_spec("duckdb") is not None


def fresh() -> "DuckDBPyConnection":
    """Return a DuckDB with nothing in it.

    Raises UnavailableError if it is not installed.
    """
    if not is_there():
        raise UnavailableError("DuckDB is not installed, which knows columns: python3 lab.py sql --help installs it")
    import duckdb  # noqa: PLC0415  # whoever reads lines needs none of it

    return duckdb.connect(config=_SETTINGS)


@cache
def connection() -> "DuckDBPyConnection":
    """Return the one by which this process reads and writes.

    Raises UnavailableError if it is not installed.
    """
    return fresh()


def write(path: Path, columns: Mapping[str, Narrow]) -> None:
    """Write a table in a new file.

    Raises LogError if it cannot be written.
    """
    import duckdb  # noqa: PLC0415

    database = connection()
    database.register("columns", dict(columns))
    try:
        database.execute(f"COPY (SELECT * FROM columns) TO {quoted(str(path))} ({_HOW})")
    except duckdb.Error as error:
        raise LogError(f"{path}: cannot be written: {one_line(str(error))}") from None
    finally:
        database.unregister("columns")


def read(path: Path, names: Sequence[str], *, rows: range | None = None) -> dict[str, Narrow]:
    """Return these columns, all rows or those of a range, each as narrow as it was written.

    Raises NoInputError, NoLogError for a file of another kind, LogError for one that is damaged.
    """
    _refuse_others(path)
    source, some = f"read_parquet({quoted(_without_patterns(path))})", ""
    if rows is not None:
        source = f"{source[:-1]}, file_row_number = true)"
        some = f" WHERE file_row_number >= {rows.start} AND file_row_number < {rows.stop}"
    constants = _constants(path)

    def column(name: str) -> Narrow:
        if name in constants:
            return constants[name] if rows is None else constants[name][: len(rows)]
        return _ask(path, f'SELECT "{name}" AS n FROM {source}{some}')["n"]

    # One at a time: DuckDB is twice as fast so, as what it copies stays in the cache.
    columns = {name: column(name) for name in names}
    if len({len(each) for each in columns.values()}) > 1:
        raise LogError(f"{path}: damaged: its columns differ in length")
    return {name: np.ascontiguousarray(each) for name, each in columns.items()}


def _constants(path: Path) -> dict[str, Narrow]:
    """Return the columns that hold one number everywhere, by the statistics that stand beside each row group."""
    source = f"parquet_metadata({quoted(_without_patterns(path))})"
    found = _ask(
        path,
        "SELECT path_in_schema AS name, try_cast(any_value(stats_min_value) AS BIGINT) AS value, "
        f"sum(row_group_num_rows)::BIGINT AS count FROM {source} WHERE type LIKE 'INT%' GROUP BY ALL "
        "HAVING count(stats_min_value) = count(*) AND min(stats_min_value) = max(stats_max_value) "
        "AND max(stats_min_value) = min(stats_max_value) AND value IS NOT NULL",
    )
    facts = zip(*(found[name].tolist() for name in ("name", "value", "count")), strict=True)
    # They take no room before it is known that others have as many rows.
    return {
        name: np.broadcast_to(np.array(value, np.min_scalar_type(value)), min(max(count, 0), 1 << 40))
        for name, value, count in facts
    }


def groups(path: Path) -> Iterator[range]:
    """Yield the rows of each row group.

    Raises what `read` does.
    """
    _refuse_others(path)
    source = f"parquet_metadata({quoted(_without_patterns(path))})"
    counts = _ask(
        path, f"SELECT row_group_id, any_value(row_group_num_rows) AS n FROM {source} GROUP BY ALL ORDER BY 1"
    )
    begin = 0
    for count in counts["n"].tolist():
        yield range(begin, begin + count)
        begin += count


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _ask(path: Path, question: str) -> dict[str, Narrow]:
    import duckdb  # noqa: PLC0415

    try:
        # As a relation: what is executed first is copied once more.
        found = connection().sql(question).fetchnumpy()
    except (duckdb.Error, UnicodeDecodeError, MemoryError, RuntimeError) as error:
        raise LogError(f"{path}: damaged: {one_line(str(error).partition(chr(10))[0])}") from None
    return {name: _unmasked(path, column) for name, column in found.items()}


def _unmasked(path: Path, column: Any) -> Narrow:
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    if column.mask.any():
        raise LogError(f"{path}: damaged: a value is missing")
    return np.asarray(column.data)


def _refuse_others(path: Path) -> None:
    connection()
    try:
        with path.open("rb") as file:
            first = file.read(len(_MAGIC))
    except OSError as error:
        raise NoInputError(f"{path}: cannot be read: {error.strerror or error}") from None
    if first != _MAGIC:
        raise NoLogError(f"{path}: no Parquet file: it starts with {first!r}, such a file with {_MAGIC!r}")


def _without_patterns(path: Path) -> str:
    """Return a path in which nothing stands for other names."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))
