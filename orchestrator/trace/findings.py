"""What one check found, gathered place by place.

Never decides what a violation is; the checks do.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from orchestrator.trace.verdict import Evidence, Verdict

EXAMPLES_MAX: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check.

    `violations` is None where nothing was checked.
    `examples` are the first violations in words; without any, what could not be told, or why nothing was judged.
    """

    name: str
    verdict: Verdict
    evidence: Evidence | None = None
    violations: int | None = None
    examples: tuple[str, ...] = ()

    def as_json(self) -> Mapping[str, Any]:
        """Return the check as an element of `checks`."""
        return asdict(self) | {"examples": list(self.examples)}


class Findings:
    """Collects the violations of one law, and the places where the record does not say enough."""

    def __init__(self, name: str, evidence: Evidence | None = None) -> None:
        self._name = name
        self._evidence = evidence
        self._violations = 0
        self._proofs: list[str] = []
        self._doubts: list[str] = []

    def violated(self, words: str, *, times: int = 1) -> None:
        """Add a proof that the law is broken, so many times."""
        self._violations += times
        if len(self._proofs) < EXAMPLES_MAX:
            self._proofs.append(words)

    def all_violated(self, places: Iterable[int], words: Callable[[int], str]) -> None:
        """Add a violation at each of these places; `words` says what is wrong there."""
        for place in places:
            self.violated(words(place) if len(self._proofs) < EXAMPLES_MAX else "")

    def unknown(self, words: str) -> None:
        """Add a place where the law may hold or not."""
        if len(self._doubts) < EXAMPLES_MAX:
            self._doubts.append(words)

    def check(self) -> Check:
        """Return the result: a proof outweighs every doubt."""
        verdict: Verdict = "violated" if self._violations else "unknown" if self._doubts else "valid"
        return Check(
            name=self._name,
            verdict=verdict,
            evidence=self._evidence,
            violations=self._violations,
            examples=tuple(self._proofs or self._doubts),
        )


def not_applicable(name: str, why: str) -> Check:
    """Return a check that this trace is not subject to."""
    return Check(name=name, verdict="not-applicable", examples=(why,))


def not_judged(name: str, why: str) -> Check:
    """Return a check for which the record says nothing at all."""
    return Check(name=name, verdict="unknown", examples=(why,))
