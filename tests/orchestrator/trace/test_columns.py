"""A run kept in columns is the run that its logs tell, and damage to the columns is never taken for a run."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from node.errors import LogError, NoInputError, NoLogError, ScaleModelError, UnavailableError
from node.model import Model
from orchestrator.__main__ import main
from orchestrator.config import load_experiment
from orchestrator.export import FORMATS
from orchestrator.labs.columns import run_in_columns
from orchestrator.labs.kernel.plan import plan_of
from orchestrator.labs.kernel.run import run_plan
from orchestrator.labs.kernel.telling import columns_of as columns_of_record
from orchestrator.labs.kernel.telling import trace_of
from orchestrator.labs.simulated import run_simulated
from orchestrator.reading import read_run
from orchestrator.rundir import Run
from orchestrator.trace import archive, check, parquet
from orchestrator.trace.archive import OF_MACHINES, Tables, read_columns
from orchestrator.trace.columns import OF_EVENTS, OF_MESSAGES, columns_of, restored, rhythm_of, stored, trace_of_columns
from orchestrator.trace.proof import choice
from orchestrator.trace.store import Trace
from orchestrator.trace.unfolded import Unfolded
from orchestrator.twin import simulated, twin_of
from tests.clusters import cluster
from tests.fault_mixes import EACH, HALF_A_SECOND, half_a_second, machines_of, mixes
from tests.golden_runs import ALL
from tests.golden_runs import machines as golden_machines
from tests.shipped import CONFIGS, RUN_BY_TESTS

SMALL = cluster(2, seconds=2)
KEPT_BOTH_WAYS = [*RUN_BY_TESTS, *(CONFIGS / f"{name}.yaml" for name in ("hundred-machines", "ten-thousand"))]
"""Drawn and kept as ten-thousand is, hundred-thousand is only ten times as long."""


def contents(trace: Trace) -> dict[str, Any]:
    """Return all that a trace holds, but for where it was read."""
    found = {
        field.name: getattr(trace, field.name) for field in fields(trace) if field.name not in ("line", "messages")
    }
    found |= {f"message {field.name}": getattr(trace.messages, field.name) for field in fields(trace.messages)}
    found["machines"] = {node: replace(one, path=None) for node, one in trace.machines.items()}
    return {
        name: (str(value.dtype), value.tolist()) if isinstance(value, np.ndarray) else value
        for name, value in found.items()
    }


def kept_both_ways(directory: Path, machines: Mapping[int, Model]) -> tuple[Run, Run]:
    """Simulate a cluster twice, once into logs and once into columns."""
    runs = Run(directory / "lines" / "run-1"), Run(directory / "columns" / "run-1")
    for run, simulate in zip(runs, (run_simulated, run_in_columns), strict=True):
        shutil.rmtree(run.path, ignore_errors=True)
        run.path.mkdir(parents=True)
        simulate(run, machines, name="test")
    return runs


def assert_kept_alike(directory: Path, machines: Mapping[int, Model]) -> None:
    lines, columns = kept_both_ways(directory, machines)
    expected = contents(read_run(lines))
    for is_long in (False, True):
        with read_as(is_long=is_long):
            read = read_run(columns)
        found = contents(read)

        assert is_long == isinstance(read, Unfolded)
        assert expected.keys() == found.keys()
        for name, column in expected.items():
            assert column == found[name], name


@contextmanager
def read_as(*, is_long: bool) -> Iterator[None]:
    """Read whatever there is as a long run is read, or as a short one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "is_worth_compiling", lambda _: is_long)
        yield


@pytest.mark.parametrize("name", [*ALL, *EACH])
def test_columns_hold_what_the_logs_say(name: str, tmp_path: Path) -> None:
    """Golden runs, and each fault: every event, every message, every stop record."""
    assert_kept_alike(tmp_path, golden_machines(name) if name in ALL else half_a_second(name))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mix=mixes(crashes=True, duration_ms=1000, rate_hz_max=20))
def test_columns_hold_whatever_goes_wrong(mix: dict[str, Any]) -> None:
    """What a reference hands over comes back from the tables, and so does what a compiled run leaves."""
    machines = machines_of(mix)
    trace, record = simulated(machines), run_plan(plan_of(machines))
    assert record is not None
    rhythm = rhythm_of(machines)
    known = dict(trace.machines)

    for columns in (columns_of(trace), columns_of_record(record)):
        again = trace_of_columns(restored(*stored(columns, rhythm), rhythm), known)
        assert contents(trace) == contents(again)
        assert trace.line.tolist() == again.line.tolist()


@pytest.mark.parametrize("path", KEPT_BOTH_WAYS, ids=lambda path: path.stem)
def test_every_experiment_comes_back_from_its_tables(path: Path) -> None:
    """As long as it takes to see each of its faults."""
    experiment = load_experiment(path)
    if experiment.nodes >= 100:
        experiment = load_experiment(path, duration="100ms")
    machines = experiment.machines(1)
    trace, rhythm = simulated(machines), rhythm_of(machines)

    assert contents(trace) == contents(
        trace_of_columns(restored(*stored(columns_of(trace), rhythm), rhythm), dict(trace.machines))
    )


def test_a_large_run_is_written_from_the_compiled_record(tmp_path: Path) -> None:
    """Nothing becomes wide on the way, and the row groups together are the run."""
    machines = cluster(40, seconds=250, rates=(2, 8))
    run_in_columns(Run(tmp_path), machines, name="test")
    record = run_plan(plan_of(machines))
    assert record is not None
    trace, read = trace_of(record, machines), read_run(Run(tmp_path))

    assert len(trace) > 25_000
    assert contents(trace)["message arrival_ns"] == contents(read)["message arrival_ns"]
    assert contents(trace)["stamp"] == contents(read)["stamp"]
    assert [machine.stop for machine in trace.machines.values()] == [one.stop for one in read.machines.values()]
    columns = read_columns(Tables(*Run(tmp_path).tables))
    assert {name: value.itemsize for name, value in vars(columns).items() if value.itemsize > 4} == {}


@pytest.mark.parametrize("is_long", [False, True], ids=["short", "long"])
@pytest.mark.parametrize("name", ["c5", "amnesia"])
def test_every_command_answers_alike(
    name: str, is_long: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is checked, measured, exported, explained and ordered does not depend on how the run is kept, nor read."""
    monkeypatch.setattr(archive, "is_worth_compiling", lambda _: is_long)
    monkeypatch.setattr(choice, "is_worth_compiling", lambda _: is_long)
    runs = kept_both_ways(tmp_path, golden_machines(name) if name in ALL else half_a_second(name))
    some = next(name for row, name in enumerate(map(str, map(read_run(runs[0]).name, range(40)))) if row > 30)

    def said(run: Run, *words: str) -> str:
        code = main([words[0], str(run.path), *words[1:]])
        out, err = capsys.readouterr()
        places = out.replace(str(run.path), "RUN").replace(run.path.parent.name, "KEPT")
        return f"{code} {places} {err.replace(str(run.path), 'RUN')}"

    for words in (["check"], ["check", "--json"], ["measure", "--json"], ["order", "1:1", some, "--json"]):
        assert without_places(said(runs[0], *words)) == without_places(said(runs[1], *words))
    assert json.loads(said(runs[1], "check", "--json").split(" ", 1)[1].rpartition("}")[0] + "}")["verdict"] == "valid"
    assert without_places(said(runs[0], "explain", some)) == without_places(said(runs[1], "explain", some))
    for format_ in FORMATS.values():
        exported = [
            {name: "".join(pieces) for name, pieces in format_.export(read_run(run)).files.items()} for run in runs
        ]
        assert exported[0] == exported[1]
    assert main(["compare", str(runs[0].path), str(runs[1].path)]) == 0
    capsys.readouterr()


def without_places(text: str) -> str:
    """Leave out in which line of which file an event stands: columns have no lines."""
    text = re.sub(r'"events-\d+\.jsonl:\d+"', "null", text)
    return re.sub(r"\s+", " ", re.sub(r" \(?events-\d+\.jsonl:\d+(, events-\d+\.jsonl:\d+)*\)?", "", text))


def test_the_logs_of_a_run_in_columns_are_those_that_the_lab_writes(tmp_path: Path) -> None:
    """`export --format jsonl`: byte for byte, but for the lines of crashes, of which a trace knows nothing."""
    lines, columns = kept_both_ways(tmp_path, golden_machines("c3"))

    assert main(["export", str(columns.path), "--format", "jsonl", "--out", str(tmp_path / "out")]) == 0
    for node, log in lines.event_logs().items():
        assert log.read_bytes() == Run(tmp_path / "out").events_path(node).read_bytes()


def test_an_interrupted_run_keeps_what_there_is(tmp_path: Path) -> None:
    """As its logs would: no stop record, and what it did not come to is unknown, not missing."""
    asked = iter([False] * 2 + [True] * 10)
    outcome = run_in_columns(Run(tmp_path), cluster(9, seconds=200), name="test", is_interrupted=lambda: next(asked))
    trace = read_run(Run(tmp_path))

    assert outcome.interrupted
    assert 0 < len(trace) < 5000
    assert all(machine.stop is None and machine.end for machine in trace.machines.values())
    assert check(trace, twin_of(trace)).verdict == "unknown"


# Damage


@pytest.fixture(params=[False, True], ids=["short", "long"])
def kept(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Run]:
    """A small run in columns, read as a short one and as a long one."""
    run_in_columns(Run(tmp_path), SMALL, name="test")
    with read_as(is_long=request.param):
        yield Run(tmp_path)


def verdict(run: Run) -> str:
    """Judge a run; an error of ours is as good."""
    try:
        trace = read_run(run)
    except ScaleModelError as error:
        return type(error).__name__
    return check(trace, twin_of(trace)).verdict


def test_no_flipped_bit_and_no_cut_leaves_columns_valid(kept: Run) -> None:
    """Without any manifest: a value that has changed, or a bit that no value depends on."""
    chance = Random(7)
    assert verdict(kept) == "valid"
    for number in range(60):
        path = chance.choice(sorted(kept.path.iterdir()))
        before = path.read_bytes()
        after, bit = bytearray(before), chance.randrange(8 * len(before))
        after[bit // 8] ^= 1 << bit % 8
        path.write_bytes(after[: chance.randrange(len(after))] if number % 6 == 0 else after)
        assert verdict(kept) in ("unknown", "violated", "LogError", "NoLogError"), (path.name, bit)
        path.write_bytes(before)
    assert verdict(kept) == "valid"


@pytest.mark.parametrize("place", [0, 1])
def test_whatever_a_table_says_a_long_run_is_read_as_a_short_one(place: int, tmp_path: Path) -> None:
    """Each number of each column in turn is another: what is found odd in the quick way, the plain way judges."""
    mix = EACH["amnesia"] | {"network": {"delay": {"uniform": ("1ms", "90ms")}, "loss": 0.2, "duplicate": 0.4}}
    run_in_columns(Run(tmp_path), machines_of(HALF_A_SECOND | mix), name="test")
    chance, path, tables = Random(7), Run(tmp_path).tables[place], Tables(*Run(tmp_path).tables)
    before = parquet.read(path, (OF_EVENTS, OF_MESSAGES)[place])
    for name, column in before.items():
        for other in (0, 1, 2, 4, 9, 255, 2**31, 2**33):
            changed = column.astype(np.int64)
            # What only the last row says nobody else contradicts.
            changed[-1 if other in (0, 2**31) else chance.randrange(len(column))] = other
            parquet.write(path, before | {name: changed})
            tables.seal.write_text(tables.hashes)
            assert outcome(Run(tmp_path), is_long=False) == outcome(Run(tmp_path), is_long=True), (name, other)


def test_a_footer_that_counts_more_rows_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room is filled for rows that never come."""
    run_in_columns(Run(tmp_path), SMALL, name="test")
    expected, constants = outcome(Run(tmp_path), is_long=False), parquet.constants

    for rows in (1, 2_000_000_000, 2**31):
        monkeypatch.setattr(
            parquet, "constants", lambda path, more=rows: (constants(path)[0] + more, constants(path)[1])
        )
        assert outcome(Run(tmp_path), is_long=True) == expected


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (
            [("a", "INT32", "7", "7", 5), ("a", "INT32", "7", "7", 4), ("b", "INT64", "-1", "-1", 9)],
            (9, {"a": 7, "b": -1}),
        ),
        ([("a", "INT32", "7", "7", 5), ("a", "INT32", "8", "8", 4)], (9, {})),
        ([("a", "INT32", "7", "8", 9), ("b", "INT32", None, None, 9)], (9, {})),
        ([("a", "BYTE_ARRAY", "7", "7", 9), ("b", "INT32", "1996-12-19", "1996-12-19", 9)], (9, {})),
        ([("a", "INT32", "7", "7", 9), ("b", "INT32", "7", "7", 8)], (9, {"a": 7})),
        ([("a", "INT32", "7", "7", 2**63 - 1)] * 3, (parquet.ROWS_MAX, {})),
        ([("a", "INT32", "7", "7", -1)], (0, {})),
        ([], (0, {})),
    ],
)
def test_what_holds_one_number_everywhere_is_known_by_its_footer(
    groups: list[Any], found: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a footer says of the row groups of each column, and however many rows it counts."""
    parquet.write(tmp_path / "table.parquet", {"a": np.arange(3)})
    monkeypatch.setattr(parquet, "_ask", lambda _path, _question, _take: groups)

    assert parquet.constants(tmp_path / "table.parquet") == found


def test_a_run_that_is_handed_over_in_parts_is_read_as_a_short_one(tmp_path: Path) -> None:
    """What the parts hand on to each other is not lost between them."""
    run_in_columns(Run(tmp_path), cluster(100, seconds=400, delay_ms=700), name="test")
    with read_as(is_long=False):
        expected = read_run(Run(tmp_path))
    with read_as(is_long=True):
        found = read_run(Run(tmp_path))

    assert isinstance(found, Unfolded)
    assert len(found) > parquet.ROWS_AT_ONCE
    for name in ("tick", "due_ns", "kind", "clock", "queue", "message", "cause_row", "stamp", "arrival_ns"):
        assert np.array_equal(getattr(expected, name), getattr(found, name)), name
    for name in ("send_row", "recipient", "number", "arrival_ns", "receive_row"):
        assert np.array_equal(getattr(expected.messages, name), getattr(found.messages, name)), name


@pytest.mark.parametrize("count", [1, 2, 4, 5, 9])
def test_columns_of_bytes_and_words_come_back_each(count: int, tmp_path: Path) -> None:
    """However many columns of bytes there are, beside one of words, and in more rows than are handed over at once."""
    path, rows = tmp_path / "table.parquet", 300_000
    written = {f"of_{place}": np.arange(rows, dtype=np.uint32) * (place + 1) % 251 for place in range(count)}
    parquet.write(path, {name: column.astype(np.uint8) for name, column in written.items()} | {"row": np.arange(rows)})
    found = {name: np.full(rows, 7, np.uint32 if place % 2 else np.uint8) for place, name in enumerate(written)}
    newest, begin = np.empty(parquet.ROWS_AT_ONCE, np.uint32), 0
    for end in parquet.fill(path, found, passing={"row": newest}):
        assert np.array_equal(newest[: end - begin], np.arange(begin, end))
        begin = end

    assert begin == rows
    assert {name: column.tolist() for name, column in written.items()} == {
        n: each.tolist() for n, each in found.items()
    }


@pytest.mark.parametrize("missing", ["a", "b", "c"])
def test_a_value_that_is_missing_is_damage(missing: str, tmp_path: Path) -> None:
    """In whatever column."""
    path = tmp_path / "table.parquet"
    values = {"a": "1::UTINYINT", "b": "2::UTINYINT", "c": "3"}
    asked = ", ".join(
        f"{f'nullif({value}, {value})' if name == missing else value} AS {name}" for name, value in values.items()
    )
    parquet.connection().execute(f"COPY (SELECT {asked}) TO '{path}' (format parquet)")

    with pytest.raises(LogError, match="a value is missing"):
        list(parquet.fill(path, {name: np.empty(1, np.int64) for name in values}, passing={}))


def test_what_was_changed_is_read_in_the_plain_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which says what is wrong; the quick way is for what its seal vouches for."""
    run_in_columns(Run(tmp_path), SMALL, name="test")
    with read_as(is_long=True):
        assert isinstance(read_run(Run(tmp_path)), Unfolded)
        Tables(*Run(tmp_path).tables).seal.write_text("")
        monkeypatch.setattr(parquet, "fill", None)
        assert not isinstance(read_run(Run(tmp_path)), Unfolded)


def test_without_arro3_a_long_run_is_read_in_the_plain_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer, and nobody else need know."""
    run_in_columns(Run(tmp_path), SMALL, name="test")
    expected = outcome(Run(tmp_path), is_long=True)
    monkeypatch.setitem(sys.modules, "arro3.io", None)
    monkeypatch.setattr(parquet, "is_quick", lambda: False)

    assert outcome(Run(tmp_path), is_long=True) == expected


def outcome(run: Run, *, is_long: bool) -> Any:
    """Return what a run holds, or what is said of it."""
    with read_as(is_long=is_long):
        try:
            return contents(read_run(run))
        except ScaleModelError as error:
            return str(error)


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        (lambda path: path.write_text("node,clock\n1,1\n"), NoLogError),
        (lambda path: path.write_bytes(b"PAR1" + bytes(200) + b"PAR1"), LogError),
        (lambda path: path.write_bytes(b""), NoLogError),
        (os.remove, NoInputError),
        (lambda path: parquet.write(path, {"other": np.arange(3)}), LogError),
        (lambda path: parquet.write(path, {"node": np.arange(3.0)}), LogError),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_another_file_is_no_table(kept: Run, place: int, harm: Callable[[Path], None], error: type[Exception]) -> None:
    """One line, with the file, and never a traceback."""
    harm(kept.tables[place])

    with pytest.raises(error, match=kept.tables[place].name):
        read_run(kept)


def test_the_table_of_another_run_is_found(kept: Run, tmp_path: Path) -> None:
    """Its own hashes do not save it: it is not what its machines do."""
    other = tmp_path / "other"
    other.mkdir()
    run_in_columns(Run(other), cluster(2, seconds=2, seed=5), name="test")
    for table in Run(other).tables[:2]:
        shutil.copy(table, kept.path)

    assert verdict(kept) in ("violated", "LogError")


def test_a_clock_that_somebody_changed_is_a_violation(kept: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are evidence: a wrong file can be well-formed, and is judged."""
    events = parquet.read(kept.tables[0], OF_EVENTS)
    events["clock"][-1] += 1
    parquet.write(kept.tables[0], events)

    assert main(["check", str(kept.path)]) == 1
    assert "trace.sha256: not the hashes of the tables beside it" in " ".join(capsys.readouterr().out.split())


def test_check_says_of_damaged_columns_that_nothing_is_known(kept: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 where several runs are judged, and 74 where one is to be told."""
    kept.tables[1].write_bytes(kept.tables[1].read_bytes()[:-9])

    assert main(["check", str(kept.path)]) == 2
    assert "messages.parquet: damaged" in " ".join(capsys.readouterr().out.split())
    assert main(["explain", str(kept.path), "1:1"]) == 74
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", [None, b"", b"PAV1 is no magic"], ids=["missing", "empty", "of another kind"])
def test_a_table_that_is_none_is_damage_of_its_run(
    kept: Run, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The directory says that there was one: nothing is known, and no other run goes unjudged for it."""
    kept.tables[0].unlink()
    if content is not None:
        kept.tables[0].write_bytes(content)

    assert main(["check", str(kept.path)]) == 2
    assert "trace.parquet" in capsys.readouterr().out


def test_a_missing_seal_is_said_to_be_missing(kept: Run) -> None:
    """Nobody need have changed anything."""
    kept.tables[3].unlink()

    (damage,) = read_run(kept).damage
    assert "trace.sha256: cannot be read" in damage
    assert verdict(kept) == "unknown"


def test_of_many_machines_that_count_otherwise_some_are_named(tmp_path: Path) -> None:
    """And the others are counted: nobody reads a hundred thousand remarks."""
    run_in_columns(Run(tmp_path), cluster(9, seconds=2), name="test")
    path = Run(tmp_path).tables[2]
    machines = parquet.read(path, OF_MACHINES)
    parquet.write(path, machines | {"events": machines["events"] + 1})

    _, *wrong, more = read_run(Run(tmp_path)).damage
    assert [line for line in wrong if "machine 1 counts" in line]
    assert (len(wrong), more) == (6, "machines.parquet: 3 more machines count other events than are there")


def test_without_duckdb_the_columns_are_not_read(kept: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to do is said: exit 69."""
    parquet.connection.cache_clear()
    monkeypatch.setattr(parquet, "is_there", lambda: False)

    with pytest.raises(UnavailableError, match="DuckDB is not installed"):
        read_run(kept)


def test_a_path_is_not_a_pattern(tmp_path: Path) -> None:
    """Quotation marks, brackets and stars in a name stand for themselves."""
    for name in ("it's", "a[1]", "a*b?"):
        run = Run(tmp_path / name)
        run.path.mkdir()
        run_in_columns(run, SMALL, name="test")

        assert verdict(run) == "valid"
