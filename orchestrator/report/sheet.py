"""What a page says of one execution, as words, tables and plots that a template only lays out.

Never judges, and folds what is long: a page of a thousand machines is read like one of three.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from markupsafe import Markup

from node.model import Model
from orchestrator.report.diagram import Diagram, embed
from orchestrator.report.diagram.beginning import beginning
from orchestrator.report.linked import Linker
from orchestrator.report.plots import Plot, called, plots
from orchestrator.report.subject import Subject, late
from orchestrator.screen.check import examples, sentence
from orchestrator.screen.parts import SHORT, number, percent, plural
from orchestrator.trace.check import CHECKS, Report
from orchestrator.trace.findings import Check
from orchestrator.trace.store import NULL, Trace
from orchestrator.trace.verdict import WORDS, Verdict

MACHINES_MAX: Final = 24
MATRIX_MAX: Final = 10
LISTED_MAX: Final = 200
DRAWN_MAX: Final = 500_000
"""So many events of a diagram take some 10 MB of a page, and a browser opens it in seconds."""
REMARKS_MAX: Final = 12
FILES_MAX: Final = 24
SHADES: Final = 8

SYMBOLS: Final[dict[Verdict, str]] = {
    "valid": "✓",
    "consistent": "○",
    "violated": "✕",
    "unknown": "?",
    "not-applicable": "–",
}

MEASURES: Final = (
    ("drift", "drift", ("drift_mean", "drift_max")),
    ("pair drift", "pair drift", ("drift_pair_mean", None)),
    ("queue", "queue", ("queue_mean", "queue_max")),
    ("jump", "jump", ("jump_mean", "jump_max")),
    ("gap", "gap", ("gap_mean", "gap_max")),
    ("final clock", "final clock", ("final_clock", None)),
    ("clock rate", "clock, per second", ("clock_rate", None)),
)
"""Of each: the term, the label, and the keys of its mean and its largest value."""

COLUMNS: Final = (
    ("final_clock", "clock", "final clock"),
    ("clock_rate", "clock/s", "clock rate"),
    ("queue_mean", "queue, mean", "queue"),
    ("queue_max", "longest", "queue"),
    ("jump_mean", "jump, mean", "jump"),
    ("jump_max", "largest", "jump"),
    ("busy", "busy", "busy"),
)
"""The measures of a machine: key, title, term."""


class Cell(NamedTuple):
    """A cell of the matrix: what it shows, how dark it is, and what it says when pointed at."""

    text: str
    shade: int
    words: str


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What a template needs to lay one execution out; `identity` is new in the page."""

    identity: str
    subject: Subject
    title: str
    called: str
    seed: str
    word: str
    symbol: str
    sentence: Markup
    examples: tuple[Markup, ...]
    remarks: tuple[Markup, ...]
    facts: tuple[tuple[str, str, str], ...]
    measures: tuple[tuple[str, str, str, str], ...]
    machine_titles: tuple[tuple[str, str], ...]
    machine_rows: tuple[tuple[str, ...], ...]
    machines_left_out: int
    matrix_names: tuple[str, ...]
    matrix: tuple[tuple[Cell, ...], ...]
    violations: tuple[tuple[str, Markup, Markup, Markup], ...]
    late: tuple[tuple[Markup, str, str, str, Markup], ...]
    late_in_all: int
    first: Diagram
    """What is drawn of the diagram."""
    plots: tuple[Plot, ...]
    files: Mapping[str, str]
    files_left_out: int

    @property
    def violations_in_all(self) -> int:
        """How many violations the checks count; those of some checks are listed by their examples alone."""
        return max(len(self.subject.diagram.marks), sum(check.violations or 0 for check in self.report.checks))

    @cached_property
    def diagram(self) -> Markup:
        """The diagram, to stand in the page; nothing if nothing happened."""
        return Markup(embed(self.first, identity=f"{self.identity}-events")) if len(self.first) else Markup("")

    @property
    def report(self) -> Report:
        """The verdict and its checks."""
        return self.subject.report


def sheet_of(
    subject: Subject,
    *,
    identity: str,
    title: str,
    files: Mapping[str, str],
    called: str = "",
    divergence_s: float | None = None,
) -> Sheet:
    """Return the sheet of an execution; `files` are the addresses of its logs by their names."""
    report, diagram, linker = subject.report, subject.diagram, Linker(identity, subject.diagram, files)
    titles, rows, left_out = _machines(subject)
    names, matrix = _matrix(subject)
    late_ones = np.flatnonzero(diagram.messages.seen != NULL)
    pictures = plots(diagram, is_ours=subject.is_ours, prefix=identity, lags=subject.lags, divergence_s=divergence_s)
    return Sheet(
        identity=identity,
        subject=subject,
        title=title,
        called=called,
        seed=_seed(subject),
        word=WORDS[report.verdict],
        symbol=SYMBOLS[report.verdict],
        sentence=linker.text(_capital(sentence(report))),
        examples=tuple(linker.text(example) for example in examples(report)),
        remarks=tuple(linker.text(remark) for remark in report.remarks[:REMARKS_MAX]),
        facts=tuple(_facts(subject)),
        measures=tuple(_measures(report.measures)),
        machine_titles=titles,
        machine_rows=rows,
        machines_left_out=left_out,
        matrix_names=names,
        matrix=matrix,
        violations=tuple(_violations(diagram, linker)),
        late=tuple(_late(subject, linker, late_ones[:LISTED_MAX].tolist())),
        late_in_all=len(late_ones),
        first=beginning(diagram, DRAWN_MAX),
        plots=tuple(pictures),
        files=dict(list(files.items())[:FILES_MAX]),
        files_left_out=max(0, len(files) - FILES_MAX),
    )


def _capital(sentence: str) -> str:
    """Return a sentence with a capital, unless it begins with the name of a check."""
    return sentence if sentence.partition(" ")[0] in CHECKS else sentence[:1].upper() + sentence[1:]


def check_cell(check: Check | None) -> tuple[Verdict, str, str]:
    """Return a check for a table: its verdict, symbol and word, and the reason if it is not plain."""
    if check is None:
        return "not-applicable", "", ""
    times = f", {check.violations}×" if check.violations else ""
    return check.verdict, f"{SYMBOLS[check.verdict]} {SHORT[check.verdict]}{times}", " ".join(check.examples[:1])


def _seed(subject: Subject) -> str:
    models = _models(subject)
    return str(next(iter(models.values())).seed) if models else ""


def _models(subject: Subject) -> dict[int, Model]:
    if not isinstance(subject.trace, Trace):
        return {}
    return {node: one.model for node, one in subject.trace.machines.items() if one.model is not None}


def _facts(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Yield what agreed with the simulation and what it cost: term, label, value."""
    recorded, (messages, ticks) = subject.recorded, late(subject.trace)
    if subject.fidelity is not None:
        yield "agreement", "equal to the simulation", percent(subject.fidelity)
    held = recorded.get("held_back")
    if held:
        value = f"{held['ticks']}: {held['total_ms']:.1f} ms in all, {held['max_ms']:.1f} ms at most"
        yield "held back", "ticks held back", value if held["ticks"] else "none"
    if messages is not None:
        yield "late message", "late messages", f"{messages:,}"
    if ticks is not None:
        yield "late tick", "late ticks", f"{ticks:,}"
    timing = recorded.get("timing")
    if timing:
        yield "", "took", f"{timing['total_s']:.2f} s, of which {timing['setup_s']:.2f} s to set up"
        yield "", "processor time", f"{timing['cpu_s']:.2f} s"


def _measures(measures: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield term, label, mean, and the largest value or nothing, of what is known."""
    for term, label, (mean, largest) in MEASURES:
        if measures.get(mean) is not None or (largest and measures.get(largest) is not None):
            yield term, label, number(measures.get(mean)), number(measures.get(largest)) if largest else ""


def _machines(subject: Subject) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, ...], ...], int]:
    """Return the titles with their terms, the rows, and how many machines are left out."""
    of_each: Mapping[str, Mapping[str, Any]] = subject.report.measures["machines"]
    models = _models(subject)
    rates = {str(node): str(model.rate_hz) for node, model in models.items()}
    rates |= {name: number(one["tick_rate"]) for name, one in of_each.items() if one.get("tick_rate") is not None}
    events = np.bincount(subject.diagram.lane_of, minlength=len(subject.diagram.lanes))
    count = dict(zip(subject.machines, events.tolist(), strict=True))
    columns = [column for column in COLUMNS if any(one.get(column[0]) is not None for one in of_each.values())]
    titles = [("machine", ""), *([("ticks/s", "tick")] if rates else []), ("events", "")]
    rows = [
        (
            name,
            *([rates.get(name, "–")] if rates else []),
            f"{count.get(name, 0):,}",
            *(_measured(key, one.get(key)) for key, _, _ in columns),
        )
        for name, one in list(of_each.items())[:MACHINES_MAX]
    ]
    titles += [(title, term) for _, title, term in columns]
    return tuple(titles), tuple(rows), max(0, len(of_each) - MACHINES_MAX)


def _measured(key: str, value: float | None) -> str:
    return f"{value * 100:.0f} %" if key == "busy" and value is not None else number(value)


def _matrix(subject: Subject) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    """Return who sent how much to whom; of many machines, each group of them to each."""
    lanes = subject.machines
    if len(lanes) < 2:
        return (), ()
    groups = np.array_split(np.arange(len(lanes)), min(len(lanes), MATRIX_MAX))
    group_of = {lanes[lane]: place for place, group in enumerate(groups) for lane in group.tolist()}
    totals: dict[tuple[int, int], list[int]] = {}
    for link in subject.links:
        sent = link["sent"] if link["sent"] is not None else link["received"]
        if sent is not None:
            place = group_of[str(link["from"])], group_of[str(link["to"])]
            total = totals.setdefault(place, [0, 0])
            total[0] += sent
            total[1] += link["received"] or 0
    if not totals:
        return (), ()
    most = max(sent for sent, _ in totals.values())
    names = [_group([lanes[lane] for lane in group.tolist()]) for group in groups]
    rows = (
        tuple(_cell(totals.get((a, b)), names[a], names[b], most=most) for b in range(len(names)))
        for a in range(len(names))
    )
    return tuple(names), tuple(rows)


def _group(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"


def _cell(total: list[int] | None, sender: str, recipient: str, *, most: int) -> Cell:
    if total is None:
        return Cell("", 0, "")
    sent, received = total
    words = f"{called(sender)} to {called(recipient)}: {sent:,} sent, {received:,} received"
    return Cell(f"{sent:,}", -(-SHADES * sent // most) if most else 0, words)


def _violations(diagram: Diagram, linker: Linker) -> Iterator[tuple[str, Markup, Markup, Markup]]:
    """Yield the first violations, each with its event, its place, and what is wrong."""
    for mark in diagram.marks[:LISTED_MAX]:
        yield mark.check, linker.event(mark.row), linker.place(mark.row), linker.text(mark.words)


def _late(subject: Subject, linker: Linker, messages: Sequence[int]) -> Iterator[tuple[Markup, str, str, str, Markup]]:
    """Yield, of each late message: its send, its recipient, its arrival, by how much it was late, its receive."""
    diagram = subject.diagram
    table = diagram.messages
    for message in messages:
        arrival_ns, receive = int(table.arrival[message]), int(table.receive[message])
        yield (
            linker.event(int(table.send[message])),
            diagram.lanes[int(table.lane[message])],
            f"{arrival_ns / 1e9:.3f} s",
            f"{(int(table.seen[message]) - arrival_ns) / 1e6:.1f} ms",
            linker.event(receive) + Markup(" ") + linker.place(receive) if receive >= 0 else Markup("never"),
        )


def fact_line(subject: Subject) -> str:
    """Return an execution in a line."""
    report = subject.report
    return ", ".join([
        plural(report.nodes, "machine"), plural(report.events, "event"), plural(report.receives, "receive"),
        f"longest chain of causes {report.longest_chain:,}",
    ])  # fmt: skip
