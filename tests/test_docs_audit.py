"""docs/audit.md and docs/evidence.md show what the program prints, and their logs are judged as they say."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.audit.revealed import FILE
from orchestrator.commandline import parse
from orchestrator.labs.simulated import simulate
from tests.bench.evidence import MUST_BE_FOUND, Kind, no_mistake
from tests.bench.publish import BEGIN, DOCUMENT, END, as_markdown, in_file
from tests.clusters import cluster

ROOT = Path(__file__).parents[1]
AUDIT = (ROOT / "docs" / "audit.md").read_text()
EVIDENCE = DOCUMENT.read_text()

SAVED = re.compile(r"`([\w./-]+)`:\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^```\n((?:\$ )?python3 lab\.py .*?)^```$", re.MULTILINE | re.DOTALL)
ALWAYS = (
    *(Kind("by-id", names_recipients=True, has_times=has_times) for has_times in (True, False)),
    Kind("by-order", names_recipients=True, has_times=True),
)
EXAMPLE = re.compile(r"^\*\*(By \w+)\.\*\*$.*?^```csv\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with every file that the document tells its reader to save."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "configs").symlink_to(ROOT / "configs")
    for name, _, text in SAVED.findall(AUDIT):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run(words: list[str], folder: Path) -> str:
    """Run a command as its reader would and return what it says."""
    environment = {"PYTHONPATH": str(ROOT), "COLUMNS": "80", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-P", "-m", "orchestrator", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def test_the_document_shows_what_the_commands_print(desk: Path) -> None:
    """In their order, in one folder, as somebody who reads it would type them."""
    shown = 0
    for block in COMMANDS.findall(AUDIT):
        text = block.replace("\\\n", " ")
        if not text.startswith("$ "):
            for line in text.splitlines() if "--out" in text else ():
                run(shlex.split(line)[2:], desk)
            continue
        command, _, output = text.partition("\n")

        assert lines(output) == lines(run(shlex.split(command)[3:], desk)), command
        shown += 1
    assert shown >= 4


@pytest.mark.parametrize("text", [AUDIT, EVIDENCE], ids=["audit", "evidence"])
def test_every_command_parses(text: str) -> None:
    """Also those whose output is not shown."""
    found = re.findall(r"python3 lab\.py ([^`\n>]+)", text.replace("\\\n", " "))

    assert found
    for command in found:
        words = shlex.split(command)
        if words[0] not in ("bench", "python"):
            parse(words)


def test_the_writer_of_the_document_writes_the_best_possible_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code block as it stands, used by the machines of a simulation: the proof is by id, and no format is named."""
    monkeypatch.chdir(tmp_path)
    (code,) = (text for name, _, text in SAVED.findall(AUDIT) if name == "eventlog.py")
    names: dict[str, type] = {}
    exec(code, names)
    machines = cluster(seconds=20)
    logs = {node: names["EventLog"](node) for node in machines}
    for event in simulate(machines):
        kind = "receive" if event.cause else "send" if event.to else "internal"
        received = f"{event.cause.node}:{event.cause.index}" if event.cause else ""
        name = logs[event.node].write(
            kind, event.clock, event.queue, to=[delivery.recipient for delivery in event.to], received=received
        )
        assert name == str(event.name)
    for log in logs.values():
        log.file.close()

    (execution,) = json.loads(run(["check", ".", "--json"], tmp_path))["executions"]

    assert (execution["verdict"], execution["format"]) == ("valid", "csv")
    assert {check["evidence"] for check in execution["checks"] if check["name"] == "clock-condition"} == {"by-id"}
    assert len(code.splitlines()) <= 20


@pytest.mark.parametrize(("grade", "log"), EXAMPLE.findall(EVIDENCE))
def test_each_example_of_a_grade_is_a_proof_by_that_grade(grade: str, log: str, tmp_path: Path) -> None:
    """Five lines, and a format of one."""
    (tmp_path / "log.csv").write_text(log)
    (tmp_path / "table.format.yaml").write_text("layout: table\n")

    (execution,) = json.loads(run(["check", str(tmp_path), "--json"], tmp_path))["executions"]
    condition = execution["checks"][0]

    assert condition["name"] == "clock-condition"
    assert (condition["verdict"], condition["violations"]) == ("violated", 1)
    assert condition["evidence"] == grade.lower().replace(" ", "-")


def test_all_four_grades_have_an_example() -> None:
    assert [grade for grade, _ in EXAMPLE.findall(EVIDENCE)] == ["By id", "By order", "By stamp", "By counting"]


def test_the_tables_are_those_of_the_file_that_is_shipped() -> None:
    """`python3 lab.py python -m tests.bench.publish found.json` writes both."""
    _, _, rest = EVIDENCE.partition(BEGIN)
    tables, _, _ = rest.partition(END)
    held = json.loads(FILE.read_text())

    assert as_markdown(in_file(FILE.read_text())) == tables
    assert held["made_by"] in EVIDENCE


def test_what_the_document_reads_in_the_tables_is_there() -> None:
    """A clean log is never called anything else, and by id or order each of the five is always found."""
    found = in_file(FILE.read_text())
    clean = [row for row in found if row.mistake == no_mistake.__name__]
    five = {plant.__name__ for plant in MUST_BE_FOUND}
    judged = [row for row in found if row.mistake in five and row.kind in ALWAYS]

    assert len(five) == 5
    assert clean
    assert all(row.violated == row.unknown == 0 for row in clean)
    assert {row.mistake for row in judged} == five
    assert all(row.violated == row.runs for row in judged)
