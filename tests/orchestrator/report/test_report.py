"""`report`: one file that says what a run did, whoever wrote its log, and asks nobody for anything."""

import json
import re
import shutil
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

import pytest

from orchestrator.__main__ import main
from orchestrator.commands import report as command
from orchestrator.report import sheet
from orchestrator.rundir import RunDirectory
from orchestrator.trace import order
from tests import foreign_logs
from tests.clusters import cluster
from tests.reports import Page, report, run

EVIL = "node,kind,clock,message,from,to\n<script>alert(1)</script>,send,1,m1,,b\u202ec\nb\u202ec,receive,1,m1,,\n"


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("runs") / "right")


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("runs") / "wrong", "--set", "clock=lamport-literal", code=1)


def _copy(run_: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run_, tmp_path / run_.name))


def _in_lines(run_: Path, tmp_path: Path) -> Path:
    """Return the event logs of a run that is kept in columns."""
    assert main(["export", str(run_ / "run-1"), "--format", "jsonl", "--out", str(tmp_path / "logs")]) == 0
    return tmp_path / "logs"


def test_a_report_lies_in_the_run_and_the_record_stays_what_it_was(
    right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made from the record as often as one likes, and no part of it: the manifest knows nothing of it."""
    copy = _copy(right, tmp_path)

    answer = report(capsys, str(copy))

    assert answer["report"] == str(copy.resolve() / "report.html")
    assert answer["bytes"] == (copy / "report.html").stat().st_size
    assert answer["verdict"] == "valid"
    assert answer["pictures"] == len(list((copy / "report-plots").glob("run-1-*.png"))) == 5
    assert RunDirectory(copy).changed_files() == []
    assert main(["check", str(copy)]) == 0


def test_the_same_run_gives_the_same_bytes_twice(
    wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the page with its SVG, and of each PNG: no date, no chance, no path of the machine."""

    def files() -> dict[str, bytes]:
        report(capsys, str(copy))
        return {path.name: path.read_bytes() for path in [copy / "report.html", *(copy / "report-plots").iterdir()]}

    copy = _copy(wrong, tmp_path)
    first = files()
    for path in (copy / "report-plots").iterdir():
        path.unlink()

    assert first == files()
    assert str(tmp_path) not in first["report.html"].decode().replace(_command(copy), "")


def _command(directory: Path) -> str:
    return str(json.loads((directory / "manifest.json").read_text())["command"])


def test_without_a_script_the_page_shows_verdict_plots_and_tables(
    wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Page.of(report(capsys, str(_copy(wrong, tmp_path)))["report"])
    words = " ".join(page.words.split())

    assert words.index("BROKEN") < words.index("How it is known") < words.index("What was asked")
    assert "clock-condition is violated" in words
    assert "python3 lab.py run" in words and "seed: 262" in words
    assert page.titles() == ["Clocks over time", "Drift", "Queues", "Jumps", "Mix of events"]
    assert "Every violation" in words and "Who sent to whom" in words and "Each machine" in words
    assert {"check", "machine", "from ↓ to →", "event"} <= set(re.findall(r"\S+(?: ↓ to →)?", page.words))


def test_the_policy_allows_what_is_in_the_file_and_nothing_else(
    right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every style and script by its hash; an attribute that styles would be refused, so there is none."""

    def hash_of(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    page = Page.of(report(capsys, str(_copy(right, tmp_path)))["report"])
    (policy,) = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    modules = [
        script
        for script, (_, one) in zip(page.scripts, _elements(page, "script"), strict=True)
        if one["type"] == "module"
    ]

    assert policy == (
        f"default-src 'none'; style-src {hash_of(page.styles[0])}; script-src {' '.join(map(hash_of, modules))}; "
        "base-uri 'none'; form-action 'none'"
    )
    assert len(page.styles) == 1 and len(modules) == 2
    assert not [name for _, attributes in page.tags for name in attributes if name == "style" or name.startswith("on")]
    assert not [one for tag in ("img", "link", "iframe", "object", "base") for one in page.all(tag)]
    assert all("src" not in one for one in page.all("script"))


def _elements(page: Page, tag: str) -> list[tuple[str, dict[str, str | None]]]:
    return [(name, attributes) for name, attributes in page.tags if name == tag]


def test_every_link_leads_to_a_file_or_a_place_in_the_page(
    wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each violation to its event in the diagram, and to the log that it stands in."""
    copy = _copy(wrong, tmp_path)
    page = Page.of(report(capsys, str(copy))["report"])
    places = {one["id"] for _, one in page.tags if "id" in one}
    links = [str(one["href"]) for one in page.all("a")]

    assert all(link[1:] in places for link in links if link.startswith("#"))
    assert all((copy / unquote(link)).exists() for link in links if not link.startswith("#"))
    assert {"./run-1/trace.parquet", "./manifest.json"} <= set(links)
    events = [one["data-event"] for one in page.all("a") if one.get("class") == "event"]
    assert len(events) > 10 and "2:1" in events


def test_every_line_of_a_log_leads_to_its_file(wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A browser goes no further than that; the number is in the word."""
    logs = _in_lines(wrong, tmp_path)
    page = Page.of(report(capsys, str(logs))["report"])

    assert "events-2.jsonl:2" in page.words
    assert any(str(one["href"]).endswith("/events-2.jsonl") for one in page.all("a"))


def test_an_id_is_in_a_page_but_once(right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = Page.of(report(capsys, str(right), "--out", str(tmp_path / "x.html"))["report"])
    ids = [str(one["id"]) for _, one in page.tags if "id" in one]

    assert len(ids) == len(set(ids))


def test_the_words_of_others_are_words_and_what_cannot_be_seen_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A host called like a tag, and one whose name turns what stands behind it around."""
    monkeypatch.chdir(tmp_path)
    Path("evil.csv").write_text(EVIL, encoding="utf-8")

    answer = report(capsys, "evil.csv")
    page = Page.of(answer["report"])

    assert answer["report"] == str(tmp_path.resolve() / "evil-report.html")
    assert answer["verdict"] == "violated"
    assert len(page.scripts) == 3  # the data of the diagram, and two modules
    assert "<script>alert(1)</script>" in page.words
    assert "⟨U+202E⟩" in page.words
    assert "\u202e" not in page.html


def test_logs_without_times_have_a_page_without_a_plot_of_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    clocks = foreign_logs.vectors(cluster(3, seconds=3))
    foreign_logs.write(tmp_path / "govector", {"log.txt": foreign_logs.govector(clocks)})

    page = Page.of(report(capsys, "govector")["report"])

    assert "CAUSALITY HOLDS" in page.words
    assert "vector-valid" in page.words
    assert "Drift" not in page.titles()


def test_one_machine_alone_has_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.csv").write_text("node,kind,clock\na,internal,1\na,internal,2\n")

    assert Page.of(report(capsys, "one.csv")["report"]).titles() == ["Clocks over time"]


def test_a_thousand_machines_are_folded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No table has a row for each, and the plots show quartiles."""
    big = run(tmp_path / "big", "--duration", "300ms", "--set", "nodes=1000", "--set", "topology=ring")

    answer = report(capsys, str(big))
    page = Page.of(answer["report"])

    assert "and 976 more" in page.words
    assert len(page.all("tr")) < 80
    assert answer["bytes"] < 600_000


def test_what_is_too_much_for_a_page_is_left_out_and_the_page_says_so(
    right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred thousand machines nobody counts the pairs, and no browser holds every event."""
    monkeypatch.setattr(order, "CELLS_MAX", 0)
    monkeypatch.setattr(sheet, "DRAWN_MAX", 20)
    whole = Path(report(capsys, str(right), "--out", str(tmp_path / "whole.html"))["report"])

    page = Page.of(whole)

    assert "was not counted" in page.words
    assert "pairs of events were not counted: that takes a step" in page.words
    assert re.search(r"it has the first (1\d|20) of \d\d\d? events", page.words)
    (data,) = (json.loads(script) for script in page.scripts if '"unit":"ns"' in script)
    assert 10 <= sum(events for _, _, events in data["processes"]) <= 20


def test_a_run_that_was_cut_says_so_before_anything_else(
    right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = _in_lines(right, tmp_path)
    log = logs / "events-2.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:9]))

    words = Page.of(report(capsys, str(logs))["report"]).words

    assert words.index("Machine 2 wrote no stop record") < words.index("CANNOT TELL")


def test_a_run_without_a_log_says_so(right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = _copy(right, tmp_path)
    for path in [*(copy / "run-1").glob("*.parquet"), copy / "run-1" / "trace.sha256"]:
        path.unlink()

    assert "There is no event log that can be read" in Page.of(report(capsys, str(copy))["report"]).words


def test_logs_from_elsewhere_are_called_by_what_tells_them_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path from the root says more of a disk than of a log."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text("node,kind,clock\na,internal,1\n")
    single = report(capsys, str(tmp_path / "one" / "x.csv"), "--out", str(tmp_path / "a.html"))
    both = report(capsys, str(tmp_path), "--out", str(tmp_path / "b.html"))

    assert "\nx.csv\n" in Page.of(single["report"]).words
    words = Page.of(both["report"]).words
    assert "\none\n" in words
    assert str(tmp_path) not in words


def test_several_runs_are_a_table_and_a_section_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    several = run(tmp_path / "several", "--runs", "3", "--duration", "3s")

    page = Page.of(report(capsys, str(several))["report"])
    sections = {one["id"]: "open" in one for one in page.all("details")}

    assert sections == {"run-1": True, "run-2": False, "run-3": False}
    assert "All runs" in page.words


def test_one_run_of_several_has_a_page_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    several = run(tmp_path / "several", "--runs", "2", "--duration", "3s")

    answer = report(capsys, str(several / "run-2"))

    assert answer["report"] == str(several.resolve() / "report-run-2.html")
    assert RunDirectory(several).changed_files() == []
    assert "run-1" not in Page.of(answer["report"]).words


def test_two_runs_stand_side_by_side_and_the_first_difference_is_named(
    right: Path, wrong: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    page = Page.of(report(capsys, str(right), "--compare", str(wrong))["report"])
    words = " ".join(page.words.split())

    assert "DIFFERENT" in words and "The first place that differs (clock)" in words
    assert [one["id"] for one in page.all("details")] == ["a", "b"]
    assert len(page.titles()) == 10
    assert page.html.count('stroke="var(--mark)"') == 8  # in every plot but the mix


def test_a_report_is_written_over_a_report_and_over_nothing_else(
    right: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, theirs = tmp_path / "mine.html", tmp_path / "theirs.html"
    theirs.write_text("<p>thesis</p>")
    report(capsys, str(right), "--out", str(mine))
    report(capsys, str(right), "--out", str(mine))

    assert main(["report", str(right), "--out", str(theirs)]) == 73
    assert theirs.read_text() == "<p>thesis</p>"
    assert "is no report of ours" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere"], 66, "nowhere: no such file"),
        (["empty"], 66, "empty: no run and no log in it"),
        (["prose.txt"], 65, "none of the formats fits"),
        (["{right}", "--out", "{right}/other.html"], 73, "a report is called report.html"),
        (["{right}", "--out", "no/such/folder/x.html"], 73, "x.html: cannot be written"),
        (["{right}", "--compare", "prose.txt"], 65, "none of the formats fits"),
        (["--compare", "{right}"], 64, "these are 1"),
    ],
)
def test_what_cannot_be_reported_is_a_line_and_an_exit_code(  # noqa: PLR0917
    words: list[str],
    code: int,
    said: str,
    right: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "prose.txt").write_text("It was a dark and stormy night.\n")
    capsys.readouterr()

    assert main(["report", *(word.format(right=right) for word in words)]) == code
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and said in err


def test_without_what_draws_the_answer_says_how_to_get_it(
    right: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "LIBRARIES", ("no_such_library",))
    capsys.readouterr()

    assert main(["report", str(right)]) == 69
    assert capsys.readouterr().err == "error: a report needs no_such_library: python3 lab.py report fetches it\n"
