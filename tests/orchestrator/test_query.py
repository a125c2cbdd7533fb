"""SQL of a run: the answers are those of plain Python, the examples are what is printed, and nobody gets out."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from node.errors import UsageError
from orchestrator.__main__ import main
from orchestrator.config import load_experiment
from orchestrator.labs.columns import run_in_columns
from orchestrator.query import VIEWS, ask
from orchestrator.rundir import Run
from orchestrator.screen.parts import Screen
from orchestrator.screen.sql import show_found
from orchestrator.trace import Trace, read_trace
from orchestrator.trace.store import KINDS, NULL
from orchestrator.twin import simulated
from tests.clusters import cluster
from tests.fault_mixes import EACH, HALF_A_SECOND, machines_of
from tests.logs_on_disk import write_logs

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "sql.md").read_text()
EXAMPLES = re.findall(r"```sql\n(.*?)```\n```answer\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.fixture(scope="module")
def lossy() -> Trace:
    """The run that the document asks."""
    return simulated(load_experiment(ROOT / "configs" / "lossy-network.yaml").machines(1))


@pytest.fixture(scope="module")
def hard() -> Trace:
    """A run with loss, doubled messages and a second life."""
    network = {"delay": {"uniform": ("1ms", "90ms")}, "loss": 0.2, "duplicate": 0.3}
    return simulated(machines_of(HALF_A_SECOND | EACH["amnesia"] | {"network": network}))


def rows(trace: Trace, question: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in ask(trace, question).rows]


@pytest.mark.parametrize(("question", "answer"), EXAMPLES)
def test_every_example_is_answered_so(
    lossy: Trace, question: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What docs/sql.md shows is what a terminal shows."""
    monkeypatch.setenv("COLUMNS", "100")
    stream = io.StringIO()
    show_found(Screen(stream), ask(lossy, question))

    assert answer == "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def test_there_are_ten_examples_and_every_column_is_described(lossy: Trace) -> None:
    described = set(re.findall(r"`([a-z_]+)`", DOCUMENT))

    assert len(EXAMPLES) == 10
    for view in VIEWS:
        assert set(ask(lossy, f"from {view} limit 0").columns) <= described, view


def test_events_are_those_of_the_trace(hard: Trace) -> None:
    """Names, clocks and what a receive says, row by row."""
    known = lambda column, row: None if int(column[row]) == NULL else int(column[row])  # noqa: E731
    expected = [
        (
            str(hard.name(row)),
            int(hard.node[row]),
            int(hard.due_ns[row]),
            KINDS[hard.kind[row]],
            int(hard.clock[row]),
            known(hard.cause_node, row),
            str(hard.name(int(hard.cause_row[row]))) if hard.cause_row[row] >= 0 else None,
            known(hard.stamp, row),
            known(hard.arrival_ns, row),
        )
        for row in range(len(hard))
    ]

    assert any("." in name for name, *_ in expected)
    assert expected == rows(
        hard, "select event, machine, due_ns, kind, clock, sender, cause, stamp, arrival_ns from events"
    )


def test_jumps_and_waits_are_those_of_plain_python(hard: Trace) -> None:
    """A new life begins at clock 0."""
    before: dict[tuple[int, int], int] = {}
    jumps = []
    for row in range(len(hard)):
        life = int(hard.node[row]), int(hard.incarnation[row])
        jumps.append((str(hard.name(row)), int(hard.clock[row]) - before.get(life, 0)))
        before[life] = int(hard.clock[row])
    waits = sum(int(hard.due_ns[row] - hard.arrival_ns[row]) for row in range(len(hard)) if hard.is_receive[row])

    assert sorted(jumps) == sorted(rows(hard, "select event, jump from events"))
    assert [(waits, waits)] == rows(
        hard, "select (select sum(waited_ns) from events), (select sum(waited_ns) from messages)"
    )


def test_messages_are_those_of_the_trace(hard: Trace) -> None:
    """Lost ones and doubled ones, too."""
    table = hard.messages
    expected = [
        (
            str(hard.name(int(table.send_row[place]))),
            int(table.recipient[place]),
            int(table.copy[place]),
            int(table.number[place]) == NULL,
            str(hard.name(int(table.receive_row[place]))) if table.receive_row[place] >= 0 else None,
        )
        for place in range(len(table))
    ]

    assert sorted(expected, key=str) == sorted(
        rows(hard, "select send, recipient, copy, lost, receive from messages"), key=str
    )
    assert {True, False} == {lost for *_, lost, _ in expected}


def test_machines_are_those_of_the_configuration(hard: Trace) -> None:
    models = [machine.model for machine in hard.machines.values() if machine.model]

    assert [(model.node, model.rate_hz, model.clock, len(model.peers), True) for model in models] == rows(
        hard, "select machine, rate_hz, clock_rule, peers, finished from machines"
    )


def test_logs_and_columns_are_asked_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines of a live run and tables of a simulated one."""
    machines = cluster(seconds=5)
    (tmp_path / "lines").mkdir()
    (tmp_path / "tables").mkdir()
    write_logs(tmp_path / "lines", machines)
    run_in_columns(Run(tmp_path / "tables"), machines, name="test")
    answers = []
    for kept in ("lines", "tables"):
        assert main(["sql", str(tmp_path / kept), "from events", "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))

    assert answers[0] == answers[1]
    assert answers[0]["columns"][:2] == ["event", "machine"]


def test_csv_is_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_logs(tmp_path, cluster(9, seconds=10))

    assert main(["sql", str(tmp_path), "select event, cause from events", "--csv"]) == 0
    head, *found = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert (head, len(found) > 200) == (["event", "cause"], True)


def test_a_log_without_a_configuration_is_asked_all_the_same(tmp_path: Path) -> None:
    """What nobody knows is NULL."""
    logs = write_logs(tmp_path, cluster(2, seconds=3))
    logs[2].write_bytes(b"".join(logs[2].read_bytes().splitlines(keepends=True)[1:]))

    assert [(None, None, None)] == rows(
        read_trace(logs), "select rate_hz, clock_rule, duration_ns from machines where machine = 2"
    )
    assert [] == rows(read_trace({}), "from machines")


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("selec 1", "syntax error"),
        ("select x from events", "not found"),
        ("select * from runs", "does not exist"),
        ("", "one question, please"),
        ("select 1; select 2", "one question, please"),
        ("drop view events", "one question, please"),
        ("create table x as select 1", "one question, please"),
        ("copy events to '/tmp/x.csv'", "one question, please"),
        ("install httpfs", "one question, please"),
        ("set threads = 1", "one question, please"),
        ("attach 'x.db'", "one question, please"),
        ("select * from read_csv('/etc/passwd')", "disabled"),
        ("select * from '/etc/passwd'", "does not exist"),
        ("select * from glob('/*')", "disabled"),
        ("select * from read_parquet('https://localhost/x')", "is"),
        ("select error('a\nb')", "a b"),
        ("select cast('x' as integer)", "Could not convert"),
    ],
)
def test_what_is_no_question_is_one_line(lossy: Trace, question: str, says: str) -> None:
    """And nothing leads out of the run."""
    with pytest.raises(UsageError) as error:
        ask(lossy, question)

    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) <= 300


def test_a_folder_of_several_runs_is_too_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        (tmp_path / f"run-{number}").mkdir()
        write_logs(tmp_path / f"run-{number}", cluster(2, seconds=1))

    assert main(["sql", str(tmp_path), "from events"]) == 64
    assert "here are 2; name one" in capsys.readouterr().err
    assert main(["sql", str(tmp_path / "run-1"), "from events", "--csv", "--json"]) == 64
    (tmp_path / "empty").mkdir()
    assert main(["sql", str(tmp_path / "empty"), "from events"]) == 66


def test_what_json_has_no_word_for_is_text_or_nothing(lossy: Trace) -> None:
    found = rows(lossy, "select 1/0, date '2026-01-01', [1, 2], {'a': 1}, 2.50::decimal(9, 2), 3::hugeint, true")

    assert found == [(None, "2026-01-01", [1, 2], {"a": 1}, 2.5, 3, True)]
    json.dumps(found, allow_nan=False)


def test_a_table_that_is_too_wide_is_shown_row_by_row(lossy: Trace) -> None:
    stream = io.StringIO()
    show_found(Screen(stream), ask(lossy, "from events"))

    assert "event        4:1\n" in stream.getvalue()
    assert "and 1190 more rows" in stream.getvalue()
