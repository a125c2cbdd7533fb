"""`check` on the logs of others: what is understood unasked, the facts, the verdict, and what is said of bad input."""

import gzip
import io
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from node.event import Event
from node.model import ClockName, Model
from orchestrator.__main__ import main
from orchestrator.labs.simulated import simulate
from tests import foreign_logs
from tests.clusters import cluster
from tests.foreign_logs import (
    MODEL_CHECKER,
    Vector,
    alpha,
    beta,
    govector,
    model_checker,
    shiviz,
    tracechecker,
    vectors,
    write,
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory, on a screen of 80 columns without colours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def machines(clock: ClockName = "lamport", seed: int = 262, nodes: int = 3) -> dict[int, Model]:
    """Return three machines whose messages take some time, so that queues fill."""
    return cluster(nodes, seed=seed, seconds=30, internal_probability=0.4, delay_ms=50, clock=clock)


def checked(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code of a check, and its executions."""
    code = main(["check", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)["executions"]


def verdict_of(execution: dict[str, Any], name: str) -> tuple[str, str | None, int | None]:
    """Return verdict, evidence and number of violations of one check."""
    found = next(check for check in execution["checks"] if check["name"] == name)
    return found["verdict"], found["evidence"], found["violations"]


def too_early(given: dict[int, Model]) -> int:
    """Return how many receives are not later than their send: the truth, which a log may not show."""
    events = list(simulate(given))
    clocks = {event.name: event.clock for event in events}
    return sum(event.cause is not None and event.clock <= clocks[event.cause.send] for event in events)


def facts(clocks: list[tuple[Event, Vector]]) -> dict[str, int]:
    """Return the facts of a log with vectors, by trying all pairs."""
    rows = [(f"n{event.node}", vector) for event, vector in clocks]
    count = len(rows)

    def before(a: int, b: int) -> bool:
        host, vector = rows[a]
        return a != b and rows[b][1].get(host, 0) >= vector[host]

    past = [{a for a in range(count) if before(a, b)} for b in range(count)]
    future: list[set[int]] = [{b for b in range(count) if a in past[b]} for a in range(count)]
    pairs = [(a, b) for a, b in product(range(count), repeat=2) if a in past[b]]
    length: dict[int, int] = {}
    for row in sorted(range(count), key=lambda row: len(past[row])):
        length[row] = 1 + max((length[other] for other in past[row]), default=0)
    return {
        "nodes": len({host for host, _ in rows}),
        "events": count,
        "edges": sum(rows[a][0] != rows[b][0] and not future[a] & past[b] for a, b in pairs),
        "ordered_pairs": len(pairs),
        "concurrent_pairs": count * (count - 1) // 2 - len(pairs),
        "longest_chain": max(length.values()),
    }


def few(seed: int = 7, nodes: int = 3) -> list[tuple[Event, Vector]]:
    """Return a run that is small enough to try all pairs."""
    return vectors(cluster(nodes, seed=seed, seconds=6, internal_probability=0.4, delay_ms=20))


# What is understood, and the facts.


@pytest.mark.parametrize(
    ("name", "file", "render"),
    [
        ("shiviz", "run.log", shiviz),
        ("govector", "run.log", govector),
        ("tracechecker", "trace.jsonl", tracechecker),
    ],
)
def test_a_log_with_vectors_is_recognised_and_its_facts_are_those_of_all_pairs(
    name: str, file: str, render: Any, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hosts, events, direct edges, ordered and concurrent pairs and the longest chain, as by brute force."""
    write(here, {file: render(few())})
    code, (execution,) = checked(capsys, file)

    assert facts(few()) == {key: execution[key] for key in facts(few())}
    assert (0, "valid", name) == (code, execution["verdict"], execution["format"])
    assert ("valid", "by-id", 0) == verdict_of(execution, "vector-valid")


def test_the_lines_of_one_host_may_be_out_of_order(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An event's own entry says which event it is, whatever line it stands on."""
    write(here, {"run.log": shiviz(reversed(few()))})
    code, (execution,) = checked(capsys, "run.log")

    assert (0, "valid") == (code, execution["verdict"])
    assert facts(few()) == {key: execution[key] for key in facts(few())}


def test_a_delimiter_splits_a_file_into_executions(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each execution is judged alone and has the name that its delimiter gives it; records may have several lines."""
    text = "".join(
        f"=== run {seed} ===\nsome words\n{model_checker(few(seed, nodes))}" for seed, nodes in ((1, 2), (2, 4))
    )
    write(here, {"states.log": text, "states.format.yaml": MODEL_CHECKER})
    code, executions = checked(capsys, "states.log")

    assert 0 == code
    assert ["states.log/run 1", "states.log/run 2"] == [execution["name"] for execution in executions]
    for execution, (seed, nodes) in zip(executions, ((1, 2), (2, 4)), strict=True):
        assert facts(few(seed, nodes)) == {key: execution[key] for key in facts(few(seed, nodes))}


@pytest.mark.parametrize("seed", [262, 1, 2])
def test_receives_that_name_a_stamp_are_compared_with_it(
    seed: int, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prose with a stamp: the number of violations is the number of receives not later than their send."""
    given = machines("lamport-no-increment", seed)
    write(here / "logs", alpha(given))
    code, (execution,) = checked(capsys, "logs")

    assert (1, "tick-alpha") == (code, execution["format"])
    assert ("violated", "by-stamp", too_early(given)) == verdict_of(execution, "clock-condition")


def test_receives_that_name_nothing_are_counted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that pairs nothing: some violations are proved over all pairings, never more than there are."""
    proved = 0
    for seed in range(20):
        given = machines("lamport-literal", seed)
        write(here / f"trial-{seed}", beta(given))
        code, (execution,) = checked(capsys, f"trial-{seed}")
        verdict, evidence, violations = verdict_of(execution, "clock-condition")

        assert ("by-counting", "tick-beta") == (evidence, execution["format"])
        assert violations is not None
        assert violations <= too_early(given)
        assert (code, verdict) == ((1, "violated") if violations else (0, "consistent"))
        proved += violations > 0

    assert proved > 10


@pytest.mark.parametrize("render", [alpha, beta])
def test_a_right_solution_is_consistent(render: Any, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing speaks against it, and the log cannot prove it; that is 2 where a proof is required."""
    write(here / "logs", render(machines()))
    code, (execution,) = checked(capsys, "logs")

    assert (0, "consistent") == (code, execution["verdict"])
    assert 2 == checked(capsys, "logs", "--require-proof")[0]


def test_a_folder_of_run_folders_is_many_executions(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each folder is a run, in the order in which people count; other files in it are no logs."""
    for number in (1, 2, 10):
        write(here / "all" / f"experiment_{number}", alpha(machines(seed=number)))
    write(here / "all", {"LICENSE": "Do what you like.\n", "README.md": "# Logs\n"})
    _, executions = checked(capsys, "all")

    assert [f"all/experiment_{number}" for number in (1, 2, 10)] == [execution["name"] for execution in executions]


def test_files_given_together_are_one_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files of one run may be named one by one."""
    write(here, beta(machines()))
    _, (execution,) = checked(capsys, *sorted(here.glob("Log_*.txt")))

    assert 3 == execution["nodes"]


def test_gzip_and_stdin_are_read(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compressed log is the log, and so is what comes through a pipe."""
    text = shiviz(few()).encode()
    (here / "run.log.gz").write_bytes(gzip.compress(text))
    _, (compressed,) = checked(capsys, "run.log.gz")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    _, (piped,) = checked(capsys, "-")

    for key in ("verdict", "events", "edges", "format"):
        assert compressed[key] == piped[key]


@pytest.mark.parametrize("name", ["classic", "csv", "shiviz"])
def test_what_we_export_we_can_audit(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exports are formats of others, too: recognised, and never called broken."""
    run = ["run", "x.yaml", "--lab", "simulated", "--runs", "1", "--duration", "20s", "--out", "run"]
    write(here, {"x.yaml": "nodes: 3\nseed: 5\n"})
    assert main(run) == 0
    assert main(["export", "run", "--format", name, "--out", f"out-{name}"]) == 0
    capsys.readouterr()
    code, (execution,) = checked(capsys, f"out-{name}")

    assert (0, name) == (code, execution["format"])
    assert {"classic": "consistent", "csv": "valid", "shiviz": "valid"}[name] == execution["verdict"]


def test_our_own_logs_are_a_format_of_others_too(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joined and piped, our logs are still proved by the names that receives give."""
    write(here, {"x.yaml": "nodes: 3\n"})
    assert main(["run", "x.yaml", "--lab", "simulated", "--runs", "1", "--duration", "20s", "--out", "run"]) == 0
    assert main(["export", "run", "--format", "jsonl", "--out", "logs"]) == 0
    capsys.readouterr()
    joined = b"".join(path.read_bytes() for path in sorted((here / "logs").glob("events-*.jsonl")))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(joined)))
    code, (execution,) = checked(capsys, "-")

    assert (0, "valid", "scale-model") == (code, execution["verdict"], execution["format"])
    assert ("valid", "by-id", 0) == verdict_of(execution, "exactly-once")


def test_the_first_line_says_what_was_understood(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which format, how many files, machines and events; lines that match nothing are counted and shown."""
    files = alpha(machines())
    name = next(iter(files))
    write(here / "logs", {**files, name: "a banner that nobody described\n" + files[name]})
    main(["check", "logs"])
    said = capsys.readouterr().out

    assert said.startswith("understood as tick-alpha: 3 files, 3 machines, ")
    assert "1 match nothing" in " ".join(said.split())
    assert "a banner that nobody described" in " ".join(said.split())


# Bad input.


def test_a_format_that_does_not_fit_says_the_line_and_the_expression(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 lines match: exit 65, with the first line and the expression."""
    write(here, {"x.log": "nothing of the kind\n", "x.format.yaml": "record: '^(?<node>\\w+) (?<clock>\\d+)$'\n"})
    code = main(["check", "x.log"])
    said = capsys.readouterr().err

    assert 65 == code
    assert 1 == said.count("\n")
    assert "nothing of the kind" in said
    assert "(?<node>" in said


BAD = {
    "binary junk": bytes(range(256)) * 50,
    "an empty file": b"",
    "prose that is no log": b"It was a dark and stormy night.\n" * 20,
    "escape bytes": b"\x1b[31mred\x1b[0m \x1b]0;title\x07\n" * 20,
    "a line of 100 MB": b"x" * 100_000_000,
    "a damaged gzip": gzip.compress(b"x" * 1000)[:40],
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_log_is_refused_in_one_line(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 65; one printable line that names the file; stdout is empty with --json."""
    (here / "x.log").write_bytes(BAD[name])
    code = main(["check", "x.log", "--json"])
    said = capsys.readouterr()

    assert (65, "", 1) == (code, said.out, said.err.count("\n"))
    assert "x.log" in said.err
    assert said.err.rstrip("\n").isprintable()


SPOILED = {
    "a clock of 4,000 digits": lambda text: text.replace("Clock Time 7)", f"Clock Time {'7' * 4000})"),
    "a clock that is no number": lambda text: text.replace("Clock Time 7)", "Clock Time seven)"),
    "bytes that are no UTF-8": lambda text: text.replace("Internal event", "Int\udcffnal event", 1),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_line_never_makes_a_log_valid(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be read is said, and the verdict is neither valid nor a traceback."""
    files = alpha(machines())
    first = next(iter(files))
    write(here / "logs", files)
    (here / "logs" / first).write_bytes(SPOILED[name](files[first]).encode("utf-8", "surrogateescape"))
    code, (execution,) = checked(capsys, "logs")

    assert code in (0, 2)
    assert "valid" != execution["verdict"]
    assert any(first in remark or "first" in remark for remark in execution["remarks"])


def test_a_line_ends_where_it_ends_and_nowhere_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """U+2028 separates lines for some, and not in a log."""
    files = alpha(machines())
    write(here / "logs", {name: text.replace("Internal event", "Internal\u2028event") for name, text in files.items()})
    write(here / "plain", files)
    _, (execution,) = checked(capsys, "logs")
    _, (plain,) = checked(capsys, "plain")

    assert (plain["events"], plain["verdict"]) == (execution["events"], execution["verdict"])


def test_two_logs_of_one_machine_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which of the two is meant nobody can know: exit 65, naming both."""
    files = beta(machines())
    write(here, files)
    write(here / "copy", files)
    code = main(["check", *map(str, sorted(here.rglob("Log_*.txt")))])
    said = capsys.readouterr().err

    assert 65 == code
    assert "Log_2621.txt" in said
    assert 1 == said.count("\n")


def test_a_mistyped_format_is_met_with_what_was_meant(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 66 for a name, 78 for a key, with its place."""
    write(here, {**beta(machines()), "mine.yaml": "recrod: 'x'\n", "worse.yaml": "record: '(?<clock>'\n"})

    assert 66 == main(["check", ".", "--log-format", "tick-bet"])
    assert "did you mean tick-beta?" in capsys.readouterr().err
    assert 78 == main(["check", ".", "--log-format", "mine.yaml"])
    assert 'mine.yaml:1:1: unknown key "recrod"; did you mean "record"?' in capsys.readouterr().err
    assert 78 == main(["check", ".", "--log-format", "worse.yaml"])
    assert "worse.yaml:1:9: record: expected a regular expression" in capsys.readouterr().err


def test_foreign_logs_are_not_compared(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What compares runs of ours says in one line that these are none."""
    write(here, foreign_logs.beta(machines()))

    assert 65 == main(["compare", "Log_2621.txt", "Log_2622.txt"])
    assert 1 == capsys.readouterr().err.count("\n")
