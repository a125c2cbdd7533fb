"""What a page says of all its executions together: the verdict first, then how it is known, what was asked, each run.

Never judges by itself: the worst verdict of its parts is that of the whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from markupsafe import Markup

from orchestrator.report.origin import Origin
from orchestrator.report.sheet import SYMBOLS, Sheet, check_cell, fact_line
from orchestrator.report.subject import Subject, late
from orchestrator.screen.parts import at_most, number, percent, plural
from orchestrator.trace.check import CHECKS
from orchestrator.trace.verdict import WORDS, WORST_FIRST, Verdict, worst

ROWS_MAX: Final = 200
PROBLEMS_MAX: Final = 6
ROW_TITLES: Final = (
    *(("run", ""), ("verdict", ""), ("seed", "seed"), ("events", ""), ("equal", "agreement"), ("late", "late message")),
    *(("drift, mean", "drift"), ("largest", "drift"), ("queue, mean", "queue"), ("longest", "queue")),
    *(("jump, mean", "jump"), ("largest", "jump"), ("clock", "final clock")),
)
_NAMES_OF_A_VALUE: Final = (
    "drift_mean",
    "drift_max",
    "queue_mean",
    "queue_max",
    "jump_mean",
    "jump_max",
    "final_clock",
)


class CheckRow(NamedTuple):
    """One check in every sheet: verdict, words and reason of each."""

    name: str
    evidence: str
    cells: tuple[tuple[Verdict, str, str], ...]


class Row(NamedTuple):
    """One execution in the table of all; `identity` names its section, if it has one."""

    identity: str
    name: str
    verdict: Verdict
    word: str
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs side by side; `first` are the events that differ first, in words."""

    a: str
    b: str
    rows: tuple[tuple[str, str, str, str, str], ...]
    first: tuple[str, str] | None
    differs: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """A page; `open` are the sections seen at once, `pictures` is what the addresses of PNG files begin with."""

    kicker: str
    title: str
    question: str
    facts: tuple[str, ...]
    verdict: Verdict
    word: str
    symbol: str
    sentence: Markup | str
    examples: tuple[Markup, ...]
    problems: tuple[str, ...]
    runs_called: str
    checks: tuple[CheckRow, ...]
    left_out: tuple[tuple[str, str], ...]
    row_titles: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    rows_left_out: int
    sheets: tuple[Sheet, ...]
    open: frozenset[str]
    origin: Origin
    pictures: str = ""
    comparison: Comparison | None = None


def document_of(
    subjects: Sequence[Subject], sheets: tuple[Sheet, ...], *, origin: Origin, title: str, pictures: str
) -> Document:
    """Return the page of some executions; `title` is for those that nobody has named."""
    verdict, sentence = together(subjects)
    shown = next((sheet for sheet in sheets if sheet.report.verdict == verdict), sheets[0])
    is_alone = len(subjects) == 1
    checks, left_out = check_rows(sheets)
    titles, rows = rows_of(subjects, [sheet.identity for sheet in sheets])
    return Document(
        kicker="report",
        title=origin.name or (subjects[0].name if is_alone else title),
        question=origin.question,
        facts=tuple(_facts(subjects, origin)),
        verdict=verdict,
        word=WORDS[verdict],
        symbol=SYMBOLS[verdict],
        sentence=shown.sentence if is_alone else sentence,
        examples=shown.examples if is_alone else (),
        problems=tuple(problems_of(subjects)),
        runs_called="runs" if subjects[0].is_ours else "executions",
        checks=checks,
        left_out=left_out,
        row_titles=titles,
        rows=rows,
        rows_left_out=len(subjects) - len(rows),
        sheets=sheets,
        open=frozenset([shown.identity]),
        origin=origin,
        pictures=pictures,
    )


def problems_of(subjects: Sequence[Subject]) -> Iterator[str]:
    """Yield what must be known before any number; of several executions, also whose it is."""
    found = [
        f"{subject.name}: {problem}" if len(subjects) > 1 else problem
        for subject in subjects
        for problem in subject.problems
    ]
    yield from at_most(found, PROBLEMS_MAX)


def _facts(subjects: Sequence[Subject], origin: Origin) -> Iterator[str]:
    if len(subjects) == 1:
        yield fact_line(subjects[0])
    else:
        machines = {subject.report.nodes for subject in subjects}
        yield plural(len(subjects), "run") + (f" of {origin.duration}" if origin.duration else "")
        yield plural(max(machines), "machine") if len(machines) == 1 else f"{min(machines)} to {max(machines)} machines"
        yield f"{sum(subject.report.events for subject in subjects):,} events"
    if origin.where:
        yield origin.where


def check_rows(sheets: Sequence[Sheet]) -> tuple[tuple[CheckRow, ...], tuple[tuple[str, str], ...]]:
    """Return a row for each check that applies to one of the sheets; and of the others, why not."""
    names = dict.fromkeys([*CHECKS, *(check.name for sheet in sheets for check in sheet.report.checks)])
    rows, left_out = [], []
    for name in names:
        checks = [next((one for one in sheet.report.checks if one.name == name), None) for sheet in sheets]
        known = [check for check in checks if check is not None]
        if known and all(check.verdict == "not-applicable" for check in known):
            left_out.append((name, known[0].examples[0] if known[0].examples else ""))
        elif known:
            grade = next((check.evidence.replace("-", " ") for check in known if check.evidence), "")
            rows.append(CheckRow(name, grade, tuple(map(check_cell, checks))))
    return tuple(rows), tuple(left_out)


def rows_of(
    subjects: Sequence[Subject], identities: Sequence[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[Row, ...]]:
    """Return the titles and a row for each execution; a column of which nothing is known is left out."""
    shown = [*identities, *[""] * len(subjects)]
    cells = [tuple(_cells(subject)) for subject in subjects[:ROWS_MAX]]
    kept = [place for place in range(len(ROW_TITLES) - 2) if any(row[place] != "-" for row in cells)]
    rows = tuple(
        Row(
            identity,
            subject.name,
            subject.report.verdict,
            f"{SYMBOLS[subject.report.verdict]} {WORDS[subject.report.verdict]}",
            tuple(row[place] for place in kept),
        )
        for subject, identity, row in zip(subjects, shown, cells, strict=False)
    )
    return (*ROW_TITLES[:2], *(ROW_TITLES[place + 2] for place in kept)), rows


def _cells(subject: Subject) -> Iterator[str]:
    measures, (messages, _) = subject.report.measures, late(subject.trace)
    seeds = [one.model.seed for one in getattr(subject.trace, "machines", {}).values() if one.model]
    yield str(seeds[0]) if seeds else "-"
    yield f"{subject.report.events:,}"
    yield percent(subject.fidelity)
    yield "-" if messages is None else f"{messages:,}"
    for name in _NAMES_OF_A_VALUE:
        yield number(measures.get(name))


def together(subjects: Sequence[Subject]) -> tuple[Verdict, str]:
    """Return the verdict on several executions and how many have which."""
    verdicts = [subject.report.verdict for subject in subjects]
    verdict = worst(verdicts)
    called = plural(len(verdicts), "run")
    if verdict == "valid":
        receives = sum(subject.report.receives for subject in subjects)
        return verdict, f"In each of {called}, every receive was traced to its send: {receives:,} in all."
    counts = [f"{verdicts.count(one)} {WORDS[one]}" for one in WORST_FIRST if one in verdicts]
    return verdict, f"{called}: {', '.join(counts)}."
