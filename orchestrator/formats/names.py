"""The names of machines as logs write them: which are the same machine, and who is meant by `machines 1 and 2`.

Never guesses where two machines could be meant.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

EVERYBODY: Final = frozenset(
    ("all", "*", "everyone", "everybody", "both", "broadcast", "any", "others", "each", "every", "multicast")
)
"""What stands for all other machines."""
GENERIC: Final = frozenset(
    (
        *("machine", "machines", "node", "nodes", "process", "processes", "proc", "procs", "peer", "peers"),
        *("server", "servers", "vm", "vms", "host", "hosts", "replica", "replicas", "client", "clients"),
        *("the", "other", "two", "and", "to"),
    )
)
"""Words that stand beside a name and are none."""

_NOBODY: Final = frozenset(
    ("none", "null", "nil", "n/a", "na", "nobody", ".", "?", *("-" * count for count in range(1, 9)))
)
_AROUND: Final = " \t\"'[](){}<>"
_BETWEEN: Final = re.compile(r"[\s,;|&+]+")
_LAST_NUMBER: Final = re.compile(r"\d+(?=\D*\Z)")
_NOT_A_LETTER: Final = re.compile(r"[\W_]+")
_LAST_WORD: Final = re.compile(r"[^\W_]+(?=[\W_]*\Z)")
_FIRST_WORD: Final = re.compile(r"[\W_]*([^\W_]+)")
_ENDINGS: Final = re.compile(r"(\.[A-Za-z]\w*)+\Z")
_NUMBERS: Final = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Return what names sort by: machine 10 comes after machine 9."""
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in _NUMBERS.split(name) if part)


def stem_of(path: str) -> str:
    """Return a file's name without its folder and its endings: `10.0.0.1` of `logs/10.0.0.1.log.gz`."""
    name = path.rpartition("/")[2]
    return _ENDINGS.sub("", name) or name


class Names:
    """Gives numbers to names in the order in which they come."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """Return the number of a name."""
        return self.numbers.setdefault(name, len(self.numbers))


def clean(name: object) -> str:
    """Return a name without the brackets and quotes around it; empty if it says that there is none."""
    text = str(name).strip(_AROUND)
    return "" if text.casefold() in _NOBODY else text


def everyone_in(value: Any) -> tuple[str, ...] | None:
    """Return the names in a field that may have several; None if all others are meant."""
    if isinstance(value, list | tuple):
        names = [clean(one[0] if isinstance(one, list | tuple) and one else one) for one in value]
    else:
        names = [clean(name.partition("#")[0]) for name in _BETWEEN.split("" if value is None else clean(value))]
    folded = [name.casefold() for name in names]
    if any(name in EVERYBODY for name in folded):
        return None
    ours = [name for name, fold in zip(names, folded, strict=True) if name and fold not in GENERIC]
    return tuple(dict.fromkeys(ours))


def resolve(peer: str, known: Sequence[str]) -> str:
    """Return which of the known machines a peer is; the peer itself if none is, or if several could be.

    By its name, without regard to case and punctuation, by its last or first word, or by its last number.
    """
    if peer in known:
        return peer
    for sameness in (str.casefold, _letters, _last_word, _first_word, _last_number):
        if found := _only(peer, known, sameness):
            return found
    return peer


def _only(peer: str, known: Sequence[str], sameness: Callable[[str], str]) -> str | None:
    key = sameness(peer)
    same = [name for name in known if key and sameness(name) == key]
    return same[0] if len(same) == 1 else None


def _letters(name: str) -> str:
    return _NOT_A_LETTER.sub("", name).casefold()


def _last_word(name: str) -> str:
    match = _LAST_WORD.search(name)
    return match[0].casefold() if match else ""


def _first_word(name: str) -> str:
    match = _FIRST_WORD.match(name)
    return match[1].casefold() if match else ""


def _last_number(name: str) -> str:
    match = _LAST_NUMBER.search(name)
    return str(int(match[0])) if match else ""
