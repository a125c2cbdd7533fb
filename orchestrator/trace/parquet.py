"""Tables of numbers on disk: Parquet, written and read by DuckDB, one numpy array a column; long ones read by arro3.

Never knows what a column means. DuckDB is imported at first use, reaches no network and installs no extension.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from node.errors import LogError, NoInputError, NoLogError, UnavailableError, one_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Narrow: TypeAlias = npt.NDArray[Any]
_Taken = TypeVar("_Taken")

ROWS_OF_A_GROUP: Final = 1_000_000
"""Unless it is said otherwise."""
ROWS_MAX: Final = 1 << 40
"""Of a table; a footer that counts more is not believed."""
ROWS_AT_ONCE: Final = 1 << 17
"""So many fill a part of each column that the cache still holds when they are made into something else."""
_HOW: Final = (
    "format parquet, compression zstd, compression_level 6, "
    # A column with more values than that is more than a dictionary: whole words repeat, and parts of them do not.
    "dictionary_size_limit 4096"
)
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
_MAGIC: Final = b"PAR1"
_KINDS: Final = {
    "C": np.uint8,
    "S": np.uint16,
    "I": np.uint32,
    "L": np.uint64,
    "c": np.int8,
    "s": np.int16,
    "i": np.int32,
    "l": np.int64,
}
"""What Arrow calls whole numbers."""


def is_there() -> bool:
    """Return whether DuckDB is installed."""
    return find_spec("duckdb") is not None


def is_quick() -> bool:
    """Return whether `fill` has what it needs."""
    return all(find_spec(name) is not None for name in ("arro3", "nanoarrow"))


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


def write(path: Path, columns: Mapping[str, Narrow], *, rows_of_a_group: int = ROWS_OF_A_GROUP) -> None:
    """Write a table in a new file, in groups of so many rows: each is read, and takes memory, at once.

    Raises LogError if it cannot be written.
    """
    import duckdb  # noqa: PLC0415

    database = connection()
    database.register("columns", dict(columns))
    try:
        database.execute(
            f"COPY (SELECT * FROM columns) TO {quoted(str(path))} ({_HOW}, row_group_size {rows_of_a_group})"
        )
    except duckdb.Error as error:
        raise LogError(f"{path}: cannot be written: {one_line(str(error))}") from None
    finally:
        database.unregister("columns")


def read(path: Path, names: Sequence[str]) -> dict[str, Narrow]:
    """Return these columns, each as narrow as it was written.

    Raises NoInputError, NoLogError for a file of another kind, LogError for one that is damaged.
    """
    _refuse_others(path)
    count, constant = _constants(path)

    def column(name: str) -> Narrow:
        if name in constant:
            # It takes no room before it is known that others have as many rows.
            return np.broadcast_to(np.array(constant[name], np.min_scalar_type(constant[name])), count)
        asked = f'SELECT "{name}" AS n FROM {_source(path)}'
        return _unmasked(path, _ask(path, asked, lambda found: found.fetchnumpy()["n"]))

    # One at a time: DuckDB is twice as fast so, as what it copies stays in the cache.
    columns = {name: column(name) for name in names}
    if len({len(each) for each in columns.values()}) > 1:
        raise LogError(f"{path}: damaged: its columns differ in length")
    return {name: np.ascontiguousarray(each) for name, each in columns.items()}


def fill(path: Path, columns: Mapping[str, Narrow], *, passing: Mapping[str, Narrow]) -> Iterator[int]:
    """Fill in these columns of whole numbers, as long as the table; yield again and again how many rows are there.

    Those that pass have room for ROWS_AT_ONCE, and hold what was found since the last time.
    Raises what `read` does, and LogError for a number that may be too large for its column.
    """
    from arro3.io import read_parquet  # noqa: PLC0415
    from nanoarrow import c_array_stream  # type: ignore[import-untyped]  # noqa: PLC0415

    _refuse_others(path)
    end = 0
    try:
        with c_array_stream(read_parquet(str(path), batch_size=ROWS_AT_ONCE)) as stream:
            schema = list(stream.get_schema().children)
            place = {child.name: (number, _KINDS[child.format]) for number, child in enumerate(schema)}
            for array in stream:
                begin, end = end, end + array.length
                rows = {name: column[begin:end] for name, column in columns.items()}
                rows |= {name: column[: end - begin] for name, column in passing.items()}
                found = list(array.view().children)
                for name, column in rows.items():
                    number, kind = place[name]
                    _fill_in(column, found[number], kind)
                yield end
    except (KeyError, TypeError, ValueError, UnicodeDecodeError, OSError, MemoryError, RuntimeError) as error:
        raise LogError(f"{path}: damaged: {one_line(str(error).partition(chr(10))[0])}") from None


def _fill_in(column: Narrow, found: Any, kind: type[Any]) -> None:
    """Fill in a column from a part of one of Arrow's."""
    if found.null_count:
        raise ValueError("a value is missing")
    part = np.frombuffer(found.buffer(1), kind)[found.offset : found.offset + found.length]
    limits, fits = np.iinfo(column.dtype), np.can_cast(part.dtype, column.dtype) or not len(part)
    if not fits and not limits.min <= part.min() <= part.max() <= limits.max:
        raise ValueError("a number that is too large")
    column[:] = part


def constants(path: Path) -> tuple[int, dict[str, int]]:
    """Return how many rows a table has, and of each column that holds one number everywhere this number.

    Raises what `read` does.
    """
    _refuse_others(path)
    return _constants(path)


def _constants(path: Path) -> tuple[int, dict[str, int]]:
    """Return it by the statistics that stand beside each row group."""
    source = f"parquet_metadata({quoted(_without_patterns(path))})"
    asked = "path_in_schema, type, stats_min_value, stats_max_value, row_group_num_rows"
    # What is not known, or no whole number, is "".
    counts, values = Counter[str](), defaultdict[str, set[str]](set)
    for name, kind, low, high, rows in _ask(path, f"SELECT {asked} FROM {source}", lambda found: found.fetchall()):
        counts[name] += rows
        values[name] |= {low or "", high or ""} if kind.startswith("INT") else {""}
    count = max(0, min(max(counts.values(), default=0), ROWS_MAX))
    same = {name: min(each) for name, each in values.items() if len(each) == 1 and counts[name] == count > 0}
    return count, {name: int(value) for name, value in same.items() if value.removeprefix("-").isdecimal()}


def _source(path: Path) -> str:
    return f"read_parquet({quoted(_without_patterns(path))})"


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _ask(path: Path, question: str, take: Callable[[Any], _Taken]) -> _Taken:
    """Return what `take` makes of the answer."""
    import duckdb  # noqa: PLC0415

    try:
        # As a relation: what is executed first is copied once more.
        return take(connection().sql(question))
    except (duckdb.Error, UnicodeDecodeError, MemoryError, RuntimeError) as error:
        raise LogError(f"{path}: damaged: {one_line(str(error).partition(chr(10))[0])}") from None


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
