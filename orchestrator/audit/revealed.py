"""What a log of a kind would have revealed: how often, in our simulation, it shows each common mistake.

Never looks at the events themselves, and never says a figure that `revealed.json` does not hold; docs/evidence.md has
all of them, and the command that makes them.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from orchestrator.audit.rhythm import Rhythm
from orchestrator.audit.store import ONE, ForeignTrace
from orchestrator.trace.store import NULL
from orchestrator.trace.verdict import Evidence

FILE: Final = Path(__file__).with_name("revealed.json")
SETTING: Final = 0.7
"""The exercise's share of internal events, of which the figures are told."""
MISTAKES: Final = {
    "stamp_before_the_increment": "the exercise's literal wording",
    "increment_then_maximum": "a missing + 1",
}
"""The mistakes that are told, as the file calls them."""

_RECEIVES: Final[dict[Evidence, str]] = {
    "by-id": "their message",
    "by-order": "their sender",
    "by-stamp": "a timestamp alone",
    "by-counting": "nothing",
}


class Kind(NamedTuple):
    """A kind of log: what receives name, whether sends name recipients, whether there is no gap for a missing line."""

    grade: Evidence
    names_recipients: bool
    is_whole: bool


def revealed(trace: ForeignTrace, evidence: Evidence | None) -> Iterator[str]:
    """Yield what is said beside a verdict of "consistent"."""
    if evidence in (None, "by-id") or not trace.has_clock:
        return
    kind = kind_of(trace, evidence)
    yield f"a log of this kind ({_words(kind)}) shows {_shares(kind)} (docs/evidence.md)"
    better = f"a receive that names its sender would show {_shares(kind._replace(grade='by-order'))}; "
    proof = "a receive that names its message would prove that no receive comes too early"
    yield f"{better if kind.grade != 'by-order' else ''}{proof}"


def kind_of(trace: ForeignTrace, evidence: Evidence) -> Kind:
    """Return the kind of log that this is."""
    is_whole = (
        trace.is_declared_complete
        or bool((trace.index != NULL).all())
        or all(Rhythm(trace, rows).is_regular for rows in trace.programs if len(rows))
    )
    is_named = not trace.may_be_some and not (trace.to[trace.is_send] == ONE).any()
    return Kind(evidence, is_named, is_whole)


def _words(kind: Kind) -> str:
    sends = "their recipients" if kind.names_recipients else "no recipient"
    lines = "no gap between lines" if kind.is_whole else "lines may be missing"
    return f"receives name {_RECEIVES[kind.grade]}, sends {sends}, {lines}"


def _shares(kind: Kind) -> str:
    """Return in which share of runs each mistake is shown, in words."""
    found = figures()
    column = found["kinds"].index(list(kind))
    counts = {line["mistake"]: line["violated"][column] for line in found["found"] if line["internal"] == SETTING}
    shares = {words: f"{share(counts[mistake], found['runs'])} %" for mistake, words in MISTAKES.items()}
    if len(set(shares.values())) == 1:
        return f"{' and '.join(shares)} in {next(iter(shares.values()))} of simulated runs each"
    return f"{' and '.join(f'{words} in {part}' for words, part in shares.items())} of simulated runs"


def share(count: int, whole: int) -> str:
    """Return a share in percent, which is 100 only if it is all, and 0 only if it is none."""
    percent = 100 * count / whole
    return f"{percent:.1f}" if 99.5 <= percent < 100 or 0 < percent < 0.5 else f"{percent:.0f}"


@lru_cache(1)
def figures() -> Mapping[str, Any]:
    """Return the file: for each setting and mistake in how many runs each kind of log is BROKEN."""
    found: Mapping[str, Any] = orjson.loads(FILE.read_bytes())
    return found
