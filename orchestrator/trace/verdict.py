"""What can be said of a trace, which of two sayings is worse, and how a program ends because of it.

Never looks at a trace. Source: design section 5, "Verdicts" and "Exit".
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

Verdict: TypeAlias = Literal["valid", "consistent", "violated", "unknown", "not-applicable"]
Evidence: TypeAlias = Literal["by-id", "by-order", "by-stamp", "by-counting"]

WORST_FIRST: Final[tuple[Verdict, ...]] = ("violated", "unknown", "consistent", "valid")

WORDS: Final[dict[Verdict, str]] = {
    "valid": "CAUSALITY HOLDS",
    "consistent": "NOTHING AGAINST IT",
    "violated": "BROKEN",
    "unknown": "CANNOT TELL",
    "not-applicable": "not applicable",
}
"""What people are shown."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on the whole; where no part could be judged, nothing is known."""
    found = set(verdicts)
    return next((verdict for verdict in WORST_FIRST if verdict in found), "unknown")


def exit_code(verdict: Verdict, *, require_proof: bool = False) -> int:
    """Return the exit code of a command that ends with this verdict."""
    match verdict:
        case "violated":
            return 1
        case "unknown" | "not-applicable":
            return 2
        case "consistent":
            return 2 if require_proof else 0
        case "valid":
            return 0
