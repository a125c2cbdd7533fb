"""Two runs side by side: their numbers, and the first place at which they differ, in words and in every plot.

Never judges whether they should be equal: `pairs` knows what they have in common.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from orchestrator.executions import Execution
from orchestrator.pairs import Pair
from orchestrator.report.document import Comparison, Document, check_rows, problems_of, rows_of
from orchestrator.report.origin import Origin
from orchestrator.report.sheet import sheet_of
from orchestrator.report.subject import Subject
from orchestrator.screen.compare import both_in_words, conclusion
from orchestrator.screen.parts import number, percent
from orchestrator.trace.verdict import Verdict

ROWS: Final = (
    ("final_clock", "final clock", "final clock"),
    ("clock_rate", "clock rate", "clock, per second"),
    ("drift_mean", "drift", "drift, mean"),
    ("drift_max", "drift", "drift, largest"),
    ("queue_mean", "queue", "queue, mean"),
    ("queue_max", "queue", "queue, longest"),
    ("jump_mean", "jump", "jump, mean"),
    ("jump_max", "jump", "jump, largest"),
    ("busy", "busy", "ticks that receive"),
)
VERDICTS: Final[Mapping[str, tuple[Verdict, str]]] = {
    "EQUAL": ("valid", "="),
    "DIFFERENT": ("consistent", "≠"),
    "CANNOT TELL": ("unknown", "?"),
}
"""The look of a conclusion."""


def comparison(
    a: Execution, b: Execution, subjects: Sequence[Subject], addresses: Callable[[Subject], Mapping[str, str]]
) -> Document:
    """Return the page of two runs."""
    pair = Pair(a=a, b=b)
    word, _, why = conclusion([pair])
    verdict, symbol = VERDICTS[word]
    first = pair.agreement.first_divergence
    at_s = min(side["due_ms"] for side in (first["a"], first["b"]) if side) / 1e3 if first else None
    sheets = tuple(
        sheet_of(subject, identity=side.lower(), title=side, called=name, files=addresses(subject), divergence_s=at_s)
        for side, subject, name in zip("AB", subjects, (a.name, b.name), strict=True)
    )
    checks, left_out = check_rows(sheets)
    titles, rows = rows_of(subjects, ["a", "b"])
    return Document(
        kicker="two runs side by side",
        title=f"{a.name} beside {b.name}",
        question="",
        facts=(f"{pair.agreement.places:,} places in either", f"{percent(pair.agreement.fidelity)} equal"),
        verdict="violated" if word == "DIFFERENT" and pair.exit_code == 1 else verdict,
        word=word,
        symbol=symbol,
        sentence=why[:1].upper() + why[1:],
        examples=(),
        problems=tuple(problems_of(subjects)),
        runs_called="runs",
        checks=checks,
        left_out=left_out,
        row_titles=titles,
        rows=rows,
        rows_left_out=0,
        sheets=sheets,
        open=frozenset(("a", "b")),
        origin=Origin(),
        comparison=_side_by_side(pair, subjects),
    )


def _side_by_side(pair: Pair, subjects: Sequence[Subject]) -> Comparison:
    first = pair.agreement.first_divergence
    words = both_in_words(first) if first else []
    return Comparison(
        a=pair.a.name,
        b=pair.b.name,
        rows=tuple(_rows(pair, subjects)),
        first=(words[0], words[1]) if words else None,
        differs=", ".join(first["differs"]) if first else "",
    )


def _rows(pair: Pair, subjects: Sequence[Subject]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield term, label, both values and their difference."""
    left, right = (subject.report for subject in subjects)
    yield "", "events", f"{left.events:,}", f"{right.events:,}", _difference(left.events, right.events)
    yield "agreement", "equal places", percent(pair.agreement.fidelity), percent(pair.agreement.fidelity), ""
    yield "", "same action", percent(pair.agreement.same_action), percent(pair.agreement.same_action), ""
    for key, term, label in ROWS:
        a, b = left.measures[key], right.measures[key]
        yield term, label, _shown(key, a), _shown(key, b), "" if a is None or b is None else _difference(a, b)


def _shown(key: str, value: Any) -> str:
    return f"{value * 100:.1f} %" if key == "busy" and value is not None else number(value)


def _difference(a: float, b: float) -> str:
    return "" if a == b else f"{'+' if b > a else '−'}{number(abs(b - a))}"
